package tools

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

const (
	exampleKOLID      = "5d21ab6b000000001201567d"
	exampleKOLAddress = "https://www.xiaohongshu.com/user/profile/" + exampleKOLID
	anotherKOLID      = "5b3f8c2ae8ac2b0a1c9d4e7f"
	longestKOLID      = 64
	fewestCompared    = 2
	mostCompared      = 20
)

// parseKOLID returns the KOL id that value holds or, as the address of a
// profile page, names. The address of a note ends in an id of the same form
// that is not a KOL's, so only profile addresses count.
func parseKOLID(name string, value any) (string, error) {
	if value == nil {
		return "", invalidArgument("%s is missing. Give the KOL's user id, such as %q, or the address of the profile page, such as %q.", name, exampleKOLID, exampleKOLAddress)
	}
	text := plainText(value)
	if isKOLID(text) && !isPlaceholder(value, text) {
		return lowered(text), nil
	}
	if several, ok := value.([]any); ok && len(several) > 1 {
		return "", invalidArgument("%s is %s. It takes one KOL; for several there is %s.", name, quote(value), ComparisonToolName)
	}
	switch ids := profileIDs(text); len(ids) {
	case 0:
	case 1:
		return ids[0], nil
	default:
		return "", invalidArgument("%s names several KOLs: %s. Ask for one at a time, or compare them with %s.", name, strings.Join(ids, ", "), ComparisonToolName)
	}
	if strings.Contains(text, "xiaohongshu.com/explore/") || strings.Contains(text, "xiaohongshu.com/discovery/item/") {
		return "", invalidArgument("%s is the address of a note, %s. Give the address of its author's profile page, such as %q.", name, quote(text), exampleKOLAddress)
	}
	if link, found := shortLink(text); found {
		return "", invalidArgument("%s is a short link, which only Xiaohongshu can resolve. Open %s in a browser and give the address it leads to, such as %q.", name, quote(link), exampleKOLAddress)
	}
	return "", invalidArgument("%s is %s, which is neither a KOL id (1 to %d letters, digits, _ or -), such as %q, nor the address of a profile page, such as %q.",
		name, quote(value), longestKOLID, exampleKOLID, exampleKOLAddress)
}

// parseKOLIDs returns the KOL ids that a list holds, each once, in its order.
// As a string, they may be separated by white space too.
func parseKOLIDs(name string, value any) ([]string, error) {
	if value == nil {
		return nil, invalidArgument("%s is missing. Give %d to %d KOL ids or addresses of profile pages, such as [%q, %q].",
			name, fewestCompared, mostCompared, exampleKOLID, anotherKOLID)
	}
	if text, ok := value.(string); ok && !strings.HasPrefix(strings.TrimSpace(text), "[") {
		value = strings.Join(strings.Fields(text), ",")
	}
	items, ok := list(value)
	if !ok {
		return nil, invalidArgument("%s is %s. It takes a list of KOL ids or addresses of profile pages, such as [%q, %q].",
			name, quote(value), exampleKOLID, anotherKOLID)
	}
	var ids []string
	for i, item := range items {
		id, err := parseKOLID(fmt.Sprintf("%s[%d]", name, i), item)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		if len(ids) > mostCompared { // there may be very many
			return nil, invalidArgument("%s: more than %d given. It takes %d to %d KOLs.", name, mostCompared, fewestCompared, mostCompared)
		}
	}
	if len(ids) < fewestCompared {
		return nil, invalidArgument("%s: %d given, duplicates aside. It takes %d to %d KOLs; for one there is %s.", name, len(ids), fewestCompared, mostCompared, PortraitToolName)
	}
	return ids, nil
}

// lowered returns an id of the vendor's own form, 24 hex digits, in lower case:
// in capitals it is the same KOL, which must not be paid for twice.
func lowered(id string) string {
	if _, err := hex.DecodeString(id); err == nil && len(id) == 24 {
		return strings.ToLower(id)
	}
	return id
}

// isKOLID reports whether text has the form of a KOL id.
func isKOLID(text string) bool {
	if len(text) == 0 || len(text) > longestKOLID {
		return false
	}
	for _, r := range text {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		digit := '0' <= r && r <= '9'
		if !letter && !digit && r != '_' && r != '-' {
			return false
		}
	}
	return true
}

// isPlaceholder reports whether text, taken from value, has the form of a KOL
// id, but is what a model writes that has none.
func isPlaceholder(value any, text string) bool {
	if _, boolean := value.(bool); boolean {
		return true
	}
	switch strings.ReplaceAll(strings.ToLower(text), "_", "") {
	case "null", "none", "nil", "undefined", "unknown", "true", "false", "string", "kolid", "userid", "yourkolid", "example":
		return true
	}
	return false
}

// profileIDs returns the first two KOL ids of the profile addresses in text: an
// address may come inside a shared message, and two are too many already.
func profileIDs(text string) []string {
	var ids []string
	for word := range strings.FieldsSeq(text) {
		if id, ok := profileID(word); ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		if len(ids) == 2 {
			break
		}
	}
	return ids
}

// shortLink returns the short link in text, which may be a shared message.
func shortLink(text string) (link string, found bool) {
	for word := range strings.FieldsSeq(text) {
		if strings.Contains(word, "xhslink.") {
			return word, true
		}
	}
	return "", false
}

// profileID returns the KOL id in the address of a profile page on
// Xiaohongshu or on its creator marketplace.
func profileID(address string) (id string, ok bool) {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	parsed, err := url.Parse(address)
	if err != nil || !isXiaohongshu(parsed.Hostname()) {
		return "", false
	}
	for _, prefix := range []string{"/user/profile/", "/solar/pre-trade/blogger-detail/"} {
		rest, found := strings.CutPrefix(parsed.Path, prefix)
		if !found {
			continue
		}
		id, _, _ := strings.Cut(rest, "/")
		return lowered(id), isKOLID(id)
	}
	return "", false
}

func isXiaohongshu(host string) bool {
	host = strings.ToLower(host)
	return host == "xiaohongshu.com" || strings.HasSuffix(host, ".xiaohongshu.com")
}

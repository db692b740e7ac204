package tools

import (
	"net/url"
	"slices"
	"strings"
)

const (
	exampleKOLID      = "5d21ab6b000000001201567d"
	exampleKOLAddress = "https://www.xiaohongshu.com/user/profile/" + exampleKOLID
	longestKOLID      = 64
)

// parseKOLID returns the KOL id that value holds or, as the address of a
// profile page, names. The address of a note ends in an id of the same form
// that is not a KOL's, so only profile addresses count.
func parseKOLID(value any) (string, error) {
	if value == nil {
		return "", invalidArgument("kolId is missing. Give the KOL's user id, such as %q, or the address of the profile page, such as %q.", exampleKOLID, exampleKOLAddress)
	}
	text := plainText(value)
	if isKOLID(text) && !isPlaceholder(value, text) {
		return text, nil
	}
	switch ids := profileIDs(text); len(ids) {
	case 0:
	case 1:
		return ids[0], nil
	default:
		return "", invalidArgument("kolId names %d KOLs: %s. Ask for one at a time.", len(ids), strings.Join(ids, ", "))
	}
	if strings.Contains(text, "xiaohongshu.com/explore/") || strings.Contains(text, "xiaohongshu.com/discovery/item/") {
		return "", invalidArgument("kolId is the address of a note, %s. Give the address of its author's profile page, such as %q.", quote(text), exampleKOLAddress)
	}
	if strings.Contains(text, "xhslink.") {
		return "", invalidArgument("kolId is a short link, which only Xiaohongshu can resolve. Open %s in a browser and give the address it leads to, such as %q.", quote(text), exampleKOLAddress)
	}
	return "", invalidArgument("kolId is %s, which is neither a KOL id (1 to %d letters, digits, _ or -), such as %q, nor the address of a profile page, such as %q.",
		quote(value), longestKOLID, exampleKOLID, exampleKOLAddress)
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

// profileIDs returns the KOL ids of the profile addresses in text, each once:
// an address may come inside a shared message.
func profileIDs(text string) []string {
	var ids []string
	for _, word := range strings.Fields(text) {
		if id, ok := profileID(word); ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
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
		return id, isKOLID(id)
	}
	return "", false
}

func isXiaohongshu(host string) bool {
	host = strings.ToLower(host)
	return host == "xiaohongshu.com" || strings.HasSuffix(host, ".xiaohongshu.com")
}

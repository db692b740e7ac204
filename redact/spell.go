package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// spellings are the ways in which the secrets may be written.
type spellings struct {
	bare     []string // without a character of escapes
	escaped  []string // with one
	hex      []string // the secrets in lower-case hex digits
	replacer *strings.Replacer
}

// minEncoded is the length in bytes from which a secret is also known in
// spellings that look like nothing in particular. Shorter ones would be found
// by chance.
const minEncoded = 4

func spell(secrets []string) spellings {
	var s spellings
	var all []string
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		all = slices.Concat(all, []string{secret}, inURLs(secret), inHTML(secret), inQuotes(secret))
		if len(secret) >= minEncoded {
			all = slices.Concat(all, decoded(secret), inBase64(secret), inHex(secret))
			s.hex = append(s.hex, hex.EncodeToString([]byte(secret)))
		}
	}
	// Longest first: a spelling that begins with another must go whole.
	slices.SortFunc(all, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	all = slices.Compact(all)
	var pairs []string
	for _, spelling := range all {
		pairs = append(pairs, spelling, Hidden)
		if strings.ContainsAny(spelling, escapes) {
			s.escaped = append(s.escaped, spelling)
		} else {
			s.bare = append(s.bare, spelling)
		}
	}
	s.replacer = strings.NewReplacer(pairs...)
	return s
}

// inURLs are the percent-encodings of a secret, in upper and lower case, once
// and twice over.
func inURLs(secret string) []string {
	const (
		component = "-_.!~*'()"               // what encodeURIComponent keeps, beside letters and digits
		path      = component + "/"           // the same, by segments
		whole     = component + ";/?:@&=+$,#" // what encodeURI keeps
	)
	forms := []string{
		url.QueryEscape(secret), url.PathEscape(secret),
		escape(secret, component, "%%%02X"), escape(secret, path, "%%%02X"), escape(secret, whole, "%%%02X"),
	}
	for _, form := range slices.Clone(forms) {
		forms = append(forms, lowerPercent(form))
	}
	for _, form := range slices.Clone(forms) {
		forms = append(forms, strings.ReplaceAll(form, "%", "%25"), url.QueryEscape(form))
	}
	return forms
}

// inHTML are the spellings of a secret with entities, named and numeric.
func inHTML(secret string) []string {
	forms := []string{html.EscapeString(secret), escape(secret, "", "&#%d;"), escape(secret, "", "&#x%x;")}
	for _, quote := range []string{"&apos;", "&#39;", "&#039;", "&#x27;"} {
		named := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", quote)
		forms = append(forms, named.Replace(secret))
	}
	return forms
}

// inQuotes are the spellings of a secret between the quotes of JSON (with the
// HTML characters escaped or not, with the slash escaped as PHP does) and of
// Go source.
func inQuotes(secret string) []string {
	forms := []string{
		inJSON(secret), plainJSON(secret),
		unquoted(strconv.Quote(secret)), unquoted(strconv.QuoteToASCII(secret)),
		escape(secret, "", `\u%04x`), escape(secret, "", `\u%04X`), escape(secret, "", `\x%02x`), escape(secret, "", `\x%02X`),
	}
	for _, form := range slices.Clone(forms) {
		forms = append(forms, strings.ReplaceAll(form, "/", `\/`))
	}
	return forms
}

func inJSON(secret string) string {
	encoded, err := json.Marshal(secret)
	if err != nil {
		return secret // cannot be: every string has a JSON form
	}
	return unquoted(string(encoded))
}

func plainJSON(secret string) string {
	var encoded strings.Builder
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(secret); err != nil {
		return secret // cannot be: every string has a JSON form
	}
	return unquoted(strings.TrimSuffix(encoded.String(), "\n"))
}

func unquoted(quoted string) string { return quoted[1 : len(quoted)-1] }

// decoded is what a secret that looks escaped itself becomes where it is
// decoded once too often, and one with plus signs or spaces in a query.
func decoded(secret string) []string {
	forms := []string{strings.ReplaceAll(secret, " ", "+"), strings.ReplaceAll(secret, "+", " ")}
	for _, undo := range undoings() {
		undone := undo(secret)
		forms = append(forms, undone, strings.ReplaceAll(undone, "+", " "))
		for _, again := range undoings() {
			forms = append(forms, again(undone))
		}
	}
	if form, err := url.QueryUnescape(secret); err == nil {
		forms = append(forms, form)
	}
	return slices.DeleteFunc(forms, func(form string) bool { return len(form) < minEncoded })
}

// inBase64 are the encodings of a secret by itself and as part of something
// longer, such as user:secret. There the characters at its ends depend on what
// is beside it; those between do not.
func inBase64(secret string) []string {
	forms := []string{base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret))}
	for before := range 3 {
		first, end := (before*8+5)/6, (before+len(secret))*8/6
		longer := append(make([]byte, before), secret...)
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, encoding.EncodeToString(longer)[first:end])
		}
	}
	return forms
}

// inHex are the secret's bytes in hex digits of either case.
func inHex(secret string) []string {
	digits := hex.EncodeToString([]byte(secret))
	return []string{digits, strings.ToUpper(digits)}
}

// escape writes every byte of s but letters, digits and those to keep in the
// given format.
func escape(s, keep, format string) string {
	var out strings.Builder
	for _, b := range []byte(s) {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', strings.IndexByte(keep, b) >= 0:
			out.WriteByte(b)
		default:
			_, _ = fmt.Fprintf(&out, format, b)
		}
	}
	return out.String()
}

// lowerPercent writes the hex digits of percent escapes in lower case.
func lowerPercent(s string) string {
	parts := strings.Split(s, "%")
	for i, part := range parts[1:] {
		parts[i+1] = strings.ToLower(part[:2]) + part[2:]
	}
	return strings.Join(parts, "%")
}

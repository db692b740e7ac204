package upstream

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
)

// hidden stands for the token wherever it was taken out.
const hidden = "***"

// minLiteral is the length in bytes from which the token is also taken out of
// the vendor's JSON. Something shorter occurs there by chance, and cutting it
// out would damage the data it is meant to protect.
const minLiteral = 8

// secret is the vendor's token. It prints as *** with every verb, in every
// log and in JSON; only request.go reads its value.
type secret struct {
	value    string
	forms    []string // the value and how URLs, JSON and Go's %q spell it
	replacer *strings.Replacer
}

func newSecret(value string) *secret {
	if value == "" {
		return &secret{replacer: strings.NewReplacer()}
	}
	quoted := strconv.Quote(value)
	forms := []string{value, url.QueryEscape(value), url.PathEscape(value), quoted[1 : len(quoted)-1], jsonForm(value)}
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range forms {
		pairs = append(pairs, form, hidden)
	}
	return &secret{value: value, forms: forms, replacer: strings.NewReplacer(pairs...)}
}

// jsonForm is s as it stands between the quotes of a JSON string, with the
// HTML characters escaped as many encoders do.
func jsonForm(s string) string {
	encoded, err := json.Marshal(s)
	if err != nil {
		return s // cannot be: every string has a JSON form
	}
	return string(encoded[1 : len(encoded)-1])
}

// scrub returns text without the token, in whatever form it was there.
func (s *secret) scrub(text string) string {
	return s.replacer.Replace(text)
}

// scrubJSON returns body without the token where the token is long enough to
// be told from chance. Most bodies come back as they are, byte for byte.
func (s *secret) scrubJSON(body []byte) []byte {
	if len(s.value) < minLiteral || !s.in(string(body)) {
		return body
	}
	return []byte(s.scrub(string(body)))
}

// in reports whether text holds the token in one of its forms.
func (s *secret) in(text string) bool {
	for _, form := range s.forms {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// leaks reports whether a string inside a JSON value spells the token by
// escapes that scrubJSON cannot see, such as \u0073 for s.
func (s *secret) leaks(value json.RawMessage) bool {
	if len(s.value) < minLiteral || !strings.Contains(string(value), `\`) {
		return false
	}
	decoder := json.NewDecoder(strings.NewReader(string(value)))
	decoder.UseNumber() // numbers do not matter here, and may be out of range
	for {
		token, err := decoder.Token()
		if err != nil {
			return false // the end, since value is valid JSON
		}
		if text, ok := token.(string); ok && s.in(text) {
			return true
		}
	}
}

func (s *secret) String() string               { return hidden }
func (s *secret) GoString() string             { return hidden }
func (s *secret) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (s *secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Format keeps the token out of every fmt verb, %x and %#v included.
func (s *secret) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(hidden)) }

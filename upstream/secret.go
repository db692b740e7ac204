package upstream

import (
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"strings"

	"kol-portrait-mcp/redact"
)

// minLiteral is the length in bytes from which the token is looked for in the
// vendor's data. Something shorter occurs there by chance.
const minLiteral = 8

// minName is the same for the names of the data's members, which are ordinary
// words.
const minName = 16

// secret is the vendor's token. It prints as *** with every verb, in every
// log and in JSON; only request.go reads its value.
type secret struct {
	value string
	hider *redact.Hider
}

func newSecret(value string) *secret {
	return &secret{value: value, hider: redact.New(value)}
}

// quote returns text from outside, made fit to be quoted and without the
// token, in whatever form it was there.
func (s *secret) quote(text string) string { return plain(s.hider.Hide(text)) }

// in reports whether a string in data, which is JSON, holds the token. Names of
// members are looked at only for a token that is too long to be one by chance,
// and numbers never.
func (s *secret) in(data json.RawMessage) bool {
	if len(s.value) < minLiteral || !s.maybeIn(string(data)) {
		return false
	}
	for text := range stringsIn(data, len(s.value) >= minName) {
		if s.hider.Found(text) {
			return true
		}
	}
	return false
}

// maybeIn spares most data the closer look: no string in it can hold the token
// where the whole does not and no escape sequence begins.
func (s *secret) maybeIn(data string) bool {
	return strings.ContainsAny(data, `%&\`) || s.hider.Found(data)
}

// stringsIn are the strings in a JSON text, decoded; with names, those of
// members too.
func stringsIn(data json.RawMessage, names bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber() // numbers do not matter here, and may be out of range
		var open []json.Delim
		name := false // whether a member's name is what comes next
		for {
			token, err := decoder.Token()
			if err != nil {
				return // the end, since data is valid JSON
			}
			text, isString := token.(string)
			if isString && (names || !name) && !yield(text) {
				return
			}
			switch delim, _ := token.(json.Delim); delim {
			case '{', '[':
				open = append(open, delim)
				name = delim == '{'
				continue
			case '}', ']':
				open = open[:len(open)-1]
				name = false
			}
			name = !name && len(open) > 0 && open[len(open)-1] == '{'
		}
	}
}

// String returns ***.
func (s *secret) String() string { return redact.Hidden }

// LogValue returns ***.
func (s *secret) LogValue() slog.Value { return slog.StringValue(redact.Hidden) }

// MarshalText returns ***. Encoders go by it.
func (s *secret) MarshalText() ([]byte, error) { return []byte(redact.Hidden), nil }

// Format keeps the token out of every fmt verb, %x and %#v included.
func (s *secret) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(redact.Hidden)) }

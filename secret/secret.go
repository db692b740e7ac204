// Package secret holds what must never be shown: the vendor's token, the
// bearer tokens of clients, the address of a store that carries a password.
package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
)

// Hidden is what a secret prints as, and what takes its place in a text.
const Hidden = "***"

// Secret is a text that prints as *** in every verb of fmt, in JSON and in
// slog. Only Reveal gives it away. The zero Secret holds nothing.
//
// It keeps a function, not the text: what prints by reflection, past every
// method, such as the diff of a test, then finds an address.
type Secret struct{ reveal func() string }

// New returns a Secret that holds text.
func New(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{func() string { return text }}
}

// Reveal returns what the secret holds, empty for the zero Secret.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsSet reports whether the secret holds anything.
func (s Secret) IsSet() bool { return s.reveal != nil }

// Hide returns text with *** in place of the secret, be it spelled as it is or
// escaped as in a URL's query, in a URL's path, or in JSON.
func (s Secret) Hide(text string) string {
	raw := s.Reveal()
	if raw == "" {
		return text
	}
	spellings := []string{raw, url.QueryEscape(raw), url.PathEscape(raw), inJSON(raw, true), inJSON(raw, false)}
	// The longest comes first: another may be a part of it.
	slices.SortFunc(spellings, func(a, b string) int { return len(b) - len(a) })
	for _, spelling := range spellings {
		text = strings.ReplaceAll(text, spelling, Hidden)
	}
	return text
}

// inJSON is text as it stands between the quotation marks of a JSON string.
func inJSON(text string, escapeHTML bool) string {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(escapeHTML)
	_ = encoder.Encode(text) // every string can be encoded
	return strings.TrimSuffix(quoted.String()[1:], "\"\n")
}

// String returns ***, or nothing for the zero Secret.
func (s Secret) String() string {
	if !s.IsSet() {
		return ""
	}
	return Hidden
}

// Format writes String whatever the verb, %#v and %x included.
func (s Secret) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, s.String()) // fmt has no place for the error
}

// MarshalText returns String. Encoders go by it, that of JSON too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue returns String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// EnvDecode implements envconfig.Decoder.
func (s *Secret) EnvDecode(value string) error {
	*s = New(strings.TrimSpace(value))
	return nil
}

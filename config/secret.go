package config

import (
	"fmt"
	"io"
	"log/slog"
)

// hidden stands for a secret wherever one would be shown.
const hidden = "***"

// Secret is a text that does not print: fmt, encoding/json, slog and the like
// see *** in its place, or nothing where it is empty, so that a missing secret
// can be told from a set one. The zero Secret is empty.
//
// It holds a function rather than the text. What prints by reflection, past
// every method (fmt on an unexported field, a test's diff), finds an address.
type Secret struct {
	reveal func() string
}

// NewSecret returns a Secret that holds the text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{reveal: func() string { return text }}
}

// Reveal returns the text. Whoever calls it answers for where the text goes.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// String returns *** where the secret is set, else nothing.
func (s Secret) String() string {
	if s.reveal == nil {
		return ""
	}
	return hidden
}

// Format writes what String returns, whatever the verb and its flags.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String()) // fmt has no place for the error
}

// MarshalText returns what String returns. Encoders go by it, and slog's
// handlers where the secret is part of something larger.
func (s Secret) MarshalText() ([]byte, error) {
	return []byte(s.String()), nil
}

// LogValue returns what String returns, for handlers of slog that encode in a
// way of their own.
func (s Secret) LogValue() slog.Value {
	return slog.StringValue(s.String())
}

// EnvDecode implements envconfig.Decoder.
func (s *Secret) EnvDecode(value string) error {
	*s = NewSecret(value)
	return nil
}

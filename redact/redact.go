// Package redact takes secrets out of text.
//
// A secret seldom comes back as it went out: on its way through URLs, JSON,
// HTML and source code it is spelled anew, sometimes twice over. A [Hider]
// knows the usual spellings and replaces them. Where undoing the escapes of a
// text still brings a secret to light, it gives up the whole text: there is no
// telling which part of it to replace.
package redact

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// Hidden stands for a secret wherever one was taken out.
const Hidden = "***"

// Hider hides secrets. It is safe for concurrent use; a nil or zero Hider
// hides nothing. It never prints what it hides.
//
// It holds a function rather than the secrets. What prints by reflection, past
// every method (fmt on an unexported field, a test's diff), finds an address.
type Hider struct {
	known func() spellings
}

// New returns a Hider of secrets, of which empty ones are ignored. It costs
// nothing before the first text comes.
func New(secrets ...string) *Hider {
	return &Hider{known: sync.OnceValue(func() spellings { return spell(secrets) })}
}

// Hide returns text with *** in place of the secrets, or *** in place of all
// of it where a secret is spelled in a way that cannot be replaced.
func (h *Hider) Hide(text string) string {
	if h == nil || h.known == nil {
		return text
	}
	known := h.known()
	if known.in(text) {
		text = known.replacer.Replace(text)
	}
	if known.beneath(text) {
		return Hidden
	}
	return text
}

// Found reports whether text holds a secret in any spelling.
func (h *Hider) Found(text string) bool {
	if h == nil || h.known == nil {
		return false
	}
	return h.known().beneath(text)
}

// String returns ***.
func (h *Hider) String() string { return Hidden }

// Format writes *** whatever the verb, %#v and %x included.
func (h *Hider) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, Hidden) // fmt has no place for the error
}

// MarshalText returns ***. Encoders go by it.
func (h *Hider) MarshalText() ([]byte, error) { return []byte(Hidden), nil }

// LogValue returns ***.
func (h *Hider) LogValue() slog.Value { return slog.StringValue(Hidden) }

// escapes are the characters that begin an escape sequence. Without any of
// them a text is what it looks like.
const escapes = `%&\`

// in reports whether text holds a known spelling as it is.
func (s spellings) in(text string) bool {
	return holds(text, s.bare) || strings.ContainsAny(text, escapes) && holds(text, s.escaped)
}

// beneath reports whether a secret shows once the escapes of text are undone,
// layer by layer, or the case of hex digits is not looked at.
func (s spellings) beneath(text string) bool {
	const rounds = 3
	if s.in(text) || s.inHex(text) {
		return true
	}
	if !strings.ContainsAny(text, escapes) {
		return false // there is nothing to undo
	}
	for range rounds {
		before := text
		for _, undo := range undoings() {
			undone := undo(text)
			if undone != text && (s.in(undone) || s.inHex(undone)) {
				return true
			}
			text = undone
		}
		if text == before {
			return false
		}
	}
	return false
}

func (s spellings) inHex(text string) bool {
	return len(s.hex) > 0 && holds(strings.ToLower(text), s.hex)
}

func holds(text string, spellings []string) bool {
	for _, spelling := range spellings {
		if strings.Contains(text, spelling) {
			return true
		}
	}
	return false
}

package upstream

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"kol-portrait-mcp/schema"
)

// failure is an attempt that brought no portrait.
type failure struct {
	err    schema.Error  // Message is what happened, a sentence without its full stop
	advice string        // what to do next, whole sentences
	retry  bool          // whether the Client itself may ask again
	wait   time.Duration // what the vendor asked for by Retry-After; 0: nothing
	paid   bool          // whether err.Charged is for sure: the answer had code 0
	health health        // what it says of the vendor
	brief  string        // Message in a few words, where the vendor is down

	attempts int           // requests that the call had sent by then; 0: not worth a word
	also     string        // what is to be said behind that
	own      *schema.Error // told word for word: a refused admission
}

// Error returns what happened; told returns what the caller sees.
func (f *failure) Error() string { return f.err.Error() }

// told is the failure as the caller sees it: what happened, after how many
// attempts, whether it may have cost something, and what to do.
func (f *failure) told() *schema.Error {
	if f.own != nil {
		return f.own
	}
	told := f.err
	if f.attempts > 1 || f.attempts == 1 && f.retry {
		told.Message += ", after " + count(f.attempts, "attempt")
	}
	told.Message += f.also + "." + f.price() + " " + f.advice
	if told.RetryAfterSeconds == 0 && told.Retryable {
		told.RetryAfterSeconds = wholeSeconds(f.patience())
	}
	return &told
}

// How long to wait before calling again where the vendor does not say: agents
// repeat a call after the seconds that an error gives, and at once where it
// gives none.
const (
	someMinutes = 3 * time.Minute // the vendor may still be at work on what it may charge
	fewMinutes  = 2 * time.Minute
)

// patience is how long the caller had better wait before calling again.
func (f *failure) patience() time.Duration {
	switch {
	case f.wait > 0:
		return f.wait
	case f.err.Charged:
		return someMinutes
	default:
		return fewMinutes
	}
}

// price is the sentence about what the failure cost, if anything.
func (f *failure) price() string {
	switch {
	case !f.err.Charged:
		return ""
	case f.paid:
		return " The vendor charged this call."
	case f.err.Kind == schema.BadResponse:
		return " The vendor may have charged this call."
	default:
		return " The vendor may still complete this call, and may have charged it."
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// maxQuote is how many runes of the vendor's own text a message quotes.
const maxQuote = 200

// plain makes text from outside fit to be quoted in one line: characters that
// control a terminal or the direction of writing become spaces, runs of spaces
// become one, and the rest beyond maxQuote runes is cut.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if unsafeRune(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > maxQuote {
		return string(runes[:maxQuote]) + "..."
	}
	return string(runes)
}

// joiner binds emoji together.
const joiner = '\u200d'

// unsafeRune reports whether r has an effect instead of a shape: control
// characters, line separators, and format characters such as those that turn
// the direction of writing or that hide text. The joiner is none.
func unsafeRune(r rune) bool {
	return r != joiner && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

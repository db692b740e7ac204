package tools

import (
	"fmt"
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

// writer writes a text in one language.
type writer struct {
	lang schema.Language
	text strings.Builder
}

// say returns the sentence in the text's language.
func (w *writer) say(english, chinese string) string {
	if w.lang == schema.Chinese {
		return chinese
	}
	return english
}

// line writes one line, in a format of fmt.
func (w *writer) line(format string, a ...any) {
	fmt.Fprintf(&w.text, format+"\n", a...)
}

// simulated is the first warning on simulated data, and how every text about
// it begins.
func (w *writer) simulated() string {
	return w.say("SAMPLE DATA from a simulated vendor: no real KOL.", "示例数据：来自模拟数据源，不代表任何真实达人。")
}

// careful writes the warnings, but for the one that the text begins with.
func (w *writer) careful(warnings []string) {
	others := slices.DeleteFunc(slices.Clone(warnings), func(warning string) bool { return warning == w.simulated() })
	if len(others) > 0 {
		w.line(w.say("Careful: %s", "注意：%s"), strings.Join(others, w.say(" ", "")))
	}
}

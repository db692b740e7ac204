package tools

import (
	"fmt"
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

// sample writes what every text about simulated data begins with.
func (w *writer) sample() {
	w.line("%s", w.say("SAMPLE DATA from a simulated vendor: no real KOL.", "示例数据：来自模拟数据源，不代表任何真实达人。"))
}

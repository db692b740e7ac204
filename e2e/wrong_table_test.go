//go:build e2e

package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the answers to wrong requests anew")

// wrongRequest is one entry of a table of wrong requests.
type wrongRequest struct {
	title   string
	request []string // lines, as they stand in the file
	answer  []string // lines, normalized; none where there must be no answer
}

// wrongTable is a file of testdata/wrong:
//
//	what the table is about, for whoever reads it
//
//	== what is wrong
//	> the request
//	< the answer
//
// In a request, «\x00» stands for what Go's escapes mean, and «a×9» for a
// repetition.
type wrongTable struct {
	path    string
	preface string
	entries []*wrongRequest
}

func readWrongTable(t *testing.T, name string) *wrongTable {
	t.Helper()
	table := &wrongTable{path: filepath.Join("testdata", "wrong", name+".txt")}
	text, err := os.ReadFile(table.path)
	require.NoError(t, err)
	preface, entries, _ := strings.Cut(string(text), "\n== ")
	table.preface = preface
	titles := map[string]bool{}
	for entry := range strings.SplitSeq(entries, "\n== ") {
		lines := strings.Split(strings.TrimRight(entry, "\n"), "\n")
		w := &wrongRequest{title: lines[0]}
		require.False(t, titles[w.title], "%s: two entries are called %q", table.path, w.title)
		titles[w.title] = true
		for _, line := range lines[1:] {
			switch mark, rest, _ := strings.Cut(line, " "); mark {
			case ">":
				w.request = append(w.request, rest)
			case "<":
				w.answer = append(w.answer, rest)
			default:
				require.Failf(t, "not a line of a table", "%s: %s: %q", table.path, w.title, line)
			}
		}
		require.NotEmpty(t, w.request, "%s: %s", table.path, w.title)
		table.entries = append(table.entries, w)
	}
	return table
}

// run sends the requests, each in a test of its own, and expects the answers.
func (table *wrongTable) run(t *testing.T, answers func(t *testing.T, w *wrongRequest) []string) {
	t.Helper()
	for _, w := range table.entries {
		t.Run(w.title, func(t *testing.T) {
			got := answers(t, w)
			if *update {
				w.answer = got
			}
			assert.Equal(t, w.answer, got)
		})
	}
	if *update {
		table.write(t)
	}
}

// write is for -update.
func (table *wrongTable) write(t *testing.T) {
	t.Helper()
	var text bytes.Buffer
	text.WriteString(table.preface)
	for _, w := range table.entries {
		fmt.Fprintf(&text, "\n== %s\n", w.title)
		for _, line := range w.request {
			text.WriteString(strings.TrimRight("> "+line, " ") + "\n")
		}
		for _, line := range w.answer {
			text.WriteString(strings.TrimRight("< "+line, " ") + "\n")
		}
	}
	require.NoError(t, os.WriteFile(table.path, text.Bytes(), 0o644))
}

// unescape returns the bytes that a line of a request stands for.
func unescape(t *testing.T, line string) string {
	t.Helper()
	return regexp.MustCompile(`«[^»]*»`).ReplaceAllStringFunc(line, func(escaped string) string {
		inner := strings.TrimSuffix(strings.TrimPrefix(escaped, "«"), "»")
		if text, times, repeated := strings.Cut(inner, "×"); repeated {
			n, err := strconv.Atoi(times)
			require.NoError(t, err, escaped)
			return strings.Repeat(text, n)
		}
		text, err := strconv.Unquote(`"` + inner + `"`)
		require.NoError(t, err, escaped)
		return text
	})
}

// abridge leaves out of an answer what other tests hold and what is too long to
// be read here.
func abridge(answer string) string {
	answer = regexp.MustCompile(`"instructions":"(?:[^"\\]|\\.)*"`).ReplaceAllString(answer, `"instructions":"…"`)
	answer = regexp.MustCompile(`serverInfo":\{[^}]*\}`).ReplaceAllString(answer, `serverInfo":{…}`)
	for _, list := range []string{"tools", "resources", "resourceTemplates", "prompts"} {
		answer = regexp.MustCompile(`"`+list+`":\[.*\]`).ReplaceAllString(answer, `"`+list+`":[…]`)
	}
	return answer
}

// assertFit checks what holds for every answer to a wrong request: it gives
// nothing away, and talks to who knows the protocol, not to who knows the
// source.
func assertFit(t *testing.T, answer string) {
	t.Helper()
	assert.NotContains(t, answer, token)
	assert.NotRegexp(t, `\bjson: |[Uu]nmarshal|unparsable|\bstruct\b|\bGo\b|\bpanic|goroutine|runtime|interface|map\[|mcp-go|<nil>|\.go:|float64|invalid character`, answer)
}

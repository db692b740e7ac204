package ui_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/ui"
)

func TestThePageIsSmallAndNeedsNothingElse(t *testing.T) {
	page := ui.Page()
	t.Logf("%d bytes", len(page))
	assert.Less(t, len(page), 60_000)
	for _, marker := range []string{"/* styles */", "/* scripts */", "\n//"} {
		assert.False(t, strings.Contains(page, marker), marker)
	}
	assert.Equal(t, 2, strings.Count(page, "</script"), "the data's and the scripts'")
	assert.Equal(t, 1, strings.Count(page, "</style"))
	// What nobody loads: the names of SVG and XHTML, images within the page, parts of itself.
	elsewhere := regexp.MustCompile(`http://www\.w3\.org/|url\(["']?(?:data:image/|#)`).ReplaceAllString(page, "")
	for _, loads := range []string{
		`https?://`, `<\w[^<>]*\ssrc=`, `@import`, `@font-face`, `\burl\(`, `\bimport\b`, `\bfetch\(`, `XMLHttpRequest`, `WebSocket`, `EventSource`, `sendBeacon`, `new Worker`,
		`localStorage`, `sessionStorage`, `indexedDB`, `\.cookie`, `\beval\b`, `new Function`, `innerHTML`, `outerHTML`, `insertAdjacentHTML`, `document\.write`,
	} {
		assert.Nil(t, regexp.MustCompile(loads).FindStringIndex(elsewhere), loads)
	}
}

func TestEveryFileIsOnThePage(t *testing.T) {
	joins, err := os.ReadFile("ui.go")
	require.NoError(t, err)
	files, err := fs.Glob(os.DirFS("."), "*.[jc]s*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		assert.Contains(t, string(joins), strconv.Quote(file))
	}
}

// source returns the scripts one after the other, as they are written.
func source(t *testing.T) string {
	t.Helper()
	names, err := os.ReadDir(".")
	require.NoError(t, err)
	var all strings.Builder
	for _, name := range names {
		if strings.HasSuffix(name.Name(), ".js") {
			text, err := os.ReadFile(name.Name())
			require.NoError(t, err)
			all.Write(text)
			all.WriteString("\n")
		}
	}
	return all.String()
}

// The scripts share one scope, in which a name that is there twice is an error.
func TestNoTwoScriptsHaveOneName(t *testing.T) {
	seen := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^(?:const|let|function|async function|class) (\w+)`).FindAllStringSubmatch(source(t), -1) {
		assert.False(t, seen[found[1]], found[1])
		seen[found[1]] = true
	}
	assert.True(t, seen["WORDS"])
}

func TestEveryWordIsInBothLanguages(t *testing.T) {
	const text = `(?:'(?:[^'\\\n]|\\.)+'|"(?:[^"\\\n]|\\.)+")`
	entry := regexp.MustCompile(`^\s*(?:'([^']+)'|(\w+)):\s*\[\s*` + text + `\s*,\s*(` + text + `)\s*,?\s*\]\s*,?`)
	comment := regexp.MustCompile(`(?m)^\s*//.*$`)
	scripts, known := source(t), map[string]bool{}
	for _, block := range regexp.MustCompile(`(?ms)^words\(\{(.*?)\}\)$`).FindAllStringSubmatch(scripts, -1) {
		rest := comment.ReplaceAllString(block[1], "")
		for strings.TrimSpace(rest) != "" {
			found := entry.FindStringSubmatch(rest)
			if found == nil {
				require.FailNow(t, "a word is not key: ['English', 'Chinese'],", "%.120s", rest)
			}
			key := found[1] + found[2]
			assert.False(t, known[key], "%s is there twice", key)
			known[key] = true
			rest = rest[len(found[0]):]
		}
	}
	for _, said := range regexp.MustCompile(`\bsay\('([^']+)'\s*[,)]`).FindAllStringSubmatch(scripts, -1) {
		assert.True(t, known[said[1]], "say('%s'): no such word", said[1])
	}
}

func TestAReportHoldsItsDataWhateverIsInIt(t *testing.T) {
	data := map[string]any{"a": "</script><script>alert(1)</script><!-- <script> ]]> & \u2028 $& id=\"data\"></script>"}
	var b strings.Builder
	require.NoError(t, ui.Report(&b, "小鹿 </title><b>", data))
	before, rest, found := strings.Cut(b.String(), `<script type="application/json" id="data">`)
	require.True(t, found)
	assert.Contains(t, before, "<title>小鹿 &lt;/title&gt;&lt;b&gt;</title>")
	inside, after, _ := strings.Cut(rest, "</script>")
	assert.NotContains(t, inside, "<")
	got := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(inside), &got))
	assert.Equal(t, data, got)
	_, pageAfter, _ := strings.Cut(ui.Page(), `id="data"></script>`)
	assert.Equal(t, pageAfter, after)
	assert.Error(t, ui.Report(&b, "", func() {}))
}

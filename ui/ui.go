// Package ui is the page that hosts of MCP Apps show in the conversation, and that
// the command line writes as a report. Its sources lie beside this file; Page puts
// them together into one document that needs nothing else.
package ui

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
	"sync"

	minifier "github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/js"
)

//go:embed page.html *.css *.js
var sources embed.FS

// The sources in the order in which the page has them: a script may use at its start
// what stands in an earlier one.
var (
	styles  = []string{"page.css", "portrait.css", "comparison.css"}
	scripts = []string{"words.js", "dom.js", "blocks.js", "portrait.js", "map.js", "comparison.js", "overlay.js", "host.js", "actions.js", "main.js"}
)

// Page returns the page. It is put together when it is first asked for, in a few
// milliseconds.
var Page = sync.OnceValue(func() string {
	page, _ := sources.ReadFile("page.html") // it is embedded
	return strings.NewReplacer(
		"/* styles */", regexp.MustCompile(`\s*([{};])\s*`).ReplaceAllString(minified(css.Minify, "", styles, ""), "$1"), // it leaves @container as it is
		"/* scripts */", minified(js.Minify, "'use strict';(() => {", scripts, "})()"),
	).Replace(string(page))
})

// Report writes the page with data inside, so that it needs no host: a JSON object with
// language, timeZone, result (what the tool answers) and perhaps portraits (those of
// the KOLs in a comparison, by kolId).
func Report(w io.Writer, title string, data any) error {
	raw, err := json.Marshal(data) // which escapes < and >, so that nothing in the data ends the element
	if err != nil {
		return fmt.Errorf("encode the data of the report: %w", err)
	}
	_, err = strings.NewReplacer(
		"<title>KOL fans portrait</title>", "<title>"+html.EscapeString(title)+"</title>",
		`id="data"></script>`, `id="data">`+string(raw)+"</script>",
	).WriteString(w, Page())
	return err
}

// minified returns sources one after the other, between before and after, without
// what is there for readers of the source alone.
func minified(minify minifier.MinifierFunc, before string, names []string, after string) string {
	source, result := bytes.NewBufferString(before), new(bytes.Buffer)
	for _, name := range names {
		text, _ := sources.ReadFile(name) // it is embedded
		source.Write(text)
	}
	source.WriteString(after)
	if err := minify(minifier.New(), result, source, nil); err != nil {
		panic(fmt.Sprintf("ui: put the page together: %v", err)) // a source is no JavaScript or CSS: no test passes then
	}
	return result.String()
}

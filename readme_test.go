package main

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/clients"
	"kol-portrait-mcp/config"
	"kol-portrait-mcp/tools"
)

const binary = "kol-portrait-mcp"

var (
	readmes = []string{"README.md", "README.zh-CN.md"}
	fence   = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")
	heading = regexp.MustCompile(`(?m)^(#+) (.+)$`)
	row     = regexp.MustCompile(`(?m)^\|.*\|$`)
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	image   = regexp.MustCompile(`<img src="([^"]+)"[^>]* alt="[^"]+">`)
)

// document is a Markdown file, taken to pieces.
type document struct {
	prose, code string   // code: its blocks but those of answers
	blocks      []string // what follows ```, and the lines
	links       []string
	images      []string
}

func readDocument(t *testing.T, name string) document {
	t.Helper()
	source, err := os.ReadFile(name)
	require.NoError(t, err)
	var p document
	for _, block := range fence.FindAllString(string(source), -1) {
		p.blocks = append(p.blocks, strings.TrimPrefix(strings.TrimSuffix(block, "```"), "```"))
		if !strings.HasPrefix(block, "```text") {
			p.code += block
		}
	}
	p.prose = fence.ReplaceAllString(string(source), "")
	for _, found := range link.FindAllStringSubmatch(p.prose, -1) {
		p.links = append(p.links, found[1])
	}
	for _, found := range image.FindAllStringSubmatch(p.prose, -1) {
		p.images = append(p.images, found[1])
	}
	return p
}

// shape returns the levels of the headings and the widths of the table rows, in order.
func (p document) shape() (shape []int) {
	for _, line := range strings.Split(p.prose, "\n") {
		switch {
		case heading.MatchString(line):
			shape = append(shape, -len(heading.FindStringSubmatch(line)[1]))
		case row.MatchString(line):
			shape = append(shape, strings.Count(line, "|"))
		}
	}
	return shape
}

func TestREADMEsAreInStep(t *testing.T) {
	english, chinese := readDocument(t, readmes[0]), readDocument(t, readmes[1])
	assert.Equal(t, english.shape(), chinese.shape(), "headings and tables")
	assert.Equal(t, english.code, chinese.code, "commands and configuration")
	assert.ElementsMatch(t, english.images, chinese.images, "the same pictures, each begins with that of its language")
	assert.Len(t, english.images, 5)
	// A page in Chinese may stand for the English one, and headings have their own names.
	same := func(links []string) (pages []string) {
		for _, target := range links {
			if !strings.HasPrefix(target, "README") {
				pages = append(pages, strings.ReplaceAll(regexp.MustCompile(`^#.*`).ReplaceAllString(target, "#"), ".zh.md", ".md"))
			}
		}
		return pages
	}
	assert.ElementsMatch(t, same(english.links), same(chinese.links))
}

func TestREADMEsShowTheAnswerAsItIs(t *testing.T) {
	for i, answer := range []string{"fit.en.txt", "fit.zh.txt"} {
		text, err := os.ReadFile("testdata/texts/" + answer)
		require.NoError(t, err)
		assert.Contains(t, readDocument(t, readmes[i]).blocks, "text\n"+string(text), readmes[i])
	}
}

// anchors returns what GitHub calls the headings of a page.
func anchors(p document) map[string]bool {
	found := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(p.prose, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(h[2]), "")
		found[strings.ReplaceAll(name, " ", "-")] = true
	}
	return found
}

func TestLinksOfTheDocumentationLeadSomewhere(t *testing.T) {
	names := append([]string{"CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}, readmes...)
	for _, folder := range []string{"docs/*.md", "skills/*/*.md"} {
		more, err := filepath.Glob(folder)
		require.NoError(t, err)
		names = append(names, more...)
	}
	for _, name := range names {
		p := readDocument(t, name)
		for _, target := range append(p.links, p.images...) {
			if strings.Contains(target, ":") && !strings.HasPrefix(target, clients.Repository()+"/blob/main/") {
				continue
			}
			file, anchor, _ := strings.Cut(strings.TrimPrefix(target, clients.Repository()+"/blob/main/"), "#")
			path := name
			if file != "" {
				path = filepath.Join(filepath.Dir(name), file)
			}
			_, err := os.Stat(path)
			if assert.NoError(t, err, "%s links it", name) && anchor != "" {
				assert.True(t, anchors(readDocument(t, path))[anchor], "%s links %s", name, target)
			}
		}
	}
	assert.True(t, anchors(readDocument(t, "SECURITY.md"))["privacy"], "the bundle's manifest links it")
}

func TestREADMEsLinksAddTheServer(t *testing.T) {
	offered := map[string]bool{}
	for _, c := range clients.All() {
		for _, l := range c.Links(binary, nil) {
			offered[l.URL] = true
		}
	}
	for _, name := range readmes {
		found := 0
		for _, target := range readDocument(t, name).links {
			if strings.Contains(target, "install?") || strings.Contains(target, "install-mcp?") {
				assert.True(t, offered[target], "%s: %s", name, target)
				found++
			}
		}
		assert.Equal(t, 2, found, name)
	}
}

// TestREADMEsCommandsRun runs those that end by themselves and need nothing but the
// program, at no cost. .ci/run runs the blocks marked "sh ci" as well.
func TestREADMEsCommandsRun(t *testing.T) {
	folder := t.TempDir()
	list := "kolId,name,followers,price\n5d21ab6b000000001201567d,小鹿,120000,8000\nkol-b,B,54000,3000\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "kols.csv"), []byte(list), 0o600))
	commands := regexp.MustCompile(`(?m)^\./`+binary+` .*$`).FindAllString(readDocument(t, readmes[0]).code, -1)
	require.Len(t, commands, 5)
	for _, command := range commands {
		run := exec.CommandContext(t.Context(), "sh", "-c", strings.TrimPrefix(command, "./"))
		run.Dir = folder
		run.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "JUSTONEAPI_ENV=sample"}
		output, err := run.CombinedOutput()
		assert.NoError(t, err, "%s\n%s", command, output)
	}
	assert.FileExists(t, filepath.Join(folder, "ranked.csv"))
	assert.FileExists(t, filepath.Join(folder, "report.html"))
}

func TestREADMEsJSONAndVariablesAreReal(t *testing.T) {
	variables := map[string]bool{}
	for _, v := range config.Variables() {
		variables[v.Name] = true
	}
	c := overStdio(t, io.Discard)
	_, err := c.Initialize(t.Context(), mcp.InitializeRequest{Params: mcp.InitializeParams{ProtocolVersion: "2025-11-25"}})
	require.NoError(t, err)
	for _, name := range readmes {
		p := readDocument(t, name)
		for _, v := range regexp.MustCompile(`\b(JUSTONEAPI|PORTRAIT|MCP)_[A-Z_]+`).FindAllString(p.prose+p.code, -1) {
			assert.True(t, variables[v], "%s names %s", name, v)
		}
		calls := 0
		for _, block := range p.blocks {
			source, ok := strings.CutPrefix(block, "json\n")
			if !ok {
				continue
			}
			var value map[string]any
			require.NoError(t, json.Unmarshal([]byte(source), &value), source)
			if value["kolId"] == nil { // a client's configuration
				assert.Contains(t, value["mcpServers"], clients.Name)
				continue
			}
			result, err := c.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: tools.PortraitToolName, Arguments: value}})
			require.NoError(t, err)
			assert.False(t, result.IsError, "%v", result.Content)
			calls++
		}
		assert.Equal(t, 1, calls, name)
	}
}

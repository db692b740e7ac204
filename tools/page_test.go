package tools_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/report"
	"kol-portrait-mcp/tools"
	"kol-portrait-mcp/ui"
)

const draws = `{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}`

// exchange sends requests of one session and returns the last one's result, as it goes
// over the wire.
func exchange(t *testing.T, server *mcpserver.MCPServer, requests ...string) string {
	t.Helper()
	ctx := server.WithContext(t.Context(), mcpserver.NewInProcessSession("session", nil))
	var raw []byte
	for _, request := range requests {
		if request == "" {
			continue
		}
		var err error
		raw, err = json.Marshal(server.HandleMessage(ctx, json.RawMessage(request)))
		require.NoError(t, err)
	}
	var response struct{ Result json.RawMessage }
	require.NoError(t, json.Unmarshal(raw, &response))
	require.NotEmpty(t, response.Result, "%s", raw)
	return string(response.Result)
}

func initialize(name, capabilities string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":%s,"clientInfo":{"name":%q,"version":"1"}}}`, capabilities, name)
}

func toolCall(tool, arguments, meta string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":%q,"arguments":%s,"_meta":%s}}`, tool, arguments, meta)
}

// revision20260728 is the _meta of a request of that revision.
func revision20260728(name, capabilities string) string {
	return fmt.Sprintf(`{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":%q,"version":"1"},"io.modelcontextprotocol/clientCapabilities":%s}`, name, capabilities)
}

func TestResultsHaveAViewUnlessTheClientIsKnownToDrawNoPages(t *testing.T) {
	one, several := `{"kolId":"kol-a","targetAudience":{"gender":"female"}}`, `{"kolIds":["kol-a","kol-b"]}`
	for name, test := range map[string]struct {
		initialize, meta string
		view             bool
	}{
		"a session, and it draws":                      {initialize("Claude", draws), "{}", true},
		"a session, and it does not":                   {initialize("Claude Code", `{}`), "{}", false},
		"a session, and it draws without saying so":    {initialize("Visual Studio Code - Insiders", `{}`), "{}", true},
		"no session: an older client over HTTP":        {"", "{}", true},
		"a request, and its client draws":              {"", revision20260728("Claude", draws), true},
		"a request, and its client does not":           {"", revision20260728("Claude Code", `{}`), false},
		"a request, and it draws without saying so":    {"", revision20260728("Visual Studio Code", `{}`), true},
		"a request counts, whatever the session could": {initialize("Claude", draws), revision20260728("Claude", `{}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			for tool, arguments := range map[string]string{tools.PortraitToolName: one, tools.ComparisonToolName: several} {
				got := exchange(t, newTools(t, nil).Server("test"), test.initialize, toolCall(tool, arguments, test.meta))
				var result struct {
					Meta map[string]json.RawMessage `json:"_meta"`
				}
				require.NoError(t, json.Unmarshal([]byte(got), &result))
				_, has := result.Meta[report.ViewKey]
				assert.Equal(t, test.view, has, tool)
			}
			failed := exchange(t, newTools(t, nil).Server("test"), test.initialize, toolCall(tools.PortraitToolName, `{"kolId":"sample-code-601"}`, test.meta))
			assert.Contains(t, failed, `"isError":true`)
			assert.NotContains(t, failed, report.ViewKey)
		})
	}
}

// A view is beside both halves of a result, and changes neither.
func TestAViewIsAllThatDiffers(t *testing.T) {
	arguments := map[string]any{"kolId": "kol-a", "targetAudience": map[string]any{"gender": "female"}}
	built := newTools(t, nil)
	args, err := built.ParsePortraitArguments(arguments)
	require.NoError(t, err)
	portrait, err := built.Portrait(t.Context(), args)
	require.NoError(t, err)
	plain := encode(t, mcp.NewToolResultStructured(&portrait.PortraitResult, portrait.Text()))

	call := toolCall(tools.PortraitToolName, encode(t, arguments), "{}")
	assert.Equal(t, plain, exchange(t, built.Server("test"), initialize("Claude Code", `{}`), call))
	assert.Equal(t, `{"_meta":{"kol-portrait/view":`+encode(t, portrait.View(nil))+"},"+plain[1:], exchange(t, built.Server("test"), initialize("Claude", draws), call))
}

func TestThePageIsReadAsItIsListed(t *testing.T) {
	served := newTools(t, nil).Server("test")
	list := exchange(t, served, `{"jsonrpc":"2.0","id":1,"method":"resources/list"}`)
	read := exchange(t, served, `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"ui://kol-portrait/portrait.html"}}`)
	var listed struct{ Resources []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(list), &listed))
	var contents struct{ Contents []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(read), &contents))
	require.Len(t, contents.Contents, 1)
	page := contents.Contents[0]
	assert.Equal(t, ui.Page(), page["text"])
	for _, entry := range listed.Resources {
		if entry["uri"] == page["uri"] {
			assert.Equal(t, entry["mimeType"], page["mimeType"])
			assert.Equal(t, entry["_meta"], page["_meta"])
			return
		}
	}
	assert.Fail(t, "it is not listed")
}

func TestBothErasAreToldOfTheExtension(t *testing.T) {
	const extension = `"extensions":{"io.modelcontextprotocol/ui":{}}`
	served := newTools(t, nil).Server("test")
	assert.Contains(t, exchange(t, served, initialize("Claude", draws)), extension)
	assert.Contains(t, string(result(t, newTools(t, nil), "server/discover", "")), extension)
}

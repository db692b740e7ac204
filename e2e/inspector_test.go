//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inspection is one run of the official Inspector's command line, with a
// connection of its own.
type inspection struct {
	name  string
	args  []string
	exit  int      // 0, 1 where a request fails, 5 where a tool does
	fails string   // what the Inspector says then
	shows []string // what is in the result, as JSON without white space; none where there is no result
}

func callTool(tool, arguments string) []string {
	return []string{"--method", "tools/call", "--tool-name", tool, "--tool-args-json", arguments}
}

func getPrompt(args ...string) []string {
	return append([]string{"--method", "prompts/get", "--prompt-name", "assess_audience_fit", "--prompt-args"}, args...)
}

// inspections are a session.
var inspections = []inspection{
	{
		name: "handshake", args: []string{"--method", "initialize"},
		shows: []string{`"name":"kol-portrait-mcp"`, `"capabilities":{"completions":{},"prompts":{},"resources":{},"tools":{},"extensions":{"io.modelcontextprotocol/ui":{}}}`},
	},
	{
		name: "tools, whose schemas every client takes", args: []string{"--method", "tools/list", "--strict"},
		shows: []string{`"name":"compare_kol_fans_portraits"`, `"name":"get_kol_fans_portrait"`, `"outputSchema":{`},
	},
	{
		name: "portrait, paid", args: callTool("get_kol_fans_portrait", `{"kolId": "`+kol+`"}`),
		shows: []string{`"kolId":"` + kol + `"`, `"charged":true`, `"fromStore":false`, `"distributions":{`, `followers on Xiaohongshu as of 2026-03-08`},
	},
	{
		name: "portrait again, stored", args: callTool("get_kol_fans_portrait", `{"kolId": "`+kol+`"}`),
		shows: []string{`"kolId":"` + kol + `"`, `"charged":false`, `"fromStore":true`},
	},
	{
		name:  "comparison for a target audience",
		args:  callTool("compare_kol_fans_portraits", `{"kolIds": ["`+kol+`", "kol-1"], "targetAudience": {"gender": "female", "provinces": ["Guangdong"]}}`),
		shows: []string{`"rank":1`, `"rank":2`, `"fit":{`, `"charged":1`, `"fromStore":1`},
	},
	{
		name: "wrong arguments", args: callTool("get_kol_fans_portrait", `{"kolId": "`+kol+`", "targetAudience": {"provinces": ["Gaungdong"]}}`),
		exit: 5, fails: `{"code":"tool_is_error","message":"Tool 'get_kol_fans_portrait' returned isError:true."}`,
		shows: []string{`"isError":true`, `"kind":"invalid_argument"`, `\"Guangdong\"`},
	},
	{name: "resources", args: []string{"--method", "resources/list"}, shows: []string{`"uri":"kol-portrait://guide"`, `"uri":"kol-portrait://usage"`}},
	{name: "templates", args: []string{"--method", "resources/templates/list"}, shows: []string{`"uriTemplate":"kol-portrait://portraits/{kolId}"`}},
	{name: "usage", args: []string{"--method", "resources/read", "--uri", "kol-portrait://usage"}, shows: []string{`\"charged\": 2,`}},
	{
		name: "stored data", args: []string{"--method", "resources/read", "--uri", "kol-portrait://portraits/" + kol},
		shows: []string{`"mimeType":"application/json"`, `\"dateKey\": \"2026-03-08\"`},
	},
	{
		name: "data that is not stored", args: []string{"--method", "resources/read", "--uri", "kol-portrait://portraits/nobody"},
		exit: 1, fails: "is stored: call get_kol_fans_portrait first",
	},
	{name: "prompts", args: []string{"--method", "prompts/list"}, shows: []string{`"name":"assess_audience_fit"`, `"name":"shortlist_kols"`}},
	{name: "prompt", args: getPrompt("kolId="+kol, "brief=Hand cream for women"), shows: []string{kol, `\nHand cream for women\n`}},
	{name: "prompt without a brief", args: getPrompt("kolId=" + kol), exit: 1, fails: "brief is missing: say what the brand sells"},
}

func TestInspector(t *testing.T) {
	t.Parallel()
	for path, era := range map[string]string{"": "legacy", "/mcp": "modern", "/sse": "legacy"} {
		t.Run(cmp.Or(path, "stdio"), func(t *testing.T) {
			t.Parallel()
			v := startVendor(t)
			e := against(t, v, sqliteFile(t))
			var connection []string
			if path == "" {
				connection = launch(e)
			} else {
				_, addr := serveHTTP(t, e)
				connection = []string{"--server-url", "http://" + addr + path}
			}
			for _, step := range inspections {
				step.run(t, append(connection, "--protocol-era", era))
			}
			assert.Equal(t, 2, v.Charged())
		})
	}
}

// Registries and inspectors start a server without credentials to see its
// tools.
func TestInspectorWithoutToken(t *testing.T) {
	t.Parallel()
	inspections[1].run(t, launch(environment{}))
	call := inspection{
		name: "call", args: callTool("get_kol_fans_portrait", `{"kolId": "`+kol+`"}`),
		exit: 5, fails: "tool_is_error", shows: []string{`"kind":"missing_token"`, `must set JUSTONEAPI_TOKEN`},
	}
	call.run(t, launch(environment{}))
}

// launch has the Inspector start the server, with nothing to log: whatever is
// on stderr then is the Inspector's own.
func launch(e environment) []string {
	args := []string{"--transport", "stdio"}
	for _, variable := range e.with("LOG_LEVEL", "error").list() {
		args = append(args, "-e", variable)
	}
	return append(args, binary)
}

// run runs the Inspector, which must have nothing to say about the server but
// the result.
func (i inspection) run(t *testing.T, connection []string) {
	t.Helper()
	t.Run(i.name, func(t *testing.T) {
		args := append([]string{"--cli", "--format", "json"}, i.args...)
		out := runNPM(t, "mcp-inspector", append(args, connection...)...)
		assert.Equal(t, i.exit, out.exit, out.stderr)
		if i.fails == "" {
			assert.Empty(t, out.stderr)
		} else {
			assert.Contains(t, out.stderr, i.fails)
			assert.True(t, json.Valid([]byte(out.stderr)), "only the Inspector's own message: %s", out.stderr)
		}
		if i.shows == nil {
			assert.Empty(t, out.stdout)
			return
		}
		var shown bytes.Buffer
		require.NoError(t, json.Compact(&shown, []byte(out.stdout)), out.stdout)
		for _, what := range i.shows {
			assert.Contains(t, shown.String(), what)
		}
	})
}

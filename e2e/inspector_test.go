//go:build e2e

package e2e

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// inspection is one run of the official Inspector's command line.
type inspection struct {
	name string
	args []string

	// exit is how the Inspector ends: 0, 1 where a request fails, 5 where a tool
	// does. fails is what its own message says then; else it has none to give.
	exit  int
	fails string

	// check looks at the result, where there is one.
	check func(t *testing.T, got inspected)
}

// inspected is what the Inspector prints of a result.
type inspected struct {
	ServerInfo        struct{ Name, Version string }
	ProtocolVersion   string
	Capabilities      map[string]any
	Tools             []inspectedTool
	Resources         []struct{ URI string }
	ResourceTemplates []struct{ URITemplate string }
	Prompts           []struct{ Name string }
	Contents          []struct{ URI, MIMEType, Text string }
	Messages          []struct{ Content struct{ Text string } }

	// Of a tool's result.
	IsError           bool
	Content           []struct{ Type, Text string }
	StructuredContent json.RawMessage
}

type inspectedTool struct {
	Name                      string
	InputSchema, OutputSchema map[string]any
}

// structured returns the structured half of a tool's result, which has one
// block of text beside it.
func structured[T any](t *testing.T, got inspected) T {
	t.Helper()
	var value T
	require.NoError(t, json.Unmarshal(got.StructuredContent, &value), string(got.StructuredContent))
	require.Len(t, got.Content, 1)
	require.Equal(t, "text", got.Content[0].Type)
	return value
}

// inspections are a session of a few steps, each with a connection of its own.
func inspections(revision string) []inspection {
	callTool := func(tool, arguments string) []string {
		return []string{"--method", "tools/call", "--tool-name", tool, "--tool-args-json", arguments}
	}
	portraitIs := func(charged bool) func(*testing.T, inspected) {
		return func(t *testing.T, got inspected) {
			t.Helper()
			p := structured[schema.Portrait](t, got)
			assert.Equal(t, kol, p.KOLID)
			assert.Equal(t, charged, p.Source.Charged)
			assert.Equal(t, !charged, p.Source.FromStore)
			require.NotNil(t, p.Distributions)
			assert.Len(t, p.Distributions.Provinces, 36)
			assert.Contains(t, got.Content[0].Text, "KOL "+kol+": followers as of 2026-03-08")
		}
	}
	return []inspection{
		{name: "handshake", args: []string{"--method", "initialize"}, check: func(t *testing.T, got inspected) {
			t.Helper()
			assert.Equal(t, "kol-portrait-mcp", got.ServerInfo.Name)
			assert.Equal(t, revision, got.ProtocolVersion)
			assert.Equal(t, map[string]any{"tools": map[string]any{}, "resources": map[string]any{}, "prompts": map[string]any{}, "completions": map[string]any{}}, got.Capabilities)
		}},
		{name: "tools, whose schemas every client takes", args: []string{"--method", "tools/list", "--strict"}, check: listsTools},
		{name: "portrait, paid", args: callTool("get_kol_fans_portrait", `{"kolId": "`+kol+`"}`), check: portraitIs(true)},
		{name: "portrait again, stored", args: callTool("get_kol_fans_portrait", `{"kolId": "`+kol+`"}`), check: portraitIs(false)},
		{
			name: "comparison for a target audience",
			args: callTool("compare_kol_fans_portraits", `{"kolIds": ["`+kol+`", "kol-1"], "targetAudience": {"gender": "female", "provinces": ["Guangdong"]}}`),
			check: func(t *testing.T, got inspected) {
				t.Helper()
				c := structured[schema.Comparison](t, got)
				require.Len(t, c.Portraits, 2)
				for i, p := range c.Portraits {
					assert.Equal(t, i+1, p.Rank)
					assert.NotNil(t, p.Fit)
				}
				assert.Equal(t, 1, c.Source.Charged)
				assert.Equal(t, 1, c.Source.FromStore)
				assert.Contains(t, got.Content[0].Text, "2 KOLs compared")
			},
		},
		{
			name: "wrong arguments", args: callTool("get_kol_fans_portrait", `{"kolId": "`+kol+`", "targetAudience": {"provinces": ["Gaungdong"]}}`),
			exit: 5, fails: `{"code":"tool_is_error","message":"Tool 'get_kol_fans_portrait' returned isError:true."}`,
			check: func(t *testing.T, got inspected) {
				t.Helper()
				failure := structured[struct{ Error schema.Error }](t, got).Error
				assert.True(t, got.IsError)
				assert.Equal(t, schema.InvalidArgument, failure.Kind)
				assert.Contains(t, got.Content[0].Text, `"Guangdong"`)
			},
		},
		{name: "resources", args: []string{"--method", "resources/list"}, check: func(t *testing.T, got inspected) {
			t.Helper()
			assert.Equal(t, []struct{ URI string }{{"kol-portrait://guide"}, {"kol-portrait://usage"}}, got.Resources)
		}},
		{name: "templates", args: []string{"--method", "resources/templates/list"}, check: func(t *testing.T, got inspected) {
			t.Helper()
			assert.Equal(t, []struct{ URITemplate string }{{"kol-portrait://portraits/{kolId}"}}, got.ResourceTemplates)
		}},
		{name: "usage", args: []string{"--method", "resources/read", "--uri", "kol-portrait://usage"}, check: func(t *testing.T, got inspected) {
			t.Helper()
			require.Len(t, got.Contents, 1)
			assert.Contains(t, got.Contents[0].Text, `"charged": 2,`)
		}},
		{name: "stored data", args: []string{"--method", "resources/read", "--uri", "kol-portrait://portraits/" + kol}, check: func(t *testing.T, got inspected) {
			t.Helper()
			require.Len(t, got.Contents, 1)
			assert.Equal(t, "application/json", got.Contents[0].MIMEType)
			var data struct{ DateKey string }
			require.NoError(t, json.Unmarshal([]byte(got.Contents[0].Text), &data))
			assert.Equal(t, "2026-03-08", data.DateKey)
		}},
		{
			name: "data that is not stored", args: []string{"--method", "resources/read", "--uri", "kol-portrait://portraits/nobody"},
			exit: 1, fails: "no portrait of this KOL is stored: call get_kol_fans_portrait first",
		},
		{name: "prompts", args: []string{"--method", "prompts/list"}, check: func(t *testing.T, got inspected) {
			t.Helper()
			assert.Equal(t, []struct{ Name string }{{"assess_audience_fit"}, {"shortlist_kols"}}, got.Prompts)
		}},
		{
			name: "prompt", args: []string{"--method", "prompts/get", "--prompt-name", "assess_audience_fit", "--prompt-args", "kolId=" + kol, "brief=Hand cream for women"},
			check: func(t *testing.T, got inspected) {
				t.Helper()
				require.Len(t, got.Messages, 1)
				assert.Contains(t, got.Messages[0].Content.Text, kol)
				assert.Contains(t, got.Messages[0].Content.Text, "\nHand cream for women\n")
			},
		},
		{
			name: "prompt without a brief", args: []string{"--method", "prompts/get", "--prompt-name", "assess_audience_fit", "--prompt-args", "kolId=" + kol},
			exit: 1, fails: "brief is missing. Say what the brand sells",
		},
		{
			name: "logging, which the server leaves to stderr", args: []string{"--method", "logging/setLevel", "--log-level", "debug"},
			exit: 1, fails: "Server does not support logging",
		},
	}
}

func listsTools(t *testing.T, got inspected) {
	t.Helper()
	require.Len(t, got.Tools, 2)
	assert.Equal(t, "compare_kol_fans_portraits", got.Tools[0].Name)
	assert.Equal(t, "get_kol_fans_portrait", got.Tools[1].Name)
	for _, tool := range got.Tools {
		assert.NotEmpty(t, tool.InputSchema["properties"], tool.Name)
		assert.NotEmpty(t, tool.OutputSchema["properties"], tool.Name)
	}
}

func TestInspector(t *testing.T) {
	t.Parallel()
	connections := map[string]func(t *testing.T, e environment) []string{
		"stdio": func(_ *testing.T, e environment) []string { return launch(e) },
		"http":  address("/mcp"),
		"sse":   address("/sse"),
	}
	for era, revision := range map[string]string{"legacy": "2025-11-25", "modern": "2026-07-28"} {
		for transport, connect := range connections {
			t.Run(transport+" "+revision, func(t *testing.T) {
				t.Parallel()
				v := startVendor(t)
				connection := append(connect(t, against(t, v, sqliteFile(t))), "--protocol-era", era)
				for _, step := range inspections(revision) {
					step.run(t, connection)
				}
				assert.Equal(t, 1, v.Requests(kol))
				assert.Equal(t, 2, v.Charged())
			})
		}
	}
}

// Registries and inspectors start a server without credentials to see its
// tools.
func TestInspectorWithoutToken(t *testing.T) {
	connection := launch(environment{})
	for _, step := range []inspection{
		{name: "tools", args: []string{"--method", "tools/list", "--strict"}, check: listsTools},
		{
			name: "call", args: []string{"--method", "tools/call", "--tool-name", "get_kol_fans_portrait", "--tool-arg", "kolId=" + kol},
			exit: 5, fails: "tool_is_error",
			check: func(t *testing.T, got inspected) {
				t.Helper()
				assert.Equal(t, schema.MissingToken, structured[struct{ Error schema.Error }](t, got).Error.Kind)
				assert.Contains(t, got.Content[0].Text, "Set JUSTONEAPI_TOKEN")
			},
		},
	} {
		step.run(t, connection)
	}
}

// launch has the Inspector start the server, with nothing to log: whatever is
// on stderr then is the Inspector's own.
func launch(e environment) []string {
	args := []string{"--transport", "stdio"}
	for name, value := range e.with("LOG_LEVEL", "error") {
		args = append(args, "-e", name+"="+value)
	}
	return append(args, binary)
}

// address has the Inspector connect to a server that serves HTTP.
func address(path string) func(t *testing.T, e environment) []string {
	return func(t *testing.T, e environment) []string {
		t.Helper()
		_, addr := serveHTTP(t, e)
		return []string{"--server-url", "http://" + addr + path}
	}
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
		if i.check == nil {
			assert.Empty(t, out.stdout)
			return
		}
		var printed struct{ Result inspected }
		require.NoError(t, json.Unmarshal([]byte(out.stdout), &printed), out.stdout)
		i.check(t, printed.Result)
	})
}

package tools_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tiktoken-go/tokenizer"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/telemetry"
	"kol-portrait-mcp/tools"
)

var update = flag.Bool("update", false, "write the golden files anew")

const kolID, otherID = "5d21ab6b000000001201567d", "5b3f8c2ae8ac2b0a1c9d4e7f"

// today is the day on which these tests take place.
func today() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// newTools returns Tools whose vendor is collector, or the simulated one.
func newTools(t *testing.T, collector tools.Collector) *tools.Tools {
	t.Helper()
	simulated := collector == nil
	if simulated {
		collector = sampleVendor(t)
	}
	return tools.New(tools.Options{
		Collector: collector, Language: schema.English, Sample: simulated, AnyID: simulated, Now: today, Logger: slog.New(slog.DiscardHandler),
	})
}

// speaking returns Tools that are configured for a language, and have nothing
// stored.
func speaking(language schema.Language) *tools.Tools {
	return tools.New(tools.Options{Collector: shelf{}, Language: language, AnyID: true, Now: today, Logger: slog.New(slog.DiscardHandler)})
}

// connect returns a client that has shaken hands with a server of the tools.
func connect(t *testing.T, built *tools.Tools) *client.Client {
	t.Helper()
	c, err := client.NewInProcessClient(built.Server("test"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.Start(t.Context()))
	_, err = c.Initialize(t.Context(), mcp.InitializeRequest{Params: mcp.InitializeParams{
		ProtocolVersion: mcp.LATEST_PROTOCOL_VERSION, ClientInfo: mcp.Implementation{Name: "test", Version: "1"},
	}})
	require.NoError(t, err)
	return c
}

// answer is both halves of a result.
type answer struct {
	*mcp.CallToolResult
	text       string
	structured map[string]any
}

func call(t *testing.T, c *client.Client, tool string, arguments any) answer {
	t.Helper()
	result, err := c.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: tool, Arguments: arguments}})
	require.NoError(t, err)
	require.Len(t, result.Content, 1)
	a := answer{CallToolResult: result, text: result.Content[0].(mcp.TextContent).Text}
	raw, err := json.Marshal(result.StructuredContent)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &a.structured))
	return a
}

// failure is the error of a failed call.
func (a answer) failure(t *testing.T) schema.Error {
	t.Helper()
	require.True(t, a.IsError, a.text)
	raw, err := json.Marshal(a.structured["error"])
	require.NoError(t, err)
	var e schema.Error
	require.NoError(t, json.Unmarshal(raw, &e))
	return e
}

// result returns the result of a request as it goes over the wire: the client's
// own types would lose what they do not know.
func result(t *testing.T, built *tools.Tools, method, params string) json.RawMessage {
	t.Helper()
	request := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{%s"_meta":{
		"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`, method, params)
	raw, err := json.Marshal(built.Server("test").HandleMessage(t.Context(), json.RawMessage(request)))
	require.NoError(t, err)
	var response struct{ Result json.RawMessage }
	require.NoError(t, json.Unmarshal(raw, &response))
	require.NotEmpty(t, response.Result, "%s", raw)
	return response.Result
}

// listed is a tool as it is listed.
type listed struct {
	Name         string          `json:"name"`
	Description  string          `json:"description"`
	InputSchema  json.RawMessage `json:"inputSchema"`
	OutputSchema json.RawMessage `json:"-"`
}

func listTools(t *testing.T) (raw json.RawMessage, list []listed) {
	t.Helper()
	var response struct{ Tools json.RawMessage }
	require.NoError(t, json.Unmarshal(result(t, newTools(t, nil), "tools/list", ""), &response))
	var outputs []struct{ OutputSchema json.RawMessage }
	require.NoError(t, json.Unmarshal(response.Tools, &list))
	require.NoError(t, json.Unmarshal(response.Tools, &outputs))
	for i := range list {
		list[i].OutputSchema = outputs[i].OutputSchema
	}
	require.Len(t, list, 2)
	return response.Tools, list
}

func TestToolDefinitionsAreAsRecorded(t *testing.T) {
	raw, _ := listTools(t)
	golden(t, "tools.json", indented(t, raw))
}

// tokens counts as OpenAI's o200k_base does.
func tokens(t *testing.T, text string) int {
	t.Helper()
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	require.NoError(t, err)
	n, err := codec.Count(text)
	require.NoError(t, err)
	return n
}

func encode(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

// TestDefinitionTokens holds what every conversation pays for, called or not: what a
// host shows its model. A tool's _meta is for the host alone, and outputSchema hosts
// leave out.
func TestDefinitionTokens(t *testing.T) {
	_, list := listTools(t)
	together := 0
	for _, tool := range list {
		n := tokens(t, encode(t, tool))
		t.Logf("%s: %d, of which %d are its schema", tool.Name, n, tokens(t, string(tool.InputSchema)))
		together += n
	}
	assert.LessOrEqual(t, together, 1100)
}

// TestResultTokens holds the structured half to what a model's context can
// afford. The report's own tests hold the text.
func TestResultTokens(t *testing.T) {
	c := connect(t, newTools(t, nil))
	var many []string
	for i := range 20 {
		many = append(many, fmt.Sprintf("5d21ab6b0000000012015%03d", i))
	}
	target := map[string]any{"gender": "female", "ageGroups": []string{"25-34", "35-44"}, "provinces": []string{"Guangdong", "Zhejiang"}}
	for _, test := range []struct {
		name, tool string
		arguments  map[string]any
		most       int
	}{
		{"full", tools.PortraitToolName, map[string]any{"kolId": kolID}, 2150},
		{"summary", tools.PortraitToolName, map[string]any{"kolId": kolID, "detail": "summary"}, 750},
		{"twenty KOLs and a target of three dimensions", tools.ComparisonToolName, map[string]any{"kolIds": many, "targetAudience": target}, 5000},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := call(t, c, test.tool, test.arguments)
			require.False(t, a.IsError, a.text)
			n := tokens(t, encode(t, a.StructuredContent))
			t.Logf("structured %d of %d, text %d", n, test.most, tokens(t, a.text))
			assert.LessOrEqual(t, n, test.most)
		})
	}
}

func TestEveryToolHasATitleAndAllFourHints(t *testing.T) {
	list, err := connect(t, newTools(t, nil)).ListTools(t.Context(), mcp.ListToolsRequest{})
	require.NoError(t, err)
	for _, tool := range list.Tools {
		assert.NotEmpty(t, tool.Title)
		hints := tool.Annotations
		assert.Equal(t, []*bool{new(true), new(false), new(true), new(true)},
			[]*bool{hints.ReadOnlyHint, hints.DestructiveHint, hints.IdempotentHint, hints.OpenWorldHint}, tool.Name)
	}
}

// TestEveryResultFitsTheOutputSchema holds failures to it as well: some clients
// check those too, and would show a mismatch instead of the error.
func TestEveryResultFitsTheOutputSchema(t *testing.T) {
	_, list := listTools(t)
	c := connect(t, newTools(t, nil))
	for i, calls := range [][]map[string]any{
		{
			{"kolIds": "a,b"},
			{"kolIds": "a,b,sample-code-601,sample-sparse,sample-unknown-names", "targetAudience": everything()},
			{"kolIds": "sample-code-601,sample-http-502"},
			{"kolIds": "a"},
		},
		{
			{"kolId": kolID, "label": "Lily", "targetAudience": everything()},
			{"kolId": "sample-sparse", "targetAudience": everything()},
			{"kolId": "sample-unknown-names", "detail": "summary"},
			{"kolId": "sample-code-601"}, {"kolId": "sample-not-json"}, {"kolId": "no id"},
		},
	} {
		output := compiled(t, list[i].OutputSchema)
		require.Error(t, output.Validate(map[string]any{}), "neither a result nor an error")
		for _, arguments := range calls {
			a := call(t, c, list[i].Name, arguments)
			assert.NoError(t, output.Validate(a.structured), "%v", arguments)
		}
	}
}

// everything is a target audience with something in each dimension, some of which
// is not listed.
func everything() map[string]any {
	return map[string]any{
		"gender": "female", "ageGroups": []any{"25-34"}, "provinces": []any{"Guangdong"}, "cities": []any{"Hangzhou"}, "interests": []any{"Skincare"},
		"devices": []any{"Apple"}, "weights": map[string]any{"places": 2.0}, "soft": []any{"devices"},
	}
}

func TestOneCallIsOneLineOfTheLogAndOneOfTheFigures(t *testing.T) {
	stored := func(ids ...string) collectorFunc { // of these, and charges for others
		return func(_ context.Context, id string, _ bool) (*schema.Collected, error) {
			p := paid()
			p.ID, p.KOLID, p.FromStore = id, id, slices.Contains(ids, id)
			p.Charged = !p.FromStore
			return p, nil
		}
	}
	for _, test := range []struct {
		collector tools.Collector
		tool      string
		arguments map[string]any
		caller    string
		log       string
		figure    string
	}{
		{
			sampleVendor(t), tools.PortraitToolName, map[string]any{"kolId": kolID}, "",
			`msg="tool call answered" tool=get_kol_fans_portrait took=0s kolId=` + kolID + " fromStore=false charged=true\n",
			`{outcome="ok",source="vendor",tool="get_kol_fans_portrait"} 1`,
		},
		{
			stored(kolID), tools.PortraitToolName, map[string]any{"kolId": kolID}, "growth",
			`msg="tool call answered" tool=get_kol_fans_portrait took=0s caller=growth kolId=` + kolID + " fromStore=true charged=false\n",
			`{outcome="ok",source="store",tool="get_kol_fans_portrait"} 1`,
		},
		{
			sampleVendor(t), tools.ComparisonToolName, map[string]any{"kolIds": kolID + "," + otherID}, "",
			`msg="tool call answered" tool=compare_kol_fans_portraits took=0s portraits=2 failures=0 fromStore=0 charged=2` + "\n",
			`{outcome="ok",source="vendor",tool="compare_kol_fans_portraits"} 1`,
		},
		{
			stored(kolID, otherID), tools.ComparisonToolName, map[string]any{"kolIds": kolID + "," + otherID}, "",
			`portraits=2 failures=0 fromStore=2 charged=0` + "\n",
			`{outcome="ok",source="store",tool="compare_kol_fans_portraits"} 1`,
		},
		{
			stored(kolID), tools.ComparisonToolName, map[string]any{"kolIds": kolID + "," + otherID}, "",
			`portraits=2 failures=0 fromStore=1 charged=1` + "\n",
			`{outcome="ok",source="mixed",tool="compare_kol_fans_portraits"} 1`,
		},
		{
			sampleVendor(t), tools.PortraitToolName, map[string]any{"kolId": "sample-code-601"}, "growth",
			`level=WARN msg="call failed" tool=get_kol_fans_portrait took=0s caller=growth arguments="{\"kolId\":\"sample-code-601\"}" charged=false error="insufficient_balance: The vendor account's balance is too low`,
			`{outcome="insufficient_balance",source="none",tool="get_kol_fans_portrait"} 1`,
		},
	} {
		var log strings.Builder
		metrics := telemetry.NewMetrics(telemetry.Build{})
		served := tools.New(tools.Options{
			Collector: test.collector, Language: schema.English, Sample: true, AnyID: true, Now: today, Metrics: metrics, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		}).Server("1")
		message := encode(t, map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{"name": test.tool, "arguments": test.arguments}})
		served.HandleMessage(schema.WithCaller(t.Context(), test.caller), json.RawMessage(message))
		assert.Contains(t, log.String(), test.log)
		assert.Equal(t, 1, strings.Count(log.String(), "\n"))
		scraped := httptest.NewRecorder()
		metrics.Handler().ServeHTTP(scraped, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		assert.Contains(t, scraped.Body.String(), "kol_portrait_calls_total"+test.figure)
	}
}

// compiled returns a schema, ready to validate.
func compiled(t *testing.T, raw json.RawMessage) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("schema.json", document))
	schema, err := compiler.Compile("schema.json")
	require.NoError(t, err)
	return schema
}

func indented(t *testing.T, raw json.RawMessage) []byte {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(raw, &v))
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(v))
	return text.Bytes()
}

// golden compares got with a file in testdata, or writes the file where -update
// is set.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("../testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "go test ./tools -update writes the golden files anew")
}

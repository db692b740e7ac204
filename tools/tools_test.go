package tools_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
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
	"kol-portrait-mcp/tools"
)

var update = flag.Bool("update", false, "write the golden files anew")

// today is the day on which these tests take place.
func today() time.Time {
	return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
}

// newTools returns Tools whose vendor is collector, or the simulated one.
func newTools(t *testing.T, collector tools.Collector) *tools.Tools {
	t.Helper()
	simulated := collector == nil
	if simulated {
		collector = sampleVendor(t)
	}
	return tools.New(tools.Options{
		Collector: collector,
		Language:  schema.English,
		Sample:    simulated,
		Now:       today,
		Logger:    slog.New(slog.DiscardHandler),
	})
}

// connect returns a client that has shaken hands with a server of t's tools.
func connect(t *testing.T, built *tools.Tools) *client.Client {
	t.Helper()
	server := built.Server("test")
	c, err := client.NewInProcessClient(server)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.Start(t.Context()))
	shakeHands(t, c)
	return c
}

func shakeHands(t *testing.T, c *client.Client) {
	t.Helper()
	_, err := c.Initialize(t.Context(), mcp.InitializeRequest{Params: mcp.InitializeParams{
		ProtocolVersion: mcp.LATEST_PROTOCOL_VERSION,
		ClientInfo:      mcp.Implementation{Name: "test", Version: "1"},
	}})
	require.NoError(t, err)
}

// listTools returns the tools as they go over the wire: the client's own types
// would lose what they do not know.
func listTools(t *testing.T) json.RawMessage {
	t.Helper()
	server := newTools(t, nil).Server("test")
	raw, err := json.Marshal(server.HandleMessage(t.Context(), json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)))
	require.NoError(t, err)
	var response struct {
		Result struct{ Tools json.RawMessage }
	}
	require.NoError(t, json.Unmarshal(raw, &response))
	return response.Result.Tools
}

// call calls get_kol_fans_portrait and returns both halves of the result.
func call(t *testing.T, c *client.Client, arguments any) (text string, structured map[string]any, isError bool) {
	t.Helper()
	return callTool(t, c, tools.PortraitToolName, arguments)
}

func callTool(t *testing.T, c *client.Client, tool string, arguments any) (text string, structured map[string]any, isError bool) {
	t.Helper()
	result, err := c.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: tool, Arguments: arguments}})
	require.NoError(t, err)
	require.Len(t, result.Content, 1)
	block, ok := result.Content[0].(mcp.TextContent)
	require.True(t, ok)
	raw, err := json.Marshal(result.StructuredContent)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &structured))
	return block.Text, structured, result.IsError
}

func TestToolDefinitionsAreAsRecorded(t *testing.T) {
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, listTools(t), "", "  "))
	golden(t, "../testdata/tools.json", append(indented.Bytes(), '\n'))
}

func TestEveryToolHasATitleSchemasAndAllFourHints(t *testing.T) {
	c := connect(t, newTools(t, nil))
	list, err := c.ListTools(t.Context(), mcp.ListToolsRequest{})
	require.NoError(t, err)
	require.NotEmpty(t, list.Tools)
	for _, tool := range list.Tools {
		assert.NotEmpty(t, tool.Title, tool.Name)
		assert.NotEmpty(t, tool.Description, tool.Name)
		assert.NotEmpty(t, tool.OutputSchema.Properties, tool.Name)
		hints := tool.Annotations
		assert.Equal(t, []*bool{new(true), new(false), new(true), new(true)},
			[]*bool{hints.ReadOnlyHint, hints.DestructiveHint, hints.IdempotentHint, hints.OpenWorldHint}, tool.Name)
	}
}

func TestTheDocumentedKOL(t *testing.T) {
	c := connect(t, newTools(t, nil))
	text, structured, isError := call(t, c, map[string]any{"kolId": kolID})
	require.False(t, isError, text)

	t.Run("the distributions are the vendor's, value for value", func(t *testing.T) {
		raw, err := os.ReadFile("../testdata/documented-response.json")
		require.NoError(t, err)
		var documented struct{ Data map[string]any }
		require.NoError(t, json.Unmarshal(raw, &documented))
		delete(documented.Data, "dateKey")
		assert.Equal(t, documented.Data, structured["distributions"])
	})
	t.Run("the summary has the known figures", func(t *testing.T) {
		summary := structured["summary"].(map[string]any)
		assert.InDelta(t, 0.6713, summary["gender"].(map[string]any)["female"], 0)
		age := summary["age"].(map[string]any)
		assert.Equal(t, "35-44", age["coreGroup"])
		assert.InDelta(t, 0.5362, age["coreShare"], 0)
		assert.InDelta(t, 38.2, age["medianYears"], 0)
		assert.InDelta(t, 0.1398, summary["tier1CityShare"], 0)
		assert.Equal(t, map[string]any{"name": "Apple", "share": 0.434}, summary["topDevices"].([]any)[0])
	})
	t.Run("the text has them too", func(t *testing.T) {
		for _, figure := range []string{"67.1", "35-44", "53.6%", "38.2", "14.0%", "Apple 43.4"} {
			assert.Contains(t, text, figure)
		}
	})
	t.Run("sample data says so in both halves", func(t *testing.T) {
		assert.True(t, strings.HasPrefix(text, "SAMPLE DATA"))
		assert.Equal(t, 1, strings.Count(text, "SAMPLE DATA"))
		assert.Contains(t, structured["warnings"].([]any)[0], "SAMPLE DATA")
		source := structured["source"].(map[string]any)
		assert.Equal(t, true, source["sample"])
		assert.Equal(t, true, source["charged"], "as the vendor would")
	})
}

func TestTexts(t *testing.T) {
	for _, test := range []struct{ golden, kol, detail, language string }{
		{"documented.en.txt", kolID, "full", "en"},
		{"documented.zh.txt", kolID, "full", "zh"},
		{"documented.summary.en.txt", kolID, "summary", "en"},
		{"documented.summary.zh.txt", kolID, "summary", "zh"},
		{"sparse.en.txt", "sample-sparse", "full", "en"},
		{"sparse.summary.zh.txt", "sample-sparse", "summary", "zh"},
		{"unknown-names.en.txt", "sample-unknown-names", "full", "en"},
	} {
		t.Run(test.golden, func(t *testing.T) {
			c := connect(t, newTools(t, nil))
			text, _, isError := call(t, c, map[string]any{"kolId": test.kol, "detail": test.detail, "language": test.language})
			require.False(t, isError, text)
			golden(t, filepath.Join("../testdata/texts", test.golden), []byte(text+"\n"))
		})
	}
}

// TestTextsSayWhereAnAnswerComesFromAndWhatItCost has one portrait with the
// sources that the sample vendor does not have.
func TestTextsSayWhereAnAnswerComesFromAndWhatItCost(t *testing.T) {
	for name, change := range map[string]func(*schema.Collected){
		"charged": func(*schema.Collected) {},
		"stored": func(c *schema.Collected) {
			c.FromStore, c.Charged, c.RetrievedAt = true, false, today().AddDate(0, 0, -1)
		},
		"stored-sample": func(c *schema.Collected) {
			c.FromStore, c.Charged, c.Sample, c.Environment = true, false, true, schema.EnvironmentSample
		},
		"charged-sample": func(c *schema.Collected) { c.Sample = true }, // a simulated vendor at an address of its own
		"only-here":      func(c *schema.Collected) { c.OnlyHere = true },
		"shared":         func(c *schema.Collected) { c.Charged = false },
		"successor":      func(c *schema.Collected) { c.Endpoint = schema.EndpointProfile },
	} {
		for _, language := range []string{"en", "zh"} {
			t.Run(name+" "+language, func(t *testing.T) {
				collected := paid()
				change(collected)
				c := connect(t, newTools(t, collectorFunc(func(context.Context, string, bool) (*schema.Collected, error) { return collected, nil })))
				text, _, isError := call(t, c, map[string]any{"kolId": kolID, "language": language})
				require.False(t, isError, text)
				golden(t, filepath.Join("../testdata/texts", name+"."+language+".txt"), []byte(text+"\n"))
			})
		}
	}
}

// TestTokens holds both halves of an answer to what a model's context can
// afford, counted as OpenAI's o200k_base does.
func TestTokens(t *testing.T) {
	fetched := sampleVendor(t)
	stored := collectorFunc(func(ctx context.Context, kolID string, fresh bool) (*schema.Collected, error) {
		collected, err := fetched.Portrait(ctx, kolID, fresh)
		if collected != nil {
			collected.FromStore, collected.Charged = true, false
		}
		return collected, err
	})
	for _, test := range []struct {
		name, detail     string
		from             tools.Collector
		text, structured int
	}{
		{"full", "full", fetched, 900, 2000},
		{"summary", "summary", fetched, 350, 700},
		{"full, stored", "full", stored, 900, 2000},
		{"summary, stored", "summary", stored, 350, 700},
	} {
		t.Run(test.name, func(t *testing.T) {
			result, err := connect(t, newTools(t, test.from)).CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{
				Name: tools.PortraitToolName, Arguments: map[string]any{"kolId": kolID, "detail": test.detail},
			}})
			require.NoError(t, err)
			assertTokens(t, result, test.text, test.structured)
		})
	}
}

// assertTokens holds both halves of a result to their budgets, counted as
// OpenAI's o200k_base does.
func assertTokens(t *testing.T, result *mcp.CallToolResult, text, structured int) {
	t.Helper()
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	require.NoError(t, err)
	content, err := json.Marshal(result.StructuredContent)
	require.NoError(t, err)
	inText, err := codec.Count(result.Content[0].(mcp.TextContent).Text)
	require.NoError(t, err)
	inStructured, err := codec.Count(string(content))
	require.NoError(t, err)
	t.Logf("text %d of %d, structured %d of %d", inText, text, inStructured, structured)
	assert.LessOrEqual(t, inText, text)
	assert.LessOrEqual(t, inStructured, structured)
}

// TestDefinitionTokens holds what every conversation pays for, called or not.
func TestDefinitionTokens(t *testing.T) {
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	require.NoError(t, err)
	var list []struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		InputSchema json.RawMessage `json:"inputSchema"`
	}
	require.NoError(t, json.Unmarshal(listTools(t), &list))
	require.Len(t, list, 2)
	together := 0
	for _, tool := range list {
		seen, err := json.Marshal(tool)
		require.NoError(t, err)
		tokens, err := codec.Count(string(seen))
		require.NoError(t, err)
		t.Logf("%s: %d tokens", tool.Name, tokens)
		together += tokens
	}
	assert.LessOrEqual(t, together, 1100)
}

// TestEveryResultFitsTheOutputSchema holds failures to it as well: some
// clients check those too, and would show a mismatch instead of the error.
func TestEveryResultFitsTheOutputSchema(t *testing.T) {
	c := connect(t, newTools(t, nil))
	output := compiled(t, tools.PortraitToolName, "outputSchema")
	require.Error(t, output.Validate(map[string]any{}), "neither a portrait nor an error")
	for _, id := range []string{kolID, "made-up", "sample-sparse", "sample-unknown-names", "sample-code-601", "sample-not-json", "not an id"} {
		t.Run(id, func(t *testing.T) {
			_, structured, _ := call(t, c, map[string]any{"kolId": id})
			assert.NoError(t, output.Validate(structured))
		})
	}
}

// compiled returns a schema of a tool, ready to validate.
func compiled(t *testing.T, tool, which string) *jsonschema.Schema {
	t.Helper()
	var list []map[string]any
	require.NoError(t, json.Unmarshal(listTools(t), &list))
	i := slices.IndexFunc(list, func(listed map[string]any) bool { return listed["name"] == tool })
	require.GreaterOrEqual(t, i, 0, tool)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("schema.json", list[i][which]))
	schema, err := compiler.Compile("schema.json")
	require.NoError(t, err)
	return schema
}

func TestInvalidArgumentsNeverReachTheVendor(t *testing.T) {
	vendor := collectorFunc(func(context.Context, string, bool) (*schema.Collected, error) {
		t.Error("the vendor was asked")
		return nil, errors.New("asked")
	})
	c := connect(t, newTools(t, vendor))
	for name, arguments := range map[string]any{
		"missing":      nil,
		"a name":       map[string]any{"kolId": "李佳琦"},
		"not a string": map[string]any{"kolId": map[string]any{}},
		"unknown":      map[string]any{"kolId": kolID, "platform": "xhs"},
		"not a choice": map[string]any{"kolId": kolID, "detail": "some"},
	} {
		t.Run(name, func(t *testing.T) {
			text, structured, isError := call(t, c, arguments)
			require.True(t, isError)
			failure := structured["error"].(map[string]any)
			assert.Equal(t, "invalid_argument", failure["kind"])
			assert.Equal(t, false, failure["retryable"])
			assert.Equal(t, false, failure["charged"])
			assert.Contains(t, text, failure["message"])
		})
	}
}

func TestRepairedArgumentsPassTheSchema(t *testing.T) {
	var asked string
	var fresh bool
	vendor := sampleVendor(t)
	c := connect(t, newTools(t, collectorFunc(func(ctx context.Context, id string, anew bool) (*schema.Collected, error) {
		asked, fresh = id, anew
		return vendor.Portrait(ctx, id, anew)
	})))
	text, _, isError := call(t, c, map[string]any{"kol_id": " https://www.xiaohongshu.com/user/profile/" + kolID + "?a=b ", "acceptCache": "false"})
	require.False(t, isError, text)
	assert.Equal(t, kolID, asked)
	assert.True(t, fresh)
}

func TestVendorFailuresAreAnswersThatAModelCanActOn(t *testing.T) {
	for _, test := range []struct {
		err  error
		want schema.Error
		text string
	}{
		{
			&schema.Error{Kind: schema.RateLimited, Message: "Too fast.", Retryable: true, RetryAfterSeconds: 90, UpstreamCode: 302, RequestID: "r-1"},
			schema.Error{Kind: schema.RateLimited, Message: "Too fast.", Retryable: true, RetryAfterSeconds: 90, UpstreamCode: 302, RequestID: "r-1"},
			"Error rate_limited: Too fast.\nRetryable: yes, after 90 s. Charged: no. Request id: r-1",
		},
		{
			&schema.Error{Kind: schema.Timeout, Message: "No answer.", Retryable: true, Charged: true},
			schema.Error{Kind: schema.Timeout, Message: "No answer.", Retryable: true, Charged: true},
			"Error timeout: No answer.\nRetryable: yes. Charged: assume yes.",
		},
		{
			&schema.Error{Kind: schema.InvalidToken, Message: "Wrong token.", UpstreamCode: 100},
			schema.Error{Kind: schema.InvalidToken, Message: "Wrong token.", UpstreamCode: 100},
			"Error invalid_token: Wrong token.\nRetryable: no. Charged: no.",
		},
		{
			&schema.Error{Kind: schema.DailyQuotaExceeded, Message: "Enough.", Retryable: true, RetryAfterSeconds: 79231},
			schema.Error{Kind: schema.DailyQuotaExceeded, Message: "Enough.", Retryable: true, RetryAfterSeconds: 79231},
			"Error daily_quota_exceeded: Enough.\nRetryable: yes, after 22.0 h. Charged: no.",
		},
		{
			&schema.Error{Kind: schema.BadResponse, Message: "Nonsense.", Charged: true},
			schema.Error{Kind: schema.BadResponse, Message: "Nonsense.", Charged: true},
			"Error bad_response: Nonsense.\nRetryable: no. Charged: assume yes.",
		},
		{
			&schema.Error{Kind: schema.StillCollecting, Message: "Not yet.", Retryable: true, RetryAfterSeconds: 12, Charged: true},
			schema.Error{Kind: schema.StillCollecting, Message: "Not yet.", Retryable: true, RetryAfterSeconds: 12, Charged: true},
			"Error still_collecting: Not yet.\nRetryable: yes, after 12 s. Charged: at most once, for the whole collection.",
		},
		{
			&schema.Error{Kind: schema.StillCollecting, Message: "Not yet.", Retryable: true, RetryAfterSeconds: 12},
			schema.Error{Kind: schema.StillCollecting, Message: "Not yet.", Retryable: true, RetryAfterSeconds: 12},
			"Error still_collecting: Not yet.\nRetryable: yes, after 12 s. Charged: no.",
		},
		{
			&schema.Error{Kind: schema.BudgetExhausted, Message: "Enough for today.", Retryable: true, RetryAfterSeconds: 25200},
			schema.Error{Kind: schema.BudgetExhausted, Message: "Enough for today.", Retryable: true, RetryAfterSeconds: 25200},
			"Error budget_exhausted: Enough for today.\nRetryable: yes, after 7.0 h. Charged: no.",
		},
		{
			&schema.Error{Kind: schema.StoreUnavailable, Message: "No store.", Retryable: true, RetryAfterSeconds: 10},
			schema.Error{Kind: schema.StoreUnavailable, Message: "No store.", Retryable: true, RetryAfterSeconds: 10},
			"Error store_unavailable: No store.\nRetryable: yes, after 10 s. Charged: no.",
		},
		{
			&schema.Error{Kind: schema.NoPortrait, Message: "The vendor has none.", Charged: true},
			schema.Error{Kind: schema.NoPortrait, Message: "The vendor has none.", Charged: true},
			"Error no_portrait: The vendor has none.\nRetryable: no. Charged: assume yes.",
		},
		{
			errors.New("secret detail"),
			*tools.FailureOf(errors.New("another")).Error,
			"Error internal: The server failed on this call; its log has the details.",
		},
	} {
		t.Run(string(test.want.Kind), func(t *testing.T) {
			c := connect(t, newTools(t, collectorFunc(func(context.Context, string, bool) (*schema.Collected, error) { return nil, test.err })))
			text, structured, isError := call(t, c, map[string]any{"kolId": kolID})
			require.True(t, isError)
			assert.True(t, strings.HasPrefix(text, test.text), text)
			want, err := json.Marshal(tools.Failure{Error: &test.want})
			require.NoError(t, err)
			got, err := json.Marshal(structured)
			require.NoError(t, err)
			assert.JSONEq(t, string(want), string(got))
			assert.NotContains(t, string(got)+text, "secret detail")
		})
	}
}

func TestWhatTheSimulatedVendorChargesIsPlayMoney(t *testing.T) {
	c := connect(t, newTools(t, nil))
	text, structured, isError := call(t, c, map[string]any{"kolId": "sample-not-json"})
	require.True(t, isError)
	assert.Contains(t, text, "support. The vendor is simulated: any charge is play money.\nRetryable: no. Charged: assume yes.")
	assert.Contains(t, structured["error"].(map[string]any)["message"], "play money")

	text, _, isError = call(t, c, map[string]any{"kolId": "sample-code-601"})
	require.True(t, isError)
	assert.NotContains(t, text, "play money", "where nothing is charged")
}

func TestAComparisonOfSampleDataSaysSoOnceInEachHalf(t *testing.T) {
	for language, says := range map[string]string{"en": "SAMPLE DATA from a simulated vendor", "zh": "示例数据：来自模拟数据源"} {
		text, structured, isError := compare(t, nil, map[string]any{"kolIds": hexIDs(2), "language": language})
		require.False(t, isError, text)
		assert.Contains(t, structured["warnings"].([]any)[0], says)
		assert.Equal(t, 1, strings.Count(text, says))
	}
}

func TestAPanicIsAnInternalErrorAndIsLogged(t *testing.T) {
	var log strings.Builder
	panicking := tools.New(tools.Options{
		Collector: collectorFunc(func(context.Context, string, bool) (*schema.Collected, error) { panic("boom") }),
		Language:  schema.English,
		Now:       today,
		Logger:    slog.New(slog.NewTextHandler(io.Writer(&log), nil)),
	})
	text, structured, isError := call(t, connect(t, panicking), map[string]any{"kolId": kolID})
	require.True(t, isError)
	assert.Equal(t, "internal", structured["error"].(map[string]any)["kind"])
	assert.NotContains(t, text, "boom")
	assert.Contains(t, log.String(), "boom")
}

// golden compares got with the file, or writes the file where -update is set.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test ./tools -update writes the golden files")
	assert.Equal(t, string(want), string(got), "go test ./tools -update writes the golden files anew")
}

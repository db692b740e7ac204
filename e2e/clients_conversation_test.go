//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// conversation is what a client and a server have with each other.
type conversation struct {
	client  sdk
	vendor  *vendor
	outputs map[string]*jsonschema.Schema // of the tools
	heard   []string                      // answers that must be the same everywhere
}

// toolResult is a result of tools/call.
type toolResult struct {
	IsError           bool
	Content           []struct{ Type, Text string }
	StructuredContent json.RawMessage
}

// have has the conversation. Its steps build on each other, and the vendor's
// count of charged calls is held after each that could cost something.
func (c *conversation) have(t *testing.T, revision string) {
	t.Helper()
	c.lists(t)
	c.wrongRequests(t)
	c.portraits(t)
	c.resources(t)
	c.promptsAndCompletions(t)
	if revision != revision2026 {
		asked[any](t, c, "ping", nil)
	}
	c.progressWhileTheVendorIsAtWork(t)
	c.cancelledCall(t)
}

// lists asks for all that there is. From then on the client knows the tools'
// output schemas.
func (c *conversation) lists(t *testing.T) {
	t.Helper()
	c.outputs = map[string]*jsonschema.Schema{}
	for _, tool := range asked[struct {
		Tools []struct {
			Name         string
			InputSchema  struct{ Properties map[string]any }
			OutputSchema any
		}
	}](t, c, "tools/list", nil).Tools {
		assert.Contains(t, tool.InputSchema.Properties, "acceptCache")
		compiler := jsonschema.NewCompiler()
		require.NoError(t, compiler.AddResource(tool.Name, tool.OutputSchema))
		compiled, err := compiler.Compile(tool.Name)
		require.NoError(t, err)
		c.outputs[tool.Name] = compiled
	}
	assert.Len(t, c.outputs, 2)
	assert.Len(t, asked[struct{ Resources []any }](t, c, "resources/list", nil).Resources, 4)
	assert.Len(t, asked[struct{ ResourceTemplates []any }](t, c, "resources/templates/list", nil).ResourceTemplates, 1)
	assert.Len(t, asked[struct{ Prompts []any }](t, c, "prompts/list", nil).Prompts, 2)
}

// wrongRequests cost nothing. What a model could mend is a result, the rest is a
// protocol error.
func (c *conversation) wrongRequests(t *testing.T) {
	t.Helper()
	wrong := c.called(t, "get_kol_fans_portrait", map[string]any{"kolId": "李佳琦"})
	assert.True(t, wrong.IsError)
	assert.Contains(t, wrong.Content[0].Text, "Error invalid_argument: ")

	for _, request := range []struct {
		method string
		params map[string]any
		says   string
		codes  []int
	}{
		{"tools/call", map[string]any{"name": "get_kol_friends", "arguments": map[string]any{}}, "get_kol_friends", []int{-32602}},
		{"resources/read", map[string]any{"uri": "kol-portrait://nothing"}, "kol-portrait://nothing", []int{-32602, -32002}},                       // by revision
		{"resources/read", map[string]any{"uri": "kol-portrait://portraits/" + kol}, "is stored: call get_kol_fans_portrait first", []int{-32603}}, // all that mcp-go makes of a handler's error,
		{"prompts/get", map[string]any{"name": "assess_audience_fit", "arguments": map[string]any{"kolId": kol}}, "brief is missing: say what the brand sells", []int{-32603}},
	} {
		_, err := c.client.ask(t.Context(), request.method, request.params, nil)
		var refusal *protocolError
		require.ErrorAs(t, err, &refusal, "%v", request)
		assert.Contains(t, request.codes, refusal.Code, refusal.Message)
		assert.Contains(t, refusal.Message, request.says)
	}
	assert.Empty(t, c.vendor.arrived)
}

func (c *conversation) portraits(t *testing.T) {
	t.Helper()
	first, portrait := c.portrait(t, map[string]any{"kolId": kol})
	assert.Contains(t, first, "67.1% women; core age group 35-44 (53.6%), median age 38.2; top province Guangdong (11.9%).")
	assert.Len(t, portrait.Distributions.Provinces, 36)
	assert.True(t, portrait.Source.Charged)
	assert.Equal(t, 1, c.vendor.Charged())

	again, portrait := c.portrait(t, map[string]any{"kolId": kol, "targetAudience": map[string]any{"gender": "female", "ageGroups": []any{"25-34", "35-44"}}})
	assert.Contains(t, again, "From this server's store: no charge.")
	assert.Positive(t, *portrait.Fit.Score)
	assert.False(t, portrait.Source.Charged)

	chinese, portrait := c.portrait(t, map[string]any{"kolId": kol, "language": "zh", "detail": "summary"})
	assert.Contains(t, chinese, "达人 "+kol+"：小红书粉丝画像")
	assert.Nil(t, portrait.Distributions)

	compared := c.called(t, "compare_kol_fans_portraits", map[string]any{
		"kolIds": []any{"kol-b", kol}, "targetAudience": map[string]any{"ageGroups": []any{"35-44"}, "provinces": []any{"华东"}},
	})
	require.False(t, compared.IsError, compared.Content)
	var comparison schema.Comparison
	require.NoError(t, json.Unmarshal(compared.StructuredContent, &comparison))
	require.Len(t, comparison.Portraits, 2)
	best, next := comparison.Portraits[0], comparison.Portraits[1]
	assert.ElementsMatch(t, []string{kol, "kol-b"}, []string{best.KOLID, next.KOLID})
	assert.Greater(t, *best.Fit.Score, *next.Fit.Score)
	assert.Equal(t, 1, comparison.Source.FromStore)
	assert.Equal(t, 2, c.vendor.Charged())
}

// portrait calls for a portrait that must come, and returns both halves.
func (c *conversation) portrait(t *testing.T, arguments map[string]any) (text string, portrait schema.PortraitResult) {
	t.Helper()
	result := c.called(t, "get_kol_fans_portrait", arguments)
	require.False(t, result.IsError, result.Content)
	require.NoError(t, json.Unmarshal(result.StructuredContent, &portrait))
	assert.Equal(t, arguments["kolId"], portrait.KOLID)
	return result.Content[0].Text, portrait
}

func (c *conversation) resources(t *testing.T) {
	t.Helper()
	assert.Contains(t, c.read(t, "kol-portrait://guide"), "TGI")
	assert.Contains(t, c.read(t, "kol-portrait://usage"), `"charged": 2,`)
	documented, err := os.ReadFile("../testdata/documented-response.json")
	require.NoError(t, err)
	var sent struct{ Data json.RawMessage }
	require.NoError(t, json.Unmarshal(documented, &sent))
	assert.Equal(t, string(sent.Data), c.read(t, "kol-portrait://portraits/"+kol), "byte for byte")
}

// read reads a resource that has one content, which is text.
func (c *conversation) read(t *testing.T, uri string) string {
	t.Helper()
	contents := asked[struct{ Contents []struct{ URI, Text string } }](t, c, "resources/read", map[string]any{"uri": uri}).Contents
	require.Len(t, contents, 1)
	assert.Equal(t, uri, contents[0].URI)
	c.heard = append(c.heard, contents[0].Text)
	return contents[0].Text
}

func (c *conversation) promptsAndCompletions(t *testing.T) {
	t.Helper()
	brief := "Running shoes for women of 25 to 44 在广东"
	messages := asked[struct {
		Messages []struct{ Content struct{ Text string } }
	}](t, c, "prompts/get", map[string]any{"name": "assess_audience_fit", "arguments": map[string]any{"kolId": kol, "brief": brief}}).Messages
	require.Len(t, messages, 1)
	assert.Contains(t, messages[0].Content.Text, kol)
	assert.Contains(t, messages[0].Content.Text, brief)
	c.heard = append(c.heard, messages[0].Content.Text)

	complete := func(ref map[string]any, argument, typed string) []string {
		return asked[struct{ Completion struct{ Values []string } }](t, c, "completion/complete", map[string]any{
			"ref": ref, "argument": map[string]any{"name": argument, "value": typed},
		}).Completion.Values
	}
	assert.Equal(t, []string{kol}, complete(map[string]any{"type": "ref/resource", "uri": "kol-portrait://portraits/{kolId}"}, "kolId", "5d2"))
}

// progressWhileTheVendorIsAtWork has one of two portraits held back until the
// client has heard of the other.
func (c *conversation) progressWhileTheVendorIsAtWork(t *testing.T) {
	t.Helper()
	c.vendor.holdBackOnly("kol-late")
	var heard []progress
	raw, err := c.client.ask(t.Context(), "tools/call", map[string]any{
		"name": "compare_kol_fans_portraits", "arguments": map[string]any{"kolIds": []any{"kol-late", kol}},
	}, func(p progress) {
		heard = append(heard, p)
		c.vendor.release()
	})
	require.NoError(t, err)
	var result toolResult
	require.NoError(t, json.Unmarshal(raw, &result))
	assert.False(t, result.IsError)
	assert.Equal(t, []progress{{1, 2, "Collecting portraits: 1 of 2 done"}}, heard)
	assert.Equal(t, 3, c.vendor.Charged())
}

// cancelledCall is cancelled while the vendor is at work. The collection goes on,
// and its answer is the next caller's.
func (c *conversation) cancelledCall(t *testing.T) {
	t.Helper()
	c.vendor.holdBack()
	arguments := map[string]any{"kolId": "kol-cancelled"}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		_, err := c.client.ask(ctx, "tools/call", map[string]any{"name": "get_kol_fans_portrait", "arguments": arguments}, nil)
		failed <- err
	}()
	for id := range c.vendor.arrived {
		if id == arguments["kolId"] {
			break
		}
	}
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	c.vendor.release()

	_, portrait := c.portrait(t, arguments)
	c.heard = c.heard[:len(c.heard)-1] // from the store, or not yet
	assert.False(t, portrait.Source.Charged)
	assert.Equal(t, 4, c.vendor.Charged())
}

// called calls a tool that the client has listed, and holds the structured half
// of the result against the output schema: a failure too, which clients let pass.
func (c *conversation) called(t *testing.T, tool string, arguments map[string]any) toolResult {
	t.Helper()
	result := asked[toolResult](t, c, "tools/call", map[string]any{"name": tool, "arguments": arguments})
	require.Len(t, result.Content, 1)
	assert.Equal(t, "text", result.Content[0].Type)
	structured, err := jsonschema.UnmarshalJSON(bytes.NewReader(result.StructuredContent))
	require.NoError(t, err)
	require.NoError(t, c.outputs[tool].Validate(structured))
	sorted, err := json.Marshal(structured)
	require.NoError(t, err)
	c.heard = append(c.heard, passing.ReplaceAllString(result.Content[0].Text+"\n"+string(sorted), ""))
	return result
}

// asked sends a request that must succeed.
func asked[Result any](t *testing.T, c *conversation, method string, params map[string]any) (result Result) {
	t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	raw, err := c.client.ask(t.Context(), method, params, nil)
	require.NoError(t, err, "%s %v", method, params)
	assert.NotContains(t, string(raw), token)
	if len(raw) > 0 {
		require.NoError(t, json.Unmarshal(raw, &result))
	}
	return result
}

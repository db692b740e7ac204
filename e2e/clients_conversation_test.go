//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// transcript is what a client was answered, by the steps of a conversation; what
// differs from one server or moment to the next is left out.
type transcript map[string]string

// conversation is what a client and a server have with each other.
type conversation struct {
	cell
	client sdk
	vendor *vendor
	stderr *log // the server's
	heard  transcript

	outputs map[string]*jsonschema.Schema // of the tools
}

// toolResult is a result of tools/call.
type toolResult struct {
	IsError           bool
	Content           []struct{ Type, Text string }
	StructuredContent json.RawMessage
}

const unknownParams = -32602 // JSON-RPC's Invalid params

// have has the conversation. Its steps build on each other, and the vendor's
// count of charged calls is held after each that could cost something.
func (c *conversation) have(t *testing.T, h hello) {
	t.Helper()
	c.greeting(t, h)
	if c.instead != "" {
		return // that revision has a cell of its own
	}
	c.lists(t)
	c.wrongRequests(t)
	c.portraits(t)
	c.resources(t)
	c.promptsAndCompletions(t)
	c.ping(t)
	c.progressWhileTheVendorIsAtWork(t)
	c.cancelledCall(t)
}

func (c *conversation) greeting(t *testing.T, h hello) {
	t.Helper()
	assert.Equal(t, c.speaks(), h.ProtocolVersion, c.why)
	assert.Equal(t, "kol-portrait-mcp", h.ServerInfo.Name)
	assert.Equal(t, "KOL fans portrait", h.ServerInfo.Title)
	assert.NotEmpty(t, h.ServerInfo.Version)
	assert.JSONEq(t, `{"tools": {}, "resources": {}, "prompts": {}, "completions": {}}`, string(h.Capabilities))
	assert.Contains(t, h.Instructions, "get_kol_fans_portrait is for one KOL")
	c.heard["instructions"] = h.Instructions
}

// lists asks for all that there is, which is as the snapshots of the tree have
// it. From then on the client knows the tools' output schemas.
func (c *conversation) lists(t *testing.T) {
	t.Helper()
	c.outputs = map[string]*jsonschema.Schema{}
	var listed struct {
		Tools []struct {
			Name         string
			OutputSchema any
		}
	}
	tools := c.asked(t, "tools/list", map[string]any{})
	require.NoError(t, json.Unmarshal(tools, &listed))
	for _, tool := range listed.Tools {
		compiler := jsonschema.NewCompiler()
		require.NoError(t, compiler.AddResource(tool.Name, tool.OutputSchema))
		compiled, err := compiler.Compile(tool.Name)
		require.NoError(t, err)
		c.outputs[tool.Name] = compiled
	}
	resources, prompts := fields(t, snapshot(t, "resources.json")), fields(t, snapshot(t, "prompts.json"))
	c.listed(t, "tools", tools, snapshot(t, "tools.json"))
	c.listed(t, "resources", c.asked(t, "resources/list", map[string]any{}), resources["resources"])
	c.listed(t, "resourceTemplates", c.asked(t, "resources/templates/list", map[string]any{}), resources["resourceTemplates"])
	c.listed(t, "prompts", c.asked(t, "prompts/list", map[string]any{}), prompts["en"])
}

// listed holds a list against its snapshot, but for what the client loses.
func (c *conversation) listed(t *testing.T, name string, result, snapshot json.RawMessage) {
	t.Helper()
	loses := c.cell.client.loses[name]
	assert.Equal(t, without(t, loses, snapshot), without(t, loses, fields(t, result)[name]), name)
}

// wrongRequests cost nothing. What a model could mend is a result, the rest is a
// protocol error.
func (c *conversation) wrongRequests(t *testing.T) {
	t.Helper()
	wrong := c.called(t, "get_kol_fans_portrait", map[string]any{"kolId": "李佳琦"})
	assert.True(t, wrong.IsError)
	assert.Equal(t, schema.InvalidArgument, errorOf(t, wrong).Kind)
	assert.Contains(t, wrong.Content[0].Text, "Error invalid_argument: ")

	wrong = c.called(t, "compare_kol_fans_portraits", map[string]any{"kolIds": []any{kol}})
	assert.True(t, wrong.IsError)
	assert.Equal(t, schema.InvalidArgument, errorOf(t, wrong).Kind)

	c.refused(t, "tools/call", map[string]any{"name": "get_kol_friends", "arguments": map[string]any{}}, "get_kol_friends")
	c.refused(t, "resources/read", map[string]any{"uri": "kol-portrait://portraits/" + kol}, "no portrait of this KOL is stored")
	c.refused(t, "resources/read", map[string]any{"uri": "kol-portrait://nothing"}, "kol-portrait://nothing")
	c.refused(t, "prompts/get", map[string]any{"name": "assess_audience_fit", "arguments": map[string]any{"kolId": kol}}, "brief is missing")
	assert.Empty(t, c.vendor.arrived)
}

func (c *conversation) portraits(t *testing.T) {
	t.Helper()
	first, portrait := c.portrait(t, map[string]any{"kolId": kol})
	assert.Contains(t, first, "67.1% women; mostly 35-44 (53.6%), median age 38.2; largest share in Guangdong (11.9%).")
	assert.Len(t, portrait.Distributions.Provinces, 36)
	assert.True(t, portrait.Source.Charged)
	assert.Equal(t, 1, c.vendor.Charged())

	again, portrait := c.portrait(t, map[string]any{"kolId": kol, "targetAudience": map[string]any{"gender": "female", "ageGroups": []any{"25-34", "35-44"}}})
	assert.Contains(t, again, "From the store")
	assert.InDelta(t, 74.06, *portrait.Fit.Score, 0.01)
	assert.True(t, portrait.Source.FromStore)
	assert.False(t, portrait.Source.Charged)
	assert.Equal(t, 1, c.vendor.Charged())

	chinese, portrait := c.portrait(t, map[string]any{"kolId": kol, "language": "zh", "detail": "summary"})
	assert.Contains(t, chinese, "达人 "+kol+" 粉丝画像")
	assert.Nil(t, portrait.Distributions)

	compared := c.called(t, "compare_kol_fans_portraits", map[string]any{
		"kolIds": []any{"kol-b", kol}, "targetAudience": map[string]any{"ageGroups": []any{"35-44"}, "provinces": []any{"华东"}},
	})
	require.False(t, compared.IsError, compared.Content)
	assert.Contains(t, compared.Content[0].Text, "2 KOLs compared (Xiaohongshu, Just One API), best fit first")
	var comparison schema.Comparison
	require.NoError(t, json.Unmarshal(compared.StructuredContent, &comparison))
	require.Len(t, comparison.Portraits, 2)
	assert.Equal(t, kol, comparison.Portraits[0].KOLID)
	assert.Equal(t, 1, comparison.Source.FromStore)
	assert.Equal(t, 1, comparison.Source.Charged)
	assert.Equal(t, 2, c.vendor.Charged())
}

// portrait calls for a portrait that must come, and returns both halves.
func (c *conversation) portrait(t *testing.T, arguments map[string]any) (text string, portrait schema.Portrait) {
	t.Helper()
	result := c.called(t, "get_kol_fans_portrait", arguments)
	require.False(t, result.IsError, result.Content)
	require.NoError(t, json.Unmarshal(result.StructuredContent, &portrait))
	assert.Equal(t, arguments["kolId"], portrait.KOLID)
	return result.Content[0].Text, portrait
}

func (c *conversation) resources(t *testing.T) {
	t.Helper()
	guide, kind := c.read(t, "kol-portrait://guide")
	assert.Equal(t, "text/markdown", kind)
	assert.Contains(t, guide, "TGI")

	usage, kind := c.read(t, "kol-portrait://usage")
	assert.Equal(t, "application/json", kind)
	var used schema.Usage
	require.NoError(t, json.Unmarshal([]byte(usage), &used))
	assert.Equal(t, 2, used.Charged)
	assert.Equal(t, 3, used.Hits)
	assert.Equal(t, "sqlite", used.Store)

	stored, kind := c.read(t, "kol-portrait://portraits/"+kol)
	assert.Equal(t, "application/json", kind)
	assert.Equal(t, string(fields(t, snapshot(t, "documented-response.json"))["data"]), stored, "byte for byte")
}

// read reads a resource that has one content, which is text.
func (c *conversation) read(t *testing.T, uri string) (text, mimeType string) {
	t.Helper()
	var read struct {
		Contents []struct{ URI, MIMEType, Text string }
	}
	require.NoError(t, json.Unmarshal(c.asked(t, "resources/read", map[string]any{"uri": uri}), &read))
	require.Len(t, read.Contents, 1)
	assert.Equal(t, uri, read.Contents[0].URI)
	c.heard[uri] = read.Contents[0].Text
	return read.Contents[0].Text, read.Contents[0].MIMEType
}

func (c *conversation) promptsAndCompletions(t *testing.T) {
	t.Helper()
	var prompt struct {
		Messages []struct {
			Role    string
			Content struct{ Type, Text string }
		}
	}
	brief := "Running shoes for women of 25 to 44 在广东"
	require.NoError(t, json.Unmarshal(c.asked(t, "prompts/get", map[string]any{
		"name": "assess_audience_fit", "arguments": map[string]any{"kolId": kol, "brief": brief},
	}), &prompt))
	require.Len(t, prompt.Messages, 1)
	assert.Equal(t, "user", prompt.Messages[0].Role)
	assert.Contains(t, prompt.Messages[0].Content.Text, kol)
	assert.Contains(t, prompt.Messages[0].Content.Text, brief)
	c.heard["prompt"] = prompt.Messages[0].Content.Text

	assert.Equal(t, []string{kol}, c.completions(t, map[string]any{"type": "ref/resource", "uri": "kol-portrait://portraits/{kolId}"}, "kolId", "5d2"))
	assert.Equal(t, []string{"kol-b"}, c.completions(t, map[string]any{"type": "ref/prompt", "name": "assess_audience_fit"}, "kolId", "kol"))
	assert.Equal(t, []string{kol + ", kol-b"}, c.completions(t, map[string]any{"type": "ref/prompt", "name": "shortlist_kols"}, "kolIds", kol+", "))
	assert.Empty(t, c.completions(t, map[string]any{"type": "ref/prompt", "name": "assess_audience_fit"}, "brief", "S"))
}

func (c *conversation) completions(t *testing.T, ref map[string]any, argument, typed string) []string {
	t.Helper()
	var completed struct{ Completion struct{ Values []string } }
	require.NoError(t, json.Unmarshal(c.asked(t, "completion/complete", map[string]any{
		"ref": ref, "argument": map[string]any{"name": argument, "value": typed},
	}), &completed))
	return completed.Completion.Values
}

func (c *conversation) ping(t *testing.T) {
	t.Helper()
	if c.speaks() == revision2026 {
		return // it has none
	}
	c.asked(t, "ping", map[string]any{})
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
	if c.tellsOfCancelledCalls() {
		c.stderr.find(t, regexp.MustCompile(`msg="call failed".*kol-cancelled.*(still_collecting)`))
	}
	c.vendor.release()

	_, portrait := c.portrait(t, arguments)
	delete(c.heard, step("tools/call", map[string]any{"name": "get_kol_fans_portrait", "arguments": arguments})) // from the store, or not yet
	assert.False(t, portrait.Source.Charged)
	assert.Equal(t, 1, c.vendor.Requests("kol-cancelled"))
	assert.Equal(t, 4, c.vendor.Charged())
}

// called calls a tool that the client has listed. The structured half is held
// against the output schema by the client, if it does such things, and by the
// test: a failure too, which clients let pass.
func (c *conversation) called(t *testing.T, tool string, arguments map[string]any) toolResult {
	t.Helper()
	before := c.client.validations()
	params := map[string]any{"name": tool, "arguments": arguments}
	var result toolResult
	require.NoError(t, json.Unmarshal(c.asked(t, "tools/call", params), &result))
	require.Len(t, result.Content, 1)
	assert.Equal(t, "text", result.Content[0].Type)
	structured, err := jsonschema.UnmarshalJSON(bytes.NewReader(result.StructuredContent))
	require.NoError(t, err)
	require.NoError(t, c.outputs[tool].Validate(structured))
	if c.cell.client.validates && !result.IsError {
		assert.Equal(t, before+1, c.client.validations(), "the client has not held the result against the schema")
	}
	c.heard[step("tools/call", params)] = passing().ReplaceAllString(result.Content[0].Text+"\n"+without(t, nil, result.StructuredContent), "")
	return result
}

// asked sends a request that must succeed.
func (c *conversation) asked(t *testing.T, method string, params map[string]any) json.RawMessage {
	t.Helper()
	result, err := c.client.ask(t.Context(), method, params, nil)
	require.NoError(t, err, "%s %v", method, params)
	assert.NotContains(t, string(result), token)
	return result
}

// refused sends a request that is wrong beyond what a model could mend.
func (c *conversation) refused(t *testing.T, method string, params map[string]any, reason string) {
	t.Helper()
	_, err := c.client.ask(t.Context(), method, params, nil)
	var refusal *protocolError
	require.ErrorAs(t, err, &refusal, "%s %v", method, params)
	assert.Equal(t, unknownParams, refusal.Code, refusal.Message)
	assert.Contains(t, refusal.Message, reason)
}

// step is the name of a request in a transcript.
func step(method string, params map[string]any) string {
	raw, err := json.Marshal(params)
	if err != nil {
		return err.Error()
	}
	return method + " " + string(raw)
}

// errorOf is what a failed call failed of.
func errorOf(t *testing.T, result toolResult) schema.Error {
	t.Helper()
	var failure struct{ Error schema.Error }
	require.NoError(t, json.Unmarshal(result.StructuredContent, &failure))
	return failure.Error
}

// without is JSON whose keys are in order, without the fields of the given names
// at any depth.
func without(t *testing.T, names []string, raw json.RawMessage) string {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal(raw, &value))
	remove(value, names)
	indented, err := json.MarshalIndent(value, "", " ")
	require.NoError(t, err)
	return string(indented)
}

func remove(from any, names []string) {
	switch value := from.(type) {
	case []any:
		for _, item := range value {
			remove(item, names)
		}
	case map[string]any:
		for name, item := range value {
			if slices.Contains(names, name) {
				delete(value, name)
			}
			remove(item, names)
		}
	}
}

// fields are those of a JSON object.
func fields(t *testing.T, raw json.RawMessage) (object map[string]json.RawMessage) {
	t.Helper()
	require.NoError(t, json.Unmarshal(raw, &object))
	return object
}

// snapshot is a file of testdata.
func snapshot(t *testing.T, name string) json.RawMessage {
	t.Helper()
	text, err := os.ReadFile("../testdata/" + name)
	require.NoError(t, err)
	return text
}

// passing is what an answer says of moments, which are not the same in two cells:
// when the vendor answered, and how old that is.
func passing() *regexp.Regexp {
	return regexp.MustCompile(`"retrievedAt": "[^"]*"|\d{4}-\d\d-\d\d \d\d:\d\d|\d+ (days|天)`)
}

package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

func read(ctx context.Context, c *client.Client, uri string) (mcp.TextResourceContents, error) {
	result, err := c.ReadResource(ctx, mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: uri}})
	if err != nil {
		return mcp.TextResourceContents{}, err
	}
	text, ok := result.Contents[0].(mcp.TextResourceContents)
	if !ok || len(result.Contents) != 1 {
		return text, fmt.Errorf("contents are %v", result.Contents)
	}
	return text, nil
}

func TestResourceDefinitionsAreAsRecorded(t *testing.T) {
	recorded := map[string]json.RawMessage{}
	for _, method := range []string{"resources/list", "resources/templates/list", "server/discover"} {
		raw := result(t, newTools(t, shelf{}), method, "")
		require.NoError(t, json.Unmarshal(raw, &recorded))
	}
	kept, err := json.Marshal(map[string]json.RawMessage{
		"capabilities": recorded["capabilities"], "resources": recorded["resources"], "resourceTemplates": recorded["resourceTemplates"], "instructions": recorded["instructions"],
	})
	require.NoError(t, err)
	golden(t, "resources.json", indented(t, kept))
	assert.LessOrEqual(t, tokens(t, string(recorded["instructions"])), 270)
}

func TestAStoredPortraitIsReadByteForByteWithItsSource(t *testing.T) {
	stored := paid()
	stored.Data = json.RawMessage("\n{ \"ages\" :\t[ ],\r\n  \"a\\u2028b\": \"<b>&amp; \u2028 \U0001F476\u200d \ufeff\\/ \\ud83d\\ude00 \x7f\" , \"n\": 00 } \n")
	stored.RetrievedAt = time.Date(2026, 11, 23, 17, 0, 0, 120e6, time.FixedZone("", 8*60*60))
	for _, simulated := range []bool{false, true} {
		stored.Sample = simulated
		c := connect(t, newTools(t, shelf{portraits: map[string]*schema.Collected{kolID: stored}}))
		got, err := read(t.Context(), c, "kol-portrait://portraits/"+kolID)
		require.NoError(t, err)
		assert.Equal(t, string(stored.Data), got.Text)
		assert.Equal(t, "application/json", got.MIMEType)
		assert.Equal(t, "kol-portrait://portraits/"+kolID, got.URI)
		assert.Equal(t, map[string]any{"retrievedAt": "2026-11-23T09:00:00.12Z", "endpoint": "portrait", "sample": simulated}, got.Meta)
	}
}

// TestC10APortraitThatIsNotStored has one plain sentence, under the code that
// mcp-go has for handlers; package server makes it that of invalid parameters.
func TestC10APortraitThatIsNotStored(t *testing.T) {
	for language, want := range map[schema.Language]string{
		schema.English: `No portrait of "abc" is stored: call get_kol_fans_portrait first.`,
		schema.Chinese: `尚未存有 "abc" 的画像：请先调用 get_kol_fans_portrait。`,
	} {
		_, err := read(t.Context(), connect(t, speaking(language)), "kol-portrait://portraits/abc")
		require.ErrorContains(t, err, want)
	}
	c := connect(t, newTools(t, shelf{}))
	for _, uri := range []string{"kol-portrait://portraits/abc/x", "kol-portrait://nothing"} {
		_, err := read(t.Context(), c, uri)
		require.ErrorContains(t, err, "resource not found", uri)
	}
}

func TestUsageIsReadAsItIs(t *testing.T) {
	remaining := 3
	c := connect(t, newTools(t, shelf{usage: schema.Usage{
		Day: "2026-11-23", Charged: 7, Budget: 10, Remaining: &remaining,
		ResetsAt: time.Date(2026, 11, 24, 0, 0, 0, 0, time.FixedZone("", 8*60*60)), Store: "sqlite",
	}}))
	got, err := read(t.Context(), c, "kol-portrait://usage")
	require.NoError(t, err)
	assert.Equal(t, "application/json", got.MIMEType)
	assert.JSONEq(t, `{"day": "2026-11-23", "charged": 7, "budget": 10, "remaining": 3, "resetsAt": "2026-11-24T00:00:00+08:00", "store": "sqlite"}`, got.Text)
}

func TestAReadThatFailsSaysWhatToDo(t *testing.T) {
	for name, test := range map[string]struct {
		stored       shelf
		told, logged string
	}{
		"a store that does not answer": {shelf{err: &schema.Error{Kind: schema.StoreUnavailable, Message: "No store."}}, "store_unavailable: No store. Call again in a little while", "No store."},
		"a fault":                      {shelf{err: errors.New("secret detail")}, "internal: The server failed on this call.", "secret detail"},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			c := connect(t, tools.New(tools.Options{Collector: test.stored, Language: schema.English, Now: today, Logger: slog.New(slog.NewTextHandler(&log, nil))}))
			for what, ask := range map[string]func() error{
				"portrait":   func() error { _, err := read(t.Context(), c, "kol-portrait://portraits/abc"); return err },
				"usage":      func() error { _, err := read(t.Context(), c, "kol-portrait://usage"); return err },
				"completion": func() error { _, err := complete(t.Context(), c, tools.PortraitTemplate, "kolId", "a"); return err },
			} {
				log.Reset()
				err := ask()
				require.ErrorContains(t, err, test.told, what)
				assert.NotContains(t, err.Error(), "secret detail", what)
				assert.Contains(t, log.String(), test.logged, what)
			}
		})
	}
	var log strings.Builder
	c := connect(t, tools.New(tools.Options{Collector: shelf{panics: "boom"}, Language: schema.English, Now: today, Logger: slog.New(slog.NewTextHandler(&log, nil))}))
	_, err := read(t.Context(), c, "kol-portrait://usage")
	require.ErrorContains(t, err, "internal:")
	assert.NotContains(t, err.Error(), "boom")
	assert.Contains(t, log.String(), "boom")
}

func complete(ctx context.Context, c *client.Client, uri, variable, value string) (mcp.Completion, error) {
	result, err := c.Complete(ctx, mcp.CompleteRequest{Params: mcp.CompleteParams{
		Ref:      mcp.ResourceReference{Type: "ref/resource", URI: uri},
		Argument: mcp.CompleteArgument{Name: variable, Value: value},
	}})
	if err != nil {
		return mcp.Completion{}, err
	}
	return result.Completion, nil
}

func TestKOLIDsAreCompletedFromTheStore(t *testing.T) {
	stored := shelf{portraits: map[string]*schema.Collected{"b_1": paid(), "b-2": paid()}}
	for n := range 150 {
		stored.portraits[fmt.Sprintf("a%03d", n)] = paid()
	}
	c := connect(t, newTools(t, stored))
	for _, test := range []struct {
		name, uri, variable, value string
		values                     []string
	}{
		{"all that begin alike", tools.PortraitTemplate, "kolId", "b", []string{"b-2", "b_1"}},
		{"none", tools.PortraitTemplate, "kolId", "zz", []string{}},
		{"another variable", tools.PortraitTemplate, "day", "b", []string{}},
		{"another template", "kol-portrait://other/{kolId}", "kolId", "b", []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := complete(t.Context(), c, test.uri, test.variable, test.value)
			require.NoError(t, err)
			assert.Equal(t, test.values, got.Values)
		})
	}
	got, err := complete(t.Context(), c, tools.PortraitTemplate, "kolId", "")
	require.NoError(t, err)
	assert.Len(t, got.Values, 100, "no more than the protocol allows")
}

func TestWhatIsReadMayNotBeCachedAndListsMay(t *testing.T) {
	built := newTools(t, shelf{portraits: map[string]*schema.Collected{kolID: paid()}})
	for _, test := range []struct{ method, params, scope, ttl string }{
		{"resources/read", `"uri":"kol-portrait://usage",`, "private", "0"},
		{"resources/read", `"uri":"kol-portrait://portraits/` + kolID + `",`, "private", "0"},
		{"resources/list", "", "public", "3600000"},
		{"tools/list", "", "public", "3600000"},
	} {
		var hints struct {
			CacheScope string
			TTLMs      json.Number
		}
		require.NoError(t, json.Unmarshal(result(t, built, test.method, test.params), &hints))
		assert.Equal(t, test.scope, hints.CacheScope, test.method+test.params)
		assert.Equal(t, test.ttl, hints.TTLMs.String(), test.method+test.params)
	}
}

package tools_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

func revisions() []string {
	return []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"}
}

// everywhere runs test with a client on each transport, in each revision of
// the protocol.
func everywhere(t *testing.T, built *tools.Tools, test func(t *testing.T, c *client.Client)) {
	t.Helper()
	for name, dial := range map[string]func(*testing.T, *mcpserver.MCPServer) *client.Client{
		"stdio": overStdio,
		"/mcp":  overStreamableHTTP,
		"/sse":  overSSE,
	} {
		for _, revision := range revisions() {
			t.Run(name+" "+revision, func(t *testing.T) {
				server := built.Server("test")
				c := dial(t, server)
				require.NoError(t, c.Start(t.Context()))
				_, err := c.Initialize(t.Context(), mcp.InitializeRequest{Params: mcp.InitializeParams{
					ProtocolVersion: revision,
					ClientInfo:      mcp.Implementation{Name: "test", Version: "1"},
				}})
				require.NoError(t, err)
				test(t, c)
			})
		}
	}
}

func overStdio(t *testing.T, server *mcpserver.MCPServer) *client.Client {
	t.Helper()
	stdin, toServer := io.Pipe()
	fromServer, stdout := io.Pipe()
	served := make(chan error, 1)
	ctx := context.WithoutCancel(t.Context()) // it ends with its input
	go func() { served <- mcpserver.NewStdioServer(server).Listen(ctx, stdin, stdout) }()
	t.Cleanup(func() {
		_ = toServer.Close()
		assert.NoError(t, <-served)
		_ = stdout.Close()
	})
	return client.NewClient(transport.NewIO(fromServer, toServer, io.NopCloser(strings.NewReader(""))))
}

func overStreamableHTTP(t *testing.T, server *mcpserver.MCPServer) *client.Client {
	t.Helper()
	web := httptest.NewServer(mcpserver.NewStreamableHTTPServer(server, mcpserver.WithStateLess(true)))
	t.Cleanup(web.Close)
	c, err := client.NewStreamableHttpClient(web.URL + "/mcp")
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func overSSE(t *testing.T, server *mcpserver.MCPServer) *client.Client {
	t.Helper()
	web := httptest.NewServer(mcpserver.NewSSEServer(server))
	t.Cleanup(web.Close)
	c, err := client.NewSSEMCPClient(web.URL + "/sse")
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func read(ctx context.Context, c *client.Client, uri string) (mcp.TextResourceContents, error) {
	result, err := c.ReadResource(ctx, mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: uri}})
	if err != nil {
		return mcp.TextResourceContents{}, err
	}
	if len(result.Contents) != 1 {
		return mcp.TextResourceContents{}, fmt.Errorf("%d contents", len(result.Contents))
	}
	text, ok := result.Contents[0].(mcp.TextResourceContents)
	if !ok {
		return mcp.TextResourceContents{}, fmt.Errorf("contents are a %T", result.Contents[0])
	}
	return text, nil
}

func TestAStoredPortraitIsReadByteForByte(t *testing.T) {
	data := "\n{ \"ages\" :\t[ ],\r\n  \"a\\u2028b\": \"<b>&amp; \u2028\u2029 \u0085 \U0001F476\u200d \ufeff\\/ \\ud83d\\ude00 \x7f\",\"dateKey\":\"2026-11-20\" , \"n\": 1.0e0, \"n\": 00 } \n"
	collected := paid()
	collected.Data = json.RawMessage(data)
	built := newTools(t, shelf{portraits: map[string]*schema.Collected{kolID: collected}})
	everywhere(t, built, func(t *testing.T, c *client.Client) {
		t.Helper()
		got, err := read(t.Context(), c, "kol-portrait://portraits/"+kolID)
		require.NoError(t, err)
		assert.Equal(t, data, got.Text)
		assert.Equal(t, "application/json", got.MIMEType)
		assert.Equal(t, "kol-portrait://portraits/"+kolID, got.URI)
	})
}

func TestAStoredPortraitSaysWhereItComesFrom(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*schema.Collected)
		want   map[string]any
	}{
		{
			"bought",
			func(*schema.Collected) {},
			map[string]any{"asOf": "2026-11-20", "retrievedAt": "2026-11-23T09:00:00Z", "endpoint": "portrait"},
		},
		{
			"of the successor, told in UTC to the millisecond",
			func(c *schema.Collected) {
				c.Endpoint = schema.EndpointProfile
				c.RetrievedAt = time.Date(2026, 11, 23, 17, 0, 0, 120e6, time.FixedZone("", 8*60*60))
			},
			map[string]any{"asOf": "2026-11-20", "retrievedAt": "2026-11-23T09:00:00.12Z", "endpoint": "profile"},
		},
		{
			"of an unknown day",
			func(c *schema.Collected) { c.AsOf = "" },
			map[string]any{"retrievedAt": "2026-11-23T09:00:00Z", "endpoint": "portrait"},
		},
		{
			"simulated",
			func(c *schema.Collected) { c.Sample = true },
			map[string]any{"asOf": "2026-11-20", "retrievedAt": "2026-11-23T09:00:00Z", "endpoint": "portrait", "sample": true},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			collected := paid()
			test.change(collected)
			c := connect(t, newTools(t, shelf{portraits: map[string]*schema.Collected{kolID: collected}}))
			got, err := read(t.Context(), c, "kol-portrait://portraits/"+kolID)
			require.NoError(t, err)
			assert.Equal(t, test.want, got.Meta)
		})
	}
}

func TestAResourceThatIsNotThereIsAnInvalidParameter(t *testing.T) {
	everywhere(t, newTools(t, shelf{}), func(t *testing.T, c *client.Client) {
		t.Helper()
		for uri, advice := range map[string]string{
			"kol-portrait://portraits/abc":    "no portrait of this KOL is stored: call get_kol_fans_portrait first",
			"kol-portrait://portraits/":       "not a KOL id",
			"kol-portrait://portraits/a b":    "not a KOL id",
			"kol-portrait://portraits/%61bc":  "not a KOL id",
			"kol-portrait://portraits/abc/x":  "not a KOL id",
			"kol-portrait://portraits/李佳琦":    "not a KOL id",
			"kol-portrait://portraits/../abc": "not a KOL id",
			"kol-portrait://portraits":        "not found",
			"kol-portrait://nothing":          "not found",
		} {
			_, err := read(t.Context(), c, uri)
			require.ErrorIs(t, err, mcp.ErrInvalidParams, uri)
			assert.Contains(t, err.Error(), uri)
			assert.Contains(t, err.Error(), advice)
		}
	})
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
	assert.JSONEq(t, `{
  "day": "2026-11-23",
  "charged": 7,
  "budget": 10,
  "remaining": 3,
  "resetsAt": "2026-11-24T00:00:00+08:00",
  "store": "sqlite"
}`, got.Text)
}

func TestAStoreThatFailsIsAnInternalErrorThatSaysWhatToDo(t *testing.T) {
	unavailable := &schema.Error{Kind: schema.StoreUnavailable, Message: "The store does not answer. Call again in a while."}
	for _, test := range []struct {
		name         string
		err          error
		told, logged string
	}{
		{"unavailable", unavailable, "store_unavailable: The store does not answer. Call again in a while.", "The store does not answer."},
		{"a fault", errors.New("secret detail"), "internal: The server failed on this call; its log has the details.", "secret detail"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log strings.Builder
			c := connect(t, tools.New(tools.Options{
				Collector: shelf{err: test.err}, Language: schema.English, Now: today, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			}))
			for name, ask := range map[string]func() error{
				"portrait":   func() error { _, err := read(t.Context(), c, "kol-portrait://portraits/abc"); return err },
				"usage":      func() error { _, err := read(t.Context(), c, "kol-portrait://usage"); return err },
				"completion": func() error { _, err := complete(t.Context(), c, tools.PortraitTemplate, "kolId", "a"); return err },
			} {
				log.Reset()
				err := ask()
				require.ErrorIs(t, err, mcp.ErrInternalError, name)
				require.ErrorContains(t, err, test.told, name)
				assert.NotContains(t, err.Error(), "secret detail", name)
				assert.Contains(t, log.String(), test.logged, name)
			}
		})
	}
}

func TestAPanicOfAReadStaysInTheLog(t *testing.T) {
	var log strings.Builder
	c := connect(t, tools.New(tools.Options{
		Collector: shelf{panics: "boom"}, Language: schema.English, Now: today, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}))
	_, err := read(t.Context(), c, "kol-portrait://usage")
	require.ErrorIs(t, err, mcp.ErrInternalError)
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
	for n := range 100 {
		stored.portraits[fmt.Sprintf("c%02d", n)] = paid()
	}
	c := connect(t, newTools(t, stored))
	for _, test := range []struct {
		name, uri, variable, value string
		first                      string
		values, total              int
		more                       bool
	}{
		{"all that begin alike", tools.PortraitTemplate, "kolId", "b", "b-2", 2, 2, false},
		{"one", tools.PortraitTemplate, "kolId", "b_", "b_1", 1, 1, false},
		{"nothing typed yet", tools.PortraitTemplate, "kolId", "", "a000", 100, 0, true},
		{"more than fit", tools.PortraitTemplate, "kolId", "a", "a000", 100, 0, true},
		{"just as many as fit", tools.PortraitTemplate, "kolId", "c", "c00", 100, 100, false},
		{"none", tools.PortraitTemplate, "kolId", "zz", "", 0, 0, false},
		{"another variable", tools.PortraitTemplate, "day", "", "", 0, 0, false},
		{"another template", "kol-portrait://other/{kolId}", "kolId", "", "", 0, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := complete(t.Context(), c, test.uri, test.variable, test.value)
			require.NoError(t, err)
			require.NotNil(t, got.Values)
			assert.Len(t, got.Values, test.values)
			assert.Equal(t, test.total, got.Total)
			assert.Equal(t, test.more, got.HasMore)
			if test.values > 0 {
				assert.Equal(t, test.first, got.Values[0])
			}
		})
	}
}

func TestWhatNoIDBeginsWithIsNotLookedFor(t *testing.T) {
	c := connect(t, newTools(t, shelf{err: errors.New("the store was asked")}))
	for _, prefix := range []string{"a%", "a b", "李", strings.Repeat("a", 65)} {
		got, err := complete(t.Context(), c, tools.PortraitTemplate, "kolId", prefix)
		require.NoError(t, err, prefix)
		assert.Empty(t, got.Values, prefix)
	}
}

// ask sends a request in the 2026-07-28 revision, which has the cache hints,
// and returns its result as it goes over the wire.
func ask(t *testing.T, method, params string) json.RawMessage {
	t.Helper()
	server := newTools(t, shelf{portraits: map[string]*schema.Collected{kolID: paid()}}).Server("test")
	request := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{%s"_meta":{
		"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`, method, params)
	raw, err := json.Marshal(server.HandleMessage(t.Context(), json.RawMessage(request)))
	require.NoError(t, err)
	var response struct{ Result json.RawMessage }
	require.NoError(t, json.Unmarshal(raw, &response))
	require.NotEmpty(t, response.Result, "%s", raw)
	return response.Result
}

func TestWhatIsReadMayNotBeCachedAndListsMay(t *testing.T) {
	for _, test := range []struct{ method, params, scope, ttl string }{
		{"resources/read", `"uri":"kol-portrait://usage",`, "private", "0"},
		{"resources/read", `"uri":"kol-portrait://portraits/` + kolID + `",`, "private", "0"},
		{"resources/list", "", "public", "3600000"},
		{"resources/templates/list", "", "public", "3600000"},
		{"tools/list", "", "public", "3600000"},
	} {
		t.Run(test.method+test.params, func(t *testing.T) {
			var hints struct {
				CacheScope string
				TTLMs      json.Number
			}
			require.NoError(t, json.Unmarshal(ask(t, test.method, test.params), &hints))
			assert.Equal(t, test.scope, hints.CacheScope)
			assert.Equal(t, test.ttl, hints.TTLMs.String())
		})
	}
}

func TestResourceDefinitionsAreAsRecorded(t *testing.T) {
	var recorded struct {
		Capabilities      json.RawMessage `json:"capabilities"`
		Resources         json.RawMessage `json:"resources"`
		ResourceTemplates json.RawMessage `json:"resourceTemplates"`
	}
	for method := range map[string]bool{"server/discover": true, "resources/list": true, "resources/templates/list": true} {
		require.NoError(t, json.Unmarshal(ask(t, method, ""), &recorded))
	}
	var indented bytes.Buffer
	encoder := json.NewEncoder(&indented)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(recorded))
	golden(t, "../testdata/resources.json", indented.Bytes())
}

//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	gosdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goClient is the client of an SDK in Go.
type goClient struct {
	requests map[string]request
	refusal  func(error) *protocolError // nil where the error is none of JSON-RPC
	end      func() error
	server   *exec.Cmd // on stdio
	log      *log      // the SDK's own
	hear     atomic.Pointer[func(progress)]
}

// request is a method of an SDK, which takes and returns types of its own.
type request func(ctx context.Context, params []byte) (json.RawMessage, error)

func typed[Params, Result any](do func(context.Context, Params) (Result, error)) request {
	return func(ctx context.Context, raw []byte) (json.RawMessage, error) {
		var params Params
		if err := json.Unmarshal(raw, &params); err != nil {
			return nil, err
		}
		result, err := do(ctx, params)
		if err != nil {
			return nil, err
		}
		return json.Marshal(result)
	}
}

func (c *goClient) ask(ctx context.Context, method string, params map[string]any, hear func(progress)) (json.RawMessage, error) {
	if hear != nil {
		c.hear.Store(&hear)
		params = maps.Clone(params)
		params["_meta"] = map[string]any{"progressToken": "the only one"}
	}
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	result, err := c.requests[method](ctx, raw)
	if refusal := c.refusal(err); refusal != nil {
		return nil, refusal
	}
	return result, err
}

func (c *goClient) close(t *testing.T) {
	t.Helper()
	require.NoError(t, c.end())
	if c.server != nil {
		assert.Zero(t, c.server.ProcessState.ExitCode())
	}
}

func (c *goClient) complaints() []string { return c.log.lines() }

func (c *goClient) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// connectGoSDK connects the client of the official Go SDK.
func connectGoSDK(t *testing.T, to endpoint) (sdk, hello, error) {
	t.Helper()
	c := &goClient{log: newLog(), refusal: func(err error) *protocolError {
		if wire, is := errors.AsType[*jsonrpc.Error](err); is {
			return &protocolError{Code: int(wire.Code), Message: wire.Message}
		}
		return nil
	}}
	var over gosdk.Transport
	switch to.transport {
	case "sse":
		over = &gosdk.SSEClientTransport{Endpoint: to.url}
	case "http":
		over = &gosdk.StreamableClientTransport{Endpoint: to.url}
	default:
		c.server = exec.CommandContext(context.WithoutCancel(t.Context()), binary)
		c.server.Env, c.server.Stderr = to.env.list(), to.stderr
		over = &gosdk.CommandTransport{Command: c.server}
	}
	client := gosdk.NewClient(&gosdk.Implementation{Name: "e2e", Version: "1"}, &gosdk.ClientOptions{
		Logger: c.logger(),
		ProgressNotificationHandler: func(_ context.Context, n *gosdk.ProgressNotificationClientRequest) {
			(*c.hear.Load())(progress{n.Params.Progress, n.Params.Total, n.Params.Message})
		},
	})
	s, err := client.Connect(context.WithoutCancel(t.Context()), over, &gosdk.ClientSessionOptions{ProtocolVersion: to.revision})
	if err != nil {
		return nil, hello{}, err
	}
	c.end = s.Close
	c.requests = map[string]request{
		"tools/list":               typed(s.ListTools),
		"tools/call":               typed(s.CallTool),
		"resources/list":           typed(s.ListResources),
		"resources/templates/list": typed(s.ListResourceTemplates),
		"resources/read":           typed(s.ReadResource),
		"prompts/list":             typed(s.ListPrompts),
		"prompts/get":              typed(s.GetPrompt),
		"completion/complete":      typed(s.Complete),
		"ping":                     func(ctx context.Context, _ []byte) (json.RawMessage, error) { return nil, s.Ping(ctx, nil) },
	}
	h, err := helloOf(s.InitializeResult())
	return c, h, err
}

// connectMCPGo connects the client of mcp-go.
func connectMCPGo(t *testing.T, to endpoint) (sdk, hello, error) {
	t.Helper()
	c := &goClient{log: newLog(), refusal: func(err error) *protocolError {
		for code, is := range map[int]error{-32602: mcpgo.ErrInvalidParams, -32603: mcpgo.ErrInternalError, -32002: mcpgo.ErrResourceNotFound} {
			if errors.Is(err, is) {
				return &protocolError{Code: code, Message: err.Error()}
			}
		}
		return nil
	}}
	var over transport.Interface
	var err error
	switch to.transport {
	case "sse":
		over, err = transport.NewSSE(to.url, transport.WithSSELogger(c.logger()))
	case "http":
		over, err = transport.NewStreamableHTTP(to.url, transport.WithHTTPLogger(c.logger()))
	default:
		over = transport.NewStdioWithOptions(binary, to.env.list(), nil, transport.WithCommandLogger(c.logger()),
			transport.WithCommandFunc(func(ctx context.Context, command string, env, args []string) (*exec.Cmd, error) {
				c.server = exec.CommandContext(ctx, command, args...)
				c.server.Env, c.server.Stderr = env, to.stderr
				return c.server, nil
			}))
	}
	require.NoError(t, err)
	s := client.NewClient(over)
	s.OnNotification(func(n mcpgo.JSONRPCNotification) {
		var p progress
		if raw, err := json.Marshal(n.Params); err == nil && json.Unmarshal(raw, &p) == nil {
			(*c.hear.Load())(p)
		}
	})
	ctx := context.WithoutCancel(t.Context())
	if err := s.Start(ctx); err != nil {
		return nil, hello{}, err
	}
	c.end = s.Close
	c.requests = map[string]request{
		"tools/list":               withParams(s.ListTools),
		"tools/call":               withParams(s.CallTool),
		"resources/list":           withParams(s.ListResources),
		"resources/templates/list": withParams(s.ListResourceTemplates),
		"resources/read":           withParams(s.ReadResource),
		"prompts/list":             withParams(s.ListPrompts),
		"prompts/get":              withParams(s.GetPrompt),
		"completion/complete":      withParams(s.Complete),
		"ping":                     func(ctx context.Context, _ []byte) (json.RawMessage, error) { return nil, s.Ping(ctx) }, //nolint:staticcheck // older revisions have it
	}
	result, err := s.Initialize(ctx, mcpgo.InitializeRequest{Params: mcpgo.InitializeParams{
		ProtocolVersion: to.revision, ClientInfo: mcpgo.Implementation{Name: "e2e", Version: "1"},
	}})
	if err != nil {
		return nil, hello{}, errors.Join(err, s.Close())
	}
	h, err := helloOf(result)
	return c, h, err
}

// withParams is typed for a type that has the params in a field.
func withParams[Params, Result any](do func(context.Context, Params) (Result, error)) request {
	return func(ctx context.Context, raw []byte) (json.RawMessage, error) {
		wrapped, err := json.Marshal(map[string]json.RawMessage{"params": raw})
		if err != nil {
			return nil, err
		}
		return typed(do)(ctx, wrapped)
	}
}

func helloOf(result any) (h hello, err error) {
	raw, err := json.Marshal(result)
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal(raw, &h)
}

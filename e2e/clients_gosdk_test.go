//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goSDK is the client of the official Go SDK.
type goSDK struct {
	*mcp.ClientSession

	command *exec.Cmd // the server, on stdio
	hearers hearers
	log     *log // the SDK's own
}

func connectGoSDK(t *testing.T, to endpoint) (sdk, hello, error) {
	t.Helper()
	s := &goSDK{log: newLog()}
	client := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, &mcp.ClientOptions{
		Logger: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelWarn})),
		ProgressNotificationHandler: func(_ context.Context, n *mcp.ProgressNotificationClientRequest) {
			s.hearers.tell(n.Params.ProgressToken, progress{n.Params.Progress, n.Params.Total, n.Params.Message})
		},
	})
	session, err := client.Connect(context.WithoutCancel(t.Context()), s.transport(t, to), &mcp.ClientSessionOptions{ProtocolVersion: to.revision})
	if err != nil {
		return nil, hello{}, err
	}
	s.ClientSession = session
	raw, err := json.Marshal(session.InitializeResult())
	require.NoError(t, err)
	var h hello
	return s, h, json.Unmarshal(raw, &h)
}

func (s *goSDK) transport(t *testing.T, to endpoint) mcp.Transport {
	t.Helper()
	switch to.transport {
	case "sse":
		return &mcp.SSEClientTransport{Endpoint: to.url}
	case "http":
		return &mcp.StreamableClientTransport{Endpoint: to.url}
	}
	s.command = exec.CommandContext(context.WithoutCancel(t.Context()), binary)
	s.command.Env, s.command.Stderr = to.env.list(), to.stderr
	return &mcp.CommandTransport{Command: s.command}
}

func (s *goSDK) ask(ctx context.Context, method string, params map[string]any, hear func(progress)) (json.RawMessage, error) {
	raw, err := json.Marshal(s.hearers.add(params, hear))
	if err != nil {
		return nil, err
	}
	result, err := s.request(ctx, method, raw)
	if wire, is := errors.AsType[*jsonrpc.Error](err); is {
		return nil, &protocolError{Code: int(wire.Code), Message: wire.Message}
	}
	return result, err
}

func (s *goSDK) request(ctx context.Context, method string, params []byte) (json.RawMessage, error) {
	switch method {
	case "tools/list":
		return typed(ctx, s.ListTools, params)
	case "tools/call":
		return typed(ctx, s.CallTool, params)
	case "resources/list":
		return typed(ctx, s.ListResources, params)
	case "resources/templates/list":
		return typed(ctx, s.ListResourceTemplates, params)
	case "resources/read":
		return typed(ctx, s.ReadResource, params)
	case "prompts/list":
		return typed(ctx, s.ListPrompts, params)
	case "prompts/get":
		return typed(ctx, s.GetPrompt, params)
	case "completion/complete":
		return typed(ctx, s.Complete, params)
	case "ping":
		return nil, s.Ping(ctx, nil)
	}
	return nil, fmt.Errorf("no request %s in this SDK", method)
}

// validations is none: this SDK leaves that to its user.
func (s *goSDK) validations() int { return 0 }

func (s *goSDK) close(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Close())
	if s.command != nil {
		assert.Zero(t, s.command.ProcessState.ExitCode())
	}
}

func (s *goSDK) complaints() []string { return s.log.lines() }

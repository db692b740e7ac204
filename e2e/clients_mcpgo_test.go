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

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mcpGo is the client of mcp-go.
type mcpGo struct {
	*client.Client

	command *exec.Cmd // the server, on stdio
	hearers hearers
	log     *log // the SDK's own
}

func connectMCPGo(t *testing.T, to endpoint) (sdk, hello, error) {
	t.Helper()
	s := &mcpGo{log: newLog()}
	s.Client = client.NewClient(s.transport(t, to))
	s.OnNotification(s.notified)
	ctx := context.WithoutCancel(t.Context())
	if err := s.Start(ctx); err != nil {
		return nil, hello{}, err
	}
	result, err := s.Initialize(ctx, mcp.InitializeRequest{Params: mcp.InitializeParams{
		ProtocolVersion: to.revision, ClientInfo: mcp.Implementation{Name: "e2e", Version: "1"},
	}})
	if err != nil {
		return nil, hello{}, errors.Join(err, s.Close())
	}
	raw, err := json.Marshal(result)
	require.NoError(t, err)
	var h hello
	return s, h, json.Unmarshal(raw, &h)
}

func (s *mcpGo) transport(t *testing.T, to endpoint) transport.Interface {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var made transport.Interface
	var err error
	switch to.transport {
	case "sse":
		made, err = transport.NewSSE(to.url, transport.WithSSELogger(logger))
	case "http":
		made, err = transport.NewStreamableHTTP(to.url, transport.WithHTTPLogger(logger))
	default:
		made = transport.NewStdioWithOptions(binary, to.env.list(), nil, transport.WithCommandLogger(logger),
			transport.WithCommandFunc(func(ctx context.Context, command string, env, args []string) (*exec.Cmd, error) {
				s.command = exec.CommandContext(ctx, command, args...)
				s.command.Env, s.command.Stderr = env, to.stderr
				return s.command, nil
			}))
	}
	require.NoError(t, err)
	return made
}

func (s *mcpGo) notified(n mcp.JSONRPCNotification) {
	raw, err := json.Marshal(n.Params)
	var told struct {
		progress

		ProgressToken any
	}
	if err != nil || json.Unmarshal(raw, &told) != nil {
		return
	}
	s.hearers.tell(told.ProgressToken, told.progress)
}

func (s *mcpGo) ask(ctx context.Context, method string, params map[string]any, hear func(progress)) (json.RawMessage, error) {
	raw, err := json.Marshal(map[string]any{"params": s.hearers.add(params, hear)})
	if err != nil {
		return nil, err
	}
	result, err := s.request(ctx, method, raw)
	for code, known := range map[int]error{-32601: mcp.ErrMethodNotFound, -32602: mcp.ErrInvalidParams} {
		if errors.Is(err, known) {
			return nil, &protocolError{Code: code, Message: err.Error()}
		}
	}
	return result, err
}

func (s *mcpGo) request(ctx context.Context, method string, request []byte) (json.RawMessage, error) {
	switch method {
	case "tools/list":
		return typed(ctx, s.ListTools, request)
	case "tools/call":
		return typed(ctx, s.CallTool, request)
	case "resources/list":
		return typed(ctx, s.ListResources, request)
	case "resources/templates/list":
		return typed(ctx, s.ListResourceTemplates, request)
	case "resources/read":
		return typed(ctx, s.ReadResource, request)
	case "prompts/list":
		return typed(ctx, s.ListPrompts, request)
	case "prompts/get":
		return typed(ctx, s.GetPrompt, request)
	case "completion/complete":
		return typed(ctx, s.Complete, request)
	case "ping":
		return nil, s.Ping(ctx) //nolint:staticcheck // older revisions have it
	}
	return nil, fmt.Errorf("no request %s in this SDK", method)
}

// validations is none: this SDK leaves that to its user.
func (s *mcpGo) validations() int { return 0 }

func (s *mcpGo) close(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Close())
	if s.command != nil {
		assert.Zero(t, s.command.ProcessState.ExitCode())
	}
}

func (s *mcpGo) complaints() []string { return s.log.lines() }

package server

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

var revisions = []string{"2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}

// double is an MCP server whose tools do as the test says. As the real one, it
// announces no changes of its lists, so that there is nothing to subscribe to.
type double struct {
	*mcpserver.MCPServer
	started   chan struct{} // takes a value from each slow or stubborn call that begins
	release   chan struct{} // lets these calls end once closed
	cancelled chan struct{} // takes a value from each slow call that was cancelled
}

func newDouble(t *testing.T) *double {
	t.Helper()
	d := &double{
		MCPServer: mcpserver.NewMCPServer("double", "1", mcpserver.WithToolCapabilities(false)),
		started:   make(chan struct{}, 1000),
		release:   make(chan struct{}),
		cancelled: make(chan struct{}, 1000),
	}
	d.AddTool(mcp.NewTool("echo"), func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText(r.GetString("text", "echo")), nil
	})
	d.AddTool(mcp.NewTool("slow"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		d.started <- struct{}{}
		select {
		case <-d.release:
			return mcp.NewToolResultText("done"), nil
		case <-ctx.Done():
			d.cancelled <- struct{}{}
			return nil, ctx.Err()
		}
	})
	d.AddTool(mcp.NewTool("stubborn"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		d.started <- struct{}{}
		<-d.release
		return mcp.NewToolResultText("late"), nil
	})
	d.AddTool(mcp.NewTool("progress"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		err := d.SendNotificationToClient(ctx, "notifications/progress", map[string]any{"progressToken": "p", "progress": 1})
		<-d.release
		return mcp.NewToolResultText("done"), err
	})
	d.AddTool(mcp.NewTool("crash"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		panic("crash")
	})
	return d
}

// await waits until n slow or stubborn calls have begun.
func (d *double) await(n int) {
	for range n {
		<-d.started
	}
}

func call(id any, tool string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%v,"method":"tools/call","params":{"name":%q}}`, id, tool)
}

// request is a request as a client of the revision makes it.
func request(id any, method, revision string) string {
	if revision == "2026-07-28" {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%v,"method":%q,"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",`+
			`"io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`, id, method)
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%v,"method":%q}`, id, method)
}

func ping(id any) string { return request(id, "ping", "") }

func cancellation(id int) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications\/cancelled","params":{"requestId":%d}}`, id)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

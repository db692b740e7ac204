package server

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// modern is what a request of protocol revision 2026-07-28 carries.
const modern = `"_meta":{
	"io.modelcontextprotocol/protocolVersion":"2026-07-28",
	"io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},
	"io.modelcontextprotocol/clientCapabilities":{}}`

var legacyVersions = []string{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}

// double is an MCP server whose tools do as the test says.
type double struct {
	*mcpserver.MCPServer
	started   chan struct{} // takes a value from each slow call that begins
	release   chan struct{} // lets slow calls end once closed
	cancelled chan struct{} // takes a value from each slow call that was cancelled
}

func newDouble(t *testing.T) *double {
	t.Helper()
	d := &double{
		MCPServer: mcpserver.NewMCPServer("double", "1", mcpserver.WithToolCapabilities(true)),
		started:   make(chan struct{}, 100),
		release:   make(chan struct{}),
		cancelled: make(chan struct{}, 100),
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
		panic("the token is s3cret")
	})
	return d
}

func initialize(id int, version string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"initialize","params":{"protocolVersion":%q,"capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`, id, version)
}

func call(id any, tool string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%v,"method":"tools/call","params":{"name":%q}}`, id, tool)
}

func request(id int, method string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q}`, id, method)
}

func cancel(id int) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d,"reason":"test"}}`, id)
}

func modernRequest(id int, method string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":{%s}}`, id, method, oneLine(modern))
}

func oneLine(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if r != '\n' && r != '\t' {
			out = append(out, r)
		}
	}
	return string(out)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

package server

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// cancelWith cancels each tool call that is in flight when closing ends.
//
// Cancelling the requests would not do: mcp-go writes no answer to a POST
// whose context has ended, and takes the calls of an event stream out of their
// requests' context.
func cancelWith(closing context.Context) mcpserver.ToolHandlerMiddleware {
	return func(next mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
		return func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(closing, cancel)()
			return next(ctx, r)
		}
	}
}

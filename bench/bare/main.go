// Command bare is the least that an mcp-go server can be: one tool over stdio,
// without schemas of its own, configuration or commands. The benchmarks hold
// the product against it.
package main

import (
	"context"
	"log"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

func main() {
	s := server.NewMCPServer("bare", "1.0.0")
	s.AddTool(mcp.NewTool("echo",
		mcp.WithDescription("Answers with what it was given."),
		mcp.WithString("text", mcp.Required()),
	), echo)
	if err := server.ServeStdio(s); err != nil {
		log.Fatal(err)
	}
}

func echo(_ context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return mcp.NewToolResultText(request.GetString("text", "")), nil
}

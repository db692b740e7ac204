// Command mcpgo is the least that an mcp-go server can be: one tool that answers
// with the product's own result, from the file that it is given. It speaks stdio
// or, where MCP_ADDR is set, Streamable HTTP without sessions, as the product does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

func main() {
	content, err := os.ReadFile(os.Args[1]) //nolint:gosec // the benchmarks name the file
	var answer struct{ Result *mcp.CallToolResult }
	if err := errors.Join(err, json.Unmarshal(content, &answer)); err != nil {
		log.Fatal(err)
	}
	s := server.NewMCPServer("mcpgo", "1.0.0")
	s.AddTool(mcp.NewTool("get_kol_fans_portrait",
		mcp.WithDescription("Returns the fans portrait of a Xiaohongshu KOL."),
		mcp.WithString("kolId", mcp.Required()),
	), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return answer.Result, nil
	})
	if addr := os.Getenv("MCP_ADDR"); addr != "" {
		log.Fatal(server.NewStreamableHTTPServer(s, server.WithStateLess(true)).Start(addr))
	}
	log.Fatal(server.ServeStdio(s))
}

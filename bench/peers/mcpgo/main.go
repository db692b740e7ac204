// Command mcpgo is the least that an mcp-go server can be that sells what the
// product sells: one tool that passes the vendor's JSON through, without
// schemas of its own, configuration or commands. It speaks stdio, or Streamable
// HTTP where PEER_ADDR names a listen address. The benchmarks hold the product
// against it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"kol-portrait-mcp/bench/peers/passthrough"
)

func main() {
	vendor, err := passthrough.FromEnvironment()
	if err != nil {
		log.Fatal(err)
	}
	s := server.NewMCPServer("mcpgo", "1.0.0")
	s.AddTool(mcp.NewTool("get_kol_fans_portrait",
		mcp.WithDescription("Returns the fans portrait of a Xiaohongshu KOL."),
		mcp.WithString("kolId", mcp.Required()),
	), func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		answer, err := vendor.Portrait(ctx, request.GetString("kolId", ""))
		if err != nil {
			return mcp.NewToolResultError(err.Error()), nil
		}
		return mcp.NewToolResultText(answer), nil
	})
	if err := serve(s); err != nil {
		log.Fatal(err)
	}
}

func serve(s *server.MCPServer) error {
	if addr := os.Getenv("PEER_ADDR"); addr != "" {
		return server.NewStreamableHTTPServer(s).Start(addr)
	}
	return server.ServeStdio(s)
}

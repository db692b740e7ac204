// Command gosdk is the least that a server of the official Go SDK can be: one tool
// that answers with the vendor's JSON, from the file that it is given. It speaks
// stdio or, where MCP_ADDR is set, Streamable HTTP.
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	answer, err := os.ReadFile(os.Args[1]) //nolint:gosec // the benchmarks name the file
	if err != nil {
		log.Fatal(err)
	}
	type arguments struct {
		KOLID string `json:"kolId"`
	}
	s := mcp.NewServer(&mcp.Implementation{Name: "gosdk", Version: "1.0.0"}, nil)
	mcp.AddTool(s, &mcp.Tool{
		Name:        "get_kol_fans_portrait",
		Description: "Returns the fans portrait of a Xiaohongshu KOL.",
	}, func(context.Context, *mcp.CallToolRequest, arguments) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(answer)}}}, nil, nil
	})
	if addr := os.Getenv("MCP_ADDR"); addr != "" {
		handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s }, nil)
		log.Fatal(http.ListenAndServe(addr, handler)) //nolint:gosec // loopback, for as long as a benchmark lasts
	}
	log.Fatal(s.Run(context.Background(), &mcp.StdioTransport{}))
}

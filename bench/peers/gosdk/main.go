// Command gosdk is the least that a server of the official Go SDK can be: one
// tool that passes the vendor's JSON through. It speaks stdio, or Streamable
// HTTP where PEER_ADDR names a listen address. The benchmarks hold the product
// against it.
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"kol-portrait-mcp/bench/peers/passthrough"
)

type arguments struct {
	KOLID string `json:"kolId"`
}

func main() {
	vendor, err := passthrough.FromEnvironment()
	if err != nil {
		log.Fatal(err)
	}
	s := mcp.NewServer(&mcp.Implementation{Name: "gosdk", Version: "1.0.0"}, nil)
	mcp.AddTool(s, &mcp.Tool{
		Name:        "get_kol_fans_portrait",
		Description: "Returns the fans portrait of a Xiaohongshu KOL.",
	}, func(ctx context.Context, _ *mcp.CallToolRequest, in arguments) (*mcp.CallToolResult, any, error) {
		answer, err := vendor.Portrait(ctx, in.KOLID)
		if err != nil {
			return nil, nil, err
		}
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: answer}}}, nil, nil
	})
	if err := serve(s); err != nil {
		log.Fatal(err)
	}
}

func serve(s *mcp.Server) error {
	if addr := os.Getenv("PEER_ADDR"); addr != "" {
		handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s }, nil)
		return http.ListenAndServe(addr, handler) //nolint:gosec // loopback, for as long as a benchmark lasts
	}
	return s.Run(context.Background(), &mcp.StdioTransport{})
}

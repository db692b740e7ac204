package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	mcpserver "github.com/mark3labs/mcp-go/server"

	"kol-portrait-mcp/server"
)

func ExampleServeStdio() {
	in := strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	var out strings.Builder
	mcp := mcpserver.NewMCPServer("example", "1")
	err := server.ServeStdio(context.Background(), mcp, in, &out, 10*time.Second, slog.Default())
	fmt.Println(strings.TrimSpace(out.String()), err)
	// Output: {"jsonrpc":"2.0","id":1,"result":{}} <nil>
}

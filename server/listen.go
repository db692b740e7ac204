package server

import (
	"context"
	"net/http"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// listenWriter is where a subscriptions/listen over Streamable HTTP is
// acknowledged and answered.
type listenWriter struct {
	http.ResponseWriter
	once    sync.Once
	flushed chan struct{} // closed when something has been sent: the acknowledgement comes first
}

// listenKey is the context key of a request's listenWriter.
type listenKey struct{}

// Flush makes listenWriter an http.Flusher, which mcp-go asks for before it
// streams. It flushes each message.
func (w *listenWriter) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush()
	w.once.Do(func() { close(w.flushed) })
}

// Unwrap lets an http.ResponseController reach the connection.
func (w *listenWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// acknowledgeFirst keeps mcp-go from answering a subscriptions/listen before it
// is acknowledged. Where there is nothing to subscribe to, mcp-go does both at
// once, and drops an acknowledgement that it has not begun to write by then.
func acknowledgeFirst(server *mcpserver.MCPServer) {
	hooks := server.GetHooks()
	if hooks == nil {
		hooks = &mcpserver.Hooks{}
		mcpserver.WithHooks(hooks)(server)
	}
	hooks.AddAfterSubscriptionsListen(func(ctx context.Context, _ any, _ *mcp.SubscriptionsListenRequest, _ *mcp.SubscriptionsListenResult) {
		w, ok := ctx.Value(listenKey{}).(*listenWriter)
		if !ok {
			return
		}
		select {
		case <-w.flushed:
		case <-ctx.Done():
		}
	})
}

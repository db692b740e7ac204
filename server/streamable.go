package server

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// streamable serves POST /mcp, and keeps no state between requests.
//
// There is no GET: without session ids all listeners would share one session,
// and would be sent the progress of each other's calls. Progress comes on the
// stream of the POST it belongs to.
type streamable struct {
	inner   *mcpserver.StreamableHTTPServer
	closing context.Context // done when the server shuts down
}

func newStreamable(closing context.Context, server *mcpserver.MCPServer, log *slog.Logger) *streamable {
	acknowledgeFirst(server)
	return &streamable{
		closing: closing,
		inner: mcpserver.NewStreamableHTTPServer(server,
			mcpserver.WithStateLess(true),
			mcpserver.WithDisableLocalhostProtection(true), // hosts checks more
			mcpserver.WithStreamableHTTPLogger(log),
		),
	}
}

func (s *streamable) message(w http.ResponseWriter, r *http.Request, body []byte) {
	if refused := refuse(body); refused != nil {
		refused.write(w, statusOf(refused, r))
		return
	}
	switch methodOf(body) {
	case mcp.MethodNotificationCancelled:
		// Without sessions mcp-go would cancel whichever client's call has the
		// same id. The protocol lets a server ignore a cancellation.
		w.WriteHeader(http.StatusAccepted)
	case mcp.MethodSubscriptionsListen:
		ctx, end := context.WithCancel(r.Context())
		defer end()
		//nolint:contextcheck // a subscription would hold up the shutdown, so it ends with the server's context too
		defer context.AfterFunc(s.closing, end)()
		listener := &listenWriter{ResponseWriter: w, flushed: make(chan struct{})}
		s.inner.ServeHTTP(listener, r.WithContext(context.WithValue(ctx, listenKey{}, listener)))
	default:
		s.inner.ServeHTTP(w, r)
	}
}

// statusOf is the status of an answer that a message is not served. Parameters
// are no fault of the HTTP request's, but since the revision 2026-07-28 its
// status tells of them too.
func statusOf(refused *refusal, r *http.Request) int {
	if refused.code == mcp.INVALID_PARAMS && !mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion)) {
		return http.StatusOK
	}
	return http.StatusBadRequest
}

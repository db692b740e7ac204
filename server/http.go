// Package server puts an MCP server in front of its clients: over stdin and
// stdout ([ServeStdio]), or over HTTP ([ListenHTTP]).
//
// The protocol and its transports are mcp-go's. This package adds what a server
// needs to be left alone with strangers: bounds, Host and Origin checks, event
// streams that stay open, health, and a shutdown after which no call that was
// taken is left unanswered, if its tool heeds a cancellation.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	mcpserver "github.com/mark3labs/mcp-go/server"
)

const (
	defaultMaxCalls = 1000

	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	writeTimeout  = time.Minute // until the client has taken an answer or event
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
	maxBody       = 256 << 10 // a thousand calls at a time hold their messages in memory, some of them thrice
)

// HTTPOptions say how ListenHTTP serves.
type HTTPOptions struct {
	Addr           string                          // host:port to listen on: loopback, since no client is authenticated; port 0 takes a free one, which the log tells
	Streamable     bool                            // serves Streamable HTTP at /mcp, besides /sse with /message
	AllowedHosts   []string                        // Host headers to serve, in lower case: host (with any port) or host:port; none: names of loopback
	AllowedOrigins []string                        // origins of the web pages to serve, in lower case: scheme://host[:port]; none: pages from loopback
	Ready          func(ctx context.Context) error // says at /readyz, to anyone who asks, why the server cannot do its work; must not be nil
	MaxCalls       int                             // messages that may be served at a time; those beyond are answered with 503; 0: 1000
	Logger         *slog.Logger                    // must not be nil

	// Grace is how long calls in flight may take to be answered at shutdown. They
	// are cancelled a second before it ends, so that their tools can still say how
	// far they came.
	Grace time.Duration

	keepAlive time.Duration // between two comments on an event stream; 0: keepAlive
}

// ListenHTTP serves MCP over HTTP until ctx is done. It then takes no more
// requests, lets calls in flight finish and be answered for at most o.Grace,
// and returns nil. An error means that serving did not begin, or broke off.
//
// ListenHTTP adds middleware to mcp, whose tools are cancelled at once when it
// has returned: a server is to be served once.
func ListenHTTP(ctx context.Context, mcp *mcpserver.MCPServer, o HTTPOptions) error {
	if err := checkLoopback(o.Addr); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		return fmt.Errorf("listen for MCP over HTTP: %w", err)
	}
	o.Logger.InfoContext(ctx, "serving MCP over HTTP", "addr", listener.Addr().String())
	return serveHTTP(ctx, listener, mcp, o)
}

func serveHTTP(ctx context.Context, listener net.Listener, mcp *mcpserver.MCPServer, o HTTPOptions) error {
	ending := context.WithoutCancel(ctx)
	running, cancelCalls := context.WithCancel(ending)
	defer cancelCalls()
	mcp.Use(cancelWith(running))
	server := &http.Server{
		Handler:           newHandler(ctx, mcp, o),
		ReadHeaderTimeout: headerTimeout,
		WriteTimeout:      writeTimeout, // eventWriter extends it
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve MCP over HTTP on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}

	ending, cancel := context.WithTimeout(ending, o.Grace)
	defer cancel()
	defer time.AfterFunc(o.Grace-unwind, func() {
		o.Logger.Warn("calls in flight are cancelled: they outlast the shutdown", "grace", o.Grace)
		cancelCalls()
	}).Stop()
	if err := server.Shutdown(ending); err != nil {
		o.Logger.Warn("connections are closed: they outlasted the shutdown", "grace", o.Grace, "error", err)
		_ = server.Close() // nothing is left to be done about it
	}
	return nil
}

func newHandler(ctx context.Context, mcp *mcpserver.MCPServer, o HTTPOptions) http.Handler {
	all := newCalls(cmp.Or(o.MaxCalls, defaultMaxCalls), nil)
	every := cmp.Or(o.keepAlive, keepAlive)
	endpoints := http.NewServeMux()
	events := newSSE(ctx, mcp, all, every)
	endpoints.HandleFunc("GET /sse", events.stream)
	endpoints.HandleFunc("POST /message", events.message)
	if o.Streamable {
		handler := streamable(mcp, all, every, o.Logger)
		endpoints.Handle("POST /mcp", handler)
		endpoints.Handle("POST /mcp/{$}", handler)
	}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /healthz", health(func(context.Context) error { return nil })) // the process is up
	routes.HandleFunc("GET /readyz", health(func(request context.Context) error {
		if ctx.Err() != nil {
			return errors.New("the server is shutting down")
		}
		return o.Ready(request)
	}))
	routes.Handle("/", access{o.AllowedHosts, o.AllowedOrigins}.check(endpoints))
	return routes
}

// streamable serves POST /mcp, one message a request, and keeps no state between
// requests.
//
// There is no GET: without session ids all listeners would share one session,
// and would be sent the progress of each other's calls. Progress comes on the
// stream of the POST it belongs to.
func streamable(server *mcpserver.MCPServer, all *calls, keepAlive time.Duration, log *slog.Logger) http.HandlerFunc {
	acknowledgeFirst(server)
	inner := mcpserver.NewStreamableHTTPServer(server, mcpserver.WithStateLess(true), mcpserver.WithStreamableHTTPLogger(log))
	return func(w http.ResponseWriter, r *http.Request) {
		if !all.begin() {
			refuse(w)
			return
		}
		defer all.end()
		body, ok := readBody(w, r)
		if !ok {
			return
		}
		if isCancellation(body) {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		flushed, flush := context.WithCancel(r.Context())
		defer flush()
		answer := newEventWriter(w, keepAlive)
		answer.flushed = flush
		defer answer.close()
		inner.Handle(answer, &mcpserver.HTTPRequest{
			Method:  r.Method,
			URL:     r.URL,
			Header:  r.Header,
			Body:    keepID(body),
			Context: context.WithValue(r.Context(), flushedKey{}, flushed),
		})
	}
}

// refuse answers a message that may not be served now.
func refuse(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "Too many calls are in flight, or the server is shutting down. Try again shortly.", http.StatusServiceUnavailable)
}

// readBody reads the body of a request, which may be maxBody long and must come
// within bodyTimeout. Where it cannot, it answers the request and reports false.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case errors.As(err, &tooLarge):
		http.Error(w, fmt.Sprintf("The request body is larger than %d KiB.", maxBody>>10), http.StatusRequestEntityTooLarge)
	case err != nil: // the deadline stays, or net/http would wait for the rest
		http.Error(w, "The request body could not be read.", http.StatusBadRequest)
	default:
		_ = conn.SetReadDeadline(time.Time{}) // it would end a connection whose call is slow
	}
	return body, err == nil
}

// health says whether check finds all well, and if not, what is wrong.
func health(check func(ctx context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := check(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	}
}

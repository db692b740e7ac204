package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	mcpserver "github.com/mark3labs/mcp-go/server"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
)

// unwind is how much of the grace, at most, is kept for cancelled calls to be
// answered.
const unwind = time.Second

// HTTPOptions say how ListenHTTP serves.
type HTTPOptions struct {
	// Addr is the host:port to listen on, which must be loopback. Port 0 takes
	// a free one; the log says which.
	Addr string
	// Streamable serves Streamable HTTP at /mcp, besides /sse with /message.
	Streamable bool
	// AllowedHosts are the Host headers to serve, as host (with any port) or
	// host:port. Where there are none, loopback names are served.
	AllowedHosts []string
	// AllowedOrigins are the origins of the web pages to serve, as
	// scheme://host[:port]. Where there are none, pages from loopback are served.
	AllowedOrigins []string
	// Ready says at /readyz why the server cannot do its work; its error is
	// shown to anyone who asks. Nil means always ready.
	Ready func(ctx context.Context) error
	// Grace is how long calls in flight may take to be answered at shutdown.
	// Calls that need more are cancelled a little before it ends.
	Grace time.Duration
	// Logger must not be nil.
	Logger *slog.Logger
}

// ListenHTTP serves MCP over HTTP until ctx is done. It then takes no more
// requests, lets calls in flight finish and be answered for at most o.Grace,
// and returns nil. An error means that serving did not begin, or broke off.
//
// Calls that would outlast o.Grace are cancelled, so that their tools can still
// say how far they came. Only the call of a tool that does not heed that is cut
// off without an answer.
//
// ListenHTTP adds middleware to mcp, whose tools are cancelled at once when it
// has returned: a server is to be served once.
func ListenHTTP(ctx context.Context, mcp *mcpserver.MCPServer, o HTTPOptions) error {
	if err := checkLoopback(o.Addr); err != nil {
		return err
	}
	streams := newSSE(mcp)
	handler, err := newHandler(ctx, mcp, streams, o)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		return fmt.Errorf("listen for MCP over HTTP: %w", err)
	}
	o.Logger.InfoContext(ctx, "serving MCP over HTTP", "addr", listener.Addr().String())

	calls, cancelCalls := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelCalls()
	mcp.Use(cancelWith(calls))

	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
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
	shutdown(context.WithoutCancel(ctx), server, streams, cancelCalls, o)
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve MCP over HTTP on %s: %w", listener.Addr(), err)
	}
	return nil
}

func newHandler(ctx context.Context, mcp *mcpserver.MCPServer, streams *sse, o HTTPOptions) (http.Handler, error) {
	hosts, err := newHosts(o.AllowedHosts)
	if err != nil {
		return nil, err
	}
	origins, err := newOrigins(o.AllowedOrigins)
	if err != nil {
		return nil, err
	}

	endpoints := http.NewServeMux()
	endpoints.HandleFunc("GET /sse", streams.stream)
	endpoints.Handle("POST /message", withBody(streams.message))
	if o.Streamable {
		endpoints.Handle("POST /mcp", withBody(newStreamable(ctx, mcp, o.Logger).message))
	}

	routes := http.NewServeMux()
	routes.HandleFunc("GET /healthz", healthz)
	routes.HandleFunc("GET /readyz", readyz(o.Ready))
	routes.Handle("/", hosts.check(origins.check(endpoints)))
	return supervise(o.Logger, routes), nil
}

// shutdown stops listening, waits for calls in flight, cancels them shortly
// before the grace ends, and closes what is left after it.
func shutdown(ctx context.Context, server *http.Server, streams *sse, cancelCalls func(), o HTTPOptions) {
	ctx, cancel := context.WithTimeout(ctx, o.Grace)
	defer cancel()
	last := time.AfterFunc(o.Grace-min(unwind, o.Grace/2), func() {
		o.Logger.WarnContext(ctx, "calls in flight are cancelled: they outlast the shutdown", "grace", o.Grace)
		cancelCalls()
	})
	defer last.Stop()

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		streams.shutdown(ctx)
	}()
	if err := server.Shutdown(ctx); err != nil {
		o.Logger.WarnContext(ctx, "connections are closed: they outlasted the shutdown", "grace", o.Grace, "error", err)
		_ = server.Close() // nothing is left to be done about it
	}
	<-ended
}

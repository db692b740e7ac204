// Package server puts an MCP server in front of its clients: over stdin and
// stdout ([ServeStdio]), or over HTTP ([ListenHTTP]).
//
// The protocol and its transports are mcp-go's. This package adds what a server
// needs to be left alone with strangers: authentication, bounds, Host and Origin
// checks, TLS, event streams that stay open, health, metrics and traces, and a
// shutdown after which no call that was taken is left unanswered, if its tool heeds
// a cancellation.
package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	mcpserver "github.com/mark3labs/mcp-go/server"
	"go.opentelemetry.io/otel/trace"

	"kol-portrait-mcp/telemetry"
)

// lastRequests is how long requests are still answered, if only with a refusal, when
// the server ends: proxies have sent some on connections that they keep, and may not
// send them twice.
const lastRequests = 500 * time.Millisecond

// lastAnswers is how long requests that came last have to be answered, if only with a
// refusal. Shutdown would drop those that have not begun.
const lastAnswers = 200 * time.Millisecond

// HTTPOptions say how ListenHTTP serves.
type HTTPOptions struct {
	Addr            string                          // host:port to listen on; port 0 takes a free one, which the log tells
	Streamable      bool                            // serves Streamable HTTP at /mcp, besides /sse with /message
	PublicURL       string                          // under which clients reach the server, without a slash at the end; empty: as it listens
	AllowedHosts    []string                        // Host headers to serve, in lower case: host (with any port) or host:port; none: names of loopback, and PublicURL's
	AllowedOrigins  []string                        // origins of the web pages to serve, in lower case: scheme://host[:port]; none: pages from loopback and PublicURL
	Auth            Auth                            // who may call; the zero value: everybody
	Unauthenticated bool                            // lets everybody in from beyond loopback too, where Auth is zero
	TLSCert         string                          // file of the certificate chain, PEM; with TLSKey: TLS is served
	TLSKey          string                          // file of its key, PEM; both files are read again when they change
	Ready           func(ctx context.Context) error // says at /readyz, to anyone who asks, why the server cannot do its work; must not be nil
	MaxCalls        int                             // messages that may be served at a time; those beyond are answered with 503; 0: 1000
	CallerRPS       float64                         // messages a second of one caller; those beyond are answered with 429; 0: no limit
	MetricsAddr     string                          // host:port that /metrics is served at, to anyone who asks; empty: at Addr, to those who may call
	Metrics         *telemetry.Metrics              // nil: none
	Traces          trace.TracerProvider            // nil: none
	Logger          *slog.Logger                    // must not be nil

	// Grace is how long calls in flight may take to be answered at shutdown. They
	// are cancelled a second before it ends, so that their tools can still say how
	// far they came.
	Grace time.Duration

	keepAlive time.Duration // between two comments on an event stream; 0: 15 s; set by tests alone
}

// ListenHTTP serves MCP over HTTP until ctx is done. It then refuses further calls
// and streams, lets calls in flight finish and be answered for at most o.Grace,
// closes the streams, stops listening, and returns nil. An error means that serving
// did not begin, or broke off.
//
// ListenHTTP adds middleware to mcp that cancels every tool call once it has
// returned, so a server can be served only once.
func ListenHTTP(ctx context.Context, mcp *mcpserver.MCPServer, o HTTPOptions) error {
	guard, err := newGuard(ctx, o.Auth, o.endpoints(), o.PublicURL, o.Logger, o.Metrics)
	if err != nil {
		return err
	}
	if host, _, _ := net.SplitHostPort(o.Addr); guard == nil && !o.Unauthenticated && !isLoopback(host) {
		return fmt.Errorf("MCP_ADDR %q lets other machines call without authentication; set MCP_AUTH_TOKENS or MCP_OAUTH_ISSUER, or MCP_ALLOW_UNAUTHENTICATED=true", o.Addr)
	}
	var secure *tls.Config
	if o.TLSCert != "" {
		certificate, err := newCertificate(o.TLSCert, o.TLSKey, o.Logger)
		if err != nil {
			return err
		}
		secure = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get}
	}
	if o.MetricsAddr != "" {
		stop, err := StartMetrics(ctx, o.MetricsAddr, o.Metrics, o.Logger)
		if err != nil {
			return err
		}
		defer stop()
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		return fmt.Errorf("listen at MCP_ADDR: %w", err)
	}
	return serveHTTP(ctx, listener, secure, guard, mcp, o)
}

// endpoints are the paths that clients are told of.
func (o *HTTPOptions) endpoints() []string {
	if o.Streamable {
		return []string{"/mcp", "/sse"}
	}
	return []string{"/sse"}
}

// serveHTTP serves TLS where secure is not nil.
func serveHTTP(ctx context.Context, listener net.Listener, secure *tls.Config, guard *guard, mcp *mcpserver.MCPServer, o HTTPOptions) error {
	ending := context.WithoutCancel(ctx)
	running, cancelCalls := context.WithCancel(ending)
	defer cancelCalls()
	mcp.Use(cancelWith(running))
	observe(mcp, o.Traces, o.Metrics, "tcp")
	calls, streams := newCalls(cmp.Or(o.MaxCalls, defaultMaxCalls), nil), newCalls(maxStreams, nil)
	o.Metrics.Watch(telemetry.Gauges{Calls: calls.count, Streams: streams.count})
	server := newServer(newHandler(ctx, mcp, guard, calls, streams, o), o.Logger)
	serve, scheme := server.Serve, "http"
	if server.TLSConfig = secure; secure != nil {
		serve, scheme = func(l net.Listener) error { return server.ServeTLS(l, "", "") }, "https"
	}
	o.Logger.InfoContext(ctx, "serving MCP over HTTP", "addr", listener.Addr().String(), "scheme", scheme, "authenticated", guard != nil)
	waiting := &queue{Listener: listener}
	served := make(chan error, 1)
	go func() { served <- serve(waiting) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve MCP over HTTP on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}

	o.Logger.InfoContext(ending, "told to end", "calls", calls.count(), "streams", streams.count())
	answered, left := calls.drain(), streams.drain()
	ending, cancel := context.WithTimeout(ending, o.Grace)
	defer cancel()
	defer time.AfterFunc(o.Grace-unwind, func() {
		o.Logger.Warn("calls in flight are cancelled: they outlast the shutdown", "grace", o.Grace)
		cancelCalls()
	}).Stop()
	within(lastRequests, ending.Done()) // late requests get their 503 before the listener closes
	for _, done := range []<-chan struct{}{answered, left} {
		select {
		case <-done:
		case <-ending.Done():
		}
	}
	if waiting.end(ending) {
		select {
		case err := <-served:
			o.Logger.Debug("no more connections are accepted", "error", err)
			within(lastAnswers, ending.Done())
		case <-ending.Done():
		}
	}
	if err := server.Shutdown(ending); err != nil {
		o.Logger.Warn("connections are closed: they outlasted the shutdown", "grace", o.Grace, "error", err)
		_ = server.Close() // nothing is left to be done about it
	}
	return nil
}

func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		WriteTimeout:      writeTimeout, // from the request on; measure has it begin with the answer
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

func newHandler(ctx context.Context, mcp *mcpserver.MCPServer, guard *guard, calls, streams *calls, o HTTPOptions) http.Handler {
	every := cmp.Or(o.keepAlive, keepAlive)
	endpoints := http.NewServeMux()
	events := newSSE(ctx, mcp, calls, streams, every, o)
	endpoints.HandleFunc("GET /sse", events.stream)
	endpoints.HandleFunc("POST /message", events.message)
	if o.Streamable {
		handler := streamable(mcp, calls, every, o)
		endpoints.Handle("POST /mcp", handler)
		endpoints.Handle("POST /mcp/{$}", handler)
	}
	if o.Metrics != nil && o.MetricsAddr == "" {
		endpoints.Handle("GET /metrics", o.Metrics.Handler())
	}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /healthz", health(func(context.Context) error { return nil })) // the process is up
	routes.HandleFunc("GET /readyz", health(func(request context.Context) error {
		if ctx.Err() != nil {
			return errors.New("the server is shutting down")
		}
		return o.Ready(request)
	}))
	guard.metadata(routes)
	limited := newRates(o.CallerRPS, o.Metrics, o.Logger).check(endpoints)
	routes.Handle("/", newAccess(o).check(guard.check(limited)))
	return measure(ctx, routes, endpoints, o.Metrics)
}

// StartMetrics serves /metrics at addr, host:port, to anyone who asks, until stop is
// called. An error means that serving did not begin.
func StartMetrics(ctx context.Context, addr string, metrics *telemetry.Metrics, log *slog.Logger) (stop func(), err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen at MCP_METRICS_ADDR: %w", err)
	}
	log.InfoContext(ctx, "serving metrics", "metricsAddr", listener.Addr().String())
	routes := http.NewServeMux()
	routes.Handle("GET /metrics", metrics.Handler())
	server := newServer(routes, log)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are no longer served", "error", err)
		}
	}()
	return func() { _, _ = server.Close(), listener.Close() }, nil // which Serve may not know yet
}

// streamable serves POST /mcp, one message a request, and keeps no state between
// requests.
//
// There is no GET: without session ids all listeners would share one session,
// and would be sent the progress of each other's calls. Progress comes on the
// stream of the POST it belongs to.
func streamable(server *mcpserver.MCPServer, all *calls, keepAlive time.Duration, o HTTPOptions) http.HandlerFunc {
	acknowledgeFirst(server)
	inner := mcpserver.NewStreamableHTTPServer(server, mcpserver.WithStateLess(true), mcpserver.WithStreamableHTTPLogger(o.Logger))
	return func(w http.ResponseWriter, r *http.Request) {
		if !all.begin() { // before the body is read, so that bodies have a bound too
			all.refuse(w, r, o.Metrics, o.Logger)
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

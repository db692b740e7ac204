package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	mcpserver "github.com/mark3labs/mcp-go/server"
)

// The most that mcp-go allows: a tool call waits for its upstream most of the
// time, and must not keep others from being taken.
const (
	stdioWorkers = 100
	stdioQueue   = 10000
)

// stdioUnwind is how long cancelled calls may take to notice, and the client
// to read what it is told at the very end.
const stdioUnwind = time.Second

// ServeStdio serves MCP on in and out until in ends, out fails or ctx is done.
// It then reads nothing more, lets calls in flight finish and be answered for
// at most grace, and returns nil. An error means that serving did not begin.
//
// Calls that outlast grace are cancelled, and answered with an error where
// nothing else comes of that. A Read of in that blocks is left behind, which
// ends with the process.
//
// Of the calls that come while 10,000 are waiting, those of tools are answered
// with an error at once.
//
// mcp-go keeps the stdio session in a global: serve one client at a time. A
// program whose out is os.Stdout must ignore SIGPIPE, or a client that goes
// away kills it with its calls in flight.
func ServeStdio(ctx context.Context, mcp *mcpserver.MCPServer, in io.Reader, out io.Writer, grace time.Duration, log *slog.Logger) error {
	calls := newPending()
	responses := newOutput(out, calls, log)
	defer func() {
		if !responses.close(stdioUnwind) {
			log.Warn("the client does not read its last answers")
		}
	}()
	requests := newInput(in, calls, responses.refuse, log)

	served := make(chan error, 1)
	// mcp-go would cancel calls in flight with ctx; closing requests ends it.
	go func() { served <- listenStdio(context.WithoutCancel(ctx), mcp, requests, responses, log) }()
	select {
	case err := <-served:
		requests.close()
		return err
	case <-requests.ended:
	case <-responses.broken:
	case <-ctx.Done():
	}

	select {
	case <-calls.drain():
	case <-time.After(grace):
		log.Warn("calls in flight are cancelled: they outlasted the shutdown", "grace", grace)
	}
	requests.close()

	select {
	case err := <-served:
		return err
	case <-time.After(stdioUnwind):
		log.Warn("calls in flight are left behind: they do not heed their cancellation")
	}
	return nil
}

func listenStdio(ctx context.Context, mcp *mcpserver.MCPServer, in io.Reader, out io.Writer, log *slog.Logger) error {
	server := mcpserver.NewStdioServer(mcp)
	for _, option := range []mcpserver.StdioOption{
		mcpserver.WithErrorLogger(slog.NewLogLogger(log.Handler(), slog.LevelWarn)),
		mcpserver.WithWorkerPoolSize(stdioWorkers),
		mcpserver.WithQueueSize(stdioQueue),
	} {
		option(server)
	}
	if err := server.Listen(ctx, in, out); err != nil {
		return fmt.Errorf("serve MCP on stdio: %w", err)
	}
	return nil
}

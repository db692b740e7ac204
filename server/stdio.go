package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"time"

	mcpserver "github.com/mark3labs/mcp-go/server"
	"go.opentelemetry.io/otel/trace"

	"kol-portrait-mcp/telemetry"
)

// The most that mcp-go allows: a tool call waits for the vendor most of the
// time, and must not keep others from being taken.
const (
	stdioWorkers = 100
	stdioQueue   = 10000
)

// unwind is how long calls have to be answered once they are cancelled.
const unwind = time.Second

// StdioOptions say how ServeStdio serves.
type StdioOptions struct {
	In      io.Reader            // what the client writes
	Out     io.Writer            // what the client reads
	Grace   time.Duration        // how long calls in flight may take to be answered at the end
	Metrics *telemetry.Metrics   // nil: none
	Traces  trace.TracerProvider // nil: none
	Logger  *slog.Logger         // must not be nil
}

// ServeStdio serves MCP on o.In and o.Out until o.In ends, a write to o.Out fails
// or ctx is done. It then takes no further messages, lets calls in flight finish
// and be answered for at most o.Grace, and returns nil. An error means that serving
// did not begin.
//
// Calls that outlast the grace are cancelled, so that their tools can still answer,
// and left behind if they do not. A Read of o.In that blocks is also left behind; it
// ends with the process. A message that comes after the end has begun is dropped.
//
// ServeStdio adds middleware to mcp, and mcp-go keeps the session of stdio in a
// global: serve one client at a time, and a server once. A program whose o.Out is
// os.Stdout must ignore SIGPIPE, or a client that goes away kills it with its
// calls in flight.
func ServeStdio(ctx context.Context, mcp *mcpserver.MCPServer, o StdioOptions) error {
	listening, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	running, cancelCalls := context.WithCancel(listening)
	defer cancelCalls()
	mcp.Use(cancelWith(running))
	observe(mcp, o.Traces, o.Metrics, "pipe")
	server := mcpserver.NewStdioServer(mcp)
	server.SetErrorLogger(slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn))
	mcpserver.WithWorkerPoolSize(stdioWorkers)(server)
	mcpserver.WithQueueSize(stdioQueue)(server)

	// mcp-go cancels calls in flight at the end of its input, so its input stays
	// open until they are answered.
	messages, toServer := io.Pipe()
	defer func() { _ = toServer.Close() }() // the end of its input, which mcp-go does not log
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	client := &stdioClient{calls: newCalls(math.MaxInt, nil), out: o.Out, leave: leave, log: o.Logger}
	o.Metrics.Watch(telemetry.Gauges{Calls: client.calls.count})
	go client.feed(o.In, toServer)
	served := make(chan error, 1)
	go func() { served <- server.Listen(listening, messages, client) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve MCP on stdio: %w", err)
	case <-ctx.Done():
	}

	answered := client.calls.drain()
	if !within(o.Grace, answered) {
		o.Logger.Warn("calls in flight are cancelled: they outlast the shutdown", "grace", o.Grace)
		cancelCalls()
		if !within(unwind, answered) {
			o.Logger.Warn("calls in flight are left behind: they do not heed their cancellation, or nobody reads their answers")
		}
	}
	return nil
}

// within reports whether done is closed before the time is over.
func within(d time.Duration, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-time.After(d):
		return false
	}
}

// stdioClient is the client on stdin and stdout.
type stdioClient struct {
	calls *calls
	out   io.Writer
	leave func() // called when the client sends or reads no more
	gone  bool   // a write has failed
	log   *slog.Logger
}

// feed passes on the lines of in that are not blank, and counts those that will be
// answered. A last line without a line end counts as one.
func (c *stdioClient) feed(in io.Reader, server io.Writer) {
	defer c.leave()
	for lines := bufio.NewReader(in); ; {
		line, err := lines.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 && (!isAnswered(line) || c.calls.begin()) {
			if _, ended := server.Write(append(keepID(line), '\n')); ended != nil {
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				c.log.Warn("reading stdin failed", "error", err)
			}
			return
		}
	}
}

// Write writes one message, and counts it where it is an answer; mcp-go writes one
// at a time. It reports no error: mcp-go would end, though what a call has paid for
// is worth storing.
func (c *stdioClient) Write(p []byte) (int, error) {
	if !c.gone {
		if _, err := c.out.Write(restoreID(p)); err != nil {
			c.log.Warn("the client no longer reads its answers", "error", err)
			c.gone = true
			c.leave()
		}
	}
	if isAnswer(p) {
		c.calls.end()
	}
	return len(p), nil
}

package server

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	"golang.org/x/time/rate"
)

// calls counts the messages that await an answer: those of one client, or those
// of all clients.
type calls struct {
	limit int    // most at a time
	all   *calls // also counts each message; nil where this is the count of all

	refused rate.Sometimes // logs that

	mu       sync.Mutex
	waiting  int
	draining bool
	idle     chan struct{} // closed once draining and nothing is waiting
}

func newCalls(limit int, all *calls) *calls {
	return &calls{limit: limit, all: all, refused: rate.Sometimes{Interval: logEvery}, idle: make(chan struct{})}
}

// begin counts a message that is about to be served. It reports false where a
// limit is reached or drain has been called: the message must not be served.
func (c *calls) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining || c.waiting >= c.limit || c.all != nil && !c.all.begin() {
		return false
	}
	c.waiting++
	return true
}

// count returns how many messages await an answer.
func (c *calls) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting
}

// end counts an answer. It does nothing where none is awaited.
func (c *calls) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == 0 {
		return
	}
	c.waiting--
	if c.all != nil {
		c.all.end()
	}
	if c.draining && c.waiting == 0 {
		close(c.idle)
	}
}

// drain lets no further message begin, and returns a channel that is closed once
// all that began have been answered.
func (c *calls) drain() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.draining {
		c.draining = true
		if c.waiting == 0 {
			close(c.idle)
		}
	}
	return c.idle
}

// abandon gives up on all answers, because nobody is left to read them.
func (c *calls) abandon() {
	c.drain()
	for range c.limit {
		c.end()
	}
}

// isAnswered reports whether mcp-go will answer message: it does unless the
// message is a notification, or an answer itself. The fields are those that
// mcp-go decides by, so that both decide alike.
func isAnswered(message []byte) bool {
	var m struct {
		JSONRPC string
		Method  mcp.MCPMethod
		ID      any
		Result  any
	}
	if err := json.Unmarshal(message, &m); err != nil || m.JSONRPC != mcp.JSONRPC_VERSION {
		return true // with an error
	}
	if m.ID == nil { // only what is no valid notification is answered, with an error
		return json.Unmarshal(message, new(mcp.JSONRPCNotification)) != nil
	}
	return m.Result == nil
}

// What mcp-go writes begins with these: an event on an event stream, and an answer,
// alone or in an event. A notification has no id, and this server asks its clients
// nothing.
const (
	eventStart  = "event: message\ndata: "
	answerStart = `{"jsonrpc":"2.0","id":`
)

// isAnswer reports whether a message or event that mcp-go writes is an answer.
func isAnswer(written []byte) bool {
	return bytes.HasPrefix(bytes.TrimPrefix(written, []byte(eventStart)), []byte(answerStart))
}

// streamKey is the context key of a context that is done when the event stream
// ends on which a call is to be answered.
type streamKey struct{}

// cancelWith cancels each tool call that is in flight when graceOver or its event
// stream ends.
//
// Cancelling the requests would not do: mcp-go writes no answer to a POST whose
// context has ended, and takes the calls of an event stream out of the context of
// their requests.
func cancelWith(graceOver context.Context) mcpserver.ToolHandlerMiddleware {
	return func(next mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
		return func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(graceOver, cancel)()
			if stream, ok := ctx.Value(streamKey{}).(context.Context); ok {
				defer context.AfterFunc(stream, cancel)() //nolint:contextcheck // that context ends this one
			}
			return next(ctx, r)
		}
	}
}

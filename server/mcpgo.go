package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// What mcp-go 1.2.1 does wrong for a real client, and what is done about it.

// forgetRevision keeps mcp-go from refusing a message to an event stream for
// want of the headers Mcp-Method and Mcp-Name, which only Streamable HTTP has.
//
// Client: @modelcontextprotocol/client 2.4.0 over SSE, which finds the revision
// 2026-07-28 with server/discover and names it in a header from then on.
func forgetRevision(r *http.Request) { r.Header.Del(mcp.HeaderProtocolVersion) }

// A float64 may not hold a number of 16 digits exactly.
var (
	mentionsLargeID = regexp.MustCompile(`"id"\s*:\s*-?\d{16}`)
	largeNumber     = regexp.MustCompile(`^-?\d{16,}$`)
)

// idMark begins an id that keepID has made a string of.
const idMark = `"number `

// keepID makes a string of an id that is a large number: 12 becomes "number 12".
// restoreID makes the number of it again in the answer. mcp-go reads ids as
// float64, and would answer under another number, so that the caller waits in vain
// for what it paid for.
//
// Client: workflow tools that number their calls by the nanosecond.
func keepID(message []byte) []byte {
	if !mentionsLargeID.Match(message) {
		return message
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(message, &m) != nil || !largeNumber.Match(m["id"]) {
		return message // the id of something within the message
	}
	m["id"] = fmt.Appendf(nil, `%s%s"`, idMark, m["id"])
	marked, err := json.Marshal(m)
	if err != nil {
		return message
	}
	return marked
}

// restoreID is the other half of keepID. It takes a message or an event.
func restoreID(written []byte) []byte {
	if !bytes.HasPrefix(bytes.TrimPrefix(written, []byte(eventStart)), []byte(answerStart+idMark)) {
		return written
	}
	before, rest, _ := bytes.Cut(written, []byte(idMark))
	number, after, _ := bytes.Cut(rest, []byte(`"`))
	return slices.Concat(before, number, after)
}

// isCancellation reports whether a message to Streamable HTTP cancels a call.
// Such a message must not reach mcp-go, which without sessions would cancel the
// call of whichever client uses the same id. The protocol lets a server ignore it.
//
// Client: @modelcontextprotocol/sdk 1.32.2, which counts its calls from 0 as its
// neighbours do, and cancels those that take longer than a minute.
func isCancellation(message []byte) bool {
	if !bytes.Contains(message, []byte(mcp.MethodNotificationCancelled)) && !bytes.Contains(message, []byte(`\`)) {
		return false // nor is it written with escapes
	}
	var m struct{ Method mcp.MCPMethod }
	return json.Unmarshal(message, &m) == nil && m.Method == mcp.MethodNotificationCancelled
}

// flushedKey is the context key of a context that is done when the first event has
// been sent in answer to a request, or none can be.
type flushedKey struct{}

// acknowledgeFirst keeps mcp-go from answering a subscriptions/listen before its
// acknowledgement is sent. This server has nothing to subscribe to; then mcp-go
// does both at once, and loses one acknowledgement in a hundred.
//
// Client: @modelcontextprotocol/client 2.4.0, whose listen fails without one, and
// @modelcontextprotocol/conformance 0.2.0-alpha.12.
func acknowledgeFirst(server *mcpserver.MCPServer) {
	hooks := cmp.Or(server.GetHooks(), &mcpserver.Hooks{})
	mcpserver.WithHooks(hooks)(server)
	hooks.AddAfterSubscriptionsListen(func(ctx context.Context, _ any, _ *mcp.SubscriptionsListenRequest, _ *mcp.SubscriptionsListenResult) {
		if flushed, ok := ctx.Value(flushedKey{}).(context.Context); ok {
			<-flushed.Done()
		}
	})
}

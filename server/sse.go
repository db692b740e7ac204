package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	mcpserver "github.com/mark3labs/mcp-go/server"
)

// sessionCalls is how many messages of one session may await their answers. A
// client that does not read its stream would fill the memory with them.
const sessionCalls = 300

// sse serves the older HTTP transport: an event stream at /sse, and messages to
// it at /message, whose answers come on the stream.
type sse struct {
	inner     *mcpserver.SSEServer
	all       *calls
	closing   context.Context // done when the server shuts down
	keepAlive time.Duration
	sessions  sync.Map // *session of each open stream by its id
}

// session is one event stream.
type session struct {
	calls  *calls
	stream context.Context // done when the stream ends
}

func newSSE(closing context.Context, server *mcpserver.MCPServer, all *calls, keepAlive time.Duration) *sse {
	return &sse{
		all:       all,
		closing:   closing,
		keepAlive: keepAlive,
		inner: mcpserver.NewSSEServer(server,
			mcpserver.WithSSEDisableLocalhostProtection(true), // access checks more
			mcpserver.WithSessionIDGenerator(func(_ context.Context, r *http.Request) (string, error) {
				return r.PathValue("session"), nil // set by stream
			}),
		),
	}
}

// stream serves GET /sse until the client leaves or, when the server shuts down,
// all calls of the session have been answered.
func (s *sse) stream(w http.ResponseWriter, r *http.Request) {
	ctx, end := context.WithCancel(r.Context())
	defer end()
	id, calls := rand.Text(), newCalls(sessionCalls, s.all)
	s.sessions.Store(id, &session{calls, ctx})
	defer calls.abandon()
	defer s.sessions.Delete(id)
	defer context.AfterFunc(s.closing, func() { //nolint:contextcheck // as closing says
		select {
		case <-calls.drain():
		case <-ctx.Done():
		}
		end()
	})()
	events := newEventWriter(w, s.keepAlive)
	events.answered = calls.end
	defer events.close()
	r.SetPathValue("session", id)
	s.inner.SSEHandler().ServeHTTP(events, r.WithContext(ctx))
}

// message serves POST /message. mcp-go accepts the message and goes on in the
// background, so the message is counted before.
func (s *sse) message(w http.ResponseWriter, r *http.Request) {
	found, ok := s.sessions.Load(r.URL.Query().Get("sessionId"))
	if !ok {
		http.Error(w, "sessionId names no open event stream. Open one with GET /sse: its first event tells where to post.", http.StatusBadRequest)
		return
	}
	session := found.(*session)
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	if !json.Valid(body) {
		http.Error(w, "The request body is not JSON.", http.StatusBadRequest)
		return
	}
	if isAnswered(body) && !session.calls.begin() {
		refuse(w)
		return
	}
	forgetRevision(r)
	r.Body = io.NopCloser(bytes.NewReader(keepID(body)))
	s.inner.MessageHandler().ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), streamKey{}, session.stream)))
}

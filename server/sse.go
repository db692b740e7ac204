package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/telemetry"
)

// sessionCalls is how many messages of one session may await their answers: ten times
// what a busy agent sends at once. Without a bound, a client that does not read its
// stream would fill the memory with them.
const sessionCalls = 300

// sse serves the older HTTP transport: an event stream at /sse, and messages to
// it at /message, whose answers come on the stream.
type sse struct {
	inner     *mcpserver.SSEServer
	all       *calls
	streams   *calls          // each open stream counts as one
	shutdown  context.Context // done when the server's end begins
	keepAlive time.Duration
	metrics   *telemetry.Metrics
	log       *slog.Logger
	sessions  sync.Map                   // *session of each open stream by its id
	callers   *lru.Cache[string, *calls] // the streams of each caller by its name
}

// session is one event stream.
type session struct {
	calls  *calls
	stream context.Context // done when the stream ends
	caller string          // who has opened it
}

func newSSE(shutdown context.Context, server *mcpserver.MCPServer, all, streams *calls, keepAlive time.Duration, o HTTPOptions) *sse {
	callers, _ := lru.New[string, *calls](maxCallers) // which fails for no size above 0
	return &sse{
		callers:   callers,
		all:       all,
		streams:   streams,
		shutdown:  shutdown,
		keepAlive: keepAlive,
		metrics:   o.Metrics,
		log:       o.Logger,
		inner: mcpserver.NewSSEServer(server,
			mcpserver.WithBaseURL(o.PublicURL),                // clients post to PublicURL + /message
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
	caller, open := schema.CallerOf(r.Context()), s.streams
	if caller != "" { // without names, all callers are one
		open = newCalls(callerStreams, s.streams)
		if known, found, _ := s.callers.PeekOrAdd(caller, open); found {
			open = known
		}
	}
	if !open.begin() {
		s.metrics.Refused("streams")
		refuse(w, http.StatusServiceUnavailable, 10, "Too many event streams are open, or the server is shutting down.")
		return
	}
	defer open.end()
	ctx, end := context.WithCancel(r.Context())
	defer end()
	id, calls := rand.Text(), newCalls(sessionCalls, s.all)
	s.sessions.Store(id, &session{calls, ctx, caller})
	defer calls.abandon()
	defer s.sessions.Delete(id)
	defer context.AfterFunc(s.shutdown, func() { //nolint:contextcheck // as shutdown says
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
	if schema.CallerOf(r.Context()) != session.caller {
		s.metrics.Refused("forbidden")
		http.Error(w, "Forbidden: another caller has opened this event stream.", http.StatusForbidden)
		return
	}
	if !s.all.begin() { // before the body is read, so that bodies have a bound too
		s.all.refuse(w, r, s.metrics, s.log)
		return
	}
	body, ok := readBody(w, r)
	s.all.end()
	if !ok {
		return
	}
	if !json.Valid(body) {
		http.Error(w, "The request body is not JSON.", http.StatusBadRequest)
		return
	}
	if isAnswered(body) && !session.calls.begin() {
		s.all.refuse(w, r, s.metrics, s.log)
		return
	}
	forgetRevision(r)
	r.Body = io.NopCloser(bytes.NewReader(keepID(body)))
	s.inner.MessageHandler().ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), streamKey{}, session.stream)))
}

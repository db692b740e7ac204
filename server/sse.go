package server

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// sse serves the older HTTP transport: an event stream at /sse, and messages
// to it at /message, whose answers come on the stream.
type sse struct {
	streams, messages http.Handler // mcp-go's

	mu       sync.Mutex
	sessions map[string]*sseSession
	closing  bool
}

// sseSession is one open event stream.
type sseSession struct {
	ctx   context.Context // done when the stream has ended
	end   context.CancelFunc
	calls *pending
}

// sessionKey is the context key of the session id that a stream was given.
type sessionKey struct{}

func newSSE(server *mcpserver.MCPServer) *sse {
	inner := mcpserver.NewSSEServer(server,
		mcpserver.WithSSEDisableLocalhostProtection(true), // hosts checks more
		// The empty origin matches none: it only keeps mcp-go from allowing
		// all of them. origins sets the headers.
		mcpserver.WithSSECORS(mcpserver.WithCORSAllowedOrigins("")),
		mcpserver.WithSessionIDGenerator(func(ctx context.Context, _ *http.Request) (string, error) {
			id, ok := ctx.Value(sessionKey{}).(string)
			if !ok {
				return "", errors.New("no session id in the context")
			}
			return id, nil
		}),
	)
	return &sse{
		sessions: make(map[string]*sseSession),
		streams:  varyOnce(inner.SSEHandler()),
		messages: varyOnce(inner.MessageHandler()),
	}
}

// varyOnce takes back the Vary of origins, since next sets the same.
func varyOnce(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Del("Vary")
		next.ServeHTTP(w, r)
	})
}

// stream serves GET /sse until the client leaves or the session is ended.
func (s *sse) stream(w http.ResponseWriter, r *http.Request) {
	ctx, end := context.WithCancel(r.Context())
	defer end()
	id := rand.Text()
	session := &sseSession{ctx: ctx, end: end, calls: newPending()}
	if !s.add(id, session) {
		http.Error(w, "The server is shutting down.", http.StatusServiceUnavailable)
		return
	}
	defer s.remove(id)
	watched := &eventWriter{ResponseWriter: w, answers: answers{calls: session.calls}}
	s.streams.ServeHTTP(watched, r.WithContext(context.WithValue(ctx, sessionKey{}, id)))
}

// message serves POST /message. mcp-go answers 202 and goes on in the
// background, so the call is counted before it is passed on.
func (s *sse) message(w http.ResponseWriter, r *http.Request, body []byte) {
	session := s.find(r.URL.Query().Get("sessionId"))
	if session == nil {
		http.Error(w, "sessionId names no open event stream. Open one with GET /sse: its first event tells where to post.", http.StatusBadRequest)
		return
	}
	if refused := refuse(body); refused != nil {
		refused.write(w, http.StatusBadRequest) // a client takes 200 for an answer that comes on the stream
		return
	}
	session.calls.cancel(cancelledID(body))
	id := requestID(body)
	if !session.calls.begin(id) {
		http.Error(w, "The server is shutting down.", http.StatusServiceUnavailable)
		return
	}
	// Only Streamable HTTP has Mcp-Method and Mcp-Name. mcp-go would miss them
	// here too where a client names a protocol revision that has them.
	r.Header.Del(mcp.HeaderProtocolVersion)
	rec := &recorder{ResponseWriter: w}
	s.messages.ServeHTTP(rec, r)
	if rec.status != http.StatusAccepted {
		session.calls.end(id)
	}
}

// shutdown takes no further calls, and ends each stream once its calls have
// been answered, or when ctx is done.
func (s *sse) shutdown(ctx context.Context) {
	var sessions sync.WaitGroup
	for _, session := range s.close() {
		sessions.Go(func() {
			defer session.end()
			select {
			case <-session.calls.drain():
			case <-session.ctx.Done():
			case <-ctx.Done():
			}
		})
	}
	sessions.Wait()
}

// close lets no further session in, and returns those that are open.
func (s *sse) close() []*sseSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	var open []*sseSession
	for _, session := range s.sessions {
		open = append(open, session)
	}
	return open
}

func (s *sse) add(id string, session *sseSession) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.sessions[id] = session
	return true
}

func (s *sse) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, id)
}

func (s *sse) find(id string) *sseSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[id]
}

// eventWriter notes the answers that are written to an event stream, and leaves
// out those that the client no longer wants.
type eventWriter struct {
	http.ResponseWriter
	answers answers
}

// Write sends p on, and counts the answers in what was sent.
func (w *eventWriter) Write(p []byte) (int, error) {
	if !w.answers.wanted(p) {
		w.answers.see(p)
		return len(p), nil
	}
	n, err := w.ResponseWriter.Write(p)
	w.answers.see(p[:n])
	return n, err
}

// Flush makes eventWriter an http.Flusher, which mcp-go asks for before it streams.
func (w *eventWriter) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets an http.ResponseController reach the connection.
func (w *eventWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

package server

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// keepAlive is how often an event stream carries a comment. TypeScript clients
// end a stream on which nothing comes for five minutes, and proxies after one.
const keepAlive = 15 * time.Second

// eventWriter is where mcp-go writes its answer to a request. Where that becomes an
// event stream, eventWriter keeps it alive and keeps proxies from holding it back.
// It must be closed before its handler returns.
type eventWriter struct {
	http.ResponseWriter
	conn     *http.ResponseController
	every    time.Duration // between two comments
	answered func()        // called for each answer
	flushed  func()        // called after each Flush

	mu      sync.Mutex
	started bool
	comment *time.Timer // sends the next one; nil where this is no open event stream
}

func newEventWriter(w http.ResponseWriter, every time.Duration) *eventWriter {
	return &eventWriter{ResponseWriter: w, conn: http.NewResponseController(w), every: every, answered: func() {}, flushed: func() {}}
}

// WriteHeader begins the answer.
func (w *eventWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start(status)
}

// Write sends p, which is one whole answer or event.
func (w *eventWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.started {
		w.start(http.StatusOK)
	}
	_, err := w.ResponseWriter.Write(restoreID(p))
	if isAnswer(p) {
		w.answered()
	}
	return len(p), err
}

// Flush sends what has been written.
func (w *eventWriter) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.conn.Flush() // an error comes back at the next write
	w.flushed()
}

// CanStream reports that mcp-go may answer with an event stream.
func (w *eventWriter) CanStream() bool { return true }

// close sends no more comments.
func (w *eventWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.comment != nil {
		w.comment.Stop()
		w.comment = nil
	}
}

func (w *eventWriter) start(status int) {
	w.started = true
	if w.Header().Get("Content-Type") == "text/event-stream" {
		w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
		w.comment = time.AfterFunc(w.every, w.sendComment)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *eventWriter) sendComment() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.comment == nil {
		return
	}
	if _, err := io.WriteString(w.ResponseWriter, ": keep-alive\n\n"); err != nil {
		return // net/http ends the request
	}
	_ = w.conn.Flush()
	w.comment.Reset(w.every)
}

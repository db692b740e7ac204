package server

import (
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// output is stdout as mcp-go is to see it. It notes which calls are answered,
// and never fails: mcp-go would end calls in flight at an error, and what they
// do is worth finishing even where nobody reads the answer.
type output struct {
	out    io.Writer
	log    *slog.Logger
	broken chan struct{} // closed once a write has failed
	closed atomic.Bool

	mu      sync.Mutex // mcp-go's server requests do not share a lock with its answers
	failed  bool
	answers answers
}

func newOutput(out io.Writer, calls *pending, log *slog.Logger) *output {
	return &output{out: out, log: log, broken: make(chan struct{}), answers: answers{calls: calls}}
}

// Write passes p on to the client while there is one, and always succeeds.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.write(p)
	return len(p), nil
}

// write is for who holds the lock.
func (o *output) write(p []byte) {
	if !o.failed && !o.closed.Load() && o.answers.wanted(p) {
		if _, err := o.out.Write(p); err != nil {
			o.failed = true
			close(o.broken)
			o.log.Warn("the client no longer reads its answers", "error", err)
		}
	}
	o.answers.see(p)
}

// refuse answers what cannot be served.
func (o *output) refuse(r *refusal) {
	_, _ = o.Write(r.answer()) // which never fails
}

// close answers the calls that are still pending with an error, and keeps them
// from writing answers of their own. It waits no longer than patience for a
// client that holds up the writing, and reports whether that was enough.
func (o *output) close(patience time.Duration) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.failPending()
	}()
	select {
	case <-done:
		return true
	case <-time.After(patience):
		o.closed.Store(true)
		return false
	}
}

func (o *output) failPending() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range o.answers.calls.unanswered() {
		o.write(failure(id, "The server ended before this call was answered."))
	}
	o.closed.Store(true)
}

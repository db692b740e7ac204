package server

import (
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
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

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.failed && !o.closed.Load() {
		if _, err := o.out.Write(p); err != nil {
			o.failed = true
			close(o.broken)
			o.log.Warn("the client no longer reads its answers", "error", err)
		}
	}
	o.answers.see(p)
	return len(p), nil
}

// close keeps calls that were left behind from writing. It does not wait for
// a write that a client holds up.
func (o *output) close() { o.closed.Store(true) }

package server

import (
	"errors"
	"io"
	"log/slog"

	"github.com/mark3labs/mcp-go/mcp"
)

// input is stdin as mcp-go is to see it: whole lines that it can serve, each
// counted as a pending call where it is one, and no end before close is called,
// because mcp-go cancels calls in flight as soon as it sees one.
type input struct {
	calls  *pending
	refuse func(*refusal)
	log    *slog.Logger
	lines  chan []byte
	rest   []byte        // of the line that is being read
	ended  chan struct{} // closed once the last line has been read and dispatched
	closed chan struct{}
}

// newInput starts to read in. What cannot be served is answered by refuse.
// The goroutine it starts ends with in, or at the first line after close; a
// Read that blocks cannot be called back.
func newInput(in io.Reader, calls *pending, refuse func(*refusal), log *slog.Logger) *input {
	i := &input{
		calls:  calls,
		refuse: refuse,
		log:    log,
		lines:  make(chan []byte),
		ended:  make(chan struct{}),
		closed: make(chan struct{}),
	}
	go i.pump(in)
	return i
}

func (i *input) pump(in io.Reader) {
	defer close(i.lines)
	for source := newLines(in, maxLine); ; {
		line, err := source.next()
		if errors.Is(err, errLineTooLong) {
			i.log.Warn("a message on stdin was skipped", "error", err, "limit", maxLine)
			i.refuse(&refusal{code: mcp.INVALID_REQUEST, reason: "The message is longer than 4 MiB."})
			continue
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				i.log.Warn("reading stdin failed", "error", err)
			}
			return
		}
		select {
		case i.lines <- append(line, '\n'):
		case <-i.closed:
			return
		}
	}
}

// Read returns at most one line. When it is called again, mcp-go has taken
// charge of the line before.
func (i *input) Read(p []byte) (int, error) {
	if len(i.rest) == 0 && !i.next() {
		return 0, io.EOF
	}
	n := copy(p, i.rest)
	i.rest = i.rest[n:]
	return n, nil
}

// next waits for a line, and reports false once the input is closed.
func (i *input) next() bool {
	for {
		select {
		case <-i.closed:
			return false
		case line, ok := <-i.lines:
			if !ok {
				i.lines = nil // it has nothing more to say
				close(i.ended)
				continue
			}
			id, refused := requestID(line), refuse(line)
			if refused != nil {
				id = answerID(refused.answer()) // which is not to end another call
			}
			switch {
			case !i.calls.begin(id):
				i.lines = nil // nothing more is to be taken
			case refused != nil:
				i.log.Debug("a message is not served", "reason", refused.reason)
				i.refuse(refused)
			case i.overflows(id, line):
				i.refuse(&refusal{id, mcp.INTERNAL_ERROR, "Too many calls are waiting. Call again when some have been answered."})
			default:
				i.calls.cancel(cancelledID(line))
				i.rest = line
				return true
			}
		}
	}
}

// overflows reports whether line is a tool call that mcp-go's queue may have no
// room for: it would serve it where it reads, and let everything else wait.
func (i *input) overflows(id callID, line []byte) bool {
	return id != "" && i.calls.size() > stdioQueue && methodOf(line) == mcp.MethodToolsCall
}

// close ends the input for mcp-go, which then cancels what is in flight.
func (i *input) close() { close(i.closed) }

package server

import (
	"errors"
	"io"
	"log/slog"

	"github.com/mark3labs/mcp-go/mcp"
)

// unparsable stands in for a line that was too long: mcp-go answers it with a
// parse error, as it answers any line that is no JSON.
const unparsable = "line too long"

// input is stdin as mcp-go is to see it: whole lines, each counted as a
// pending call where it is one, and no end before close is called, because
// mcp-go cancels calls in flight as soon as it sees one.
type input struct {
	calls  *pending
	refuse func(id callID, reason string)
	lines  chan []byte
	rest   []byte        // of the line that is being read
	ended  chan struct{} // closed once the last line has been read and dispatched
	closed chan struct{}
}

// newInput starts to read in. Calls that are too many are answered by refuse.
// The goroutine it starts ends with in, or at the first line after close; a
// Read that blocks cannot be called back.
func newInput(in io.Reader, calls *pending, refuse func(id callID, reason string), log *slog.Logger) *input {
	i := &input{
		calls:  calls,
		refuse: refuse,
		lines:  make(chan []byte),
		ended:  make(chan struct{}),
		closed: make(chan struct{}),
	}
	go i.pump(in, log)
	return i
}

func (i *input) pump(in io.Reader, log *slog.Logger) {
	defer close(i.lines)
	for source := newLines(in, maxLine); ; {
		line, err := source.next()
		if errors.Is(err, errLineTooLong) {
			log.Warn("a message on stdin was skipped", "error", err, "limit", maxLine)
			line, err = []byte(unparsable), nil
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				log.Warn("reading stdin failed", "error", err)
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
			id := requestID(line)
			switch {
			case !ok:
				i.lines = nil // it has nothing more to say
				close(i.ended)
			case !i.calls.begin(id):
				i.lines = nil // nothing more is to be taken
			case i.overflows(id, line):
				i.refuse(id, "Too many calls are waiting. Call again when some have been answered.")
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

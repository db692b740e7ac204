package server

import "bytes"

// answers ends pending calls as their answers are written. It takes the bytes
// of a stream of lines, cut anywhere: JSON messages as they are on stdio, or
// in the data lines of an event stream.
type answers struct {
	calls   *pending
	partial []byte // the beginning of a line whose end has not come yet
}

func (a *answers) see(p []byte) {
	for {
		line, rest, whole := bytes.Cut(p, []byte{'\n'})
		if !whole {
			a.partial = append(a.partial, line...)
			return
		}
		if len(a.partial) > 0 {
			line = append(a.partial, line...)
			a.partial = nil
		}
		a.calls.end(answerID(bytes.TrimPrefix(line, []byte("data:"))))
		p = rest
	}
}

// wanted reports whether p is to be written: it is not where it is the answer to
// a call that the client has cancelled. The protocol says that a server should
// not send that, and clients made with the TypeScript SDKs call it an error.
func (a *answers) wanted(p []byte) bool {
	if len(a.partial) > 0 || !bytes.HasSuffix(p, []byte{'\n'}) || !a.calls.anyCancelled() {
		return true
	}
	for line := range bytes.Lines(p) {
		if id := answerID(bytes.TrimPrefix(line, []byte("data:"))); id != "" {
			return !a.calls.isCancelled(id)
		}
	}
	return true
}

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
// a call that the client has cancelled, and tells nothing else. The protocol says
// that a server should not send that, and clients made with the TypeScript SDKs
// call it an error. But a cancellation can come too late, or too early for mcp-go
// to heed it: what was paid for, or failed meanwhile, goes out all the same.
func (a *answers) wanted(p []byte) bool {
	if len(a.partial) > 0 || !bytes.HasSuffix(p, []byte{'\n'}) || !a.calls.anyCancelled() {
		return true
	}
	for line := range bytes.Lines(p) {
		if id := answerID(bytes.TrimPrefix(line, []byte("data:"))); id != "" {
			return !a.calls.isCancelled(id) || !isUnfinished(line)
		}
	}
	return true
}

// isUnfinished reports whether an answer tells only that there is none: it is an
// error of the protocol, or a tool's word that its work goes on without the call.
func isUnfinished(answer []byte) bool {
	return !bytes.Contains(answer, []byte(`"result":`)) ||
		bytes.Contains(answer, []byte(`"isError":true`)) && bytes.Contains(answer, []byte(`"kind":"still_collecting"`))
}

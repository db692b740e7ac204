package server

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxLine is how long a message on stdio may be.
const maxLine = 4 << 20

var errLineTooLong = errors.New("line too long")

// lines reads lines of at most max bytes.
type lines struct {
	in  *bufio.Reader
	max int
	err error // what ended the input, once something has
}

func newLines(in io.Reader, limit int) *lines {
	l := &lines{in: bufio.NewReader(in), max: limit}
	if mark, err := l.in.Peek(3); err == nil && string(mark) == "\uFEFF" {
		_, _ = l.in.Discard(3) // a byte order mark, as some editors and shells put first
	}
	return l
}

// next returns the next line that is not blank, without its end, in memory of
// its own. A last line without a line end counts. A line that is too long is
// skipped without being held, and answered by errLineTooLong; other errors are
// final.
func (l *lines) next() ([]byte, error) {
	for l.err == nil {
		line, err := l.read()
		if err != nil {
			return nil, err
		}
		if line = bytes.Trim(line, " \t\r\n"); len(line) > 0 {
			return line, nil
		}
	}
	return nil, l.err
}

func (l *lines) read() ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		part, err := l.in.ReadSlice('\n')
		if len(line)+len(part) > l.max {
			tooLong, line = true, nil
		}
		if !tooLong {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		l.err = err
		if tooLong {
			return nil, errLineTooLong
		}
		return line, nil
	}
}

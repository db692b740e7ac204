package config

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
)

// Log is a logger whose lines never make a caller wait: a goroutine writes them
// one after the other, and those that nobody reads in time are dropped.
type Log struct {
	*slog.Logger
	queue *queue
}

// maxQueued is how many lines wait for a slow reader of the log. A line has some
// hundred bytes.
const maxQueued = 1000

// NewLog returns a log that writes to w at c's level and in c's form. It puts
// *** in place of every secret of c, since a library may repeat one in an error
// or a panic. Durations are words, such as 1.5s, in both forms.
func (c *Config) NewLog(w io.Writer) *Log {
	q := &queue{lines: make(chan string, maxQueued), written: make(chan struct{})}
	report := slog.New(c.handler(w))
	go func() {
		defer close(q.written)
		for line := range q.lines {
			if line == lastLine {
				return
			}
			_, _ = io.WriteString(w, c.Hide(line)) // a log that cannot be written has no other place to say so
			if n := q.dropped.Swap(0); n > 0 {
				report.Warn("lines of the log were dropped: nobody read them in time", "lines", n)
			}
		}
	}()
	return &Log{slog.New(c.handler(q)), q}
}

// Close waits until the lines so far are written, but no longer than ctx. What
// is logged after it may be lost.
func (l *Log) Close(ctx context.Context) {
	select {
	case l.queue.lines <- lastLine:
	case <-ctx.Done():
		return
	}
	select {
	case <-l.queue.written:
	case <-ctx.Done():
	}
}

func (c *Config) handler(w io.Writer) slog.Handler {
	options := &slog.HandlerOptions{Level: c.LogLevel, ReplaceAttr: durationInWords}
	if c.LogFormat == LogJSON {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}

func durationInWords(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// queue takes lines without waiting.
type queue struct {
	lines   chan string
	dropped atomic.Int64
	written chan struct{} // closed when the lines before lastLine are written
}

// lastLine ends the writing. No line of a log is empty.
const lastLine = ""

// Write takes a line, or drops it where too many are waiting.
func (q *queue) Write(line []byte) (int, error) {
	select {
	case q.lines <- string(line):
	default:
		q.dropped.Add(1)
	}
	return len(line), nil
}

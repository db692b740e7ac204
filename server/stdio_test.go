package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// message is a JSON-RPC message as a client reads it.
type message struct {
	ID     json.RawMessage
	Method string
	Result map[string]any
	Error  *struct{ Code int }
}

// stdioUser talks to a ServeStdio of its own.
type stdioUser struct {
	t        *testing.T
	in       *io.PipeWriter
	out      *io.PipeReader
	stop     context.CancelFunc // what SIGTERM does
	messages chan message       // closed once ServeStdio has returned
	returned chan error
}

// mute starts a user that does not read.
func mute(t *testing.T, d *double, grace time.Duration) *stdioUser {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	u := &stdioUser{t: t, in: in, out: out, stop: stop, messages: make(chan message, 1000), returned: make(chan error, 1)}
	go func() {
		err := ServeStdio(ctx, d.MCPServer, StdioOptions{In: stdin, Out: stdout, Grace: grace, Logger: quiet()})
		_ = stdout.Close()
		u.returned <- err
	}()
	t.Cleanup(func() {
		stop()
		_, _ = in.Close(), out.Close()
	})
	return u
}

func dialStdio(t *testing.T, d *double, grace time.Duration) *stdioUser {
	t.Helper()
	u := mute(t, d, grace)
	go func() {
		defer close(u.messages)
		for lines := bufio.NewScanner(u.out); lines.Scan(); {
			var m message
			if json.Unmarshal(lines.Bytes(), &m) == nil {
				u.messages <- m
			}
		}
	}()
	return u
}

func (u *stdioUser) send(lines ...string) {
	u.t.Helper()
	for _, line := range lines {
		_, err := io.WriteString(u.in, line+"\n")
		require.NoError(u.t, err)
	}
}

// rest returns the answers that come until the server has returned, which must be
// without an error.
func (u *stdioUser) rest() []message {
	u.t.Helper()
	var all []message
	for m := range u.messages {
		if m.Method == "" {
			all = append(all, m)
		}
	}
	require.NoError(u.t, <-u.returned)
	return all
}

func TestStdioSpeaksEveryRevision(t *testing.T) {
	for _, revision := range revisions {
		u := dialStdio(t, newDouble(t), time.Hour)
		u.send(request(1, "tools/list", revision))
		assert.Len(t, (<-u.messages).Result["tools"], 5, revision)
		require.NoError(t, u.in.Close())
		assert.Empty(t, u.rest())
	}
}

// The input ends at once, and an hour is left for calls in flight: an answer that
// is lost, or waited for in vain, shows.
func TestStdioInput(t *testing.T) {
	const none, invalidRequest, parseError = 0, -32600, -32700
	tests := map[string]struct {
		in   string
		ids  string // of the answers
		code int    // of the errors
	}{
		"call":                    {call(1, "echo") + "\n", "1", none},
		"no line end":             {call(1, "echo"), "1", none},
		"CRLF":                    {call(1, "echo") + "\r\n" + ping(2) + "\r\n", "1 2", none},
		"blank lines":             {"\n\r\n  \n" + call(1, "echo") + "\n\n", "1", none},
		"nothing":                 {"", "", none},
		"odd ids":                 {ping(`"a b"`) + "\n" + ping("1.5"), `"a b" 1.5`, none},
		"no JSON":                 {"hello\n" + call(1, "echo"), "1 null", parseError},
		"batch":                   {"[" + ping(1) + "]\n" + call(2, "echo"), "2 null", parseError},
		"id of no kind":           {ping("{}"), "{}", none},
		"wrong version":           {`{"jsonrpc":"1.0","id":1,"method":"ping"}`, "1", invalidRequest},
		"unknown method":          {request(1, "no/such", ""), "1", -32601},
		"unknown tool":            {call(1, "no-such"), "1", -32602},
		"panic":                   {call(1, "crash"), "1", -32603},
		"subscription to nothing": {request(1, "subscriptions/listen", "2026-07-28"), "1", none},
		"notification":            {`{"jsonrpc":"2.0","method":"notifications/initialized"}`, "", none},
		"wrong notification":      {`{"jsonrpc":"2.0","method":"x","params":5}`, "null", parseError},
		"an answer":               {`{"jsonrpc":"2.0","id":1,"result":{}}`, "", none},
		"long line":               {`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + strings.Repeat("x", 5<<20) + `"}}`, "1", none},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			u := dialStdio(t, newDouble(t), time.Hour)
			go func() {
				_, _ = io.WriteString(u.in, test.in)
				_ = u.in.Close()
			}()
			var ids []string
			for _, m := range u.rest() {
				ids = append(ids, string(m.ID))
				if m.Error != nil {
					assert.Equal(t, test.code, m.Error.Code)
				}
			}
			if len(ids) == 2 && ids[0] > ids[1] {
				ids[0], ids[1] = ids[1], ids[0]
			}
			assert.Equal(t, test.ids, strings.Join(ids, " "))
		})
	}
}

func TestStdioSlowCallsDoNotHoldUpOthers(t *testing.T) {
	d := newDouble(t)
	u := dialStdio(t, d, time.Hour)
	for id := range 20 {
		u.send(call(id, "slow"))
	}
	d.await(20)
	u.send(ping(100), call(101, "echo"))
	got := []string{string((<-u.messages).ID), string((<-u.messages).ID)}
	assert.ElementsMatch(t, []string{"100", "101"}, got)
	close(d.release)
}

func TestStdioAnswersWhatWasRead(t *testing.T) {
	const many = 3 * stdioWorkers
	ends := map[string]func(u *stdioUser){
		"end of input": func(u *stdioUser) { _ = u.in.Close() },
		"signal":       func(u *stdioUser) { u.stop() },
		"input fails":  func(u *stdioUser) { _ = u.in.CloseWithError(errors.New("device gone")) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t)
			u := dialStdio(t, d, time.Hour)
			for range many {
				u.send(call(1, "slow"))
			}
			u.send("") // what was sent before has been read once this is
			d.await(stdioWorkers)
			end(u)
			close(d.release)
			answers := u.rest()
			assert.Len(t, answers, many)
			for _, m := range answers {
				assert.NotNil(t, m.Result)
			}
			assert.Empty(t, d.cancelled)
		})
	}
}

func TestStdioReadsNothingAfterASignal(t *testing.T) {
	d := newDouble(t)
	u := dialStdio(t, d, time.Hour)
	u.send(call(1, "slow"))
	d.await(1)
	u.stop()
	for range 100 { // the signal is noticed at some time
		u.send(call(2, "echo"))
	}
	close(d.release)
	answers := u.rest()
	assert.Less(t, len(answers), 101)
}

func TestStdioCancelsCallsThatOutlastTheGrace(t *testing.T) {
	const many = 3 * stdioWorkers // most of which no worker has taken
	d := newDouble(t)
	u := dialStdio(t, d, time.Millisecond)
	for range many {
		u.send(call(1, "slow"))
	}
	u.send("")
	d.await(stdioWorkers)
	require.NoError(t, u.in.Close())
	answers := u.rest()
	assert.Len(t, answers, many, "each is answered all the same")
	for _, m := range answers {
		assert.NotNil(t, m.Error)
	}
}

func TestStdioLeavesBehindCallsThatHeedNoCancellation(t *testing.T) {
	d := newDouble(t)
	u := dialStdio(t, d, time.Millisecond)
	u.send(call(1, "stubborn"))
	d.await(1)
	u.stop()
	assert.Empty(t, u.rest())
	close(d.release)
}

func TestStdioFinishesCallsWhoseClientIsGone(t *testing.T) {
	d := newDouble(t)
	u := mute(t, d, time.Hour)
	u.send(call(1, "slow"))
	d.await(1)
	require.NoError(t, u.out.Close())
	u.send(ping(2)) // its answer finds nobody, which ends the server
	close(d.release)
	require.NoError(t, <-u.returned)
	assert.Empty(t, d.cancelled)
}

func TestStdioEndsThoughItsClientDoesNotRead(t *testing.T) {
	d := newDouble(t)
	u := mute(t, d, time.Millisecond)
	u.send(call(1, "echo"), call(2, "slow"), "")
	d.await(1)
	require.NoError(t, u.in.Close())
	require.NoError(t, <-u.returned)
}

func TestStdioSaysWhyItDidNotBegin(t *testing.T) {
	d := newDouble(t)
	u := dialStdio(t, d, time.Hour)
	u.send(ping(1))
	<-u.messages
	silent, _ := io.Pipe()
	err := ServeStdio(t.Context(), d.MCPServer, StdioOptions{In: silent, Out: io.Discard, Grace: time.Hour, Logger: quiet()})
	require.ErrorContains(t, err, "serve MCP on stdio", "the server has its session already")
}

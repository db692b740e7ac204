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
	ID     any
	Method string
	Result map[string]any
	Error  *struct {
		Code    int
		Message string
	}
}

// stdioClient talks to a ServeStdio of its own.
type stdioClient struct {
	t        *testing.T
	in       *io.PipeWriter
	stop     context.CancelFunc // what SIGTERM does
	messages chan message       // closed once ServeStdio has returned
	returned chan error
}

func dialStdio(t *testing.T, d *double, grace time.Duration) *stdioClient {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	inReader, in := io.Pipe()
	out, outWriter := io.Pipe()
	c := &stdioClient{t: t, in: in, stop: stop, messages: make(chan message, 1000), returned: make(chan error, 1)}
	go func() {
		err := ServeStdio(ctx, d.MCPServer, inReader, outWriter, grace, quiet())
		_ = outWriter.Close()
		c.returned <- err
	}()
	go func() {
		defer close(c.messages)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var m message
			if json.Unmarshal(lines.Bytes(), &m) == nil {
				c.messages <- m
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		_ = in.Close()
	})
	return c
}

func (c *stdioClient) send(lines ...string) {
	c.t.Helper()
	for _, line := range lines {
		_, err := io.WriteString(c.in, line+"\n")
		require.NoError(c.t, err)
	}
}

func (c *stdioClient) receive() message {
	c.t.Helper()
	m, ok := <-c.messages
	require.True(c.t, ok, "the server is gone")
	return m
}

// rest returns what comes until the server has returned, which must be without
// an error.
func (c *stdioClient) rest() []message {
	c.t.Helper()
	var all []message
	for m := range c.messages {
		all = append(all, m)
	}
	require.NoError(c.t, <-c.returned)
	return all
}

func TestStdioSpeaksEveryRevision(t *testing.T) {
	for _, version := range legacyVersions {
		t.Run(version, func(t *testing.T) {
			c := dialStdio(t, newDouble(t), time.Minute)
			c.send(initialize(1, version))
			assert.Equal(t, version, c.receive().Result["protocolVersion"])
			c.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`, request(2, "tools/list"))
			assert.Len(t, c.receive().Result["tools"], 5)
			require.NoError(t, c.in.Close())
			assert.Empty(t, c.rest())
		})
	}
	t.Run("2026-07-28", func(t *testing.T) {
		c := dialStdio(t, newDouble(t), time.Minute)
		c.send(modernRequest(1, "server/discover"))
		assert.Contains(t, c.receive().Result["supportedVersions"], "2026-07-28")
		c.send(modernRequest(2, "tools/list"))
		assert.Len(t, c.receive().Result["tools"], 5)
		require.NoError(t, c.in.Close())
		assert.Empty(t, c.rest())
	})
}

func TestStdioSlowCallsDoNotBlockOthers(t *testing.T) {
	d := newDouble(t)
	c := dialStdio(t, d, time.Minute)
	for id := range 20 {
		c.send(call(id, "slow"))
	}
	for range 20 {
		<-d.started
	}
	c.send(request(100, "tools/list"), call(101, "echo"))
	assert.ElementsMatch(t, []any{100.0, 101.0}, []any{c.receive().ID, c.receive().ID})

	close(d.release)
	require.NoError(t, c.in.Close())
	assert.Len(t, c.rest(), 20)
}

func TestStdioAnswersWhatWasRead(t *testing.T) {
	ends := map[string]func(c *stdioClient){
		"end of input": func(c *stdioClient) { _ = c.in.Close() },
		"signal":       func(c *stdioClient) { c.stop() },
		"input fails":  func(c *stdioClient) { _ = c.in.CloseWithError(errors.New("device gone")) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t)
			c := dialStdio(t, d, time.Minute)
			c.send(call(1, "slow"), call(1, "slow"), call(`"1"`, "slow"))
			for range 3 {
				<-d.started
			}
			end(c)
			close(d.release)

			var ids []any
			for _, m := range c.rest() {
				require.Nil(t, m.Error)
				ids = append(ids, m.ID)
			}
			assert.ElementsMatch(t, []any{1.0, 1.0, "1"}, ids)
		})
	}
}

func TestStdioAnswersNoCancelledCall(t *testing.T) {
	d := newDouble(t)
	c := dialStdio(t, d, time.Minute)
	c.send(call(1, "slow"), call(2, "slow"), call(3, "stubborn"))
	for range 3 {
		<-d.started
	}
	c.send(cancel(1), cancel(3), cancel(7), request(5, "ping"))
	<-d.cancelled
	assert.InDelta(t, 5, c.receive().ID, 0)
	close(d.release)
	require.NoError(t, c.in.Close())

	var ids []any
	for _, m := range c.rest() {
		ids = append(ids, m.ID)
	}
	assert.ElementsMatch(t, []any{2.0, 3.0}, ids, "what came of a cancelled call after all goes out: it may have been paid for")
}

func TestStdioAnswersMoreCallsThanItHasWorkers(t *testing.T) {
	d := newDouble(t)
	c := dialStdio(t, d, time.Minute)
	for id := range 3 * stdioWorkers {
		c.send(call(id, "slow"))
	}
	require.NoError(t, c.in.Close())
	go func() {
		for range d.started { // the queued ones would find it full
		}
	}()
	close(d.release)
	assert.Len(t, c.rest(), 3*stdioWorkers)
	close(d.started)
}

func TestStdioCancelsWhatOutlastsTheGrace(t *testing.T) {
	d := newDouble(t)
	c := dialStdio(t, d, time.Millisecond)
	c.send(call(1, "slow"))
	<-d.started
	c.stop()
	<-d.cancelled
	last := c.rest()
	require.Len(t, last, 1)
	assert.NotNil(t, last[0].Error, "no result can have come")
}

func TestStdioAnswersEachCallOnceThoughTheGraceEnds(t *testing.T) {
	d := newDouble(t)
	c := dialStdio(t, d, time.Millisecond)
	var want []any
	for id := range 3 * stdioWorkers { // most of which no worker takes
		c.send(call(id, "slow"))
		want = append(want, float64(id))
	}
	c.send(call(`"a<b"`, "slow"), call(0, "slow"))
	want = append(want, "a<b", 0.0)
	for range stdioWorkers {
		<-d.started
	}
	go func() {
		for range d.started { // by those that are taken yet
		}
	}()
	go func() {
		for range d.cancelled {
		}
	}()
	require.NoError(t, c.in.Close())

	var ids []any
	for _, m := range c.rest() {
		if assert.NotNil(t, m.Error) {
			assert.Equal(t, -32603, m.Error.Code)
		}
		ids = append(ids, m.ID)
	}
	assert.ElementsMatch(t, want, ids)
	close(d.started)
	close(d.cancelled)
}

func TestStdioRefusesCallsBeyondItsQueue(t *testing.T) {
	d := newDouble(t)
	c := dialStdio(t, d, time.Minute)
	for id := range stdioQueue {
		c.send(call(id, "slow"))
	}
	c.send(call(-1, "slow"))
	refused := c.receive()
	assert.EqualValues(t, -1, refused.ID)
	require.NotNil(t, refused.Error)
	assert.Equal(t, "Too many calls are waiting. Call again when some have been answered.", refused.Error.Message)

	c.send(request(-2, "ping"))
	assert.EqualValues(t, -2, c.receive().ID, "other requests are served")

	go func() {
		for range d.started {
		}
	}()
	close(d.release)
	require.NoError(t, c.in.Close())
	assert.Len(t, c.rest(), stdioQueue)
	close(d.started)
}

func TestStdioLeavesBehindWhatHeedsNoCancellation(t *testing.T) {
	d := newDouble(t)
	c := dialStdio(t, d, time.Millisecond)
	c.send(call(1, "stubborn"))
	<-d.started
	c.stop()
	last := c.rest()
	require.Len(t, last, 1)
	assert.EqualValues(t, 1, last[0].ID)
	require.NotNil(t, last[0].Error)
	assert.Equal(t, "The server ended before this call was answered.", last[0].Error.Message)
	close(d.release)
}

func TestStdioDoesNotWaitForSubscriptions(t *testing.T) {
	c := dialStdio(t, newDouble(t), time.Hour)
	c.send(`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{` + oneLine(modern) + `,"notifications":{"toolsListChanged":true}}}`)
	assert.Equal(t, "notifications/subscriptions/acknowledged", c.receive().Method)
	require.NoError(t, c.in.Close())
	c.rest()
}

func TestStdioFinishesCallsWhoseClientIsGone(t *testing.T) {
	d := newDouble(t)
	in, send := io.Pipe()
	out, answer := io.Pipe()
	returned := make(chan error, 1)
	go func() { returned <- ServeStdio(t.Context(), d.MCPServer, in, answer, time.Minute, quiet()) }()

	_, err := io.WriteString(send, call(1, "slow")+"\n")
	require.NoError(t, err)
	<-d.started
	require.NoError(t, out.Close())
	_, err = io.WriteString(send, call(2, "echo")+"\n") // its answer finds nobody
	require.NoError(t, err)

	close(d.release)
	require.NoError(t, <-returned)
	assert.Empty(t, d.cancelled)
	require.NoError(t, send.Close())
}

func TestStdioInput(t *testing.T) {
	const parseError, invalidRequest = -32700, -32600
	tests := map[string]struct {
		in   string
		ids  []any // of the answers; nil stands for an error that names no call
		code int   // of the errors
	}{
		"no line end":        {in: call(1, "echo"), ids: []any{1.0}},
		"CRLF":               {in: call(1, "echo") + "\r\n" + call(2, "echo") + "\r\n", ids: []any{1.0, 2.0}},
		"byte order mark":    {in: "\uFEFF" + call(1, "echo") + "\n", ids: []any{1.0}},
		"blank lines":        {in: "\n\r\n  \n" + call(1, "echo") + "\n\n", ids: []any{1.0}},
		"nothing":            {},
		"only a mark":        {in: "\uFEFF"},
		"string id":          {in: call(`"a<b"`, "echo"), ids: []any{"a<b"}},
		"fractional id":      {in: call("1.5", "echo"), ids: []any{1.5}},
		"id beyond a double": {in: call("12345678901234567890", "echo"), ids: []any{12345678901234567890.0}, code: invalidRequest},
		"no JSON":            {in: "hello\n" + call(1, "echo"), ids: []any{nil, 1.0}, code: parseError},
		"trailing garbage":   {in: call(1, "echo") + "x", ids: []any{nil}, code: parseError},
		"batch":              {in: "[" + call(1, "echo") + "]\n" + call(2, "echo"), ids: []any{nil, 2.0}, code: invalidRequest},
		"wrong version type": {in: `{"jsonrpc":2,"id":1,"method":"ping"}`, ids: []any{1.0}, code: invalidRequest},
		"unknown method":     {in: request(1, "no/such"), ids: []any{1.0}, code: -32601},
		"notification":       {in: `{"jsonrpc":"2.0","method":"notifications/initialized"}`},
		"an answer":          {in: `{"jsonrpc":"2.0","id":1,"result":{}}`},
		"panic":              {in: call(1, "crash"), ids: []any{1.0}, code: -32603},
		"too long":           {in: strings.Repeat("x", maxLine+1) + "\n" + call(1, "echo"), ids: []any{nil, 1.0}, code: invalidRequest},
		"just short enough":  {in: `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + strings.Repeat("x", maxLine-100) + `"}}`, ids: []any{1.0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := dialStdio(t, newDouble(t), time.Hour) // a call lost would hold it up
			go func() {
				_, _ = io.WriteString(c.in, test.in)
				_ = c.in.Close()
			}()
			var ids []any
			for _, m := range c.rest() {
				ids = append(ids, m.ID)
				if m.Error != nil {
					assert.Equal(t, test.code, m.Error.Code)
				}
			}
			assert.ElementsMatch(t, test.ids, ids)
		})
	}
}

func TestStdioSaysWhyItDidNotBegin(t *testing.T) {
	d := newDouble(t)
	c := dialStdio(t, d, time.Minute)
	c.send(request(1, "ping"))
	c.receive()
	// The same server has its session already.
	err := ServeStdio(t.Context(), d.MCPServer, strings.NewReader(""), io.Discard, time.Minute, quiet())
	require.ErrorContains(t, err, "serve MCP on stdio")
	require.NoError(t, c.in.Close())
	c.rest()
}

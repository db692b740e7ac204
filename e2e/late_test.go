//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store/redis/redistest"
)

// The caller that leaves while the vendor is at work, and however it leaves,
// has its answer kept for the next caller. Other ways to leave are in TestMoney.
func TestLateAnswerIsNotLost(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(t *testing.T, v *vendor, e environment){
		"the client disconnects":     disconnect,
		"the command is interrupted": interruptCommand,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startVendor(t)
			e := against(t, v, sqliteFile(t))
			v.holdBack()

			leave(t, v, e)

			s := start(t, e)
			later := s.portraitOf(t, kol)
			assert.True(t, later.Structured.Source.FromStore)
			assert.False(t, later.Structured.Source.Charged)
			assert.Equal(t, 1, v.Requests(kol), "requests")
			s.end(t)
		})
	}
}

// disconnect ends a request over HTTP, which is what mcp-go's client does with a
// call that is cancelled.
func disconnect(t *testing.T, v *vendor, e environment) {
	t.Helper()
	s, addr := serveHTTP(t, e)
	s.connect(t, addr)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, _, err := ask(ctx, s.Client, map[string]any{"kolId": kol})
		failed <- err
	}()
	<-v.arrived
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	v.release()
	s.stop(t)
}

// interruptCommand is Ctrl-C, upon which the command says what it waits for.
func interruptCommand(t *testing.T, v *vendor, e environment) {
	t.Helper()
	s, _, _ := spawn(t, e, "portrait", kol)
	<-v.arrived
	require.NoError(t, s.cmd.Process.Signal(os.Interrupt))
	s.log.find(t, regexp.MustCompile(`Waiting for portraits that the vendor may charge for: 1, at most \S+`))
	v.release()
	require.Error(t, <-s.exited, "the command has not printed the portrait")
}

// The client that tells a server to end may kill it soon after: nothing is
// begun then whose answer might be lost.
func TestNothingBeginsAfterTheEndIsAnnounced(t *testing.T) {
	t.Parallel()
	const calls = 20
	v := startVendor(t)
	s, stdin, stdout := spawn(t, against(t, v, sqliteFile(t)).with("JUSTONEAPI_MAX_RPS", "0.5"))
	v.holdBack()
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	var requests strings.Builder
	requests.WriteString(`{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"e2e","version":"1"}}}` + "\n")
	for i := range calls {
		fmt.Fprintf(&requests, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"get_kol_fans_portrait","arguments":{"kolId":"kol-%[1]d"}}}`+"\n", i)
	}
	requests.WriteString(`{"jsonrpc":"2.0","id":"all read","method":"ping"}` + "\n")
	_, err := io.WriteString(stdin, requests.String())
	require.NoError(t, err)
	for answered := 0; answered < 2; answered++ { // the hello and the ping, in either order
		require.True(t, lines.Scan())
		require.Regexp(t, `"hello"|"all read"`, lines.Text())
	}
	<-v.arrived
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	for range calls - 2 { // the signal may come later than a second request
		require.True(t, lines.Scan())
		assert.Regexp(t, "The server is shutting down.|The call ended before it was begun.", lines.Text())
		assert.Contains(t, lines.Text(), `"charged":false`)
	}
	v.release()
	for lines.Scan() { // what is paid for, until the end
	}
	require.NoError(t, <-s.exited, s.log.String())
	assert.LessOrEqual(t, v.Charged(), 2)
}

// Redis goes away while the vendor is at work, and comes back.
func TestAnswerOutlivesRedis(t *testing.T) {
	t.Parallel()
	v, redis := startVendor(t), redistest.Start(t)
	e := against(t, v, redis.URL())
	s := start(t, e)
	v.holdBack()
	answered := make(chan answer, 1)
	go func() { answered <- s.portraitOf(t, kol) }()
	<-v.arrived
	redis.Kill()
	v.release()
	assert.True(t, (<-answered).Structured.Source.Charged, "the caller that waited has the answer")
	assert.False(t, s.portraitOf(t, kol).Structured.Source.Charged, "so has one that comes while Redis is down")
	other := call(t.Context(), t, s.Client, map[string]any{"kolId": "another"})
	require.NotNil(t, other.Structured.Error)
	assert.Equal(t, schema.StoreUnavailable, other.Structured.Error.Kind)
	assert.Zero(t, v.Requests("another"))

	redis.Restart()
	s.end(t) // which stores what is not stored yet

	next := start(t, e)
	assert.True(t, next.portraitOf(t, kol).Structured.Source.FromStore)
	assert.Equal(t, 1, v.Requests(kol))
	next.end(t)
}

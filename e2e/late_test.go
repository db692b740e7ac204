//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store/redis/redistest"
)

// A way to leave is what becomes of a caller, or of its server, while the
// vendor is at work on the caller's portrait.
type wayToLeave struct {
	name  string
	leave func(t *testing.T, v *vendor, e environment)
}

func waysToLeave() []wayToLeave {
	return []wayToLeave{
		{"the caller waits no longer", waitNoLonger},
		{"the client cancels", cancelTheCall},
		{"the client disconnects", disconnect},
		{"stdin closes", closeStdin},
		{"stdin closes, and the next process does not wait for the end of the first", closeStdinAndGoOn},
		{"the process is told to end", terminate},
		{"the process is told to end in many ways at once", terminateAgainAndAgain},
		{"the command is interrupted", interruptCommand},
	}
}

// Whoever leaves, and however: the answer that was paid for is the next
// caller's.
func TestLateAnswerIsNotLost(t *testing.T) {
	for _, way := range waysToLeave() {
		for store, open := range stores() {
			t.Run(way.name+", "+store, func(t *testing.T) {
				v := startVendor(t)
				e := against(t, v, open(t)).with("PORTRAIT_ANSWER_WITHIN", "1s")
				v.holdBack()

				way.leave(t, v, e)

				s := start(t, e)
				later := s.portraitOf(t, kol)
				assert.True(t, later.Structured.Source.FromStore)
				assert.False(t, later.Structured.Source.Charged)
				assert.Equal(t, 1, v.Requests(kol), "requests")
				s.end(t)
			})
		}
	}
}

func waitNoLonger(t *testing.T, v *vendor, e environment) {
	t.Helper()
	s := start(t, e)
	began := time.Now()
	first := call(t.Context(), t, s.Client, map[string]any{"kolId": kol})
	assert.GreaterOrEqual(t, time.Since(began), time.Second)
	require.NotNil(t, first.Structured.Error)
	assert.Equal(t, schema.StillCollecting, first.Structured.Error.Kind)
	assert.True(t, first.Structured.Error.Retryable)
	assert.Positive(t, first.Structured.Error.RetryAfterSeconds)
	v.release()
	assert.False(t, s.portraitOf(t, kol).Structured.Source.Charged)
	s.end(t)
}

func cancelTheCall(t *testing.T, v *vendor, e environment) {
	t.Helper()
	s := start(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, _, err := ask(ctx, s.Client, map[string]any{"kolId": kol})
		failed <- err
	}()
	<-v.arrived
	cancel() // upon which mcp-go's client sends notifications/cancelled
	require.ErrorIs(t, <-failed, context.Canceled)
	v.release()
	s.end(t)
}

func disconnect(t *testing.T, v *vendor, e environment) {
	t.Helper()
	s, addr := serveHTTP(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/mcp", strings.NewReader(
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_kol_fans_portrait","arguments":{"kolId":"`+kol+`"}}}`))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	failed := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	<-v.arrived
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	v.release()
	s.signal(t, syscall.SIGTERM)
}

// callAndForget calls for the portrait and leaves the answer to itself.
func (s *server) callAndForget(t *testing.T) {
	t.Helper()
	go func() { _, _, _ = ask(t.Context(), s.Client, map[string]any{"kolId": kol}) }()
}

func closeStdin(t *testing.T, v *vendor, e environment) {
	t.Helper()
	s := start(t, e)
	s.callAndForget(t)
	<-v.arrived
	require.NoError(t, s.stdin.Close())
	v.release()
	require.NoError(t, <-s.exited, s.log.String())
}

func closeStdinAndGoOn(t *testing.T, v *vendor, e environment) {
	t.Helper()
	s := start(t, e)
	s.callAndForget(t)
	<-v.arrived
	require.NoError(t, s.stdin.Close())
	next := start(t, e.with("PORTRAIT_ANSWER_WITHIN", "1m"))
	answered := make(chan answer, 1)
	go func() { answered <- next.portraitOf(t, kol) }()
	v.release()
	assert.False(t, (<-answered).Structured.Source.Charged)
	require.NoError(t, <-s.exited, s.log.String())
	next.end(t)
}

func terminate(t *testing.T, v *vendor, e environment) {
	t.Helper()
	s := start(t, e)
	s.callAndForget(t)
	<-v.arrived
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	v.release()
	require.NoError(t, <-s.exited, s.log.String())
}

// terminateAgainAndAgain is what a terminal that closes, its shell and a client
// do together.
func terminateAgainAndAgain(t *testing.T, v *vendor, e environment) {
	t.Helper()
	s := start(t, e)
	s.callAndForget(t)
	<-v.arrived
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGTERM, os.Interrupt, syscall.SIGTERM} {
		require.NoError(t, s.cmd.Process.Signal(sig))
	}
	require.NoError(t, s.stdin.Close())
	v.release()
	require.NoError(t, <-s.exited, s.log.String())
}

func interruptCommand(t *testing.T, v *vendor, e environment) {
	t.Helper()
	s, _, _ := spawn(t, e, "portrait", kol)
	<-v.arrived
	require.NoError(t, s.cmd.Process.Signal(os.Interrupt))
	s.log.find(t, regexp.MustCompile("waiting for collections under way"))
	v.release()
	require.Error(t, <-s.exited, "the command has not printed the portrait")
}

// signal sends a signal and waits until the process has ended well.
func (s *server) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	require.NoError(t, s.cmd.Process.Signal(sig))
	require.NoError(t, <-s.exited, s.log.String())
}

// Whoever tells a server to end may kill it soon after: nothing is begun then
// whose answer might be lost.
func TestNothingBeginsAfterTheEndIsAnnounced(t *testing.T) {
	const calls = 20
	v := startVendor(t)
	s, stdin, stdout := spawn(t, against(t, v, sqliteFile(t)).with("JUSTONEAPI_MAX_RPS", "0.5"))
	v.holdBack()
	lines := bufio.NewScanner(stdout)
	_, err := io.WriteString(stdin, `{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"e2e","version":"1"}}}`+"\n")
	require.NoError(t, err)
	require.True(t, lines.Scan())
	var requests strings.Builder
	for i := range calls {
		fmt.Fprintf(&requests, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"get_kol_fans_portrait","arguments":{"kolId":"kol-%[1]d"}}}`+"\n", i)
	}
	requests.WriteString(`{"jsonrpc":"2.0","id":"all read","method":"ping"}` + "\n")
	_, err = io.WriteString(stdin, requests.String())
	require.NoError(t, err)
	for lines.Scan() && !strings.Contains(lines.Text(), `"all read"`) {
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

// Redis is killed while the vendor is at work.
func TestAnswerOutlivesRedis(t *testing.T) {
	v, redis := startVendor(t), redistest.Start(t)
	e := against(t, v, redis.URL())
	s := start(t, e)
	v.holdBack()
	answered := make(chan answer, 1)
	go func() { answered <- s.portraitOf(t, kol) }()
	<-v.arrived
	redis.Kill()
	v.release()
	assert.True(t, (<-answered).Structured.Source.Charged, "who waited has the answer")
	assert.True(t, s.portraitOf(t, kol).Structured.Source.FromStore, "so has who comes while Redis is down")
	other := call(t.Context(), t, s.Client, map[string]any{"kolId": "another"})
	require.NotNil(t, other.Structured.Error)
	assert.Equal(t, schema.StoreUnavailable, other.Structured.Error.Kind)
	assert.Zero(t, v.Requests("another"))

	redis.Restart()
	s.end(t) // which stores what is not stored yet

	next := start(t, e)
	assert.True(t, next.portraitOf(t, kol).Structured.Source.FromStore)
	assert.Equal(t, 1, v.Requests(kol))
}

// A server that is killed has lost nothing that it has answered.
func TestKilledServerHasStoredWhatItAnswered(t *testing.T) {
	for name, store := range stores() {
		t.Run(name, func(t *testing.T) {
			v := startVendor(t)
			e := against(t, v, store(t))
			for round := range 5 {
				kolID := "kol-" + string(rune('a'+round))
				s := start(t, e)
				s.portraitOf(t, kolID)
				s.kill(t)
				next := start(t, e)
				assert.True(t, next.portraitOf(t, kolID).Structured.Source.FromStore)
				next.kill(t)
			}
			assert.Equal(t, 5, v.Charged())
		})
	}
}

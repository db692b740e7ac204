//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store/redis/redistest"
)

// Whatever becomes of the caller and of its server while the vendor is at
// work, the answer that was paid for is the next caller's.
func TestLateAnswerIsNotLost(t *testing.T) {
	tests := map[string]func(t *testing.T, v *vendor, e environment){
		"the caller waits no longer": func(t *testing.T, v *vendor, e environment) {
			s := start(t, e)
			began := time.Now()
			first := call(t.Context(), t, s.Client, map[string]any{"kolId": kol})
			require.NotNil(t, first.Structured.Error)
			assert.Equal(t, schema.StillCollecting, first.Structured.Error.Kind)
			assert.True(t, first.Structured.Error.Retryable)
			assert.Positive(t, first.Structured.Error.RetryAfterSeconds)
			assert.GreaterOrEqual(t, time.Since(began), time.Second)
			v.release()
			assert.True(t, s.portraitOf(t, kol).Structured.Source.FromStore || !s.portraitOf(t, kol).Structured.Source.Charged)
			s.end(t)
		},
		"the client cancels": func(t *testing.T, v *vendor, e environment) {
			s := start(t, e)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, err := s.CallTool(ctx, mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "get_kol_fans_portrait", Arguments: map[string]any{"kolId": kol}}})
				assert.ErrorIs(t, err, context.Canceled)
			}()
			<-v.arrived
			cancel() // mcp-go's client sends notifications/cancelled
			<-done
			v.release()
			s.end(t)
		},
		"the client disconnects": func(t *testing.T, v *vendor, e environment) {
			s, addr := serveHTTP(t, e)
			ctx, cancel := context.WithCancel(t.Context())
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/mcp", strings.NewReader(
				`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_kol_fans_portrait","arguments":{"kolId":"`+kol+`"}}}`))
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Accept", "application/json, text/event-stream")
			done := make(chan struct{})
			go func() {
				defer close(done)
				resp, err := http.DefaultClient.Do(req)
				if err == nil {
					_ = resp.Body.Close()
				}
			}()
			<-v.arrived
			cancel()
			<-done
			v.release()
			s.signal(t, syscall.SIGTERM)
		},
		"stdin closes": func(t *testing.T, v *vendor, e environment) {
			s := start(t, e)
			go func() {
				_, _ = s.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "get_kol_fans_portrait", Arguments: map[string]any{"kolId": kol}}})
			}()
			<-v.arrived
			require.NoError(t, s.stdin.Close())
			v.release()
			require.NoError(t, <-s.exited, s.log.String())
		},
		"stdin closes, and the next process does not wait for the first to end": func(t *testing.T, v *vendor, e environment) {
			s := start(t, e)
			go func() {
				_, _ = s.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "get_kol_fans_portrait", Arguments: map[string]any{"kolId": kol}}})
			}()
			<-v.arrived
			require.NoError(t, s.stdin.Close())
			next := start(t, e.with("PORTRAIT_ANSWER_WITHIN", "1m"))
			answered := make(chan answer, 1)
			go func() { answered <- next.portraitOf(t, kol) }()
			v.release()
			assert.False(t, (<-answered).Structured.Source.Charged)
			require.NoError(t, <-s.exited, s.log.String())
		},
		"the process is told to end": func(t *testing.T, v *vendor, e environment) {
			s := start(t, e)
			go func() {
				_, _ = s.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "get_kol_fans_portrait", Arguments: map[string]any{"kolId": kol}}})
			}()
			<-v.arrived
			require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
			v.release()
			require.NoError(t, <-s.exited, s.log.String())
		},
		"the command is interrupted": func(t *testing.T, v *vendor, e environment) {
			s, _, _ := spawn(t, e, "portrait", kol)
			<-v.arrived
			require.NoError(t, s.cmd.Process.Signal(os.Interrupt))
			v.release()
			<-s.exited
		},
	}
	for name, leave := range tests {
		for store, open := range stores() {
			t.Run(name+", "+store, func(t *testing.T) {
				v := startVendor(t)
				e := against(t, v, open(t)).with("PORTRAIT_ANSWER_WITHIN", "1s")
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
}

// signal sends a signal and waits until the process has ended well.
func (s *server) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	require.NoError(t, s.cmd.Process.Signal(sig))
	require.NoError(t, <-s.exited, s.log.String())
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

package server

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// session opens an event stream, and returns it with its message endpoint.
func (s *httpServer) session() (*events, string) {
	s.t.Helper()
	e := s.events(http.MethodGet, "/sse", "")
	return e, e.data()
}

// Clients name the revision in a header, but send Mcp-Method and Mcp-Name to
// Streamable HTTP alone.
func TestSSESpeaksEveryRevision(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{})
	for _, revision := range revisions {
		e, endpoint := s.session()
		answer := s.do(http.MethodPost, endpoint, request(1, "tools/list", revision), "Mcp-Protocol-Version", revision)
		assert.Equal(t, http.StatusAccepted, answer.status)
		assert.Contains(t, e.data(), `"name":"echo"`, revision)
	}
}

func TestSSEStaysOpenWhileIdle(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{keepAlive: time.Millisecond})
	e, endpoint := s.session()
	assert.Equal(t, "text/event-stream", e.Get("Content-Type"))
	assert.Equal(t, "no", e.Get("X-Accel-Buffering"))
	for range 3 {
		assert.Equal(t, "keep-alive", e.next(": "))
	}
	s.do(http.MethodPost, endpoint, ping(1))
	assert.Contains(t, e.data(), `"id":1`)
}

func TestCommentsComeEvery15Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, document := httptest.NewRecorder(), httptest.NewRecorder()
		for w, kind := range map[*httptest.ResponseRecorder]string{stream: "text/event-stream", document: "application/json"} {
			answer := newEventWriter(w, keepAlive)
			answer.Header().Set("Content-Type", kind)
			answer.WriteHeader(http.StatusOK)
			time.Sleep(5*time.Minute + time.Second)
			answer.close()
			time.Sleep(time.Hour)
		}
		assert.Equal(t, 20, bytes.Count(stream.Body.Bytes(), []byte(": keep-alive\n\n")))
		assert.Empty(t, document.Body.String())
	})
}

func TestSSEBoundsTheCallsOfASession(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{})
	e, endpoint := s.session()
	post := func(body string) int { return s.do(http.MethodPost, endpoint, body).status }
	for range sessionCalls {
		require.Equal(t, http.StatusAccepted, post(call(1, "slow")))
	}
	d.await(sessionCalls)
	assert.Equal(t, http.StatusServiceUnavailable, post(ping(1)))
	assert.Equal(t, http.StatusAccepted, post(cancellation(7)), "which awaits no answer")
	assert.Equal(t, http.StatusBadRequest, post(ping(1)+"x"))

	other, elsewhere := s.session()
	require.Equal(t, http.StatusAccepted, s.do(http.MethodPost, elsewhere, ping(1)).status)
	assert.Contains(t, other.data(), `"id":1`)

	close(d.release)
	for range sessionCalls {
		assert.Contains(t, e.data(), `"id":1`)
	}
	assert.Eventually(t, func() bool { return post(ping(2)) == http.StatusAccepted }, time.Minute, time.Millisecond, "the last answer was read before it was counted")
	assert.Contains(t, e.data(), `"id":2`)
}

func TestSSECallsAreOverWhenTheirStreamIsGone(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{MaxCalls: 1, Grace: time.Hour})
	e, endpoint := s.session()
	require.Equal(t, http.StatusAccepted, s.do(http.MethodPost, endpoint, call(1, "slow")).status)
	d.await(1)
	_, elsewhere := s.session()
	require.Equal(t, http.StatusServiceUnavailable, s.do(http.MethodPost, elsewhere, call(1, "stubborn")).status)
	require.NoError(t, e.leave())
	assert.Eventually(t, func() bool {
		return s.do(http.MethodPost, endpoint, ping(1)).status == http.StatusBadRequest
	}, time.Minute, time.Millisecond)
	assert.Eventually(t, func() bool {
		return s.do(http.MethodPost, elsewhere, ping(1)).status == http.StatusAccepted
	}, time.Minute, time.Millisecond, "its calls count no longer")
	<-d.cancelled // nor do they go on
	s.stop()
	require.NoError(t, <-s.returned)
}

package server

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/telemetry"
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

func TestSSENamesThePublicAddress(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{PublicURL: "https://team.example.com/kol"})
	_, endpoint := s.session()
	assert.Regexp(t, `^https://team\.example\.com/kol/message\?sessionId=\w+$`, endpoint)
}

func TestSSETakesMessagesOfItsOwnCallerOnly(t *testing.T) {
	metrics := telemetry.NewMetrics(telemetry.Build{})
	s := listenHTTP(t, newDouble(t), HTTPOptions{Auth: Auth{Tokens: named(t, "alice="+aliceToken+",alice=alices-next-token,bob="+bobToken)}, Metrics: metrics})
	assert.Equal(t, http.StatusUnauthorized, s.do(http.MethodGet, "/sse", "").status)
	response := s.open(http.MethodGet, "/sse", nil, "Authorization", "Bearer "+aliceToken)
	e := &events{response.Header, bufio.NewScanner(response.Body), response.Body.Close}
	endpoint := e.data()
	for token, want := range map[string]int{
		"":                  http.StatusUnauthorized,
		bobToken:            http.StatusForbidden,
		aliceToken:          http.StatusAccepted,
		"alices-next-token": http.StatusAccepted,
	} {
		assert.Equal(t, want, s.do(http.MethodPost, endpoint, ping(1), "Authorization", "Bearer "+token).status, token)
	}
	for range 2 {
		assert.Contains(t, e.data(), `"id":1`)
	}
	assert.Equal(t, 1.0, value(t, metrics, `kol_portrait_requests_refused_total{reason="forbidden"}`))
}

func TestSSEStreamsAreBounded(t *testing.T) {
	handler := newHandler(t.Context(), newDouble(t).MCPServer, nil, newCalls(1, nil), newCalls(1, nil), HTTPOptions{Logger: quiet()})
	server := httptest.NewServer(handler)
	s := &httpServer{t: t, url: server.URL, client: server.Client()}
	first, _ := s.session()
	refused := s.do(http.MethodGet, "/sse", "")
	assert.Equal(t, http.StatusServiceUnavailable, refused.status)
	assert.Equal(t, "10", refused.header.Get("Retry-After"))
	require.NoError(t, first.leave())
	assert.Eventually(t, func() bool { return s.open(http.MethodGet, "/sse", nil).StatusCode == http.StatusOK }, time.Minute, time.Millisecond)
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

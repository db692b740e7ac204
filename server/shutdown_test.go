package server

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/telemetry"
)

func TestShutdownAnswersCallsInFlight(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{Streamable: true})
	idle, _ := s.session() // which nobody closes
	posted := s.postLater(call(1, "slow"))
	var streams []*events
	for range 2 {
		e, endpoint := s.session()
		for id := range 3 {
			require.Equal(t, http.StatusAccepted, s.do(http.MethodPost, endpoint, call(id, "slow")).status)
		}
		streams = append(streams, e)
	}
	d.await(7)
	s.stop()
	assert.Empty(t, idle.data(), "an idle stream is closed at once")
	close(d.release)

	assert.Contains(t, (<-posted).text, `"text":"done"`)
	for _, e := range streams {
		for range 3 {
			assert.Contains(t, e.data(), `"text":"done"`)
		}
		assert.Empty(t, e.data(), "the stream ends")
	}
	require.NoError(t, <-s.returned)
}

// Proxies notice the end by what is answered, on connections old and new.
func TestShutdownRefusesWhatComesLate(t *testing.T) {
	d := newDouble(t)
	metrics := telemetry.NewMetrics(telemetry.Build{})
	s := listenHTTP(t, d, HTTPOptions{Streamable: true, Metrics: metrics, MetricsAddr: "127.0.0.1:0"})
	_, endpoint := s.session()
	require.Equal(t, http.StatusAccepted, s.do(http.MethodPost, endpoint, call(1, "slow")).status)
	d.await(1)
	s.stop()
	require.Eventually(t, func() bool { return s.do(http.MethodGet, "/readyz", "").status == http.StatusServiceUnavailable }, time.Minute, time.Millisecond)
	require.Eventually(t, func() bool { return s.do(http.MethodPost, "/mcp", ping(1)).status == http.StatusServiceUnavailable }, time.Minute, time.Millisecond)
	assert.Equal(t, http.StatusOK, s.do(http.MethodGet, "/healthz", "").status)
	for path, method := range map[string]string{"/mcp": http.MethodPost, endpoint: http.MethodPost, "/sse": http.MethodGet} {
		response := s.open(method, path, strings.NewReader(ping(1)))
		assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode, path)
		assert.NotEmpty(t, response.Header.Get("Retry-After"), path)
		assert.True(t, response.Close, "the next request goes elsewhere")
	}
	assert.Equal(t, 1.0, value(t, metrics, "kol_portrait_calls_in_flight"))
	assert.Equal(t, 1.0, value(t, metrics, "kol_portrait_streams"))
	assert.Equal(t, 3.0, value(t, metrics, `kol_portrait_requests_refused_total{reason="busy"}`))
	assert.Equal(t, 1.0, value(t, metrics, `kol_portrait_requests_refused_total{reason="streams"}`))
	close(d.release)
	require.NoError(t, <-s.returned)
	assert.Equal(t, 0.0, value(t, metrics, "kol_portrait_calls_in_flight"))
	assert.Equal(t, 0.0, value(t, metrics, "kol_portrait_streams"))
}

// A proxy may send a call on a connection that it has kept, just when the server ends.
func TestShutdownAnswersWhatProxiesHaveSent(t *testing.T) {
	overPipes(t, func(t *testing.T, _ *double, p pipes, stop context.CancelFunc) {
		kept := p.dial()
		answers := bufio.NewReader(kept)
		for _, want := range []int{http.StatusOK, http.StatusServiceUnavailable} {
			_, err := io.WriteString(kept, rawPost(ping(1)))
			require.NoError(t, err)
			answer, err := http.ReadResponse(answers, nil)
			require.NoError(t, err)
			assert.Equal(t, want, answer.StatusCode)
			_, err = io.Copy(io.Discard, answer.Body)
			require.NoError(t, err)
			stop()
			time.Sleep(lastRequests - time.Millisecond)
		}
		require.NoError(t, kept.Close())
	})
}

// What would outlast the grace is answered by its own tool, which alone knows
// what became of the call.
func TestShutdownHasCancelledCallsAnswered(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{Streamable: true, Grace: unwind})
	e, endpoint := s.session()
	for id := range 3 {
		require.Equal(t, http.StatusAccepted, s.do(http.MethodPost, endpoint, call(id, "slow")).status)
	}
	posted := s.postLater(call(3, "slow"))
	d.await(4)
	s.stop()
	assert.Contains(t, (<-posted).text, "context canceled")
	for range 3 {
		assert.Contains(t, e.data(), "context canceled")
	}
	assert.Empty(t, e.data())
	require.NoError(t, <-s.returned)
}

func TestShutdownEndsWithTheGrace(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{Streamable: true, Grace: time.Millisecond})
	e, endpoint := s.session()
	s.do(http.MethodPost, endpoint, call(1, "stubborn"))
	var cut sync.WaitGroup
	cut.Go(func() {
		response, err := s.client.Post(s.url+"/mcp", "application/json", strings.NewReader(call(1, "stubborn")))
		if assert.Error(t, err, "the call is cut off") {
			return
		}
		_ = response.Body.Close()
	})
	d.await(2)
	s.stop()
	require.NoError(t, <-s.returned)
	cut.Wait()
	assert.Empty(t, e.data())
	close(d.release)
}

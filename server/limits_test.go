package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/telemetry"
)

// value returns the value of a series that metrics have, written as Prometheus does.
func value(t *testing.T, metrics *telemetry.Metrics, series string) float64 {
	t.Helper()
	w := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if number, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			require.NoError(t, err)
			return v
		}
	}
	require.Fail(t, "no such series", series)
	return 0
}

func TestRates(t *testing.T) {
	for _, test := range []struct {
		perSecond float64
		burst     int           // messages that may come at once
		wait      int           // seconds that the next is told to wait
		enough    time.Duration // that are enough for it
	}{
		{0.1, 1, 10, 10 * time.Second},
		{1, 1, 1, time.Second},
		{2.5, 3, 1, 400 * time.Millisecond},
		{50, 50, 1, 20 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			rates := newRates(test.perSecond, nil, quiet())
			for range test.burst {
				_, ok := rates.take(schema.WithCaller(t.Context(), "alice"))
				assert.True(t, ok)
			}
			for range 3 { // a refusal costs nothing
				wait, ok := rates.take(schema.WithCaller(t.Context(), "alice"))
				assert.False(t, ok)
				assert.Equal(t, test.wait, wait)
			}
			_, ok := rates.take(schema.WithCaller(t.Context(), "bob"))
			assert.True(t, ok)
			time.Sleep(test.enough)
			_, ok = rates.take(schema.WithCaller(t.Context(), "alice"))
			assert.True(t, ok)
		})
	}
	rates := newRates(1, nil, quiet())
	for i := range maxCallers + 1 {
		rates.take(schema.WithCaller(t.Context(), fmt.Sprint(i)))
	}
	assert.Equal(t, maxCallers, rates.callers.Len())
}

func TestCallersAreLimitedEachOnItsOwn(t *testing.T) {
	metrics := telemetry.NewMetrics(telemetry.Build{})
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true, CallerRPS: 0.001, Metrics: metrics, Auth: Auth{Tokens: named(t, "alice="+aliceToken+",bob="+bobToken)}})
	alice, bob := "Bearer "+aliceToken, "Bearer "+bobToken
	for range 3 {
		assert.Equal(t, http.StatusOK, s.open(http.MethodGet, "/sse", nil, "Authorization", alice).StatusCode, "which is no message")
	}
	assert.Equal(t, http.StatusOK, s.post(ping(1), "Authorization", alice).status)
	for _, path := range []string{"/mcp", "/message"} {
		refused := s.do(http.MethodPost, path, ping(1), "Authorization", alice, "Origin", "http://localhost")
		assert.Equal(t, http.StatusTooManyRequests, refused.status)
		assert.Contains(t, []string{"999", "1000"}, refused.header.Get("Retry-After"))
		assert.Contains(t, refused.header.Get("Access-Control-Expose-Headers"), "Retry-After")
		assert.Contains(t, refused.text, "MCP_CALLER_RPS")
	}
	assert.Equal(t, http.StatusOK, s.post(ping(1), "Authorization", bob).status)
	assert.Equal(t, http.StatusUnauthorized, s.post(ping(1)).status)
	assert.Equal(t, 2.0, value(t, metrics, `kol_portrait_requests_refused_total{reason="rate"}`))
}

func TestRequestsAreMeasured(t *testing.T) {
	metrics := telemetry.NewMetrics(telemetry.Build{})
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true, Metrics: metrics, Auth: Auth{Tokens: named(t, aliceToken)}})
	alice := []string{"Authorization", "Bearer " + aliceToken}
	response := s.open(http.MethodGet, "/sse", nil, alice...)
	for _, request := range []struct{ method, path, body string }{
		{"POST", "/mcp", ping(1)},
		{"POST", "/mcp/", ping(1)},
		{"POST", "/mcp", strings.Repeat(" ", maxBody+1)},
		{"GET", "/mcp", ""},
		{"POST", "/message", ping(1)},
		{"GET", "/no-such", ""},
	} {
		s.do(request.method, request.path, request.body, alice...)
	}
	s.post(ping(1))
	s.do(http.MethodGet, "/healthz", "")
	s.do(http.MethodGet, "/mcp", "", "Host", "evil.example")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/mcp", strings.NewReader(call(1, "crash")))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(alice[0], alice[1])
	_, err = s.client.Do(r)
	require.Error(t, err)

	count := func(method, route string, status int) float64 {
		return value(t, metrics, fmt.Sprintf(`http_server_request_duration_seconds_count{http_request_method=%q,http_response_status_code="%d",http_route=%q}`, method, status, route))
	}
	for _, want := range []struct {
		method, route string
		status        int
		count         float64
	}{
		{"POST", "/mcp", 200, 2},
		{"POST", "/mcp", 413, 1},
		{"POST", "/mcp", 401, 1},
		{"POST", "/mcp", 500, 1},
		{"GET", "_OTHER", 405, 1},
		{"POST", "/message", 400, 1},
		{"GET", "_OTHER", 404, 1},
		{"GET", "_OTHER", 403, 1},
		{"GET", "/healthz", 200, 1},
	} {
		assert.Equal(t, want.count, count(want.method, want.route, want.status), want)
	}
	require.NoError(t, response.Body.Close())
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		w := httptest.NewRecorder()
		metrics.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
		assert.Contains(c, w.Body.String(), `http_route="/sse"} 1`, "an event stream counts when it ends")
	}, time.Minute, time.Millisecond)
}

func TestMetricsAreForThoseWhoMayCall(t *testing.T) {
	metrics := telemetry.NewMetrics(telemetry.Build{})
	auth := Auth{Tokens: named(t, aliceToken)}
	const series = "kol_portrait_calls_in_flight 0"

	guarded := listenHTTP(t, newDouble(t), HTTPOptions{Auth: auth, Metrics: metrics})
	assert.Equal(t, http.StatusUnauthorized, guarded.do(http.MethodGet, "/metrics", "").status)
	assert.Equal(t, http.StatusForbidden, guarded.do(http.MethodGet, "/metrics", "", "Host", "evil.example").status)
	assert.Contains(t, guarded.do(http.MethodGet, "/metrics", "", "Authorization", "Bearer "+aliceToken).text, series)

	none := listenHTTP(t, newDouble(t), HTTPOptions{})
	assert.Equal(t, http.StatusNotFound, none.do(http.MethodGet, "/metrics", "").status)

	apart := listenHTTP(t, newDouble(t), HTTPOptions{Auth: auth, Metrics: telemetry.NewMetrics(telemetry.Build{}), MetricsAddr: "127.0.0.1:0"})
	assert.Equal(t, http.StatusNotFound, apart.do(http.MethodGet, "/metrics", "", "Authorization", "Bearer "+aliceToken).status)
	_, rest, _ := strings.Cut(apart.log.String(), `"metricsAddr":"`)
	addr, _, _ := strings.Cut(rest, `"`)
	listener := &httpServer{t: t, url: "http://" + addr, client: apart.client}
	assert.Contains(t, listener.do(http.MethodGet, "/metrics", "", "Host", "prometheus").text, series)
	assert.Equal(t, http.StatusNotFound, listener.do(http.MethodPost, "/mcp", ping(1)).status)
}

func TestMetricsAreServedUntilStopped(t *testing.T) {
	log := new(logText)
	stop, err := StartMetrics(t.Context(), "127.0.0.1:0", telemetry.NewMetrics(telemetry.Build{}), slog.New(slog.NewJSONHandler(log, nil)))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(log.String(), `"metricsAddr":"`)
	addr, _, _ := strings.Cut(rest, `"`)
	_, err = StartMetrics(t.Context(), addr, nil, quiet())
	require.ErrorContains(t, err, "listen at MCP_METRICS_ADDR")
	stop()
	again, err := StartMetrics(t.Context(), addr, telemetry.NewMetrics(telemetry.Build{}), quiet())
	require.NoError(t, err, "the address is free again")
	again()
}

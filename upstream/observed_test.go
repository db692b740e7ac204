package upstream

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"kol-portrait-mcp/telemetry"
)

// observing returns a context within a trace, the spans of that trace, and metrics.
func observing(t *testing.T) (context.Context, *tracetest.SpanRecorder, *telemetry.Metrics) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	ctx, _ := telemetry.Tracer(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))).Start(t.Context(), "collect")
	return ctx, spans, telemetry.NewMetrics(telemetry.Build{})
}

func scrape(m *telemetry.Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

func TestObservedAttempts(t *testing.T) {
	for name, test := range map[string]struct {
		answer  transport
		code    string
		kind    string // empty: it succeeds
		charged bool
	}{
		"a portrait":              {answering(200, `{"code":0,"data":{}}`), "0", "", true},
		"a code":                  {coded(303), "303", "daily_quota_exceeded", false},
		"a code under HTTP's own": {answering(400, `{"code":600}`), "600", "permission_denied", false},
		"a status alone":          {answering(502, ""), "http_502", "upstream_error", true},
		"an unreadable answer":    {answering(200, "{"), "network", "network", true},
		"no answer":               {unreachable, "network", "network", false},
		"a code of no table":      {coded(999), "999", "upstream_rejected", false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, spans, metrics := observing(t)
			c := testClient(test.answer, func(cfg *Config) {
				cfg.Metrics, cfg.MaxAttempts = metrics, 1
				cfg.BaseURL = "https://user:password@vendor.invalid:8443/path"
			})
			_, _ = c.Portrait(ctx, someID, false, admitAll)
			require.Len(t, spans.Ended(), 1)
			span := spans.Ended()[0]
			assert.Equal(t, "upstream attempt", span.Name())
			assert.Equal(t, trace.SpanKindClient, span.SpanKind())
			assert.Equal(t, trace.SpanContextFromContext(ctx).SpanID(), span.Parent().SpanID())
			want := map[attribute.Key]any{
				"http.request.method": "GET", "server.address": "vendor.invalid",
				"kol_portrait.endpoint": "portrait", "kol_portrait.attempt": int64(1), "kol_portrait.code": test.code, "kol_portrait.charged": test.charged,
			}
			status := otelcodes.Unset
			if test.kind != "" {
				want["error.type"], status = test.kind, otelcodes.Error
			}
			got := map[attribute.Key]any{}
			for _, a := range span.Attributes() {
				got[a.Key] = a.Value.AsInterface()
			}
			assert.Equal(t, want, got)
			assert.Equal(t, status, span.Status().Code)
			assert.Contains(t, scrape(metrics), `kol_portrait_upstream_attempts_total{code="`+test.code+`"} 1`)
			assert.Contains(t, scrape(metrics), "kol_portrait_upstream_attempt_duration_seconds_count 1\n")
		})
	}
}

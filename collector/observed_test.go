package collector_test

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"kol-portrait-mcp/collector"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store/memory"
	"kol-portrait-mcp/telemetry"
)

func TestWhatIsCounted(t *testing.T) {
	metrics := telemetry.NewMetrics(telemetry.Build{})
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New(), func(o *collector.Options) { o.Metrics = metrics })
		p.vendor.fails = func(request int) *schema.Error {
			return map[int]*schema.Error{
				1: {Kind: schema.RateLimited, Retryable: true}, 2: {Kind: schema.Network, Retryable: true, RetryAfterSeconds: 1, Charged: true},
			}[request]
		}
		assert.Equal(t, "rate_limited", p.call(t, false))
		assert.Equal(t, "network!", p.call(t, false))
		time.Sleep(time.Minute)
		assert.Equal(t, map[string]int{"charged": 1, "shared": 4}, p.many(t, 5, func(int) string { return kol }))
		assert.Equal(t, "stored", p.call(t, false))
		p.vendor.takes = 2 * time.Minute
		assert.Equal(t, "still_collecting!", p.callFor(t.Context(), t, "another", false))
		assert.Equal(t, "still_collecting", p.callFor(t.Context(), t, "another", false))
		require.NoError(t, p.Close(t.Context()))
	})
	answer := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`kol_portrait_charged_calls_total 3`, `kol_portrait_still_collecting_total 2`,
		`kol_portrait_portraits_total{source="vendor"} 5`, `kol_portrait_portraits_total{source="store"} 1`,
	} {
		assert.Contains(t, strings.Split(answer.Body.String(), "\n"), line)
	}
}

func TestAFlightHasASpanAndALogWithItsCaller(t *testing.T) {
	at(t, func(t *testing.T) {
		var log bytes.Buffer
		spans := tracetest.NewSpanRecorder()
		ctx, parent := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test").Start(t.Context(), "tools/call")
		p := start(newVendor(), memory.New(), func(o *collector.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		p.vendor.fails = func(request int) *schema.Error {
			return map[int]*schema.Error{1: {Kind: schema.CollectionFailed, Retryable: true}}[request]
		}
		ctx = schema.WithCaller(ctx, "red")
		for _, want := range []string{"collection_failed", "charged", "stored"} {
			assert.Equal(t, want, p.callFor(ctx, t, kol, true))
		}
		synctest.Wait()

		ended := spans.Ended()
		require.Len(t, ended, 2, "what is stored needs no flight")
		for i, want := range []struct {
			outcome string
			charged bool
			status  codes.Code
		}{{"collection_failed", false, codes.Error}, {"ok", true, codes.Unset}} {
			assert.Equal(t, "collect", ended[i].Name())
			assert.Equal(t, parent.SpanContext().SpanID(), ended[i].Parent().SpanID())
			assert.Equal(t, want.status, ended[i].Status().Code)
			assert.ElementsMatch(t, []attribute.KeyValue{
				attribute.Bool("kol_portrait.fresh", true), attribute.String("kol_portrait.outcome", want.outcome), attribute.Bool("kol_portrait.charged", want.charged),
			}, ended[i].Attributes())
		}
		for _, message := range []string{"a collection failed", "collected a portrait"} {
			assert.Regexp(t, message+`" kolId=`+kol+` caller=red `, log.String())
		}
		log.Reset()
		assert.Equal(t, "charged", p.callFor(t.Context(), t, "another", false))
		synctest.Wait()
		assert.NotContains(t, log.String(), "caller")
	})
}

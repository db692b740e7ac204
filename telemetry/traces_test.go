package telemetry_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"kol-portrait-mcp/collector"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
	"kol-portrait-mcp/server"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/memory"
	"kol-portrait-mcp/telemetry"
	"kol-portrait-mcp/tools"
	"kol-portrait-mcp/upstream"
)

const token = "vendor-token-0123456789"

// spanCollector is an OTLP collector.
type spanCollector struct {
	*httptest.Server
	mu       sync.Mutex
	bytes    []byte // all that came
	headers  http.Header
	resource map[string]string
	spans    []*tracepb.Span
}

func newCollector(t *testing.T) *spanCollector {
	t.Helper()
	c := &spanCollector{resource: map[string]string{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			body, _ = gzip.NewReader(r.Body)
		}
		raw, _ := io.ReadAll(body)
		var export collectorpb.ExportTraceServiceRequest
		if r.URL.Path != "/v1/traces" || proto.Unmarshal(raw, &export) != nil {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.bytes, c.headers = append(c.bytes, raw...), r.Header
		for _, of := range export.GetResourceSpans() {
			for _, a := range of.GetResource().GetAttributes() {
				c.resource[a.GetKey()] = a.GetValue().GetStringValue()
			}
			for _, scope := range of.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// setEnv sets the variables of OpenTelemetry's, of which none else is set.
func setEnv(t *testing.T, variables ...string) {
	t.Helper()
	for _, name := range []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_PROTOCOL",
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_SAMPLER", "OTEL_EXPORTER_OTLP_TIMEOUT",
	} {
		t.Setenv(name, "")
	}
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}

func startTraces(t *testing.T, log io.Writer) (*telemetry.Traces, error) {
	t.Helper()
	return telemetry.StartTraces(t.Context(), telemetry.Build{Version: "1.2.3"}, secret.New(token).Hide, slog.New(slog.NewTextHandler(log, nil)))
}

func TestNothingIsStarted(t *testing.T) {
	for name, test := range map[string]struct {
		env []string
		log string // what it has; empty: nothing is logged
		err string
	}{
		"no endpoint":        {},
		"a blank endpoint":   {env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT= "}},
		"the SDK is off":     {env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "OTEL_SDK_DISABLED=True"}},
		"no exporter":        {env: []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://localhost:4318", "OTEL_TRACES_EXPORTER=none"}},
		"another exporter":   {env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "OTEL_TRACES_EXPORTER=console"}, log: "OTLP over HTTP in protobuf alone"},
		"the other protocol": {env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, log: "OTLP over HTTP in protobuf alone"},
		"no scheme":          {env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=localhost:4318"}, err: "OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https address, such as http://localhost:4318"},
		"no header":          {env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "OTEL_EXPORTER_OTLP_HEADERS=Bearer secret"}, err: "OTEL_EXPORTER_OTLP_HEADERS has a header that is not NAME=VALUE, with odd characters as %XX"},
		"no time":            {env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "OTEL_EXPORTER_OTLP_TIMEOUT=10s"}, err: "OTEL_EXPORTER_OTLP_TIMEOUT is no number of milliseconds"},
		"no address":         {env: []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=:"}, err: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is not an http or https address, such as http://localhost:4318"},
	} {
		t.Run(name, func(t *testing.T) {
			setEnv(t, test.env...)
			var log bytes.Buffer
			before := runtime.NumGoroutine()
			traces, err := startTraces(t, &log)
			assert.LessOrEqual(t, runtime.NumGoroutine(), before)
			assert.Nil(t, traces)
			assert.Nil(t, traces.Provider())
			traces.Close(t.Context())
			if test.err != "" {
				require.EqualError(t, err, test.err)
			} else {
				require.NoError(t, err)
			}
			assert.Equal(t, test.log != "", log.Len() > 0)
			assert.Contains(t, log.String(), test.log)
		})
	}
}

func TestOpenTelemetrysOwnVariables(t *testing.T) {
	c := newCollector(t)
	setEnv(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20abc", "OTEL_RESOURCE_ATTRIBUTES=service.name=portraits,deployment.environment.name=test")
	traces, err := startTraces(t, io.Discard)
	require.NoError(t, err)
	_, span := telemetry.Tracer(traces.Provider()).Start(t.Context(), "one")
	span.End()
	traces.Close(t.Context())
	assert.Equal(t, "Bearer abc", c.headers.Get("Authorization"))
	assert.Equal(t, "portraits", c.resource["service.name"])
	assert.Equal(t, "1.2.3", c.resource["service.version"])
	assert.Equal(t, "test", c.resource["deployment.environment.name"])
	require.Len(t, c.spans, 1)

	setEnv(t, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+c.URL+"/v1/traces", "OTEL_TRACES_SAMPLER=always_off")
	traces, err = startTraces(t, io.Discard)
	require.NoError(t, err)
	_, span = telemetry.Tracer(traces.Provider()).Start(t.Context(), "two")
	span.End()
	traces.Close(t.Context())
	assert.Len(t, c.spans, 1, "the sampler is heeded")
}

// A collector that refuses costs a line of the log, in which nothing is to be secret:
// neither in its answer nor in what OpenTelemetry says of its variables.
func TestTracesThatCannotBeSent(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "we do not want "+token, http.StatusBadRequest)
	}))
	defer refusing.Close()
	setEnv(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+refusing.URL, "OTEL_EXPORTER_OTLP_HEADERS=authorization=header-secret", "OTEL_TRACES_SAMPLER=some")
	var log bytes.Buffer
	traces, err := startTraces(t, &log)
	require.NoError(t, err)
	_, span := telemetry.Tracer(traces.Provider()).Start(t.Context(), "one")
	span.End()
	traces.Close(t.Context())
	assert.Contains(t, log.String(), "unsupported sampler: some")
	assert.Contains(t, log.String(), "send spans: the collector answers 400")
	assert.Contains(t, log.String(), "we do not want ***")
	assert.NotContains(t, log.String(), token)
	assert.NotContains(t, log.String(), "header-secret")
}

func TestSpanWithoutAParentIsNone(t *testing.T) {
	ctx, span := telemetry.Start(t.Context(), "a")
	assert.Equal(t, t.Context(), ctx)
	assert.False(t, span.IsRecording())
	ctx, span = telemetry.StartClient(t.Context(), "b")
	assert.Equal(t, t.Context(), ctx)
	assert.False(t, span.IsRecording())
}

// One call of a tool is one trace: the call, the collection, the store's operations
// and the requests to the vendor. The vendor's token is nowhere in it, though the vendor
// quotes it.
func TestTraceOfACall(t *testing.T) {
	c := newCollector(t)
	setEnv(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL)
	traces, err := startTraces(t, io.Discard)
	require.NoError(t, err)

	asked := 0
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, token, r.URL.Query().Get("token"))
		assert.Empty(t, r.Header.Get("Traceparent"), "the vendor has no part in it")
		if asked++; asked == 1 {
			_, _ = fmt.Fprintf(w, `{"code":301,"message":"failed with %s"}`, token)
			return
		}
		_, _ = io.WriteString(w, `{"code":0,"data":{"gender":{"female":0.6,"male":0.4},"dateKey":"2026-11-20"}}`)
	}))
	defer vendor.Close()
	metrics := telemetry.NewMetrics(telemetry.Build{})
	log := slog.New(slog.DiscardHandler)
	portraits := collector.New(collector.Options{
		Upstream: upstream.New(upstream.Config{
			Environment: schema.EnvironmentGlobal, Endpoint: schema.PolicyPortrait, BaseURL: strings.Replace(vendor.URL, "//", "//user:password@", 1),
			Token: secret.New(token), MaxRPS: 1e6, Backoff: time.Millisecond, Metrics: metrics,
		}),
		Store:        func(context.Context) (store.Store, error) { return store.Observe(memory.New(), metrics), nil },
		AnswerWithin: time.Minute, Deadline: time.Minute, LeaseLasts: time.Minute, CacheTTL: time.Hour, MaxCharged: -1, MaxRPS: 1e6, Metrics: metrics, Now: time.Now, Logger: log,
	})
	built := tools.New(tools.Options{Collector: portraits, Now: time.Now, AnyID: true, Metrics: metrics, Logger: log}).Server("1")

	out := new(answers)
	require.NoError(t, server.ServeStdio(t.Context(), built, server.StdioOptions{
		In: strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_kol_fans_portrait","arguments":{"kolId":"5f0000000000000000000001"},` +
			`"_meta":{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}}`),
		Out: out, Grace: time.Minute, Traces: traces.Provider(), Metrics: metrics, Logger: log,
	}))
	require.Contains(t, out.String(), `"female":0.6`)
	require.NoError(t, portraits.Close(t.Context()))
	traces.Close(t.Context())

	byID, tree := map[string]*tracepb.Span{}, map[string]int{}
	for _, span := range c.spans {
		byID[string(span.GetSpanId())] = span
		assert.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", fmt.Sprintf("%x", span.GetTraceId()))
	}
	for _, span := range c.spans {
		path := span.GetName()
		for parent := byID[string(span.GetParentSpanId())]; parent != nil; parent = byID[string(parent.GetParentSpanId())] {
			path = parent.GetName() + " > " + path
		}
		tree[path]++
	}
	const call = "tools/call get_kol_fans_portrait"
	for _, path := range []string{
		call, call + " > store Newest", call + " > collect", call + " > collect > store Acquire", call + " > collect > store Save", call + " > collect > store Release",
	} {
		assert.Positive(t, tree[path], path)
	}
	assert.Equal(t, 2, tree[call+" > collect > upstream attempt"])
	for path := range tree {
		assert.True(t, strings.HasPrefix(path, call), path)
	}
	for _, span := range c.spans {
		if span.GetName() != "upstream attempt" {
			continue
		}
		attributes := map[string]string{}
		for _, a := range span.GetAttributes() {
			attributes[a.GetKey()] = strings.Trim(strings.SplitN(a.GetValue().String(), ":", 2)[1], `"`)
		}
		want := map[string]string{
			"http.request.method": "GET", "server.address": "127.0.0.1", "kol_portrait.endpoint": "portrait",
			"kol_portrait.attempt": "2", "kol_portrait.code": "0", "kol_portrait.charged": "true",
		}
		if attributes["kol_portrait.attempt"] == "1" {
			want["kol_portrait.attempt"], want["kol_portrait.code"], want["kol_portrait.charged"], want["error.type"] = "1", "301", "false", "collection_failed"
			assert.Equal(t, `The vendor could not collect this KOL's portrait (code 301): "failed with ***"`, span.GetStatus().GetMessage())
		}
		assert.Equal(t, want, attributes)
	}
	for _, hidden := range []string{token, "password", "/api/", "gender"} {
		assert.NotContains(t, string(c.bytes), hidden)
	}

	all := scrape(t, metrics)
	assert.Equal(t, map[string]float64{"code=301": 1, "code=0": 1}, all["kol_portrait_upstream_attempts_total"])
	assert.Equal(t, map[string]float64{"outcome=ok source=vendor tool=get_kol_fans_portrait": 1}, all["kol_portrait_calls_total"])
	assert.Equal(t, map[string]float64{"": 1}, all["kol_portrait_charged_calls_total"])
	assert.Equal(t, map[string]float64{"source=store": 0, "source=vendor": 1}, all["kol_portrait_portraits_total"])
}

// answers is what a server on stdio has written.
type answers struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (a *answers) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text.Write(p)
}

func (a *answers) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text.String()
}

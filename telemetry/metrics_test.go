package telemetry_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kol-portrait-mcp/telemetry"
	"kol-portrait-mcp/tools"
)

// scraped are the series of one scrape, in Prometheus' text: by the name of the
// family, the labels of each series with their values, and of plain ones the figure.
type scraped map[string]map[string]float64

func scrape(t rapid.TB, m *telemetry.Metrics) scraped {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Header().Get("Content-Type"), "text/plain")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(w.Body)
	require.NoError(t, err)
	found := scraped{}
	for name, family := range families {
		found[name] = map[string]float64{}
		for _, series := range family.GetMetric() {
			var labels []string
			for _, l := range series.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			figure := series.GetCounter().GetValue() + series.GetGauge().GetValue()
			if h := series.GetHistogram(); h != nil {
				figure = float64(h.GetSampleCount())
			}
			found[name][strings.Join(labels, " ")] = figure
		}
	}
	return found
}

// everything notes one of each.
func everything(m *telemetry.Metrics) {
	m.HTTPRequest("POST", "POST /mcp/{$}", 200, time.Second)
	m.Refused("rate")
	m.Operation(telemetry.Operation{Method: "tools/call", Tool: tools.PortraitToolName, Transport: "tcp", ProtocolVersion: "2026-07-28", ErrorType: "tool_error"}, time.Second)
	m.Call(tools.ComparisonToolName, "ok", "mixed")
	m.Attempt("301", time.Second)
	m.Charged()
	m.Portrait(true)
	m.StillCollecting()
	m.StoreError("Acquire")
	m.Watch(telemetry.Gauges{
		Calls: func() int { return 3 }, Streams: func() int { return 4 }, Flights: func() int { return 5 }, Budget: func() int { return 7 },
		BudgetLeft: func(context.Context) (int, bool) { return 6, true },
	})
}

func TestNamesOfMetrics(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{Version: "1.2.3", Commit: "abc"})
	everything(m)
	all := scrape(t, m)
	for name, want := range map[string]map[string]float64{
		"mcp_server_operation_duration_seconds": {
			"error_type=tool_error gen_ai_tool_name=get_kol_fans_portrait mcp_method_name=tools/call mcp_protocol_version=2026-07-28 network_transport=tcp": 1,
		},
		"http_server_request_duration_seconds":           {"http_request_method=POST http_response_status_code=200 http_route=/mcp": 1},
		"kol_portrait_calls_total":                       {"outcome=ok source=mixed tool=compare_kol_fans_portraits": 1},
		"kol_portrait_upstream_attempts_total":           {"code=301": 1},
		"kol_portrait_upstream_attempt_duration_seconds": {"": 1},
		"kol_portrait_charged_calls_total":               {"": 1},
		"kol_portrait_budget_remaining":                  {"": 6},
		"kol_portrait_budget":                            {"": 7},
		"kol_portrait_portraits_total":                   {"source=store": 1, "source=vendor": 0},
		"kol_portrait_flights":                           {"": 5},
		"kol_portrait_calls_in_flight":                   {"": 3},
		"kol_portrait_streams":                           {"": 4},
		"kol_portrait_still_collecting_total":            {"": 1},
		"kol_portrait_requests_refused_total": {
			"reason=unauthorized": 0, "reason=forbidden": 0, "reason=issuer": 0, "reason=busy": 0, "reason=rate": 1, "reason=streams": 0,
		},
	} {
		assert.Equal(t, want, all[name], name)
	}
	assert.Equal(t, 1.0, all["kol_portrait_store_errors_total"]["operation=Acquire"])
	assert.Regexp(t, `^commit=abc go_version=go\S+ version=1.2.3$`, slices.Collect(maps.Keys(all["kol_portrait_build_info"]))[0])
	assert.Contains(t, all, "go_goroutines")
	assert.Contains(t, all, "process_start_time_seconds")
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	assert.Equal(t, []string{"0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10", "30", "60", "120", "300", "+Inf"},
		submatches(`kol_portrait_upstream_attempt_duration_seconds_bucket\{le="(.*)"\}`, w.Body.String()))
}

// What callers and the vendor make up adds a bounded number of series.
func TestValuesThatAreMadeUpMakeNoSeries(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{})
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z/_]{1,30}`), rapid.StringMatching(`-?\d{4,9}`), rapid.Just("/mcp/../x"))
	note := func(s string) {
		m.HTTPRequest(s, s, len(s)*1000, 0)
		m.Refused(s)
		m.Operation(telemetry.Operation{Method: s, Tool: s, Prompt: s, ErrorType: s, Transport: s, ProtocolVersion: s}, 0)
		m.Call(s, s, s)
		m.Attempt(s, 0)
		m.StoreError(s)
	}
	count := func(t rapid.TB) (n int) {
		for name, series := range scrape(t, m) {
			if strings.HasPrefix(name, "kol_") || strings.HasPrefix(name, "mcp_") || strings.HasPrefix(name, "http_") {
				n += len(series)
			}
		}
		return n
	}
	note("x")
	note("")
	before := count(t)
	rapid.Check(t, func(t *rapid.T) {
		note(text.Filter(func(s string) bool { return s != "" }).Draw(t, "value"))
		require.Equal(t, before, count(t))
	})
}

// The values that are known are those of the packages that they come from.
func TestKnownValues(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{})
	for _, method := range []mcp.MCPMethod{
		mcp.MethodInitialize, mcp.MethodPing, mcp.MethodServerDiscover, mcp.MethodSubscriptionsListen, mcp.MethodSetLogLevel, mcp.MethodCompletionComplete,
		mcp.MethodToolsList, mcp.MethodToolsCall, mcp.MethodPromptsList, mcp.MethodPromptsGet, mcp.MethodResourcesList, mcp.MethodResourcesTemplatesList,
		mcp.MethodResourcesRead, mcp.MethodResourcesSubscribe, mcp.MethodResourcesUnsubscribe,
		mcp.MethodTasksGet, mcp.MethodTasksList, mcp.MethodTasksResult, mcp.MethodTasksCancel,
	} {
		assert.Equal(t, string(method), telemetry.Operation{Method: string(method)}.Known().Method)
	}
	for _, version := range mcp.ValidProtocolVersions {
		assert.Equal(t, version, telemetry.Operation{ProtocolVersion: version}.Known().ProtocolVersion)
	}
	served := tools.New(tools.Options{}).Server("1")
	for name := range served.ListTools() {
		assert.Equal(t, name, telemetry.Operation{Tool: name}.Known().Tool)
	}
	for name := range served.ListPrompts() {
		assert.Equal(t, name, telemetry.Operation{Prompt: name}.Known().Prompt)
	}

	kinds := submatches(`Kind = "(\w+)"`, read(t, "../schema/error.go"))
	codes := submatches(`(?m)^\t(\d{3}): +\{schema`, read(t, "../upstream/codes.go"))
	operations := submatches(`(?m)^\t([A-Z]\w+)\(ctx context.Context`, read(t, "../store/store.go"))
	require.Greater(t, min(len(kinds), len(codes), len(operations)), 10)
	for _, code := range append(append(codes, "0", "http_502"), kinds...) {
		m.Attempt(code, 0)
	}
	for _, kind := range kinds {
		m.Call(tools.PortraitToolName, kind, "none")
	}
	for _, operation := range operations {
		m.StoreError(operation)
	}
	for _, route := range []string{
		"/mcp", "/mcp/{$}", "GET /sse", "POST /message", "GET /healthz", "GET /readyz", "GET /metrics",
		"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource/sse",
	} {
		m.HTTPRequest("GET", route, 200, 0)
	}
	for name, series := range scrape(t, m) {
		for labels := range series {
			assert.NotContains(t, labels, telemetry.Other, name)
		}
	}
	assert.Len(t, scrape(t, m)["kol_portrait_upstream_attempts_total"], len(kinds)+len(codes)+2)
}

func submatches(pattern, text string) (found []string) {
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// A budget that nobody knows is absent, not zero, and is not waited for.
func TestBudgetThatIsNotKnown(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Build{})
	var bounded bool
	m.Watch(telemetry.Gauges{BudgetLeft: func(ctx context.Context) (int, bool) {
		end, ok := ctx.Deadline()
		bounded = ok && time.Until(end) <= time.Second
		return 0, false
	}})
	all := scrape(t, m)
	assert.NotContains(t, all, "kol_portrait_budget_remaining")
	assert.NotContains(t, all, "kol_portrait_flights", "nobody looks at them")
	assert.True(t, bounded)
}

func TestNoMetrics(t *testing.T) {
	var m *telemetry.Metrics
	everything(m)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	assert.Equal(t, http.StatusNotFound, w.Code)
}

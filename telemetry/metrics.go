package telemetry

import (
	"context"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Build says what runs.
type Build struct {
	Version string // of the product
	Commit  string // that the binary was built from
}

// buckets are those that OpenTelemetry's conventions for MCP ask for, in seconds.
var buckets = []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300}

// scrapeWithin is how long a scrape waits for a gauge that asks the store.
const scrapeWithin = time.Second

// Metrics are what an operator watches, in the form of Prometheus. They hold no KOL's
// id, no token, and no value of a label that a caller could make up. All methods may
// be called on nil, and then do nothing.
type Metrics struct {
	registry *prometheus.Registry

	operations, requests     *prometheus.HistogramVec
	attempts                 prometheus.Histogram
	refused, calls, codes    *prometheus.CounterVec
	portraits, storeErrors   *prometheus.CounterVec
	charged, stillCollecting prometheus.Counter
}

// NewMetrics returns metrics that count from zero, in a registry of their own. Those of
// the Go runtime and of the process are among them.
func NewMetrics(b Build) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	histogram := func(name, help string) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}
	}
	m.operations = register(m, prometheus.NewHistogramVec(
		histogram("mcp_server_operation_duration_seconds", "How long requests of MCP took."),
		[]string{"mcp_method_name", "gen_ai_tool_name", "error_type", "network_transport", "mcp_protocol_version"}))
	m.requests = register(m, prometheus.NewHistogramVec(
		histogram("http_server_request_duration_seconds", "How long HTTP requests took."),
		[]string{"http_request_method", "http_route", "http_response_status_code"}))
	m.attempts = register(m, prometheus.NewHistogram(
		histogram("kol_portrait_upstream_attempt_duration_seconds", "How long the vendor took for a request.")))

	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return register(m, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels))
	}
	m.calls = counters("kol_portrait_calls_total", "Tool calls, by how they ended and where the portraits came from.", "tool", "outcome", "source")
	m.codes = counters("kol_portrait_upstream_attempts_total", "Requests to the vendor, by its code or by what went wrong.", "code")
	m.portraits = counters("kol_portrait_portraits_total", "Portraits handed out, by where they came from.", "source")
	m.storeErrors = counters("kol_portrait_store_errors_total", "Operations of the store that failed.", "operation")
	m.refused = counters("kol_portrait_requests_refused_total", "HTTP requests that were not served.", "reason")
	m.charged = register(m, prometheus.NewCounter(prometheus.CounterOpts{
		Name: "kol_portrait_charged_calls_total", Help: "Requests to the vendor that were, or may have been, charged.",
	}))
	m.stillCollecting = register(m, prometheus.NewCounter(prometheus.CounterOpts{
		Name: "kol_portrait_still_collecting_total", Help: "Portraits whose caller was told to come back later, or left.",
	}))
	register(m, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kol_portrait_build_info", Help: "What runs.",
		ConstLabels: prometheus.Labels{"version": b.Version, "commit": b.Commit, "go_version": runtime.Version()},
	}, func() float64 { return 1 }))

	// An alert on an increase needs the zero before it.
	for _, source := range []string{"store", "vendor"} {
		m.portraits.WithLabelValues(source)
	}
	for _, reason := range refusals {
		m.refused.WithLabelValues(reason)
	}
	for _, method := range storeMethods {
		m.storeErrors.WithLabelValues(method)
	}
	return m
}

func register[C prometheus.Collector](m *Metrics, c C) C {
	m.registry.MustRegister(c)
	return c
}

// Handler serves the metrics as Prometheus' text; of nil there are none.
func (m *Metrics) Handler() http.Handler {
	if m == nil {
		return http.NotFoundHandler()
	}
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// HTTPRequest notes a request that was answered. pattern is the one of net/http's that
// it matched, empty where none did.
func (m *Metrics) HTTPRequest(method, pattern string, status int, took time.Duration) {
	if m == nil {
		return
	}
	code := Other
	if status >= 100 && status < 600 {
		code = strconv.Itoa(status)
	}
	m.requests.WithLabelValues(known(method, httpMethods), route(pattern), code).Observe(took.Seconds())
}

// Refused notes a request that was not served. reason is one of the words unauthorized,
// forbidden, issuer, busy, rate or streams.
func (m *Metrics) Refused(reason string) {
	if m != nil {
		m.refused.WithLabelValues(known(reason, refusals)).Inc()
	}
}

// Operation is a request of MCP, in the words of OpenTelemetry's conventions.
type Operation struct {
	Method, Tool, Prompt string
	ErrorType            string // ToolError, the code of a protocol error, or empty
	Transport            string // pipe or tcp
	ProtocolVersion      string // empty where the client has not said
}

// Operation notes a request of MCP that was answered.
func (m *Metrics) Operation(o Operation, took time.Duration) {
	if m == nil {
		return
	}
	o = o.Known()
	m.operations.WithLabelValues(o.Method, o.Tool, o.ErrorType, o.Transport, o.ProtocolVersion).Observe(took.Seconds())
}

// Call notes a tool call that was answered. outcome is ok or the kind of its error;
// source is store, vendor, mixed (a comparison), or none.
func (m *Metrics) Call(tool, outcome, source string) {
	if m == nil {
		return
	}
	if outcome != "ok" {
		outcome = known(outcome, kinds)
	}
	m.calls.WithLabelValues(known(tool, toolNames), outcome, known(source, sources)).Inc()
}

// Attempt notes a request to the vendor. code is the vendor's business code, http_503 and
// the like, or the kind of the failure where there was no answer.
func (m *Metrics) Attempt(code string, took time.Duration) {
	if m != nil {
		m.codes.WithLabelValues(vendorCode(code)).Inc()
		m.attempts.Observe(took.Seconds())
	}
}

// Charged notes a request to the vendor that was, or may have been, charged.
func (m *Metrics) Charged() {
	if m != nil {
		m.charged.Inc()
	}
}

// Portrait notes a portrait that was handed out.
func (m *Metrics) Portrait(fromStore bool) {
	if m == nil {
		return
	}
	source := "vendor"
	if fromStore {
		source = "store"
	}
	m.portraits.WithLabelValues(source).Inc()
}

// StillCollecting notes a caller that was told so.
func (m *Metrics) StillCollecting() {
	if m != nil {
		m.stillCollecting.Inc()
	}
}

// StoreError notes an operation of the store that failed. operation is its method's name.
func (m *Metrics) StoreError(operation string) {
	if m != nil {
		m.storeErrors.WithLabelValues(known(operation, storeMethods)).Inc()
	}
}

// Gauges are what is looked at when the metrics are read. Each may be nil.
type Gauges struct {
	Calls      func() int                                    // in flight
	Streams    func() int                                    // open event streams
	Flights    func() int                                    // collections under way
	Budget     func() int                                    // charged calls that are allowed a day
	BudgetLeft func(ctx context.Context) (left int, ok bool) // of the day's budget; not ok where there is none, or the store does not tell. ctx ends within a second
}

// Watch adds gauges; those that are nil are left out. Each can be added once.
func (m *Metrics) Watch(g Gauges) {
	if m == nil {
		return
	}
	for name, gauge := range map[string]struct {
		help string
		read func() int
	}{
		"kol_portrait_calls_in_flight": {"Messages of MCP that await their answers.", g.Calls},
		"kol_portrait_streams":         {"Event streams that are open.", g.Streams},
		"kol_portrait_flights":         {"Collections under way.", g.Flights},
		"kol_portrait_budget":          {"Charged calls that are allowed a day.", g.Budget},
	} {
		if gauge.read != nil {
			register(m, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: gauge.help}, func() float64 { return float64(gauge.read()) }))
		}
	}
	if g.BudgetLeft != nil {
		register(m, budget(g.BudgetLeft))
	}
}

// budget is the gauge of what is left of the day's budget, which is absent while that
// is not known.
type budget func(ctx context.Context) (left int, ok bool)

var budgetDesc = prometheus.NewDesc("kol_portrait_budget_remaining", "Charged calls that the day's budget still allows.", nil, nil)

// Describe implements prometheus.Collector.
func (budget) Describe(descs chan<- *prometheus.Desc) { descs <- budgetDesc }

// Collect implements prometheus.Collector.
func (b budget) Collect(found chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeWithin)
	defer cancel()
	if left, ok := b(ctx); ok {
		found <- prometheus.MustNewConstMetric(budgetDesc, prometheus.GaugeValue, float64(left))
	}
}

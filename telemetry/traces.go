// Package telemetry is what an operator sees of the server: metrics that Prometheus
// reads, and traces that are sent to a collector of OpenTelemetry's.
package telemetry

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

const product = "kol-portrait-mcp"

// Traces sends spans to where OTEL_EXPORTER_OTLP_ENDPOINT or
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says.
type Traces struct {
	provider *sdktrace.TracerProvider
	warn     func(err error)
}

// StartTraces returns nil where neither variable is set, or OTEL_SDK_DISABLED is true, or
// OTEL_TRACES_EXPORTER or the protocol asks for what this server does not have: nothing
// is then started. Of the variables of the exporter those that newOTLPClient reads hold,
// and all of the SDK's. hide takes secrets out of text. The error names the variable
// that is wrong.
//
// StartTraces sets the error handler of package otel, which is the whole process's.
func StartTraces(ctx context.Context, b Build, hide func(string) string, log *slog.Logger) (*Traces, error) {
	if !tracesWanted(ctx, log) {
		return nil, nil
	}
	client, err := newOTLPClient()
	if err != nil {
		return nil, err
	}
	warn := func(err error) { log.Warn("traces are not made or sent as they should be", "error", hide(err.Error())) }
	otel.SetErrorHandler(otel.ErrorHandlerFunc(warn))
	exporter, err := otlptrace.New(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("start sending traces: %s", hide(err.Error()))
	}
	about, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", product), attribute.String("service.version", b.Version)),
		resource.WithFromEnv()) // it has the last word
	if err != nil {
		warn(err) // what can be read of it is in about
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	return &Traces{provider, warn}, nil
}

// tracesWanted reports whether the environment asks for traces, in a form that this
// server can send. A form that it cannot send is logged, but no error: a client that is
// traced itself hands its own variables down to the servers that it starts.
func tracesWanted(ctx context.Context, log *slog.Logger) bool {
	exporter := cmp.Or(os.Getenv("OTEL_TRACES_EXPORTER"), "otlp")
	protocol := cmp.Or(tracesVariable("PROTOCOL"), "http/protobuf")
	if tracesVariable("ENDPOINT") == "" || exporter == "none" || strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	if exporter != "otlp" || protocol != "http/protobuf" {
		log.WarnContext(ctx, "no traces are sent: this server sends OTLP over HTTP in protobuf alone", "OTEL_TRACES_EXPORTER", exporter, "protocol", protocol)
		return false
	}
	return true
}

// Provider makes tracers; it is nil where t is.
func (t *Traces) Provider() trace.TracerProvider {
	if t == nil {
		return nil
	}
	return t.provider
}

// Close sends what is left, as long as ctx allows.
func (t *Traces) Close(ctx context.Context) {
	if t == nil {
		return
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		t.warn(err)
	}
}

// Tracer is that of the product.
func Tracer(p trace.TracerProvider) trace.Tracer { return p.Tracer(product) }

// Start begins a span within the one that ctx has; where it has none, or that one is not
// recorded, neither is this, at next to no cost.
func Start(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	return start(ctx, name, trace.SpanKindInternal, attributes)
}

// StartClient is Start for a request to another system.
func StartClient(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	return start(ctx, name, trace.SpanKindClient, attributes)
}

// start asks whether the span of ctx is sampled, not whether it is recording: a
// collection outlives the call that started it.
func start(ctx context.Context, name string, kind trace.SpanKind, attributes []attribute.KeyValue) (context.Context, trace.Span) {
	within := trace.SpanFromContext(ctx)
	if !within.SpanContext().IsSampled() {
		return ctx, noop.Span{}
	}
	return Tracer(within.TracerProvider()).Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
}

package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	"github.com/mark3labs/mcp-go/tracing"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"kol-portrait-mcp/telemetry"
)

// observe measures each request that server answers, and makes a span of it, in the
// words of OpenTelemetry's conventions for MCP. transport is pipe or tcp. It does
// nothing where provider and metrics are both nil.
//
// mcp-go's tracer says when a request begins and ends, its hooks say what the request
// is and how it ended. What mcp-go refuses before that is not seen: a message that is no
// JSON, of an unknown revision, or without the headers of its revision.
func observe(server *mcpserver.MCPServer, provider trace.TracerProvider, metrics *telemetry.Metrics, transport string) {
	if provider == nil && metrics == nil {
		return
	}
	o := &observer{tracer: noop.Tracer{}, metrics: metrics, transport: transport}
	if provider != nil {
		o.tracer = telemetry.Tracer(provider)
		mcpserver.WithPropagator(o)(server)
		mcpserver.WithMetaPropagator(o)(server)
	}
	mcpserver.WithTracer(o)(server)
	hooks := cmp.Or(server.GetHooks(), &mcpserver.Hooks{})
	mcpserver.WithHooks(hooks)(server)
	hooks.AddBeforeAny(o.before)
	hooks.AddOnSuccess(o.succeeded)
	hooks.AddOnError(o.failed)
}

type observer struct {
	tracer    trace.Tracer
	metrics   *telemetry.Metrics
	transport string
}

// operation is one request, from its beginning to its answer. It implements tracing.Span.
type operation struct {
	telemetry.Operation
	span    trace.Span
	metrics *telemetry.Metrics
	start   time.Time
}

type operationKey struct{}

// Start implements tracing.Tracer. mcp-go would have another span within each call of a
// tool, which says nothing new.
func (o *observer) Start(ctx context.Context, name string, kind tracing.SpanKind, attributes ...tracing.Attribute) (context.Context, tracing.Span) {
	if kind != tracing.SpanKindServer {
		return tracing.NoopTracer().Start(ctx, name, kind)
	}
	op := &operation{metrics: o.metrics, start: time.Now(), Operation: telemetry.Operation{
		Method: strings.TrimPrefix(name, "mcp."), Transport: o.transport, ProtocolVersion: mcpserver.RequestProtocolVersion(ctx),
	}}
	for _, a := range attributes {
		if a.Key == "mcp.protocol.version" && op.ProtocolVersion == "" {
			op.ProtocolVersion = a.Value // of the header
		}
	}
	op.Operation = op.Known()
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("mcp.method.name", op.Method), attribute.String("network.transport", op.Transport))}
	if linked, ok := ctx.Value(linkKey{}).(trace.SpanContext); ok {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: linked}))
	}
	ctx, op.span = o.tracer.Start(ctx, op.Method, options...)
	return context.WithValue(ctx, operationKey{}, op), op
}

// before is mcp-go's hook when a request has been read.
func (o *observer) before(ctx context.Context, id any, _ mcp.MCPMethod, message any) {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return
	}
	switch request := message.(type) {
	case *mcp.CallToolRequest:
		op.Tool = request.Params.Name
	case *mcp.GetPromptRequest:
		op.Prompt = request.Params.Name
	}
	op.set("jsonrpc.request.id", requestID(id))
}

// succeeded is mcp-go's hook for a result.
func (o *observer) succeeded(ctx context.Context, _ any, _ mcp.MCPMethod, _, result any) {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return
	}
	switch result := result.(type) {
	case *mcp.InitializeResult:
		op.ProtocolVersion = result.ProtocolVersion
	case *mcp.CallToolResult:
		if result.IsError {
			op.ErrorType = telemetry.ToolError
			op.span.SetStatus(codes.Error, "")
		}
	}
}

// failed is mcp-go's hook for most protocol errors.
func (o *observer) failed(ctx context.Context, _ any, _ mcp.MCPMethod, _ any, err error) {
	op, ok := ctx.Value(operationKey{}).(*operation)
	coded, hasCode := err.(interface{ ToJSONRPCError() mcp.JSONRPCError })
	if ok && hasCode {
		op.fail(coded.ToJSONRPCError().Error.Code)
	}
}

// fail notes a protocol error. Those of the client's making make no error of the span.
func (op *operation) fail(code int) {
	op.ErrorType = strconv.Itoa(code)
	op.set("rpc.response.status_code", op.ErrorType)
	ofClient := []int{mcp.PARSE_ERROR, mcp.INVALID_REQUEST, mcp.METHOD_NOT_FOUND, mcp.INVALID_PARAMS, mcp.RESOURCE_NOT_FOUND}
	if !slices.Contains(ofClient, code) {
		op.span.SetStatus(codes.Error, "")
	}
}

// SetStatus implements tracing.Span. mcp-go calls no hook for a method that it does not
// know.
func (op *operation) SetStatus(status tracing.StatusCode, _ string) {
	if status == tracing.StatusError && op.ErrorType == "" {
		op.fail(mcp.METHOD_NOT_FOUND)
	}
}

// SetAttributes implements tracing.Span: before and succeeded know all that is wanted.
func (*operation) SetAttributes(...tracing.Attribute) {}

// RecordError implements tracing.Span. The texts of errors quote arguments.
func (*operation) RecordError(error) {}

// End implements tracing.Span.
func (op *operation) End() {
	op.Operation = op.Known()
	if op.span.IsRecording() {
		op.span.SetName(strings.TrimSpace(op.Method + " " + op.Tool + op.Prompt))
		op.set("gen_ai.tool.name", op.Tool)
		op.set("gen_ai.prompt.name", op.Prompt)
		op.set("error.type", op.ErrorType)
		op.set("mcp.protocol.version", op.ProtocolVersion)
		if op.Tool != "" {
			op.set("gen_ai.operation.name", "execute_tool")
		}
	}
	op.span.End()
	op.metrics.Operation(op.Operation, time.Since(op.start))
}

// set gives the span an attribute, unless value is empty.
func (op *operation) set(key, value string) {
	if value != "" {
		op.span.SetAttributes(attribute.String(key, value))
	}
}

// requestID is a request's id as text, empty for one of a length that no client needs.
func requestID(id any) string {
	const longest = 64
	switch id := id.(type) {
	case string:
		if id = strings.TrimPrefix(id, idMark[1:]); len(id) <= longest { // as keepID has found it
			return id
		}
	case float64:
		return strconv.FormatFloat(id, 'f', -1, 64)
	}
	return ""
}

type linkKey struct{}

var w3c propagation.TraceContext

// ExtractMeta implements tracing.MetaPropagator: what _meta names is the parent.
func (*observer) ExtractMeta(ctx context.Context, meta *mcp.Meta) context.Context {
	if meta == nil {
		return ctx
	}
	carrier := propagation.MapCarrier{}
	for _, field := range w3c.Fields() {
		if value, ok := meta.AdditionalFields[field].(string); ok {
			carrier[field] = value
		}
	}
	return w3c.Extract(ctx, carrier)
}

// Extract implements tracing.Propagator, and is called after ExtractMeta: what the
// headers name is the parent where _meta names none, else it is linked.
func (*observer) Extract(ctx context.Context, headers http.Header) context.Context {
	parent := trace.SpanContextFromContext(ctx)
	if !parent.IsValid() {
		return w3c.Extract(ctx, propagation.HeaderCarrier(headers))
	}
	named := trace.SpanContextFromContext(w3c.Extract(context.Background(), propagation.HeaderCarrier(headers)))
	if !named.IsValid() || named.SpanID() == parent.SpanID() {
		return ctx
	}
	return context.WithValue(ctx, linkKey{}, named)
}

// InjectMeta implements tracing.MetaPropagator: this server asks nothing.
func (*observer) InjectMeta(_ context.Context, meta *mcp.Meta) *mcp.Meta { return meta }

// Inject implements tracing.Propagator: this server asks nothing.
func (*observer) Inject(context.Context, http.Header) {}

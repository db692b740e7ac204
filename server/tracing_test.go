package server

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"kol-portrait-mcp/telemetry"
)

// observedServer is an MCP server with a tool and a prompt of the product's names.
type observedServer struct {
	*double
	spans   *tracetest.SpanRecorder
	traces  trace.TracerProvider
	metrics *telemetry.Metrics
}

func newObserved(t *testing.T) *observedServer {
	t.Helper()
	s := &observedServer{double: newDouble(t), spans: tracetest.NewSpanRecorder(), metrics: telemetry.NewMetrics(telemetry.Build{})}
	s.traces = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(s.spans))
	mcpserver.WithPromptCapabilities(false)(s.MCPServer)
	s.AddTool(mcp.NewTool("get_kol_fans_portrait"), func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		_, span := telemetry.Start(ctx, "collect")
		span.End()
		if r.GetBool("fail", false) {
			return mcp.NewToolResultError("the secret argument"), nil
		}
		return mcp.NewToolResultText("the secret result"), nil
	})
	s.AddPrompt(mcp.NewPrompt("shortlist_kols"), func(context.Context, mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return mcp.NewGetPromptResult("", nil), nil
	})
	return s
}

// requests returns the spans of requests, without those within them.
func (s *observedServer) requests() []sdktrace.ReadOnlySpan {
	return slices.DeleteFunc(s.spans.Ended(), func(span sdktrace.ReadOnlySpan) bool { return span.Name() == "collect" })
}

func attributesOf(span sdktrace.ReadOnlySpan) map[string]string {
	all := map[string]string{}
	for _, a := range span.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

func scrape(m *telemetry.Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestObservedRequests(t *testing.T) {
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	for name, test := range map[string]struct {
		message    string
		span       string
		attributes map[string]string // besides mcp.method.name, network.transport and jsonrpc.request.id
		method     string
		status     codes.Code
		metric     string // the labels but for the method and the transport
	}{
		"a tool": {
			message: `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_kol_fans_portrait","arguments":{"kolId":"the secret argument"}}}`,
			span:    "tools/call get_kol_fans_portrait", method: "tools/call",
			attributes: map[string]string{"gen_ai.tool.name": "get_kol_fans_portrait", "gen_ai.operation.name": "execute_tool"},
			metric:     `error_type="",gen_ai_tool_name="get_kol_fans_portrait",mcp_method_name="tools/call",mcp_protocol_version="",`,
		},
		"a tool of the newest revision": {
			message: `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_kol_fans_portrait",` + meta + `}}`,
			span:    "tools/call get_kol_fans_portrait", method: "tools/call",
			attributes: map[string]string{"gen_ai.tool.name": "get_kol_fans_portrait", "gen_ai.operation.name": "execute_tool", "mcp.protocol.version": "2026-07-28"},
			metric:     `error_type="",gen_ai_tool_name="get_kol_fans_portrait",mcp_method_name="tools/call",mcp_protocol_version="2026-07-28",`,
		},
		"a tool's own error": {
			message: `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_kol_fans_portrait","arguments":{"fail":true}}}`,
			span:    "tools/call get_kol_fans_portrait", method: "tools/call", status: codes.Error,
			attributes: map[string]string{"gen_ai.tool.name": "get_kol_fans_portrait", "gen_ai.operation.name": "execute_tool", "error.type": "tool_error"},
			metric:     `error_type="tool_error",gen_ai_tool_name="get_kol_fans_portrait",mcp_method_name="tools/call",mcp_protocol_version="",`,
		},
		"an unknown tool": {
			message: `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"the secret tool"}}`,
			span:    "tools/call _OTHER", method: "tools/call",
			attributes: map[string]string{"gen_ai.tool.name": "_OTHER", "gen_ai.operation.name": "execute_tool", "error.type": "-32602", "rpc.response.status_code": "-32602"},
			metric:     `error_type="-32602",gen_ai_tool_name="_OTHER",mcp_method_name="tools/call",mcp_protocol_version="",`,
		},
		"a fault of the server": {
			message: `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"broken"}}`,
			span:    "tools/call _OTHER", method: "tools/call", status: codes.Error,
			attributes: map[string]string{"gen_ai.tool.name": "_OTHER", "gen_ai.operation.name": "execute_tool", "error.type": "-32603", "rpc.response.status_code": "-32603"},
			metric:     `error_type="-32603",gen_ai_tool_name="_OTHER",mcp_method_name="tools/call",mcp_protocol_version="",`,
		},
		"a prompt": {
			message: `{"jsonrpc":"2.0","id":7,"method":"prompts/get","params":{"name":"shortlist_kols"}}`,
			span:    "prompts/get shortlist_kols", method: "prompts/get",
			attributes: map[string]string{"gen_ai.prompt.name": "shortlist_kols"},
			metric:     `error_type="",gen_ai_tool_name="",mcp_method_name="prompts/get",mcp_protocol_version="",`,
		},
		"the handshake": {
			message: `{"jsonrpc":"2.0","id":7,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`,
			span:    "initialize", method: "initialize",
			attributes: map[string]string{"mcp.protocol.version": "2025-06-18"},
			metric:     `error_type="",gen_ai_tool_name="",mcp_method_name="initialize",mcp_protocol_version="2025-06-18",`,
		},
		"a method that is made up": {
			message: `{"jsonrpc":"2.0","id":7,"method":"the secret method"}`,
			span:    "_OTHER", method: "_OTHER",
			attributes: map[string]string{"error.type": "-32601", "rpc.response.status_code": "-32601"},
			metric:     `error_type="-32601",gen_ai_tool_name="",mcp_method_name="_OTHER",mcp_protocol_version="",`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newObserved(t)
			s.AddTool(mcp.NewTool("broken"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				return nil, context.DeadlineExceeded
			})
			observe(s.MCPServer, s.traces, s.metrics, "pipe")
			s.HandleMessage(t.Context(), json.RawMessage(test.message))
			require.Len(t, s.requests(), 1)
			span := s.requests()[0]
			assert.Equal(t, test.span, span.Name())
			assert.Equal(t, trace.SpanKindServer, span.SpanKind())
			assert.Equal(t, test.status, span.Status().Code)
			want := map[string]string{"mcp.method.name": test.method, "network.transport": "pipe", "jsonrpc.request.id": "7"}
			if test.method == "_OTHER" { // mcp-go has looked no further
				delete(want, "jsonrpc.request.id")
			}
			for key, value := range test.attributes {
				want[key] = value
			}
			assert.Equal(t, want, attributesOf(span))
			assert.NotContains(t, span.Status().Description, "secret")
			assert.Empty(t, span.Events())
			assert.Contains(t, scrape(s.metrics), "mcp_server_operation_duration_seconds_count{"+test.metric+`network_transport="pipe"} 1`)
		})
	}
}

func TestIDsOfRequests(t *testing.T) {
	for id, want := range map[string]string{
		"7": "7", `"a"`: "a", "1234567890123456789": "1234567890123456789", `"` + strings.Repeat("x", 65) + `"`: "",
	} {
		s := newObserved(t)
		observe(s.MCPServer, s.traces, nil, "pipe")
		s.HandleMessage(t.Context(), keepID([]byte(ping(id))))
		assert.Equal(t, want, attributesOf(s.requests()[0])["jsonrpc.request.id"], id)
	}
}

// Metrics alone make no spans, and nothing is added where neither is asked for.
func TestObservedByOneAlone(t *testing.T) {
	s := newObserved(t)
	observe(s.MCPServer, nil, nil, "pipe")
	assert.Nil(t, s.GetHooks())
	observe(s.MCPServer, nil, s.metrics, "pipe")
	s.HandleMessage(t.Context(), json.RawMessage(call(1, "get_kol_fans_portrait")))
	assert.Contains(t, scrape(s.metrics), `mcp_server_operation_duration_seconds_count{error_type="",gen_ai_tool_name="get_kol_fans_portrait"`)
	assert.Empty(t, s.spans.Ended())
}

// Where a request comes from: _meta has the last word, and headers are else the parent.
func TestParentsOfSpans(t *testing.T) {
	const header, meta = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	const unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	for name, test := range map[string]struct {
		header, meta  string
		parent, links string
		unseen        bool
	}{
		"nobody":                     {},
		"the headers":                {header: header, parent: header},
		"_meta":                      {meta: meta, parent: meta},
		"_meta, within HTTP":         {header: header, meta: meta, parent: meta, links: header},
		"both the same":              {header: meta, meta: meta, parent: meta},
		"no such thing":              {header: "00-0-0-01", meta: "nonsense"},
		"_meta that is not recorded": {meta: unsampled, unseen: true},
	} {
		for _, path := range []string{"/mcp", "/message"} {
			t.Run(name+" over "+path, func(t *testing.T) {
				s := newObserved(t)
				served := listenHTTP(t, s.double, HTTPOptions{Streamable: true, Traces: s.traces, Metrics: s.metrics})
				message := call(1, "get_kol_fans_portrait")
				if test.meta != "" {
					message = strings.Replace(message, `"params":{`, `"params":{"_meta":{"traceparent":"`+test.meta+`","tracestate":"a=b"},`, 1)
				}
				headers := []string{"traceparent", test.header, "tracestate", "c=d"}
				if path == "/mcp" {
					served.post(message, headers...)
				} else {
					stream := served.events("GET", "/sse", "")
					served.do("POST", stream.next("data: "), message, headers...)
					stream.next(`data: {"jsonrpc"`)
					require.NoError(t, stream.leave())
				}
				assert.Contains(t, scrape(s.metrics), `gen_ai_tool_name="get_kol_fans_portrait",mcp_method_name="tools/call",mcp_protocol_version="",network_transport="tcp"} 1`)
				if test.unseen {
					assert.Empty(t, s.spans.Ended())
					return
				}
				within, span := s.spans.Ended()[0], s.spans.Ended()[1]
				assert.Equal(t, "collect", within.Name())
				assert.Equal(t, span.SpanContext().SpanID(), within.Parent().SpanID(), "what a tool begins is within its call")
				assert.Equal(t, test.parent, traceparent(span.Parent()))
				links := ""
				for _, l := range span.Links() {
					links += traceparent(l.SpanContext)
				}
				assert.Equal(t, test.links, links)
			})
		}
	}
}

// traceparent is a span as the header names it, "" for none.
func traceparent(s trace.SpanContext) string {
	if !s.IsValid() {
		return ""
	}
	return "00-" + s.TraceID().String() + "-" + s.SpanID().String() + "-" + s.TraceFlags().String()
}

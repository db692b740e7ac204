package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"
)

// FuzzHeaders holds Host and Origin, and the settings that allow them, against
// each other and against what net/url makes of them: what is allowed by default
// is this machine, what is named is allowed however it is written, and nothing
// else is.
func FuzzHeaders(f *testing.F) {
	for _, seed := range [][2]string{
		{"mcp.example.com", "localhost:8080"},
		{"MCP.example.com:8443", "127.0.0.1:1"},
		{"[2001:DB8::1]:80", "[::1]:8080"},
		{"https://app.example.com/", "http://localhost:6274"},
		{"http://b.example.com:80", "https://[::1]"},
		{"chrome-extension://abc", "null"},
		{"::1", "[::1%25x]:80"},
		{"https://user@app.example.com", "http://127.0.0.1.nip.io"},
		{"http://xn--bcher-kva.example", "http://bücher.example"},
		{"", "localhost:"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, entry, header string) {
		checkHosts(t, entry, header)
		checkOrigins(t, entry, header)
	})
}

func checkHosts(t *testing.T, entry, header string) {
	t.Helper()
	if (hosts{}).allow(header) {
		require.True(t, meansLoopback("http://"+header), "%q is allowed by default", header)
	}
	h, err := newHosts([]string{entry})
	if err != nil {
		require.Contains(t, err.Error(), fmt.Sprintf("MCP_ALLOWED_HOSTS %q", entry))
		return
	}
	host, port, _ := splitHost(entry)
	require.True(t, h.allow(entry))
	bare := host
	if strings.Contains(host, ":") {
		bare = "[" + host + "]"
	}
	require.Equal(t, port == "", h.allow(bare), "%q of %q", bare, entry)
	require.False(t, h.allow("x"+entry), "%q is another", "x"+entry)
	if port != "" {
		require.False(t, h.allow(joinHost(host, port+"0")))
	}
	if h.allow(header) {
		again, _, ok := splitHost(header)
		require.True(t, ok)
		require.Equal(t, host, again)
	}
}

func checkOrigins(t *testing.T, entry, header string) {
	t.Helper()
	if (origins{}).allow(header) {
		require.True(t, meansLoopback(header), "%q is allowed by default", header)
	}
	o, err := newOrigins([]string{entry})
	if err != nil {
		require.Contains(t, err.Error(), fmt.Sprintf("MCP_ALLOWED_ORIGINS %q", entry))
		return
	}
	origin, _ := parseOrigin(entry)
	require.True(t, o.allow(entry))
	require.True(t, o.allow(origin.String()), "%q as browsers write it", entry)
	require.False(t, o.allow(origin.String()+"/path"))
	require.False(t, o.allow(origin.Scheme+"x://"+origin.Host))
	if o.allow(header) {
		again, ok := parseOrigin(header)
		require.True(t, ok)
		require.Equal(t, origin.String(), again.String())
	}
}

// meansLoopback reports whether an address, as net/url reads it, is on this
// machine and nothing but a scheme, a host and a port.
func meansLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || err == nil && ip.IsLoopback()
}

// FuzzHTTP sends one request to the routes as they are served. Whatever it is,
// the answer is no failure of the server's, nobody else is let in, and a call is
// answered under its id.
func FuzzHTTP(f *testing.F) {
	ping := request(1, "ping")
	for _, seed := range []struct{ method, target, host, origin, contentType, body string }{
		{"POST", "/mcp", "localhost:80", "", "application/json", ping},
		{"POST", "/mcp", "127.0.0.1", "http://localhost:1", "application/json", call(2, "echo")},
		{"POST", "/mcp", "[::1]:8080", "null", "text/plain", initialize(3, "2025-11-25")},
		{"POST", "/mcp", "localhost", "", "application/json", modernRequest(4, "tools/list")},
		{"POST", "/mcp", "localhost", "", "application/json; charset=utf-8", "[" + ping + "," + ping + "]"},
		{"POST", "/mcp", "localhost", "", "application/json", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`},
		{"POST", "/message?sessionId=ABC", "localhost", "", "application/json", ping},
		{"POST", "/message?sessionId=%zz&sessionId=", "localhost", "", "", "{"},
		{"OPTIONS", "/mcp", "localhost", "https://localhost", "", ""},
		{"GET", "/mcp", "evil.example", "https://evil.example", "", ""},
		{"DELETE", "//mcp/../mcp", "localhost", "", "", ""},
		{"GET", "/healthz", "evil.example", "", "", ""},
	} {
		f.Add(seed.method, seed.target, seed.host, seed.origin, seed.contentType, []byte(seed.body))
	}
	product := mcpserver.NewMCPServer("product", "1", mcpserver.WithToolCapabilities(true), mcpserver.WithRecovery())
	product.AddTool(mcp.NewTool("echo"), func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText(r.GetString("text", "echo")), nil
	})
	handler, err := newHandler(f.Context(), product, newSSE(product), HTTPOptions{Streamable: true, Logger: quiet()})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, method, target, host, origin, contentType string, body []byte) {
		address, err := url.ParseRequestURI(target)
		if err != nil || methodOf(body) == mcp.MethodSubscriptionsListen || method == http.MethodGet && strings.Contains(address.Path, "/sse") {
			return // no request, or one that is only answered at the end
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(string(body)))
		r.Method, r.URL, r.RequestURI, r.Host = method, address, target, host
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Accept", "application/json, text/event-stream")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Less(t, w.Code, 500, "%s", w.Body)
		served := w.Code == http.StatusOK && address.Path == "/mcp" || w.Code == http.StatusAccepted
		if served {
			require.True(t, meansLoopback("http://"+host), "the Host %q is served", host)
			require.True(t, origin == "" || meansLoopback(origin), "the Origin %q is served", origin)
			checkAnswer(t, w, requestID(body))
		}
	})
}

// checkAnswer checks that an answer is JSON, alone or in events, and answers an
// id.
func checkAnswer(t *testing.T, w *httptest.ResponseRecorder, id callID) {
	t.Helper()
	answered := callID("")
	for line := range strings.Lines(w.Body.String()) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "data:")
		if line == "" || strings.HasPrefix(line, "event:") {
			continue
		}
		require.True(t, json.Valid([]byte(line)), "%q", line)
		answered = answerID([]byte(line))
	}
	require.Equal(t, id, answered, "%s", w.Body)
}

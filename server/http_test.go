package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// httpServer is a ListenHTTP of its own.
type httpServer struct {
	t        *testing.T
	url      string
	client   *http.Client
	stop     context.CancelFunc // what SIGTERM does
	returned chan error
	log      *logText
}

func listenHTTP(t *testing.T, d *double, o HTTPOptions) *httpServer {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &httpServer{t: t, client: &http.Client{Transport: &http.Transport{}}, stop: stop, returned: make(chan error, 1), log: new(logText)}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Ready == nil {
		o.Ready = func(context.Context) error { return nil }
	}
	if o.Grace == 0 {
		o.Grace = time.Minute
	}
	url := make(chan string, 1)
	o.Logger = slog.New(slog.NewJSONHandler(writerFunc(func(line []byte) {
		_, _ = s.log.Write(line)
		var entry struct{ Addr, Scheme string }
		if json.Unmarshal(line, &entry) == nil && entry.Addr != "" {
			url <- entry.Scheme + "://" + entry.Addr
		}
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() { s.returned <- ListenHTTP(ctx, d.MCPServer, o) }()
	t.Cleanup(func() {
		stop()
		s.client.CloseIdleConnections()
	})
	select {
	case s.url = <-url:
	case err := <-s.returned:
		require.NoError(t, err)
	}
	return s
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// reply is what a request was answered with.
type reply struct {
	status int
	header http.Header
	text   string
}

// open sends a request, with headers given as name, value, ..., of which Host may
// be one.
func (s *httpServer) open(method, path string, body io.Reader, headers ...string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	require.NoError(s.t, err)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	r.Host = r.Header.Get("Host")
	response, err := s.client.Do(r)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// do sends a request, and reads the answer to its end.
func (s *httpServer) do(method, path, body string, headers ...string) reply {
	s.t.Helper()
	response := s.open(method, path, strings.NewReader(body), headers...)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		text = []byte(err.Error())
	}
	return reply{response.StatusCode, response.Header, string(text)}
}

func (s *httpServer) post(body string, headers ...string) reply {
	s.t.Helper()
	return s.do(http.MethodPost, "/mcp", body, headers...)
}

// postLater is post in the background.
func (s *httpServer) postLater(body string) <-chan reply {
	answer := make(chan reply, 1)
	go func() { answer <- s.post(body) }()
	return answer
}

// events is an event stream.
type events struct {
	http.Header
	lines *bufio.Scanner
	leave func() error
}

func (s *httpServer) events(method, path, body string) *events {
	s.t.Helper()
	response := s.open(method, path, strings.NewReader(body))
	require.Equal(s.t, http.StatusOK, response.StatusCode)
	return &events{response.Header, bufio.NewScanner(response.Body), response.Body.Close}
}

// next returns the rest of the next line that begins with prefix, or "" at the end
// of the stream.
func (e *events) next(prefix string) string {
	for e.lines.Scan() {
		if rest, ok := strings.CutPrefix(e.lines.Text(), prefix); ok {
			return rest
		}
	}
	return ""
}

func (e *events) data() string { return e.next("data: ") }

func TestRoutes(t *testing.T) {
	tests := []struct {
		method, path string
		http, sse    int // status with each transport
	}{
		{"GET", "/healthz", 200, 200},
		{"HEAD", "/healthz", 200, 200},
		{"GET", "/readyz", 200, 200},
		{"POST", "/healthz", 404, 404},
		{"GET", "/", 404, 404},
		{"POST", "/mcp", 200, 404},
		{"POST", "/mcp/", 200, 404},
		{"POST", "/mcp/x", 404, 404},
		{"GET", "/mcp", 405, 404},
		{"GET", "/mcp/", 405, 404},
		{"DELETE", "/mcp", 405, 404},
		{"POST", "/sse", 405, 405},
		{"POST", "/message", 400, 400},
		{"POST", "/message?sessionId=no", 400, 400},
		{"GET", "/message", 405, 405},
	}
	for _, streamable := range []bool{true, false} {
		s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: streamable})
		for _, test := range tests {
			want := test.sse
			if streamable {
				want = test.http
			}
			assert.Equal(t, want, s.do(test.method, test.path, ping(1)).status, "%s %s, streamable %v", test.method, test.path, streamable)
		}
	}
}

func TestHealth(t *testing.T) {
	reason := make(chan error, 1)
	s := listenHTTP(t, newDouble(t), HTTPOptions{
		AllowedHosts: []string{"mcp.example.com"}, // probes come with any
		Ready:        func(context.Context) error { return <-reason },
	})
	assert.Equal(t, "ok\n", s.do(http.MethodGet, "/healthz", "").text)
	reason <- nil
	assert.Equal(t, http.StatusOK, s.do(http.MethodGet, "/readyz", "").status)
	reason <- errors.New("the store does not answer")
	answer := s.do(http.MethodGet, "/readyz", "")
	assert.Equal(t, http.StatusServiceUnavailable, answer.status)
	assert.Equal(t, "the store does not answer\n", answer.text)

	closing, closes := context.WithCancel(t.Context())
	closes()
	w := httptest.NewRecorder()
	newHandler(closing, newDouble(t).MCPServer, nil, newCalls(1, nil), newCalls(1, nil), HTTPOptions{}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
}

func TestHostAndOriginAreChecked(t *testing.T) {
	var (
		none  = HTTPOptions{}
		host  = HTTPOptions{AllowedHosts: []string{"mcp.example.com", "10.0.0.7:8443", "[2001:db8::7]"}}
		pages = HTTPOptions{AllowedOrigins: []string{"https://app.example.com", "vscode-webview://abc"}}

		public = HTTPOptions{PublicURL: "https://Team.example.com:8443/kol"}
		both   = HTTPOptions{PublicURL: "https://team.example.com", AllowedHosts: host.AllowedHosts, AllowedOrigins: pages.AllowedOrigins}
	)
	tests := []struct {
		options HTTPOptions
		header  string
		value   string
		want    int
	}{
		{none, "Accept", "*/*", 200},
		{none, "Host", "localhost:9", 200},
		{none, "Host", "LOCALHOST", 200},
		{none, "Host", "[::1]:8080", 200},
		{none, "Host", "127.0.0.2", 200},
		{none, "Host", "evil.example", 403},
		{none, "Host", "localhost.evil.example", 403},
		{none, "Host", "10.0.0.7", 403},
		{host, "Host", "MCP.example.com", 200},
		{host, "Host", "mcp.example.com:8080", 200},
		{host, "Host", "10.0.0.7:8443", 200},
		{host, "Host", "10.0.0.7", 403},
		{host, "Host", "[2001:db8::7]:80", 200},
		{host, "Host", "localhost", 403},
		{none, "Origin", "http://localhost:6274", 200},
		{none, "Origin", "https://127.0.0.1", 200},
		{none, "Origin", "http://[::1]:6274", 200},
		{none, "Origin", "https://evil.example", 403},
		{none, "Origin", "http://localhost@evil.example", 403},
		{none, "Origin", "null", 403},
		{none, "Origin", "vscode-webview://localhost", 403},
		{pages, "Accept", "*/*", 200},
		{pages, "Origin", "https://app.example.com", 200},
		{pages, "Origin", "vscode-webview://ABC", 200},
		{pages, "Origin", "https://app.example.com:8443", 403},
		{pages, "Origin", "http://localhost:6274", 403},
		{public, "Host", "team.EXAMPLE.com", 200},
		{public, "Host", "team.example.com:8443", 200},
		{public, "Host", "localhost", 200},
		{public, "Host", "evil.example", 403},
		{public, "Host", "", 403},
		{public, "Origin", "https://team.example.com:8443", 200},
		{public, "Origin", "http://localhost:6274", 200},
		{public, "Origin", "http://team.example.com:8443", 403},
		{public, "Origin", "https://team.example.com", 403},
		{both, "Host", "team.example.com", 200},
		{both, "Origin", "https://team.example.com", 200},
	}
	for _, test := range tests {
		test.options.Streamable, test.options.Logger = true, quiet()
		handler := newHandler(t.Context(), newDouble(t).MCPServer, nil, newCalls(1, nil), newCalls(1, nil), test.options)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mcp", strings.NewReader(ping(1)))
		r.Host = "localhost"
		if len(test.options.AllowedHosts) > 0 {
			r.Host = test.options.AllowedHosts[0]
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(test.header, test.value)
		if test.header == "Host" {
			r.Host = test.value
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		assert.Equal(t, test.want, w.Code, "%s: %s", test.header, test.value)
		if w.Code == http.StatusForbidden {
			assert.Contains(t, w.Body.String(), "not allowed")
		}
	}
}

func TestBrowsersMayUseTheServer(t *testing.T) {
	const page = "http://localhost:6274"
	const headers = "authorization,content-type,mcp-method,mcp-name,mcp-param-kol,mcp-protocol-version"
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	for _, path := range []string{"/mcp", "/sse", "/message"} {
		preflight := s.do(http.MethodOptions, path, "", "Origin", page, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", headers)
		assert.Equal(t, http.StatusNoContent, preflight.status)
		assert.Equal(t, page, preflight.header.Get("Access-Control-Allow-Origin"))
		assert.Contains(t, preflight.header.Get("Access-Control-Allow-Methods"), "POST")
		assert.Equal(t, headers, preflight.header.Get("Access-Control-Allow-Headers"))

		foreign := s.do(http.MethodOptions, path, "", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST")
		assert.Equal(t, http.StatusForbidden, foreign.status)
		assert.Empty(t, foreign.header.Values("Access-Control-Allow-Origin"))
	}
	answer := s.post(ping(1), "Origin", page)
	assert.Equal(t, http.StatusOK, answer.status)
	assert.Equal(t, page, answer.header.Get("Access-Control-Allow-Origin"))
	assert.Equal(t, "WWW-Authenticate, Retry-After", answer.header.Get("Access-Control-Expose-Headers"))
	assert.Equal(t, "Origin", answer.header.Get("Vary"))
}

func TestBodiesAreBounded(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	_, endpoint := s.session()
	for path, accepted := range map[string]int{"/mcp": http.StatusOK, endpoint: http.StatusAccepted} {
		for size, want := range map[int]int{maxBody: accepted, maxBody + 1: http.StatusRequestEntityTooLarge} {
			body := ping(1) + strings.Repeat(" ", size-len(ping(1)))
			assert.Equal(t, want, s.do(http.MethodPost, path, body).status, path)
			chunked := io.MultiReader(strings.NewReader(body)) // its length is not known
			assert.Equal(t, want, s.open(http.MethodPost, path, chunked).StatusCode, path)
		}
	}
}

// pipes is a listener whose connections hold nothing: what one end writes, the
// other must read.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }
func (p pipes) Close() error   { close(p); return nil }

func (p pipes) dial() net.Conn {
	client, server := net.Pipe()
	p <- server
	return client
}

// overPipes runs a test in a bubble of synctest, with a server that takes one call
// at a time.
func overPipes(t *testing.T, test func(t *testing.T, d *double, p pipes, stop context.CancelFunc)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		d, p, ended := newDouble(t), make(pipes), make(chan error)
		go func() {
			ended <- serveHTTP(ctx, p, nil, nil, d.MCPServer, HTTPOptions{Streamable: true, MaxCalls: 1, Grace: time.Second, Logger: quiet(), keepAlive: time.Hour})
		}()
		test(t, d, p, stop)
		stop()
		require.NoError(t, <-ended)
	})
}

func rawPost(body string) string {
	return fmt.Sprintf("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// A client that stalls is left after a while, and keeps no other from being served.
func TestClientsThatStall(t *testing.T) {
	for name, test := range map[string]struct{ sent, read string }{
		"in the headers":            {"POST /mcp HTTP/1.1\r\nHost: loc", ""},
		"in the body":               {strings.TrimSuffix(rawPost(ping(1)), "}"), "HTTP/1.1 400 Bad Request"},
		"before an answer":          {rawPost(ping(1)), ""},
		"before the word of health": {"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", ""},
		"before the first event":    {"GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			overPipes(t, func(t *testing.T, _ *double, p pipes, _ context.CancelFunc) {
				stalled := p.dial()
				_, err := io.WriteString(stalled, test.sent)
				require.NoError(t, err)
				read := make([]byte, len(test.read))
				_, err = io.ReadFull(stalled, read)
				require.NoError(t, err)
				assert.Equal(t, test.read, string(read))
				time.Sleep(writeTimeout + time.Second)
				n, err := io.Copy(io.Discard, stalled)
				require.NoError(t, err)
				assert.Zero(t, n, "the connection is closed")

				client := p.dial()
				_, err = io.WriteString(client, rawPost(ping(2)))
				require.NoError(t, err)
				answer, err := http.ReadResponse(bufio.NewReader(client), nil)
				require.NoError(t, err)
				assert.Equal(t, http.StatusOK, answer.StatusCode)
				require.NoError(t, errors.Join(answer.Body.Close(), client.Close()))
			})
		})
	}
}

// The time that a client has for an answer begins with the answer.
func TestACallMayTakeLong(t *testing.T) {
	overPipes(t, func(t *testing.T, d *double, p pipes, _ context.CancelFunc) {
		client := p.dial()
		answers := bufio.NewReader(client)
		for range 2 { // on one connection
			_, err := io.WriteString(client, rawPost(call(1, "slow")))
			require.NoError(t, err)
			d.await(1)
			time.Sleep(time.Hour)
			d.release <- struct{}{}
			answer, err := http.ReadResponse(answers, nil)
			require.NoError(t, err)
			text, err := io.ReadAll(answer.Body)
			require.NoError(t, errors.Join(err, answer.Body.Close()))
			assert.Contains(t, string(text), "done")
		}
		require.NoError(t, client.Close())
	})
}

func TestStreamableSpeaksEveryRevision(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	for _, revision := range revisions {
		answer := s.post(request(1, "tools/list", revision), "Mcp-Protocol-Version", revision, "Mcp-Method", "tools/list")
		assert.Equal(t, http.StatusOK, answer.status, revision)
		assert.Contains(t, answer.text, `"name":"echo"`)
	}
	assert.Equal(t, http.StatusBadRequest, s.post("hello").status)
	assert.Equal(t, http.StatusAccepted, s.post(`{"jsonrpc":"2.0","method":"notifications/initialized"}`).status)
}

func TestStreamableStreamsProgressToItsCaller(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{Streamable: true, keepAlive: time.Millisecond})
	e := s.events(http.MethodPost, "/mcp", call(1, "progress"))
	assert.Equal(t, "no", e.Get("X-Accel-Buffering"))
	assert.Contains(t, e.data(), `"method":"notifications/progress"`, "while the call goes on")
	assert.Equal(t, "keep-alive", e.next(": "))
	close(d.release)
	assert.Contains(t, e.data(), `"text":"done"`)
}

// A subscription to nothing ends at once, which must not overtake its
// acknowledgement; so it is tried often.
func TestSubscriptionsAreAcknowledged(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	for range 500 {
		answer := s.post(request(1, "subscriptions/listen", "2026-07-28"), "Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "subscriptions/listen")
		require.Regexp(t, `(?s)"method":"notifications/subscriptions/acknowledged".*"result":`, answer.text)
	}
}

func TestStreamableKeepsClientsApart(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{Streamable: true})
	answer := s.postLater(call(1, "slow"))
	d.await(1)
	assert.Equal(t, http.StatusAccepted, s.post(cancellation(1)).status, "another client gives up its own call 1")
	close(d.release)
	assert.Contains(t, (<-answer).text, `"text":"done"`)
	assert.Empty(t, d.cancelled)

	mention := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"notifications/cancelled"}}}`
	assert.Contains(t, s.post(mention).text, `"text":"notifications/cancelled"`)
}

func TestCallsInFlightAreBounded(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{Streamable: true, MaxCalls: 2})
	_, endpoint := s.session()
	require.Equal(t, http.StatusAccepted, s.do(http.MethodPost, endpoint, call(1, "slow")).status)
	answer := s.postLater(call(1, "slow"))
	d.await(2)
	for _, path := range []string{"/mcp", endpoint} {
		refused := s.do(http.MethodPost, path, ping(1))
		assert.Equal(t, http.StatusServiceUnavailable, refused.status)
		assert.Equal(t, "1", refused.header.Get("Retry-After"))
	}
	close(d.release)
	assert.Equal(t, http.StatusOK, (<-answer).status)
	assert.Equal(t, http.StatusOK, s.post(ping(1)).status)
}

func TestAPanicEndsOneRequest(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true, MaxCalls: 1})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/mcp", strings.NewReader(call(1, "crash")))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	_, err = s.client.Do(r)
	require.Error(t, err)
	assert.Equal(t, http.StatusOK, s.post(call(2, "echo")).status)
	assert.Contains(t, s.log.String(), "panic serving")
}

func TestListeningFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	const elsewhere = "192.0.2.1:0" // an address that no machine has
	auth := Auth{Tokens: named(t, aliceToken)}
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for _, test := range []struct {
		options HTTPOptions
		want    string
	}{
		{HTTPOptions{Addr: taken.Addr().String()}, "listen at MCP_ADDR"},
		{HTTPOptions{Addr: "0.0.0.0:0"}, "set MCP_AUTH_TOKENS"},
		{HTTPOptions{Addr: ":0"}, "set MCP_AUTH_TOKENS"},
		{HTTPOptions{Addr: "localhost"}, "set MCP_AUTH_TOKENS"},
		{HTTPOptions{Addr: elsewhere}, "set MCP_AUTH_TOKENS"},
		{HTTPOptions{Addr: elsewhere, Unauthenticated: true}, "cannot assign requested address"},
		{HTTPOptions{Addr: elsewhere, Auth: auth}, "cannot assign requested address"},
		{HTTPOptions{Addr: "127.0.0.1:0", Auth: Auth{TokensFile: missing}}, "missing.pem"},
		{HTTPOptions{Addr: "127.0.0.1:0", TLSCert: missing, TLSKey: missing}, "MCP_TLS_CERT"},
		{HTTPOptions{Addr: "127.0.0.1:0", MetricsAddr: taken.Addr().String()}, "listen at MCP_METRICS_ADDR"},
	} {
		test.options.Logger = quiet()
		err := ListenHTTP(t.Context(), newDouble(t).MCPServer, test.options)
		require.ErrorContains(t, err, test.want)
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestTheLogTellsHowItIsServed(t *testing.T) {
	open := listenHTTP(t, newDouble(t), HTTPOptions{})
	assert.Contains(t, open.log.String(), `"scheme":"http","authenticated":false`)
	guarded := listenHTTP(t, newDouble(t), HTTPOptions{Auth: Auth{Tokens: named(t, aliceToken)}})
	assert.Contains(t, guarded.log.String(), `"scheme":"http","authenticated":true`)
}

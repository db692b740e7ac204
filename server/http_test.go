package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// journal is a log that tests can read, and that says where a server listens.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
	addr chan string
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var entry struct{ Addr string }
	if json.Unmarshal(p, &entry) == nil && entry.Addr != "" {
		j.addr <- entry.Addr
	}
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// httpServer is a ListenHTTP of its own.
type httpServer struct {
	t        *testing.T
	url      string
	log      *journal
	client   *http.Client
	stop     context.CancelFunc // what SIGTERM does
	returned chan error
}

func listenHTTP(t *testing.T, d *double, o HTTPOptions) *httpServer {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &httpServer{
		t:        t,
		log:      &journal{addr: make(chan string, 1)},
		client:   &http.Client{Transport: &http.Transport{}},
		stop:     stop,
		returned: make(chan error, 1),
	}
	o.Addr = "127.0.0.1:0"
	o.Logger = slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if o.Grace == 0 {
		o.Grace = time.Minute
	}
	go func() { s.returned <- ListenHTTP(ctx, d.MCPServer, o) }()
	t.Cleanup(func() {
		stop()
		s.client.CloseIdleConnections()
	})
	select {
	case addr := <-s.log.addr:
		s.url = "http://" + addr
	case err := <-s.returned:
		require.NoError(t, err)
	}
	return s
}

// request makes a request with headers given as name, value, ...; Host is one
// too.
func (s *httpServer) request(method, path, body string, headers ...string) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	r.Host = r.Header.Get("Host")
	return r
}

// answer is what a request was answered with.
type answer struct {
	status int
	header http.Header
	text   string
}

// do sends a request, and reads the answer to its end.
func (s *httpServer) do(method, path, body string, headers ...string) answer {
	s.t.Helper()
	response, err := s.client.Do(s.request(method, path, body, headers...))
	require.NoError(s.t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return answer{response.StatusCode, response.Header, string(text)}
}

// post sends a message to /mcp.
func (s *httpServer) post(body string, headers ...string) answer {
	s.t.Helper()
	return s.do(http.MethodPost, "/mcp", body, headers...)
}

// events is an event stream.
type events struct {
	answer
	lines *bufio.Scanner
}

// open sends a request that is answered with a stream.
func (s *httpServer) open(method, path, body string, headers ...string) *events {
	s.t.Helper()
	response, err := s.client.Do(s.request(method, path, body, headers...))
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = response.Body.Close() })
	return &events{answer{status: response.StatusCode, header: response.Header}, bufio.NewScanner(response.Body)}
}

// next returns the data of the next event, or "" at the end of the stream.
func (e *events) next() string {
	for e.lines.Scan() {
		if data, ok := strings.CutPrefix(e.lines.Text(), "data: "); ok {
			return data
		}
	}
	return ""
}

// stream opens an event stream, and returns it with its message endpoint.
func (s *httpServer) stream() (*events, string) {
	s.t.Helper()
	e := s.open(http.MethodGet, "/sse", "")
	require.Equal(s.t, http.StatusOK, e.status)
	return e, e.next()
}

// postLater is post in the background; the answer can be the error.
func (s *httpServer) postLater(body string) <-chan string {
	s.t.Helper()
	r := s.request(http.MethodPost, "/mcp", body)
	answer := make(chan string, 1)
	go func() {
		response, err := s.client.Do(r)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- string(text)
	}()
	return answer
}

func modernHeaders(method, name string) []string {
	return []string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", method, "Mcp-Name", name}
}

func TestStreamableSpeaksEveryRevision(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	for _, version := range legacyVersions {
		t.Run(version, func(t *testing.T) {
			answer := s.post(initialize(1, version))
			assert.Equal(t, http.StatusOK, answer.status)
			assert.Contains(t, answer.text, `"protocolVersion":"`+version+`"`)
			answer = s.post(call(2, "echo"), "Mcp-Protocol-Version", version)
			assert.Contains(t, answer.text, `"text":"echo"`)
		})
	}
	t.Run("2026-07-28", func(t *testing.T) {
		answer := s.post(modernRequest(1, "server/discover"), modernHeaders("server/discover", "")...)
		assert.Equal(t, http.StatusOK, answer.status)
		assert.Contains(t, answer.text, `"supportedVersions":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]`)
		answer = s.post(modernRequest(2, "tools/list"), modernHeaders("tools/list", "")...)
		assert.Contains(t, answer.text, `"name":"echo"`)
		answer = s.post(modernRequest(3, "no/such"), modernHeaders("no/such", "")...)
		assert.Equal(t, http.StatusNotFound, answer.status)
	})
}

// The TypeScript SDK's client, which finds the newest revision with
// server/discover, names the revision in a header from then on; Mcp-Method and
// Mcp-Name it sends to Streamable HTTP alone.
func TestSSESpeaksTheNewestRevision(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{})
	e, endpoint := s.stream()
	for id, method := range []string{"server/discover", "tools/list"} {
		answer := s.do(http.MethodPost, endpoint, modernRequest(id, method), "Mcp-Protocol-Version", "2026-07-28")
		assert.Equal(t, http.StatusAccepted, answer.status)
		assert.Contains(t, e.next(), `"result":`)
	}
}

// What mcp-go's own client makes of the server, which is more than a first
// message.
func TestClients(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	use := func(t *testing.T, wire transport.Interface, version string) {
		t.Helper()
		c := client.NewClient(wire, client.WithProtocolVersion(version))
		require.NoError(t, c.Start(t.Context()))
		hello := mcp.InitializeRequest{}
		hello.Params.ProtocolVersion = version
		hello.Params.ClientInfo = mcp.Implementation{Name: "test", Version: "1"}
		welcome, err := c.Initialize(t.Context(), hello)
		require.NoError(t, err)
		assert.Equal(t, version, welcome.ProtocolVersion)
		echo := mcp.CallToolRequest{}
		echo.Params.Name = "echo"
		result, err := c.CallTool(t.Context(), echo)
		require.NoError(t, err)
		assert.Equal(t, "echo", result.Content[0].(mcp.TextContent).Text)
		require.NoError(t, c.Close())
	}
	for _, version := range append([]string{"2026-07-28"}, legacyVersions...) {
		t.Run("mcp "+version, func(t *testing.T) {
			wire, err := transport.NewStreamableHTTP(s.url + "/mcp")
			require.NoError(t, err)
			use(t, wire, version)
		})
	}
	for _, version := range legacyVersions {
		t.Run("sse "+version, func(t *testing.T) {
			wire, err := transport.NewSSE(s.url + "/sse")
			require.NoError(t, err)
			use(t, wire, version)
		})
	}
}

func TestStreamableStreamsProgressToItsCaller(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{Streamable: true})
	e := s.open(http.MethodPost, "/mcp", call(1, "progress"))
	assert.Equal(t, "text/event-stream", e.header.Get("Content-Type"))
	assert.Contains(t, e.next(), `"method":"notifications/progress"`, "while the call goes on")
	close(d.release)
	assert.Contains(t, e.next(), `"text":"done"`)
}

func TestStreamableKeepsClientsApart(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{Streamable: true})
	posted := s.postLater(call(1, "slow"))
	<-d.started
	// Another client gives up its own call 1.
	answer := s.post(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	assert.Equal(t, http.StatusAccepted, answer.status)
	close(d.release)
	assert.Contains(t, <-posted, `"text":"done"`)
	assert.Empty(t, d.cancelled)
}

func TestRoutes(t *testing.T) {
	tests := []struct {
		method, path string
		http, sse    int // status with each transport
	}{
		{"GET", "/healthz", 200, 200},
		{"HEAD", "/healthz", 200, 200},
		{"GET", "/readyz", 200, 200},
		{"GET", "/", 404, 404},
		{"GET", "/metrics", 404, 404},
		{"POST", "/healthz", 404, 404},
		{"POST", "/mcp", 200, 404},
		{"GET", "/mcp", 405, 404},
		{"DELETE", "/mcp", 405, 404},
		{"POST", "/mcp/", 404, 404},
		{"POST", "/sse", 405, 405},
		{"HEAD", "/sse", 405, 405},
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
			body := ""
			if test.method == http.MethodPost {
				body = request(1, "ping")
			}
			assert.Equal(t, want, s.do(test.method, test.path, body).status, "%s %s, streamable %v", test.method, test.path, streamable)
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
	response := s.do(http.MethodGet, "/readyz", "")
	assert.Equal(t, http.StatusOK, response.status)
	assert.Equal(t, "ok\n", response.text)

	reason <- errors.New("the store does not answer")
	response = s.do(http.MethodGet, "/readyz", "")
	assert.Equal(t, http.StatusServiceUnavailable, response.status)
	assert.Equal(t, "the store does not answer\n", response.text)
}

func TestHostAndOriginAreChecked(t *testing.T) {
	tests := map[string]struct {
		options HTTPOptions
		headers []string
		want    int
	}{
		"loopback":              {want: 200},
		"another port":          {headers: []string{"Host", "localhost:9"}, want: 200},
		"rebound name":          {headers: []string{"Host", "evil.example"}, want: 403},
		"local page":            {headers: []string{"Origin", "http://localhost:6274"}, want: 200},
		"foreign page":          {headers: []string{"Origin", "https://evil.example"}, want: 403},
		"sandboxed page":        {headers: []string{"Origin", "null"}, want: 403},
		"allowed host":          {HTTPOptions{AllowedHosts: []string{"mcp.example.com"}}, []string{"Host", "mcp.example.com"}, 200},
		"loopback then not":     {HTTPOptions{AllowedHosts: []string{"mcp.example.com"}}, nil, 403},
		"allowed page":          {HTTPOptions{AllowedOrigins: []string{"https://app.example.com"}}, []string{"Origin", "https://app.example.com"}, 200},
		"local page then not":   {HTTPOptions{AllowedOrigins: []string{"https://app.example.com"}}, []string{"Origin", "http://localhost:6274"}, 403},
		"no page at all":        {HTTPOptions{AllowedOrigins: []string{"https://app.example.com"}}, nil, 200},
		"no page, says browser": {headers: []string{"Sec-Fetch-Site", "none"}, want: 200},
		"page of the same site": {headers: []string{"Sec-Fetch-Site", "same-site"}, want: 200},
		"page of another site":  {headers: []string{"Sec-Fetch-Site", "cross-site"}, want: 403},
		"allowed, other site":   {headers: []string{"Sec-Fetch-Site", "cross-site", "Origin", "http://localhost:6274"}, want: 200},
		"two origins":           {headers: []string{"Origin", "http://localhost", "Origin", "https://evil.example"}, want: 403},
		"one origin twice":      {headers: []string{"Origin", "http://localhost", "Origin", "http://localhost"}, want: 403},
		"port of a host":        {headers: []string{"Host", "localhost:evil"}, want: 403},
		"good page, wrong host": {headers: []string{"Origin", "http://localhost", "Host", "evil.example"}, want: 403},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.options.Streamable = true
			s := listenHTTP(t, newDouble(t), test.options)
			answer := s.post(request(1, "ping"), test.headers...)
			assert.Equal(t, test.want, answer.status, answer.text)
			assert.Equal(t, test.want, s.open(http.MethodGet, "/sse", "", test.headers...).status)
			if test.want == http.StatusForbidden {
				assert.Contains(t, answer.text, "is not allowed")
			}
		})
	}
}

func TestBrowsersMayUseTheServer(t *testing.T) {
	const page = "http://localhost:6274"
	const headers = "authorization,content-type,last-event-id,mcp-method,mcp-name,mcp-param-kol,mcp-protocol-version,mcp-session-id"
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	for _, path := range []string{"/mcp", "/sse", "/message"} {
		preflight := s.do(http.MethodOptions, path, "", "Origin", page,
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", headers)
		assert.Equal(t, http.StatusNoContent, preflight.status)
		assert.Equal(t, page, preflight.header.Get("Access-Control-Allow-Origin"))
		assert.Contains(t, preflight.header.Get("Access-Control-Allow-Methods"), "POST")
		assert.Equal(t, headers, preflight.header.Get("Access-Control-Allow-Headers"))

		foreign := s.do(http.MethodOptions, path, "", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST")
		assert.Equal(t, http.StatusForbidden, foreign.status)
		assert.Empty(t, foreign.header.Values("Access-Control-Allow-Origin"))
	}
	for _, response := range []answer{
		s.post(request(1, "ping"), "Origin", page),
		s.open(http.MethodGet, "/sse", "", "Origin", page).answer,
	} {
		assert.Equal(t, http.StatusOK, response.status)
		assert.Equal(t, []string{page}, response.header.Values("Access-Control-Allow-Origin"))
		assert.Equal(t, []string{"Origin"}, response.header.Values("Vary"))
	}
	_, endpoint := s.stream()
	accepted := s.do(http.MethodPost, endpoint, request(1, "ping"), "Origin", page)
	assert.Equal(t, []string{"Origin"}, accepted.header.Values("Vary"))
	assert.Empty(t, s.open(http.MethodGet, "/sse", "").header.Values("Access-Control-Allow-Origin"), "no wildcard")
}

func TestBodiesAreBounded(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	pad := func(size int) string {
		const frame = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":""}}`
		return strings.Replace(frame, `""`, `"`+strings.Repeat("x", size-len(frame))+`"`, 1)
	}
	answer := s.post(pad(maxBody))
	assert.Equal(t, http.StatusOK, answer.status)
	answer = s.post(pad(maxBody + 1))
	assert.Equal(t, http.StatusRequestEntityTooLarge, answer.status)
	assert.Equal(t, "The request body is larger than 1 MiB.\n", answer.text)

	e, endpoint := s.stream()
	response := s.do(http.MethodPost, endpoint, pad(maxBody+1))
	assert.Equal(t, http.StatusRequestEntityTooLarge, response.status)
	assert.Equal(t, http.StatusAccepted, s.do(http.MethodPost, endpoint, call(2, "echo")).status)
	assert.Contains(t, e.next(), `"id":2`)
}

func TestOddMessagesAreAnswered(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	_, endpoint := s.stream()
	for body, code := range map[string]string{
		"": "-32700", "hello": "-32700", request(1, "ping") + "x": "-32700",
		"5": "-32600", " [" + request(1, "ping") + "]": "-32600", `{"jsonrpc":"2.0","id":{},"method":"ping"}`: "-32600",
	} {
		for _, path := range []string{"/mcp", endpoint} {
			answer := s.do(http.MethodPost, path, body)
			assert.Equal(t, http.StatusBadRequest, answer.status, "%s: %s", path, body)
			assert.Contains(t, answer.text, code, "%s: %s", path, body)
		}
	}
}

func TestWrongParametersAreAnswered(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}`
	const want = `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"params.name: a number where a string belongs."}}`
	for version, status := range map[string]int{"2025-11-25": http.StatusOK, "2026-07-28": http.StatusBadRequest} {
		answer := s.post(body, "MCP-Protocol-Version", version)
		assert.Equal(t, status, answer.status, version)
		assert.JSONEq(t, want, answer.text)
	}
	_, endpoint := s.stream()
	answer := s.do(http.MethodPost, endpoint, body)
	assert.Equal(t, http.StatusBadRequest, answer.status, "200 would promise an answer on the stream")
	assert.JSONEq(t, want, answer.text)
}

func TestAResponseToNothingIsAcceptedAndIgnored(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	_, endpoint := s.stream()
	for _, path := range []string{"/mcp", endpoint} {
		for _, body := range []string{`{"jsonrpc":"2.0","id":1,"result":{"a":1}}`, `{"jsonrpc":"2.0","id":1,"error":{}}`} {
			answer := s.do(http.MethodPost, path, body)
			assert.Equal(t, http.StatusAccepted, answer.status, "%s: %s", path, body)
			assert.Empty(t, answer.text)
		}
	}
}

func TestABodyIsRefusedBeforeItIsSentIfTheClientAsks(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\nExpect: 100-continue\r\n\r\n")
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	assert.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
}

func TestAPanicIsSurvivedAndTellsNothing(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	answer := s.post(call(1, "crash"), "Authorization", "Bearer s3cret")
	assert.Equal(t, http.StatusInternalServerError, answer.status)
	assert.Equal(t, "Internal server error.\n", answer.text)
	s.do(http.MethodGet, "/healthz?key=s3cret", "")
	assert.Contains(t, s.log.String(), "a request handler panicked")
	assert.NotContains(t, s.log.String(), "s3cret")
}

func TestAPanicInMidAnswerCutsItOff(t *testing.T) {
	for _, cause := range []any{"s3cret", http.ErrAbortHandler} {
		handler := supervise(quiet(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			panic(cause)
		}))
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		assert.PanicsWithError(t, http.ErrAbortHandler.Error(), func() {
			handler.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
}

func TestRequestsAreLoggedAtDebug(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{})
	s.do(http.MethodGet, "/no-such?query", "")
	s.stop()
	require.NoError(t, <-s.returned)
	assert.Regexp(t, `"level":"DEBUG","msg":"request","method":"GET","path":"/no-such","status":404,"duration":\d+}`, s.log.String())
}

func TestListeningFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	err = ListenHTTP(t.Context(), newDouble(t).MCPServer, HTTPOptions{Addr: taken.Addr().String(), Logger: quiet()})
	require.ErrorContains(t, err, "listen for MCP over HTTP")
}

func TestSSEAnswersNoCancelledCall(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{})
	mine, endpoint := s.stream()
	others, elsewhere := s.stream()
	for _, to := range []string{endpoint, elsewhere} {
		s.do(http.MethodPost, to, call(1, "slow"))
	}
	for range 2 {
		<-d.started
	}
	s.do(http.MethodPost, endpoint, cancel(1))
	<-d.cancelled
	s.do(http.MethodPost, endpoint, request(2, "ping"))
	assert.Contains(t, mine.next(), `"id":2`)
	close(d.release)
	assert.Contains(t, others.next(), `"id":1`, "which nobody has cancelled")
	s.stop()
	assert.Empty(t, mine.next())
	require.NoError(t, <-s.returned, "a cancelled call holds up no shutdown")
}

func TestShutdownAnswersCallsInFlight(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{Streamable: true})
	idle, _ := s.stream() // which nobody closes

	posted := s.postLater(call(1, "slow"))
	var streams []*events
	for range 2 {
		e, endpoint := s.stream()
		for id := range 3 {
			require.Equal(t, http.StatusAccepted, s.do(http.MethodPost, endpoint, call(id, "slow")).status)
		}
		streams = append(streams, e)
	}
	for range 7 {
		<-d.started
	}
	s.stop()
	assert.Empty(t, idle.next(), "an idle stream is closed at once")
	close(d.release)

	assert.Contains(t, <-posted, `"text":"done"`)
	for _, e := range streams {
		for range 3 {
			assert.Contains(t, e.next(), `"text":"done"`)
		}
		assert.Empty(t, e.next(), "the stream ends")
	}
	require.NoError(t, <-s.returned)
}

// A subscription to nothing ends at once, which must not overtake its
// acknowledgement; so it is tried often.
func TestSubscriptionsAreAcknowledged(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true})
	body := `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{` + modern + `,"notifications":{"promptsListChanged":true}}}`
	for range 200 {
		e := s.open(http.MethodPost, "/mcp", body, modernHeaders("subscriptions/listen", "")...)
		require.Contains(t, e.next(), `"method":"notifications/subscriptions/acknowledged"`)
		require.Contains(t, e.next(), `"result":`)
	}
}

func TestShutdownDoesNotWaitForListeners(t *testing.T) {
	s := listenHTTP(t, newDouble(t), HTTPOptions{Streamable: true, Grace: time.Hour})
	s.stream()
	body := `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{` + modern + `,"notifications":{"toolsListChanged":true}}}`
	e := s.open(http.MethodPost, "/mcp", body, modernHeaders("subscriptions/listen", "")...)
	require.Contains(t, e.next(), "acknowledged")
	s.stop()
	require.NoError(t, <-s.returned)
}

func TestShutdownDoesNotWaitForCallsWhoseStreamIsGone(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{Grace: time.Hour})
	ctx, leave := context.WithCancel(t.Context())
	response, err := s.client.Do(s.request(http.MethodGet, "/sse", "").WithContext(ctx))
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	e := &events{lines: bufio.NewScanner(response.Body)}
	require.Equal(t, http.StatusAccepted, s.do(http.MethodPost, e.next(), call(1, "slow")).status)
	<-d.started
	leave()
	s.stop()
	require.NoError(t, <-s.returned)
	close(d.release)
}

func TestShutdownEndsWithTheGrace(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{Streamable: true, Grace: time.Millisecond})
	e, endpoint := s.stream()
	s.do(http.MethodPost, endpoint, call(1, "stubborn"))
	cut := s.postLater(call(1, "stubborn"))
	<-d.started
	<-d.started
	s.stop()
	require.NoError(t, <-s.returned)
	assert.NotContains(t, <-cut, "jsonrpc", "the call is cut off")
	assert.Empty(t, e.next())
	close(d.release)
}

// What would outlast the grace is answered by its own tool, which alone knows
// what became of the call.
func TestShutdownHasCancelledCallsAnswered(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{Streamable: true, Grace: 2 * unwind})
	e, endpoint := s.stream()
	for _, id := range []int{1, 1, 2} {
		require.Equal(t, http.StatusAccepted, s.do(http.MethodPost, endpoint, call(id, "slow")).status)
	}
	posted := s.postLater(call(3, "slow"))
	for range 4 {
		<-d.started
	}
	s.stop()

	cancelled := regexp.MustCompile(`"id":(\d),"error":{"code":-32603,"message":"context canceled"`)
	assert.Regexp(t, cancelled, <-posted)
	var ids []string
	for data := e.next(); data != ""; data = e.next() {
		require.Regexp(t, cancelled, data)
		ids = append(ids, cancelled.FindStringSubmatch(data)[1])
	}
	assert.ElementsMatch(t, []string{"1", "1", "2"}, ids)
	require.NoError(t, <-s.returned)
}

func TestNothingBeginsDuringShutdown(t *testing.T) {
	s := newSSE(newDouble(t).MCPServer)
	session := &sseSession{ctx: t.Context(), end: func() {}, calls: newPending()}
	require.True(t, s.add("a", session))
	s.shutdown(t.Context())

	w := httptest.NewRecorder()
	s.stream(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/sse", nil))
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)

	w = httptest.NewRecorder()
	s.message(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/message?sessionId=a", nil), []byte(call(1, "echo")))
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
}

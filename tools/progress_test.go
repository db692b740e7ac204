package tools_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

// slowly is a Collector that answers after a while, or when the call ends.
func slowly(took time.Duration, collected *schema.Collected, err error) tools.Collector {
	return collectorFunc(func(ctx context.Context, _ string, _ bool) (*schema.Collected, error) {
		select {
		case <-time.After(took):
			return collected, err
		case <-ctx.Done():
			return nil, &schema.Error{Kind: schema.StillCollecting, Message: "The call has ended."}
		}
	})
}

// heard gathers the notifications that a client gets.
type heard struct {
	mu            sync.Mutex
	notifications []map[string]any
}

func (h *heard) add(n mcp.JSONRPCNotification) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notifications = append(h.notifications, map[string]any{"method": n.Method, "params": n.Params.AdditionalFields})
}

func (h *heard) all() []map[string]any {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.notifications
}

func progress(token any, seconds float64, message string) map[string]any {
	return map[string]any{"method": "notifications/progress", "params": map[string]any{
		"progressToken": token, "progress": seconds, "message": message,
	}}
}

func callWithToken(ctx context.Context, c *client.Client, token mcp.ProgressToken, language string) (*mcp.CallToolResult, error) {
	params := mcp.CallToolParams{
		Name:      tools.PortraitToolName,
		Arguments: map[string]any{"kolId": kolID, "language": language},
	}
	if token != nil {
		params.Meta = &mcp.Meta{ProgressToken: token}
	}
	return c.CallTool(ctx, mcp.CallToolRequest{Params: params})
}

func TestAClientWithAProgressTokenHearsHowLongItHasWaited(t *testing.T) {
	failure := &schema.Error{Kind: schema.CollectionFailed, Message: "No luck."}
	for _, test := range []struct {
		name     string
		token    mcp.ProgressToken
		language string
		took     time.Duration
		err      error
		want     []map[string]any
	}{
		{"every 5 s", "t-1", "en", 12 * time.Second, nil, []map[string]any{
			progress("t-1", 5, "Collecting the portrait: 5 s so far"),
			progress("t-1", 10, "Collecting the portrait: 10 s so far"),
		}},
		{"in the language of the call", "t-1", "zh", 6 * time.Second, nil, []map[string]any{
			progress("t-1", 5, "正在采集画像，已用 5 秒"),
		}},
		{"with a number for a token, zero included", 0, "en", 6 * time.Second, nil, []map[string]any{
			progress(0.0, 5, "Collecting the portrait: 5 s so far"),
		}},
		{"also where the call fails", "t-1", "en", 6 * time.Second, failure, []map[string]any{
			progress("t-1", 5, "Collecting the portrait: 5 s so far"),
		}},
		{"not where the answer is quick", "t-1", "en", 4 * time.Second, nil, nil},
		{"not without a token", nil, "en", 12 * time.Second, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var heard heard
				c := connect(t, newTools(t, slowly(test.took, paid(), test.err)))
				c.OnNotification(heard.add)

				result, err := callWithToken(t.Context(), c, test.token, test.language)
				require.NoError(t, err)
				assert.Equal(t, test.err != nil, result.IsError)
				time.Sleep(time.Minute)
				assert.Equal(t, test.want, heard.all())
			})
		})
	}
}

func TestACallThatEndsHearsNoMoreProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard heard
		c := connect(t, newTools(t, slowly(time.Hour, nil, errors.New("too late"))))
		c.OnNotification(heard.add)
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		_, _ = callWithToken(ctx, c, "t-1", "en") // its answer is nobody's
		time.Sleep(time.Minute)
		assert.Len(t, heard.all(), 1)
	})
}

// TestProgressThatCannotBeSentFailsNoCall calls a server whose client never
// shook hands, and so can be told nothing.
func TestProgressThatCannotBeSentFailsNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newTools(t, slowly(12*time.Second, paid(), nil)).Server("test")
		answer := server.HandleMessage(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call",
			"params":{"name":"get_kol_fans_portrait","arguments":{"kolId":"abc"},"_meta":{"progressToken":1}}}`))
		response, ok := answer.(mcp.JSONRPCResponse)
		require.True(t, ok, "%+v", answer)
		assert.False(t, response.Result.(*mcp.CallToolResult).IsError)
	})
}

// TestNoProgressComesAfterTheAnswer has a send that fails, and a log that takes
// its time to note that: the call must not be answered meanwhile.
func TestNoProgressComesAfterTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := tools.New(tools.Options{
			Collector: slowly(6*time.Second, paid(), nil),
			Language:  schema.English,
			Now:       today,
			Logger:    slog.New(slowLog{slog.DiscardHandler}),
		}).Server("test")
		start := time.Now()
		server.HandleMessage(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call",
			"params":{"name":"get_kol_fans_portrait","arguments":{"kolId":"abc"},"_meta":{"progressToken":1}}}`))
		assert.Equal(t, 8*time.Second, time.Since(start), "of the clock of synctest, which is exact")
	})
}

// slowLog takes 3 s to note what debugging needs.
type slowLog struct{ slog.Handler }

func (slowLog) Enabled(context.Context, slog.Level) bool { return true }

func (slowLog) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelDebug {
		time.Sleep(3 * time.Second)
	}
	return nil
}

func (l slowLog) WithAttrs([]slog.Attr) slog.Handler { return l }

func TestProgressCrossesHTTP(t *testing.T) {
	for _, test := range []struct {
		name    string
		handler func(*mcpserver.MCPServer) http.Handler
		connect func(url string, via *http.Client) (*client.Client, error)
	}{
		{
			"/mcp",
			func(s *mcpserver.MCPServer) http.Handler {
				return mcpserver.NewStreamableHTTPServer(s, mcpserver.WithStateLess(true))
			},
			func(url string, via *http.Client) (*client.Client, error) {
				return client.NewStreamableHttpClient(url+"/mcp", transport.WithHTTPBasicClient(via))
			},
		},
		{
			"/sse",
			func(s *mcpserver.MCPServer) http.Handler { return mcpserver.NewSSEServer(s) },
			func(url string, via *http.Client) (*client.Client, error) {
				return client.NewSSEMCPClient(url+"/sse", transport.WithHTTPClient(via))
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newTools(t, slowly(12*time.Second, paid(), nil)).Server("test")
				via := inMemory(t, test.handler(server))
				c, err := test.connect("http://localhost", via)
				require.NoError(t, err)
				defer func() { _ = c.Close() }()
				var heard heard
				c.OnNotification(heard.add)
				require.NoError(t, c.Start(t.Context()))
				shakeHands(t, c)

				result, err := callWithToken(t.Context(), c, "t-1", "en")
				require.NoError(t, err)
				assert.False(t, result.IsError)
				synctest.Wait()
				assert.Equal(t, []map[string]any{
					progress("t-1", 5, "Collecting the portrait: 5 s so far"),
					progress("t-1", 10, "Collecting the portrait: 10 s so far"),
				}, heard.all())
			})
		})
	}
}

// inMemory serves handler without a network, whose waiting would hold up the
// clock of synctest, and returns a client of it.
func inMemory(t *testing.T, handler http.Handler) *http.Client {
	t.Helper()
	listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	listener.close = sync.OnceFunc(func() { close(listener.closed) })
	server := httptest.NewUnstartedServer(handler)
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	via := &http.Client{Transport: &http.Transport{DialContext: listener.dial}}
	t.Cleanup(func() {
		via.CloseIdleConnections()
		server.CloseClientConnections()
		server.Close()
	})
	return via
}

// pipeListener is a net.Listener of connections within the process.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.close()
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

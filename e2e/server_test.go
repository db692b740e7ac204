//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store/redis/redistest"
	"kol-portrait-mcp/upstream/sample"
)

// kol is the KOL of the vendor's documented response.
const kol = sample.DocumentedID

// environment is what a server is started with.
type environment map[string]string

// against is the environment of a server that asks v and keeps what it gets in
// a store. It has a home of its own.
func against(t *testing.T, v *vendor, store string) environment {
	t.Helper()
	return environment{
		"JUSTONEAPI_TOKEN":    token,
		"JUSTONEAPI_BASE_URL": v.url,
		"JUSTONEAPI_MAX_RPS":  "1000",
		"PORTRAIT_STORE":      store,
		"HOME":                t.TempDir(),
		"LOG_LEVEL":           "debug",
	}
}

// with returns e with other values, given as names and values in turns.
func (e environment) with(pairs ...string) environment {
	changed := maps.Clone(e)
	for i := 0; i < len(pairs); i += 2 {
		changed[pairs[i]] = pairs[i+1]
	}
	return changed
}

// list returns e as a process takes it.
func (e environment) list() []string {
	list := []string{}
	for name, value := range e {
		list = append(list, name+"="+value)
	}
	return list
}

// stores are the stores that processes can share.
func stores() map[string]func(t *testing.T) string {
	return map[string]func(t *testing.T) string{"SQLite": sqliteFile, "Redis": redisServer}
}

// redisServer is a Redis of its own.
func redisServer(t *testing.T) string {
	t.Helper()
	return redistest.Start(t).URL()
}

// sqliteFile is a store in a file of its own.
func sqliteFile(t *testing.T) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "portraits.db")
}

// server is a process of the product.
type server struct {
	*client.Client                // nil where it serves HTTP and nobody has connected
	connections    http.Transport // the client's, over HTTP
	cmd            *exec.Cmd
	stdin          io.Closer
	log            *log
	exited         chan error // how it ended, once
}

// start starts a server on stdio and shakes hands. Whatever it writes, the
// token must not be in it.
func start(t *testing.T, e environment) *server {
	t.Helper()
	s, stdin, stdout := spawn(t, e)
	s.stdin = stdin
	s.Client = client.NewClient(transport.NewIO(stdout, stdin, io.NopCloser(strings.NewReader(""))))
	require.NoError(t, s.Start(context.WithoutCancel(t.Context())))
	s.shakeHands(t)
	return s
}

// startMany starts servers at once, so that they meet where they create their
// store.
func startMany(t *testing.T, n int, e environment) []*server {
	t.Helper()
	servers := make([]*server, n)
	var all sync.WaitGroup
	for i := range servers {
		all.Go(func() { servers[i] = start(t, e) })
	}
	all.Wait()
	return servers
}

// serveHTTP starts a server on a free port and returns it with its address.
// What it serves is Streamable HTTP and SSE, unless e says otherwise.
func serveHTTP(t *testing.T, e environment) (*server, string) {
	t.Helper()
	return serveAt(t, e, "127.0.0.1:0")
}

// serveAt is serveHTTP at an address.
func serveAt(t *testing.T, e environment, addr string) (*server, string) {
	t.Helper()
	s, _, _ := spawn(t, e.with("MCP_TRANSPORT", cmp.Or(e["MCP_TRANSPORT"], "http"), "MCP_ADDR", addr))
	return s, s.log.find(t, regexp.MustCompile(`msg="serving MCP over HTTP" addr=(\S+)`))
}

func spawn(t *testing.T, e environment, args ...string) (s *server, stdin io.WriteCloser, stdout io.Reader) {
	t.Helper()
	// Not the test's context: that ends before Cleanup, and would kill it.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, args...)
	cmd.Env = e.list()
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, in, err := os.Pipe() // not StdoutPipe, which Wait would close under the reader
	require.NoError(t, err)
	s = &server{cmd: cmd, log: newLog(), exited: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = in, s.log
	require.NoError(t, cmd.Start())
	require.NoError(t, in.Close())
	go func() { s.exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		assert.NotContains(t, s.log.String(), token)
	})
	return s, stdin, out
}

// connect connects a client to a server that serves HTTP at addr.
func (s *server) connect(t *testing.T, addr string) {
	t.Helper()
	s.connections.MaxIdleConnsPerHost = 100
	over, err := transport.NewStreamableHTTP("http://"+addr+"/mcp", transport.WithHTTPBasicClient(&http.Client{Transport: &s.connections}))
	require.NoError(t, err)
	s.Client = client.NewClient(over)
	require.NoError(t, s.Start(context.WithoutCancel(t.Context())))
	s.shakeHands(t)
}

// shakeHands initializes the client.
func (s *server) shakeHands(t *testing.T) {
	t.Helper()
	_, err := s.Initialize(t.Context(), mcp.InitializeRequest{Params: mcp.InitializeParams{
		ProtocolVersion: "2025-11-25", ClientInfo: mcp.Implementation{Name: "e2e", Version: "1"},
	}})
	require.NoError(t, err)
}

// end closes the client's end and waits until the process has ended well.
func (s *server) end(t *testing.T) {
	t.Helper()
	require.NoError(t, s.stdin.Close())
	require.NoError(t, <-s.exited, s.log.String())
}

// stop tells the process to end and waits until it has ended well.
func (s *server) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, <-s.exited, s.log.String())
}

// kill is kill -9.
func (s *server) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, s.cmd.Process.Kill())
	require.Error(t, <-s.exited)
}

// call calls the tool. Like all that goroutines call, it does not end the test
// where something is wrong.
func call(ctx context.Context, t *testing.T, c *client.Client, arguments map[string]any) answer {
	t.Helper()
	a, raw, err := ask(ctx, c, arguments)
	if err != nil {
		t.Errorf("call with %v: %v", arguments, err)
	}
	assert.NotContains(t, string(raw), token)
	assert.Equal(t, a.IsError, a.Structured.Error != nil)
	return a
}

// ask calls the tool and returns the answer, decoded and as JSON.
func ask(ctx context.Context, c *client.Client, arguments map[string]any) (a answer, raw []byte, err error) {
	result, err := c.CallTool(ctx, mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "get_kol_fans_portrait", Arguments: arguments}})
	if err != nil {
		return a, nil, err
	}
	return decode(result)
}

// decode returns a result, decoded and as JSON.
func decode(result *mcp.CallToolResult) (a answer, raw []byte, err error) {
	if raw, err = json.Marshal(result); err != nil {
		return a, nil, err
	}
	return a, raw, json.Unmarshal(raw, &a)
}

// usage reads the day's figures.
func usage(t *testing.T, c *client.Client) (figures schema.Usage) {
	t.Helper()
	result, err := c.ReadResource(t.Context(), mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: "kol-portrait://usage"}})
	require.NoError(t, err)
	require.Len(t, result.Contents, 1)
	text, ok := mcp.AsTextResourceContents(result.Contents[0])
	require.True(t, ok)
	require.NoError(t, json.Unmarshal([]byte(text.Text), &figures))
	return figures
}

// answer is what a client sees of a result.
type answer struct {
	IsError    bool
	Content    []struct{ Text string }
	Structured struct {
		KOLID         string
		Distributions json.RawMessage
		Source        schema.Source
		Error         *schema.Error
	} `json:"structuredContent"`
}

// portraitOf calls for a portrait that must come.
func (s *server) portraitOf(t *testing.T, kolID string) answer {
	t.Helper()
	a := call(t.Context(), t, s.Client, map[string]any{"kolId": kolID})
	assert.Nil(t, a.Structured.Error)
	assert.Equal(t, kolID, a.Structured.KOLID)
	if assert.Len(t, a.Content, 1) {
		assert.Contains(t, a.Content[0].Text, "KOL "+kolID)
	}
	return a
}

// log is what a process writes on stderr.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed and replaced when there is more
}

func newLog() *log { return &log{more: make(chan struct{})} }

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.more)
	l.more = make(chan struct{})
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// find waits until the log matches, a minute at most, and returns the first group.
func (l *log) find(t *testing.T, pattern *regexp.Regexp) string {
	t.Helper()
	for {
		l.mu.Lock()
		text, more := l.text.String(), l.more
		l.mu.Unlock()
		if match := pattern.FindStringSubmatch(text); match != nil {
			return match[len(match)-1]
		}
		select {
		case <-more:
		case <-time.After(time.Minute):
			require.Fail(t, "the log does not say so", "%s\n%s", pattern, text)
		}
	}
}

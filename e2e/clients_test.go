//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sdk is the client of an SDK, connected to a server. What it returns is what
// the SDK hands to its user, as JSON.
type sdk interface {
	// ask sends a request of MCP. Its params are as the protocol has them, but
	// for the progress token, which is the SDK's where hear is not nil. A
	// protocol error is a *protocolError.
	ask(ctx context.Context, method string, params map[string]any, hear func(progress)) (json.RawMessage, error)
	// close says goodbye. On stdio it waits for the server's process, which must
	// end well and by itself.
	close(t *testing.T)
	// complaints are what the SDK objects to although it goes on: what it logs
	// as a warning, prints, or tells an error handler.
	complaints() []string
}

// connect connects a client to a server.
type connect func(t *testing.T, to endpoint) (sdk, hello, error)

// endpoint is where a client finds a server.
type endpoint struct {
	transport string      // stdio, sse or http
	url       string      // of sse and http
	env       environment // of stdio, whose server the client starts
	stderr    *log        // of that server
	revision  string      // the one revision of the protocol that the client offers
	user      string      // who logs in where the server asks for a token; of the clients for Node
}

// hello is what a server says of itself when a client connects.
type hello struct {
	ProtocolVersion string // that was negotiated
	ServerInfo      struct{ Name, Version string }
	Capabilities    json.RawMessage
	Instructions    string
}

// progress is one notification of it.
type progress struct {
	Progress float64 `json:"progress"`
	Total    float64 `json:"total"`
	Message  string  `json:"message"`
}

// protocolError is a JSON-RPC error.
type protocolError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error returns the code and the message.
func (e *protocolError) Error() string { return fmt.Sprintf("%d: %s", e.Code, e.Message) }

// The revisions of the protocol. The newest is stateless: it has no handshake,
// and no ping.
const (
	revision2025June     = "2025-06-18"
	revision2025November = "2025-11-25"
	revision2026         = "2026-07-28"
)

// clients are the clients, each with the revisions that it speaks.
var clients = []struct {
	name      string
	connect   connect
	revisions []string
}{
	{"@modelcontextprotocol/client", connectNode("client.mjs"), []string{revision2025June, revision2025November, revision2026}},
	{"@modelcontextprotocol/sdk", connectNode("sdk.mjs"), []string{revision2025June, revision2025November}},
	{"Go SDK", connectGoSDK, []string{revision2025June, revision2025November, revision2026}},
	{"mcp-go", connectMCPGo, []string{revision2025June, revision2025November, revision2026}},
}

// doors are the ways into the server.
var doors = []struct{ name, serves, transport, path string }{
	{"stdio", "stdio", "stdio", ""},
	{"SSE alone", "sse", "sse", "/sse"},
	{"SSE beside Streamable HTTP", "http", "sse", "/sse"},
	{"Streamable HTTP", "http", "http", "/mcp"},
}

// A client on an event stream thinks for longer than the five minutes after
// which Node's fetch gives up a stream on which nothing comes, and is then
// answered on that stream. It is the first test, so that all others run while it
// waits.
func TestIdleEventStream(t *testing.T) {
	const idle = 6 * time.Minute
	v := startVendor(t)
	s, addr := serveHTTP(t, against(t, v, sqliteFile(t)))
	client, _, err := connectNode("sdk.mjs")(t, endpoint{transport: "sse", revision: revision2025November, url: "http://" + addr + "/sse"})
	require.NoError(t, err)
	over := time.After(idle)
	t.Parallel()
	<-over
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	raw, err := client.ask(ctx, "tools/call", map[string]any{"name": "get_kol_fans_portrait", "arguments": map[string]any{"kolId": kol}}, nil)
	require.NoError(t, err)
	assert.Contains(t, string(raw), kol)
	assert.Empty(t, client.complaints())
	assert.NotContains(t, s.log.String(), "path=/sse", "a stream that has ended")
	client.close(t)
}

// TestClients has the same conversation with every client, through every door,
// in every revision. What they are answered must not depend on those.
func TestClients(t *testing.T) {
	t.Parallel()
	conversations := map[string]*conversation{}
	t.Run("cells", func(t *testing.T) {
		for _, client := range clients {
			for _, door := range doors {
				for _, revision := range client.revisions {
					c, name := &conversation{}, client.name+", "+door.name+", "+revision
					conversations[name] = c
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						c.talk(t, client.connect, endpoint{transport: door.transport, revision: revision}, door.serves, door.path)
					})
				}
			}
		}
	})
	first := conversations["Go SDK, stdio, "+revision2026]
	for name, c := range conversations {
		assert.Equal(t, first.heard, c.heard, name)
	}
}

// talk has the conversation with a server, a vendor and a store of its own.
func (c *conversation) talk(t *testing.T, connect connect, to endpoint, serves, path string) {
	t.Helper()
	c.vendor = startVendor(t)
	to.env, to.stderr = against(t, c.vendor, sqliteFile(t)), newLog()
	end := func() {}
	if serves != "stdio" {
		s, addr := serveHTTP(t, to.env.with("MCP_TRANSPORT", serves))
		to.stderr, to.url = s.log, "http://"+addr+path
		end = func() { s.stop(t) }
	}
	var h hello
	var err error
	c.client, h, err = connect(t, to)
	require.NoError(t, err, to.stderr)
	assert.Equal(t, to.revision, h.ProtocolVersion)
	assert.Equal(t, "kol-portrait-mcp", h.ServerInfo.Name)
	assert.NotEmpty(t, h.ServerInfo.Version)
	assert.JSONEq(t, `{"tools": {}, "resources": {}, "prompts": {}, "completions": {}, "extensions": {"io.modelcontextprotocol/ui": {}}}`, string(h.Capabilities))
	c.heard = append(c.heard, h.Instructions)
	c.have(t, to.revision)
	c.client.close(t)
	end()
	assert.Empty(t, slices.DeleteFunc(c.client.complaints(), func(complaint string) bool {
		return strings.Contains(complaint, "unknown message ID") // the answer to the cancelled call, which may be under way
	}))
	assert.NotContains(t, to.stderr.String(), token)
	// The client that cancels its call may leave while mcp-go writes the answer.
	left := regexp.MustCompile(`.*Failed to write response.*(?:broken pipe|connection reset).*\n`)
	assert.NotRegexp(t, "level=(WARN|ERROR)", left.ReplaceAllString(to.stderr.String(), ""))
}

// lines returns what was logged, a line each.
func (l *log) lines() []string {
	return slices.DeleteFunc(strings.Split(l.String(), "\n"), func(line string) bool { return line == "" })
}

// passing is what an answer says of moments, which are not the same in two
// conversations.
var passing = regexp.MustCompile(`"retrievedAt":"[^"]*"|\d{4}-\d\d-\d\d \d\d:\d\d|\d+ (days|天)`)

//go:build e2e

package e2e

import (
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// connect connects a client to a server, in one revision of the protocol.
type connect func(t *testing.T, to endpoint) (sdk, hello, error)

// clientUnderTest is a client that is held against the server, and the other way
// round.
type clientUnderTest struct {
	name    string
	connect connect
	// shakesHands tells that the client knows no revision without a handshake.
	shakesHands bool
	// validates tells that the client holds each structured result against the
	// output schema of a tool that it has listed.
	validates bool
	// endsRequests tells that the client cancels over HTTP by ending the request,
	// as it is from 2026-07-28 on, in every revision. Over SSE that tells nothing.
	endsRequests bool
	// loses are the fields, by list, that the client's types have no place for.
	loses map[string][]string
}

// door is a way into the server.
type door struct {
	name      string
	serves    string // --transport
	transport string // that the client uses
	path      string
}

// cell is one of the matrix: a client that comes through a door and offers a
// revision of the protocol.
type cell struct {
	client   clientUnderTest
	door     door
	revision string
	// instead is the revision that is negotiated where the client cannot speak
	// the one that it is told to offer, and why says why. Both are empty where it
	// can.
	instead, why string
}

// speaks is the revision that is negotiated.
func (c cell) speaks() string {
	if c.instead != "" {
		return c.instead
	}
	return c.revision
}

// tellsOfCancelledCalls reports whether the server hears of a call that the
// client cancels. Over Streamable HTTP a notification does not tell: without
// sessions nobody knows whose call is meant. To end the request does.
func (c cell) tellsOfCancelledCalls() bool {
	switch c.door.transport {
	case "http":
		return c.client.endsRequests || c.speaks() == revision2026
	case "sse":
		return !c.client.endsRequests
	default:
		return true
	}
}

func (c cell) name() string { return c.client.name + ", " + c.door.name + ", " + c.revision }

const (
	revision2025June     = "2025-06-18"
	revision2025November = "2025-11-25"
	revision2026         = "2026-07-28" // stateless: no handshake, and no ping
)

func clientsUnderTest() []clientUnderTest {
	typeScript := map[string][]string{"prompts": {"title"}} // of an argument
	return []clientUnderTest{
		{name: "@modelcontextprotocol/client", connect: connectNode("client.mjs"), validates: true, loses: typeScript},
		{name: "@modelcontextprotocol/sdk", connect: connectNode("sdk.mjs"), shakesHands: true, validates: true, loses: typeScript},
		{name: "Go SDK", connect: connectGoSDK},
		{name: "mcp-go", connect: connectMCPGo, endsRequests: true, loses: map[string][]string{"tools": {"$schema", "anyOf", "required"}}},
	}
}

func doors() []door {
	return []door{
		{name: "stdio", serves: "stdio", transport: "stdio"},
		{name: "SSE alone", serves: "sse", transport: "sse", path: "/sse"},
		{name: "SSE beside Streamable HTTP", serves: "http", transport: "sse", path: "/sse"},
		{name: "Streamable HTTP", serves: "http", transport: "http", path: "/mcp"},
	}
}

// matrix is every client through every door in every revision.
func matrix() []cell {
	var cells []cell
	for _, client := range clientsUnderTest() {
		for _, door := range doors() {
			for _, revision := range []string{revision2025June, revision2025November, revision2026} {
				c := cell{client: client, door: door, revision: revision}
				if client.shakesHands && revision == revision2026 {
					c.instead, c.why = revision2025November, "this SDK knows the handshake alone, in which no later revision can be had"
				}
				cells = append(cells, c)
			}
		}
	}
	return cells
}

// excused reports whether a complaint of the client's is not the server's fault.
func (c cell) excused(complaint string) bool {
	late := strings.Contains(complaint, "Received a response for an unknown message ID")
	broken := strings.HasPrefix(complaint, "AbortError: ")
	return late && !c.tellsOfCancelledCalls() || // nobody told the server that it need not answer
		broken && c.instead != "" // the client left at once, and broke off what it had begun
}

// TestClients has the same conversation in each cell of the matrix. What the
// clients are answered must not depend on the cell.
func TestClients(t *testing.T) {
	cells := matrix()
	heard := make([]transcript, len(cells))
	t.Run("cells", func(t *testing.T) {
		for i, c := range cells {
			t.Run(c.name(), func(t *testing.T) {
				t.Parallel()
				heard[i] = talk(t, c)
			})
		}
	})
	first := slices.IndexFunc(heard, func(answers transcript) bool { return answers != nil })
	for i, c := range cells {
		for step, answer := range heard[i] {
			assert.Equal(t, heard[first][step], answer, "%s: %s, here and with %s", step, c.name(), cells[first].name())
		}
	}
}

// talk has the conversation of a cell, with a server, a vendor and a store of its
// own.
func talk(t *testing.T, c cell) transcript {
	t.Helper()
	v := startVendor(t)
	to := endpoint{transport: c.door.transport, revision: c.revision, env: against(t, v, sqliteFile(t)), stderr: newLog()}
	end := func() {}
	if c.door.serves != "stdio" {
		s, _, _ := spawn(t, to.env, "--transport", c.door.serves, "--addr", "127.0.0.1:0")
		to.stderr = s.log
		to.url = "http://" + s.log.find(t, regexp.MustCompile(`msg="serving MCP over HTTP" addr=(\S+)`)) + c.door.path
		end = func() { s.signal(t, syscall.SIGTERM) }
	}
	client, hello, err := c.client.connect(t, to)
	require.NoError(t, err, to.stderr)
	talking := &conversation{cell: c, client: client, vendor: v, stderr: to.stderr, heard: transcript{}}
	talking.have(t, hello)
	client.close(t)
	end()
	assert.Empty(t, slices.DeleteFunc(client.complaints(), c.excused))
	assert.NotContains(t, to.stderr.String(), token)
	assert.NotRegexp(t, "level=(WARN|ERROR)", to.stderr.String())
	return talking.heard
}

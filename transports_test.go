package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/report"
	"kol-portrait-mcp/tools"
)

// TestAllTransportsGiveTheSameResult runs the program on each transport, as
// its flags start it, and calls the tool as a client does.
func TestAllTransportsGiveTheSameResult(t *testing.T) {
	stdio := callPortrait(t, overStdio(t, io.Discard))
	assert.Equal(t, stdio, callPortrait(t, overHTTP(t, "http", "/mcp")), "Streamable HTTP")
	assert.Equal(t, stdio, callPortrait(t, overHTTP(t, "http", "/sse")), "SSE beside Streamable HTTP")
	assert.Equal(t, stdio, callPortrait(t, overHTTP(t, "sse", "/sse")), "SSE alone")
}

// unread is a full pipe that nobody reads.
type unread struct{ ended <-chan struct{} }

func (u unread) Write(p []byte) (int, error) {
	<-u.ended
	return len(p), nil
}

func TestALogThatNobodyReadsHoldsUpNeitherCallsNorTheEnd(t *testing.T) {
	began, stderr := time.Now(), unread{t.Context().Done()}
	t.Run("a call and an end", func(t *testing.T) { callPortrait(t, overStdio(t, stderr)) })
	assert.Less(t, time.Since(began), 10*time.Second)
}

// callPortrait returns the answer for the documented KOL, but for the moment of the
// answer, and the page that shows it.
func callPortrait(t *testing.T, c *client.Client) string {
	t.Helper()
	_, err := c.Initialize(t.Context(), mcp.InitializeRequest{Params: mcp.InitializeParams{
		ProtocolVersion: "2025-11-25", ClientInfo: mcp.Implementation{Name: "test", Version: "1"},
		Capabilities: mcp.ClientCapabilities{Extensions: map[string]any{tools.UIExtension: map[string]any{"mimeTypes": []string{tools.PageMIME}}}},
	}})
	require.NoError(t, err)
	result, err := c.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{
		Name: tools.PortraitToolName, Arguments: map[string]any{"kolId": "5d21ab6b000000001201567d"},
	}})
	require.NoError(t, err)
	require.False(t, result.IsError)
	assert.Contains(t, result.Meta.AdditionalFields, report.ViewKey)
	page, err := c.ReadResource(t.Context(), mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: tools.PageURI}})
	require.NoError(t, err)
	assert.Contains(t, page.Contents[0].(mcp.TextResourceContents).Text, "<!doctype html>")
	raw, err := json.Marshal([]any{result, page})
	require.NoError(t, err)
	moment := regexp.MustCompile(`"retrievedAt":"[^"]*"|Collected [0-9: -]+ UTC`)
	return moment.ReplaceAllString(string(raw), "")
}

// overStdio starts the program on a pair of pipes. It must end by itself, with
// exit code 0, when the client closes its end.
func overStdio(t *testing.T, stderr io.Writer) *client.Client {
	t.Helper()
	return overStdioWith(t, sampleEnvironment(), stderr)
}

func overStdioWith(t *testing.T, env envconfig.Lookuper, stderr io.Writer) *client.Client {
	t.Helper()
	stdin, toServer := io.Pipe()
	fromServer, stdout := io.Pipe()
	// Not the test's own context: that ends before Cleanup, and with it the program.
	exit := start(context.WithoutCancel(t.Context()), process{env: env, stdin: stdin, stdout: stdout, stderr: stderr})
	c := client.NewClient(transport.NewIO(fromServer, toServer, io.NopCloser(strings.NewReader(""))))
	require.NoError(t, c.Start(t.Context()))
	t.Cleanup(func() {
		_ = toServer.Close()
		assert.Equal(t, exitSuccess, <-exit)
	})
	return c
}

// overHTTP starts the program on a free port. It must end with exit code 0
// when it is told to.
func overHTTP(t *testing.T, name, path string) *client.Client {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	log, stderr := io.Pipe()
	exit := start(ctx, process{env: sampleEnvironment(), stdout: io.Discard, stderr: stderr}, "--transport", name, "--addr", "127.0.0.1:0")
	url := "http://" + servedAddress(t, log) + path
	var c *client.Client
	var err error
	if path == "/sse" {
		c, err = client.NewSSEMCPClient(url)
	} else {
		c, err = client.NewStreamableHttpClient(url)
	}
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context()))
	t.Cleanup(func() {
		_ = c.Close()
		stop()
		assert.Equal(t, exitSuccess, <-exit)
	})
	return c
}

func sampleEnvironment() envconfig.Lookuper {
	return envconfig.MapLookuper(map[string]string{"JUSTONEAPI_ENV": "sample", "PORTRAIT_STORE": "memory:"})
}

// start runs the program and returns where its exit code will come.
func start(ctx context.Context, p process, args ...string) <-chan int {
	exit := make(chan int, 1)
	args = append([]string{}, args...) // in the place of nil, cobra takes those of the test
	go func() { exit <- run(ctx, p, args) }()
	return exit
}

// servedAddress reads the address from the log, and then the rest of the log,
// so that nobody waits to write it.
func servedAddress(t *testing.T, log io.Reader) string {
	t.Helper()
	served := regexp.MustCompile(`msg="serving (?:MCP over HTTP" addr|metrics" metricsAddr)=(\S+)`)
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if match := served.FindStringSubmatch(lines.Text()); match != nil {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return match[1]
		}
	}
	require.Fail(t, "the log names no address")
	return ""
}

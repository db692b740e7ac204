//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// callers are the names of those who share the servers of a team.
var callers = []string{"red", "blue", "green", "amber"}

// tokensOf are the bearer tokens of a caller. It is about to replace the first.
func tokensOf(caller string) []string {
	return []string{caller + "-e2e-first-7b0f6c2d", caller + "-e2e-second-e83a19c4"}
}

// ofTeam returns e with the tokens of all callers.
func (e environment) ofTeam() environment {
	var list []string
	for _, caller := range callers {
		for _, token := range tokensOf(caller) {
			list = append(list, caller+"="+token)
		}
	}
	return e.with("MCP_AUTH_TOKENS", strings.Join(list, ","), "LOG_LEVEL", "info")
}

// assertNoTokens checks that a server's log shows no caller's token.
func (s *server) assertNoTokens(t *testing.T) {
	t.Helper()
	for _, caller := range callers {
		for _, token := range tokensOf(caller) {
			assert.NotContains(t, s.log.String(), token)
		}
	}
}

// member is a client over Streamable HTTP. It shows the tokens of its caller in
// turns.
type member struct {
	caller string
	url    string
	http   *http.Client
	asked  int
}

// reply is what a member was answered.
type reply struct {
	status  int
	replica string // as nginx names it
	body    []byte
}

// shakeHands initializes the session, of which no server keeps anything.
func (m *member) shakeHands(ctx context.Context) error {
	r, err := m.ask(ctx, "initialize", map[string]any{
		"protocolVersion": revision2025November, "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "e2e", "version": "1"},
	})
	if err != nil {
		return err
	}
	return r.into(&struct{}{})
}

// ask sends a request of MCP.
func (m *member) ask(ctx context.Context, method string, params any) (reply, error) {
	m.asked++
	message, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": m.asked, "method": method, "params": params})
	if err != nil {
		return reply{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url+"/mcp", bytes.NewReader(message))
	if err != nil {
		return reply{}, err
	}
	request.Header = m.header()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	request.Header.Set("Mcp-Protocol-Version", revision2025November)
	return m.do(request)
}

func (m *member) header() http.Header {
	tokens := tokensOf(m.caller)
	return http.Header{"Authorization": {"Bearer " + tokens[m.asked%len(tokens)]}}
}

func (m *member) do(request *http.Request) (reply, error) {
	response, err := m.http.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header.Get("X-Replica"), body}, err
}

// call calls a tool.
func (m *member) call(ctx context.Context, tool string, arguments map[string]any) (reply, error) {
	return m.ask(ctx, "tools/call", map[string]any{"name": tool, "arguments": arguments})
}

// into decodes the result, which comes alone or as the last event of a stream.
func (r reply) into(result any) error {
	if r.status != http.StatusOK {
		return fmt.Errorf("HTTP %d: %.300s", r.status, r.body)
	}
	body := bytes.TrimSpace(r.body)
	if i := bytes.LastIndex(body, []byte("\ndata: ")); i >= 0 {
		body = body[i+len("\ndata: "):]
	}
	var message struct{ Result, Error json.RawMessage }
	if err := json.Unmarshal(body, &message); err != nil {
		return fmt.Errorf("%.300s: %w", r.body, err)
	}
	if message.Result == nil {
		return fmt.Errorf("the error %s", message.Error)
	}
	return json.Unmarshal(message.Result, result)
}

// usage reads the day's figures, as the caller may see them.
func (m *member) usage(ctx context.Context) (figures schema.Usage, err error) {
	r, err := m.ask(ctx, "resources/read", map[string]any{"uri": "kol-portrait://usage"})
	if err != nil {
		return figures, err
	}
	return usageIn(r)
}

func usageIn(r reply) (figures schema.Usage, err error) {
	var result struct{ Contents []struct{ Text string } }
	err = r.into(&result)
	if err == nil && len(result.Contents) != 1 {
		err = fmt.Errorf("%d contents", len(result.Contents))
	}
	if err != nil {
		return figures, err
	}
	return figures, json.Unmarshal([]byte(result.Contents[0].Text), &figures)
}

// metrics reads what the server measures, without the series that have labels.
func (m *member) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.url+"/metrics", nil)
	require.NoError(t, err)
	request.Header = m.header()
	r, err := m.do(request)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, r.status, "%s", r.body)
	values := map[string]float64{}
	for _, line := range regexp.MustCompile(`(?m)^(\w+) (\S+)$`).FindAllStringSubmatch(string(r.body), -1) {
		values[line[1]], err = strconv.ParseFloat(line[2], 64)
		require.NoError(t, err, line[0])
	}
	return values
}

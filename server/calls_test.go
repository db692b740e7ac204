package server

import (
	"encoding/json"
	"testing"

	mcpserver "github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzIsAnswered holds isAnswered and isAnswer against what mcp-go does.
func FuzzIsAnswered(f *testing.F) {
	for _, seed := range []string{
		"5", "null", "{}", "[" + ping(1) + "]", `{"jsonrpc":2,"id":1}`, `{"jsonrpc":"1.0"}`, `{"jsonrpc":"2.0","id":null,"method":"ping"}`,
		ping(1), ping(`"a<b"`), ping("{}"), ping("1e999"), ping(9007199254740993), request(1, "no/such", ""),
		request(1, "tools/list", "2026-07-28"), request(1, "subscriptions/listen", "2026-07-28"), call(1, "no-such"),
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`, `{"jsonrpc":"2.0","method":"x","params":5}`, `{"jsonrpc":"2.0","method":5}`,
		`{"jsonrpc":"2.0","id":1,"result":{}}`, `{"jsonrpc":"2.0","id":1,"error":{}}`, `{"JSONRPC":"2.0","ID":1,"METHOD":"ping"}`,
	} {
		f.Add([]byte(seed))
	}
	server := mcpserver.NewMCPServer("test", "1", mcpserver.WithToolCapabilities(false))
	f.Fuzz(func(t *testing.T, message []byte) {
		if !json.Valid(message) {
			return // mcp-go's transports look at the syntax first
		}
		answer := server.HandleMessage(t.Context(), message)
		require.Equal(t, answer != nil, isAnswered(message))
		if answer != nil {
			written, err := json.Marshal(answer)
			require.NoError(t, err)
			require.True(t, isAnswer(written), "%s", written)
		}
	})
}

func TestCalls(t *testing.T) {
	all := newCalls(3, nil)
	one, other := newCalls(2, all), newCalls(2, all)
	assert.True(t, one.begin())
	assert.True(t, one.begin())
	assert.False(t, one.begin(), "its own limit")
	assert.True(t, other.begin())
	assert.False(t, other.begin(), "the server's limit")

	one.end()
	assert.True(t, other.begin())
	other.abandon()
	other.end() // the answer that came too late
	assert.False(t, other.begin(), "its client is gone")
	assert.Equal(t, 1, all.waiting)

	idle := one.drain()
	assert.False(t, one.begin())
	assert.Empty(t, idle)
	one.end()
	<-idle
	<-one.drain()
	<-newCalls(0, nil).drain()
}

package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Case C9: an answer under another id is one that nobody gets.
func TestIDsAreEchoedAsTheyCame(t *testing.T) {
	d := newDouble(t)
	s := listenHTTP(t, d, HTTPOptions{Streamable: true})
	stream, endpoint := s.session()
	u := dialStdio(t, newDouble(t), time.Hour)
	for _, id := range []string{"1", "-7", `"a"`, `"1774232524389123456"`, "9007199254740993", "1774232524389123456", "-1774232524389123456", "99999999999999999999"} {
		want := `{"jsonrpc":"2.0","id":` + id + `,"result":`
		assert.Contains(t, s.post(call(id, "echo")).text, want)

		require.Equal(t, http.StatusAccepted, s.do(http.MethodPost, endpoint, call(id, "echo")).status)
		assert.Contains(t, stream.data(), want)

		u.send(call(id, "echo"))
		assert.Equal(t, id, string((<-u.messages).ID))
	}
	within := `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"id": 1774232524389123456}}}`
	assert.Contains(t, s.post(within).text, `"id":1,"result"`)
}

// Case C10: the code of what is wrong with a request's arguments, on every
// transport, and of nothing that only looks like it.
func TestWrongArgumentsAreInvalidParams(t *testing.T) {
	d := newDouble(t)
	const like = `"error":{"code":-32603,"message":"invalid_argument: `
	d.AddPrompt(mcp.NewPrompt("wrong"), func(context.Context, mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return nil, errors.New(`invalid_argument: brief is missing (` + like + `")`)
	})
	d.AddPrompt(mcp.NewPrompt("broken"), func(context.Context, mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return nil, errors.New("store_unavailable: no store")
	})
	const ask = `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":%q}}`
	s := listenHTTP(t, d, HTTPOptions{Streamable: true})
	stream, endpoint := s.session()
	u := dialStdio(t, d, time.Hour)
	for name, want := range map[string]string{
		"wrong":  `"error":{"code":-32602,"message":"brief is missing (\"error\":{\"code\":-32603,\"message\":\"invalid_argument: \")"}`,
		"broken": `"error":{"code":-32603,"message":"store_unavailable: no store"}`,
	} {
		assert.Contains(t, s.post(fmt.Sprintf(ask, name)).text, want)
		require.Equal(t, http.StatusAccepted, s.do(http.MethodPost, endpoint, fmt.Sprintf(ask, name)).status)
		assert.Contains(t, stream.data(), want)
		u.send(fmt.Sprintf(ask, name))
		assert.Contains(t, want, fmt.Sprintf(`"code":%d`, (<-u.messages).Error.Code))
	}
}

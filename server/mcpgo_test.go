package server

import (
	"net/http"
	"testing"
	"time"

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

package server

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// lastAnswer to call 1 is the one it gets where the server ends first.
const lastAnswer = `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"The server ended before this call was answered."}}`

func TestOutputAnswersWhatIsPendingAtItsEnd(t *testing.T) {
	calls := newPending()
	calls.begin("1")
	var out strings.Builder
	o := newOutput(&out, calls, quiet())
	assert.True(t, o.close(time.Hour))
	assert.Equal(t, 1, strings.Count(out.String(), "\n"), "it is a line")
	assert.JSONEq(t, lastAnswer, out.String())
	assert.True(t, isIdle(calls))
}

func TestOutputIsMuteOnceClosed(t *testing.T) {
	calls := newPending()
	calls.begin("1")
	var out strings.Builder
	o := newOutput(&out, calls, quiet())
	o.close(time.Hour)
	_, _ = io.WriteString(o, `{"jsonrpc":"2.0","id":1,"result":{}}`+"\n")
	o.close(time.Hour)
	assert.JSONEq(t, lastAnswer, out.String(), "no second answer")
}

func TestOutputDoesNotWaitForAClientThatReadsNothing(t *testing.T) {
	calls := newPending()
	calls.begin("1")
	client, out := io.Pipe()
	assert.False(t, newOutput(out, calls, quiet()).close(time.Millisecond))
	_ = client.Close()
}

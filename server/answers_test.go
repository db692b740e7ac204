package server

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOfACancelledCallOnlyWhatTellsNothingIsLeftOut(t *testing.T) {
	const portrait = `{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":{"kolId":"kol-a"}}}`
	for name, test := range map[string]struct {
		answer string
		wanted bool
	}{
		"an error of the protocol":   {`{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"context canceled"}}`, false},
		"the work goes on":           {`{"jsonrpc":"2.0","id":1,"result":{"isError":true,"structuredContent":{"error":{"kind":"still_collecting"}}}}`, false},
		"a failure that was charged": {`{"jsonrpc":"2.0","id":1,"result":{"isError":true,"structuredContent":{"error":{"kind":"timeout","charged":true}}}}`, true},
		"some of several":            {`{"jsonrpc":"2.0","id":1,"result":{"structuredContent":{"failures":[{"error":{"kind":"still_collecting"}}]}}}`, true},
		"a portrait":                 {portrait, true},
		"another call's":             {`{"jsonrpc":"2.0","id":"1","error":{"code":-32603,"message":"context canceled"}}`, true},
		"a notification":             {`{"jsonrpc":"2.0","method":"notifications/progress","params":{}}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			a := answers{calls: newPending()}
			a.calls.begin("1")
			assert.True(t, a.wanted([]byte(test.answer+"\n")), "before it was cancelled")
			a.calls.cancel("1")
			assert.Equal(t, test.wanted, a.wanted([]byte(test.answer+"\n")), "on stdio")
			assert.Equal(t, test.wanted, a.wanted([]byte("event: message\ndata: "+test.answer+"\n\n")), "on an event stream")
		})
	}
}

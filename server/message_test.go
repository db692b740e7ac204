package server

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRequestID(t *testing.T) {
	tests := map[string]struct {
		message string
		want    callID
	}{
		"number":           {`{"jsonrpc":"2.0","id":1,"method":"ping"}`, "1"},
		"the same number":  {`{"jsonrpc":"2.0","id":1.0,"method":"ping"}`, "1"},
		"string":           {`{"jsonrpc":"2.0","id":"1","method":"ping"}`, `"1"`},
		"zero":             {`{"jsonrpc":"2.0","id":0,"method":"ping"}`, "0"},
		"empty string":     {`{"jsonrpc":"2.0","id":"","method":"ping"}`, `""`},
		"null":             {`{"jsonrpc":"2.0","id":null,"method":"ping"}`, ""},
		"notification":     {`{"jsonrpc":"2.0","method":"ping"}`, ""},
		"answer":           {`{"jsonrpc":"2.0","id":1,"result":{}}`, ""},
		"error":            {`{"jsonrpc":"2.0","id":1,"error":{}}`, ""},
		"subscription":     {`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen"}`, ""},
		"method no string": {`{"jsonrpc":"2.0","id":1,"method":1}`, ""},
		"batch":            {`[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, ""},
		"no JSON":          {`ping`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, requestID([]byte(test.message)))
		})
	}
}

func TestAnswerID(t *testing.T) {
	tests := map[string]struct {
		message string
		want    callID
	}{
		"result":         {`{"jsonrpc":"2.0","id":1,"result":{}}`, "1"},
		"error":          {`{"jsonrpc":"2.0","id":"a","error":{}}`, `"a"`},
		"reads no more":  {`{"id":1,"result":{"cut off`, "1"},
		"id last":        {`{"result":{"id":2},"jsonrpc":"2.0","id":1}`, "1"},
		"no call":        {`{"jsonrpc":"2.0","id":null,"error":{}}`, ""},
		"server request": {`{"jsonrpc":"2.0","id":1,"method":"ping"}`, ""},
		"params first":   {`{"jsonrpc":"2.0","id":1,"params":{"result":1},"method":"ping"}`, ""},
		"notification":   {`{"jsonrpc":"2.0","method":"x"}`, ""},
		"neither":        {`{"id":1}`, ""},
		"batch":          {`[{"id":1,"result":{}}]`, ""},
		"event":          {`event: message`, ""},
		"nothing":        {``, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, answerID([]byte(test.message)))
		})
	}
}

// FuzzMessages takes messages as they come in. One is passed on, or refused in a
// line of JSON; and whatever a client calls its request, the answer that carries
// the same id ends it.
func FuzzMessages(f *testing.F) {
	for i, id := range []string{`1`, `"1"`, `-0`, `1e3`, `1e999`, `12345678901234567890`, `"\u0000<\ud800"`, `null`, `[1]`, `{"a":1}`, `nonsense`, ``} {
		f.Add([]byte(`{"jsonrpc":"2.0","id":`+id+`,"method":"ping"}`), uint8(i))
	}
	f.Add([]byte(`{"id":1,"id":2,"METHOD":"ping","params":{"id":3}}`), uint8(40))
	for _, message := range []string{
		``, `{`, `[]`, `{"jsonrpc":"2.0","id":"\u0000","result":1}`, `{"jsonrpc":"2.0","method":"x","params":[]}`,
		`{"jsonrpc":"2.0","id":"\u2028","method":"tools/call","params":{"name":{}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":7}}}`, "{\"jsonrpc\":\"2.0\",\"id\":\"\xff\"}",
	} {
		f.Add([]byte(message), uint8(1))
	}
	f.Fuzz(func(t *testing.T, in []byte, cut uint8) {
		checkRefused(t, in)
		_ = answerID(in)
		want := requestID(in)
		if want == "" {
			return
		}
		assert.NotNil(t, refuse(append(slices.Clone(in), " {]"...)), "nothing comes after it")
		var request struct{ ID any }
		require.NoError(t, json.Unmarshal(in, &request))
		answer, err := json.Marshal(map[string]any{"id": request.ID, "result": 1})
		require.NoError(t, err)
		assert.Equal(t, want, answerID(answer))
		refused := failure(want, "too \"many\"\n")
		assert.Equal(t, want, answerID(refused))
		assert.True(t, json.Valid(refused), "%s", refused)
		for _, stream := range []string{"%s\n", "event: message\ndata:%s\n\n", "data: %s\n\n"} {
			assert.Zero(t, leftPending(want, fmt.Sprintf(stream, answer), 1+int(cut)), "answered in pieces: %s", stream)
		}
	})
}

// leftPending is how many calls are pending once the call of an id was begun
// and a stream was written in pieces of at most that many bytes.
func leftPending(id callID, stream string, most int) int {
	calls := newPending()
	calls.begin(id)
	seen := answers{calls: calls}
	for piece := range slices.Chunk([]byte(stream), most) {
		seen.see(piece)
	}
	return calls.size()
}

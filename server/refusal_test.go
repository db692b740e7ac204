package server

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRefuse(t *testing.T) {
	const (
		version = `jsonrpc must be "2.0".`
		method  = `method must be a string, such as "tools/list".`
		object  = `A message is a JSON object, such as {"jsonrpc":"2.0","id":1,"method":"tools/list"}.`
		cursor  = "params.cursor is none of this server's: its lists come whole, without cursors."
		digits  = "id is a number that not everybody keeps exactly. Take a string, or a number up to 2^53."
		ref     = `params.ref.type must be "ref/prompt" or "ref/resource".`
	)
	call := func(method, params string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + params + `}`
	}
	for _, tt := range []struct {
		name, message string
		want          refusal
	}{
		{"nothing", " \n", refusal{"", -32700, "The message is empty."}},
		{"no JSON", "hello", refusal{"", -32700, "The message is not JSON: it goes wrong at byte 1."}},
		{"half of a message", `{"id":1` + "\n", refusal{"", -32700, "The message is not JSON: it ends too early."}},
		{"half of a string", `{"id":"1` + "\n", refusal{"", -32700, "The message is not JSON: it ends too early."}},
		{"half of a message, without a line end", `{"id":1`, refusal{"", -32700, "The message is not JSON: it ends too early."}},
		{"a comma too many", `{"id":1,}` + "\n", refusal{"", -32700, "The message is not JSON: it goes wrong at byte 9."}},
		{"two messages", `{}{}`, refusal{"", -32700, "The message is not JSON: it goes wrong at byte 3."}},
		{"too deep", strings.Repeat("[", 20_000), refusal{"", -32700, "The message is not JSON: it goes wrong at byte 10001."}},
		{"a batch", ` [{"jsonrpc":"2.0","id":1,"method":"ping"}]`, refusal{"", -32600, "Batches are not supported: send each message by itself."}},
		{"a number", "1", refusal{"", -32600, object}},
		{"null", "null", refusal{"", -32600, version}},
		{"no version", `{"id":1,"method":"ping"}`, refusal{"1", -32600, version}},
		{"a version that is a number", `{"jsonrpc":2.0,"id":1,"method":"ping"}`, refusal{"1", -32600, version}},
		{"no version, no id", `{"method":"ping"}`, refusal{"", -32600, version}},
		{"an id of null", `{"jsonrpc":"2.0","id":null,"method":"ping"}`,
			refusal{"", -32600, "id is null. A request has a string or a number there, and a notification has no id."}},
		{"an id that is an object", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, refusal{"", -32600, "id must be a string or a number."}},
		{"an id of many digits", `{"jsonrpc":"2.0","id":9007199254740994,"method":"ping"}`, refusal{"9007199254740994", -32600, digits}},
		{"an id of many digits, negative", `{"jsonrpc":"2.0","id":-9007199254740994,"method":"ping"}`, refusal{"-9007199254740994", -32600, digits}},
		{"an id beyond all numbers", `{"jsonrpc":"2.0","id":1e999,"method":"ping"}`,
			refusal{"1e999", -32600, "id is a number out of range. Take a string, or a number up to 2^53."}},
		{"no method", `{"jsonrpc":"2.0","id":"a"}`, refusal{`"a"`, -32600, method}},
		{"an empty method", `{"jsonrpc":"2.0","id":1,"method":""}`, refusal{"1", -32600, method}},
		{"a method that is a number", `{"jsonrpc":"2.0","id":1,"method":7}`, refusal{"1", -32600, method}},
		{"a method that is a number, no id", `{"jsonrpc":"2.0","method":7}`, refusal{"", -32600, method}},
		{"a request and a response", `{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}`,
			refusal{"1", -32600, "A message is either a request, with a method, or a response, with a result or an error."}},

		{"a result", `{"jsonrpc":"2.0","id":1,"result":{}}`, refusal{reason: "a response to nothing that was asked"}},
		{"a result of null", `{"jsonrpc":"2.0","id":1,"result":null}`, refusal{reason: "a response to nothing that was asked"}},
		{"an error", `{"jsonrpc":"2.0","id":null,"error":{}}`, refusal{reason: "a response to nothing that was asked"}},
		{"a notification with a list", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":[1]}`, refusal{reason: "a notification with wrong params"}},

		{"params that are a list", call("tools/list", `[]`), refusal{"1", -32602, "params: a list where an object belongs."}},
		{"params that are a string", call("ping", `"x"`), refusal{"1", -32602, "params: a string where an object belongs."}},
		{"a tool without a name", call("tools/call", `{"arguments":{}}`), refusal{"1", -32602, "params.name is missing."}},
		{"a tool with a name of null", call("tools/call", `{"name":null}`), refusal{"1", -32602, "params.name is missing."}},
		{"a tool without params", `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`, refusal{"1", -32602, "params.name is missing."}},
		{"a tool with a number for a name", call("tools/call", `{"name":7}`), refusal{"1", -32602, "params.name: a number where a string belongs."}},
		{"a tool with a string for _meta", call("tools/call", `{"name":"a","_meta":"x"}`), refusal{"1", -32602, "params._meta: a string where an object belongs."}},
		{"a resource without a URI", call("resources/read", `{"uri":""}`), refusal{"1", -32602, "params.uri is missing."}},
		{"a prompt without a name", call("prompts/get", `{}`), refusal{"1", -32602, "params.name is missing."}},
		{"a prompt with a list for an argument", call("prompts/get", `{"name":"a","arguments":{"b":[]}}`),
			refusal{"1", -32602, "params.arguments: a list where a string belongs."}},
		{"a cursor that is a boolean", call("prompts/list", `{"cursor":true}`), refusal{"1", -32602, "params.cursor: a boolean where a string belongs."}},
		{"a cursor", call("tools/list", `{"cursor":"MQ=="}`), refusal{"1", -32602, cursor}},
		{"a completion of nothing", call("completion/complete", `{}`), refusal{"1", -32602, "params.ref is missing."}},
		{"a completion without an argument", call("completion/complete", `{"ref":{"type":"ref/prompt","name":"a"}}`), refusal{"1", -32602, "params.argument is missing."}},
		{"a completion of a string", call("completion/complete", `{"ref":"a","argument":{"name":"b"}}`), refusal{"1", -32602, "params.ref: a string where an object belongs."}},
		{"a completion of a tool", call("completion/complete", `{"ref":{"type":"ref/tool"},"argument":{"name":"b"}}`), refusal{"1", -32602, ref}},
		{"capabilities that are a list", call("initialize", `{"capabilities":[]}`), refusal{"1", -32602, "params.capabilities: a list where an object belongs."}},
		{"clientInfo with a number for a name", call("initialize", `{"clientInfo":{"name":1}}`), refusal{"1", -32602, "params.clientInfo.name: a number where a string belongs."}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := refuse([]byte(tt.message))
			require.NotNil(t, got)
			assert.Equal(t, tt.want, *got)
		})
	}
}

func TestRefuseLetsThrough(t *testing.T) {
	for name, message := range map[string]string{
		"a request":              `{"jsonrpc":"2.0","id":1,"method":"ping"}`,
		"an id that is a string": `{"jsonrpc":"2.0","id":"","method":"ping"}`,
		"the largest exact id":   `{"jsonrpc":"2.0","id":9007199254740992,"method":"ping"}`,
		"a fraction":             `{"jsonrpc":"2.0","id":1.5,"method":"ping"}`,
		"params of null":         `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":null}`,
		"an empty cursor":        `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":""}}`,
		"arguments of any kind":  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":[1]}}`,
		"an unknown method":      `{"jsonrpc":"2.0","id":1,"method":"x","params":[1]}`,
		"a notification":         `{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		"a prompt":               `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"a","arguments":{"b":"c"}}}`,
		"a completion":           `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"a"},"argument":{"name":"b","value":""}}}`,
		"initialize":             `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"roots":{}},"clientInfo":{"name":"a"}}}`,
		"a subscription":         `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true}}}`,
	} {
		assert.Nil(t, refuse([]byte(message)), name)
	}
}

func TestARefusalIsALineOfJSON(t *testing.T) {
	refused := refusal{`"a"`, -32600, "quotes \" and \x00, 中文"}
	assert.JSONEq(t, `{"jsonrpc":"2.0","id":"a","error":{"code":-32600,"message":"quotes \" and \u0000, 中文"}}`, string(refused.answer()))
	assert.Equal(t, len(refused.answer())-1, strings.Index(string(refused.answer()), "\n"))
	refused.id = ""
	assert.Contains(t, string(refused.answer()), `"id":null`)
	assert.Empty(t, (&refusal{reason: "nothing to answer"}).answer())
}

// checkRefused checks that what comes in is passed on as JSON, or gets one line
// of JSON, or nothing.
func checkRefused(t *testing.T, in []byte) {
	t.Helper()
	refused := refuse(in)
	if refused == nil {
		assert.True(t, json.Valid(in))
		return
	}
	line := refused.answer()
	if len(line) == 0 {
		assert.Empty(t, requestID(in), "a request is answered")
		return
	}
	var answer struct{ Error struct{ Code int } }
	require.NoError(t, json.Unmarshal(line, &answer))
	assert.True(t, slices.Contains([]int{-32700, -32600, -32602}, answer.Error.Code), "code %d", answer.Error.Code)
	assert.Equal(t, len(line)-1, slices.Index(line, '\n'), "it is a line")
}

func BenchmarkRefuse(b *testing.B) {
	message := []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_kol_fans_portrait","arguments":{"kolId":"5d21ab6b000000001201567d"}}}`)
	for b.Loop() {
		refuse(message)
	}
}

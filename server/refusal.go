package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// A refusal is why a message is not passed on to mcp-go, which would answer it
// with the wrong code, in the words of its own source, or not at all.
type refusal struct {
	id     callID // as the client wrote it; empty where the answer has none
	code   int    // of JSON-RPC; 0 where there is to be no answer
	reason string // for whoever wrote the client
}

// answer is the refusal as a JSON-RPC response in a line; empty where there is
// to be none.
func (r *refusal) answer() []byte {
	if r.code == 0 {
		return nil
	}
	id := r.id
	if id == "" {
		id = "null"
	}
	reason, err := json.Marshal(r.reason)
	if err != nil {
		return failure(id, "Internal server error.") // a string always can be marshalled
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%s}}`+"\n", id, r.code, reason)
}

// write answers the POST of a message with the refusal, which has the status
// unless there is nothing to answer.
func (r *refusal) write(w http.ResponseWriter, status int) {
	if r.code == 0 {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(r.answer())
}

// refuse returns why a message cannot be served, nil where mcp-go is to see it.
//
// JSON-RPC 2.0 tells what is answered, and with which code; MCP has no batches
// since 2025-06-18, no null for an id, and only objects for params.
func refuse(message []byte) *refusal {
	var m struct {
		JSONRPC, ID, Method, Params, Result, Error json.RawMessage
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return refuseSyntax(message, err)
	}
	if m.Method == nil && (m.Result != nil || m.Error != nil) {
		return &refusal{reason: "a response to nothing that was asked"} // this server asks its clients nothing
	}
	id, fault := readID(m.ID)
	var version, method string
	switch {
	case json.Unmarshal(m.JSONRPC, &version) != nil || version != mcp.JSONRPC_VERSION:
		return &refusal{id, mcp.INVALID_REQUEST, `jsonrpc must be "2.0".`}
	case fault != "":
		return &refusal{id, mcp.INVALID_REQUEST, fault}
	case json.Unmarshal(m.Method, &method) != nil || method == "":
		return &refusal{id, mcp.INVALID_REQUEST, `method must be a string, such as "tools/list".`}
	case m.Result != nil || m.Error != nil:
		return &refusal{id, mcp.INVALID_REQUEST, "A message is either a request, with a method, or a response, with a result or an error."}
	case m.ID == nil:
		if json.Unmarshal(message, &mcp.JSONRPCNotification{}) != nil {
			return &refusal{reason: "a notification with wrong params"}
		}
		return nil
	}
	if fault := faultOf(mcp.MCPMethod(method), m.Params); fault != "" {
		return &refusal{id, mcp.INVALID_PARAMS, fault}
	}
	return nil
}

// refuseSyntax refuses what is not even a JSON object.
func refuseSyntax(message []byte, err error) *refusal {
	var syntax *json.SyntaxError
	message = bytes.TrimSpace(message)
	switch {
	case len(message) == 0:
		return &refusal{code: mcp.PARSE_ERROR, reason: "The message is empty."}
	case !errors.As(err, &syntax) && message[0] == '[':
		return &refusal{code: mcp.INVALID_REQUEST, reason: "Batches are not supported: send each message by itself."}
	case !errors.As(err, &syntax):
		return &refusal{code: mcp.INVALID_REQUEST, reason: `A message is a JSON object, such as {"jsonrpc":"2.0","id":1,"method":"tools/list"}.`}
	case syntax.Offset > int64(len(message)) || syntax.Error() == "unexpected end of JSON input":
		return &refusal{code: mcp.PARSE_ERROR, reason: "The message is not JSON: it ends too early."}
	default:
		return &refusal{code: mcp.PARSE_ERROR, reason: fmt.Sprintf("The message is not JSON: it goes wrong at byte %d.", syntax.Offset)}
	}
}

// readID returns an id as the client wrote it, and what is wrong with it. It
// is empty where it cannot be the id of an answer.
func readID(raw json.RawMessage) (id callID, fault string) {
	if raw == nil {
		return "", ""
	}
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return callID(raw), "id is a number out of range. Take a string, or a number up to 2^53."
	}
	switch value := value.(type) {
	case string:
	case float64:
		const exact = 1 << 53
		if math.Abs(value) > exact {
			return callID(raw), "id is a number that not everybody keeps exactly. Take a string, or a number up to 2^53."
		}
	case nil:
		return "", "id is null. A request has a string or a number there, and a notification has no id."
	default:
		return "", "id must be a string or a number."
	}
	return callID(raw), ""
}

// faultOf says what is wrong with the params of a request, as far as their form
// goes, which depends on the method; empty where nothing is.
func faultOf(method mcp.MCPMethod, params []byte) string {
	form := formOf(method)
	if form == nil {
		return "" // the method is not known, and that is what there is to say
	}
	if params == nil {
		params = []byte("{}")
	}
	var wrong *json.UnmarshalTypeError
	switch err := json.Unmarshal(params, form); {
	case errors.As(err, &wrong):
		return fmt.Sprintf("%s: %s where %s belongs.", pathOf(wrong), article(wrong.Value), kindOf(wrong.Type))
	case err != nil:
		return "params cannot be understood."
	}
	return faultOfValues(form)
}

// toolCall, completion and anything are the params of methods where mcp-go's
// own types would not tell what is wrong, or do more than look at the form.
type (
	toolCall struct {
		Name string                     `json:"name"`
		Meta map[string]json.RawMessage `json:"_meta"`
		Task *mcp.TaskParams            `json:"task"`
		mcp.MultiRoundTripParams
	}
	completion struct {
		Ref *struct {
			Type string `json:"type"`
			Name string `json:"name"`
			URI  string `json:"uri"`
		} `json:"ref"`
		Argument *struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"argument"`
		Context struct {
			Arguments map[string]string `json:"arguments"`
		} `json:"context"`
		Meta map[string]json.RawMessage `json:"_meta"`
	}
	anything struct {
		Meta map[string]json.RawMessage `json:"_meta"`
	}
)

// formOf returns where the params of a method are decoded to; nil for methods
// that mcp-go does not know.
func formOf(method mcp.MCPMethod) any {
	switch method {
	case mcp.MethodInitialize:
		return &mcp.InitializeParams{}
	case mcp.MethodToolsList, mcp.MethodResourcesList, mcp.MethodResourcesTemplatesList, mcp.MethodPromptsList:
		return &mcp.PaginatedParams{}
	case mcp.MethodToolsCall:
		return &toolCall{}
	case mcp.MethodResourcesRead:
		return &mcp.ReadResourceParams{}
	case mcp.MethodPromptsGet:
		return &mcp.GetPromptParams{}
	case mcp.MethodCompletionComplete:
		return &completion{}
	case mcp.MethodSubscriptionsListen:
		return &mcp.SubscriptionsListenParams{}
	case mcp.MethodPing, mcp.MethodServerDiscover, mcp.MethodSetLogLevel, mcp.MethodResourcesSubscribe, mcp.MethodResourcesUnsubscribe,
		mcp.MethodTasksGet, mcp.MethodTasksList, mcp.MethodTasksResult, mcp.MethodTasksCancel:
		return &anything{}
	default:
		return nil
	}
}

// faultOfValues says what is missing from params whose form is right, or known
// to be wrong without asking anybody.
func faultOfValues(form any) string {
	switch params := form.(type) {
	case *toolCall:
		if params.Name == "" {
			return "params.name is missing."
		}
	case *mcp.GetPromptParams:
		if params.Name == "" {
			return "params.name is missing."
		}
	case *mcp.ReadResourceParams:
		if params.URI == "" {
			return "params.uri is missing."
		}
	case *completion:
		switch {
		case params.Ref == nil:
			return "params.ref is missing."
		case params.Argument == nil:
			return "params.argument is missing."
		case params.Ref.Type != "ref/prompt" && params.Ref.Type != "ref/resource":
			return `params.ref.type must be "ref/prompt" or "ref/resource".`
		}
	case *mcp.PaginatedParams:
		if params.Cursor != "" {
			return "params.cursor is none of this server's: its lists come whole, without cursors."
		}
	}
	return ""
}

// pathOf is where in a message something is wrong.
func pathOf(wrong *json.UnmarshalTypeError) string {
	field := strings.TrimPrefix(wrong.Field, "MultiRoundTripParams.") // embedded, so not in the message
	return strings.TrimSuffix("params."+field, ".")
}

// article is a JSON value's kind, as encoding/json tells it, in a sentence.
func article(value string) string {
	kind, _, _ := strings.Cut(value, " ") // a number comes with its digits
	switch kind {
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "bool":
		return "a boolean"
	}
	return "a " + kind
}

// kindOf is the kind of the JSON values that fit t.
func kindOf(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // the others are objects
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "a boolean"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Float64:
		return "a number"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	}
	return "an object"
}

package server

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"
)

// A callID is the JSON text of a request's id, so that 1 and "1" differ. It is
// empty where a message is no request, or no answer to one.
type callID string

// requestID returns the id under which message will be answered. It reads the
// fields that mcp-go reads, with the same types, so that a message mcp-go
// cannot parse counts as no request here either.
//
// A subscriptions/listen is left out: it is answered when it is ended, so
// waiting for its answer would be waiting for ever.
func requestID(message []byte) callID {
	var request struct {
		JSONRPC string
		ID      any
		Method  mcp.MCPMethod
		Result  any
	}
	if json.Unmarshal(message, &request) != nil || request.Method == "" || request.Result != nil {
		return ""
	}
	if request.Method == mcp.MethodSubscriptionsListen {
		return ""
	}
	return newCallID(request.ID)
}

// cancelledID returns the id of the request that message cancels.
func cancelledID(message []byte) callID {
	if !bytes.Contains(message, []byte("cancelled")) { // hardly any message is one
		return ""
	}
	var notification struct {
		Method mcp.MCPMethod
		Params struct{ RequestID any }
	}
	if json.Unmarshal(message, &notification) != nil || notification.Method != mcp.MethodNotificationCancelled {
		return ""
	}
	return newCallID(notification.Params.RequestID)
}

// answerID returns the id that message answers. It stops reading once it
// knows, since results can be long and come last.
func answerID(message []byte) callID {
	fields := json.NewDecoder(bytes.NewReader(message))
	if token, err := fields.Token(); err != nil || token != json.Delim('{') {
		return ""
	}
	var id callID
	var answers bool
	for (id == "" || !answers) && fields.More() {
		name, err := fields.Token()
		if err != nil {
			return ""
		}
		switch name {
		case "method":
			return ""
		case "id":
			var value any
			if fields.Decode(&value) != nil {
				return ""
			}
			id = newCallID(value)
			continue
		case "result", "error":
			answers = true
			if id != "" {
				return id
			}
		}
		var skipped json.RawMessage
		if fields.Decode(&skipped) != nil {
			return ""
		}
	}
	if !answers {
		return ""
	}
	return id
}

// newCallID takes an id as encoding/json decodes it. Numbers lose the same
// digits here as they do on their way through mcp-go.
func newCallID(id any) callID {
	if id == nil {
		return ""
	}
	text, err := json.Marshal(id)
	if err != nil {
		return ""
	}
	return callID(text)
}

// failure is the answer to a call that the server could not finish.
func failure(id callID, reason string) []byte {
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%q}}`+"\n", id, mcp.INTERNAL_ERROR, reason)
}

// methodOf returns the method of a message, or "" where there is none.
func methodOf(message []byte) mcp.MCPMethod {
	var request struct{ Method mcp.MCPMethod }
	if json.Unmarshal(message, &request) != nil {
		return ""
	}
	return request.Method
}

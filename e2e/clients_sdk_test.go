//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// sdk is the client of an SDK, connected to a server. What it returns is what
// the SDK hands to its user, as JSON.
type sdk interface {
	// ask sends a request of MCP. Its params are as the protocol has them, but
	// for the progress token, which is the SDK's where hear is not nil. A
	// protocol error is a *protocolError.
	ask(ctx context.Context, method string, params map[string]any, hear func(progress)) (result json.RawMessage, err error)
	// validations is how often the SDK has held a structured result against the
	// tool's output schema, and found that it fits.
	validations() int
	// close says goodbye. On stdio it waits for the server's process, which must
	// end well and by itself.
	close(t *testing.T)
	// complaints are what the SDK objects to although it goes on: what it logs
	// as a warning, prints, or tells an error handler.
	complaints() []string
}

// endpoint is where a client finds a server.
type endpoint struct {
	transport string      // stdio, sse or http
	url       string      // of sse and http
	env       environment // of stdio, whose server the client starts
	stderr    *log        // of that server
	revision  string      // the one revision of the protocol that the client offers
}

// hello is what a server says of itself when a client connects.
type hello struct {
	ProtocolVersion string // that was negotiated
	ServerInfo      struct{ Name, Title, Version string }
	Capabilities    json.RawMessage
	Instructions    string
}

// progress is one notification of it.
type progress struct {
	Progress float64 `json:"progress"`
	Total    float64 `json:"total"`
	Message  string  `json:"message"`
}

// protocolError is a JSON-RPC error.
type protocolError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error returns the code and the message.
func (e *protocolError) Error() string { return fmt.Sprintf("%d: %s", e.Code, e.Message) }

// hearers are who hears of the progress of calls, by the tokens of those, for the
// SDKs in Go, which leave tokens to their user.
type hearers struct {
	mu   sync.Mutex
	hear []func(progress)
}

// add returns params with a token, where there is somebody to hear.
func (h *hearers) add(params map[string]any, hear func(progress)) map[string]any {
	if hear == nil {
		return params
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hear = append(h.hear, hear)
	params = maps.Clone(params)
	params["_meta"] = map[string]any{"progressToken": strconv.Itoa(len(h.hear))}
	return params
}

// tell tells who waits for the progress of a token; for one that nobody gave it
// panics.
func (h *hearers) tell(token any, p progress) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, err := strconv.Atoi(fmt.Sprint(token))
	if err != nil {
		panic(err)
	}
	h.hear[i-1](p)
}

// typed carries out a request with a method of an SDK in Go, which takes and
// returns types of its own.
func typed[Params, Result any](ctx context.Context, do func(context.Context, Params) (Result, error), raw []byte) (json.RawMessage, error) {
	var params Params
	if err := json.Unmarshal(raw, &params); err != nil {
		return nil, err
	}
	result, err := do(ctx, params)
	if err != nil {
		return nil, err
	}
	return json.Marshal(result)
}

// list returns e as a process takes it.
func (e environment) list() []string {
	list := []string{}
	for name, value := range e {
		list = append(list, name+"="+value)
	}
	return list
}

// lines returns what was logged, a line each.
func (l *log) lines() []string {
	return slices.DeleteFunc(strings.Split(l.String(), "\n"), func(line string) bool { return line == "" })
}

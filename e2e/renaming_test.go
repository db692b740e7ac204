//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// namesOfTheSuite has the parameters that stand for those of the conformance
// suite, by the method and the name or URI that the suite asks for. So the suite
// sees what the product's own tools, resources and prompts answer.
func namesOfTheSuite() map[string]map[string]any {
	portrait := map[string]any{"name": "get_kol_fans_portrait", "arguments": map[string]any{"kolId": kol}}
	return map[string]map[string]any{
		"tools/call test_simple_text":                       portrait,
		"tools/call test_logging_tool":                      portrait,
		"tools/call test_streaming_elicitation":             portrait,
		"tools/call test_input_required_result_elicitation": portrait,
		"tools/call test_error_handling": {
			"name": "get_kol_fans_portrait", "arguments": map[string]any{"kolId": "no id"},
		},
		"tools/call test_tool_with_progress": {
			"name": "compare_kol_fans_portraits", "arguments": map[string]any{"kolIds": inTurn()},
		},
		"resources/read test://static-text":       {"uri": "kol-portrait://guide"},
		"resources/read test://template/123/data": {"uri": "kol-portrait://portraits/" + kol},
		"prompts/get test_simple_prompt": {
			"name": "shortlist_kols", "arguments": map[string]any{"kolIds": "kol-0, kol-1", "brief": "Hand cream for women"},
		},
		"prompts/get test_prompt_with_arguments": { // with the values that the suite looks for in the answer
			"name": "assess_audience_fit", "arguments": map[string]any{"kolId": "testValue1", "brief": "testValue2"},
		},
		"completion/complete test_prompt_with_arguments": {
			"ref":      map[string]any{"type": "ref/resource", "uri": "kol-portrait://portraits/{kolId}"},
			"argument": map[string]any{"name": "kolId", "value": kol[:4]},
		},
	}
}

// renaming is the address of a proxy before the server at addr, which finds
// the product's own under namesOfTheSuite, and tells turns what clients hear.
func renaming(t *testing.T, addr string, turns *turns) string {
	t.Helper()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", addr
			r.Out.Host = r.In.Host
			body, err := io.ReadAll(r.In.Body)
			if err != nil {
				t.Errorf("read a request of the suite: %v", err)
			}
			body = rename(body, r.Out.Header)
			r.Out.Body, r.Out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			r.Out.Header.Set("Content-Length", strconv.Itoa(len(body)))
		},
		ModifyResponse: func(r *http.Response) error {
			r.Body = &heardBody{ReadCloser: r.Body, turns: turns}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { // such as a client that left
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// rename returns the message with the parameters of namesOfTheSuite, where it
// has any, and keeps its header in step.
func rename(message []byte, header http.Header) []byte {
	var request struct {
		JSONRPC string         `json:"jsonrpc"`
		ID      any            `json:"id"`
		Method  string         `json:"method"`
		Params  map[string]any `json:"params"`
	}
	if json.Unmarshal(message, &request) != nil {
		return message
	}
	ref, _ := request.Params["ref"].(map[string]any)
	for _, name := range []any{request.Params["name"], request.Params["uri"], ref["name"]} {
		parameters := namesOfTheSuite()[fmt.Sprint(request.Method, " ", name)]
		if parameters == nil {
			continue
		}
		maps.Copy(request.Params, parameters)
		if header.Get("Mcp-Name") != "" {
			header.Set("Mcp-Name", fmt.Sprint(cmp.Or(parameters["name"], parameters["uri"])))
		}
		if renamed, err := json.Marshal(request); err == nil {
			return renamed
		}
	}
	return message
}

// inTurn are the KOLs of a comparison of which each arrives when the client
// has heard of those before it.
func inTurn() []string { return []string{"kol-0", "kol-1", "kol-2", "kol-3"} }

// turns is a vendor that holds back its answers for those of inTurn.
type turns struct {
	vendor http.Handler
	over   <-chan struct{} // nobody is held back any more

	mu   sync.Mutex
	turn map[string]chan struct{} // by KOL; closed and removed when its turn has come
}

func startTurns(t *testing.T, v *vendor) (*turns, environment) {
	t.Helper()
	s := &turns{vendor: v, over: t.Context().Done(), turn: map[string]chan struct{}{}}
	for _, kolID := range inTurn()[1:] {
		s.turn[kolID] = make(chan struct{})
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, against(t, v, sqliteFile(t)).with("JUSTONEAPI_BASE_URL", server.URL)
}

func (s *turns) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	turn, held := s.turn[r.URL.Query().Get("kolId")]
	s.mu.Unlock()
	if held {
		select {
		case <-turn:
		case <-s.over:
		}
	}
	s.vendor.ServeHTTP(w, r)
}

// hear takes what a client has heard so far.
func (s *turns) hear(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, kolID := range inTurn() {
		turn, held := s.turn[kolID]
		if held && strings.Contains(text, fmt.Sprintf("%d of %d done", i, len(inTurn()))) {
			close(turn)
			delete(s.turn, kolID)
		}
	}
}

// heardBody lets turns hear what is read.
type heardBody struct {
	io.ReadCloser
	turns *turns
	heard strings.Builder
}

func (b *heardBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.heard.Write(p[:n])
	b.turns.hear(b.heard.String())
	return n, err
}

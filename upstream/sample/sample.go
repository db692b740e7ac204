// Package sample is a simulated vendor: it answers as Just One API does at both
// of its endpoints, with data made up from the KOL's id. It serves people who
// try the program without a token, and tests.
//
// The same id always gets the same portrait, in every process and on every
// machine, at both endpoints. The ids in special.go are for rehearsing what
// else can happen.
package sample

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"kol-portrait-mcp/upstream"
)

const (
	// Token is the one token that a Vendor accepts unless told otherwise.
	Token = "sample-token"

	// Address is a base URL for clients that use Transport. No network
	// resolves it, so that nothing can leave by mistake.
	Address = "http://vendor.invalid"

	// DocumentedID is the KOL id that is answered with the portrait on the
	// vendor's page about the endpoint, byte for byte.
	DocumentedID = "5d21ab6b000000001201567d"
)

// Vendor is the simulated vendor, an http.Handler. It is safe for concurrent
// use. Everything that it answers carries the header X-Sample-Data: true.
type Vendor struct {
	// Token is what the vendor accepts. It must not change once requests come.
	Token string

	mu       sync.Mutex
	requests map[string]int // by KOL
	charged  int
}

// New returns a Vendor that accepts Token.
func New() *Vendor { return &Vendor{Token: Token, requests: make(map[string]int)} }

// Requests returns how many requests for kolID arrived at both endpoints, with
// whatever token.
func (v *Vendor) Requests(kolID string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.requests[kolID]
}

// Charged returns how many requests were answered with code 0, which are those
// that the real vendor charges.
func (v *Vendor) Charged() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.charged
}

// ServeHTTP answers one request as the vendor would.
func (v *Vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	resp, err := v.respond(r)
	if err != nil {
		return // the client has left
	}
	defer func() { _ = resp.Body.Close() }()
	maps.Copy(w.Header(), resp.Header)
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// Transport returns a RoundTripper that reaches this Vendor inside the process,
// whatever host it is asked for.
func (v *Vendor) Transport() http.RoundTripper { return transport{v} }

type transport struct{ vendor *Vendor }

// RoundTrip returns the vendor's answer, or an error where the context of req
// ends first.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	return t.vendor.respond(req)
}

// respond answers r when its time has come, or returns an error where the client
// leaves while it waits. Such a client is not charged.
func (v *Vendor) respond(r *http.Request) (*http.Response, error) {
	a := v.choose(r)
	if a.delay > 0 {
		select {
		case <-time.After(a.delay):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	kind := "text/plain;charset=UTF-8"
	if strings.HasPrefix(a.body, "{") {
		kind = "application/json;charset=UTF-8"
	}
	if strings.HasPrefix(a.body, `{"code":0,`) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.charged++
	}
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {kind}, "X-Sample-Data": {"true"}},
		Body:   io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}, nil
}

// choose counts r where it is for a KOL, and chooses what to answer.
func (v *Vendor) choose(r *http.Request) answer {
	v1 := r.URL.Path == upstream.PortraitPath
	id := r.URL.Query().Get(map[bool]string{true: "kolId", false: "userId"}[v1])
	switch {
	case !v1 && r.URL.Path != upstream.ProfilePath:
		return answer{status: http.StatusNotFound}
	case r.Method != http.MethodGet:
		return answer{status: http.StatusMethodNotAllowed}
	case id == "" || len(id) > 64 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "":
		return answer{status: http.StatusOK, body: envelope(id, 400)}
	}
	v.mu.Lock()
	v.requests[id]++
	v.mu.Unlock()
	if r.URL.Query().Get("token") != v.Token {
		return answer{status: http.StatusOK, body: envelope(id, 100)}
	}
	return answerTo(id, v1)
}

// Package sample is a simulated vendor: an HTTP server that answers as Just
// One API does at both of its endpoints, V1 and its successor, with data made
// up from the KOL's id. It serves people who try
// the program without a token, and tests that need every way in which the real
// vendor can answer, and fail to.
//
// The same id always gets the same portrait, in every process and on every
// machine, at both endpoints. Ids that IDs lists do something special.
package sample

import (
	"context"
	"crypto/sha256"
	_ "embed" // for the documented response
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"kol-portrait-mcp/schema"
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

// The paths of the two endpoints that are served. In that of the successor,
// userId is the very word.
const (
	portraitPath = "/api/xiaohongshu-pgy/get-kol-fans-portrait/v1"
	profilePath  = "/api/xiaohongshu-pgy/api/solar/kol/data/userId/fans_profile/v1"
)

// documented is the response on the vendor's page.
//
//go:embed documented.json
var documented []byte

// Vendor is the simulated vendor, an http.Handler. It is safe for concurrent
// use. Everything that it answers carries the header X-Sample-Data: true.
type Vendor struct {
	// Token is what the vendor accepts. It must not change once requests come.
	Token string

	answers map[string]answer
	server  *http.Server
	dialed  *listener
	start   sync.Once

	mu       sync.Mutex
	requests map[request]int
	charged  int
}

// request is what requests are counted by.
type request struct {
	endpoint schema.Endpoint
	kolID    string
}

// New returns a Vendor that accepts Token. It starts nothing.
func New() *Vendor {
	v := &Vendor{
		Token:    Token,
		answers:  make(map[string]answer),
		dialed:   &listener{conns: make(chan net.Conn), closed: make(chan struct{})},
		requests: make(map[request]int),
	}
	for _, s := range specials() {
		v.answers[s.ID] = s.answer
	}
	v.server = &http.Server{
		Handler:           v,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	return v
}

// ServeHTTP answers one request as the vendor would.
func (v *Vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Sample-Data", "true")
	query := r.URL.Query()
	endpoint, parameter := endpointAt(r.URL.Path)
	id := query.Get(parameter)
	n := v.count(request{endpoint, id})
	switch {
	case endpoint == "":
		http.NotFound(w, r)
	case r.Method != http.MethodGet:
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
	case query.Get("token") != v.Token:
		write(w, http.StatusOK, envelope(id, 100, "Invalid or inactive token", "null"))
	case !valid(id):
		write(w, http.StatusOK, envelope(id, 400, "Invalid parameters: "+parameter, "null"))
	default:
		v.serve(w, r, request{endpoint, id}, n)
	}
}

// endpointAt returns the endpoint at a path, and the query parameter in which
// it takes the id; both are empty where there is none.
func endpointAt(path string) (endpoint schema.Endpoint, parameter string) {
	switch path {
	case portraitPath:
		return schema.EndpointPortrait, "kolId"
	case profilePath:
		return schema.EndpointProfile, "userId"
	default:
		return "", ""
	}
}

// serve answers a request that is in order, the n-th for its id: with a
// portrait, or with what is special about the id.
func (v *Vendor) serve(w http.ResponseWriter, r *http.Request, req request, n int) {
	id := req.kolID
	a, special := v.answers[id]
	if !special || a.times > 0 && n > a.times || a.v1 && req.endpoint != schema.EndpointPortrait {
		a = answer{data: portrait}
	}
	if !wait(r.Context(), a.delay) {
		return
	}
	status, body := a.status, a.text(id, r)
	if status == 0 {
		status = http.StatusOK
	}
	if strings.Contains(body, `"code":0,`) {
		v.charge()
	}
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	if a.cutOff {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		write(w, status, body[:len(body)/2])
		panic(http.ErrAbortHandler) // net/http's way to break a connection off
	}
	write(w, status, body)
}

// count notes a request and returns how many there were for its id, at both
// endpoints. Ids that are none, and paths that are not served, are not noted,
// since anyone may send any number of them.
func (v *Vendor) count(req request) int {
	if req.endpoint == "" || !valid(req.kolID) {
		return 0
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.requests[req]++
	return v.sum(req.kolID)
}

// sum is Requests for who holds mu.
func (v *Vendor) sum(kolID string) int {
	return v.requests[request{schema.EndpointPortrait, kolID}] + v.requests[request{schema.EndpointProfile, kolID}]
}

func (v *Vendor) charge() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.charged++
}

// Requests returns how many requests for kolID arrived at both endpoints, with
// whatever token.
func (v *Vendor) Requests(kolID string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sum(kolID)
}

// RequestsTo returns how many requests for kolID arrived at one endpoint, with
// whatever token.
func (v *Vendor) RequestsTo(endpoint schema.Endpoint, kolID string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.requests[request{endpoint, kolID}]
}

// Charged returns how many requests were answered with code 0, which are those
// that the real vendor charges.
func (v *Vendor) Charged() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.charged
}

// Transport returns a RoundTripper that reaches this Vendor inside the process
// whatever host it is asked for. It goes through a real HTTP server over
// connections in memory, so that hanging, breaking off and timing out are
// those of HTTP. The server starts at the first request.
func (v *Vendor) Transport() http.RoundTripper {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		v.start.Do(func() { go func() { _ = v.server.Serve(v.dialed) }() })
		return v.dialed.dial(ctx)
	}
	// With DialTLSContext the transport takes the connection for one that has
	// its TLS already, so https works as well, without any.
	return &http.Transport{DialContext: dial, DialTLSContext: dial}
}

// Close ends all connections that Transport opened and answers no more.
func (v *Vendor) Close() error {
	if err := v.dialed.Close(); err != nil {
		return err
	}
	return v.server.Close()
}

// valid reports whether id looks like one: 1 to 64 of A-Z a-z 0-9 _ -.
func valid(id string) bool {
	strange := func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", r)
	}
	return id != "" && len(id) <= 64 && !strings.ContainsFunc(id, strange)
}

// wait waits for d, or for good where d is negative, and reports whether the
// client is still there.
func wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	var passed <-chan time.Time // for good
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		passed = timer.C
	}
	select {
	case <-passed:
		return true
	case <-ctx.Done():
		return false
	}
}

// write sends a whole answer. Errors mean that the client left.
func write(w http.ResponseWriter, status int, body string) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	}
	w.WriteHeader(status)
	_, _ = io.Copy(w, strings.NewReader(body))
	_ = http.NewResponseController(w).Flush()
}

// envelope wraps data, which is JSON and stays as it is, as the vendor does.
func envelope(id string, code int, message, data string) string {
	quoted, err := json.Marshal(message)
	if err != nil || message == "" {
		quoted = []byte("null")
	}
	return fmt.Sprintf(`{"code":%d,"message":%s,"data":%s,"recordTime":null,"requestId":%q}`, code, quoted, data, requestID(id))
}

func requestID(id string) string {
	sum := sha256.Sum256([]byte(id))
	return "sample-" + hex.EncodeToString(sum[:8])
}

// portrait is the data for id: the documented one for its id, and else one
// that is made up.
func portrait(id string) string {
	if id != DocumentedID {
		return invent(id)
	}
	var response struct{ Data json.RawMessage }
	if err := json.Unmarshal(documented, &response); err != nil {
		return "null" // cannot be: a test decodes it
	}
	return string(response.Data)
}

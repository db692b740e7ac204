//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream"
	"kol-portrait-mcp/upstream/sample"
)

// fault is a way in which a request to the vendor goes wrong.
type fault struct {
	name   string
	worked bool // the vendor has collected the portrait by then, and charges it
	send   func(c *net.TCPConn, right string)

	kind    schema.Kind // that the caller is told; empty where the portrait arrives
	charged bool        // whether the product takes the request for charged
	again   bool        // whether the product itself asks again
}

// faults are what goes wrong on the way from the vendor.
var faults = []fault{
	{"hang: no answer", true, hang(""), schema.Timeout, true, false},
	{"hang: in the body", true, hang("HTTP/1.1 200 OK\r\n\r\n" + `{"code":`), schema.Timeout, true, false},
	{"slow, but in time", true, slow, "", true, false},
	{"no answer", true, say(""), schema.Network, true, false},
	{"reset", true, reset, schema.Network, true, false},
	{"cut off in the header", true, say("HTTP/1.1 200 OK\r\nContent-Ty"), schema.Network, true, false},
	{"cut off in the body", true, cut, schema.Network, true, false},
	{"another protocol", true, say("SSH-2.0-OpenSSH_9.9\r\n"), schema.Network, true, false},
	{"a header without end", true, endless("HTTP/1.1 200 OK\r\nX-Padding: "), schema.Network, true, false},
	{"a body without end", true, endless("HTTP/1.1 200 OK\r\n\r\n" + `{"code":1,"data":"`), schema.BadResponse, true, false},
	{"gzip that is none", true, say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n{}"), schema.Network, true, false},
	{"a page", false, page(200, "<title>Sign in</title>"), schema.BadResponse, true, false},
	{"another JSON", false, page(200, `[{"code":0}]`), schema.BadResponse, true, false},
	{"data that is nothing", true, envelope(0, "null"), schema.NoPortrait, true, false},
	{"data that is no JSON", true, envelope(0, `{"ages":[{"group":"18-24","percent":NaN}]}`), schema.BadResponse, true, false},
	{"HTTP 502", true, page(502, "<title>Bad gateway</title>"), schema.UpstreamError, true, false},
	{"HTTP 504", true, page(504, "<title>Timeout</title>"), schema.Timeout, true, false},
	{"HTTP 500", false, page(500, ""), schema.UpstreamError, false, true},
	{"HTTP 503", false, page(503, "<title>Down</title>"), schema.UpstreamError, false, true},
	{"HTTP 429", false, page(429, ""), schema.RateLimited, false, true},
	{"HTTP 403", false, page(403, ""), schema.PermissionDenied, false, false},
	{"a redirect", false, say("HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), schema.UpstreamError, false, false},
	{"code 100", false, envelope(100, "null"), schema.InvalidToken, false, false},
	{"code 301", false, envelope(301, "null"), schema.CollectionFailed, false, true},
	{"code 302", false, envelope(302, "null"), schema.RateLimited, false, true},
	{"code 303", false, envelope(303, "null"), schema.DailyQuotaExceeded, false, false},
	{"code 400", false, envelope(400, "null"), schema.UpstreamRejected, false, false},
	{"code 503", false, envelope(503, "null"), schema.UpstreamError, false, true},
	{"code 601", false, envelope(601, "null"), schema.InsufficientBalance, false, false},
	{"code 777", false, envelope(777, "null"), schema.UpstreamRejected, false, false},
}

// noFault is the right answer.
var noFault = fault{name: "none", worked: true, send: slow, charged: true}

// say sends text and hangs up.
func say(text string) func(*net.TCPConn, string) {
	return func(c *net.TCPConn, _ string) { _, _ = io.WriteString(c, text) }
}

func page(status int, body string) func(*net.TCPConn, string) {
	return say(fmt.Sprintf("HTTP/1.1 %d Any Words\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body))
}

func envelope(code int, data string) func(*net.TCPConn, string) {
	return page(200, fmt.Sprintf(`{"code":%d,"message":"The vendor's words","data":%s,"requestId":"r-%[1]d"}`, code, data))
}

// hang sends text, and nothing more until the client has left.
func hang(text string) func(*net.TCPConn, string) {
	return func(c *net.TCPConn, _ string) {
		_, _ = io.WriteString(c, text)
		_, _ = io.Copy(io.Discard, c)
	}
}

// endless sends text, and more until the client has left.
func endless(text string) func(*net.TCPConn, string) {
	return func(c *net.TCPConn, _ string) {
		for _, err := io.WriteString(c, text); err == nil; _, err = io.WriteString(c, strings.Repeat("x", 64<<10)) {
		}
	}
}

func slow(c *net.TCPConn, right string) {
	answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(right), right)
	_, _ = io.WriteString(c, answer[:len(answer)/2])
	time.Sleep(50 * time.Millisecond)
	_, _ = io.WriteString(c, answer[len(answer)/2:])
}

func cut(c *net.TCPConn, right string) {
	_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(right), right[:len(right)/2])
}

func reset(c *net.TCPConn, _ string) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// faultyVendor is the simulated vendor at the end of a network on which a share
// of the requests goes wrong. What it answers and charges is sample.Vendor's.
type faultyVendor struct {
	*sample.Vendor
	share  float64 // of the requests that go wrong
	server *httptest.Server

	mu       sync.Mutex
	served   map[string][]*fault // by KOL, in the order in which they arrived
	requests int
	wrong    int
	arrived  func(n int) // called with the number of each request; nil: nothing is
}

func startFaultyVendor(t *testing.T, share float64) *faultyVendor {
	t.Helper()
	v := &faultyVendor{Vendor: sample.New(), share: share, served: map[string][]*fault{}}
	v.Token = token
	v.server = httptest.NewServer(v)
	t.Cleanup(v.server.Close)
	return v
}

// ServeHTTP answers a request, rightly or not.
func (v *faultyVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := v.next(r.URL.Query().Get("kolId") + r.URL.Query().Get("userId"))
	right := ""
	if f.worked {
		recorder := httptest.NewRecorder()
		v.Vendor.ServeHTTP(recorder, r)
		right = recorder.Body.String()
	}
	if f == &noFault {
		_, _ = io.WriteString(w, right)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	c := conn.(*net.TCPConn)
	f.send(c, right)
	_ = c.CloseWrite() // and not Close, which could destroy what is on its way
	_, _ = io.Copy(io.Discard, c)
	_ = c.Close()
}

// next decides what becomes of a request.
func (v *faultyVendor) next(kolID string) *fault {
	v.mu.Lock()
	defer v.mu.Unlock()
	f := &noFault
	if rand.Float64() < v.share {
		f = &faults[rand.IntN(len(faults))]
		v.wrong++
	}
	v.served[kolID] = append(v.served[kolID], f)
	v.requests++
	if v.arrived != nil {
		v.arrived(v.requests)
	}
	return f
}

// requestsFor are the requests for a KOL so far.
func (v *faultyVendor) requestsFor(kolID string) []*fault {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.served[kolID]
}

// originals asks a vendor of its own, whose charges nobody counts, for what
// the others should bring.
var originals = sample.New()

// assertOriginal checks that the figures are the KOL's own.
func assertOriginal(t *testing.T, kolID string, got json.RawMessage) {
	t.Helper()
	recorder := httptest.NewRecorder()
	originals.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/api/xiaohongshu-pgy/get-kol-fans-portrait/v1?token="+sample.Token+"&kolId="+kolID, nil))
	var right struct{ Data json.RawMessage }
	err := json.Unmarshal(recorder.Body.Bytes(), &right)
	assert.True(t, err == nil && got != nil && reflect.DeepEqual(upstream.Read(right.Data).Distributions, upstream.Read(got).Distributions), "%s: other figures than the KOL's own", kolID)
}

//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kol-portrait-mcp/upstream/sample"
)

// token is what the vendor of these tests accepts, and nobody may ever see.
const token = "e2e-0f5c2d-token-that-nobody-may-see"

// vendor is the simulated vendor as a server of its own. It holds back its
// answers, or loses them, where it is told to.
type vendor struct {
	*sample.Vendor
	url  string
	lose func(w http.ResponseWriter) // what clients get instead of an answer; nil: the answer

	total atomic.Int64 // requests, for whichever KOL

	mu      sync.Mutex
	arrived chan string   // the KOL ids of requests, as they come
	hold    chan struct{} // closed when answers may go out
	held    string        // the KOL whose answers those are; empty for all

	arrivals []time.Time // of all requests
}

func startVendor(t *testing.T) *vendor {
	t.Helper()
	v := &vendor{Vendor: sample.New(), arrived: make(chan string, 1000), hold: make(chan struct{})}
	v.Token = token
	v.release()
	server := httptest.NewServer(v)
	v.url = server.URL
	t.Cleanup(func() {
		v.release()
		server.Close()
	})
	return v
}

// ServeHTTP answers when it may. A client that leaves meanwhile is charged all
// the same: the real vendor does not notice either.
func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	kolID := query.Get("kolId") + query.Get("userId")
	v.mu.Lock()
	v.arrivals = append(v.arrivals, time.Now())
	hold, held := v.hold, v.held == "" || v.held == kolID
	v.mu.Unlock()
	v.total.Add(1)
	v.arrived <- kolID
	if held {
		<-hold
	}
	if v.lose != nil {
		v.Vendor.ServeHTTP(httptest.NewRecorder(), r)
		v.lose(w)
		return
	}
	v.Vendor.ServeHTTP(w, r)
}

// holdBack keeps the answers to requests that come from now on.
func (v *vendor) holdBack() { v.holdBackOnly("") }

// holdBackOnly keeps the answers to requests for one KOL that come from now on.
func (v *vendor) holdBackOnly(kolID string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.hold, v.held = make(chan struct{}), kolID
}

// release lets all answers go out.
func (v *vendor) release() {
	v.mu.Lock()
	defer v.mu.Unlock()
	select {
	case <-v.hold:
	default:
		close(v.hold)
	}
}

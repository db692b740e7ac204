package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"kol-portrait-mcp/upstream/sample"
)

// vendorLatency is what the vendor of the benchmarks takes to answer, at least.
// The real one takes seconds; what is measured is what servers add.
const vendorLatency = 5 * time.Millisecond

// vendor answers every request with the documented portrait, and knows how long
// it took for each.
type vendor struct {
	url    string
	answer []byte
	server *http.Server

	mu   sync.Mutex
	took []time.Duration // by request
}

func startVendor(ctx context.Context) (*vendor, error) {
	v := &vendor{answer: documented(ctx)}
	v.server = &http.Server{Handler: v, ReadHeaderTimeout: time.Minute}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a vendor: %w", err)
	}
	v.url = "http://" + listener.Addr().String()
	go func() { _ = v.server.Serve(listener) }()
	return v, nil
}

// documented is the response on the vendor's page, as it travels.
func documented(ctx context.Context) []byte {
	answer := httptest.NewRecorder()
	sample.New().ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet,
		"/api/xiaohongshu-pgy/get-kol-fans-portrait/v1?token="+sample.Token+"&kolId="+sample.DocumentedID, http.NoBody))
	return answer.Body.Bytes()
}

func (v *vendor) close() { _ = v.server.Close() }

// ServeHTTP answers one request.
func (v *vendor) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	arrived := time.Now()
	time.Sleep(vendorLatency)
	v.note(time.Since(arrived)) // before the caller can have the answer
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(v.answer)))
	_, _ = w.Write(v.answer)
}

func (v *vendor) note(took time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.took = append(v.took, took)
}

// requests is how many have been answered so far.
func (v *vendor) requests() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.took)
}

// since returns how long each request took after the first so many; there must
// be exactly as many as calls were made.
func (v *vendor) since(first, calls int) ([]time.Duration, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	took := v.took[first:]
	if len(took) != calls {
		return nil, fmt.Errorf("the vendor was asked %d times in %d calls", len(took), calls)
	}
	return took, nil
}

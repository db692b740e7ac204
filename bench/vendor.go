package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"time"

	"kol-portrait-mcp/upstream/sample"
)

// vendorLatency is what the vendor of the benchmarks takes to answer, at least.
// The real one takes seconds; what is measured is what servers add.
const vendorLatency = 5 * time.Millisecond

// vendor answers every request with the documented portrait, and counts them.
type vendor struct {
	url      string
	answer   []byte
	server   *http.Server
	requests atomic.Int64
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
	v.requests.Add(1)
	time.Sleep(vendorLatency)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(v.answer)))
	_, _ = w.Write(v.answer)
}

// latency is the median time that the vendor takes for a client that asks it
// directly, one request after the other, and reads the answer.
func (v *vendor) latency(ctx context.Context, requests int) (time.Duration, error) {
	took := make([]time.Duration, requests)
	for i := range took {
		began := time.Now()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url, http.NoBody)
		if err != nil {
			return 0, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return 0, err
		}
		_, err = io.Copy(io.Discard, response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil {
			return 0, err
		}
		took[i] = time.Since(began)
	}
	return median(took), nil
}

package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	maxBody     = 1 << 20
	bodyTimeout = 30 * time.Second // for a client to send one body
)

// withBody reads the body of a request, which may not be larger than 1 MiB,
// and hands it to next, which finds it in the request as well. mcp-go reads
// bodies of any size.
func withBody(next func(w http.ResponseWriter, r *http.Request, body []byte)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(w, r)
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			http.Error(w, "The request body is larger than 1 MiB.", http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			http.Error(w, "The request body could not be read.", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next(w, r, body)
	})
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	// The deadline must go again: it would end a connection whose call is slow.
	// Writers that know none are those of tests.
	if r.ContentLength > maxBody && r.Header.Get("Expect") != "" {
		return nil, &http.MaxBytesError{Limit: maxBody} // before the client sends it
	}
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(bodyTimeout))
	defer func() { _ = conn.SetReadDeadline(time.Time{}) }()
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
}

package server

import "net/http"

// recorder is a ResponseWriter that remembers the status it sent: 0 until
// something has been sent.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the first final status and sends it on.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write sends p on; without a status before it, that is 200.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Flush makes recorder an http.Flusher, which mcp-go asks for before it streams.
func (r *recorder) Flush() {
	_ = http.NewResponseController(r.ResponseWriter).Flush()
}

// Unwrap lets an http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

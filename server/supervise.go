package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// supervise logs each request at debug, and survives the panics of next. It
// tells neither query strings nor headers nor what a panic said: any of them
// may hold a secret.
func supervise(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		defer logRequest(log, r, rec, time.Now())
		defer recoverPanic(log, r, rec)
		next.ServeHTTP(rec, r)
	})
}

func logRequest(log *slog.Logger, r *http.Request, rec *recorder, start time.Time) {
	log.DebugContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path,
		"status", rec.status, "duration", time.Since(start))
}

// recoverPanic is to be deferred.
func recoverPanic(log *slog.Logger, r *http.Request, rec *recorder) {
	cause := recover()
	if cause == nil {
		return
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause)
	}
	log.ErrorContext(r.Context(), "a request handler panicked", "method", r.Method, "path", r.URL.Path,
		"panic", fmt.Sprintf("%T", cause), "stack", string(debug.Stack()))
	if rec.status != 0 {
		panic(http.ErrAbortHandler) // so that half an answer is not taken for a whole one
	}
	http.Error(rec, "Internal server error.", http.StatusInternalServerError)
}

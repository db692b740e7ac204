package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/telemetry"
)

const (
	defaultMaxCalls = 1000
	maxStreams      = 5000 // event streams at /sse that may be open at a time
	callerStreams   = maxStreams / 2
	maxCallers      = 10_000 // whose rates and streams are remembered; the one that was silent longest is forgotten
	maxHeader       = 64 << 10
	maxBody         = 1 << 20 // mcp-go makes two copies of some

	logEvery = time.Minute // a refusal that may come a thousand times a second

	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	writeTimeout  = time.Minute // until the client has taken an answer or event
	idleTimeout   = 2 * time.Minute
)

// rates bounds how many messages a second each caller may send.
type rates struct {
	perSecond float64
	callers   *lru.Cache[string, *limited] // by name
	metrics   *telemetry.Metrics
	log       *slog.Logger
}

// limited is one caller's rate.
type limited struct {
	*rate.Limiter
	logged rate.Sometimes
}

// newRates returns nil where perSecond is 0: then there is no bound.
func newRates(perSecond float64, m *telemetry.Metrics, log *slog.Logger) *rates {
	if perSecond == 0 {
		return nil
	}
	callers, _ := lru.New[string, *limited](maxCallers) // which fails for no size above 0
	return &rates{perSecond, callers, m, log}
}

// check answers messages that come too fast with 429. Without authentication all
// callers are one.
func (l *rates) check(next http.Handler) http.Handler {
	if l == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if wait, ok := l.take(r.Context()); !ok {
				l.metrics.Refused("rate")
				refuse(w, http.StatusTooManyRequests, wait, fmt.Sprintf("MCP_CALLER_RPS allows %v messages a second of one caller.", l.perSecond))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// take counts a message. Where it is one too many, take reports false and the seconds
// after which there is room for one.
func (l *rates) take(ctx context.Context) (wait int, ok bool) {
	caller := schema.CallerOf(ctx)
	limiter, known := l.callers.Get(caller)
	if !known {
		limiter = &limited{Limiter: rate.NewLimiter(rate.Limit(l.perSecond), int(math.Ceil(l.perSecond))), logged: rate.Sometimes{Interval: logEvery}}
		if other, found, _ := l.callers.PeekOrAdd(caller, limiter); found {
			limiter = other
		}
	}
	if limiter.Allow() {
		return 0, true
	}
	limiter.logged.Do(func() {
		l.log.InfoContext(ctx, "a caller sends messages faster than MCP_CALLER_RPS allows", "caller", caller)
	})
	return max(1, int(math.Ceil((1-limiter.Tokens())/l.perSecond))), false
}

// refuse answers a request that may be sent again after some seconds.
func refuse(w http.ResponseWriter, status, seconds int, why string) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	http.Error(w, fmt.Sprintf("%s Try again in %d s.", why, seconds), status)
}

// refuse answers a message that begin has not let in, and counts it.
func (c *calls) refuse(w http.ResponseWriter, r *http.Request, m *telemetry.Metrics, log *slog.Logger) {
	m.Refused("busy")
	c.refused.Do(func() {
		log.InfoContext(r.Context(), "a message is refused: too many calls are in flight, or the server is ending", "caller", schema.CallerOf(r.Context()))
	})
	refuse(w, http.StatusServiceUnavailable, 1, "Too many calls are in flight, or the server is shutting down.")
}

// readBody reads the body of a request, which may be maxBody long and must come
// within bodyTimeout. Where it cannot, it answers the request and reports false.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case errors.As(err, &tooLarge):
		http.Error(w, fmt.Sprintf("The request body is larger than %d KiB.", maxBody>>10), http.StatusRequestEntityTooLarge)
	case err != nil: // the deadline stays, or net/http would wait for the rest
		http.Error(w, "The request body could not be read.", http.StatusBadRequest)
	default:
		_ = conn.SetReadDeadline(time.Time{}) // it would end a connection whose call is slow
	}
	return body, err == nil
}

// response is where the answer to a request is written. The client has writeTimeout
// to take each write, however long the call took.
type response struct {
	http.ResponseWriter
	conn   *http.ResponseController
	ending context.Context // done when the server shuts down
	status int             // 0 until the answer begins
}

// WriteHeader begins the answer.
func (w *response) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

// Write writes more of the answer.
func (w *response) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

func (w *response) begin(status int) {
	_ = w.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if w.status != 0 {
		return
	}
	w.status = status
	if w.ending.Err() != nil {
		w.Header().Set("Connection", "close") // so that no proxy sends more on it
	}
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// measure times each answer of routes. Requests under "/" are named by their pattern
// in endpoints, since the handlers between them copy the request.
func measure(ending context.Context, routes, endpoints *http.ServeMux, m *telemetry.Metrics) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		answer := &response{ResponseWriter: w, conn: http.NewResponseController(w), ending: ending}
		_ = answer.conn.SetWriteDeadline(time.Time{}) // over HTTP/2, WriteTimeout would end a slow call
		if r.ContentLength != 0 {                     // before it answers, net/http waits for what a handler has not read
			_ = answer.conn.SetReadDeadline(began.Add(bodyTimeout))
		}
		if m != nil {
			defer func() {
				pattern := r.Pattern
				if pattern == "/" {
					_, pattern = endpoints.Handler(r)
				}
				m.HTTPRequest(r.Method, pattern, cmp.Or(answer.status, http.StatusInternalServerError), time.Since(began))
			}()
		}
		routes.ServeHTTP(answer, r)
		answer.status = cmp.Or(answer.status, http.StatusOK) // not reached after a panic
	})
}

package upstream

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"kol-portrait-mcp/schema"
)

// health is what a request tells about the vendor.
type health int

const (
	unclear health = iota // nothing: it was not sent, not waited for, or went elsewhere
	alive                 // it answered, if only to refuse
	down                  // it failed, or could not be reached
)

// breaker leaves a vendor alone that failed many times in a row, for a while,
// and then until one request has shown how it is.
//
// It is worked by hand rather than as a policy: a policy takes whatever is no
// failure for a success, keeps the trial's permit for good where a transport
// panics, and lets requests from before the failures decide in the trial's
// place.
type breaker struct {
	circuit circuitbreaker.CircuitBreaker[any]
	logger  *slog.Logger

	mu       sync.Mutex
	era      int    // how often the circuit has changed
	trial    bool   // while half-open: whether the trial is under way
	failures int    // in a row
	latest   string // of them, in a few words
}

func newBreaker(after int, lasts time.Duration, logger *slog.Logger) *breaker {
	b := &breaker{logger: logger}
	b.circuit = circuitbreaker.NewBuilder[any]().
		WithFailureThreshold(uint(after)).
		WithSuccessThreshold(1).
		WithDelay(lasts).
		OnStateChanged(b.changed).
		Build()
	return b
}

// changed notes and logs a change of the circuit. mu is held.
func (b *breaker) changed(event circuitbreaker.StateChangedEvent) {
	b.era++
	b.trial = false
	ctx := context.Background() // it concerns all calls alike
	switch event.NewState {
	case circuitbreaker.OpenState:
		b.logger.WarnContext(ctx, "the vendor keeps failing, and is left alone",
			"failures", b.failures, "latest", b.latest, "for", b.circuit.RemainingDelay())
	case circuitbreaker.HalfOpenState:
		b.logger.InfoContext(ctx, "the vendor is tried with one request")
	case circuitbreaker.ClosedState:
		b.logger.InfoContext(ctx, "the vendor works again")
	}
}

// refusal is the failure of a request while the vendor is left alone, or nil.
func (b *breaker) refusal() *failure {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refuse()
}

// enter lets one request through, unless the vendor is left alone. What it
// returns must be called once, with what the request told, and in a few words
// why where the vendor is down.
func (b *breaker) enter() (leave func(h health, brief string), fail *failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if fail := b.refuse(); fail != nil {
		return nil, fail
	}
	if b.circuit.IsOpen() {
		b.circuit.TryAcquirePermit() // its time is up: this half-opens it
	}
	b.trial = b.circuit.IsHalfOpen()
	era := b.era
	return func(h health, brief string) { b.leave(era, h, brief) }, nil
}

// leave notes what a request told that entered in an era. One from before the
// circuit last changed tells nothing new.
func (b *breaker) leave(era int, h health, brief string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if era != b.era {
		return
	}
	b.trial = false
	switch h {
	case alive:
		b.failures = 0
		b.circuit.RecordSuccess()
	case down:
		b.failures, b.latest = b.failures+1, brief
		b.circuit.RecordFailure()
	case unclear:
	}
}

// left is how long the vendor is still left alone.
func (b *breaker) left() time.Duration { return b.circuit.RemainingDelay() }

// refuse is refusal for who holds mu.
func (b *breaker) refuse() *failure {
	left := b.left()
	if left == 0 && !b.trial {
		return nil
	}
	until := "while another request tries it"
	if left > 0 {
		until = fmt.Sprintf("for another %d s", wholeSeconds(left))
	}
	return &failure{
		err: schema.Error{
			Kind:              schema.UpstreamError,
			Message:           fmt.Sprintf("The vendor failed %s in a row (the latest: %s) and is left alone %s", count(b.failures, "time"), b.latest, until),
			Retryable:         true,
			RetryAfterSeconds: max(wholeSeconds(left), 1),
		},
		advice: "Call again after that.",
	}
}

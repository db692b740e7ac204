package upstream

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"kol-portrait-mcp/schema"
)

// breaker leaves the vendor alone for a while after it has failed many times in
// a row. Then one request in each such while tries it, until one is answered.
type breaker struct {
	after  int           // failures in a row
	lasts  time.Duration // how long the vendor is left alone
	logger *slog.Logger

	mu       sync.Mutex
	failures int       // in a row
	latest   string    // of them
	until    time.Time // when the vendor may be tried; zero: it is not left alone
}

// refusal is the failure of a request while the vendor is left alone, else nil.
func (b *breaker) refusal() *failure {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refuse()
}

// enter is refusal for a request that is about to be sent. Where the vendor was
// left alone, that request tries it: all others are refused until its answer is
// noted, or for as long again.
func (b *breaker) enter() *failure {
	b.mu.Lock()
	defer b.mu.Unlock()
	fail := b.refuse()
	if fail == nil && !b.until.IsZero() {
		b.until = time.Now().Add(b.lasts)
	}
	return fail
}

func (b *breaker) refuse() *failure {
	left := time.Until(b.until)
	if left <= 0 {
		return nil
	}
	return &failure{wait: left, rule: rule{schema.UpstreamError, fmt.Sprintf("The vendor failed %d times in a row and is left alone for another %d s; the latest failure: %s",
		b.failures, wholeSeconds(left), b.latest), "Call again after that.", later}}
}

// note counts what a request told of the vendor; nil is a portrait. An answer
// that cannot be the vendor's own tells nothing.
func (b *breaker) note(ctx context.Context, fail *failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case fail != nil && (fail.kind == schema.BadResponse || fail.kind == schema.UpstreamError && fail.outcome == refused):
	case fail != nil && (fail.kind == schema.UpstreamError || fail.kind == schema.Timeout || fail.kind == schema.Network):
		b.failures, b.latest = b.failures+1, fail.what
		if b.failures < b.after {
			return
		}
		if b.until.IsZero() {
			b.logger.WarnContext(ctx, "the vendor keeps failing, and is left alone", "failures", b.failures, "latest", b.latest, "for", b.lasts)
		}
		b.until = time.Now().Add(b.lasts)
	default:
		if !b.until.IsZero() {
			b.logger.InfoContext(ctx, "the vendor works again")
		}
		b.failures, b.until = 0, time.Time{}
	}
}

package upstream

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"kol-portrait-mcp/schema"
)

const breakFor = 30 * time.Second // the vendor is left alone

// breaker leaves the vendor alone for a while after it has failed many times in
// a row. Then one request in each such while tries it, until one is answered.
type breaker struct {
	after  int // failures in a row
	logger *slog.Logger

	mu       sync.Mutex
	failures int       // in a row
	latest   string    // of them
	until    time.Time // when the vendor may be tried; zero: it is not left alone
}

// refusal is the failure of a request while the vendor is left alone, else nil.
// Where the vendor was left alone, the first request that is about to be sent
// tries it: others are refused until its answer is noted, or for as long again.
func (b *breaker) refusal(sending bool) *failure {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := time.Until(b.until)
	if left <= 0 {
		if sending && !b.until.IsZero() {
			b.until = time.Now().Add(breakFor)
		}
		return nil
	}
	return &failure{wait: left, rule: rule{schema.UpstreamError, later, fmt.Sprintf("The vendor failed %d times in a row and is left alone for another %d s; the latest failure: %s",
		b.failures, wholeSeconds(left), b.latest)}}
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
			b.logger.WarnContext(ctx, "the vendor keeps failing, and is left alone", "failures", b.failures, "latest", b.latest, "for", breakFor)
		}
		b.until = time.Now().Add(breakFor)
	default:
		if !b.until.IsZero() {
			b.logger.InfoContext(ctx, "the vendor works again")
		}
		b.failures, b.until = 0, time.Time{}
	}
}

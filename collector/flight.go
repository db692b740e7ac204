package collector

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// flight is one collection of a KOL's portrait, shared by all who wait for it.
type flight struct {
	*Collector
	id      string
	kolID   string
	fresh   bool
	started time.Time
	log     *slog.Logger
	run     func()
	cancel  context.CancelFunc
	done    chan struct{} // closed when it has landed

	requests int // that were to be sent, one after the other

	// Under Collector.mu:
	landed    bool
	answer    *schema.Collected // does not change once it has landed; nil where err is not
	err       error             // the same
	elsewhere bool              // another process collects, and pays
	paying    bool              // a request that may be charged is under way, or was
	left      int               // callers that did not wait until it has landed
	untold    bool              // the caller to whom the charge is to be told has left, told that another process pays
	unsaved   bool              // the answer is not in the store yet
}

// newFlight returns a flight that goes on when ctx ends.
func (c *Collector) newFlight(ctx context.Context, kolID string, fresh bool) *flight {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Deadline)
	f := &flight{
		Collector: c,
		id:        rand.Text(),
		kolID:     kolID,
		fresh:     fresh,
		started:   c.Now(),
		log:       c.Logger.With("kolId", kolID),
		cancel:    cancel,
		done:      make(chan struct{}),
	}
	f.run = func() {
		defer cancel()
		defer f.end()
		defer f.recover(ctx)
		f.collect(ctx)
	}
	return f
}

// collect brings the portrait from the upstream where the lease on the KOL is
// granted, and else from whoever has it.
func (f *flight) collect(ctx context.Context) {
	s, err := f.storage(ctx)
	if err != nil {
		f.land(nil, err)
		return
	}
	before, err := f.reread(ctx, f.kolID)
	if err != nil {
		f.land(nil, err)
		return
	}
	answer, err := f.lease(ctx, s, before)
	if answer != nil || err != nil {
		f.land(answer, f.withOlder(ctx, err))
		return
	}
	letGo := f.holdOn(ctx, s)
	defer letGo(broken()) // after a panic; else it does nothing any more
	err = f.fetch(ctx, s, before)
	letGo(verdict(err))
	if err != nil { // told when the lease is let go: who calls again then is to find neither
		f.land(nil, f.withOlder(ctx, err))
	}
}

// fetch asks the upstream, under the lease, and lands with what that brings,
// unless it fails. It looks into the store once more before: what another
// process collected since the call came will do.
func (f *flight) fetch(ctx context.Context, s store.Store, before *kept) error {
	first := false // whether it is the KOL's first portrait, as far as can be told
	if !f.fresh {
		now, err := f.reread(ctx, f.kolID)
		if err != nil {
			return err
		}
		if now != nil && (f.young(&now.collected) || now.newerThan(before)) {
			f.land(now.answer(), nil)
			return nil
		}
		first = now == nil
	}
	collected, err := f.ask(ctx, s)
	if err != nil {
		f.logOutcome(ctx, nil, err)
		return err
	}
	f.keep(ctx, s, collected, first)
	return nil
}

// ask asks the upstream, unless it is clear that the budget will not allow it:
// there is no need to queue for that.
func (f *flight) ask(ctx context.Context, s store.Store) (*schema.Collected, error) {
	if f.exceeded(ctx, s) {
		return nil, f.exhausted()
	}
	collected, err := f.Upstream.Portrait(ctx, f.kolID, f.fresh, f.admit(s))
	if err != nil && f.dropped() && !charged(err) {
		return nil, closing()
	}
	return collected, err
}

// dropped reports whether the process is ending.
func (f *flight) dropped() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

// logOutcome logs what became of a collection, whether anybody still waits for
// it or not: the log is where to look what was paid for.
func (f *flight) logOutcome(ctx context.Context, collected *schema.Collected, err error) {
	log := f.log.With("took", f.Now().Sub(f.started).Round(time.Millisecond))
	failure := (*schema.Error)(nil)
	switch {
	case err == nil:
		source := collected.Source
		log.InfoContext(ctx, "collected a portrait", "asOf", collected.AsOf, "endpoint", source.Endpoint,
			"charged", source.Charged, "requestId", source.RequestID)
	case errors.As(err, &failure) && failure.Kind == schema.BudgetExhausted:
		// Told to whoever called, and as often as they call.
	case failure != nil:
		level := slog.LevelInfo
		if failure.Charged {
			level = slog.LevelWarn
		}
		log.Log(ctx, level, "a collection failed", "kind", failure.Kind, "code", failure.UpstreamCode,
			"charged", failure.Charged, "requestId", failure.RequestID)
	}
}

// land hands the answer, or the error, to all who wait. Only the first counts.
func (f *flight) land(answer *schema.Collected, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.landed {
		return
	}
	f.landed, f.answer, f.err = true, answer, err
	close(f.done)
	if f.latest[f.kolID] == f {
		delete(f.latest, f.kolID)
	}
	f.sweep()
	if err == nil || charged(err) { // else nothing was paid: who comes back may as well try again
		f.owe(f)
	}
}

// end notes that nothing goes on any more.
func (f *flight) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.flights, f)
}

// recover makes of a panic an answer for those who wait, instead of the end of
// the process and of all other flights.
func (f *flight) recover(ctx context.Context) {
	cause := recover()
	if cause == nil {
		return
	}
	f.log.ErrorContext(ctx, "collecting panicked", "panic", fmt.Sprintf("%T", cause), "stack", string(debug.Stack()))
	f.land(nil, broken())
}

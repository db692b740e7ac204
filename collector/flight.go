package collector

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// debt is how long a caller that was told still_collecting can come back for
// the answer of a fresh collection without starting another.
const debt = 10 * time.Minute

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
	landedAt  time.Time
	answer    *schema.Collected // does not change once it has landed; nil where err is not
	err       error             // the same
	elsewhere bool              // another process collects, and pays
	paying    bool              // a request that may be charged is under way, or was
	owed      int               // callers that left without the answer
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
	defer letGo(nil) // for a panic's sake: after the first call it does nothing
	letGo(f.fetch(ctx, s, before))
}

// fetch asks the upstream, under the lease, and returns what others who wait
// for this flight are to be told. It looks into the store once more before:
// what another process collected since the call came will do.
func (f *flight) fetch(ctx context.Context, s store.Store, before *kept) *schema.Error {
	if !f.fresh {
		now, err := f.reread(ctx, f.kolID)
		if err != nil {
			f.land(nil, err)
			return nil
		}
		if now != nil && (f.young(&now.collected) || now.newerThan(before)) {
			f.land(now.answer(), nil)
			return nil
		}
	}
	collected, err := f.Upstream.Portrait(ctx, f.kolID, f.fresh, f.admit(s))
	if err != nil {
		f.land(nil, f.withOlder(ctx, err))
		return f.verdict(err)
	}
	f.log.InfoContext(ctx, "collected a portrait", "asOf", collected.AsOf, "endpoint", collected.Source.Endpoint,
		"charged", collected.Source.Charged, "took", f.Now().Sub(f.started).Round(time.Millisecond))
	f.keep(ctx, s, collected)
	return nil
}

// land hands the answer, or the error, to all who wait. Only the first counts.
func (f *flight) land(answer *schema.Collected, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.landed {
		return
	}
	f.landed, f.landedAt, f.answer, f.err = true, f.Now(), answer, err
	if err != nil && !charged(err) {
		f.owed = 0 // nothing was paid: who comes back may as well try again
	}
	close(f.done)
	f.sweep()
}

// sweep takes flights that nobody can need any more off the map. The caller
// holds mu.
func (c *Collector) sweep() {
	for kolID, f := range c.latest {
		if f.landed && !f.unsaved && (f.owed == 0 || c.Now().Sub(f.landedAt) >= debt) {
			delete(c.latest, kolID)
		}
	}
}

// end notes that nothing goes on any more.
func (f *flight) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.flights, f)
}

// landedFor returns a flight that has landed and still is the answer to a
// call: because a caller left before it did, or because the store does not have
// its answer yet. It is nil where there is none.
func (c *Collector) landedFor(kolID string, fresh bool) *flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.latest[kolID]
	if f == nil || !f.landed || fresh && !f.fresh {
		return nil
	}
	if f.owed > 0 && c.Now().Sub(f.landedAt) < debt {
		f.owed--
		c.sweep()
		return f
	}
	if f.unsaved && !fresh && c.young(f.answer) {
		return f
	}
	return nil
}

// late is what a call is told that came when the flight had landed.
func (f *flight) late(ctx context.Context) (*schema.Collected, error) {
	if f.err != nil {
		return nil, f.err
	}
	answer := *f.answer
	answer.Source.FromStore, answer.Source.Charged = true, false
	f.countHit(ctx)
	return &answer, nil
}

// wait waits for the flight as long as a caller is willing to. started tells
// whether this caller's call started it.
func (f *flight) wait(ctx context.Context, started bool) (*schema.Collected, error) {
	patience := time.NewTimer(f.AnswerWithin)
	defer patience.Stop()
	select {
	case <-f.done:
	case <-patience.C:
	case <-ctx.Done():
	}
	if err := f.leave(started); err != nil {
		return nil, err
	}
	if f.err != nil {
		return nil, f.err
	}
	answer := *f.answer
	answer.Source.Charged = answer.Source.Charged && started
	if answer.Source.FromStore {
		f.countHit(ctx)
	}
	return &answer, nil
}

// leave is the end of a caller's wait: with nil where the flight has landed,
// and else with what a caller is told who leaves before.
func (f *flight) leave(started bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.landed {
		return nil
	}
	f.owed++
	return f.stillCollecting(started && !f.elsewhere)
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

package collector

import (
	"context"
	"time"

	"kol-portrait-mcp/schema"
)

// debt is how long a caller that was told still_collecting can come back for
// the answer of a fresh collection without starting another.
const debt = 10 * time.Minute

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
	return f.stillCollecting(started && !f.elsewhere && f.Environment != schema.EnvironmentSample)
}

// landedFor returns a flight that has landed and still is the answer to a
// call: because a caller left before it did, or because the store does not have
// its answer yet. It is nil where there is none.
func (c *Collector) landedFor(kolID string, fresh bool) *flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.latest[kolID]; f != nil && c.owes(f, fresh) {
		f.owed--
		c.sweep()
		return f
	}
	if c.unsaved == 0 || fresh {
		return nil
	}
	for f := range c.flights {
		if f.kolID == kolID && f.unsaved && c.young(f.answer) {
			return f
		}
	}
	return nil
}

// owes reports whether a call comes back for what a flight brought. What a
// fresh flight owes is kept for fresh calls, where the store can answer others,
// or where all there is to tell is that it failed. The caller holds mu.
func (c *Collector) owes(f *flight, fresh bool) bool {
	switch {
	case !f.landed || f.owed == 0 || c.Now().Sub(f.landedAt) >= debt:
		return false
	case f.fresh == fresh:
		return true
	case fresh:
		return false
	default:
		return f.err == nil && !c.young(f.answer)
	}
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

// sweep takes flights that nobody can need any more off the map. The caller
// holds mu.
func (c *Collector) sweep() {
	for kolID, f := range c.latest {
		if f.landed && !f.unsaved && (f.owed == 0 || c.Now().Sub(f.landedAt) >= debt) {
			delete(c.latest, kolID)
		}
	}
}

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

// sweep takes flights that nobody can need any more off the map. The caller
// holds mu.
func (c *Collector) sweep() {
	for kolID, f := range c.latest {
		if f.landed && !f.unsaved && (f.owed == 0 || c.Now().Sub(f.landedAt) >= debt) {
			delete(c.latest, kolID)
		}
	}
}

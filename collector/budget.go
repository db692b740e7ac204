package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/upstream"
)

// hitsEvery is how often at most the hits of a process are brought to the
// store.
const hitsEvery = time.Minute

// admit counts each request in the store before it is sent, so that no process
// can pass the budget, and takes it back once it is known not to be charged. A
// process that dies in between leaves its request counted: it may have been
// charged.
func (f *flight) admit(s store.Store) upstream.Admit {
	return func(ctx context.Context) (func(charged bool), error) {
		f.requests++
		charge := store.Charge{ID: fmt.Sprintf("%s-%d", f.id, f.requests), KOLID: f.kolID, Day: schema.DayOf(f.Now())}
		for {
			counted, settled, err := f.count(ctx, s, charge)
			switch {
			case err != nil:
				return nil, err
			case counted:
				return func(charged bool) { f.settle(ctx, s, charge, charged) }, nil
			case settled == nil:
				return nil, f.exhausted()
			}
			// The budget is used up by requests of this process that may turn out
			// not to be charged.
			select {
			case <-settled:
			case <-ctx.Done():
				return nil, f.exhausted()
			}
		}
	}
}

// count counts a request that is about to be sent. Where the budget does not
// allow it, settled is closed when a request of this process has been settled,
// and nil where none is open.
func (f *flight) count(ctx context.Context, s store.Store, charge store.Charge) (counted bool, settled <-chan struct{}, err error) {
	f.counting.Lock()
	defer f.counting.Unlock()
	if err := f.takeOff(); err != nil {
		return false, nil, err
	}
	counted, err = s.Charge(ctx, charge, f.DailyBudget)
	if errors.Is(err, store.ErrUncounted) {
		f.unpaid()
		return false, nil, f.uncounted()
	}
	if err != nil {
		f.unpaid()
		f.refund(ctx, s, charge) // it may have been counted all the same
		return false, nil, f.unavailable(ctx, "count the charged call", err)
	}
	if counted {
		f.open++
		return true, nil, nil
	}
	f.unpaid()
	if f.open > 0 {
		settled = f.settled
	}
	return false, settled, nil
}

// spent reports whether the budget is used up by requests that are settled, as
// far as this process can tell.
func (f *flight) spent(ctx context.Context, s store.Store) bool {
	if f.DailyBudget == 0 {
		return false
	}
	f.counting.Lock()
	defer f.counting.Unlock()
	counts, err := s.Counts(ctx, schema.DayOf(f.Now()))
	return err == nil && f.open == 0 && counts.Charged >= f.DailyBudget
}

// settle takes back a request that was not charged, and lets others try that
// found the budget used up.
func (f *flight) settle(ctx context.Context, s store.Store, charge store.Charge, charged bool) {
	if !charged {
		f.unpaid()
		f.refund(ctx, s, charge)
	}
	f.counting.Lock()
	defer f.counting.Unlock()
	f.open--
	close(f.settled)
	f.settled = make(chan struct{})
}

func (f *flight) refund(ctx context.Context, s store.Store, charge store.Charge) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveWithin)
	defer cancel()
	if err := s.Refund(ctx, charge); err != nil {
		f.log.WarnContext(ctx, "a call that was not charged stays counted as charged today", "error", err)
	}
}

// takeOff notes that a request that may be charged is about to be sent, so
// that the end of the process waits for it. At the end none is sent any more.
func (f *flight) takeOff() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return closing()
	}
	f.paying = true
	return nil
}

// unpaid notes that nothing is at stake any more, so that the end of the
// process need not wait for the flight.
func (f *flight) unpaid() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paying = false
	if f.closed {
		f.cancel()
	}
}

// Usage returns the figures of the vendor's day, of all processes that share
// the store. The error is a *schema.Error.
func (c *Collector) Usage(ctx context.Context) (schema.Usage, error) {
	s, err := c.storage(ctx)
	if err != nil {
		return schema.Usage{}, err
	}
	c.bringHits(ctx)
	now := c.Now()
	counts, err := s.Counts(ctx, schema.DayOf(now))
	if err != nil {
		return schema.Usage{}, c.unavailable(ctx, "read the day's figures", err)
	}
	usage := schema.Usage{
		Day:      schema.DayOf(now),
		Charged:  counts.Charged,
		Budget:   c.DailyBudget,
		Hits:     counts.Hits,
		ResetsAt: schema.NextDay(now),
		Store:    s.Kind(),
		Sample:   c.Environment == schema.EnvironmentSample,
	}
	if c.DailyBudget > 0 {
		remaining := max(c.DailyBudget-counts.Charged, 0)
		usage.Remaining = &remaining
	}
	return usage, nil
}

// countHit notes an answer from the store, and brings what has gathered to the
// store behind the caller's back.
func (c *Collector) countHit(ctx context.Context) {
	c.hits.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.Now().Sub(c.hitsAt) < hitsEvery {
		return
	}
	c.hitsAt = c.Now()
	ctx = context.WithoutCancel(ctx)
	c.running.Go(func() { c.bringHits(ctx) })
}

// bringHits adds the hits of this process to the store's.
func (c *Collector) bringHits(ctx context.Context) {
	n := c.hits.Swap(0)
	if n == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, saveWithin)
	defer cancel()
	s, err := c.storage(ctx)
	if err == nil {
		err = s.AddHits(ctx, schema.DayOf(c.Now()), int(n))
	}
	if err != nil {
		c.hits.Add(n)
		c.Logger.DebugContext(ctx, "the hits could not be counted in the store", "error", err)
	}
}

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
		for {
			charge := store.Charge{ID: fmt.Sprintf("%s-%d", f.id, f.requests), KOLID: f.kolID, Day: schema.DayOf(f.Now())}
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
	settled, err = f.takeOff()
	if err != nil {
		return false, nil, err
	}
	if f.knownSpent(charge.Day) {
		f.unpaid()
		return false, settled, nil
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
	if !counted {
		f.unpaid()
		return false, settled, nil
	}
	f.counted(charge.Day)
	return true, nil, nil
}

// takeOff notes that a request that may be charged is about to be sent, so
// that the end of the process waits for it. At the end none is sent any more.
// It returns what is closed when the next request is settled, nil where none is
// open.
func (f *flight) takeOff() (settled <-chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, closing()
	}
	f.paying = true
	if f.open > 0 {
		settled = f.settled
	}
	return settled, nil
}

// spending is what a process has spent on a day. It is a second lock on the
// budget, for a store that has forgotten what it counted: emptied, deleted, or
// damaged.
type spending struct {
	day   schema.Day
	calls int
}

// knownSpent reports whether this process alone has used up the budget.
func (f *flight) knownSpent(day schema.Day) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.DailyBudget > 0 && f.spent.day == day && f.spent.calls >= f.DailyBudget
}

// counted notes a request that was counted.
func (f *flight) counted(day schema.Day) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open++
	if f.spent.day != day {
		f.spent = spending{day: day}
	}
	f.spent.calls++
}

// settle takes back a request that was not charged, and lets others try that
// found the budget used up.
func (f *flight) settle(ctx context.Context, s store.Store, charge store.Charge, charged bool) {
	if !charged {
		f.unpaid()
		f.refund(ctx, s, charge)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !charged && f.spent.day == charge.Day {
		f.spent.calls--
	}
	f.open--
	close(f.settled)
	f.settled = make(chan struct{})
}

// exceeded reports whether the budget is used up by requests that are settled,
// as far as this process can tell.
func (f *flight) exceeded(ctx context.Context, s store.Store) bool {
	if f.DailyBudget == 0 {
		return false
	}
	counts, err := s.Counts(ctx, schema.DayOf(f.Now()))
	f.mu.Lock()
	defer f.mu.Unlock()
	return err == nil && f.open == 0 && counts.Charged >= f.DailyBudget
}

func (f *flight) refund(ctx context.Context, s store.Store, charge store.Charge) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveWithin)
	defer cancel()
	if err := s.Refund(ctx, charge); err != nil {
		f.log.WarnContext(ctx, "a call that was not charged stays counted as charged today", "error", err)
	}
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

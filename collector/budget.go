package collector

import (
	"context"
	"fmt"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/upstream"
)

// admit is asked right before each request. The wait for the request's turn may
// have outlasted the lease, so the flight renews a lease that is older than a
// second, and looks into the store again. Then it
// counts the request in the store, so that no process can pass the budget. A
// request that is known to be free is taken back; one whose process dies stays
// counted, since it may have been charged.
func (f *flight) admit(s store.Store) upstream.Admit {
	return func(ctx context.Context) (func(charged bool), error) {
		if f.c.Now().Sub(f.leasedAt) > renewAfter {
			switch found, held, err := f.tryLease(ctx, s); {
			case err != nil:
				return nil, err
			case found != nil || !held:
				return nil, errLookAgain
			}
		}
		f.requests++
		charge := store.Charge{ID: fmt.Sprintf("%s-%d", f.id, f.requests), Day: schema.DayOf(f.c.Now())}
		if err := f.spend(charge.Day); err != nil {
			return nil, err
		}
		counted, err := s.Charge(ctx, charge, f.c.DailyBudget)
		switch {
		case err != nil: // it may have been counted all the same
			err = f.c.unavailable(ctx, "count the charged call", err)
		case !counted:
			err = f.c.exhausted()
		}
		if err != nil {
			f.takeBack(ctx, s, charge)
			return nil, err
		}
		return func(charged bool) {
			if !charged {
				f.takeBack(ctx, s, charge)
			}
		}, nil
	}
}

// spend counts a request in this process, unless the process ends or has used up
// a limit alone. Its own count keeps the budget even where the store has
// forgotten what it counted: emptied, deleted, or damaged.
func (f *flight) spend(day schema.Day) error {
	c := f.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.limitLocked(day); err != nil {
		return err
	}
	if c.spentOn != day {
		c.spentOn, c.spentThen = day, 0
	}
	c.spentThen++
	c.spent++
	f.paying = true
	return nil
}

// limitLocked is why this process may send no further request, by its own count;
// nil where it may.
func (c *Collector) limitLocked(day schema.Day) error {
	switch {
	case c.closed:
		return ended()
	case c.MaxCharged >= 0 && c.spent >= c.MaxCharged:
		return &schema.Error{Kind: schema.BudgetExhausted, Message: fmt.Sprintf(
			"This run's limit of charged vendor calls is reached (--max-charged %d, calls under way included). The vendor was not asked.", c.MaxCharged)}
	case c.DailyBudget > 0 && c.spentOn == day && c.spentThen >= c.DailyBudget:
		return c.exhausted()
	}
	return nil
}

// checkLimits is what a collection is refused with at once, without the wait for
// its request's turn; nil where its request may be sent. A store that cannot tell
// shows when the request is counted.
func (c *Collector) checkLimits(ctx context.Context, s store.Store) error {
	day := schema.DayOf(c.Now())
	c.mu.Lock()
	err := c.limitLocked(day)
	c.mu.Unlock()
	if err != nil || c.DailyBudget <= 0 {
		return err
	}
	if charged, err := s.Charged(ctx, day); err == nil && charged >= c.DailyBudget {
		return c.exhausted()
	}
	return nil
}

// takeBack uncounts a request that was not charged. Where the process is ending,
// it also cancels the flight, which now waits for nothing that is paid for.
func (f *flight) takeBack(ctx context.Context, s store.Store, charge store.Charge) {
	c := f.c
	c.mu.Lock()
	f.paying = false
	c.spent--
	if c.spentOn == charge.Day {
		c.spentThen--
	}
	if c.closed {
		f.cancel()
	}
	c.mu.Unlock()
	ctx, cancel := storeContext(ctx)
	defer cancel()
	if err := s.Refund(ctx, charge); err != nil {
		c.Logger.WarnContext(ctx, "a call that was not charged stays counted as charged today", "kolId", f.kolID, "error", err)
	}
}

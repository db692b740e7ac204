package collector

import (
	"context"
	"fmt"
	"time"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/upstream"
)

// admit is asked right before each request. It waits for the request's turn among
// those of all processes that share the store. The waits may have outlasted the
// lease, so the flight renews a lease that is older than a second, and looks into
// the store again. Then it counts the request in the store, so that no process can
// pass a budget. A request that is known to be free is taken back; one whose process
// dies stays counted, since it may have been charged.
func (f *flight) admit(s store.Store) upstream.Admit {
	return func(ctx context.Context) (func(charged bool), error) {
		if err := f.waitForTurn(ctx, s); err != nil {
			return nil, err
		}
		if f.c.Now().Sub(f.leasedAt) > renewAfter {
			switch found, held, err := f.tryLease(ctx, s); {
			case err != nil:
				return nil, err
			case found != nil || !held:
				return nil, errLookAgain
			}
		}
		f.requests++
		charge := store.Charge{ID: fmt.Sprintf("%s-%d", f.id, f.requests), Day: schema.DayOf(f.c.Now()), Caller: f.caller}
		if err := f.spend(charge.Day); err != nil {
			return nil, err
		}
		refusal, err := s.Charge(ctx, charge, store.Limits{Day: f.c.DailyBudget, Caller: f.c.CallerBudget})
		switch {
		case err != nil: // it may have been counted all the same
			err = f.c.unavailable(ctx, "count the charged call", err)
		case refusal == store.DayFull:
			err = f.c.exhausted()
		case refusal == store.CallerFull:
			err = f.callerExhausted()
		case f.c.Now().Sub(f.leasedAt) > leaseSlack: // the process stood still: another may have the lease by now
			err = errLookAgain
		}
		if err != nil {
			f.takeBack(ctx, s, charge)
			return nil, err
		}
		return func(charged bool) {
			if charged {
				f.c.Metrics.Charged()
			} else {
				f.takeBack(ctx, s, charge)
			}
		}, nil
	}
}

// turnsPer is the time for as many turns as MaxRPS says: a second, and a tenth for what
// machines and networks delay, so that the vendor is asked no more often in any second.
const turnsPer = 1100 * time.Millisecond

// turnLasts is how long behind its time a turn may be used at least, since a slow
// network would else use up all of them.
const turnLasts = 100 * time.Millisecond

// waitForTurn waits until the next request may be sent to the vendor.
func (f *flight) waitForTurn(ctx context.Context, s store.Store) error {
	if f.c.MaxRPS <= 0 {
		return nil
	}
	every := time.Duration(float64(turnsPer) / f.c.MaxRPS)
	for range 3 {
		asked := time.Now()
		wait, err := s.Turn(ctx, every)
		if err != nil {
			return f.c.unavailable(ctx, "take a turn at the vendor", err)
		}
		if ends, ok := ctx.Deadline(); ok && wait > time.Until(ends) {
			return &schema.Error{
				Kind: schema.RateLimited, Message: "More requests to the vendor wait for their turn than can be sent in time (JUSTONEAPI_MAX_RPS). The vendor was not asked.",
				Retryable: true, RetryAfterSeconds: 60,
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ended()
		}
		// After a stall, of this process or of the store, many turns are due at once.
		if time.Since(asked)-wait < max(every, turnLasts) {
			break
		}
	}
	return nil
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
	if c.lastDay != day {
		c.lastDay, c.spentThatDay = day, 0
	}
	c.spentThatDay++
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
	case c.DailyBudget > 0 && c.lastDay == day && c.spentThatDay >= c.DailyBudget:
		return c.exhausted()
	}
	return nil
}

// checkLimits is what a collection is refused with at once, without the wait for
// its request's turn; nil where its request may be sent. A store that cannot tell
// shows when the request is counted.
func (f *flight) checkLimits(ctx context.Context, s store.Store) error {
	c, day := f.c, schema.DayOf(f.c.Now())
	c.mu.Lock()
	err := c.limitLocked(day)
	c.mu.Unlock()
	if err != nil || c.DailyBudget <= 0 && (c.CallerBudget <= 0 || f.caller == "") {
		return err
	}
	charges, err := s.Charged(ctx, day)
	switch {
	case err != nil:
		return nil //nolint:nilerr // it shows when the request is counted
	case c.DailyBudget > 0 && charges.All >= c.DailyBudget:
		return c.exhausted()
	case c.CallerBudget > 0 && charges.Callers[f.caller] >= c.CallerBudget:
		return f.callerExhausted()
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
	if c.lastDay == charge.Day {
		c.spentThatDay--
	}
	if c.closed {
		f.cancel()
	}
	c.mu.Unlock()
	ctx, cancel := storeContext(ctx)
	defer cancel()
	if err := s.Refund(ctx, charge); err != nil {
		f.log.WarnContext(ctx, "a call that was not charged stays counted as charged today", "error", err)
	}
}

package collector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// unavailable is the failure of a call whose store did not do its part. What
// exactly happened is for the log: it may name machines.
func (c *Collector) unavailable(ctx context.Context, doing string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) { // not the store's failure
		return ended()
	}
	c.Logger.WarnContext(ctx, "the portrait store failed", "doing", doing, "error", err)
	return &schema.Error{
		Kind: schema.StoreUnavailable, Message: "The portrait store does not answer (could not " + doing + "). Nothing was charged.",
		Retryable: true, RetryAfterSeconds: 10,
	}
}

// noPortraitIn is the failure of an answer that was paid for and holds no portrait
// that can be read; nil where it holds one.
func (c *Collector) noPortraitIn(answer *schema.Collected, charged bool) error {
	if !answer.Distributions.IsEmpty() {
		return nil
	}
	kind, message := schema.NoPortrait, "The vendor has no portrait of this KOL."
	if fault := c.read(&answer.Portrait).Fault; fault != "" {
		kind, message = schema.BadResponse, fmt.Sprintf("Nothing of the vendor's answer can be read: %s. The resource kol-portrait://portraits/%s shows it.", fault, answer.KOLID)
	}
	message += fmt.Sprintf(" That answer is stored, and told at no charge until %s.", answer.RetrievedAt.Add(c.CacheTTL).UTC().Format(time.DateOnly))
	return &schema.Error{Kind: kind, Message: message, RequestID: answer.RequestID, Charged: charged}
}

// exhausted is the failure of a call that would pass the budget.
func (c *Collector) exhausted() error {
	return c.usedUp(fmt.Sprintf("Today's budget of charged vendor calls is used up (PORTRAIT_DAILY_BUDGET is %d", c.DailyBudget))
}

// callerExhausted is the failure of a call that would pass the budget of the
// caller that started the flight, which remembers it.
func (f *flight) callerExhausted() error {
	f.callerFull = true
	return f.c.usedUp(fmt.Sprintf("This caller's budget of charged vendor calls is used up for today (MCP_CALLER_DAILY_BUDGET is %d", f.c.CallerBudget))
}

// usedUp is the failure of a call that would pass a budget of the day.
func (c *Collector) usedUp(budget string) error {
	next := schema.NextDay(c.Now())
	return &schema.Error{
		Kind: schema.BudgetExhausted,
		Message: fmt.Sprintf("%s, calls under way included). The vendor was not asked. The next day starts at %s (00:00 in Shanghai).",
			budget, next.UTC().Format("2006-01-02 15:04 UTC")),
		Retryable: true, RetryAfterSeconds: wholeSeconds(next.Sub(c.Now())),
	}
}

// refusedTo reports whether the flight ended with err because the caller that
// started it has used up its budget, which says nothing of another caller.
func (f *flight) refusedTo(caller string, err error) bool {
	failure, failed := errors.AsType[*schema.Error](err)
	return failed && failure.Kind == schema.BudgetExhausted && f.callerFull && f.caller != caller
}

// stillCollecting is what a caller is told that stops waiting: to come back
// after as long as the collection has taken already.
func (f *flight) stillCollecting(started bool) error {
	waited := f.c.Now().Sub(f.started)
	return &schema.Error{
		Kind:      schema.StillCollecting,
		Message:   fmt.Sprintf("The portrait is still being collected after %d s. The collection goes on, and its answer will be stored.", int(waited.Seconds())),
		Retryable: true, RetryAfterSeconds: min(max(wholeSeconds(waited), 2), 30),
		Charged: started && !f.paidElsewhere.Load(),
	}
}

// toldAgain is a failure of an earlier collection that may have been charged, as
// it is told at no charge until trying again makes sense.
func toldAgain(lease store.Lease) error {
	told := *lease.Failure
	told.Message = "An earlier call for this KOL failed, and may have been charged. This one was not: the vendor is not asked again so soon. What happened then: " + told.Message
	told.Charged = false
	if told.Retryable {
		told.RetryAfterSeconds = max(wholeSeconds(lease.Left), 1)
	}
	return &told
}

// ended is the failure of a call that ended before the vendor charged anything.
func ended() error {
	return &schema.Error{Kind: schema.Internal, Message: "The server is shutting down, or the call was cancelled. Nothing was charged.", Retryable: true}
}

// broken is the failure of a flight that failed in a way that nobody foresaw. It
// counts as charged, since nobody knows.
func broken() *schema.Error {
	return &schema.Error{Kind: schema.Internal, Message: "The server failed on this call. The vendor may have charged it. Other calls are not affected.", Charged: true}
}

// mentionStored adds to a failure that an older portrait can be read for free.
func (f *flight) mentionStored(ctx context.Context, err error) error {
	failure, ok := errors.AsType[*schema.Error](err)
	if !ok || failure.Kind == schema.StoreUnavailable {
		return err
	}
	ctx, cancel := storeContext(ctx)
	defer cancel()
	stored, _ := f.c.Stored(ctx, f.kolID) // without it, the failure stands as it is
	if stored == nil || stored.Distributions.IsEmpty() {
		return err
	}
	told := *failure
	told.Message += fmt.Sprintf(" The store has an older portrait, collected %s: the resource kol-portrait://portraits/%s holds it at no charge.",
		stored.RetrievedAt.UTC().Format(time.DateOnly), f.kolID)
	return &told
}

// wholeSeconds rounds a wait up, so that no caller comes too early.
func wholeSeconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

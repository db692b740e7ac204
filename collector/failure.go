package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kol-portrait-mcp/schema"
)

// retryStore is how long to wait for a store that does not answer.
const retryStore = 10 * time.Second

// unavailable is the failure of a call whose store did not do its part. What
// exactly happened is for the log: it may name machines.
func (c *Collector) unavailable(ctx context.Context, doing string, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // not the store's failure: the call has ended, or everything does
		return c.ended()
	case ctx.Err() == nil: // else it was not given the time
		c.Logger.WarnContext(ctx, "the portrait store failed", "doing", doing, "error", err)
	}
	if own := (*schema.Error)(nil); errors.As(err, &own) {
		return own
	}
	return &schema.Error{
		Kind: schema.StoreUnavailable,
		Message: "The portrait store does not answer (could not " + doing + "). Nothing was asked of the vendor. " +
			"Call again in a little while; if it stays like this, whoever runs the server finds the cause in its log.",
		Retryable:         true,
		RetryAfterSeconds: int(retryStore.Seconds()),
	}
}

// ended is the failure of a call that had ended before anything was asked of
// the vendor.
func (c *Collector) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return closing()
	}
	return &schema.Error{Kind: schema.Internal, Message: "The call ended before it was begun. Nothing was asked of the vendor; call again.", Retryable: true}
}

// exhausted is the failure of a call that would pass the budget.
func (f *flight) exhausted() error {
	return f.tomorrow(schema.BudgetExhausted, fmt.Sprintf("Today's budget of charged vendor calls is used up "+
		"(PORTRAIT_DAILY_BUDGET is %d, calls under way included). The vendor was not asked.", f.DailyBudget))
}

// uncounted is the failure of a call on a day whose charged calls are not
// known.
func (f *flight) uncounted() error {
	return f.tomorrow(schema.StoreUnavailable, fmt.Sprintf("How many charged calls today has had was lost with a damaged store file, "+
		"so the budget (PORTRAIT_DAILY_BUDGET is %d) cannot be kept, and the vendor was not asked. Whoever runs the server can do without a budget for today.", f.DailyBudget))
}

// tomorrow is a failure that ends with the vendor's day.
func (f *flight) tomorrow(kind schema.Kind, message string) error {
	now := f.Now()
	next := schema.NextDay(now)
	return &schema.Error{
		Kind: kind,
		Message: fmt.Sprintf("%s The next day starts at %s (00:00 in Shanghai). Portraits in the store are still served.",
			message, next.UTC().Format("2006-01-02 15:04 UTC")),
		Retryable:         true,
		RetryAfterSeconds: wholeSeconds(next.Sub(now)),
	}
}

// stillCollecting is what a caller is told who stops waiting. Who comes back
// after as long as it has taken already is neither impatient nor late. The
// caller holds mu.
func (f *flight) stillCollecting(charged bool) error {
	waited := f.Now().Sub(f.started)
	return &schema.Error{
		Kind: schema.StillCollecting,
		Message: fmt.Sprintf("The portrait is still being collected after %d s. The collection goes on, and its answer will be stored. "+
			"Call again in a moment: that call gets this answer without another charge.", int(waited.Seconds())),
		Retryable:         true,
		RetryAfterSeconds: min(max(wholeSeconds(waited), 2), 30),
		Charged:           charged,
	}
}

// stillElsewhere is the failure of a flight that has waited for another
// process's until its own deadline.
func (f *flight) stillElsewhere() error {
	return &schema.Error{
		Kind:              schema.StillCollecting,
		Message:           "Another process of this server is still collecting the portrait. Call again in a moment: that call gets its answer without another charge.",
		Retryable:         true,
		RetryAfterSeconds: 30,
	}
}

// closing is the failure of a call that comes at the end of the process.
func closing() error {
	return &schema.Error{Kind: schema.Internal, Message: "The server is shutting down. Nothing was asked of the vendor; call again.", Retryable: true}
}

// broken is the failure of a flight that failed in a way that nobody foresaw.
func broken() *schema.Error {
	return &schema.Error{
		Kind:    schema.Internal,
		Message: "The server failed on this call; its log has the details. Other calls are not affected.",
		Charged: true, // nobody knows: say so rather than invite a repetition
	}
}

// withOlder adds to a failure that the store has an older portrait, and how to
// get that.
func (f *flight) withOlder(ctx context.Context, err error) error {
	failure := (*schema.Error)(nil)
	if !errors.As(err, &failure) || !ofUpstream(failure.Kind) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveWithin)
	defer cancel()
	older, _ := f.newest(ctx, f.kolID) // without it, the failure stands as it is
	if older == nil {
		return err
	}
	told := *failure
	told.Message += f.older(&older.collected)
	return &told
}

// ofUpstream reports whether a failure leaves the store as the only place to
// get a portrait from.
func ofUpstream(kind schema.Kind) bool {
	switch kind {
	case schema.StoreUnavailable, schema.StillCollecting, schema.Internal, schema.InvalidArgument:
		return false
	default:
		return true
	}
}

// older tells of a stored portrait.
func (f *flight) older(p *schema.Collected) string {
	asOf := p.AsOf
	if asOf == "" {
		asOf = "an unknown day"
	}
	if f.young(p) {
		return fmt.Sprintf(" The store has a portrait as of %s: call with acceptCache true to get it at no charge.", asOf)
	}
	return fmt.Sprintf(" The store has an older portrait as of %s, collected %s: the resource kol-portrait://portraits/%s holds it, "+
		"and acceptCache true gets it at no charge where the server's PORTRAIT_CACHE_TTL (now %v) is longer than its age.",
		asOf, p.Source.RetrievedAt.UTC().Format(time.DateOnly), f.kolID, f.CacheTTL)
}

// charged reports whether the vendor charged a failed call, or may have.
func charged(err error) bool {
	failure := (*schema.Error)(nil)
	return !errors.As(err, &failure) || failure.Charged
}

// wholeSeconds rounds a wait up, so that who waits that long does not come too
// early.
func wholeSeconds(d time.Duration) int {
	return int((d + time.Second - 1) / time.Second)
}

package collector

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/telemetry"
)

const (
	leaseSlack  = 5 * time.Second        // a request goes out after its lease was taken; the lease lasts ten longer than an attempt
	renewAfter  = time.Second            // an older lease is renewed before a request goes out
	lookEvery   = 200 * time.Millisecond // a flight waits between two looks at a lease that another collection holds
	storeWithin = 3 * time.Second        // the store has for one operation; an answer goes out after that all the same
	saveAgain   = 2 * time.Second        // a flight waits before it asks a store again that did not take its answer
	keepFailure = 10 * time.Minute       // a failure is told again that names no time to wait
)

// callerFlights is how many collections of one caller with a name may be under way: three
// full comparisons. Whoever asks for more would make all others wait.
const callerFlights = 60

// errLookAgain keeps a request from being sent whose turn has come too late.
var errLookAgain = errors.New("the lease on the KOL was lost, or its portrait has been stored meanwhile")

// flight is one collection of a KOL's portrait, shared by all callers that wait
// for it. It can be joined until its answer is saved.
type flight struct {
	c       *Collector
	id      string
	kolID   string
	fresh   bool
	caller  string // the name of the one that started it, which its charges count for; empty where it has none
	log     *slog.Logger
	started time.Time
	cancel  context.CancelFunc

	done   chan struct{} // closed when it lands
	landed sync.Once
	answer *schema.Collected // neither changes after landing
	err    error

	leasedAt      time.Time   // when the lease was last asked for
	requests      int         // admitted or refused so far: they number the charges
	paidElsewhere atomic.Bool // another collection has the lease, and pays
	callerFull    bool        // the caller that started it has used up its budget
	paying        bool        // a request that may be charged is under way, or its answer is not saved; guarded by c.mu
}

// flights are those that can be joined. A KOL may have two at a time, of which
// one is fresh: they take turns through the lease, as two processes do.
type flights map[flightKey]*flight

type flightKey struct {
	kolID string
	fresh bool
}

// find returns the flight whose answer is good enough, nil where there is none.
func (all flights) find(kolID string, fresh bool) *flight {
	if f := all[flightKey{kolID, fresh}]; f != nil || fresh {
		return f
	}
	return all[flightKey{kolID, true}]
}

// of counts the flights that a caller has started.
func (all flights) of(caller string) int {
	n := 0
	for _, f := range all {
		if f.caller == caller {
			n++
		}
	}
	return n
}

// remove removes f, unless that was done before.
func (all flights) remove(f *flight) {
	if key := (flightKey{f.kolID, f.fresh}); all[key] == f {
		delete(all, key)
	}
}

// join returns the flight whose answer is good enough, and starts one where
// there is none.
func (c *Collector) join(ctx context.Context, kolID string, fresh bool) (f *flight, started bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f = c.flights.find(kolID, fresh); f != nil {
		return f, false, nil
	}
	if c.closed || ctx.Err() != nil {
		return nil, false, ended()
	}
	if caller := schema.CallerOf(ctx); caller != "" && c.flights.of(caller) >= callerFlights {
		return nil, false, &schema.Error{
			Kind: schema.RateLimited, Message: fmt.Sprintf("%d portraits are being collected for this caller already. The vendor was not asked for more.", callerFlights),
			Retryable: true, RetryAfterSeconds: 10,
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Deadline)
	f = &flight{c: c, id: rand.Text(), kolID: kolID, fresh: fresh, caller: schema.CallerOf(ctx), started: c.Now(), cancel: cancel, done: make(chan struct{})}
	f.log = c.Logger.With("kolId", kolID)
	if f.caller != "" {
		f.log = f.log.With("caller", f.caller)
	}
	c.flights[flightKey{kolID, fresh}] = f
	c.running.Go(func() { f.run(ctx) })
	return f, true, nil
}

// wait waits for the flight until ctx ends. started tells whether this caller's
// call started it, which is told what it cost.
func (f *flight) wait(ctx context.Context, started bool) (*schema.Collected, error) {
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, f.stillCollecting(started)
	}
	if failure, ok := errors.AsType[*schema.Error](f.err); ok {
		told := *failure
		told.Charged = failure.Charged && started
		return nil, &told
	}
	answer := *f.answer
	answer.Charged = answer.Charged && started
	return &answer, nil
}

// run collects, and lets all callers have the answer or the error. A panic is
// an error for them, not the end of the process and of all other flights.
func (f *flight) run(ctx context.Context) {
	ctx, span := telemetry.Start(ctx, "collect", attribute.Bool("kol_portrait.fresh", f.fresh))
	defer func() { f.endSpan(span) }()
	defer context.AfterFunc(f.c.givenUp, f.cancel)() //nolint:contextcheck // it ends what ctx does not
	defer func() {                                   // nothing goes on in it any more
		f.cancel()
		f.c.mu.Lock()
		defer f.c.mu.Unlock()
		f.c.flights.remove(f)
	}()
	defer func() {
		if cause := recover(); cause != nil {
			f.log.ErrorContext(ctx, "collecting panicked", "panic", fmt.Sprintf("%T", cause), "stack", string(debug.Stack()))
			f.land(nil, broken(), false)
		}
	}()
	found, err := f.collect(ctx)
	f.land(found, f.mentionStored(ctx, err), false) // which does nothing where keep has landed
}

// endSpan notes on the flight's span what came of it. No span has the id of a KOL.
func (f *flight) endSpan(span trace.Span) {
	defer span.End()
	outcome, charged := "ok", f.err == nil && f.answer.Charged
	if failure, failed := errors.AsType[*schema.Error](f.err); failed {
		outcome, charged = string(failure.Kind), failure.Charged
		span.SetStatus(codes.Error, "")
	}
	span.SetAttributes(attribute.String("kol_portrait.outcome", outcome), attribute.Bool("kol_portrait.charged", charged))
}

// collect asks the upstream, and lands with its answer; it then returns neither
// a portrait nor an error. Where another collection has stored an answer
// meanwhile, it returns that.
func (f *flight) collect(ctx context.Context) (*schema.Collected, error) {
	s, err := f.c.store(ctx)
	if err != nil {
		return nil, err
	}
	for {
		found, err := f.waitForLease(ctx, s)
		if found != nil || err != nil {
			return found, err
		}
		if err := f.checkLimits(ctx, s); err != nil {
			return nil, f.fail(ctx, s, err)
		}
		p, err := f.c.Upstream.Portrait(ctx, f.kolID, f.fresh, f.admit(s))
		switch {
		case err == nil:
			f.keep(ctx, s, p)
			return nil, nil
		case !errors.Is(err, errLookAgain):
			return nil, f.fail(ctx, s, err)
		}
	}
}

// waitForLease returns nil and no error once the flight holds the lease on its KOL and
// the store still has nothing to answer with. Else it returns the answer that
// another collection has stored meanwhile, or what that ended with.
func (f *flight) waitForLease(ctx context.Context, s store.Store) (*schema.Collected, error) {
	for {
		found, held, err := f.tryLease(ctx, s)
		if held && (found != nil || err != nil) {
			f.release(ctx, s)
		}
		if found != nil || held || err != nil {
			return found, err
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil, ended()
			}
			return nil, f.stillCollecting(false)
		}
	}
}

// tryLease takes or renews the lease, unless another collection holds it, and
// then looks whether the store has an answer. The error is also what another
// collection failed with, until trying again makes sense.
func (f *flight) tryLease(ctx context.Context, s store.Store) (found *schema.Collected, held bool, err error) {
	f.leasedAt = f.c.Now()
	lease, err := s.Acquire(ctx, f.kolID, f.id, f.c.LeaseLasts)
	if err != nil {
		return nil, false, f.c.unavailable(ctx, "take the lease on the KOL", err)
	}
	if lease.Failure != nil {
		return nil, false, toldAgain(lease)
	}
	held = lease.Holder == f.id
	f.paidElsewhere.Store(!held)
	found, err = f.c.youngPortrait(ctx, f.kolID, f.fresh)
	return found, held, err
}

// keep saves an answer that was paid for, and lands with it.
func (f *flight) keep(ctx context.Context, s store.Store, p *schema.Portrait) {
	p.ID = f.id
	p.AsOf = f.c.read(p).AsOf // never fails, so that nothing comes between the answer and the store
	saving, cancel := storeContext(ctx)
	defer cancel()
	unsaved := s.Save(saving, p, f.c.Keep)
	answer := f.c.fromStore(s, p)
	answer.FromStore, answer.Charged = false, true
	f.land(answer, f.c.noPortraitIn(answer, true), unsaved != nil)
	f.log.InfoContext(ctx, "collected a portrait", "asOf", p.AsOf, "endpoint", p.Endpoint,
		"requestId", p.RequestID, "charged", true, "took", f.c.Now().Sub(f.started).Round(time.Millisecond))
	if unsaved != nil {
		f.saveLater(ctx, s, p, unsaved)
	}
	f.release(ctx, s)
}

// saveLater asks the store until it takes the portrait, or until the process
// can wait no longer for its end. Meanwhile the flight can be joined, and holds
// the lease wherever it can, since another process would pay again.
func (f *flight) saveLater(ctx context.Context, s store.Store, p *schema.Portrait, err error) {
	f.log.WarnContext(ctx, "the store did not take an answer that was paid for; this process keeps it and tries again", "error", err)
	for err != nil {
		select {
		case <-time.After(saveAgain):
			saving, cancel := storeContext(ctx)
			_, _ = s.Acquire(saving, f.kolID, f.id, f.c.LeaseLasts)
			err = s.Save(saving, p, f.c.Keep)
			cancel()
		case <-f.c.givenUp.Done():
			f.log.ErrorContext(ctx, "an answer that was paid for could not be stored before the end", "error", err)
			f.c.lost.Add(1)
			return
		}
	}
	f.log.InfoContext(ctx, "the store has the answer now")
}

// fail ends the lease after a failed collection. A failure that may have been
// charged stays with it for as long as trying again makes no sense, so that no
// process pays again for the same.
func (f *flight) fail(ctx context.Context, s store.Store, err error) error {
	failure := broken() // an error of no known kind counts as charged
	errors.As(err, &failure)
	log := f.log.InfoContext
	if failure.Charged {
		log = f.log.WarnContext
	}
	if failure.Kind != schema.BudgetExhausted { // which is told as often as anybody calls
		log(ctx, "a collection failed", "kind", failure.Kind, "code", failure.UpstreamCode,
			"requestId", failure.RequestID, "charged", failure.Charged, "took", f.c.Now().Sub(f.started).Round(time.Millisecond), "error", err)
	}
	if !failure.Charged {
		f.release(ctx, s)
		if errors.Is(ctx.Err(), context.Canceled) {
			return ended()
		}
		return failure
	}
	f.leaveFailure(ctx, s, failure)
	return failure
}

// leaveFailure puts a failure that may have been charged on the lease. While the
// store does not take it, the flight can be joined, and tells it.
func (f *flight) leaveFailure(ctx context.Context, s store.Store, failure *schema.Error) {
	lasts := cmp.Or(time.Duration(failure.RetryAfterSeconds)*time.Second, keepFailure)
	for end := f.c.Now().Add(lasts); ; {
		leaving, cancel := storeContext(ctx)
		_, err := s.Acquire(leaving, f.kolID, f.id, f.c.LeaseLasts) // a process that was stopped may have lost it, and Fail would do nothing
		if err == nil {
			err = s.Fail(leaving, f.kolID, f.id, failure, end.Sub(f.c.Now()))
		}
		cancel()
		if err == nil || !f.c.Now().Add(saveAgain).Before(end) {
			return
		}
		f.log.WarnContext(ctx, "a failure that may have been charged could not be stored; this process tells it and tries again", "error", err)
		f.land(nil, failure, true)
		select {
		case <-time.After(saveAgain):
		case <-f.c.givenUp.Done():
			return
		}
	}
}

// release ends the lease, which else runs out by itself.
func (f *flight) release(ctx context.Context, s store.Store) {
	ctx, cancel := storeContext(ctx)
	defer cancel()
	if err := s.Release(ctx, f.kolID, f.id); err != nil {
		f.log.WarnContext(ctx, "the lease on the KOL could not be released, and will run out", "error", err)
	}
}

// land hands the answer, or the error, to all callers, once. From then on the
// flight cannot be joined, unless its answer is not in the store yet.
func (f *flight) land(answer *schema.Collected, err error, unsaved bool) {
	f.landed.Do(func() {
		f.c.mu.Lock()
		defer f.c.mu.Unlock()
		f.answer, f.err = answer, err
		if !unsaved {
			f.c.flights.remove(f)
		}
		close(f.done)
	})
}

// storeContext is for one operation of the store that must happen even though ctx
// has ended, since money is spent.
func storeContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeWithin)
}

package collector

import (
	"context"
	"errors"
	"time"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

const (
	// leaseLasts is how long a process that died keeps others from collecting a
	// KOL. A live one prolongs its lease well before.
	leaseLasts = 15 * time.Second
	leaseRenew = leaseLasts / 3

	// How often a process looks whether another has finished: more seldom the
	// longer it waits.
	firstLook = 20 * time.Millisecond
	lastLook  = 500 * time.Millisecond
)

func (f *flight) claim() store.Claim {
	return store.Claim{KOLID: f.kolID, Holder: f.id, Fresh: f.fresh}
}

// lease returns nil and no error once the flight holds the lease on its KOL.
// Where another flight holds it whose answer will do, lease returns that, or
// the error that the other ended with.
func (f *flight) lease(ctx context.Context, s store.Store, before *kept) (*schema.Collected, error) {
	for {
		held, err := s.Acquire(ctx, f.claim(), leaseLasts)
		if err != nil {
			return nil, f.unavailable(ctx, "take the lease on the KOL", err)
		}
		if held.Holder == f.id {
			f.setElsewhere(false)
			return nil, nil
		}
		f.setElsewhere(!f.fresh || held.Fresh) // a fresh flight waits for its turn behind one that is not, and pays itself
		answer, err := f.await(ctx, s, held, before)
		if answer != nil || err != nil {
			return answer, err
		}
	}
}

// await waits until the held lease has ended one way or another. It returns
// the answer, or the error, that the holder ended with, or neither where that
// is not what this flight is for: because it has to be fresh, or because the
// holder died or gave up.
func (f *flight) await(ctx context.Context, s store.Store, held store.Lease, before *kept) (*schema.Collected, error) {
	for wait := firstLook; ; wait = min(wait*3/2, lastLook) {
		if err := pause(ctx, wait); err != nil {
			return nil, f.stillElsewhere()
		}
		now, err := s.Lease(ctx, f.kolID)
		if err == nil && now.Holder == "" {
			now, err = f.giveNotice(ctx, s)
		}
		switch {
		case err != nil:
			return nil, f.unavailable(ctx, "look at the lease on the KOL", err)
		case now.Holder == held.Holder && !now.Released:
			continue
		case f.fresh && !held.Fresh:
			return nil, nil
		case now.Holder == held.Holder && now.Failure != nil:
			return nil, now.Failure
		}
		saved, err := f.reread(ctx, f.kolID)
		if err != nil || saved == nil || !saved.newerThan(before) {
			return nil, err
		}
		return saved.answer(), nil
	}
}

// giveNotice gives the holder of a lease that has expired the time to prolong
// it: it may have been the machine that slept, or the store that was locked, and
// not the holder that died.
func (f *flight) giveNotice(ctx context.Context, s store.Store) (store.Lease, error) {
	if err := pause(ctx, leaseRenew+time.Second); err != nil {
		return store.Lease{}, err
	}
	return s.Lease(ctx, f.kolID)
}

// setElsewhere notes whether another process collects, and pays.
func (f *flight) setElsewhere(elsewhere bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.elsewhere = elsewhere
}

// newerThan reports whether k is another portrait than an earlier look found.
func (k *kept) newerThan(before *kept) bool { return before == nil || k.id != before.id }

// holdOn prolongs the lease until the function that it returns is called,
// which lets others collect the KOL, and tells those who wait why there is no
// portrait, where that is so.
func (f *flight) holdOn(ctx context.Context, s store.Store) (letGo func(failure *schema.Error)) {
	ctx = context.WithoutCancel(ctx)
	holding, stop := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		due := time.NewTicker(leaseRenew)
		defer due.Stop()
		for {
			select {
			case <-due.C:
				f.prolong(holding, s)
			case <-holding.Done():
				return
			}
		}
	}()
	return func(failure *schema.Error) {
		if holding.Err() != nil {
			return
		}
		stop()
		<-stopped
		f.release(ctx, s, failure)
	}
}

// prolong cannot do more than try: where the lease was lost, another process
// may be collecting the KOL as well by now.
func (f *flight) prolong(ctx context.Context, s store.Store) {
	ctx, cancel := context.WithTimeout(ctx, leaseRenew-time.Second) // or the next would come too late as well
	defer cancel()
	held, err := s.Acquire(ctx, f.claim(), leaseLasts)
	if !errors.Is(ctx.Err(), context.Canceled) && (err != nil || held.Holder != f.id) {
		f.log.WarnContext(ctx, "the lease on the KOL could not be prolonged", "error", err)
	}
}

// release ends the lease. It does not matter much where it fails: a lease
// expires.
func (f *flight) release(ctx context.Context, s store.Store, failure *schema.Error) {
	ctx, cancel := context.WithTimeout(ctx, saveWithin)
	defer cancel()
	if err := s.Release(ctx, f.claim(), failure); err != nil {
		f.log.WarnContext(ctx, "the lease on the KOL could not be released, and will expire", "error", err)
	}
}

// verdict is the failure that processes which wait for this flight are told, nil
// for none: one that may have cost something, so that they do not pay again blindly. After
// any other they try for themselves: their token or their budget may be another.
func verdict(err error) *schema.Error {
	failure := (*schema.Error)(nil)
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &failure):
		return broken()
	case !failure.Charged:
		return nil
	default:
		return failure
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

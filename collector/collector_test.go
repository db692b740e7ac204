package collector_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/collector"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/memory"
	"kol-portrait-mcp/upstream"
)

const (
	kol    = "5d21ab6b000000001201567d"
	portal = `{"gender":{"female":0.7,"male":0.3},"dateKey":"2026-03-08"}`
)

// vendor is an upstream that answers as it is told, after a while.
type vendor struct {
	takes  time.Duration
	data   string                          // of its answers
	fails  func(request int) *schema.Error // the n-th request, from 1; nil where it is answered
	before func(context.Context)           // before a request is admitted: the wait for its turn
	mu     sync.Mutex
	asked  []string
	charge int
}

func (v *vendor) Portrait(ctx context.Context, kolID string, fresh bool, admit upstream.Admit) (*schema.Portrait, error) {
	if v.before != nil {
		v.before(ctx)
	}
	settle, err := admit(ctx)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	v.asked = append(v.asked, kolID)
	n := len(v.asked)
	v.mu.Unlock()
	select {
	case <-time.After(v.takes):
	case <-ctx.Done():
		settle(true)
		return nil, &schema.Error{Kind: schema.Timeout, Retryable: true, RetryAfterSeconds: 180, Charged: true}
	}
	if v.fails != nil {
		if failure := v.fails(n); failure != nil {
			settle(failure.Charged)
			return nil, failure
		}
	}
	v.mu.Lock()
	v.charge++
	v.mu.Unlock()
	settle(true)
	return &schema.Portrait{KOLID: kolID, Fresh: fresh, RetrievedAt: time.Now().UTC().Truncate(time.Millisecond),
		Endpoint: schema.EndpointPortrait, Environment: schema.EnvironmentGlobal, Data: json.RawMessage(v.data)}, nil
}

func (v *vendor) requests() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.asked)
}

// process is a collector with a vendor, on a store that others may share.
type process struct {
	*collector.Collector
	vendor *vendor
	store  store.Store
}

func newVendor() *vendor { return &vendor{takes: time.Second, data: portal} }

func start(v *vendor, s store.Store, change ...func(*collector.Options)) process {
	o := collector.Options{
		Upstream:     v,
		Store:        func(context.Context) (store.Store, error) { return s, nil },
		Environment:  schema.EnvironmentGlobal,
		CacheTTL:     24 * time.Hour,
		AnswerWithin: 50 * time.Second,
		Deadline:     10 * time.Minute,
		LeaseLasts:   70 * time.Second,
		MaxCharged:   -1,
		Now:          time.Now,
		Logger:       slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&o)
	}
	return process{collector.New(o), v, s}
}

func withMost(n int) func(*collector.Options) {
	return func(o *collector.Options) { o.MaxCharged = n }
}

func withBudget(n int) func(*collector.Options) {
	return func(o *collector.Options) { o.DailyBudget = n }
}

func withCallerBudget(n int) func(*collector.Options) {
	return func(o *collector.Options) { o.CallerBudget = n }
}

// callBy is one call of a caller with a name, and its outcome.
func (p process) callBy(t *testing.T, caller, kolID string) string {
	t.Helper()
	return p.callFor(schema.WithCaller(t.Context(), caller), t, kolID, false)
}

// call is one call's outcome, in a word: charged, shared, stored, or the kind
// of its failure with an exclamation mark where it is told to be charged.
func (p process) call(t *testing.T, fresh bool) string {
	t.Helper()
	return p.callFor(t.Context(), t, kol, fresh)
}

func (p process) callFor(ctx context.Context, t *testing.T, kolID string, fresh bool) string {
	t.Helper()
	collected, err := p.Portrait(ctx, kolID, fresh)
	if err != nil {
		failure, ok := errors.AsType[*schema.Error](err)
		if !assert.True(t, ok, "%v", err) {
			return err.Error()
		}
		if failure.Charged {
			return string(failure.Kind) + "!"
		}
		return string(failure.Kind)
	}
	assert.Equal(t, kolID, collected.KOLID)
	assert.Equal(t, "2026-03-08", collected.AsOf)
	assert.Len(t, collected.Distributions.Rows[schema.DimensionGender], 2)
	switch {
	case collected.FromStore && collected.Charged:
		return "stored, but charged"
	case collected.FromStore:
		return "stored"
	case collected.Charged:
		return "charged"
	default:
		return "shared"
	}
}

func (p process) charged(t *testing.T) int {
	t.Helper()
	usage, err := p.Usage(t.Context())
	require.NoError(t, err)
	return usage.Charged
}

// at runs a test on a clock of its own, which moves when all wait.
func at(t *testing.T, test func(*testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

func TestStoredPortraitIsTheAnswer(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		assert.Equal(t, "charged", p.call(t, false))
		time.Sleep(23 * time.Hour)
		assert.Equal(t, "stored", p.call(t, false))
		assert.Equal(t, 1, p.vendor.requests())
		time.Sleep(time.Hour)
		assert.Equal(t, "charged", p.call(t, false), "older than the TTL")
		require.NoError(t, p.Close(t.Context()))
	})
}

func TestFreshIsWhatWasCollectedFreshInTheLastTenMinutes(t *testing.T) {
	for _, test := range []struct {
		name  string
		first bool // whether the first call is to be fresh
		after time.Duration
		want  string
	}{
		{"right after a fresh one", true, 0, "stored"},
		{"nearly ten minutes after a fresh one", true, 9 * time.Minute, "stored"},
		{"ten minutes after a fresh one", true, 10 * time.Minute, "charged"},
		{"after one that may have come from the vendor's cache", false, time.Minute, "charged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			at(t, func(t *testing.T) {
				s := memory.New()
				first, second := start(newVendor(), s), start(newVendor(), s) // processes that share a store
				assert.Equal(t, "charged", first.call(t, test.first))
				time.Sleep(test.after)
				assert.Equal(t, test.want, second.call(t, true))
			})
		})
	}
}

func TestAnyPortraitAnswersForTenMinutesWhateverTheTTL(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New(), func(o *collector.Options) { o.CacheTTL = 0 })
		assert.Equal(t, "charged", p.call(t, false))
		assert.Equal(t, "stored", p.call(t, false))
		time.Sleep(10 * time.Minute)
		assert.Equal(t, "charged", p.call(t, false))
	})
}

func TestPortraitFromTheFutureIsNotYoung(t *testing.T) {
	at(t, func(t *testing.T) {
		for ahead, want := range map[time.Duration]string{time.Minute: "stored", 31 * 24 * time.Hour: "charged"} {
			p := start(newVendor(), memory.New())
			require.NoError(t, p.store.Save(t.Context(), &schema.Portrait{
				ID: "ahead", KOLID: kol, AsOf: "2026-03-08", RetrievedAt: time.Now().Add(ahead), Data: json.RawMessage(portal),
			}, 0))
			assert.Equal(t, want, p.call(t, false), "%v ahead", ahead)
			assert.Equal(t, "stored", p.call(t, false), "the newest is what was stored last")
		}
	})
}

func TestCallersShareOneFlight(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		outcomes := p.many(t, 300, func(int) string { return kol })
		assert.Equal(t, map[string]int{"charged": 1, "shared": 299}, outcomes)
		assert.Equal(t, 1, p.vendor.requests())
		assert.Equal(t, 1, p.charged(t))
	})
}

// many makes n calls at once and counts their outcomes.
func (p process) many(t *testing.T, n int, kolID func(i int) string) map[string]int {
	t.Helper()
	outcomes := map[string]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			outcome := p.callFor(t.Context(), t, kolID(i), false)
			mu.Lock()
			defer mu.Unlock()
			outcomes[outcome]++
		})
	}
	all.Wait()
	return outcomes
}

func TestFreshCallDoesNotShareAFlightThatIsNot(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		var all sync.WaitGroup
		all.Go(func() { assert.Equal(t, "charged", p.call(t, false)) })
		synctest.Wait()
		all.Go(func() { assert.Equal(t, "charged", p.call(t, true)) })
		all.Go(func() { assert.Equal(t, "shared", p.call(t, false)) })
		all.Wait()
		assert.Equal(t, 2, p.vendor.requests())
	})
}

func TestCallerThatGivesUpFindsTheAnswerWhenItComesBack(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		p.vendor.takes = time.Minute
		assert.Equal(t, "still_collecting!", p.call(t, true))
		assert.Equal(t, "shared", p.call(t, true), "comes back before the answer is there")
		assert.Equal(t, "stored", p.call(t, true))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // the client cancels
		defer cancel()
		assert.Equal(t, "still_collecting!", p.callFor(ctx, t, "another", false))
		time.Sleep(time.Hour)
		assert.Equal(t, "stored", p.callFor(t.Context(), t, "another", false))
		assert.Equal(t, 2, p.vendor.requests())
		assert.Equal(t, 2, p.charged(t))
	})
}

func TestFailureThatMayHaveBeenChargedIsToldAgainForFree(t *testing.T) {
	hangsUp := &schema.Error{Kind: schema.Network, Message: "It hung up.", Retryable: true, RetryAfterSeconds: 180, Charged: true}
	at(t, func(t *testing.T) {
		s := memory.New()
		v := newVendor()
		v.fails = func(request int) *schema.Error {
			if request == 1 {
				return hangsUp
			}
			return nil
		}
		p, another := start(v, s), start(v, s)
		assert.Equal(t, map[string]int{"network!": 1, "network": 9}, p.many(t, 10, func(int) string { return kol }))
		time.Sleep(time.Minute)
		for _, process := range []process{p, another} {
			for _, fresh := range []bool{false, true} {
				_, err := process.Portrait(t.Context(), kol, fresh)
				failure, ok := errors.AsType[*schema.Error](err)
				require.True(t, ok)
				assert.Equal(t, schema.Network, failure.Kind)
				assert.Contains(t, failure.Message, "It hung up.")
				assert.False(t, failure.Charged)
				assert.InDelta(t, 120, failure.RetryAfterSeconds, 2)
			}
		}
		assert.Equal(t, 1, v.requests())
		assert.Equal(t, 1, p.charged(t))
		time.Sleep(2 * time.Minute)
		assert.Equal(t, "charged", another.call(t, false))
		assert.Equal(t, 2, p.charged(t))
	})
}

func TestFailureThatTheStoreDoesNotTakeIsToldByItsProcess(t *testing.T) {
	at(t, func(t *testing.T) {
		s := &brokenStore{Store: memory.New(), broken: map[string]bool{"Fail": true}}
		p := start(newVendor(), s)
		p.vendor.fails = func(int) *schema.Error {
			return &schema.Error{Kind: schema.Network, Retryable: true, RetryAfterSeconds: 180, Charged: true}
		}
		assert.Equal(t, "network!", p.call(t, false))
		time.Sleep(time.Minute)
		assert.Equal(t, "network", p.call(t, false), "while the store is away")
		s.set("Fail", false)
		time.Sleep(time.Minute)
		assert.Equal(t, "network", start(p.vendor, s).call(t, false), "in another process")
		assert.Equal(t, 1, p.vendor.requests())
		time.Sleep(time.Minute)
		assert.Equal(t, "network!", p.call(t, false))
		require.NoError(t, p.Close(t.Context()))
	})
}

func TestFailureThatCostNothingIsTriedAgainAtOnce(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		p.vendor.fails = func(request int) *schema.Error {
			if request == 1 {
				return &schema.Error{Kind: schema.CollectionFailed, Message: "Not this time.", Retryable: true}
			}
			return nil
		}
		assert.Equal(t, "collection_failed", p.call(t, false))
		assert.Equal(t, 0, p.charged(t))
		assert.Equal(t, "charged", p.call(t, false))
	})
}

func TestFailureMentionsWhatIsStored(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		assert.Equal(t, "charged", p.call(t, false))
		time.Sleep(48 * time.Hour)
		p.vendor.fails = func(int) *schema.Error { return &schema.Error{Kind: schema.InsufficientBalance, Message: "No money."} }
		_, err := p.Portrait(t.Context(), kol, false)
		require.ErrorContains(t, err, "insufficient_balance: No money. The store has an older portrait")
		require.ErrorContains(t, err, "kol-portrait://portraits/"+kol)
	})
}

func TestAnswerWithoutAPortraitIsPaidForOnce(t *testing.T) {
	for data, kind := range map[string]string{
		`null`: "no_portrait", `{}`: "no_portrait", `{"ages":[]}`: "no_portrait",
		`"gone"`: "bad_response", `{"ages":[{"group":"18-24","percent":"many"}]}`: "bad_response", `{"ages":[`: "bad_response",
	} {
		at(t, func(t *testing.T) {
			p := start(newVendor(), memory.New())
			p.vendor.data = data
			assert.Equal(t, kind+"!", p.call(t, true), data)
			assert.Equal(t, kind, p.call(t, true), data)
			assert.Equal(t, kind, p.call(t, false), data)
			assert.Equal(t, 1, p.vendor.requests(), data)
			stored, err := p.Stored(t.Context(), kol)
			require.NoError(t, err)
			assert.Equal(t, data, string(stored.Data))
		})
	}
}

func TestProcessesCollectAKOLOnce(t *testing.T) {
	at(t, func(t *testing.T) {
		s, v := memory.New(), newVendor()
		outcomes := make([]map[string]int, 3)
		var all sync.WaitGroup
		for i := range outcomes {
			p := start(v, s)
			all.Go(func() { outcomes[i] = p.many(t, 100, func(int) string { return kol }) })
		}
		all.Wait()
		sum := map[string]int{}
		for _, o := range outcomes {
			for outcome, n := range o {
				sum[outcome] += n
			}
		}
		assert.Equal(t, map[string]int{"charged": 1, "shared": 99, "stored": 200}, sum)
		assert.Equal(t, 1, v.requests())
	})
}

func TestLeaseOfAProcessThatDiedRunsOut(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		_, err := p.store.Acquire(t.Context(), kol, "dead", 70*time.Second)
		require.NoError(t, err)
		assert.Equal(t, "still_collecting", p.call(t, false), "told of no charge: the other process pays")
		assert.Equal(t, "shared", p.call(t, false))
		assert.Equal(t, 1, p.vendor.requests())
	})
}

// The process is stopped for two minutes, or its request waits that long for its
// turn, while another process takes the lease that has run out.
func TestLeaseThatRunsOutBeforeTheRequest(t *testing.T) {
	for _, test := range []struct {
		name  string
		takes time.Duration // the other process, from 100 s on
		stop  func(*process)
	}{
		{"at the rate limit, the other still collects", 40 * time.Second, stopAtTheRateLimit},
		{"at the rate limit, the other is done", time.Second, stopAtTheRateLimit},
		{"at the turn that all share, the other still collects", 40 * time.Second, stopAtTheTurn},
		{"at the turn that all share, the other is done", time.Second, stopAtTheTurn},
		{"after the lease was taken, the other still collects", 40 * time.Second, stopAfterTheLease},
	} {
		t.Run(test.name, func(t *testing.T) {
			at(t, func(t *testing.T) {
				s := memory.New()
				p, another := start(newVendor(), s), start(newVendor(), s)
				another.vendor.takes = test.takes
				test.stop(&p)
				var all sync.WaitGroup
				defer all.Wait()
				all.Go(func() {
					time.Sleep(100 * time.Second)
					assert.Equal(t, "charged", another.call(t, false))
				})
				for outcome := "still_collecting"; outcome != "stored"; outcome = p.call(t, false) {
					require.Contains(t, outcome, "still_collecting")
				}
				assert.Zero(t, p.vendor.requests())
				assert.Equal(t, 1, p.charged(t))
			})
		})
	}
}

func stopAtTheRateLimit(p *process) {
	p.vendor.before = func(context.Context) { time.Sleep(2 * time.Minute) }
}

func stopAtTheTurn(p *process) {
	*p = start(p.vendor, &queue{Store: p.store, next: time.Now().Add(2 * time.Minute)}, withRate(5))
}

func stopAfterTheLease(p *process) {
	*p = start(p.vendor, &stoppedStore{Store: p.store})
}

// stoppedStore has its process stopped right after it has taken its first lease.
type stoppedStore struct {
	store.Store
	once sync.Once
}

func (s *stoppedStore) Acquire(ctx context.Context, kolID, holder string, lasts time.Duration) (store.Lease, error) {
	lease, err := s.Store.Acquire(ctx, kolID, holder, lasts)
	s.once.Do(func() { time.Sleep(2 * time.Minute) })
	return lease, err
}

func TestFailureIsToldAgainAlsoWhereTheLeaseHasRunOut(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		p.vendor.takes = 2 * time.Minute // the process was stopped, and notices only now
		p.vendor.fails = func(int) *schema.Error {
			return &schema.Error{Kind: schema.Timeout, Retryable: true, RetryAfterSeconds: 180, Charged: true}
		}
		assert.Equal(t, "still_collecting!", p.call(t, false))
		time.Sleep(2 * time.Minute)
		assert.Equal(t, "timeout", start(p.vendor, p.store).call(t, false))
		assert.Equal(t, 1, p.vendor.requests())
	})
}

func TestPortraitsOlderThanKeepAreLetGoOf(t *testing.T) {
	at(t, func(t *testing.T) {
		for keep, stays := range map[time.Duration]bool{0: true, 49 * time.Hour: true, 47 * time.Hour: false} {
			p := start(newVendor(), memory.New(), func(o *collector.Options) { o.Keep = keep })
			old := &schema.Portrait{ID: "old", KOLID: kol, AsOf: "2026-02-01", RetrievedAt: time.Now().Add(-48 * time.Hour), Data: json.RawMessage(portal)}
			require.NoError(t, p.store.Save(t.Context(), old, 0))
			assert.Equal(t, "charged", p.call(t, false))
			found, err := p.store.Older(t.Context(), kol, "2026-03-08")
			require.NoError(t, err)
			assert.Equal(t, stays, found != nil, keep)
		}
	})
}

func TestHeldIsWhatTheStoreAnswersForFree(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		check := func(want, wantFresh bool, what string) {
			t.Helper()
			for fresh, want := range map[bool]bool{false: want, true: wantFresh} {
				held, err := p.Held(t.Context(), kol, fresh)
				require.NoError(t, err)
				assert.Equal(t, want, held, what)
			}
		}
		check(false, false, "nothing is stored")
		p.call(t, false)
		check(true, false, "a portrait that was not collected fresh")
		p.call(t, true)
		check(true, true, "one that was")
		time.Sleep(time.Hour)
		check(true, false, "an hour old")
		time.Sleep(24 * time.Hour)
		check(false, false, "too old")
		p.vendor.data = "null"
		assert.Equal(t, "no_portrait!", p.call(t, true))
		check(true, true, "the vendor has no portrait")
		assert.Equal(t, 3, p.vendor.requests())
	})
}

// brokenStore fails in some of its methods for as long as they are broken: at
// once, or when nobody waits any more.
type brokenStore struct {
	store.Store
	mu     sync.Mutex
	broken map[string]bool
	hangs  bool
}

func (s *brokenStore) set(method string, broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken[method] = broken
}

func (s *brokenStore) fail(ctx context.Context, method string) error {
	s.mu.Lock()
	broken := s.broken[method]
	s.mu.Unlock()
	if !broken {
		return nil
	}
	if s.hangs {
		<-ctx.Done()
	}
	return errors.New("no answer from 10.0.0.7")
}

func (s *brokenStore) Newest(ctx context.Context, kolID string) (*schema.Portrait, error) {
	if err := s.fail(ctx, "Newest"); err != nil {
		return nil, err
	}
	return s.Store.Newest(ctx, kolID)
}

func (s *brokenStore) Save(ctx context.Context, p *schema.Portrait, keep time.Duration) error {
	if err := s.fail(ctx, "Save"); err != nil {
		return err
	}
	return s.Store.Save(ctx, p, keep)
}

func (s *brokenStore) Acquire(ctx context.Context, kolID, holder string, lasts time.Duration) (store.Lease, error) {
	if err := s.fail(ctx, "Acquire"); err != nil {
		return store.Lease{}, err
	}
	return s.Store.Acquire(ctx, kolID, holder, lasts)
}

func (s *brokenStore) Fail(ctx context.Context, kolID, holder string, failure *schema.Error, lasts time.Duration) error {
	if err := s.fail(ctx, "Fail"); err != nil {
		return err
	}
	return s.Store.Fail(ctx, kolID, holder, failure, lasts)
}

func (s *brokenStore) Charge(ctx context.Context, c store.Charge, limits store.Limits) (store.Refusal, error) {
	if err := s.fail(ctx, "Charge"); err != nil {
		return store.NotRefused, err
	}
	return s.Store.Charge(ctx, c, limits)
}

func (s *brokenStore) Turn(ctx context.Context, every time.Duration) (time.Duration, error) {
	if err := s.fail(ctx, "Turn"); err != nil {
		return 0, err
	}
	return s.Store.Turn(ctx, every)
}

func TestNothingIsAskedWithoutTheStore(t *testing.T) {
	for _, method := range []string{"Newest", "Acquire", "Turn", "Charge"} {
		at(t, func(t *testing.T) {
			s := &brokenStore{Store: memory.New(), broken: map[string]bool{method: true}}
			p := start(newVendor(), s, withRate(5))
			_, err := p.Portrait(t.Context(), kol, false)
			failure, ok := errors.AsType[*schema.Error](err)
			require.True(t, ok)
			assert.Equal(t, schema.StoreUnavailable, failure.Kind, method)
			assert.True(t, failure.Retryable)
			assert.NotContains(t, failure.Message, "10.0.0.7")
			assert.Zero(t, p.vendor.requests())
			s.set(method, false)
			assert.Equal(t, "charged", p.call(t, false))
			assert.Equal(t, 1, p.charged(t))
		})
	}
}

func TestStoreIsOpenedWhenItIsNeededAndAgainAfterAnError(t *testing.T) {
	at(t, func(t *testing.T) {
		opened := 0
		p := start(newVendor(), nil, func(o *collector.Options) {
			o.Store = func(context.Context) (store.Store, error) {
				if opened++; opened == 1 {
					return nil, errors.New("not yet")
				}
				return memory.New(), nil
			}
		})
		require.Zero(t, opened)
		assert.Equal(t, "store_unavailable", p.call(t, false))
		require.NoError(t, p.Ready(t.Context()))
		assert.Equal(t, "charged", p.call(t, false))
		assert.Equal(t, 2, opened)
	})
}

func TestAnswerThatCannotBeSavedIsKeptUntilItCan(t *testing.T) {
	at(t, func(t *testing.T) {
		s := &brokenStore{Store: memory.New(), broken: map[string]bool{"Save": true, "Newest": true}}
		s.set("Newest", false)
		p := start(newVendor(), s)
		assert.Equal(t, "charged", p.call(t, false))
		s.set("Newest", true)
		assert.Equal(t, "shared", p.call(t, false), "while the store is away")
		time.Sleep(time.Hour)
		assert.Equal(t, "shared", p.call(t, false))
		s.set("Save", false)
		s.set("Newest", false)
		time.Sleep(time.Minute)
		assert.Equal(t, "stored", p.call(t, false))
		assert.Equal(t, 1, p.vendor.requests())
		require.NoError(t, p.Close(t.Context()))
	})
}

func TestAnswerThatCannotBeSavedIsNotPaidForByAnotherProcess(t *testing.T) {
	at(t, func(t *testing.T) {
		full := &brokenStore{Store: memory.New(), broken: map[string]bool{"Save": true}} // room for a lease, but not for a portrait
		p := start(newVendor(), full)
		another := start(p.vendor, full.Store)
		assert.Equal(t, "charged", p.call(t, false))
		time.Sleep(time.Hour)
		assert.Equal(t, "still_collecting", another.call(t, false))
		full.set("Save", false)
		time.Sleep(5 * time.Second)
		assert.Equal(t, "stored", another.call(t, false))
		assert.Equal(t, 1, p.vendor.requests())
	})
}

func TestStoreThatHangsHoldsNobody(t *testing.T) {
	for _, method := range []string{"Newest", "Acquire", "Turn", "Charge"} {
		at(t, func(t *testing.T) {
			p := start(newVendor(), &brokenStore{Store: memory.New(), broken: map[string]bool{method: true}, hangs: true}, withRate(5))
			begin := time.Now()
			p.call(t, false)
			assert.Equal(t, 50*time.Second, time.Since(begin))
			require.NoError(t, p.Close(t.Context()))
			assert.Zero(t, p.vendor.requests())
		})
	}
}

func TestCloseTellsWhatIsLost(t *testing.T) {
	for _, hangs := range []bool{false, true} {
		at(t, func(t *testing.T) {
			p := start(newVendor(), &brokenStore{Store: memory.New(), broken: map[string]bool{"Save": true}, hangs: hangs})
			go p.call(t, false)
			time.Sleep(2 * time.Second) // the store is asked, and may be asked still
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorContains(t, p.Close(ctx), "could not be stored: 1")
		})
	}
}

func TestEndWaitsForWhatIsPaidFor(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		p.vendor.takes = 30 * time.Second
		_, err := p.store.Acquire(t.Context(), "leased", "another", time.Hour)
		require.NoError(t, err)
		var all sync.WaitGroup
		all.Go(func() { assert.Equal(t, "charged", p.call(t, false)) })
		all.Go(func() { // waits for another process, and has nothing at stake
			_, err := p.Portrait(t.Context(), "leased", false)
			assert.ErrorContains(t, err, "shutting down")
		})
		time.Sleep(time.Second)
		assert.Equal(t, 1, p.Shut())
		_, err = p.Portrait(t.Context(), "a new one", false)
		require.ErrorContains(t, err, "shutting down")
		require.NoError(t, p.Close(t.Context()))
		all.Wait()
		assert.Equal(t, "stored", start(p.vendor, p.store).call(t, false))
		assert.Equal(t, 1, p.vendor.requests())
	})
}

func TestEndGivesUpWhatOutlastsIt(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		p.vendor.takes = time.Hour
		go func() { assert.Equal(t, "timeout!", p.call(t, false)) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, p.Close(ctx))
		assert.Equal(t, "timeout", start(p.vendor, p.store).call(t, false), "the next process does not pay again at once")
	})
}

func TestPanicIsAnErrorOfOneCall(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		p.vendor.before = func(context.Context) { panic("a fault of ours") }
		assert.Equal(t, "internal!", p.call(t, false))
		p.vendor.before = nil
		assert.Equal(t, "charged", p.callFor(t.Context(), t, "another", false))
	})
}

func TestOlderIsTheLatestDayBefore(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		for i, stored := range []struct{ asOf, data string }{
			{"2026-01-01", portal}, {"2026-02-01", portal}, {"2026-02-15", `{"ages":7}`}, {"2026-03-08", portal},
		} {
			require.NoError(t, p.store.Save(t.Context(), &schema.Portrait{ID: fmt.Sprint(i), KOLID: kol, AsOf: stored.asOf, Data: json.RawMessage(stored.data)}, 0))
		}
		for asOf, want := range map[string]string{"2026-02-10": "2026-02-01", "2026-02-01": "2026-01-01", "2026-01-01": "", "2026-02-20": "", "": ""} {
			older, err := p.Older(t.Context(), &schema.Collected{Portrait: schema.Portrait{ID: "newest of " + asOf, KOLID: kol, AsOf: asOf}})
			require.NoError(t, err)
			if want == "" {
				assert.Nil(t, older, asOf)
				continue
			}
			assert.Equal(t, want, older.AsOf)
			assert.True(t, older.FromStore)
		}
		ids, err := p.KOLs(t.Context(), kol[:3], 10)
		require.NoError(t, err)
		assert.Equal(t, []string{kol}, ids)
		none, err := p.Stored(t.Context(), "another")
		require.NoError(t, err)
		assert.Nil(t, none)
	})
}

func TestPortraitOfAMemoryStoreIsKeptOnlyHere(t *testing.T) {
	at(t, func(t *testing.T) {
		for range 2 {
			collected, err := start(newVendor(), memory.New()).Portrait(t.Context(), kol, false)
			require.NoError(t, err)
			assert.True(t, collected.OnlyHere)
		}
		collected, err := start(newVendor(), namedStore{memory.New()}).Portrait(t.Context(), kol, false)
		require.NoError(t, err)
		assert.False(t, collected.OnlyHere)
	})
}

type namedStore struct{ store.Store }

func (namedStore) Kind() string { return "sqlite" }

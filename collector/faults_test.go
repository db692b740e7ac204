package collector

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/memory"
	"kol-portrait-mcp/upstream"
)

// faulty is a store that can be reached or not.
type faulty struct {
	store.Store
	down atomic.Bool
}

var errDown = errors.New("dial tcp 10.1.2.3:6379: connection refused")

func (f *faulty) Newest(ctx context.Context, kolID string) (*store.Portrait, error) {
	if f.down.Load() {
		return nil, errDown
	}
	return f.Store.Newest(ctx, kolID)
}

func (f *faulty) Save(ctx context.Context, p store.Portrait) error {
	if f.down.Load() {
		return errDown
	}
	return f.Store.Save(ctx, p)
}

func (f *faulty) Ping(ctx context.Context) error {
	if f.down.Load() {
		return errDown
	}
	return f.Store.Ping(ctx)
}

func (f *faulty) Charge(ctx context.Context, c store.Charge, limit int) (bool, error) {
	if f.down.Load() {
		return false, errDown
	}
	return f.Store.Charge(ctx, c, limit)
}

func TestNothingIsAskedWithoutAStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		v, shelf := &vendor{}, &faulty{Store: memory.New()}
		shelf.down.Store(true)
		c := setup{vendor: v, store: shelf, log: slog.New(slog.NewTextHandler(&log, nil))}.collector()

		got := failure(t, c, kol, false)
		assert.Equal(t, schema.StoreUnavailable, got.Kind)
		assert.True(t, got.Retryable)
		assert.Equal(t, 10, got.RetryAfterSeconds)
		assert.False(t, got.Charged)
		assert.NotContains(t, got.Message, "10.1.2.3", "where the store is, is for the log")
		assert.Contains(t, log.String(), "10.1.2.3")
		assert.Equal(t, schema.StoreUnavailable, failure(t, c, kol, true).Kind)
		assert.Empty(t, v.asked())
		require.Error(t, func() error { _, err := c.Stored(t.Context(), kol); return err }())

		require.EqualError(t, c.Ready(t.Context()), "the portrait store does not answer")

		shelf.down.Store(false)
		require.NoError(t, c.Ready(t.Context()))
		portrait(t, c, kol, false)
	})
}

// Those who come while a store is being opened wait for the same attempt, and
// no longer than a caller would.
func TestStoreThatIsSlowToOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := setup{vendor: &vendor{}, change: func(o *Options) {
			o.AnswerWithin = 5 * time.Second
			o.Store = func(context.Context) (store.Store, error) {
				time.Sleep(10 * time.Second)
				return memory.New(), nil
			}
		}}.collector()
		start := time.Now()
		var calls sync.WaitGroup
		for range 12 {
			calls.Go(func() { assert.Equal(t, schema.StoreUnavailable, failure(t, c, kol, false).Kind) })
		}
		calls.Wait()
		assert.Equal(t, 5*time.Second, time.Since(start))
		time.Sleep(time.Second)
		portrait(t, c, kol, false)
		assert.Equal(t, 10*time.Second, time.Since(start))
	})
}

// A lease that is let go late must not answer those who come after it.
func TestAFailureIsNotToldToWhoComesLater(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			v := &vendor{fails: func(n int) *schema.Error {
				if n == 1 {
					return &schema.Error{Kind: schema.BadResponse, Message: "Nonsense.", Charged: true}
				}
				return nil
			}}
			c := setup{vendor: v, store: &slow{faulty{Store: memory.New()}}}.collector()
			assert.Equal(t, schema.BadResponse, failure(t, c, kol, fresh).Kind)
			assert.True(t, portrait(t, c, kol, fresh).Source.Charged)
			assert.Len(t, v.asked(), 2)
			require.NoError(t, c.Close(t.Context()))
		})
	}
}

// heldUp is the context of a caller that is held up just as it is about to have
// the store opened.
type heldUp struct {
	context.Context
	meanwhile func()
}

func (s heldUp) Deadline() (time.Time, bool) {
	s.meanwhile()
	return s.Context.Deadline()
}

// A store that is opened a second time would be another one, with leases and
// charges of its own where it is in memory, and nobody would close the first.
func TestStoreIsOpenedOnce(t *testing.T) {
	opened := 0
	c := setup{vendor: &vendor{}, change: func(o *Options) {
		o.Store = func(context.Context) (store.Store, error) {
			opened++
			return memory.New(), nil
		}
	}}.collector()
	require.NoError(t, c.Ready(heldUp{t.Context(), func() { portrait(t, c, kol, false) }}))
	assert.Equal(t, 1, opened)
	assert.True(t, portrait(t, c, kol, false).Source.FromStore)
}

func TestStoreThatCannotBeOpenedIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := 0
		own := &schema.Error{Kind: schema.StoreUnavailable, Message: "In its own words."}
		c := setup{vendor: &vendor{}, change: func(o *Options) {
			o.Store = func(context.Context) (store.Store, error) {
				if opened++; opened == 1 {
					return nil, own
				}
				return memory.New(), nil
			}
		}}.collector()
		assert.Zero(t, opened, "nothing is opened before it is needed")
		assert.Equal(t, own, failure(t, c, kol, false))
		portrait(t, c, kol, false)
		require.NoError(t, c.Ready(t.Context()))
		assert.Equal(t, 2, opened)
	})
}

// The store goes away while a request is under way, and comes back.
func TestAnswerOutlivesTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, shelf := &vendor{takes: 2 * time.Second}, &faulty{Store: memory.New()}
		c := setup{vendor: v, store: shelf}.collector()
		time.AfterFunc(time.Second, func() { shelf.down.Store(true) })

		assert.True(t, portrait(t, c, kol, false).Source.Charged, "who waited has the answer")
		time.Sleep(time.Minute)
		require.Equal(t, schema.StoreUnavailable, failure(t, c, "another", true).Kind)
		require.Equal(t, schema.StoreUnavailable, failure(t, c, kol, true).Kind, "the store cannot count another")
		again := portrait(t, c, kol, false)
		assert.True(t, again.Source.FromStore)
		assert.False(t, again.Source.Charged)

		shelf.down.Store(false)
		time.Sleep(lastResave * 2)
		kept, err := shelf.Newest(t.Context(), kol)
		require.NoError(t, err)
		require.NotNil(t, kept)
		assert.Equal(t, string(data(1)), string(kept.Data))
		assert.Len(t, v.asked(), 1)
		require.NoError(t, c.Close(t.Context()))
	})
}

func TestCloseStoresWhatIsPaidFor(t *testing.T) {
	tests := map[string]struct {
		storeDown time.Duration // from the answer on
		closing   time.Duration // what Close may take
		took      time.Duration
		stored    bool
		lost      bool // known to be
	}{
		"an answer that comes in time":    {closing: time.Minute, took: 2 * time.Second, stored: true},
		"an answer that comes too late":   {closing: time.Second, took: time.Second},
		"a store that comes back in time": {storeDown: 5 * time.Second, closing: time.Minute, took: 2*time.Second + 7*time.Second, stored: true},
		"a store that does not":           {storeDown: time.Hour, closing: time.Minute, took: time.Minute, lost: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, kept := &vendor{takes: 3 * time.Second}, memory.New()
				shelf := &faulty{Store: kept}
				c := setup{vendor: v, store: shelf}.collector()
				ctx, leave := context.WithCancel(t.Context())
				var calls sync.WaitGroup
				calls.Go(func() { _, _ = c.Portrait(ctx, kol, false) })
				time.Sleep(time.Second)
				leave()
				calls.Wait()
				if test.storeDown > 0 {
					shelf.down.Store(true)
					time.AfterFunc(2*time.Second+test.storeDown, func() { shelf.down.Store(false) })
				}

				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), test.closing)
				defer cancel()
				err := c.Close(ctx)

				if test.lost {
					require.EqualError(t, err, "answers that were paid for could not be stored: 1")
				} else {
					require.NoError(t, err)
				}
				assert.InDelta(t, test.took, time.Since(start), float64(2*time.Second))
				p, err := kept.Newest(t.Context(), kol)
				require.NoError(t, err)
				assert.Equal(t, test.stored, p != nil)
			})
		})
	}
}

// At the end, what nobody has paid for yet is dropped, and another process
// that waits for it takes over at once.
func TestCloseDropsWhatIsNotPaidFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, shelf := &vendor{}, memory.New()
		queued := &queue{}
		ending := setup{store: shelf, change: func(o *Options) { o.Upstream = queued }}.collector()
		other := setup{vendor: v, store: shelf}.collector()
		var calls sync.WaitGroup
		calls.Go(func() {
			got := failure(t, ending, kol, false)
			assert.Equal(t, schema.Internal, got.Kind)
			assert.True(t, got.Retryable)
			assert.False(t, got.Charged)
		})
		time.Sleep(time.Second)
		calls.Go(func() { assert.True(t, portrait(t, other, kol, false).Source.Charged) })
		time.Sleep(time.Second)

		start := time.Now()
		assert.Zero(t, ending.Shut())
		require.NoError(t, ending.Close(t.Context()))
		assert.Zero(t, time.Since(start))
		calls.Wait()
		assert.Less(t, time.Since(start), time.Second)
		assert.Len(t, v.asked(), 1)
		assert.Equal(t, schema.Internal, failure(t, ending, "another", true).Kind, "nothing begins after the end")
	})
}

// queue is an upstream whose rate limit lets nobody through.
type queue struct{}

func (*queue) Portrait(ctx context.Context, _ string, _ bool, _ upstream.Admit) (*schema.Collected, error) {
	<-ctx.Done()
	return nil, &schema.Error{Kind: schema.Network, Message: "The call was cancelled."}
}

func TestDeadHolderBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, shelf := &vendor{}, memory.New()
		_, err := shelf.Acquire(t.Context(), store.Claim{KOLID: kol, Holder: "killed"}, leaseLasts)
		require.NoError(t, err)
		start := time.Now()
		portrait(t, setup{vendor: v, store: shelf}.collector(), kol, false)
		assert.InDelta(t, leaseLasts+leaseRenew+time.Second, time.Since(start), float64(time.Second))
		assert.Len(t, v.asked(), 1)
	})
}

// A lease may expire because the machine slept, or the store was locked: its
// holder is given the time to prolong it.
func TestHolderThatWakesUpKeepsItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, shelf := &vendor{}, memory.New()
		holder := store.Claim{KOLID: kol, Holder: "slept"}
		_, err := shelf.Acquire(t.Context(), holder, leaseLasts)
		require.NoError(t, err)
		c := setup{vendor: v, store: shelf}.collector()
		var calls sync.WaitGroup
		calls.Go(func() { assert.True(t, portrait(t, c, kol, false).Source.FromStore) })
		time.Sleep(leaseLasts + 3*time.Second)
		_, err = shelf.Acquire(t.Context(), holder, leaseLasts)
		require.NoError(t, err)
		time.Sleep(leaseRenew)
		require.NoError(t, shelf.Save(t.Context(), stored("slept", "1999-12-31", 0)))
		require.NoError(t, shelf.Release(t.Context(), holder, nil))
		calls.Wait()
		assert.Empty(t, v.asked())
	})
}

// A slow holder that lives keeps its lease.
func TestLiveHolderKeepsItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, shelf := &vendor{takes: 10 * leaseLasts}, memory.New()
		patient := func(o *Options) { o.AnswerWithin = time.Hour }
		one, other := setup{vendor: v, store: shelf, change: patient}.collector(), setup{vendor: v, store: shelf, change: patient}.collector()
		var calls sync.WaitGroup
		for _, c := range []*Collector{one, other} {
			calls.Go(func() { portrait(t, c, kol, false) })
		}
		calls.Wait()
		assert.Len(t, v.asked(), 1)
	})
}

// The log is where to look what was paid for, also where nobody waits any more.
func TestOutcomeIsLogged(t *testing.T) {
	tests := map[string]struct {
		fails *schema.Error
		want  string
	}{
		"collected":           {want: `level=INFO msg="collected a portrait" kolId=` + kol + ` took=3s asOf=2026-01-01 endpoint=portrait charged=true requestId=r-1`},
		"failed, and charged": {&schema.Error{Kind: schema.Timeout, Charged: true}, `level=WARN msg="a collection failed" kolId=` + kol + ` took=3s kind=timeout code=0 charged=true requestId=""`},
		"refused": {&schema.Error{Kind: schema.CollectionFailed, UpstreamCode: 301, RequestID: "r-2"},
			`level=INFO msg="a collection failed" kolId=` + kol + ` took=3s kind=collection_failed code=301 charged=false requestId=r-2`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				v := &vendor{takes: 3 * time.Second, fails: func(int) *schema.Error { return test.fails }}
				c := setup{vendor: v, log: slog.New(slog.NewTextHandler(&log, nil)), change: func(o *Options) { o.AnswerWithin = time.Second }}.collector()
				require.Equal(t, schema.StillCollecting, failure(t, c, kol, false).Kind)
				time.Sleep(time.Minute)
				require.NoError(t, c.Close(t.Context()))
				assert.Contains(t, log.String(), test.want)
			})
		})
	}
}

// A request that may have been charged is not repeated by the process that
// waited for it.
func TestFailureIsSharedBetweenProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, shelf := &vendor{takes: time.Second, fails: func(int) *schema.Error {
			return &schema.Error{Kind: schema.Timeout, Message: "Too slow.", Retryable: true, Charged: true, RequestID: "r-9"}
		}}, memory.New()
		var calls sync.WaitGroup
		for range 3 {
			c := setup{vendor: v, store: shelf}.collector()
			calls.Go(func() { assert.Equal(t, "r-9", failure(t, c, kol, false).RequestID) })
		}
		calls.Wait()
		assert.Len(t, v.asked(), 1)
	})
}

func TestPanicIsNotRepeatedByAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := memory.New()
		v := &vendor{takes: time.Second, fails: func(int) *schema.Error { panic("no matter") }}
		var calls sync.WaitGroup
		for range 3 {
			c := setup{vendor: v, store: shelf}.collector()
			calls.Go(func() { assert.Equal(t, schema.Internal, failure(t, c, kol, false).Kind) })
		}
		calls.Wait()
		assert.Len(t, v.asked(), 1, "it may have been charged")
	})
}

// One that cost nothing may be due to the other process's token or budget.
func TestFreeFailureIsNotSharedBetweenProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := memory.New()
		without := setup{store: shelf, vendor: &vendor{takes: time.Second, fails: func(int) *schema.Error {
			return &schema.Error{Kind: schema.MissingToken, Message: "No token."}
		}}}.collector()
		with := setup{store: shelf, vendor: &vendor{}}.collector()
		var calls sync.WaitGroup
		calls.Go(func() { assert.Equal(t, schema.MissingToken, failure(t, without, kol, false).Kind) })
		synctest.Wait()
		calls.Go(func() { portrait(t, with, kol, false) })
		calls.Wait()
	})
}

func TestFailureNamesTheOlderPortrait(t *testing.T) {
	tests := map[string]struct {
		age   time.Duration
		asOf  string
		fresh bool
		kind  schema.Kind
		want  string
	}{
		"too old": {age: 48 * time.Hour, asOf: "1999-12-01", kind: schema.CollectionFailed,
			want: "Failed. The store has an older portrait as of 1999-12-01, collected 1999-12-30: the resource kol-portrait://portraits/" + kol + " holds it, " +
				"and acceptCache true gets it at no charge where the server's PORTRAIT_CACHE_TTL (now 24h0m0s) is longer than its age."},
		"its day is not known": {age: 48 * time.Hour, kind: schema.InsufficientBalance,
			want: "Failed. The store has an older portrait as of an unknown day, collected 1999-12-30: the resource kol-portrait://portraits/" + kol + " holds it, " +
				"and acceptCache true gets it at no charge where the server's PORTRAIT_CACHE_TTL (now 24h0m0s) is longer than its age."},
		"young enough": {age: time.Hour, asOf: "1999-12-31", fresh: true, kind: schema.Timeout,
			want: "Failed. The store has a portrait as of 1999-12-31: call with acceptCache true to get it at no charge."},
		"a fault of ours": {age: 48 * time.Hour, asOf: "1999-12-01", kind: schema.Internal, want: "Failed."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shelf := memory.New()
				require.NoError(t, shelf.Save(t.Context(), stored("older", test.asOf, test.age)))
				v := &vendor{fails: func(int) *schema.Error { return &schema.Error{Kind: test.kind, Message: "Failed."} }}
				assert.Equal(t, test.want, failure(t, setup{vendor: v, store: shelf}.collector(), kol, test.fresh).Message)
			})
		})
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		v := &vendor{fails: func(n int) *schema.Error {
			if n == 1 {
				panic("secret")
			}
			return nil
		}}
		c := setup{vendor: v, log: slog.New(slog.NewTextHandler(&log, nil))}.collector()
		got := failure(t, c, kol, false)
		assert.Equal(t, schema.Internal, got.Kind)
		assert.True(t, got.Charged, "nobody knows")
		assert.Contains(t, log.String(), "collecting panicked")
		assert.NotContains(t, log.String(), "secret")
		portrait(t, c, kol, false)
		require.NoError(t, c.Close(t.Context()))
	})
}

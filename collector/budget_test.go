package collector

import (
	"context"
	"errors"
	"fmt"
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
)

func budgetOf(n int) func(*Options) { return func(o *Options) { o.DailyBudget = n } }

func TestBudgetIsNeverPassed(t *testing.T) {
	const budget, kols = 10, 100
	tests := map[string]struct {
		fails   func(request int) *schema.Error
		charged int // requests that are or may have been charged
	}{
		"all are charged": {charged: budget},
		"those that timed out may have been charged": {charged: budget, fails: func(n int) *schema.Error {
			if n%2 == 0 {
				return &schema.Error{Kind: schema.Timeout, Charged: true}
			}
			return nil
		}},
		"those that were refused were not": {charged: budget, fails: func(n int) *schema.Error {
			if n <= 50 {
				return &schema.Error{Kind: schema.CollectionFailed}
			}
			return nil
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var paid atomic.Int64
				v, shelf := &vendor{}, memory.New()
				v.fails = func(n int) *schema.Error {
					failure := (*schema.Error)(nil)
					if test.fails != nil {
						failure = test.fails(n)
					}
					if failure == nil || failure.Charged {
						paid.Add(1)
					}
					return failure
				}
				processes := []*Collector{
					setup{vendor: v, store: shelf, change: budgetOf(budget)}.collector(),
					setup{vendor: v, store: shelf, change: budgetOf(budget)}.collector(),
					setup{vendor: v, store: shelf, change: budgetOf(budget)}.collector(),
				}
				var calls sync.WaitGroup
				for i := range kols {
					calls.Go(func() { _, _ = processes[i%3].Portrait(t.Context(), fmt.Sprint("kol-", i), false) })
				}
				calls.Wait()
				assert.EqualValues(t, test.charged, paid.Load())
				usage, err := processes[0].Usage(t.Context())
				require.NoError(t, err)
				assert.Equal(t, test.charged, usage.Charged)
				assert.Zero(t, *usage.Remaining)
			})
		})
	}
}

func TestExhaustedBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // 2000-01-01 08:00 in Shanghai
		v := &vendor{}
		c := setup{vendor: v, change: budgetOf(1)}.collector()
		portrait(t, c, kol, false)

		got := failure(t, c, "another", false)
		assert.Equal(t, &schema.Error{
			Kind: schema.BudgetExhausted,
			Message: "Today's budget of charged vendor calls is used up (PORTRAIT_DAILY_BUDGET is 1, calls under way included). The vendor was not asked. " +
				"The next day starts at 2000-01-01 16:00 UTC (00:00 in Shanghai). Portraits in the store are still served.",
			Retryable:         true,
			RetryAfterSeconds: 16 * 3600,
		}, got)
		assert.Len(t, v.asked(), 1)
		assert.True(t, portrait(t, c, kol, false).Source.FromStore, "what is stored is served")

		time.Sleep(16*time.Hour - time.Second)
		assert.Equal(t, schema.BudgetExhausted, failure(t, c, "another", false).Kind)
		time.Sleep(time.Second)
		portrait(t, c, "another", false)
	})
}

// A call that waits for what others may free is counted on the day on which it
// is sent.
func TestBudgetOverMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := setup{vendor: &vendor{takes: 20 * time.Second}, change: budgetOf(1)}.collector()
		time.Sleep(16*time.Hour - 10*time.Second) // 23:59:50 in Shanghai
		var calls sync.WaitGroup
		calls.Go(func() { portrait(t, c, kol, false) })
		time.Sleep(time.Second)
		calls.Go(func() { portrait(t, c, "another", false) })
		calls.Wait()
	})
}

// A call that the budget will not allow does not queue for the vendor.
func TestSpentBudgetIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := memory.New()
		portrait(t, setup{vendor: &vendor{}, store: shelf, change: budgetOf(1)}.collector(), kol, false)
		busy := setup{store: shelf, change: func(o *Options) { o.Upstream, o.DailyBudget = &queue{}, 1 }}.collector()
		start := time.Now()
		assert.Equal(t, schema.BudgetExhausted, failure(t, busy, "another", false).Kind)
		assert.Zero(t, time.Since(start))
	})
}

// forgetful is a store that has lost what the day has cost.
type forgetful struct{ store.Store }

func (f forgetful) Charge(ctx context.Context, c store.Charge, limit int) (bool, error) {
	if limit > 0 {
		return false, fmt.Errorf("count a call: %w", store.ErrUncounted)
	}
	return f.Store.Charge(ctx, c, limit)
}

func TestBudgetThatCannotBeCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, shelf := &vendor{}, forgetful{memory.New()}
		got := failure(t, setup{vendor: v, store: shelf, change: budgetOf(5)}.collector(), kol, false)
		assert.Equal(t, schema.StoreUnavailable, got.Kind)
		assert.Contains(t, got.Message, "PORTRAIT_DAILY_BUDGET is 5")
		assert.Equal(t, 16*3600, got.RetryAfterSeconds)
		assert.Empty(t, v.asked())

		portrait(t, setup{vendor: v, store: shelf}.collector(), kol, false)
	})
}

// emptied is a store that forgets at once what it counts.
type emptied struct{ store.Store }

func (e emptied) Charge(ctx context.Context, c store.Charge, limit int) (bool, error) {
	counted, err := e.Store.Charge(ctx, c, limit)
	return counted, errors.Join(err, e.Refund(ctx, c))
}

// What a process has spent itself it knows, whatever becomes of the store.
func TestBudgetOutlivesTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{fails: func(n int) *schema.Error {
			if n == 1 {
				return &schema.Error{Kind: schema.CollectionFailed} // which costs nothing
			}
			return nil
		}}
		c := setup{vendor: v, store: emptied{memory.New()}, change: budgetOf(2)}.collector()
		assert.Equal(t, schema.CollectionFailed, failure(t, c, "one", false).Kind)
		portrait(t, c, "one", false)
		portrait(t, c, "two", false)
		assert.Equal(t, schema.BudgetExhausted, failure(t, c, "three", false).Kind)
		assert.Len(t, v.asked(), 3)
		time.Sleep(16 * time.Hour)
		portrait(t, c, "three", false)
	})
}

// A process that dies between the request and its outcome leaves the request
// counted: it may have been charged.
func TestRequestWithoutOutcomeStaysCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := memory.New()
		dying := setup{vendor: &vendor{takes: time.Hour}, store: shelf, change: budgetOf(1)}.collector()
		go func() { _, _ = dying.Portrait(t.Context(), kol, false) }()
		synctest.Wait()

		c := setup{vendor: &vendor{}, store: shelf, change: budgetOf(1)}.collector()
		assert.Equal(t, schema.BudgetExhausted, failure(t, c, "another", false).Kind)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, dying.Close(ctx))
	})
}

func TestUsage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, shelf := &vendor{}, memory.New()
		one := setup{vendor: v, store: shelf, change: budgetOf(5)}.collector()
		other := setup{vendor: v, store: shelf, change: func(o *Options) { o.Environment = schema.EnvironmentSample }}.collector()
		portrait(t, one, kol, false)
		for range 3 {
			portrait(t, one, kol, false)
			portrait(t, other, kol, false)
		}

		got, err := one.Usage(t.Context())
		require.NoError(t, err)
		remaining := 4
		assert.Equal(t, schema.Usage{Day: "2000-01-01", Charged: 1, Budget: 5, Remaining: &remaining, Hits: 3,
			ResetsAt: schema.NextDay(time.Now()), Store: "memory"}, got, "the other's hits are not in the store yet")

		time.Sleep(hitsEvery)
		portrait(t, other, kol, false)
		synctest.Wait()
		got, err = one.Usage(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 7, got.Hits)

		got, err = other.Usage(t.Context())
		require.NoError(t, err)
		assert.True(t, got.Sample)
		assert.Zero(t, got.Budget)
		assert.Nil(t, got.Remaining)
	})
}

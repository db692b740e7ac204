package collector_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
)

func TestBudgetIsNeverPassed(t *testing.T) {
	kolOf := func(i int) string { return fmt.Sprintf("kol-%d", i) }
	at(t, func(t *testing.T) {
		s, v := memory.New(), newVendor()
		p := start(v, s, withBudget(10))
		assert.Equal(t, map[string]int{"charged": 10, "budget_exhausted": 90}, p.many(t, 100, kolOf))
		assert.Equal(t, 10, v.requests())
		assert.Equal(t, "budget_exhausted", start(v, s, withBudget(10)).call(t, false), "in another process")
		assert.Equal(t, "budget_exhausted", start(v, memory.New(), withBudget(10)).afterForgetting(t, p), "the store has forgotten")
		usage, err := p.Usage(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 10, usage.Charged)
		assert.Equal(t, 0, *usage.Remaining)

		time.Sleep(time.Until(usage.ResetsAt))
		assert.Equal(t, "charged", p.call(t, false), "on the next day")
	})
}

// afterForgetting calls p on a store that knows nothing of what p has spent.
func (p process) afterForgetting(t *testing.T, spent process) string {
	t.Helper()
	forgetful := forgetfulStore{spent.store}
	v := newVendor()
	q := start(v, forgetful, withBudget(3))
	assert.Equal(t, map[string]int{"charged": 3, "budget_exhausted": 4}, q.many(t, 7, func(i int) string { return fmt.Sprintf("more-%d", i) }))
	return q.call(t, false)
}

// forgetfulStore counts no call: its file was deleted under the processes.
type forgetfulStore struct{ store.Store }

func (forgetfulStore) Charge(context.Context, store.Charge, store.Limits) (store.Refusal, error) {
	return store.NotRefused, nil
}

func (forgetfulStore) Charged(context.Context, schema.Day) (store.Charges, error) {
	return store.Charges{}, nil
}

func TestCallerBudget(t *testing.T) {
	at(t, func(t *testing.T) {
		s, v := memory.New(), newVendor()
		p, another := start(v, s, withCallerBudget(2), withBudget(10)), start(v, s, withCallerBudget(2))
		assert.Equal(t, "charged", p.callBy(t, "red", "kol-1"))
		assert.Equal(t, "charged", another.callBy(t, "red", "kol-2"))
		for _, process := range []process{p, another} {
			_, err := process.Portrait(schema.WithCaller(t.Context(), "red"), "kol-3", false)
			failure, ok := errors.AsType[*schema.Error](err)
			require.True(t, ok)
			assert.Equal(t, schema.BudgetExhausted, failure.Kind)
			assert.Contains(t, failure.Message, "MCP_CALLER_DAILY_BUDGET is 2,")
			assert.InDelta(t, time.Until(schema.NextDay(time.Now())).Seconds(), failure.RetryAfterSeconds, 1)
			assert.True(t, failure.Retryable)
		}
		assert.Equal(t, "stored", p.callBy(t, "red", "kol-1"))
		assert.Equal(t, "charged", p.callBy(t, "blue", "kol-3"))
		assert.Equal(t, "charged", p.callFor(t.Context(), t, "kol-4", false), "a caller without a name has no budget of its own")
		assert.Equal(t, 4, v.requests())

		usage, err := p.Usage(t.Context())
		require.NoError(t, err)
		red := schema.CallerUsage{Name: "red", Charged: 2, Budget: 2, Remaining: new(0)}
		assert.Equal(t, []schema.CallerUsage{{Name: "blue", Charged: 1, Budget: 2, Remaining: new(1)}, red}, usage.Callers)
		assert.Equal(t, []int{4, 10, 6}, []int{usage.Charged, usage.Budget, *usage.Remaining})
		for caller, want := range map[string]schema.CallerUsage{"red": red, "green": {Name: "green", Budget: 2, Remaining: new(2)}} {
			usage, err := p.Usage(schema.WithCaller(t.Context(), caller))
			require.NoError(t, err)
			assert.Equal(t, []schema.CallerUsage{want}, usage.Callers, "a caller sees itself alone")
			assert.Equal(t, 4, usage.Charged)
		}
		time.Sleep(time.Until(usage.ResetsAt))
		assert.Equal(t, "charged", p.callBy(t, "red", "kol-5"), "on the next day")
	})
}

func TestCallerBudgetIsNeverPassed(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New(), withCallerBudget(3))
		outcomes := make([]string, 20)
		var all sync.WaitGroup
		for i := range outcomes {
			all.Go(func() { outcomes[i] = p.callBy(t, []string{"red", "blue"}[i%2], fmt.Sprint("kol-", i)) })
		}
		all.Wait()
		counts := map[string]int{}
		for _, outcome := range outcomes {
			counts[outcome]++
		}
		assert.Equal(t, map[string]int{"charged": 6, "budget_exhausted": 14}, counts)
	})
}

// A caller with a name cannot make all others wait behind its collections.
func TestCallerHasSoManyCollectionsUnderWay(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New())
		outcomes := make([]string, 80)
		var all sync.WaitGroup
		for i := range outcomes {
			all.Go(func() { outcomes[i] = p.callBy(t, "red", fmt.Sprint("kol-", i)) })
		}
		synctest.Wait()
		assert.Equal(t, 60, p.Flights())
		assert.Equal(t, "charged", p.callBy(t, "blue", "another"))
		all.Wait()
		counts := map[string]int{}
		for _, outcome := range outcomes {
			counts[outcome]++
		}
		assert.Equal(t, map[string]int{"charged": 60, "rate_limited": 20}, counts)
	})
}

// The three share a collection that waits for another process, until it finds
// that the budget of the caller that started it is used up.
func TestCallerBudgetRefusesNobodyElse(t *testing.T) {
	at(t, func(t *testing.T) {
		s, v := memory.New(), newVendor()
		p := start(v, s, withCallerBudget(1))
		assert.Equal(t, "charged", p.callBy(t, "red", "another"))
		_, err := s.Acquire(t.Context(), kol, "another process", 10*time.Second)
		require.NoError(t, err)
		outcomes := map[string]string{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for _, caller := range []string{"red", "red again", "blue", ""} {
			all.Go(func() {
				name, _, _ := strings.Cut(caller, " ")
				outcome := p.callBy(t, name, kol)
				mu.Lock()
				defer mu.Unlock()
				outcomes[caller] = outcome
			})
			synctest.Wait()
		}
		assert.Equal(t, 1, p.Flights())
		all.Wait()
		assert.Equal(t, 0, p.Flights())
		assert.Equal(t, "budget_exhausted", outcomes["red"])
		assert.Equal(t, "budget_exhausted", outcomes["red again"])
		assert.ElementsMatch(t, []string{"charged", "shared"}, []string{outcomes["blue"], outcomes[""]})
		assert.Equal(t, 2, v.requests())
	})
}

// queue is a store whose turns at the vendor are handed out one after another, as
// those of Redis are.
type queue struct {
	store.Store
	mu   sync.Mutex
	next time.Time
}

func (q *queue) Turn(ctx context.Context, every time.Duration) (time.Duration, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	wait := max(time.Until(q.next), 0)
	if ends, ok := ctx.Deadline(); ok && time.Until(ends) < wait {
		return wait, nil
	}
	q.next = time.Now().Add(wait + every)
	return wait, nil
}

func withRate(perSecond float64) func(*collector.Options) {
	return func(o *collector.Options) { o.MaxRPS = perSecond }
}

func TestProcessesTakeTurnsAtTheVendor(t *testing.T) {
	at(t, func(t *testing.T) {
		s, begin := &queue{Store: memory.New()}, time.Now()
		v := newVendor()
		var all sync.WaitGroup
		for i := range 3 {
			p := start(v, s, withRate(2))
			all.Go(func() {
				outcomes := p.many(t, 4, func(kol int) string { return fmt.Sprint("kol-", i, kol) })
				assert.Equal(t, map[string]int{"charged": 4}, outcomes)
			})
		}
		all.Wait()
		assert.Equal(t, 11*550*time.Millisecond+v.takes, time.Since(begin), "the twelve are half a second and a tenth of it apart")
	})
}

func TestTurnThatComesTooLate(t *testing.T) {
	at(t, func(t *testing.T) {
		s := &queue{Store: memory.New(), next: time.Now().Add(time.Hour)}
		p := start(newVendor(), s, withRate(5))
		assert.Equal(t, "rate_limited", p.call(t, false), "at once, since the collection may take ten minutes")
		assert.Zero(t, p.vendor.requests())
		time.Sleep(51 * time.Minute)
		assert.Equal(t, "still_collecting!", p.call(t, false))
		time.Sleep(8 * time.Minute)
		assert.Equal(t, "shared", p.call(t, false))
	})
}

func TestRequestThatWasFreeDoesNotUseUpTheBudget(t *testing.T) {
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New(), withBudget(1))
		p.vendor.fails = func(request int) *schema.Error {
			if request < 5 {
				return &schema.Error{Kind: schema.RateLimited, Retryable: true}
			}
			return nil
		}
		for range 4 {
			assert.Equal(t, "rate_limited", p.call(t, false))
		}
		assert.Equal(t, "charged", p.call(t, false))
		assert.Equal(t, "budget_exhausted", p.callFor(t.Context(), t, "another", false))
	})
}

func TestMostChargedCallsOfAProcess(t *testing.T) {
	for most, want := range map[int]map[string]int{
		0: {"stored": 1, "budget_exhausted": 49}, 7: {"stored": 1, "charged": 7, "budget_exhausted": 42}, 49: {"stored": 1, "charged": 49}, -1: {"stored": 1, "charged": 49},
	} {
		at(t, func(t *testing.T) {
			s := memory.New()
			require.Equal(t, "charged", start(newVendor(), s).callFor(t.Context(), t, "kol-0", false), "another process has a count of its own")
			p := start(newVendor(), s, withMost(most))
			assert.Equal(t, want, p.many(t, 50, func(i int) string { return fmt.Sprintf("kol-%d", i) }))
			assert.Equal(t, want["charged"], p.vendor.requests())
		})
	}
	at(t, func(t *testing.T) {
		p := start(newVendor(), memory.New(), withMost(1))
		p.vendor.fails = func(request int) *schema.Error {
			return map[int]*schema.Error{1: {Kind: schema.RateLimited, Retryable: true}}[request]
		}
		assert.Equal(t, "rate_limited", p.call(t, false))
		assert.Equal(t, "charged", p.call(t, false), "a call that was free is given back")
		time.Sleep(48 * time.Hour)
		_, err := p.Portrait(t.Context(), kol, false)
		failure, ok := errors.AsType[*schema.Error](err)
		require.True(t, ok)
		assert.Equal(t, schema.BudgetExhausted, failure.Kind, "it is no budget of a day")
		assert.Contains(t, failure.Message, "--max-charged 1,")
		assert.Contains(t, failure.Message, "kol-portrait://portraits/"+kol, "the older portrait")
		assert.False(t, failure.Retryable)
	})
}

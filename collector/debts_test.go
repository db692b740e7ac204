package collector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/memory"
)

// lose is an answer that is collected, and does not reach the client.
func lose(t *testing.T, c *Collector, kolID string, fresh bool) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	c.Owe(ctx, portrait(t, c, kolID, fresh), fresh)
	leave()
}

// A client that is told to repeat a call, or that left before it was answered,
// must not pay again for what it was about to get.
func TestAnswerThatDidNotReachTheClientIsOwed(t *testing.T) {
	const wait = 50 * time.Second // for as long as which a call may go on
	tests := map[string]struct {
		fresh     bool // the call whose answer is lost
		ttl       time.Duration
		later     time.Duration
		other     string // the KOL that is called for then, where it is another
		nextFresh bool
		owed      bool
	}{
		"to a fresh call":                              {fresh: true, ttl: time.Hour, nextFresh: true, owed: true},
		"to a fresh call where nothing is cached":      {fresh: true, nextFresh: true, owed: true},
		"to any call where nothing is cached":          {owed: true},
		"also from a fresh call":                       {fresh: true, owed: true},
		"for ten minutes":                              {fresh: true, ttl: time.Hour, later: debt, nextFresh: true, owed: true},
		"not for longer":                               {fresh: true, ttl: time.Hour, later: debt + wait, nextFresh: true},
		"to any call for ten minutes":                  {later: debt, owed: true},
		"not for longer where nothing is cached":       {later: debt + wait},
		"when what was young is so no more":            {ttl: time.Minute, later: 2 * time.Minute, owed: true},
		"not for another KOL":                          {fresh: true, ttl: time.Hour, other: "another", nextFresh: true},
		"no fresh call gets what need not be fresh":    {nextFresh: true},
		"nor where that was young for a little longer": {ttl: time.Minute, later: 2 * time.Minute, nextFresh: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &vendor{}
				c := setup{vendor: v, change: func(o *Options) { o.CacheTTL, o.AnswerWithin = test.ttl, wait }}.collector()
				lose(t, c, kol, test.fresh)
				time.Sleep(test.later)
				next := kol
				if test.other != "" {
					next = test.other
				}

				got := portrait(t, c, next, test.nextFresh)

				assert.Equal(t, test.owed, got.Source.FromStore)
				assert.NotEqual(t, test.owed, got.Source.Charged)
				if !test.owed {
					assert.Len(t, v.asked(), 2)
					return
				}
				assert.Equal(t, "2026-01-01", got.AsOf)
				assert.Len(t, v.asked(), 1)
				assert.True(t, portrait(t, c, kol, true).Source.Charged, "a debt is paid once")
			})
		})
	}
}

// As long as the client is there, or that it is not has not been noticed, its
// answer is shared, like a collection that is under way; then it is the
// client's own.
func TestAnswerIsSharedUntilTheClientHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{}
		c := setup{vendor: v}.collector()
		ctx, leave := context.WithCancel(t.Context())
		paid := c.Owe(ctx, portrait(t, c, kol, true), true)
		for range 2 {
			shared := portrait(t, c, kol, true)
			assert.True(t, shared.Source.FromStore)
			assert.False(t, shared.Source.Charged)
		}
		assert.Len(t, v.asked(), 1)

		paid()
		leave()
		assert.True(t, portrait(t, c, kol, true).Source.Charged, "nobody is owed it")
		paid() // to no effect
		assert.Empty(t, c.debts)
	})
}

// Who comes back is paid, though it could share another's.
func TestDebtsAreMetBeforeAnswersAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := setup{vendor: &vendor{}}.collector()
		answer := portrait(t, c, kol, true)
		ctx, leave := context.WithCancel(t.Context())
		c.Owe(ctx, answer, true)
		paid := c.Owe(t.Context(), answer, true)
		leave()
		portrait(t, c, kol, true)
		assert.Len(t, c.debts[call{kol, true}], 1, "of the call that is still going on")
		paid()
		assert.Empty(t, c.debts)
	})
}

func TestEachOfSeveralIsOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{takes: time.Second}
		c := setup{vendor: v}.collector()
		var calls sync.WaitGroup
		for range 2 {
			calls.Go(func() { lose(t, c, kol, true) })
		}
		calls.Wait()
		for range 2 {
			assert.False(t, portrait(t, c, kol, true).Source.Charged)
		}
		assert.Len(t, v.asked(), 1)
		assert.True(t, portrait(t, c, kol, true).Source.Charged)
	})
}

// However often a client has to come back, it pays once, and does so again for
// what it wants when it has all.
func TestWhatIsLostAgainIsOwedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{}
		c := setup{vendor: v}.collector()
		for range 5 {
			lose(t, c, kol, true)
			time.Sleep(debt - time.Minute)
		}
		assert.False(t, portrait(t, c, kol, true).Source.Charged)
		assert.Len(t, v.asked(), 1)
		assert.True(t, portrait(t, c, kol, true).Source.Charged)
	})
}

// Who keeps losing an answer is not given this morning's as a fresh one.
func TestWhatIsOwedToAFreshCallIsAtMostAnHourOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{}
		c := setup{vendor: v}.collector()
		for range 7 {
			lose(t, c, kol, true)
			time.Sleep(debt - time.Minute)
		}
		assert.Len(t, v.asked(), 1)
		assert.True(t, portrait(t, c, kol, true).Source.Charged, "63 minutes later")
		assert.Len(t, v.asked(), 2)
	})
}

// A comparison that is to be repeated must not pay again for the KOL that
// failed with a charge.
func TestFailureWithAChargeIsOwed(t *testing.T) {
	const again = 2 * time.Minute
	timeout := schema.Error{Kind: schema.Timeout, Message: "Too slow.", Charged: true, Retryable: true, RetryAfterSeconds: int(again.Seconds())}
	change := func(f func(*schema.Error)) schema.Error {
		e := timeout
		f(&e)
		return e
	}
	for name, test := range map[string]struct {
		failure schema.Error
		later   time.Duration
		owed    bool
	}{
		"at once":                    {failure: timeout, owed: true},
		"until it may be retried":    {failure: timeout, later: again - time.Second, owed: true},
		"not for longer":             {failure: timeout, later: again},
		"one that cannot be retried": {failure: change(func(e *schema.Error) { e.Kind, e.Retryable = schema.BadResponse, false }), later: debt - time.Second, owed: true},
		"that one not for longer":    {failure: change(func(e *schema.Error) { e.Kind, e.Retryable = schema.BadResponse, false }), later: debt},
		"none without a charge":      {failure: change(func(e *schema.Error) { e.Charged = false })},
		"none that is yet to land":   {failure: change(func(e *schema.Error) { e.Kind = schema.StillCollecting })},
	} {
		for _, fresh := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, fresh: %v", name, fresh), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					v := &vendor{}
					c := setup{vendor: v}.collector()
					ctx, leave := context.WithCancel(t.Context())
					c.OweFailure(ctx, kol, &test.failure, fresh)
					leave()
					time.Sleep(test.later)
					if !test.owed {
						assert.True(t, portrait(t, c, kol, fresh).Source.Charged)
						return
					}
					told := failure(t, c, kol, fresh)
					assert.Equal(t, test.failure.Kind, told.Kind)
					assert.False(t, told.Charged, "the call before was told so")
					assert.Empty(t, v.asked())
					assert.True(t, portrait(t, c, kol, fresh).Source.Charged, "once")
				})
			})
		}
	}
}

// A comparison of which one is late for long is repeated again and again, and
// must not pay for the one that failed every other time.
func TestFailureIsOwedAgainAndAgain(t *testing.T) {
	const again = 2 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{fails: func(int) *schema.Error {
			return &schema.Error{Kind: schema.Timeout, Message: "Too slow.", Charged: true, Retryable: true, RetryAfterSeconds: int(again.Seconds())}
		}}
		c := setup{vendor: v}.collector()
		for i := range 5 {
			ctx, leave := context.WithCancel(t.Context())
			_, err := c.Portrait(ctx, kol, true)
			told, ok := errors.AsType[*schema.Error](err)
			require.True(t, ok)
			assert.Equal(t, schema.Timeout, told.Kind)
			assert.Equal(t, i == 0, told.Charged)
			c.OweFailure(ctx, kol, err, true)
			leave()
			time.Sleep(again / 5)
			assert.Len(t, v.asked(), 1)
		}
		assert.True(t, failure(t, c, kol, true).Charged, "no longer than the first says")
		assert.Len(t, v.asked(), 2)
	})
}

func TestFailureThatTheClientHasIsNotOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := setup{vendor: &vendor{}}.collector()
		paid := c.OweFailure(t.Context(), kol, &schema.Error{Kind: schema.Timeout, Charged: true}, true)
		paid()
		assert.True(t, portrait(t, c, kol, true).Source.Charged)
	})
}

// Between processes, a fresh call waits for its turn behind one that need not be
// fresh, and is told that it will pay.
func TestAFreshCallBehindAnotherProcessSaysThatItPays(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			v, shelf := &vendor{takes: 10 * time.Second}, memory.New()
			brief := func(o *Options) { o.AnswerWithin = time.Second }
			first, second := setup{vendor: v, store: shelf, change: brief}.collector(), setup{vendor: v, store: shelf, change: brief}.collector()
			require.True(t, failure(t, first, kol, false).Charged)
			assert.Equal(t, fresh, failure(t, second, kol, fresh).Charged)
			time.Sleep(time.Minute)
			assert.Len(t, v.asked(), map[bool]int{false: 1, true: 2}[fresh])
		})
	}
}

// A process dies while it collects. Whoever waits for it here is told that they
// do not pay, which is no longer so when this process takes over: who comes back
// is told of the charge.
func TestChargeOfACollectionThatIsTakenOverIsTold(t *testing.T) {
	tests := map[string]time.Duration{
		"it is still waited for":         10 * time.Second,
		"this process collects by then":  25 * time.Second,
		"the answer is there by then":    time.Minute,
		"the answer is old news by then": debt,
	}
	for name, later := range tests {
		for _, fresh := range []bool{false, true} {
			for _, ttl := range []time.Duration{24 * time.Hour, 0} {
				t.Run(fmt.Sprintf("%s, fresh: %v, TTL: %v", name, fresh, ttl), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						v, shelf := &vendor{takes: 10 * time.Second}, memory.New()
						_, err := shelf.Acquire(t.Context(), store.Claim{KOLID: kol, Holder: "dead", Fresh: true}, leaseLasts)
						require.NoError(t, err)
						c := setup{vendor: v, store: shelf, change: func(o *Options) { o.AnswerWithin, o.CacheTTL = time.Second, ttl }}.collector()
						for range 2 {
							told := failure(t, c, kol, fresh)
							assert.Equal(t, schema.StillCollecting, told.Kind)
							assert.False(t, told.Charged)
						}
						time.Sleep(later)

						c.AnswerWithin = time.Minute
						took := portrait(t, c, kol, fresh).Source
						assert.True(t, took.Charged)
						assert.False(t, took.FromStore)
						assert.Len(t, v.asked(), 1)

						again := portrait(t, c, kol, false).Source
						assert.Equal(t, ttl == 0, again.Charged, "told once")
					})
				})
			}
		}
	}
}

// A fresh call's failure is nothing to tell to a call that has tried nothing.
func TestFailureIsOwedToItsOwnKindOfCall(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			v := &vendor{takes: 3 * time.Second, fails: func(n int) *schema.Error {
				if n == 1 {
					return &schema.Error{Kind: schema.Timeout, Message: "Too slow.", Charged: true}
				}
				return nil
			}}
			c := setup{vendor: v, change: func(o *Options) { o.AnswerWithin, o.CacheTTL = time.Second, 0 }}.collector()
			require.Equal(t, schema.StillCollecting, failure(t, c, kol, fresh).Kind)
			time.Sleep(time.Minute)
			c.AnswerWithin = time.Minute
			assert.True(t, portrait(t, c, kol, !fresh).Source.Charged)
			assert.Equal(t, schema.Timeout, failure(t, c, kol, fresh).Kind)
			assert.Len(t, v.asked(), 2)
		})
	}
}

// The store's answer is as good as what is owed, which then waits for nobody.
func TestStoredAnswerSettlesADebt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{}
		c := setup{vendor: v, change: func(o *Options) { o.CacheTTL = 5 * time.Minute }}.collector()
		lose(t, c, kol, false)
		assert.True(t, portrait(t, c, kol, false).Source.FromStore)
		time.Sleep(6 * time.Minute)
		assert.True(t, portrait(t, c, kol, false).Source.Charged)
		assert.Len(t, v.asked(), 2)
	})
}

func TestWhatIsOwedOutlivesTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := &faulty{Store: memory.New()}
		c := setup{vendor: &vendor{}, store: shelf}.collector()
		lose(t, c, kol, true)
		shelf.down.Store(true)
		assert.True(t, portrait(t, c, kol, true).Source.FromStore)
		assert.Equal(t, schema.StoreUnavailable, failure(t, c, kol, true).Kind)
	})
}

func TestWhoLeftAFlightIsOwedAsOftenAsItWasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{takes: 3 * time.Second}
		c := setup{vendor: v, change: func(o *Options) { o.AnswerWithin, o.CacheTTL = time.Second, 0 }}.collector()
		var calls sync.WaitGroup
		for range 2 {
			calls.Go(func() { assert.Equal(t, schema.StillCollecting, failure(t, c, kol, false).Kind) })
		}
		calls.Wait()
		time.Sleep(time.Minute)
		c.AnswerWithin = time.Minute
		for range 2 {
			assert.True(t, portrait(t, c, kol, false).Source.FromStore)
		}
		assert.Len(t, v.asked(), 1)
		assert.True(t, portrait(t, c, kol, false).Source.Charged)
	})
}

// What nobody comes back for is not kept for ever, and what the store has for
// longer than that is not kept at all.
func TestDebtsAreStruckOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := setup{vendor: &vendor{}}.collector()
		lose(t, c, kol, false)
		assert.Empty(t, c.debts, "stored for a day")

		for i := range 20 {
			lose(t, c, fmt.Sprint("kol-", i), true)
			lose(t, c, fmt.Sprint("kol-", i), true)
		}
		assert.Len(t, c.debts, 20)
		time.Sleep(debt)
		lose(t, c, kol, true)
		assert.Len(t, c.debts, 21)
		time.Sleep(debt)
		portrait(t, c, "another", true)
		assert.Len(t, c.debts, 1, "a collection strikes off the others")
		answer := portrait(t, c, kol, true)
		assert.Empty(t, c.debts)

		c.Owe(t.Context(), answer, true)
		time.Sleep(2 * debt)
		paid := c.Owe(t.Context(), &schema.Collected{KOLID: "another"}, true)
		assert.Len(t, c.debts, 1, "a debt strikes off another")
		paid()
		assert.Empty(t, c.debts)
	})
}

// Callers come, lose what they get, and come again, all at once: what is lost
// and what is collected stays in balance.
func TestDebtsAddUp(t *testing.T) {
	const callers, kols, rounds = 50, 10, 20
	v := &vendor{}
	c := setup{vendor: v}.collector()
	var calls sync.WaitGroup
	for i := range callers {
		calls.Go(func() {
			kolID := fmt.Sprint("kol-", i%kols)
			for range rounds {
				lose(t, c, kolID, true)
			}
		})
	}
	calls.Wait()
	assert.LessOrEqual(t, len(v.asked()), callers, "each has paid for its first at most")
	for range callers / kols {
		for i := range kols {
			portrait(t, c, fmt.Sprint("kol-", i), true)
		}
	}
	assert.Empty(t, c.debts, "nobody is owed more than it has lost")
}

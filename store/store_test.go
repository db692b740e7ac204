package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/memory"
	"kol-portrait-mcp/store/sqlite"
)

// opener opens a store as one process does: each call opens another on the same
// data, apart from that of other scopes.
type opener func(scope string) store.Store

func TestSQLite(t *testing.T) {
	testStore(t, "sqlite", func(t *testing.T) opener {
		path := filepath.Join(t.TempDir(), "new", "portraits.db")
		return func(scope string) store.Store {
			s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Scope: scope})
			require.NoError(t, err)
			return s
		}
	})
}

// A store in memory is one process's: all who open it have the same.
func TestMemory(t *testing.T) {
	testStore(t, "memory", func(*testing.T) opener {
		scopes := map[string]store.Store{}
		return func(scope string) store.Store {
			if scopes[scope] == nil {
				scopes[scope] = memory.New()
			}
			return scopes[scope]
		}
	})
}

// testStore holds a store of the given kind to what store.Store promises. start
// provides one test with an empty place to store things.
func testStore(t *testing.T, kind string, start func(t *testing.T) opener) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, *pair)
	}{
		{"one store closes, another on the same data works on", testClose},
		{"scopes have nothing in common", testScopes},
		{"nothing is done once the context is done", testDone},

		{"a portrait comes back as it was saved, byte for byte", testFields},
		{"the newest is the one stored last", testNewest},
		{"the older is the one of the latest day before", testOlder},
		{"a portrait is saved once", testSaveAgain},
		{"old portraits are let go of, the newest never", testKeep},
		{"many save at once", testConcurrentSaves},
		{"KOLs are listed by prefix", testKOLs},

		{"a lease is one holder's, of one KOL", testLease},
		{"a lease is renewed by its holder", testRenewed},
		{"a lease expires", testExpires},
		{"a failure is told to everyone until it runs out", testFailure},
		{"of many who acquire at once one is granted", testConcurrentAcquires},

		{"calls are counted up to the day's limit", testLimit},
		{"calls are counted up to a caller's limit", testCallerLimit},
		{"a call is counted once", testChargeAgain},
		{"a refund frees a place on its day", testRefund},
		{"of many calls at once the limits are counted", testConcurrentCharges},
		{"of many requests at once each has its turn", testTurns},
	} {
		t.Run(test.name, func(t *testing.T) {
			open := start(t)
			p := &pair{t: t, open: open, stores: [2]store.Store{open("vendor"), open("vendor")}}
			assert.Equal(t, kind, p.next().Kind())
			test.run(t, p)
			for _, s := range p.stores {
				assert.NoError(t, s.Close())
			}
		})
	}
}

// pair is the same data as two processes see it. Each call goes to the one that
// did not get the last, so that nothing passes that one of them merely
// remembers.
type pair struct {
	t      *testing.T
	open   opener
	stores [2]store.Store
	calls  atomic.Int64
}

func (p *pair) next() store.Store { return p.stores[p.calls.Add(1)%2] }

// atOnce calls do for 0 to n-1, all at the same time.
func atOnce(n int, do func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { do(i) })
	}
	group.Wait()
}

func testClose(t *testing.T, p *pair) {
	third := p.open("vendor")
	require.NoError(t, third.Ping(t.Context()))
	require.NoError(t, third.Save(t.Context(), portrait("kol", 1), 0))
	require.NoError(t, third.Close())
	p.newestIs(portrait("kol", 1), "kol")
	p.save(portrait("kol", 2))
	p.newestIs(portrait("kol", 2), "kol")
}

func testScopes(t *testing.T, p *pair) {
	s := p.open("another vendor")
	apart := &pair{t: t, stores: [2]store.Store{s, s}}
	defer func() { assert.NoError(t, s.Close()) }()
	p.save(portrait("kol", 1))
	p.acquire("kol", "A", long)
	p.charge(call(0), store.Limits{Day: 1})

	apart.newestIs(nil, "kol")
	apart.olderIs(nil, "kol", "9999-12-31")
	assert.Empty(t, apart.kols("", 10))
	assert.Equal(t, "B", apart.acquire("kol", "B", long).Holder)
	assert.Equal(t, store.NotRefused, apart.charge(call(1), store.Limits{Day: 1}))
	apart.refund(call(0))
	apart.release("kol", "A")
	p.chargedIs(1, day)
	p.leaseIs("A", nil, "kol")

	again := portrait("kol", 1)
	again.Data = []byte("{}")
	apart.save(again)
	apart.newestIs(again, "kol") // an ID of another scope is another portrait's
	p.newestIs(portrait("kol", 1), "kol")
}

func testDone(t *testing.T, p *pair) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		s := p.next()
		_, newest := s.Newest(ctx, "kol")
		_, older := s.Older(ctx, "kol", "2026-03-08")
		_, kols := s.KOLs(ctx, "", 10)
		_, acquire := s.Acquire(ctx, "kol", "A", long)
		_, charge := s.Charge(ctx, call(0), store.Limits{})
		_, charged := s.Charged(ctx, day)
		_, turn := s.Turn(ctx, time.Second)
		for i, err := range []error{
			newest, older, kols, acquire, charge, charged, turn, s.Save(ctx, portrait("kol", 1), 0),
			s.Release(ctx, "kol", "A"), s.Fail(ctx, "kol", "A", failure, long), s.Refund(ctx, call(0)), s.Ping(ctx),
		} {
			assert.ErrorIs(t, err, context.Canceled, i)
		}
	}
}

const day schema.Day = "2026-11-23" // on which the suite counts

// call returns the i-th call of the suite's day, by a caller without a name.
func call(i int) store.Charge { return store.Charge{ID: fmt.Sprint("call-", i), Day: day} }

// callBy is the i-th call, by a caller.
func callBy(caller string, i int) store.Charge {
	c := call(i)
	c.Caller = caller
	return c
}

func (p *pair) charge(c store.Charge, limits store.Limits) store.Refusal {
	p.t.Helper()
	refusal, err := p.next().Charge(p.t.Context(), c, limits)
	require.NoError(p.t, err)
	return refusal
}

func (p *pair) refund(c store.Charge) {
	p.t.Helper()
	require.NoError(p.t, p.next().Refund(p.t.Context(), c))
}

func (p *pair) chargedIs(want int, on schema.Day) {
	p.t.Helper()
	p.chargesAre(want, map[string]int{}, on)
}

func (p *pair) chargesAre(all int, callers map[string]int, on schema.Day) {
	p.t.Helper()
	for range 2 {
		charges, err := p.next().Charged(p.t.Context(), on)
		require.NoError(p.t, err)
		assert.Equal(p.t, store.Charges{All: all, Callers: callers}, charges, on)
	}
}

func testLimit(t *testing.T, p *pair) {
	p.chargedIs(0, day)
	for i, want := range []store.Refusal{store.NotRefused, store.NotRefused, store.NotRefused, store.DayFull, store.DayFull} {
		assert.Equal(t, want, p.charge(call(i), store.Limits{Day: 3, Caller: 1}), "a caller without a name has no limit")
	}
	p.chargedIs(3, day)
	assert.Equal(t, store.NotRefused, p.charge(call(3), store.Limits{Day: 4}), "refused once, counted under a higher limit")
	assert.Equal(t, store.DayFull, p.charge(call(4), store.Limits{Day: 2}), "a lower limit")
	p.chargedIs(4, day)
	assert.Equal(t, store.NotRefused, p.charge(call(4), store.Limits{}), "no limit")
	p.chargedIs(5, day)
}

func testCallerLimit(t *testing.T, p *pair) {
	limits := store.Limits{Day: 6, Caller: 2}
	for _, test := range []struct {
		call store.Charge
		want store.Refusal
	}{
		{callBy("red", 0), store.NotRefused},
		{callBy("red", 1), store.NotRefused},
		{callBy("red", 2), store.CallerFull},
		{callBy("red", 1), store.NotRefused}, // is counted
		{callBy("Red", 3), store.NotRefused}, // another's name
		{callBy("oauth:海 <'%> sub", 4), store.NotRefused},
		{call(5), store.NotRefused},
		{call(6), store.NotRefused},
		{callBy("blue", 7), store.DayFull},
		{callBy("red", 2), store.DayFull}, // the day's comes first
	} {
		assert.Equal(t, test.want, p.charge(test.call, limits), test.call)
	}
	p.chargesAre(6, map[string]int{"red": 2, "Red": 1, "oauth:海 <'%> sub": 1}, day)
	assert.Equal(t, store.CallerFull, p.charge(callBy("red", 2), store.Limits{Caller: 1}), "a lower limit")
	assert.Equal(t, store.NotRefused, p.charge(callBy("red", 2), store.Limits{}), "no limit")
	tomorrow := store.Charge{ID: "call-0", Day: "2026-11-24", Caller: "red"}
	assert.Equal(t, store.NotRefused, p.charge(tomorrow, limits))
	p.chargesAre(1, map[string]int{"red": 1}, tomorrow.Day)
}

func testChargeAgain(t *testing.T, p *pair) {
	for range 4 {
		assert.Equal(t, store.NotRefused, p.charge(callBy("red", 0), store.Limits{Day: 1, Caller: 1}))
	}
	assert.Equal(t, store.DayFull, p.charge(call(1), store.Limits{Day: 1}))
	p.chargesAre(1, map[string]int{"red": 1}, day)
}

func testRefund(t *testing.T, p *pair) {
	limits := store.Limits{Day: 2, Caller: 1}
	tomorrow := store.Charge{ID: "call-1", Day: "2026-11-24"}
	p.refund(callBy("red", 0)) // not counted
	for _, c := range []store.Charge{callBy("red", 0), call(1), tomorrow} {
		assert.Equal(t, store.NotRefused, p.charge(c, limits))
	}
	for range 2 {
		p.refund(callBy("red", 0))
	}
	p.chargedIs(1, day)
	assert.Equal(t, store.NotRefused, p.charge(callBy("red", 2), limits))
	assert.Equal(t, store.DayFull, p.charge(call(3), limits))
	p.refund(tomorrow)
	p.chargesAre(2, map[string]int{"red": 1}, day)
	p.chargedIs(0, tomorrow.Day)
}

func testConcurrentCharges(t *testing.T, p *pair) {
	var counted, ofRed atomic.Int32
	atOnce(100, func(i int) {
		c := call(i)
		if i%2 == 0 {
			c.Caller = "red"
		}
		refusal, err := p.next().Charge(t.Context(), c, store.Limits{Day: 30, Caller: 10})
		if assert.NoError(t, err) && refusal == store.NotRefused {
			counted.Add(1)
			if c.Caller != "" {
				ofRed.Add(1)
			}
		}
	})
	assert.EqualValues(t, 30, counted.Load())
	p.chargesAre(30, map[string]int{"red": int(ofRed.Load())}, day)
	assert.LessOrEqual(t, ofRed.Load(), int32(10))
}

// Only Redis knows of processes on other machines.
func testTurns(t *testing.T, p *pair) {
	every := time.Hour
	if p.next().Kind() != "redis" {
		every = 0
	}
	waits := make([]time.Duration, 50)
	atOnce(len(waits), func(i int) {
		var err error
		waits[i], err = p.next().Turn(t.Context(), time.Hour)
		assert.NoError(t, err)
	})
	slices.Sort(waits)
	for i, wait := range waits {
		assert.InDelta(t, time.Duration(i)*every, wait, float64(time.Minute))
	}
	apart := p.open("another vendor")
	wait, err := apart.Turn(t.Context(), time.Hour)
	require.NoError(t, err)
	assert.Zero(t, wait)
	require.NoError(t, apart.Close())
}

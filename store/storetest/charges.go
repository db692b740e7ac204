package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// call returns the i-th call of the suite's day.
func call(i int) store.Charge {
	return store.Charge{ID: fmt.Sprint("call-", i), KOLID: "kol", Day: day}
}

func charge(t *testing.T, s store.Store, c store.Charge, limit int) bool {
	t.Helper()
	counted, err := s.Charge(t.Context(), c, limit)
	require.NoError(t, err)
	return counted
}

func refund(t *testing.T, s store.Store, c store.Charge) {
	t.Helper()
	require.NoError(t, s.Refund(t.Context(), c))
}

// countsAre asserts what either handle says of a day.
func (s *shared) countsAre(t *testing.T, want store.Counts, on schema.Day) {
	t.Helper()
	for _, handle := range s.both() {
		counts, err := handle.Counts(t.Context(), on)
		require.NoError(t, err)
		assert.Equal(t, want, counts)
	}
}

func (start Start) testNoCounts(t *testing.T) {
	s := start.shared(t)
	s.countsAre(t, store.Counts{}, day)
}

func (start Start) testLimit(t *testing.T) {
	s := start.shared(t)
	for i := range 3 {
		assert.True(t, charge(t, s.handle(i), call(i), 3))
	}
	for i := range 3 {
		assert.False(t, charge(t, s.handle(i), call(3+i), 3))
	}
	s.countsAre(t, store.Counts{Charged: 3}, day)
	assert.True(t, charge(t, s.one, call(3), 4), "refused once, counted under a higher limit")
	s.countsAre(t, store.Counts{Charged: 4}, day)
}

func (start Start) testNoLimit(t *testing.T) {
	s := start.shared(t)
	for i := range 20 {
		assert.True(t, charge(t, s.handle(i), call(i), 0))
	}
	s.countsAre(t, store.Counts{Charged: 20}, day)
}

func (start Start) testLowerLimit(t *testing.T) {
	s := start.shared(t)
	for i := range 5 {
		assert.True(t, charge(t, s.one, call(i), 0))
	}
	assert.False(t, charge(t, s.one, call(5), 2))
	assert.True(t, charge(t, s.one, call(0), 2), "counted already")
	s.countsAre(t, store.Counts{Charged: 5}, day)
}

func (start Start) testChargeAgain(t *testing.T) {
	s := start.shared(t)
	for i := range 4 {
		assert.True(t, charge(t, s.handle(i), call(0), 2))
	}
	s.countsAre(t, store.Counts{Charged: 1}, day)
	assert.True(t, charge(t, s.one, call(1), 2))
	assert.True(t, charge(t, s.other, call(0), 2), "counted already, on a day that is full")
	assert.False(t, charge(t, s.other, call(2), 2))
	s.countsAre(t, store.Counts{Charged: 2}, day)
}

func (start Start) testRefund(t *testing.T) {
	s := start.shared(t)
	assert.True(t, charge(t, s.one, call(0), 2))
	assert.True(t, charge(t, s.one, call(1), 2))
	refund(t, s.other, call(0))
	refund(t, s.one, call(0))
	s.countsAre(t, store.Counts{Charged: 1}, day)
	assert.True(t, charge(t, s.one, call(2), 2))
	assert.False(t, charge(t, s.one, call(3), 2))
	s.countsAre(t, store.Counts{Charged: 2}, day)
}

func (start Start) testRefundOfNothing(t *testing.T) {
	s := start.shared(t)
	refund(t, s.one, call(0))
	s.countsAre(t, store.Counts{}, day)
	assert.True(t, charge(t, s.one, call(0), 1), "counted all the same")
	assert.False(t, charge(t, s.one, call(1), 1))
	refund(t, s.one, call(1))
	s.countsAre(t, store.Counts{Charged: 1}, day)
}

func (start Start) testDays(t *testing.T) {
	s := start.shared(t)
	tomorrow := call(1)
	tomorrow.Day = "2026-11-24"
	assert.True(t, charge(t, s.one, call(0), 1))
	assert.True(t, charge(t, s.one, tomorrow, 1))
	require.NoError(t, s.one.AddHits(t.Context(), day, 3))
	s.countsAre(t, store.Counts{Charged: 1, Hits: 3}, day)
	s.countsAre(t, store.Counts{Charged: 1}, tomorrow.Day)
	s.countsAre(t, store.Counts{}, "2026-11-22")
	refund(t, s.one, tomorrow)
	s.countsAre(t, store.Counts{Charged: 1, Hits: 3}, day)
	s.countsAre(t, store.Counts{}, tomorrow.Day)
}

func (start Start) testConcurrentCharges(t *testing.T) {
	s := start.shared(t)
	var group sync.WaitGroup
	var counted atomic.Int32
	for i := range 100 {
		group.Go(func() {
			ok, err := s.handle(i).Charge(t.Context(), call(i), 10)
			if assert.NoError(t, err) && ok {
				counted.Add(1)
			}
		})
	}
	group.Wait()
	assert.EqualValues(t, 10, counted.Load())
	s.countsAre(t, store.Counts{Charged: 10}, day)
}

func (start Start) testHits(t *testing.T) {
	s := start.shared(t)
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() { assert.NoError(t, s.handle(i).AddHits(t.Context(), day, i)) })
	}
	group.Wait()
	s.countsAre(t, store.Counts{Hits: 190}, day)
}

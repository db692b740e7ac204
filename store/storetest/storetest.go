// Package storetest is the specification of store.Store as a suite of tests
// that every implementation runs.
package storetest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// Start provides one test with an empty store of its own. The function that it
// returns opens a handle on that store, the view of one process; each call
// opens another handle on the same store. The suite closes the handles; what is
// below them is Start's to clean up.
type Start func(t *testing.T) (open func() store.Store)

// Run holds an implementation to what store.Store promises. The only clock it
// relies on is the store's own: it waits for leases of a millisecond to end, and
// twice for one of a second.
func Run(t *testing.T, start Start) {
	t.Helper()
	t.Run("a store says what it is and that it is there", start.testPing)
	t.Run("one handle closes, the other works on", start.testClose)

	t.Run("an unknown KOL has no portrait", start.testNoPortrait)
	t.Run("a portrait comes back as it was saved", start.testPortraitFields)
	t.Run("data comes back byte for byte", start.testData)
	t.Run("data is the store's own copy", start.testDataIsCopied)
	t.Run("times are UTC to the millisecond", start.testTimes)
	t.Run("the newest is the one retrieved last", start.testNewest)
	t.Run("the older is the one of the latest day before", start.testOlder)
	t.Run("where no day is before, there is no older one", start.testNoneOlder)
	t.Run("an older portrait comes back as it was saved", start.testOlderFields)
	t.Run("the older is found among many", start.testOlderOfMany)
	t.Run("a portrait is saved once", start.testSaveAgain)
	t.Run("many save at once", start.testConcurrentSaves)
	t.Run("KOLs are listed by prefix", start.testKOLs)

	t.Run("an unknown KOL has no lease", start.testNoLease)
	t.Run("a lease is one holder's", start.testLeaseIsHeld)
	t.Run("a lease is one KOL's", start.testLeasesAreSeparate)
	t.Run("a released lease is told, and free", start.testRelease)
	t.Run("a failure comes back as it was told", start.testFailures)
	t.Run("a lease is released once, by its holder", start.testReleaseAgain)
	t.Run("a lease can be released on another handle", start.testReleaseElsewhere)
	t.Run("an expired lease is nobody's", start.testExpired)
	t.Run("a lease is prolonged by its holder", start.testProlonged)
	t.Run("a former holder gets the new one's lease", start.testFormerHolder)
	t.Run("a released lease is told beyond its time", start.testReleasedOutlives)
	t.Run("of many claims at once one is granted", start.testConcurrentClaims)

	t.Run("a day without calls", start.testNoCounts)
	t.Run("calls are counted up to the limit", start.testLimit)
	t.Run("a limit of 0 is none", start.testNoLimit)
	t.Run("a lower limit refuses at once", start.testLowerLimit)
	t.Run("a call is counted once", start.testChargeAgain)
	t.Run("a refund frees a place", start.testRefund)
	t.Run("what was not counted is not refunded", start.testRefundOfNothing)
	t.Run("days are separate", start.testDays)
	t.Run("of many calls at once the limit is counted", start.testConcurrentCharges)
	t.Run("hits add up", start.testHits)
}

// shared is one store as two processes see it. They take turns in the tests, so
// that nothing passes that one handle merely remembers.
type shared struct {
	one, other store.Store
	open       func() store.Store
}

func (start Start) shared(t *testing.T) *shared {
	t.Helper()
	s := &shared{}
	opened := start(t)
	s.open = func() store.Store {
		handle := opened()
		require.NotNil(t, handle)
		return handle
	}
	s.one, s.other = s.open(), s.open()
	t.Cleanup(func() {
		assert.NoError(t, s.one.Close())
		assert.NoError(t, s.other.Close())
	})
	return s
}

// both returns the two handles, for what is to be seen by either.
func (s *shared) both() []store.Store { return []store.Store{s.one, s.other} }

// handle returns one of the two handles, in turn.
func (s *shared) handle(i int) store.Store { return s.both()[i%2] }

// day is the day on which the suite counts.
const day schema.Day = "2026-11-23"

// noon is when the suite's portraits were retrieved, give or take.
func noon() time.Time { return time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC) }

// portrait returns a portrait of a KOL that differs from another with its id
// and retrieval moved by i.
func portrait(kolID string, i int) store.Portrait {
	return store.Portrait{
		ID:          fmt.Sprintf("%s/%d", kolID, i),
		KOLID:       kolID,
		AsOf:        "2026-03-08",
		RetrievedAt: noon().Add(time.Duration(i) * time.Millisecond),
		Endpoint:    schema.EndpointPortrait,
		Environment: schema.EnvironmentGlobal,
		RequestID:   fmt.Sprintf("request-%d", i),
		Data:        json.RawMessage(fmt.Sprintf(`{"dateKey":"2026-03-08","i":%d}`, i)),
	}
}

func save(t *testing.T, s store.Store, p store.Portrait) {
	t.Helper()
	require.NoError(t, s.Save(t.Context(), p))
}

func newest(t *testing.T, s store.Store, kolID string) *store.Portrait {
	t.Helper()
	p, err := s.Newest(t.Context(), kolID)
	require.NoError(t, err)
	return p
}

func (start Start) testPing(t *testing.T) {
	s := start.shared(t)
	for _, handle := range s.both() {
		require.NoError(t, handle.Ping(t.Context()))
		assert.Contains(t, []string{"sqlite", "redis", "memory"}, handle.Kind())
	}
}

func (start Start) testClose(t *testing.T) {
	s := start.shared(t)
	third := s.open()
	save(t, third, portrait("a", 1))
	require.NoError(t, third.Close())
	assert.NotNil(t, newest(t, s.one, "a"))
	save(t, s.one, portrait("a", 2))
	assert.Equal(t, "a/2", newest(t, s.other, "a").ID)
}

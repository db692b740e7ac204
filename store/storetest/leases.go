package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// A lease of long outlives its test; one of a moment is over before anybody
// can look twice.
const (
	long   = time.Hour
	moment = time.Millisecond
)

func claim(kolID, holder string) store.Claim { return store.Claim{KOLID: kolID, Holder: holder} }

func acquire(t *testing.T, s store.Store, c store.Claim, lasts time.Duration) store.Lease {
	t.Helper()
	lease, err := s.Acquire(t.Context(), c, lasts)
	require.NoError(t, err)
	return lease
}

func release(t *testing.T, s store.Store, c store.Claim, failure *schema.Error) {
	t.Helper()
	require.NoError(t, s.Release(t.Context(), c, failure))
}

func lease(t *testing.T, s store.Store, kolID string) store.Lease {
	t.Helper()
	l, err := s.Lease(t.Context(), kolID)
	require.NoError(t, err)
	return l
}

// leaseIs asserts what either handle says of a KOL's lease.
func (s *shared) leaseIs(t *testing.T, want store.Lease, kolID string) {
	t.Helper()
	for _, handle := range s.both() {
		assert.Equal(t, want, lease(t, handle, kolID))
	}
}

// expired waits until the KOL's lease has expired.
func (s *shared) expired(t *testing.T, kolID string) {
	t.Helper()
	require.Eventually(t, func() bool {
		l, err := s.one.Lease(t.Context(), kolID)
		return err == nil && l == store.Lease{}
	}, 10*time.Second, moment)
}

func (start Start) testNoLease(t *testing.T) {
	s := start.shared(t)
	acquire(t, s.one, claim("kol", "A"), long)
	s.leaseIs(t, store.Lease{}, "unknown")
	s.leaseIs(t, store.Lease{}, "KOL")
}

func (start Start) testLeaseIsHeld(t *testing.T) {
	s := start.shared(t)
	first := store.Claim{KOLID: "kol", Holder: "A", Fresh: true}
	held := store.Lease{Holder: "A", Fresh: true}
	assert.Equal(t, held, acquire(t, s.one, first, long), "granted")
	assert.Equal(t, held, acquire(t, s.other, claim("kol", "B"), long), "refused")
	assert.Equal(t, held, acquire(t, s.one, claim("kol", "C"), long), "refused")
	assert.Equal(t, held, acquire(t, s.other, first, long), "granted again")
	s.leaseIs(t, held, "kol")
}

func (start Start) testLeasesAreSeparate(t *testing.T) {
	s := start.shared(t)
	acquire(t, s.one, claim("kol", "A"), long)
	assert.Equal(t, store.Lease{Holder: "B"}, acquire(t, s.one, claim("KOL", "B"), long))
	release(t, s.one, claim("KOL", "B"), nil)
	s.leaseIs(t, store.Lease{Holder: "A"}, "kol")
}

func (start Start) testRelease(t *testing.T) {
	s := start.shared(t)
	first := store.Claim{KOLID: "kol", Holder: "A", Fresh: true}
	acquire(t, s.one, first, long)
	release(t, s.one, first, nil)
	s.leaseIs(t, store.Lease{Holder: "A", Fresh: true, Released: true}, "kol")

	assert.Equal(t, store.Lease{Holder: "B"}, acquire(t, s.other, claim("kol", "B"), long), "free for another")
	s.leaseIs(t, store.Lease{Holder: "B"}, "kol")

	release(t, s.other, claim("kol", "B"), &schema.Error{Kind: schema.Network, Message: "No."})
	assert.Equal(t, store.Lease{Holder: "C"}, acquire(t, s.one, claim("kol", "C"), long), "free after a failure")
	s.leaseIs(t, store.Lease{Holder: "C"}, "kol")

	release(t, s.one, claim("kol", "C"), nil)
	assert.Equal(t, store.Lease{Holder: "C"}, acquire(t, s.one, claim("kol", "C"), long), "free for its former holder")
	s.leaseIs(t, store.Lease{Holder: "C"}, "kol")
}

func (start Start) testFailures(t *testing.T) {
	s := start.shared(t)
	for i, failure := range []*schema.Error{
		nil,
		{},
		{Kind: schema.Internal, Message: "\"海外\" <&>\n\u2028\x00"},
		{
			Kind: schema.RateLimited, Message: "Too fast.", Retryable: true, RetryAfterSeconds: 17,
			UpstreamCode: 302, RequestID: "r-1", Charged: true,
		},
	} {
		c := claim(fmt.Sprintf("kol-%d", i), "A")
		acquire(t, s.one, c, long)
		release(t, s.one, c, failure)
		s.leaseIs(t, store.Lease{Holder: "A", Released: true, Failure: failure}, c.KOLID)
	}
}

func (start Start) testReleaseAgain(t *testing.T) {
	s := start.shared(t)
	release(t, s.one, claim("kol", "A"), nil)
	s.leaseIs(t, store.Lease{}, "kol")

	acquire(t, s.one, claim("kol", "A"), long)
	release(t, s.one, claim("kol", "B"), nil)
	release(t, s.one, claim("KOL", "A"), nil)
	s.leaseIs(t, store.Lease{Holder: "A"}, "kol")

	failure := &schema.Error{Kind: schema.Network, Message: "No."}
	ended := store.Lease{Holder: "A", Released: true, Failure: failure}
	release(t, s.one, claim("kol", "A"), failure)
	s.leaseIs(t, ended, "kol")
	release(t, s.one, claim("kol", "A"), failure)
	s.leaseIs(t, ended, "kol")
	release(t, s.other, claim("kol", "A"), nil)
	release(t, s.other, claim("kol", "B"), nil)
	s.leaseIs(t, ended, "kol")

	acquire(t, s.other, claim("kol", "B"), long)
	release(t, s.one, claim("kol", "A"), nil)
	s.leaseIs(t, store.Lease{Holder: "B"}, "kol")
}

func (start Start) testReleaseElsewhere(t *testing.T) {
	s := start.shared(t)
	acquire(t, s.one, claim("kol", "A"), long)
	release(t, s.other, claim("kol", "A"), nil)
	s.leaseIs(t, store.Lease{Holder: "A", Released: true}, "kol")
}

func (start Start) testExpired(t *testing.T) {
	s := start.shared(t)
	assert.Equal(t, store.Lease{Holder: "A"}, acquire(t, s.one, claim("kol", "A"), moment))
	s.expired(t, "kol")
	s.leaseIs(t, store.Lease{}, "kol")
	release(t, s.one, claim("kol", "A"), &schema.Error{Kind: schema.Internal, Message: "Too late."})
	s.leaseIs(t, store.Lease{}, "kol")

	assert.Equal(t, store.Lease{Holder: "B"}, acquire(t, s.other, claim("kol", "B"), long))
	s.leaseIs(t, store.Lease{Holder: "B"}, "kol")

	acquire(t, s.one, claim("back", "A"), moment)
	s.expired(t, "back")
	assert.Equal(t, store.Lease{Holder: "A"}, acquire(t, s.one, claim("back", "A"), long), "its holder may have it anew")
	s.leaseIs(t, store.Lease{Holder: "A"}, "back")

	acquire(t, s.one, claim("failed", "A"), long)
	release(t, s.one, claim("failed", "A"), &schema.Error{Kind: schema.Internal, Message: "No."})
	acquire(t, s.one, claim("failed", "B"), moment)
	s.expired(t, "failed")
	s.leaseIs(t, store.Lease{}, "failed") // and not what was before
}

// testProlonged prolongs a lease of a second, and takes a second lease of a
// second for a clock: when that has expired, the first would have too.
func (start Start) testProlonged(t *testing.T) {
	s := start.shared(t)
	acquire(t, s.one, claim("kol", "A"), time.Second)
	acquire(t, s.one, claim("kol", "A"), long)
	acquire(t, s.one, claim("clock", "A"), time.Second)
	s.expired(t, "clock")
	s.leaseIs(t, store.Lease{Holder: "A"}, "kol")
}

func (start Start) testFormerHolder(t *testing.T) {
	s := start.shared(t)
	acquire(t, s.one, claim("kol", "A"), moment)
	s.expired(t, "kol")
	held := store.Lease{Holder: "B", Fresh: true}
	acquire(t, s.other, store.Claim{KOLID: "kol", Holder: "B", Fresh: true}, long)

	assert.Equal(t, held, acquire(t, s.one, claim("kol", "A"), long))
	release(t, s.one, claim("kol", "A"), &schema.Error{Kind: schema.Internal, Message: "Too late."})
	s.leaseIs(t, held, "kol")
}

// testReleasedOutlives has a clock as testProlonged has.
func (start Start) testReleasedOutlives(t *testing.T) {
	s := start.shared(t)
	failure := &schema.Error{Kind: schema.Network, Message: "No."}
	acquire(t, s.one, claim("kol", "A"), time.Second)
	release(t, s.one, claim("kol", "A"), failure)
	acquire(t, s.one, claim("clock", "A"), time.Second)
	s.expired(t, "clock")
	s.leaseIs(t, store.Lease{Holder: "A", Released: true, Failure: failure}, "kol")
}

func (start Start) testConcurrentClaims(t *testing.T) {
	s := start.shared(t)
	var group sync.WaitGroup
	var granted atomic.Int32
	leases := make([]store.Lease, 100)
	for i := range leases {
		group.Go(func() {
			c := claim("kol", fmt.Sprint("holder-", i))
			l, err := s.handle(i).Acquire(t.Context(), c, long)
			if assert.NoError(t, err) && l.Holder == c.Holder {
				granted.Add(1)
			}
			leases[i] = l
		})
	}
	group.Wait()
	assert.EqualValues(t, 1, granted.Load())
	for _, l := range leases {
		s.leaseIs(t, l, "kol")
	}
}

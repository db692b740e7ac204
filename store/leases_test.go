package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// A lease of long outlives its test; one of a moment is over after a pause.
const (
	long   = time.Hour
	short  = 10 * time.Second
	moment = time.Millisecond
	pause  = 20 * time.Millisecond
)

var failure = &schema.Error{
	Kind: schema.RateLimited, Message: "\"海外\" <&>\n\u2028", Retryable: true, RetryAfterSeconds: 17,
	UpstreamCode: 302, RequestID: "r-1", Charged: true,
}

func (p *pair) acquire(kolID, holder string, lasts time.Duration) store.Lease {
	p.t.Helper()
	lease, err := p.next().Acquire(p.t.Context(), kolID, holder, lasts)
	require.NoError(p.t, err)
	return lease
}

func (p *pair) release(kolID, holder string) {
	p.t.Helper()
	require.NoError(p.t, p.next().Release(p.t.Context(), kolID, holder))
}

func (p *pair) fail(kolID, holder string, lasts time.Duration) {
	p.t.Helper()
	require.NoError(p.t, p.next().Fail(p.t.Context(), kolID, holder, failure, lasts))
}

// leaseIs asserts what somebody else is told who wants the KOL's lease, which
// lasts long.
func (p *pair) leaseIs(holder string, failure *schema.Error, kolID string) {
	p.t.Helper()
	for range 2 {
		lease := p.acquire(kolID, "somebody else", long)
		assert.Equal(p.t, holder, lease.Holder)
		assert.Equal(p.t, failure, lease.Failure)
		assert.InDelta(p.t, long, lease.Left, float64(10*time.Minute))
		if lease.Failure != nil {
			lease.Failure.Message = "changed by the caller, whose own it is"
		}
	}
}

func testLease(t *testing.T, p *pair) {
	p.release("kol", "A") // there is none
	lease := p.acquire("kol", "A", long)
	assert.Equal(t, store.Lease{Holder: "A", Left: long}, lease)
	p.leaseIs("A", nil, "kol")
	assert.Equal(t, "B", p.acquire("KOL", "B", long).Holder, "another KOL")
	p.release("kol", "B")
	p.release("KOL", "A")
	p.leaseIs("A", nil, "kol")
	p.release("kol", "A")
	p.acquire("kol", "B", long)
	p.release("kol", "A") // again
	p.leaseIs("B", nil, "kol")
}

func testRenewed(t *testing.T, p *pair) {
	assert.LessOrEqual(t, p.acquire("kol", "A", short).Left, short)
	assert.LessOrEqual(t, p.acquire("kol", "B", long).Left, short, "a refusal prolongs nothing")
	p.acquire("kol", "A", long)
	p.leaseIs("A", nil, "kol")
	p.acquire("kol", "A", short)
	assert.LessOrEqual(t, p.acquire("kol", "B", long).Left, short, "for a shorter time")
}

func testExpires(t *testing.T, p *pair) {
	for _, kolID := range []string{"taken", "back", "late"} {
		p.acquire(kolID, "A", moment)
	}
	time.Sleep(pause)
	p.acquire("taken", "B", long)
	assert.Equal(t, "B", p.acquire("taken", "A", long).Holder, "its former holder")
	p.leaseIs("B", nil, "taken")
	p.acquire("back", "A", long)
	p.leaseIs("A", nil, "back")
	p.fail("late", "A", long)
	p.acquire("late", "B", long)
	p.leaseIs("B", nil, "late")
}

func testFailure(t *testing.T, p *pair) {
	p.fail("kol", "A", long) // there is no lease
	p.acquire("kol", "A", short)
	p.fail("kol", "B", long)
	p.fail("KOL", "A", long)
	assert.Nil(t, p.acquire("kol", "B", long).Failure, "of those who do not hold the lease")

	for range 2 {
		p.fail("kol", "A", long)
	}
	p.leaseIs("A", failure, "kol")
	assert.Equal(t, failure, p.acquire("kol", "A", long).Failure, "to its holder")
	p.fail("kol", "A", moment)
	time.Sleep(pause)
	p.acquire("kol", "B", long)
	p.leaseIs("B", nil, "kol")

	p.fail("kol", "B", long)
	p.release("kol", "B")
	p.acquire("kol", "C", long)
	p.leaseIs("C", nil, "kol")
}

func testConcurrentAcquires(t *testing.T, p *pair) {
	leases := make([]store.Lease, 100)
	atOnce(len(leases), func(i int) {
		var err error
		leases[i], err = p.next().Acquire(t.Context(), "kol", fmt.Sprint("holder-", i), long)
		assert.NoError(t, err)
	})
	for _, lease := range leases {
		assert.Equal(t, leases[0].Holder, lease.Holder)
	}
	p.leaseIs(leases[0].Holder, nil, "kol")
}

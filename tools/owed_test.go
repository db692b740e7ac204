package tools_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// books is a Collector that writes down what it owes.
type books struct {
	collectorFunc

	mu    sync.Mutex
	debts map[string]*bookedDebt // by KOL
}

type bookedDebt struct {
	ctx         context.Context
	fresh, paid bool
}

func (b *books) Owe(ctx context.Context, answer *schema.Collected, fresh bool) (paid func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := &bookedDebt{ctx: ctx, fresh: fresh}
	if b.debts == nil {
		b.debts = map[string]*bookedDebt{}
	}
	b.debts[answer.KOLID] = d
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		d.paid = true
	}
}

func (b *books) OweFailure(ctx context.Context, kolID string, err error, fresh bool) (paid func()) {
	if failure, ok := errors.AsType[*schema.Error](err); !ok || !failure.Charged {
		return func() {}
	}
	return b.Owe(ctx, &schema.Collected{KOLID: kolID}, fresh)
}

// owed returns the KOLs whose portraits are owed, to calls of one kind.
func (b *books) owed(t *testing.T, fresh bool) []string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(b.debts)) {
		d := b.debts[id]
		assert.Equal(t, fresh, d.fresh, id)
		if !d.paid {
			require.Error(t, d.ctx.Err(), "what is not paid by now is owed")
			ids = append(ids, id)
		}
	}
	return ids
}

// TestAComparisonThatIsToBeRepeatedIsOwedItsPortraits: its KOLs are kol-a and
// kol-b, which have one, and kol-c.
func TestAComparisonThatIsToBeRepeatedIsOwedItsPortraits(t *testing.T) {
	both := []string{"kol-a", "kol-b"}
	for _, test := range []struct {
		name   string
		third  error // of kol-c
		leaves bool  // the client, while kol-c is awaited
		owed   []string
	}{
		{"complete", nil, false, nil},
		{"one is still collecting", &schema.Error{Kind: schema.StillCollecting, Retryable: true}, false, both},
		{"one is worth another try", &schema.Error{Kind: schema.CollectionFailed, Retryable: true}, false, both},
		{"one fails for good", &schema.Error{Kind: schema.UpstreamRejected}, false, nil},
		{"one fails with a charge", &schema.Error{Kind: schema.BadResponse, Charged: true}, false, nil},
		{"one fails with a charge and may not the next time", &schema.Error{Kind: schema.Timeout, Charged: true, Retryable: true}, false, []string{"kol-a", "kol-b", "kol-c"}},
		{"the client leaves", &schema.Error{Kind: schema.StillCollecting, Retryable: true}, true, both},
		{"the client leaves, and one fails for good", &schema.Error{Kind: schema.UpstreamRejected}, true, both},
		{"the client leaves when all are there", nil, true, []string{"kol-a", "kol-b", "kol-c"}},
	} {
		for _, fresh := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				b := &books{collectorFunc: func(_ context.Context, id string, _ bool) (*schema.Collected, error) {
					if id == "kol-c" && test.leaves {
						leave()
					}
					if id == "kol-c" && test.third != nil {
						return nil, test.third
					}
					collected := paid()
					collected.KOLID = id
					return collected, nil
				}}
				_, err := newTools(t, b).Compare(ctx, schema.ComparisonArguments{
					KOLIDs: []string{"kol-a", "kol-b", "kol-c"}, AcceptCache: !fresh, Language: schema.English,
				}, func() {})
				require.NoError(t, err)
				assert.Equal(t, test.owed, b.owed(t, fresh))
			})
		}
	}
}

// What has arrived is owed from the moment at which the client leaves: its next
// call may come before the comparison has noticed.
func TestAClientThatLeavesIsOwedAtOnce(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	b, others := &books{}, make(chan struct{}, 2)
	b.collectorFunc = func(_ context.Context, id string, _ bool) (*schema.Collected, error) {
		if id == "kol-c" {
			<-others
			<-others
			leave()
			assert.Equal(t, []string{"kol-a", "kol-b"}, b.owed(t, true))
		}
		collected := paid()
		collected.KOLID = id
		return collected, nil
	}
	_, err := newTools(t, b).Compare(ctx, schema.ComparisonArguments{
		KOLIDs: []string{"kol-a", "kol-b", "kol-c"}, Language: schema.English,
	}, func() { others <- struct{}{} })
	require.NoError(t, err)
}

func TestAPortraitThatDoesNotReachTheClientIsOwed(t *testing.T) {
	for _, test := range []struct {
		name   string
		leaves bool
		fresh  bool
		owed   []string
	}{
		{"the client has it", false, true, nil},
		{"the client leaves", true, false, []string{kolID}},
		{"the client leaves a fresh call", true, true, []string{kolID}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			b := &books{collectorFunc: func(context.Context, string, bool) (*schema.Collected, error) {
				if test.leaves {
					leave()
				}
				return paid(), nil
			}}
			_, err := newTools(t, b).Portrait(ctx, schema.PortraitArguments{KOLID: kolID, AcceptCache: !test.fresh, Language: schema.English})
			require.NoError(t, err)
			assert.Equal(t, test.owed, b.owed(t, test.fresh))
		})
	}
}

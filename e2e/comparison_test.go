//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// A comparison of twenty, three of which fail, is cancelled while the vendor is
// at work on a few and the others queue for it. All that can be had is had, and
// paid for once, whoever asks next.
func TestCancelledComparisonIsNotLost(t *testing.T) {
	const failing = 3
	kolIDs := []any{"sample-code-600", "sample-code-601", "sample-code-400"} // which the vendor does not charge
	for i := range 20 - failing {
		kolIDs = append(kolIDs, fmt.Sprint("kol-", i))
	}
	for name, store := range stores() {
		t.Run(name, func(t *testing.T) {
			v := startVendor(t)
			e := against(t, v, store(t)).with("JUSTONEAPI_MAX_RPS", "50")
			v.holdBack()
			s := start(t, e)
			ctx, cancel := context.WithCancel(t.Context())
			failed := make(chan error, 1)
			go func() {
				_, err := comparison(ctx, s.Client, kolIDs)
				failed <- err
			}()
			for range 3 {
				<-v.arrived
			}
			cancel()
			require.ErrorIs(t, <-failed, context.Canceled)
			v.release()

			next, err := comparison(t.Context(), s.Client, kolIDs)
			require.NoError(t, err)
			assert.Len(t, next.Portraits, 17)
			assert.Len(t, next.Failures, failing)
			assert.Zero(t, next.Source.Charged)
			s.end(t)

			s = start(t, e)
			later, err := comparison(t.Context(), s.Client, kolIDs)
			require.NoError(t, err)
			assert.Len(t, later.Portraits, 17)
			assert.Equal(t, 17, later.Source.FromStore)
			assert.Zero(t, later.Source.Charged)
			s.end(t)

			assert.Equal(t, 17, v.Charged())
			for _, id := range kolIDs[failing:] {
				assert.Equal(t, 1, v.Requests(id.(string)), id)
			}
		})
	}
}

// A comparison waits no longer than a call may: the late ones are told as still
// being collected, and the next call has them.
func TestComparisonTellsWhatIsLate(t *testing.T) {
	v := startVendor(t)
	s := start(t, against(t, v, sqliteFile(t)).with("PORTRAIT_ANSWER_WITHIN", "1s"))
	s.portraitOf(t, kol)
	v.holdBack()
	first, err := comparison(t.Context(), s.Client, []any{kol, "kol-late"})
	require.NoError(t, err)
	assert.Len(t, first.Portraits, 1)
	require.Len(t, first.Failures, 1)
	assert.Equal(t, schema.StillCollecting, first.Failures[0].Error.Kind)
	assert.Equal(t, 1, first.Source.Charged, "the late one")
	v.release()

	next, err := comparison(t.Context(), s.Client, []any{kol, "kol-late"})
	require.NoError(t, err)
	assert.Len(t, next.Portraits, 2)
	assert.Zero(t, next.Source.Charged)
	assert.Equal(t, 1, v.Requests("kol-late"))
	s.end(t)
}

// A name that is not known is told with the nearest known one, and costs
// nothing.
func TestUnknownNameIsToldWithoutARequest(t *testing.T) {
	v := startVendor(t)
	s := start(t, against(t, v, sqliteFile(t)))
	a := call(t.Context(), t, s.Client, map[string]any{"kolId": kol, "targetAudience": map[string]any{"provinces": []any{"Gaungdong"}}})
	require.NotNil(t, a.Structured.Error)
	assert.Equal(t, schema.InvalidArgument, a.Structured.Error.Kind)
	assert.Contains(t, a.Structured.Error.Message, `"Guangdong"`)
	assert.Zero(t, v.Requests(kol))
	s.end(t)
}

// comparison calls compare_kol_fans_portraits.
func comparison(ctx context.Context, c *client.Client, kolIDs []any) (*schema.Comparison, error) {
	result, err := c.CallTool(ctx, mcp.CallToolRequest{Params: mcp.CallToolParams{
		Name: "compare_kol_fans_portraits", Arguments: map[string]any{"kolIds": kolIDs, "targetAudience": map[string]any{"gender": "female"}},
	}})
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(result.StructuredContent)
	if err != nil {
		return nil, err
	}
	var got schema.Comparison
	return &got, json.Unmarshal(raw, &got)
}

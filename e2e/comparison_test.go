//go:build e2e

package e2e

import (
	"encoding/json"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// A KOL that fails, or is late, does not fail the others; and a comparison that
// is repeated costs only what it has not brought.
func TestComparisonIsPaidOnce(t *testing.T) {
	t.Parallel()
	for name, open := range stores() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startVendor(t)
			s := start(t, against(t, v, open(t)).with("PORTRAIT_ANSWER_WITHIN", "2s"))
			s.portraitOf(t, kol)
			compare := func(acceptCache bool) (got schema.Comparison) {
				result, err := s.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{
					Name:      "compare_kol_fans_portraits",
					Arguments: map[string]any{"kolIds": []any{kol, "kol-new", "kol-late", "sample-code-601"}, "acceptCache": acceptCache},
				}})
				require.NoError(t, err)
				raw, err := json.Marshal(result.StructuredContent)
				require.NoError(t, err)
				require.NoError(t, json.Unmarshal(raw, &got))
				return got
			}
			kinds := func(c schema.Comparison) map[string]schema.Kind {
				kinds := map[string]schema.Kind{}
				for _, f := range c.Failures {
					kinds[f.KOLID] = f.Error.Kind
				}
				return kinds
			}
			broke := map[string]schema.Kind{"sample-code-601": schema.InsufficientBalance}

			v.holdBackOnly("kol-late")
			first := compare(true)
			assert.Len(t, first.Portraits, 2)
			assert.Equal(t, map[string]schema.Kind{"kol-late": schema.StillCollecting, "sample-code-601": schema.InsufficientBalance}, kinds(first))
			assert.Equal(t, 1, first.Source.FromStore)
			assert.Equal(t, 2, first.Source.Charged, "the new one, and the late one")
			v.release()

			second := compare(true)
			assert.Len(t, second.Portraits, 3)
			assert.Equal(t, broke, kinds(second))
			assert.Zero(t, second.Source.Charged)
			assert.Equal(t, 3, v.Charged())

			for _, charged := range []int{3, 0} { // and what was collected fresh is fresh for ten minutes
				again := compare(false)
				assert.Len(t, again.Portraits, 3)
				assert.Equal(t, broke, kinds(again))
				assert.Equal(t, charged, again.Source.Charged)
				assert.Equal(t, 6, v.Charged())
			}
			assert.Equal(t, 6, usage(t, s.Client).Charged)
			s.end(t)
		})
	}
}

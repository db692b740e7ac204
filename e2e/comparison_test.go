//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"syscall"
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

// Who repeats a fresh comparison as it is told to pays for each KOL once, and
// again only for another comparison.
func TestFreshComparisonIsPaidOnceHoweverOftenItIsRepeated(t *testing.T) {
	for name, test := range map[string]struct {
		acceptCache bool
		ttl         string
	}{
		"acceptCache is false": {acceptCache: false, ttl: "24h"},
		"nothing is cached":    {acceptCache: true, ttl: "0"},
	} {
		t.Run(name, func(t *testing.T) {
			v := startVendor(t)
			s := start(t, against(t, v, sqliteFile(t)).with("PORTRAIT_ANSWER_WITHIN", "1s", "PORTRAIT_CACHE_TTL", test.ttl))
			v.holdBackOnly("kol-19")
			fresh := asksFor(twenty(), test.acceptCache)
			for _, charged := range []int{20, 0, 0} {
				part, err := compare(t.Context(), s.Client, fresh, nil)
				require.NoError(t, err)
				assert.Len(t, part.Portraits, 19)
				require.Len(t, part.Failures, 1)
				assert.Equal(t, schema.StillCollecting, part.Failures[0].Error.Kind)
				assert.Equal(t, charged, part.Source.Charged)
			}
			v.release()

			whole := require20(t, s.Client, fresh)
			assert.Zero(t, whole.Source.Charged)
			assert.Equal(t, 20, v.Charged())

			assert.Equal(t, 20, require20(t, s.Client, fresh).Source.Charged)
			assert.Equal(t, 40, v.Charged())
			s.end(t)
		})
	}
}

// nineteenDone is in the progress of a comparison of twenty of which one is
// late.
const nineteenDone = "19 of 20 done"

// The client cancels a fresh comparison when nineteen have arrived, and repeats
// it at once: the server may hear of that in any order.
func TestCancelledFreshComparisonIsPaidOnce(t *testing.T) {
	v := startVendor(t)
	s := start(t, against(t, v, sqliteFile(t)))
	v.holdBackOnly("kol-19")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	when19Done := map[any]func(){"first": cancel, "second": v.release}
	s.OnNotification(func(n mcp.JSONRPCNotification) {
		if message, _ := n.Params.AdditionalFields["message"].(string); strings.Contains(message, nineteenDone) {
			when19Done[n.Params.AdditionalFields["progressToken"]]()
		}
	})
	_, err := compare(ctx, s.Client, asksFor(twenty(), false), &mcp.Meta{ProgressToken: "first"})
	require.ErrorIs(t, err, context.Canceled)

	whole, err := compare(t.Context(), s.Client, asksFor(twenty(), false), &mcp.Meta{ProgressToken: "second"})
	require.NoError(t, err)
	assert.Len(t, whole.Portraits, 20)
	assert.Zero(t, whole.Source.Charged)
	assert.Equal(t, 20, v.Charged())
	s.end(t)
}

// The client disconnects when nineteen have arrived, and is back before the
// server may have noticed.
func TestFreshComparisonOfWhoDisconnectsIsPaidOnce(t *testing.T) {
	v := startVendor(t)
	s, addr := serveHTTP(t, against(t, v, sqliteFile(t)))
	v.holdBackOnly("kol-19")
	ctx, disconnect := context.WithCancel(t.Context())
	defer disconnect()
	for event := range freshComparison(ctx, t, addr) {
		if strings.Contains(event, nineteenDone) {
			disconnect()
		}
	}
	require.Error(t, ctx.Err(), "nineteen have not arrived")

	var last string
	for event := range freshComparison(t.Context(), t, addr) {
		if last = event; strings.Contains(event, nineteenDone) {
			v.release()
		}
	}
	assert.Contains(t, last, "20 KOLs compared")
	assert.Contains(t, last, `"charged":0,`)
	assert.Equal(t, 20, v.Charged())
	s.signal(t, syscall.SIGTERM)
}

// freshComparison calls for a fresh comparison of twenty over HTTP, and yields
// the events that come until the answer is complete or ctx ends.
func freshComparison(ctx context.Context, t *testing.T, addr string) iter.Seq[string] {
	t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{
		"name": "compare_kol_fans_portraits", "arguments": asksFor(twenty(), false), "_meta": map[string]any{"progressToken": "p"},
	}})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/mcp", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	return func(yield func(string) bool) {
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if event, is := strings.CutPrefix(lines.Text(), "data:"); is && !yield(event) {
				return
			}
		}
	}
}

// twenty are the KOLs kol-0 to kol-19.
func twenty() []any {
	kolIDs := make([]any, 20)
	for i := range kolIDs {
		kolIDs[i] = fmt.Sprint("kol-", i)
	}
	return kolIDs
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
	return compare(ctx, c, asksFor(kolIDs, true), nil)
}

// asksFor are the arguments of a comparison.
func asksFor(kolIDs []any, acceptCache bool) map[string]any {
	return map[string]any{"kolIds": kolIDs, "acceptCache": acceptCache, "targetAudience": map[string]any{"gender": "female"}}
}

func compare(ctx context.Context, c *client.Client, arguments map[string]any, meta *mcp.Meta) (*schema.Comparison, error) {
	result, err := c.CallTool(ctx, mcp.CallToolRequest{Params: mcp.CallToolParams{
		Name: "compare_kol_fans_portraits", Arguments: arguments, Meta: meta,
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

// require20 is a comparison that must have twenty portraits.
func require20(t *testing.T, c *client.Client, arguments map[string]any) *schema.Comparison {
	t.Helper()
	whole, err := compare(t.Context(), c, arguments, nil)
	require.NoError(t, err)
	require.Len(t, whole.Portraits, 20)
	require.Empty(t, whole.Failures)
	return whole
}

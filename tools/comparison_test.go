package tools_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

// target is the one of the worked sample.
func target() map[string]any {
	return map[string]any{
		"gender": "female", "ageGroups": []any{"25-34", "35-44"}, "provinces": []any{"Guangdong", "Zhejiang"},
	}
}

// hexIDs returns n ids of the vendor's form, whose portraits the sample vendor
// makes up, but for the first, which is the documented one.
func hexIDs(n int) []any {
	ids := []any{kolID}
	for i := 1; i < n; i++ {
		ids = append(ids, fmt.Sprintf("5f%02xc4d8%03x00001%09x", 7*i, 91*i, 2654435761*uint32(i)))
	}
	return ids
}

func compare(t *testing.T, collector tools.Collector, arguments map[string]any) (text string, structured map[string]any, isError bool) {
	t.Helper()
	return callTool(t, connect(t, newTools(t, collector)), tools.ComparisonToolName, arguments)
}

func TestComparisonTexts(t *testing.T) {
	sparse := []any{"sample-sparse", "sample-unknown-names", kolID}
	for _, test := range []struct {
		golden    string
		arguments map[string]any
	}{
		{"comparison.shortlist.en.txt", map[string]any{"kolIds": []any{kolID, "kol-b", "kol-c"}, "targetAudience": map[string]any{"gender": "female", "ageGroups": "25-34,35-44"}}},
		{"comparison.target.en.txt", map[string]any{"kolIds": hexIDs(3), "targetAudience": target()}},
		{"comparison.target.zh.txt", map[string]any{"kolIds": hexIDs(3), "targetAudience": target(), "language": "zh"}},
		{"comparison.rows.en.txt", map[string]any{"kolIds": hexIDs(8), "targetAudience": target()}},
		{"comparison.rows.zh.txt", map[string]any{"kolIds": hexIDs(8), "language": "zh"}},
		{"comparison.two.en.txt", map[string]any{"kolIds": hexIDs(2)}},
		{"comparison.failures.en.txt", map[string]any{"kolIds": append(hexIDs(2), "sample-code-301", "sample-code-601", "sample-not-json"), "targetAudience": target()}},
		{"comparison.failures.zh.txt", map[string]any{"kolIds": append(hexIDs(2), "sample-code-301"), "language": "zh"}},
		{"comparison.unknown.en.txt", map[string]any{"kolIds": sparse, "targetAudience": map[string]any{"gender": "male", "cities": []any{"Hangzhou", "tier1"}}}},
		{"comparison.unlisted.en.txt", map[string]any{"kolIds": hexIDs(7), "targetAudience": map[string]any{"gender": "female", "cities": []any{"Lhasa"}, "devices": []any{"Meizu"}}}},
		{"comparison.twenty.en.txt", map[string]any{"kolIds": hexIDs(20), "targetAudience": target()}},
	} {
		t.Run(test.golden, func(t *testing.T) {
			text, _, isError := compare(t, nil, test.arguments)
			require.False(t, isError, text)
			golden(t, filepath.Join("../testdata/texts", test.golden), []byte(text+"\n"))
		})
	}
}

func TestAComparisonIsInRankOrderWithATargetElseAsAsked(t *testing.T) {
	kolIDs := func(structured map[string]any) (ids []any) {
		for _, p := range structured["portraits"].([]any) {
			ids = append(ids, p.(map[string]any)["kolId"])
		}
		return ids
	}
	asked := hexIDs(6)
	_, structured, isError := compare(t, nil, map[string]any{"kolIds": asked})
	require.False(t, isError)
	assert.Equal(t, asked, kolIDs(structured))

	_, structured, isError = compare(t, nil, map[string]any{"kolIds": asked, "targetAudience": target()})
	require.False(t, isError)
	var scores []float64
	for i, p := range structured["portraits"].([]any) {
		portrait := p.(map[string]any)
		assert.InDelta(t, i+1, portrait["rank"], 0)
		scores = append(scores, -portrait["fit"].(map[string]any)["score"].(float64))
	}
	assert.True(t, slices.IsSorted(scores), "best first: %v", scores)
	ranked := kolIDs(structured)

	slices.Reverse(asked)
	_, structured, _ = compare(t, nil, map[string]any{"kolIds": asked, "targetAudience": target()})
	assert.Equal(t, ranked, kolIDs(structured), "whatever order they were asked in")
}

func TestDuplicatesAreComparedOnce(t *testing.T) {
	var asked []string
	var mu sync.Mutex
	vendor := sampleVendor(t)
	_, structured, isError := compare(t, collectorFunc(func(ctx context.Context, id string, fresh bool) (*schema.Collected, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, id)
		return vendor.Portrait(ctx, id, fresh)
	}), map[string]any{"kolIds": []any{"kol-a", "https://www.xiaohongshu.com/user/profile/kol-a", "kol-b"}})
	require.False(t, isError)
	assert.ElementsMatch(t, []string{"kol-a", "kol-b"}, asked)
	assert.Len(t, structured["portraits"], 2)
}

// TestOneFailureDoesNotFailTheRest has a collector whose portraits have every
// kind of source.
func TestOneFailureDoesNotFailTheRest(t *testing.T) {
	failures := map[string]*schema.Error{
		"kol-late":   {Kind: schema.StillCollecting, Message: "Not yet.", Retryable: true, RetryAfterSeconds: 10, Charged: true},
		"kol-broken": {Kind: schema.CollectionFailed, Message: "No luck.", UpstreamCode: 301},
	}
	text, structured, isError := compare(t, collectorFunc(func(_ context.Context, id string, _ bool) (*schema.Collected, error) {
		if failure := failures[id]; failure != nil {
			return nil, failure
		}
		collected := paid()
		collected.KOLID = id
		collected.FromStore = id != "kol-new"
		collected.Charged = id == "kol-new"
		collected.OnlyHere = id == "kol-new"
		return collected, nil
	}), map[string]any{"kolIds": []any{"kol-late", "kol-new", "kol-broken", "kol-kept", "kol-old"}})
	require.False(t, isError, text)
	assert.Len(t, structured["portraits"], 3)
	assert.Equal(t, []any{
		map[string]any{"kolId": "kol-late", "error": map[string]any{
			"kind": "still_collecting", "message": "Not yet.", "retryable": true, "retryAfterSeconds": 10.0, "charged": true,
		}},
		map[string]any{"kolId": "kol-broken", "error": map[string]any{
			"kind": "collection_failed", "message": "No luck.", "retryable": false, "upstreamCode": 301.0, "charged": false,
		}},
	}, structured["failures"])
	assert.Equal(t, map[string]any{"environment": "global", "charged": 2.0, "fromStore": 2.0, "sample": false}, structured["source"],
		"the one that is under way is charged to this call too")
	warnings := structured["warnings"].([]any)
	assert.Contains(t, warnings[len(warnings)-1], "set PORTRAIT_STORE to a file that can be written")
	for _, said := range []string{"kol-late: still_collecting: Not yet. Retryable: yes, after 10 s.", "kol-broken: collection_failed: No luck.", "one charged call; up to 1 more for those without a portrait"} {
		assert.Contains(t, text, said)
	}
}

func TestWhereAllFailTheErrorTellsOfEach(t *testing.T) {
	errs := map[string]error{
		"kol-a": &schema.Error{Kind: schema.InvalidToken, Message: "Wrong token."},
		"kol-b": &schema.Error{Kind: schema.BudgetExhausted, Message: "Enough.", Retryable: true, RetryAfterSeconds: 7000},
		"kol-c": &schema.Error{Kind: schema.StillCollecting, Message: "Not yet.", Retryable: true, RetryAfterSeconds: 10, Charged: true},
		"kol-d": errors.New("secret detail"),
	}
	collector := collectorFunc(func(_ context.Context, id string, _ bool) (*schema.Collected, error) {
		if id == "kol-e" {
			panic("secret detail")
		}
		return nil, errs[id]
	})
	for _, test := range []struct {
		name   string
		kolIDs []any
		want   string
	}{
		{"the one worth repeating the soonest says what to do", []any{"kol-a", "kol-b", "kol-c"},
			"Error still_collecting: None of the 3 portraits could be had. " +
				"kol-a: invalid_token: Wrong token. Retryable: no. Charged: no. " +
				"kol-b: budget_exhausted: Enough. Retryable: yes, after 1.9 h. Charged: no. " +
				"kol-c: still_collecting: Not yet. Retryable: yes, after 10 s. Charged: each at most once.\n" +
				"Retryable: yes, after 10 s. Charged: at most once, for the whole collection."},
		{"those of one reason are told together", []any{"kol-a", "kol-d", "kol-e"},
			"Error invalid_token: None of the 3 portraits could be had. " +
				"kol-a: invalid_token: Wrong token. Retryable: no. Charged: no. " +
				"kol-d, kol-e: internal: The server failed on this call; its log has the details. Other calls are not affected. Retryable: no. Charged: assume yes.\n" +
				"Retryable: no. Charged: up to 2 calls."},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, structured, isError := compare(t, collector, map[string]any{"kolIds": test.kolIDs})
			require.True(t, isError)
			assert.Equal(t, test.want, text)
			assert.Len(t, structured["failures"], len(test.kolIDs))
			assert.NoError(t, compiled(t, tools.ComparisonToolName, "outputSchema").Validate(structured))
		})
	}
}

func TestEveryComparisonFitsTheOutputSchema(t *testing.T) {
	output := compiled(t, tools.ComparisonToolName, "outputSchema")
	require.Error(t, output.Validate(map[string]any{}), "neither a comparison nor an error")
	for name, arguments := range map[string]map[string]any{
		"two":          {"kolIds": hexIDs(2)},
		"twenty":       {"kolIds": hexIDs(20), "targetAudience": target()},
		"unknown rows": {"kolIds": []any{"sample-sparse", "sample-unknown-names"}, "targetAudience": map[string]any{"cities": "Hangzhou"}},
		"one failed":   {"kolIds": []any{kolID, "kol-a", "sample-code-601"}},
		"all failed":   {"kolIds": []any{"sample-not-json", "sample-code-601"}},
		"one KOL":      {"kolIds": []any{kolID}},
		"not listed":   {"kolIds": []any{kolID, "kol-a"}, "targetAudience": map[string]any{"interests": "Alcohol"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, structured, _ := compare(t, nil, arguments)
			assert.NoError(t, output.Validate(structured))
		})
	}
}

// TestPortraitsThatCannotBeComparedFitTheOutputSchema: clients that check it
// would throw away what was paid for.
func TestPortraitsThatCannotBeComparedFitTheOutputSchema(t *testing.T) {
	text, structured, isError := compare(t, collectorFunc(func(_ context.Context, id string, _ bool) (*schema.Collected, error) {
		collected := paid()
		collected.KOLID = id
		if id == "kol-aged" {
			collected.Distributions = schema.Distributions{Ages: []schema.AgeShare{{Group: "18-24", Percent: 1}}}
		}
		return collected, nil
	}), map[string]any{"kolIds": []any{"kol-gendered", "kol-aged"}})
	require.False(t, isError, text)
	assert.Equal(t, []any{[]any{}, []any{nil}}, structured["similarity"].(map[string]any)["scores"])
	assert.NotContains(t, text, "imilarity of the profiles")
	require.NoError(t, compiled(t, tools.ComparisonToolName, "outputSchema").Validate(structured))
}

func TestAComparisonReportsProgressAsPortraitsArrive(t *testing.T) {
	for _, test := range []struct {
		name string
		took []time.Duration
		want []string
	}{
		{"one by one, the last by the answer", []time.Duration{time.Second, 12 * time.Second, 13 * time.Second}, []string{
			"1.00 Collecting portraits: 1 of 3 done",
			"1.50 Collecting portraits: 1 of 3 done",
			"1.67 Collecting portraits: 1 of 3 done",
			"2.00 Collecting portraits: 2 of 3 done",
		}},
		{"together where they arrive together", []time.Duration{0, time.Millisecond, time.Second}, []string{
			"2.00 Collecting portraits: 2 of 3 done",
		}},
		{"once where the time to tell of one has come meanwhile", []time.Duration{4950 * time.Millisecond, 7 * time.Second, 8 * time.Second}, []string{
			"1.50 Collecting portraits: 1 of 3 done",
			"2.00 Collecting portraits: 2 of 3 done",
		}},
		{"not where the answer follows at once", []time.Duration{0, 0, 50 * time.Millisecond}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var heard heard
				kolIDs := []any{"kol-a", "kol-b", "kol-c"}
				c := connect(t, newTools(t, collectorFunc(func(_ context.Context, id string, _ bool) (*schema.Collected, error) {
					time.Sleep(test.took[slices.Index(kolIDs, any(id))])
					collected := paid()
					collected.KOLID = id
					return collected, nil
				})))
				c.OnNotification(heard.add)
				_, err := c.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{
					Name:      tools.ComparisonToolName,
					Arguments: map[string]any{"kolIds": kolIDs},
					Meta:      &mcp.Meta{ProgressToken: "t-1"},
				}})
				require.NoError(t, err)
				time.Sleep(time.Minute)

				var got []string
				for _, n := range heard.all() {
					params := n["params"].(map[string]any)
					assert.InDelta(t, 3, params["total"], 0)
					got = append(got, fmt.Sprintf("%.2f %s", params["progress"], params["message"]))
				}
				assert.Equal(t, test.want, got)
			})
		})
	}
}

// TestTheLastPortraitIsToldByTheAnswer has a clock that is slow to look at, and
// so much time between the last portrait and the answer.
func TestTheLastPortraitIsToldByTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard heard
		c := connect(t, tools.New(tools.Options{
			Collector: slowly(0, paid(), nil),
			Language:  schema.English,
			Now: func() time.Time {
				time.Sleep(time.Second)
				return today()
			},
			Logger: slog.New(slog.DiscardHandler),
		}))
		c.OnNotification(heard.add)
		_, err := c.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{
			Name:      tools.ComparisonToolName,
			Arguments: map[string]any{"kolIds": []any{"kol-a", "kol-b"}},
			Meta:      &mcp.Meta{ProgressToken: "t-1"},
		}})
		require.NoError(t, err)
		assert.Empty(t, heard.all())
	})
}

// TestComparisonTokens holds a comparison of twenty to what a model's context
// can afford.
func TestComparisonTokens(t *testing.T) {
	all := target()
	all["cities"], all["interests"], all["devices"] = []any{"tier1"}, []any{"Beauty", "Fashion"}, []any{"Apple"}
	for _, test := range []struct {
		name             string
		target           map[string]any
		text, structured int
	}{
		{"without a target", nil, 2000, 4000},
		{"with a target of three dimensions", target(), 2000, 4000},
		{"with a target of all dimensions", all, 2000, 4000},
	} {
		t.Run(test.name, func(t *testing.T) {
			arguments := map[string]any{"kolIds": hexIDs(20)}
			if test.target != nil {
				arguments["targetAudience"] = test.target
			}
			result, err := connect(t, newTools(t, nil)).CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{
				Name: tools.ComparisonToolName, Arguments: arguments,
			}})
			require.NoError(t, err)
			require.False(t, result.IsError)
			assertTokens(t, result, test.text, test.structured)
		})
	}
}

func TestTheTextOfAComparisonIsAligned(t *testing.T) {
	text, _, isError := compare(t, nil, map[string]any{"kolIds": []any{"kol-a", "kol-bb"}})
	require.False(t, isError)
	var at []int
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "KOL ") || strings.HasPrefix(line, "Women ") || strings.HasPrefix(line, "Core age ") {
			label := strings.Index(line, "  ")
			at = append(at, label+len(line[label:])-len(strings.TrimLeft(line[label:], " ")))
		}
	}
	require.Len(t, at, 3)
	assert.Equal(t, []int{at[0], at[0], at[0]}, at)
}

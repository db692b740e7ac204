package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

// parsed are the arguments of a comparison.
func parsed(t *testing.T, built *tools.Tools, arguments map[string]any) tools.ComparisonArguments {
	t.Helper()
	args, err := built.ParseComparisonArguments(arguments)
	require.NoError(t, err)
	return args
}

func TestTheDocumentedKOL(t *testing.T) {
	a := call(t, connect(t, newTools(t, nil)), tools.PortraitToolName, map[string]any{
		"kolId": kolID, "label": "Lily", "targetAudience": map[string]any{"gender": "female", "ageGroups": "25-34,35-44", "provinces": "Guangdong,Zhejiang"},
	})
	require.False(t, a.IsError, a.text)
	raw, err := os.ReadFile("../testdata/documented-response.json")
	require.NoError(t, err)
	var documented struct{ Data map[string]any }
	require.NoError(t, json.Unmarshal(raw, &documented))
	delete(documented.Data, "dateKey")
	assert.Equal(t, documented.Data, a.structured["distributions"], "the vendor's, value for value")
	assert.Equal(t, "Lily", a.structured["label"])
	assert.Contains(t, a.text, "Lily")
	assert.Contains(t, a.structured["warnings"].([]any)[0], "SAMPLE DATA", "C12: the first warning says that it is simulated")

	fit := a.structured["fit"].(map[string]any)
	assert.InDelta(t, 45.24, fit["score"], 0)
	assert.Equal(t, map[string]any{"estimate": 0.0926, "atLeast": 0.0, "atMost": 0.1703}, fit["targetShare"])
	for of, want := range map[string]float64{"gender": 0.6713, "ageGroups": 0.8099, "places": 0.1703} {
		assert.InDelta(t, want, fit[of].(map[string]any)["matchedShare"], 0, of)
	}
	assert.InDelta(t, 95.9, fit["gender"].(map[string]any)["tgi"], 0)
	assert.Contains(t, a.text, "45.24")
}

// TestAnswersInTheLanguageOfTheCall also has the configured one.
func TestAnswersInTheLanguageOfTheCall(t *testing.T) {
	for _, test := range []struct {
		configured  schema.Language
		asked, want string
	}{
		{schema.English, "", "en"}, {schema.Chinese, "", "zh"}, {schema.Chinese, "en", "en"}, {schema.English, "zh", "zh"},
	} {
		built := tools.New(tools.Options{Collector: sampleVendor(t), Language: test.configured, AnyID: true, Now: today})
		args, err := built.ParsePortraitArguments(map[string]any{"kolId": kolID, "language": test.asked})
		require.NoError(t, err)
		portrait, err := built.Portrait(t.Context(), args)
		require.NoError(t, err)
		assert.Equal(t, schema.Language(test.want), portrait.Language)
		assert.Equal(t, map[string]string{"en": "Guangdong", "zh": "广东"}[test.want], portrait.Summary.TopProvinces[0].Name)
	}
}

func TestWhatMovedIsToldWhereThereIsAnOlderPortrait(t *testing.T) {
	before := paid()
	before.ID, before.AsOf = "before", "2026-10-01"
	before.Distributions.Rows = map[schema.Dimension][]schema.Row{schema.DimensionGender: {{Name: "female", Share: 0.55}, {Name: "male", Share: 0.45}}}
	collect := func(context.Context, string, bool) (*schema.Collected, error) { return paid(), nil }
	args := tools.PortraitArguments{PortraitArguments: schema.PortraitArguments{KOLID: kolID, AcceptCache: true, Language: schema.English}}

	portrait, err := newTools(t, shelf{collectorFunc: collect, older: map[string]*schema.Collected{kolID: before}}).Portrait(t.Context(), args)
	require.NoError(t, err)
	require.NotNil(t, portrait.Change)
	assert.Equal(t, "2026-10-01", portrait.Change.AsOf)
	assert.Len(t, portrait.Change.Gender, 2)

	portrait, err = newTools(t, shelf{collectorFunc: collect, err: errors.New("the store is gone")}).Portrait(t.Context(), args)
	require.NoError(t, err, "an answer that was paid for does not fail for want of an older one")
	assert.Nil(t, portrait.Change)
}

func TestAComparison(t *testing.T) {
	a := call(t, connect(t, newTools(t, nil)), tools.ComparisonToolName, map[string]any{
		"kolIds": []any{"kol-a", kolID, "sample-code-601", "kol-a", "sample-http-502"}, "labels": []any{"A", "", "B", "A again", ""},
		"targetAudience": map[string]any{"gender": "female", "ageGroups": []any{"25-34", "35-44"}}, "language": "zh",
	})
	require.False(t, a.IsError, a.text)
	var got schema.Comparison
	require.NoError(t, json.Unmarshal([]byte(encode(t, a.structured)), &got))
	require.Len(t, got.Portraits, 2)
	assert.Equal(t, []int{1, 2}, []int{got.Portraits[0].Rank, got.Portraits[1].Rank})
	assert.GreaterOrEqual(t, *got.Portraits[0].Fit.Score, *got.Portraits[1].Fit.Score)
	labels := map[string]string{}
	for _, p := range got.Portraits {
		labels[p.KOLID] = p.Label
	}
	assert.Equal(t, map[string]string{"kol-a": "A", kolID: ""}, labels)
	require.Len(t, got.Failures, 2, "in the order in which they were asked for")
	assert.Equal(t, "B", got.Failures[0].Label)
	assert.Equal(t, "数据方账户余额不足：请由账号所有者充值。详情：The vendor account's balance is too low (code 601): \"Insufficient balance\".", got.Failures[0].Error.Message,
		"advice as of a single call")
	assert.Equal(t, schema.ComparisonSource{Environment: schema.EnvironmentSample, Charged: 3, Sample: true}, got.Source)
	assert.Contains(t, got.Warnings[0], "示例数据")
	assert.Contains(t, a.text, "已合并 1 个重复")
}

func TestAComparisonAllOfWhoseKOLsFail(t *testing.T) {
	a := call(t, connect(t, newTools(t, nil)), tools.ComparisonToolName, map[string]any{"kolIds": "sample-code-601,sample-code-602,sample-http-502"})
	e := a.failure(t)
	assert.Equal(t, schema.Error{Kind: schema.UpstreamError, Message: "There is no portrait of any of the 3 KOLs.", Retryable: true, RetryAfterSeconds: 180, Charged: true}, e,
		"that which is worth repeating the soonest")
	assert.Len(t, a.structured["failures"], 3)
	assert.Contains(t, a.text, "\nsample-code-602: insufficient_balance: The vendor account's balance is too low (code 602)")
	assert.Contains(t, a.text, "\nsample-http-502: upstream_error: Something in front of the vendor lost its answer")
}

// TestManyKOLsAreCollectedTwentyAtOnce also has that each is told as it arrives,
// with what was charged so far.
func TestManyKOLsAreCollectedTwentyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var atOnce, most atomic.Int64
		built := newTools(t, collectorFunc(func(_ context.Context, id string, _ bool) (*schema.Collected, error) {
			most.Store(max(most.Load(), atOnce.Add(1)))
			defer atOnce.Add(-1)
			time.Sleep(time.Second)
			c := paid()
			c.KOLID = id
			if id == otherID {
				return nil, &schema.Error{Kind: schema.Timeout, Message: "Too late.", Charged: true}
			}
			return c, nil
		}))
		args := tools.ComparisonArguments{ComparisonArguments: schema.ComparisonArguments{AcceptCache: true, Language: schema.English, KOLIDs: []string{otherID, otherID}}}
		for i := range 99 {
			args.KOLIDs = append(args.KOLIDs, kolID[:22]+string(rune('0'+i/10))+string(rune('0'+i%10)))
		}
		var told []int
		start := time.Now()
		comparison, err := built.Compare(t.Context(), args, func(charged int) { told = append(told, charged) })
		require.NoError(t, err)
		assert.Len(t, comparison.Portraits, 99)
		assert.Len(t, comparison.Failures, 1)
		assert.Equal(t, int64(20), most.Load())
		assert.Equal(t, 5*time.Second, time.Since(start))
		require.Len(t, told, 100)
		for i, charged := range told {
			assert.Equal(t, i+1, charged)
		}
	})
}

func TestFreshDataIsAskedForWhereACallDoes(t *testing.T) {
	for _, acceptCache := range []bool{true, false} {
		built := newTools(t, collectorFunc(func(_ context.Context, _ string, fresh bool) (*schema.Collected, error) {
			assert.Equal(t, !acceptCache, fresh)
			return paid(), nil
		}))
		args := parsed(t, built, map[string]any{"kolIds": []any{kolID, otherID}, "acceptCache": acceptCache})
		_, err := built.Compare(t.Context(), args, func(int) {})
		require.NoError(t, err)
	}
}

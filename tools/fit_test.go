package tools_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

func TestFitTexts(t *testing.T) {
	wide := map[string]any{
		"gender": "female", "cities": []any{"Hangzhou", "tier1"}, "interests": []any{"Skincare", "Food"}, "devices": []any{"iPhone"},
		"weights": map[string]any{"devices": 0.0, "cities": 2.0},
	}
	for _, test := range []struct {
		golden, kol, language string
		target                map[string]any
	}{
		{"fit.en.txt", kolID, "en", target()},
		{"fit.zh.txt", kolID, "zh", target()},
		{"fit.unlisted.en.txt", kolID, "en", wide},
		{"fit.unlisted.zh.txt", kolID, "zh", wide},
		{"fit.one-dimension.en.txt", kolID, "en", map[string]any{"provinces": "East"}},
		{"fit.no-data.en.txt", "sample-sparse", "en", map[string]any{"gender": "male", "cities": "tier1"}},
		{"fit.no-data.zh.txt", "sample-sparse", "zh", map[string]any{"gender": "male", "cities": "tier1"}},
	} {
		t.Run(test.golden, func(t *testing.T) {
			c := connect(t, newTools(t, nil))
			text, structured, isError := call(t, c, map[string]any{
				"kolId": test.kol, "detail": "summary", "language": test.language, "targetAudience": test.target,
			})
			require.False(t, isError, text)
			golden(t, filepath.Join("../testdata/texts", test.golden), []byte(text+"\n"))
			assert.NoError(t, compiled(t, tools.PortraitToolName, "outputSchema").Validate(structured))
		})
	}
}

// TestTheWorkedFit is the documented KOL for women of 25 to 44 in Guangdong or
// Zhejiang.
func TestTheWorkedFit(t *testing.T) {
	_, structured, isError := call(t, connect(t, newTools(t, nil)), map[string]any{"kolId": kolID, "targetAudience": target()})
	require.False(t, isError)
	fit, err := json.Marshal(structured["fit"])
	require.NoError(t, err)
	var got schema.Fit
	require.NoError(t, json.Unmarshal(fit, &got))
	assert.InDelta(t, 55.05, *got.Score, 0)
	assert.InDelta(t, 0.6713, float64(*got.Gender.MatchedShare), 0)
	assert.InDelta(t, 0.8099, float64(*got.AgeGroups.MatchedShare), 0)
	assert.InDelta(t, 0.1703, float64(*got.Provinces.MatchedShare), 0)
	assert.Equal(t, &schema.Reach{Independent: new(schema.Share(0.0926)), AtLeast: 0, AtMost: 0.1703}, got.Reach)
	top := structured["summary"].(map[string]any)["topProvinces"].([]any)[0].(map[string]any)
	assert.Equal(t, "Guangdong", top["name"])
	assert.InDelta(t, 145.7, top["tgi"], 0)
}

// withOlder is a vendor whose KOLs have an older portrait in the store, of
// which some rows were different.
func withOlder(t *testing.T, differ func(*schema.Distributions)) tools.Collector {
	t.Helper()
	older, err := sampleVendor(t).Portrait(t.Context(), kolID, false)
	require.NoError(t, err)
	older.AsOf = "2026-02-08"
	differ(&older.Distributions)
	return shelf{collectorFunc: sampleVendor(t).Portrait, older: map[string]*schema.Collected{kolID: older}}
}

func TestChangeTexts(t *testing.T) {
	moved := func(d *schema.Distributions) {
		d.Gender.Female, d.Gender.Male = new(*d.Gender.Female-0.021), new(*d.Gender.Male+0.021)
		d.Ages[2].Percent -= 0.027
		d.Ages[4].Percent += 0.027
		d.Provinces[0].Percent += 0.0121
		d.Cities[0].Name = "无锡市" // which left the list
	}
	same := func(*schema.Distributions) {}
	for _, test := range []struct {
		golden, language string
		differ           func(*schema.Distributions)
	}{
		{"change.en.txt", "en", moved},
		{"change.zh.txt", "zh", moved},
		{"change.none.en.txt", "en", same},
		{"change.none.zh.txt", "zh", same},
	} {
		t.Run(test.golden, func(t *testing.T) {
			c := connect(t, newTools(t, withOlder(t, test.differ)))
			text, structured, isError := call(t, c, map[string]any{"kolId": kolID, "detail": "summary", "language": test.language})
			require.False(t, isError, text)
			golden(t, filepath.Join("../testdata/texts", test.golden), []byte(text+"\n"))
			require.NoError(t, compiled(t, tools.PortraitToolName, "outputSchema").Validate(structured))
			assert.Equal(t, "2026-02-08", structured["change"].(map[string]any)["asOf"])
		})
	}
}

func TestOnlyAChangeHasAnInsight(t *testing.T) {
	last := func(differ func(*schema.Distributions)) string {
		_, structured, isError := call(t, connect(t, newTools(t, withOlder(t, differ))), map[string]any{"kolId": kolID})
		require.False(t, isError)
		insights := structured["summary"].(map[string]any)["insights"].([]any)
		return insights[len(insights)-1].(string)
	}
	assert.True(t, strings.HasPrefix(last(func(d *schema.Distributions) { d.Ages[2].Percent -= 0.05 }), "Since 2026-02-08: "))
	assert.NotContains(t, last(func(*schema.Distributions) {}), "Since")
}

// TestAnOlderPortraitThatCannotBeReadFailsNothing: the newer one is paid for.
func TestAnOlderPortraitThatCannotBeReadFailsNothing(t *testing.T) {
	broken := brokenOlder{sampleVendor(t)}
	text, structured, isError := call(t, connect(t, newTools(t, broken)), map[string]any{"kolId": kolID})
	require.False(t, isError, text)
	assert.NotContains(t, structured, "change")
}

type brokenOlder struct{ tools.Collector }

func (brokenOlder) Older(context.Context, *schema.Collected) (*schema.Collected, error) {
	return nil, errors.New("no store")
}

// hanging is a Collector that finds older portraits only when it is too late.
type hanging struct{ tools.Collector }

func (hanging) Older(ctx context.Context, _ *schema.Collected) (*schema.Collected, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAnAnswerDoesNotWaitForAnOlderPortrait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		built := tools.New(tools.Options{
			Collector: hanging{collectorFunc(func(context.Context, string, bool) (*schema.Collected, error) { return paid(), nil })},
			Language:  schema.English,
			Now:       today,
			Logger:    slog.New(slog.NewTextHandler(&log, nil)),
		})
		start := time.Now()
		portrait, err := built.Portrait(t.Context(), schema.PortraitArguments{KOLID: kolID, AcceptCache: true, Language: schema.English})
		require.NoError(t, err)
		assert.Equal(t, time.Second, time.Since(start))
		assert.Nil(t, portrait.Change)
		assert.Contains(t, log.String(), "the older portrait cannot be read, so the answer has no change")
	})
}

func TestACallThatHasEndedIsNoFaultOfTheStore(t *testing.T) {
	var log bytes.Buffer
	built := tools.New(tools.Options{
		Collector: hanging{collectorFunc(func(context.Context, string, bool) (*schema.Collected, error) { return paid(), nil })},
		Language:  schema.English,
		Now:       today,
		Logger:    slog.New(slog.NewTextHandler(&log, nil)),
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	portrait, err := built.Portrait(ctx, schema.PortraitArguments{KOLID: kolID, AcceptCache: true, Language: schema.English})
	require.NoError(t, err)
	assert.Nil(t, portrait.Change)
	assert.Empty(t, log.String())
}

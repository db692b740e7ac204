package schema_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream"
)

func TestNumbersAreRoundedAsJSON(t *testing.T) {
	for want, numbers := range map[string][]any{
		"0":       {schema.Share(0), schema.RoughShare(0), schema.Index(0.04), schema.Score(0.004)},
		"0.00004": {schema.Share(0.00004)},
		"0.0004":  {schema.RoughShare(0.0004)},
		"1":       {schema.Share(1), schema.Share(0.99996), schema.RoughShare(0.9996), schema.Similarity(0.996)},
		"0.0001":  {schema.Share(0.00005)},
		"0.6713":  {schema.Share(0.6712749615975423)},
		"0.671":   {schema.RoughShare(0.6712749615975423)},
		"45.24":   {schema.Score(45.2368)},
		"0.97":    {schema.Similarity(0.9712)},
		"145.7":   {schema.Index(145.68)},
		"100":     {schema.Index(100), schema.Index(99.96), schema.Score(100)},
		"27.5":    {schema.Years(27.51)},
	} {
		for _, number := range numbers {
			got, err := json.Marshal(number)
			require.NoError(t, err)
			assert.Equal(t, want, string(got), "%T %v", number, number)
		}
	}
}

func TestDistributionsKeepTheVendorsShapeOrderAndValues(t *testing.T) {
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, documentedData()))
	want := bytes.Replace(compact.Bytes(), []byte(`,"dateKey":"2026-03-08"`), nil, 1)
	got, err := jsonv2.Marshal(new(documented()).InVendorShape())
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))

	d := documented()
	assert.False(t, d.IsEmpty())
	assert.Equal(t, schema.Row{Name: "apple inc.", Label: "苹果", Share: d.Rows[schema.DimensionDevices][0].Share}, d.Rows[schema.DimensionDevices][0])
	for _, some := range []string{`{}`, `{"gender":{"female":0.6}}`, `{"gender":{"male":0,"female":1}}`, `{"devices":[{"name":"b","percent":0.5}]}`, `{"ages":[{"group":"<18","percent":1}]}`} {
		d := upstream.Read([]byte(some)).Distributions
		assert.Equal(t, some == `{}`, d.IsEmpty())
		again, err := jsonv2.Marshal(d.InVendorShape())
		require.NoError(t, err)
		assert.Equal(t, some, string(again))
	}
}

func TestUnknownIsAbsentNotZero(t *testing.T) {
	for want, value := range map[string]any{
		`{}`:                             schema.Match{},
		`{"atLeast":0,"atMost":0}`:       schema.TargetShare{},
		`{"coreGroup":"","coreShare":0}`: schema.AgeSummary{},
		`{"kolId":""}`:                   schema.ComparedPortrait{},
		`{"matched":{}}`:                 schema.ComparedFit{Matched: schema.Matched{}},
		`{"headline":"","insights":[]}`:  schema.Summary{Insights: []string{}},
		`{"target":{}}`:                  schema.Fit{},
		`{"asOf":"2026-03-08"}`:          schema.Change{AsOf: "2026-03-08"},
		`[[],[null],[0.5,null]]`:         schema.LowerTriangle{{}, {nil}, {new(schema.Similarity(0.5)), nil}},
		`{"female":0,"tgi":0}`:           schema.GenderSplit{Female: new(schema.Share(0)), TGI: new(schema.Index(0))}, // known, and none
		`{"kind":"network","message":"","retryable":false,"charged":false}`: schema.Error{Kind: schema.Network},
	} {
		got, err := json.Marshal(value)
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
	}
}

func TestFitHasAMatchForEachTargetDimension(t *testing.T) {
	var f schema.Fit
	for _, d := range schema.TargetDimensions {
		require.Nil(t, *f.Of(d))
		*f.Of(d) = &schema.Match{NotListed: []string{string(d)}}
	}
	assert.Equal(t, []string{"gender"}, f.Gender.NotListed)
	assert.Equal(t, []string{"ageGroups"}, f.AgeGroups.NotListed)
	assert.Equal(t, []string{"places"}, f.Places.NotListed)
	assert.Equal(t, []string{"interests"}, f.Interests.NotListed)
	assert.Equal(t, []string{"devices"}, f.Devices.NotListed)
	assert.Nil(t, f.Of(schema.DimensionCities))
}

func TestDayStartsInShanghai(t *testing.T) {
	for at, want := range map[string]schema.Day{"2026-03-08T15:59:59Z": "2026-03-08", "2026-03-08T16:00:00Z": "2026-03-09", "2026-12-31T20:00:00Z": "2027-01-01"} {
		moment, err := time.Parse(time.RFC3339, at)
		require.NoError(t, err)
		assert.Equal(t, want, schema.DayOf(moment))
		next := schema.NextDay(moment)
		assert.Equal(t, want, schema.DayOf(next.Add(-time.Nanosecond)))
		assert.NotEqual(t, want, schema.DayOf(next))
	}
}

func TestErrorSaysItsKindAndMessage(t *testing.T) {
	err := &schema.Error{Kind: schema.RateLimited, Message: "Too fast."}
	assert.EqualError(t, err, "rate_limited: Too fast.")
}

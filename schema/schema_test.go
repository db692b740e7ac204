package schema_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

func TestShareHasFourDecimalsAsJSON(t *testing.T) {
	for _, test := range []struct {
		share schema.Share
		want  string
	}{
		{0, "0"},
		{1, "1"},
		{0.6712749615975423, "0.6713"},
		{0.5, "0.5"},
		{0.00004, "0"},
		{0.00005, "0.0001"},
		{0.99996, "1"},
	} {
		got, err := json.Marshal(test.share)
		require.NoError(t, err)
		assert.Equal(t, test.want, string(got), "share %v", float64(test.share))
	}
}

func TestDistributionsKeepTheDocumentedDataValueForValue(t *testing.T) {
	raw, err := os.ReadFile("../testdata/documented-response.json")
	require.NoError(t, err)
	var documented struct{ Data map[string]json.RawMessage }
	require.NoError(t, json.Unmarshal(raw, &documented))
	delete(documented.Data, "dateKey")
	data, err := json.Marshal(documented.Data)
	require.NoError(t, err)

	var d schema.Distributions
	require.NoError(t, json.Unmarshal(data, &d))
	again, err := json.Marshal(d)
	require.NoError(t, err)

	// JSONEq compares lists in order and numbers by value.
	assert.JSONEq(t, string(data), string(again))
}

func TestUnknownIsAbsentNotZero(t *testing.T) {
	raw, err := json.Marshal(schema.PortraitResult{Warnings: []string{}, Summary: schema.Summary{Insights: []string{}, Age: &schema.AgeSummary{}}})
	require.NoError(t, err)
	for _, name := range []string{"asOf", "distributions", "gender", "medianYears", "minorShare", "tier1CityShare", "newTier1CityShare", "overseasShare", "topCities", "regions", "requestId"} {
		assert.NotContains(t, string(raw), `"`+name+`"`)
	}
}

func TestErrorSaysItsKindAndMessage(t *testing.T) {
	err := &schema.Error{Kind: schema.RateLimited, Message: "Too fast."}
	assert.EqualError(t, err, "rate_limited: Too fast.")
}

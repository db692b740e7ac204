package schema_test

import (
	"encoding/json"
	"os"
	"strings"
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
	raw, err := json.Marshal(schema.Portrait{Warnings: []string{}, Summary: schema.Summary{Insights: []string{}, Age: &schema.AgeSummary{}}})
	require.NoError(t, err)
	for _, name := range []string{"asOf", "distributions", "gender", "medianYears", "minorShare", "tier1CityShare", "newTier1CityShare", "overseasShare", "topCities", "regions", "requestId"} {
		assert.NotContains(t, string(raw), `"`+name+`"`)
	}
}

func TestInputSchemaIsClosedAndInlined(t *testing.T) {
	raw, err := schema.InputSchema[schema.PortraitArguments]()
	require.NoError(t, err)
	var s struct {
		Schema               string `json:"$schema"`
		Required             []string
		AdditionalProperties *bool
		Properties           map[string]struct {
			Description string
			Default     any
			Pattern     string
			Enum        []string
			Examples    []any
		}
	}
	require.NoError(t, json.Unmarshal(raw, &s))

	assert.Equal(t, "https://json-schema.org/draft/2020-12/schema", s.Schema)
	assert.Equal(t, []string{"kolId"}, s.Required)
	require.NotNil(t, s.AdditionalProperties)
	assert.False(t, *s.AdditionalProperties)
	assert.NotContains(t, string(raw), "$ref")
	assert.Equal(t, true, s.Properties["acceptCache"].Default)
	assert.Equal(t, "full", s.Properties["detail"].Default)
	assert.Equal(t, []string{"en", "zh"}, s.Properties["language"].Enum)
	assert.NotEmpty(t, s.Properties["kolId"].Examples)
	for name, property := range s.Properties {
		assert.NotEmpty(t, property.Description, name)
		assert.False(t, strings.HasSuffix(property.Description, "."), "%s: descriptions are phrases", name)
	}
}

func TestOutputSchemaIsOpenAndInlined(t *testing.T) {
	raw, err := schema.OutputSchema[schema.Portrait]()
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "$ref")
	assert.NotContains(t, string(raw), "additionalProperties")
}

func TestErrorSaysItsKindAndMessage(t *testing.T) {
	err := &schema.Error{Kind: schema.RateLimited, Message: "Too fast."}
	assert.EqualError(t, err, "rate_limited: Too fast.")
}

package audience

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kol-portrait-mcp/schema"
)

func TestCensusIsTheCommuniques(t *testing.T) {
	var provinces, people float64
	for _, n := range census()[schema.DimensionProvinces].people {
		provinces++
		people += n
	}
	assert.InDelta(t, 31, provinces, 0)
	assert.InDelta(t, 1_409_778_724, people, 0)
	var both float64
	for _, n := range census()[schema.DimensionGender].people {
		both += n
	}
	assert.InDelta(t, 1_411_778_724, both, 0, "with servicemen")
}

func TestIndexOfTheDocumentedKOL(t *testing.T) {
	raw, err := os.ReadFile("../testdata/documented-response.json")
	require.NoError(t, err)
	var response struct{ Data schema.Distributions }
	require.NoError(t, json.Unmarshal(raw, &response))
	d := response.Data
	f := readFacts()
	for _, test := range []struct {
		of    schema.Dimension
		names []string
		want  float64
	}{
		{schema.DimensionProvinces, []string{"广东"}, 145.7}, // 0.1190 of 0.9136, against 8.94 %
		{schema.DimensionGender, []string{schema.Female}, 137.7},
		{schema.DimensionGender, []string{schema.Male}, 64.2},
		{schema.DimensionGender, []string{schema.Female, schema.Male}, 100},
	} {
		got := f.baseline.index(test.of, test.names, f.rows(test.of, &d))
		require.NotNil(t, got, "%s %v", test.of, test.names)
		assert.InDelta(t, test.want, float64(*got), 0.05, "%s %v", test.of, test.names)
	}
}

// The census's own mean is 100 whatever the audience: each index weighted by
// how many of the 31 provinces' people live there.
func TestMeanOfTheProvincesIndexesIs100(t *testing.T) {
	b := census()
	people := b[schema.DimensionProvinces].people
	names := slices.Sorted(maps.Keys(people))
	rapid.Check(t, func(t *rapid.T) {
		var rows []schema.NameShare
		for _, name := range append(names, overseas, domestic, "香港") {
			rows = append(rows, schema.NameShare{Name: name, Percent: rapid.Float64Range(0, 1).Draw(t, name)})
		}
		rows[0].Percent += 0.01 // somebody lives in the provinces
		everybody := total(rows, func(row schema.NameShare) float64 { return row.Percent })
		for i := range rows {
			rows[i].Percent /= everybody
		}
		var mean float64
		for _, name := range names {
			index := b.index(schema.DimensionProvinces, []string{name}, rows)
			require.NotNil(t, index, name)
			mean += float64(*index) * people[name] / b[schema.DimensionProvinces].total
		}
		assert.InDelta(t, 100, mean, 1e-9)
		assert.InDelta(t, 100, float64(*b.index(schema.DimensionProvinces, names, rows)), 1e-9, "all of them together")
		assert.Nil(t, b.index(schema.DimensionProvinces, []string{"香港"}, rows), "the census is without it")
		assert.Nil(t, b.index(schema.DimensionProvinces, []string{names[0], overseas}, rows))
	})
}

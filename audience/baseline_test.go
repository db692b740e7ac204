package audience

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

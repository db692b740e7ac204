package audience

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"kol-portrait-mcp/schema"
)

func TestDimensionOf(t *testing.T) {
	for want, words := range map[schema.Dimension][]string{
		schema.DimensionGender:    {"gender", "Gender", "genders", "sex"},
		schema.DimensionAgeGroups: {"ageGroups", "age_groups", "age group", "ages", "Age"},
		schema.DimensionProvinces: {"provinces", "province", "regions", "Region"},
		schema.DimensionCities:    {"cities", "CITY"},
		schema.DimensionInterests: {"interests", "interest"},
		schema.DimensionDevices:   {"devices", "device"},
		"":                        {"", "weights", "brand fit"},
	} {
		for _, word := range words {
			of, known := DimensionOf(word)
			assert.Equal(t, want, of, word)
			assert.Equal(t, want != "", known, word)
		}
	}
	for _, d := range schema.Dimensions() {
		of, known := DimensionOf(string(d))
		assert.True(t, known)
		assert.Equal(t, d, of, "each by its own name")
	}
}

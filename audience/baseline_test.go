package audience

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

func TestBuiltInBaseline(t *testing.T) {
	references := builtIn()
	assert.Len(t, references, 2)
	census, gender := references[schema.DimensionProvinces], references[schema.DimensionGender]
	assert.Len(t, census.known, 31)
	guangdong, _ := census.row(known().entry(schema.DimensionProvinces, "广东"))
	assert.InDelta(t, 126_012_510.0/1_409_778_724, guangdong, 1e-12)
	_, listed := census.row(known().entry(schema.DimensionProvinces, "香港"))
	assert.False(t, listed)
	women, _ := gender.row(known().entry(schema.DimensionGender, schema.Female))
	assert.InDelta(t, 0.7, women, 1e-12)
}

func TestOwnBaseline(t *testing.T) {
	own, err := NewBaseline(&schema.Distributions{Rows: map[schema.Dimension][]schema.Row{
		"ageGroups": {{Name: "45+", Share: 0.2}},
		"provinces": {{Name: "Guangdong", Share: 0.1}, {Name: "中国", Share: 0.01}},
		"devices":   {{Name: "hw01", Label: "华为", Share: 0.2}, {Name: "apple inc.", Share: 0.3}, {Name: "apple", Share: 0.1}},
	}})
	require.NoError(t, err)
	references := New(own).references()
	shares := func(of schema.Dimension) map[string]float64 {
		shares := map[string]float64{}
		for _, row := range references[of].known {
			shares[row.of.key] = row.Share
		}
		return shares
	}
	assert.Equal(t, map[string]float64{">44": 0.2}, shares(schema.DimensionAgeGroups))
	assert.Equal(t, map[string]float64{"广东": 0.1, "中国": 0.01}, shares(schema.DimensionProvinces))
	assert.Equal(t, map[string]float64{"huawei": 0.2, "apple inc.": 0.4}, shares(schema.DimensionDevices), "two rows of one brand are one")
	assert.Equal(t, Own, references[schema.DimensionProvinces].source)
	assert.Equal(t, Platform, references[schema.DimensionGender].source, "as built in")
}

func TestBaselinesThatAreRefused(t *testing.T) {
	rows := func(of schema.Dimension, rows ...schema.Row) *schema.Distributions {
		return &schema.Distributions{Rows: map[schema.Dimension][]schema.Row{of: rows}}
	}
	for _, tt := range []struct {
		name string
		d    *schema.Distributions
		want string
	}{
		{"nothing", &schema.Distributions{}, "it has no rows: it takes any of ages, gender, provinces, cities, interests and devices, shaped as in a portrait's distributions"},
		{"a city among provinces", rows("provinces", schema.Row{Name: "Shenzhen", Share: 0.1}), `provinces: "Shenzhen" is not known`},
		{"a region", rows("provinces", schema.Row{Name: "华东", Share: 0.3}), `provinces: "华东" is not known`},
		{"a span of ages", rows("ageGroups", schema.Row{Name: "18-34", Share: 0.3}), `ageGroups: "18-34" is not known`},
		{"nobody", rows("interests", schema.Row{Name: "美食"}), "interests: the shares sum to 0; they are fractions of 1"},
		{"more than everybody", rows("devices", schema.Row{Name: "huawei", Share: 0.6}, schema.Row{Name: "vivo", Share: 0.5}), "devices: the shares sum to 1.1; they are fractions of 1"},
		{"rows left out", &schema.Distributions{LeftOut: map[schema.Dimension]int{"cities": 2}}, "cities: rows without a usable name and share, or there twice: 2; a share is a fraction from 0 to 1"},
	} {
		own, err := NewBaseline(tt.d)
		require.EqualError(t, err, tt.want, tt.name)
		assert.Nil(t, own)
	}
}

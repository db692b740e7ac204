package audience_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

func TestDocumentedPlaces(t *testing.T) {
	d, _ := documented(t)
	s := audience.New(nil).Summarize(d, schema.English)

	// Beijing and Shanghai as provinces, Guangzhou and Shenzhen as cities.
	require.NotNil(t, s.Tier1CityShare)
	assert.InDelta(t, 0.0514644+0.0335061+0.0257925+0.0290466, float64(*s.Tier1CityShare), 1e-6)
	// Chongqing and Tianjin as provinces, Chengdu, Wuhan and Suzhou as cities.
	require.NotNil(t, s.NewTier1CityShare)
	assert.InDelta(t, 0.0189225+0.0173557+0.0209714+0.0185609+0.0173557, float64(*s.NewTier1CityShare), 1e-6)
	require.NotNil(t, s.OverseasShare)
	assert.InDelta(t, 0.0607448, float64(*s.OverseasShare), 1e-6)

	var placed schema.Share
	for _, region := range s.Regions {
		placed += region.Share
	}
	assert.Len(t, s.Regions, 8)
	assert.InDelta(t, 1-0.0607448-0.0012053, float64(placed), 1e-4, "all but overseas and province unknown")
}

func TestTierShares(t *testing.T) {
	for _, tt := range []struct {
		name              string
		provinces, cities []schema.NameShare
		tier1, newTier1   float64 // -1 where it is not known
	}{
		{"nothing listed", nil, nil, -1, -1},
		{"none of the tiers listed", rows(row("广东", 0.5)), rows(row("昆明", 0.1)), -1, -1},
		{"a municipality counts once, as a province", rows(row("北京", 0.1)), rows(row("北京", 0.09)), 0.1, -1},
		{"a municipality from the cities, where no province is listed", nil, rows(row("上海", 0.09)), 0.09, -1},
		{"the province of a city is not the city", rows(row("广东", 0.4)), rows(row("广州", 0.1), row("深圳", 0.05)), 0.15, -1},
		{"new first-tier, by province and by city", rows(row("重庆", 0.1), row("天津", 0.05)), rows(row("重庆", 0.1), row("成都", 0.2)), -1, 0.35},
		{"listed with nobody", rows(row("北京", 0)), rows(row("成都", 0)), 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := audience.New(nil).Summarize(&schema.Distributions{Provinces: tt.provinces, Cities: tt.cities}, schema.English)
			assertShare(t, tt.tier1, s.Tier1CityShare)
			assertShare(t, tt.newTier1, s.NewTier1CityShare)
		})
	}
}

func assertShare(t *testing.T, want float64, got *schema.Share) {
	t.Helper()
	if want < 0 {
		assert.Nil(t, got)
		return
	}
	require.NotNil(t, got)
	assert.InDelta(t, want, float64(*got), 1e-9)
}

func TestRegionsAndProvinces(t *testing.T) {
	s := audience.New(nil).Summarize(&schema.Distributions{Provinces: rows(
		row("海外", 0.3), row("中国", 0.2), row("某地", 0.1), row("台湾", 0.1),
		row("上海", 0.05), row("江苏", 0.125), row("广东", 0.125),
	)}, schema.English)

	assert.Equal(t, []schema.RankedShare{
		{Name: "East", Share: 0.175}, {Name: "South", Share: 0.125}, {Name: "Hong Kong/Macao/Taiwan", Share: 0.1},
	}, s.Regions, "overseas, an unknown province and an unknown name are in no region")
	for i := range s.TopProvinces {
		s.TopProvinces[i].TGI = nil // which has tests of its own
	}
	assert.Equal(t, []schema.RankedShare{
		{Name: "Jiangsu", Share: 0.125}, {Name: "Guangdong", Share: 0.125}, // equals: in the vendor's order
		{Name: "某地", Share: 0.1}, // a name that is not known may well be a place
	}, s.TopProvinces, "overseas and an unknown province are no places")
}

func TestOverseasIsAbsentWithoutItsRow(t *testing.T) {
	s := audience.New(nil).Summarize(&schema.Distributions{Provinces: rows(row("广东", 1))}, schema.English)
	assert.Nil(t, s.OverseasShare)

	s = audience.New(nil).Summarize(&schema.Distributions{Provinces: rows(row("海外", 0))}, schema.English)
	assertShare(t, 0, s.OverseasShare)
	assert.Empty(t, s.TopProvinces)
	assert.Empty(t, s.Regions)
}

func TestNoSumsWherePlacesHoldMoreThanEverybody(t *testing.T) {
	for name, d := range map[string]*schema.Distributions{
		"provinces": {Provinces: rows(row("北京", 1), row("上海", 1), row("广东", 1))},
		"cities":    {Cities: rows(row("北京", 0.9), row("广州", 0.9))},
	} {
		t.Run(name, func(t *testing.T) {
			s := audience.New(nil).Summarize(d, schema.English)
			assert.Nil(t, s.Tier1CityShare)
			assert.Nil(t, s.Regions)
		})
	}
}

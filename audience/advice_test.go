package audience

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// A model that takes up a suggestion must not end with the opposite audience.
func TestOtherTiersAreNotTakenForTheFirst(t *testing.T) {
	for _, name := range []string{
		"二线", "二线城市", "三线", "四线城市", "五线", "2线城市", "一二线城市", "三四线", "新二线", "1.5线", "二線城市", "一线以下", "低线城市", "下沉市场", "县城", "小镇青年",
		"tier2", "Tier 2", "tier-2 cities", "tier 3", "tier4", "tier5", "Tier 1-2", "tier 1 and 2", "new tier 2", "tier two", "below tier 1",
		"T2", "T3 cities", "T1/T2", "second-tier", "2nd tier cities", "third tier", "fourth-tier cities", "lower-tier", "lower tier cities", "low-tier",
	} {
		for _, target := range []schema.TargetAudience{{Cities: []string{name}}, {Provinces: []string{name}}} {
			assert.Contains(t, refused(t, &target), `Of the tiers, only "tier1" and "new-tier1" are known`, name)
		}
	}
	for _, name := range []string{"tier 1", "T1", "一线", "new first-tier", "Tianjin", "Taiyuan"} {
		assert.False(t, otherTier(fold(name)), name)
	}
}

func TestDirectionsAreNotTakenForOthers(t *testing.T) {
	for _, name := range []string{
		"Southeast", "South East China", "West", "Western", "Western China", "East coast", "coastal areas", "inland", "west of China", "Mid-west-east",
		"东南", "西部", "东部地区", "中部", "南方", "北方", "北部", "南部", "华西", "中西部", "东南沿海", "沿海", "内陆地区",
	} {
		message := refused(t, &schema.TargetAudience{Provinces: []string{name}})
		if name == "Mid-west-east" { // no direction, and near to none
			assert.NotContains(t, message, "Did you mean", name)
			continue
		}
		assert.Contains(t, message, " regions are ", name)
	}
	for name, want := range map[string]string{
		"Norheast": `Did you mean "Northeast China"?`,
		"Southwst": `Did you mean "Southwest China"?`,
		"Wast":     "It takes provinces",
		"Narnia":   "It takes provinces",
	} {
		assert.Contains(t, refused(t, &schema.TargetAudience{Provinces: []string{name}}), want)
	}
}

func TestAreasAreMadeOfKnownPlaces(t *testing.T) {
	f := readFacts()
	for _, row := range areaTable() {
		assert.NotEmpty(t, row[2]+row[3], row[0])
		for of, cell := range map[schema.Dimension]string{schema.DimensionProvinces: row[2], schema.DimensionCities: row[3]} {
			for _, name := range aliases(cell) {
				assert.Contains(t, f.names[of], name, row[0])
			}
		}
		for _, name := range append(aliases(row[4]), row[0], row[1]) {
			area, known := f.areas().find(name)
			require.True(t, known, name)
			assert.Equal(t, row[1], area.label.en, "%s is one area", name)
			for _, of := range named() {
				_, known := f.meaning(of, name)
				assert.False(t, known, "%s would be taken for %s", name, of)
			}
		}
	}
}

func TestTheInterestsThatAreTold(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "documented-response.json"))
	require.NoError(t, err)
	var response struct{ Data schema.Distributions }
	require.NoError(t, json.Unmarshal(raw, &response))
	var names []string
	for _, row := range response.Data.Interests {
		names = append(names, row.Name)
	}
	assert.Equal(t, strings.Join(names, " "), strings.Join(documentedInterests(), " "))
}

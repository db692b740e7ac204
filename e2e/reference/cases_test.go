//go:build e2e

package reference

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// figures are wanted ones by their paths in an answer; nil is absent. A path that
// begins with a dot is of the first portrait.
type figures map[string]any

// named are the figures that were promised for the documented response, and the
// cases from the field that are about figures.
var named = []struct {
	name   string
	spoil  func(data)             // of the documented response
	target *schema.TargetAudience // nil: none
	also   []func(data)           // of other KOLs' documented responses
	want   figures
}{
	{
		name:   "documented: women, 25-44, Guangdong and Zhejiang",
		target: &schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-34", "35-44"}, Provinces: []string{"Guangdong", "Zhejiang"}},
		want: figures{
			".fit.gender.matchedShare": 0.6713, ".fit.ageGroups.matchedShare": 0.8099, ".fit.places.matchedShare": 0.1703, ".fit.places.atMost": nil,
			".fit.targetShare.estimate": 0.0926, ".fit.targetShare.atLeast": 0.0, ".fit.targetShare.atMost": 0.1703, ".fit.score": 45.24, ".fit.scoreAtMost": nil,
		},
	},
	{
		name: "documented: the index",
		want: figures{
			".summary.topProvinces.0.name": "Guangdong", ".summary.topProvinces.0.tgi": 145.7, ".summary.gender.tgi": 95.9,
			".summary.lowProvinces.0.name": "Guizhou", ".summary.lowProvinces.0.tgi": 39.1, ".summary.regions.0.name": "East", ".summary.regions.0.share": 0.2969, ".summary.regions.0.tgi": nil, ".summary.age.medianYears": 38.2,
		},
	},
	{
		name:  "V1: the last age group is named otherwise",
		spoil: func(d data) { d.rename("ages", ">44", "45+") }, target: &schema.TargetAudience{AgeGroups: []string{">44"}},
		also: []func(data){func(d data) { d.rename("ages", ">44", "45岁以上"); d.rename("ages", "18-24", "18~24") }},
		want: figures{
			".fit.ageGroups.matchedShare": 0.1342, ".fit.ageGroups.notListed": nil, "portraits.1.fit.ageGroups.matchedShare": 0.1342,
			"portraits.1.summary.age.medianYears": 38.2,
		},
	},
	{
		name: "V2: names in full",
		spoil: func(d data) {
			d.rename("provinces", "广东", "广东省")
			d.rename("provinces", "内蒙古", "内蒙古自治区")
			d.rename("cities", "深圳", "深圳市")
			d.rename("devices", "apple inc.", "iPhone")
			delete(d.rows("devices")[0], "desc")
		},
		target: &schema.TargetAudience{Provinces: []string{"广东"}, Devices: []string{"Apple"}},
		want: figures{
			".fit.places.matchedShare": 0.119, ".fit.places.tgi": 145.7, ".fit.devices.matchedShare": 0.434, ".summary.topProvinces.0.name": "Guangdong",
			".summary.tier1CityShare": 0.1398, ".summary.regions.2.name": "North", ".summary.regions.2.share": 0.1437,
		},
	},
	{
		name:  "V3: a row whose name means nothing known",
		spoil: func(d data) { d.rename("provinces", "浙江", "某某") }, target: &schema.TargetAudience{Provinces: []string{"Zhejiang"}},
		want: figures{
			".fit.places.matchedShare": nil, ".fit.places.notListed.0": "Zhejiang", ".fit.places.atMost": 0.0513, ".fit.score": nil, ".fit.scoreAtMost": 5.13,
			".summary.overseasShare": 0.0607, ".fit.targetShare.estimate": nil, ".fit.targetShare.atMost": 0.0513,
		},
	},
	{
		name:  "V4: no gender data",
		spoil: func(d data) { d["gender"] = map[string]any{"male": 0, "female": 0} }, target: &schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-34"}},
		want: figures{
			".summary.gender": nil, ".fit.gender.matchedShare": nil, ".fit.gender.atMost": nil, ".fit.score": nil, ".fit.scoreAtMost": nil,
			".fit.targetShare.estimate": nil, ".fit.targetShare.atLeast": 0.0, ".fit.targetShare.atMost": 0.2737,
		},
	},
	{
		name: "V5: rows left out, shares as text",
		spoil: func(d data) {
			d["gender"] = []any{}
			d.rows("cities")[2]["percent"] = nil // Shenzhen
			d["interests"] = append(d.rows("interests"), row{"name": "美食", "percent": 0.5})
			d.rows("ages")[0]["percent"], d.rows("ages")[1]["percent"] = "0.0204", "3.5%"
		},
		target: &schema.TargetAudience{Cities: []string{"Shenzhen"}, Interests: []string{"Skincare", "Food"}},
		want: figures{
			".summary.gender": nil, ".summary.age.minorShare": 0.0204, ".summary.topInterests.0.share": 0.0843, ".summary.tier1CityShare": 0.1108,
			".fit.places.notListed.0": "Shenzhen", ".fit.places.atMost": 0.0932, ".fit.interests.matchedShare": 0.0843, ".fit.interests.atMost": 0.2666,
		},
	},
	{
		name:  "V8: two KOLs alike but for a name",
		spoil: func(d data) { d.rename("ages", ">44", "45+") }, also: []func(data){func(data) {}}, target: &schema.TargetAudience{AgeGroups: []string{"45+"}},
		want: figures{
			"comparison.portraits.0.fit.score": 13.42, "comparison.portraits.1.fit.score": 13.42, "comparison.similarity.1.0": 1.0, "comparison.ties.0.1": 2.0,
		},
	},
	{
		name:   "C6: a city in a chosen province, and a municipality",
		target: &schema.TargetAudience{Provinces: []string{"Guangdong"}, Cities: []string{"Shenzhen", "Shanghai"}},
		want:   figures{".fit.places.matchedShare": 0.1525, ".fit.places.notListed": nil, ".fit.targetShare.estimate": 0.1525},
	},
	{
		name:   "C7: interests are no people",
		target: &schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-34"}, Interests: []string{"Beauty"}},
		want: figures{
			".fit.targetShare.estimate": 0.1837, ".fit.targetShare.atLeast": 0.0, ".fit.targetShare.atMost": 0.2737, ".fit.interests.matchedShare": 0.0377, ".fit.score": 19.06,
		},
	},
	{
		name:   "C8: a strong dimension does not pay for a weak one",
		spoil:  func(d data) { d["gender"] = row{"female": 0.95, "male": 0.05}; ages(d, 0.6, 0.05) },
		also:   []func(data){func(d data) { d["gender"] = row{"female": 0.5, "male": 0.5}; ages(d, 0.3, 0.35) }},
		target: &schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-34"}},
		want:   figures{"comparison.portraits.0.kolId": "kol2", "comparison.portraits.0.fit.score": 41.83, "comparison.portraits.1.fit.score": 21.79},
	},
	{
		name:   "C11: a plus, not a must",
		target: &schema.TargetAudience{Gender: "female", Devices: []string{"iPhone"}, Soft: []string{"devices"}},
		want:   figures{".fit.targetShare.estimate": 0.6713, ".fit.targetShare.atLeast": 0.6713, ".fit.targetShare.atMost": 0.6713, ".fit.score": 53.98},
	},
	{
		name: "M7: more than everybody",
		spoil: func(d data) {
			for _, r := range d.rows("ages") {
				r["percent"] = 0.9
			}
			d.rows("cities")[2]["percent"], d.rows("cities")[3]["percent"] = 0.5, 0.46 // Shenzhen, Guangzhou
		},
		target: &schema.TargetAudience{AgeGroups: []string{"<18"}, Cities: []string{"Shenzhen"}},
		want: figures{
			".summary.age": nil, ".summary.topCities": nil, ".summary.tier1CityShare": nil, ".fit.ageGroups.matchedShare": nil, ".fit.ageGroups.atMost": nil,
			".fit.places.matchedShare": nil, ".fit.places.atMost": 0.119, ".fit.score": nil, ".fit.scoreAtMost": nil,
			"comparison.portraits.0.coreAgeGroup": nil, "comparison.portraits.0.tier1CityShare": nil,
		},
	},
	{
		name:   "one of an unknown score, and two with nobody of the target",
		spoil:  func(d data) { d["gender"] = row{"female": 0.66} },
		also:   []func(data){func(d data) { d["gender"] = row{"female": 0.99} }, func(d data) { d["gender"] = row{"female": 0.98} }},
		target: &schema.TargetAudience{Gender: "male"},
		want: figures{
			".fit.score": nil, ".fit.scoreAtMost": 34.0, "portraits.1.fit.score": 0.0, "portraits.1.summary.gender.male": 0.0,
			"comparison.portraits.0.kolId": "kol1", "comparison.ties.0.0": 2.0, "comparison.ties.0.1": 3.0,
		},
	},
	{
		name:  "none of a tier's cities is listed",
		spoil: func(d data) { delete(d, "cities"); d["provinces"] = d.rows("provinces")[:19] }, // without Chongqing and Tianjin
		want:  figures{".summary.newTier1CityShare": nil, ".summary.tier1CityShare": 0.085},
	},
}

func (d data) rename(of, name, other string) {
	for _, r := range d.rows(of) {
		if r["name"] == name {
			r["name"] = other
		}
	}
}

// ages makes up ages of which two are given.
func ages(d data, to24, to34 float64) {
	for i, share := range []float64{0.05, to24, to34, 0.2, 0.75 - to24 - to34} {
		d.rows("ages")[i]["percent"] = share
	}
}

func TestNamedCases(t *testing.T) {
	r := startReference(t)
	for _, test := range named {
		t.Run(test.name, func(t *testing.T) {
			c := testCase{Language: schema.English, Target: test.target}
			for i, spoil := range append([]func(data){test.spoil}, test.also...) {
				d := documented(t)
				if spoil != nil {
					spoil(d)
				}
				c.Portraits = append(c.Portraits, portrait{"kol" + strconv.Itoa(i+1), d})
			}
			text, err := json.Marshal(c)
			require.NoError(t, err)
			got, err := audienceAnswers(text)
			require.NoError(t, err)
			for path, want := range test.want {
				path = strings.TrimPrefix(strings.Replace("^"+path, "^.", "portraits.0.", 1), "^")
				assert.Equal(t, want, at(got, path), path)
			}
			found, err := r.differences(c)
			require.NoError(t, err)
			assert.Empty(t, found)
		})
	}
}

// at is what stands at a path.
func at(tree any, path string) any {
	for _, field := range strings.Split(path, ".") {
		switch node := tree.(type) {
		case map[string]any:
			tree = node[field]
		case []any:
			i, _ := strconv.Atoi(field)
			tree = element(node, i)
		default:
			return nil
		}
	}
	return tree
}

package audience_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// fitter reads the tables once for all the fits of the properties.
var fitter = audience.New(nil)

// fitOf fits followers to a target audience in a caller's words.
func fitOf(tb rapid.TB, in schema.TargetAudience, d *schema.Distributions, lang schema.Language) *schema.Fit {
	tb.Helper()
	target, err := fitter.Target(&in)
	require.NoError(tb, err)
	return fitter.Fit(target, d, lang)
}

func TestFitOfTheDocumentedKOL(t *testing.T) {
	d, _ := documented(t)
	for _, lang := range []schema.Language{schema.English, schema.Chinese} {
		t.Run(string(lang), func(t *testing.T) {
			golden(t, "documented-fit-"+string(lang), fitOf(t, schema.TargetAudience{
				Gender:    "female",
				AgeGroups: []string{"25-34", "35-44"},
				Provinces: []string{"广东", "浙江"},
			}, d, lang))
		})
	}
}

func TestNobodyIsAskedFor(t *testing.T) {
	d, _ := documented(t)
	assert.Nil(t, audience.New(nil).Fit(nil, d, schema.English))
	assert.Empty(t, audience.New(nil).Fit(&audience.Target{}, d, schema.English).Explanation)
	assert.Nil(t, audience.New(nil).Fit(&audience.Target{}, d, schema.English).Reach)
}

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		name   string
		target schema.TargetAudience
		d      schema.Distributions
		of     schema.Dimension
		want   string
	}{
		{
			"selected rows are summed",
			schema.TargetAudience{AgeGroups: []string{"25-34", "35-44"}},
			schema.Distributions{Ages: agesOf(0.1, 0.1, 0.3, 0.4, 0.1)},
			schema.DimensionAgeGroups,
			`{"matchedShare": 0.7, "lowerBound": false}`,
		},
		{
			"a row that holds nobody is a known share",
			schema.TargetAudience{AgeGroups: []string{">44"}},
			schema.Distributions{Ages: agesOf(0.1, 0.2, 0.3, 0.4, 0)},
			schema.DimensionAgeGroups,
			`{"matchedShare": 0, "lowerBound": false}`,
		},
		{
			"gender has an index",
			schema.TargetAudience{Gender: "male"},
			schema.Distributions{Gender: genderOf(0.5, 0.5)},
			schema.DimensionGender,
			`{"matchedShare": 0.5, "lowerBound": false, "tgi": 97.6}`,
		},
		{
			"a list two points short is whole",
			schema.TargetAudience{Interests: []string{"美食"}},
			schema.Distributions{Interests: rows(row("美食", 0.58), row("旅游", 0.4))},
			schema.DimensionInterests,
			`{"matchedShare": 0.58, "lowerBound": false}`,
		},
		{
			"a list shorter than that is cut off",
			schema.TargetAudience{Interests: []string{"美食"}},
			schema.Distributions{Interests: rows(row("美食", 0.57), row("旅游", 0.4))},
			schema.DimensionInterests,
			`{"matchedShare": 0.57, "lowerBound": true}`,
		},
		{
			"a name without a row is not listed",
			schema.TargetAudience{Interests: []string{"美食", "汽车", "教育"}},
			schema.Distributions{Interests: rows(row("美食", 0.6), row("旅游", 0.4))},
			schema.DimensionInterests,
			`{"matchedShare": 0.6, "lowerBound": true, "notListed": ["Cars", "Education"]}`,
		},
		{
			"none of the names has a row",
			schema.TargetAudience{Provinces: []string{"浙江"}},
			schema.Distributions{Provinces: rows(row("广东", 0.9))},
			schema.DimensionProvinces,
			`{"lowerBound": true, "notListed": ["Zhejiang"]}`,
		},
		{
			"nor need have one where the others are everybody",
			schema.TargetAudience{Provinces: []string{"浙江"}},
			schema.Distributions{Provinces: rows(row("广东", 1))},
			schema.DimensionProvinces,
			`{"matchedShare": 0, "lowerBound": false, "tgi": 0}`,
		},
		{
			"but not where a row was left out: it may have been that one",
			schema.TargetAudience{Provinces: []string{"浙江"}},
			schema.Distributions{Provinces: rows(row("广东", 1)), LeftOut: map[schema.Dimension]int{schema.DimensionProvinces: 1}},
			schema.DimensionProvinces,
			`{"lowerBound": true, "notListed": ["Zhejiang"]}`,
		},
		{
			"nor for a city that is a province",
			schema.TargetAudience{Cities: []string{"北京"}},
			schema.Distributions{Provinces: rows(row("北京", 1)), LeftOut: map[schema.Dimension]int{schema.DimensionProvinces: 1}},
			schema.DimensionCities,
			`{"matchedShare": 1, "lowerBound": true, "tgi": 6439.4}`,
		},
		{
			"provinces have an index among the provinces",
			schema.TargetAudience{Provinces: []string{"广东"}},
			schema.Distributions{Provinces: rows(row("广东", 0.0894), row("浙江", 0.9106))},
			schema.DimensionProvinces,
			`{"matchedShare": 0.0894, "lowerBound": false, "tgi": 100}`,
		},
		{
			"overseas has none",
			schema.TargetAudience{Provinces: []string{"广东", "海外"}},
			schema.Distributions{Provinces: rows(row("广东", 0.5), row("海外", 0.5))},
			schema.DimensionProvinces,
			`{"matchedShare": 1, "lowerBound": false}`,
		},
		{
			"cities are always cut off",
			schema.TargetAudience{Cities: []string{"广州"}},
			schema.Distributions{Cities: rows(row("广州", 0.6), row("深圳", 0.4))},
			schema.DimensionCities,
			`{"matchedShare": 0.6, "lowerBound": true}`,
		},
		{
			"cities that are provinces are read off the provinces",
			schema.TargetAudience{Cities: []string{"北京", "上海"}},
			schema.Distributions{
				Provinces: rows(row("北京", 0.3), row("上海", 0.2), row("广东", 0.5)),
				Cities:    rows(row("北京", 0.1), row("广州", 0.05)),
			},
			schema.DimensionCities,
			`{"matchedShare": 0.5, "lowerBound": false, "tgi": 1507.3}`, // against 46.76 of 1,409.78 million
		},
		{
			"and so they are without a list of cities",
			schema.TargetAudience{Cities: []string{"天津"}},
			schema.Distributions{Provinces: rows(row("天津", 0.2), row("广东", 0.8))},
			schema.DimensionCities,
			`{"matchedShare": 0.2, "lowerBound": false, "tgi": 2033.4}`, // against 13.87 of 1,409.78 million
		},
		{
			"Hong Kong and Macao are such cities, without an index",
			schema.TargetAudience{Cities: []string{"香港", "澳门"}},
			schema.Distributions{Provinces: rows(row("香港", 0.2), row("澳门", 0.1), row("广东", 0.7))},
			schema.DimensionCities,
			`{"matchedShare": 0.3, "lowerBound": false}`,
		},
		{
			"Jilin is not: the city is one of several in the province",
			schema.TargetAudience{Cities: []string{"吉林市"}},
			schema.Distributions{Provinces: rows(row("吉林", 0.9), row("北京", 0.1)), Cities: rows(row("吉林", 0.3), row("长春", 0.4))},
			schema.DimensionCities,
			`{"matchedShare": 0.3, "lowerBound": true}`,
		},
		{
			"a list of provinces may be cut off too",
			schema.TargetAudience{Cities: []string{"天津"}},
			schema.Distributions{Provinces: rows(row("天津", 0.2), row("广东", 0.7))},
			schema.DimensionCities,
			`{"matchedShare": 0.2, "lowerBound": true}`,
		},
		{
			"beside other cities the province row counts once",
			schema.TargetAudience{Cities: []string{"北京", "广州"}},
			schema.Distributions{
				Provinces: rows(row("北京", 0.3), row("广东", 0.7)),
				Cities:    rows(row("北京", 0.1), row("广州", 0.05)),
			},
			schema.DimensionCities,
			`{"matchedShare": 0.35, "lowerBound": true}`,
		},
		{
			"without a province row the city's own counts",
			schema.TargetAudience{Cities: []string{"重庆"}},
			schema.Distributions{Provinces: rows(row("广东", 1)), Cities: rows(row("重庆", 0.1))},
			schema.DimensionCities,
			`{"matchedShare": 0.1, "lowerBound": true}`,
		},
		{
			"cities are listed under either",
			schema.TargetAudience{Cities: []string{"重庆", "武汉"}},
			schema.Distributions{Provinces: rows(row("重庆", 1))},
			schema.DimensionCities,
			`{"matchedShare": 1, "lowerBound": true, "notListed": ["Wuhan"]}`,
		},
		{
			"provinces tell nothing of cities that are none",
			schema.TargetAudience{Cities: []string{"武汉"}},
			schema.Distributions{Provinces: rows(row("湖北", 0.5), row("北京", 0.5))},
			schema.DimensionCities,
			`{"lowerBound": false}`,
		},
		{
			"devices are summed by brand",
			schema.TargetAudience{Devices: []string{"Apple"}},
			schema.Distributions{Devices: slices.Concat(device("apple inc.", 0.4), device("apple", 0.2), device("vivo", 0.4))},
			schema.DimensionDevices,
			`{"matchedShare": 0.6, "lowerBound": false}`,
		},
		{
			"no data is no share",
			schema.TargetAudience{Interests: []string{"美食"}},
			schema.Distributions{Gender: genderOf(0.5, 0.5)},
			schema.DimensionInterests,
			`{"lowerBound": false}`,
		},
		{
			"the other gender tells how few are left, not how many",
			schema.TargetAudience{Gender: "female"},
			schema.Distributions{Gender: &schema.GenderShares{Male: new(0.3)}},
			schema.DimensionGender,
			`{"lowerBound": true, "notListed": ["women"]}`,
		},
		{
			"rows that hold more than everybody are no data",
			schema.TargetAudience{AgeGroups: []string{"25-34"}},
			schema.Distributions{Ages: agesOf(0.1, 0.1, 0.43, 0.3, 0.1)},
			schema.DimensionAgeGroups,
			`{"lowerBound": false}`,
		},
		{
			"within the vendor's rounding they are everybody",
			schema.TargetAudience{AgeGroups: []string{"<18", "18-24", "25-34", "35-44", ">44"}},
			schema.Distributions{Ages: agesOf(0.1, 0.1, 0.42, 0.3, 0.1)},
			schema.DimensionAgeGroups,
			`{"matchedShare": 1, "lowerBound": false}`,
		},
		{
			"provinces that hold more than everybody are not looked at for cities",
			schema.TargetAudience{Cities: []string{"北京"}},
			schema.Distributions{Provinces: rows(row("北京", 0.3), row("广东", 0.9)), Cities: rows(row("北京", 0.1))},
			schema.DimensionCities,
			`{"matchedShare": 0.1, "lowerBound": true}`,
		},
		{
			"nor are cities for those that are provinces",
			schema.TargetAudience{Cities: []string{"北京", "广州"}},
			schema.Distributions{Provinces: rows(row("北京", 0.3), row("广东", 0.7)), Cities: rows(row("广州", 1.1))},
			schema.DimensionCities,
			`{"matchedShare": 0.3, "lowerBound": true, "notListed": ["Guangzhou"]}`,
		},
		{
			"lists that contradict each other are no data",
			schema.TargetAudience{Cities: []string{"北京", "广州"}},
			schema.Distributions{Provinces: rows(row("北京", 0.9)), Cities: rows(row("广州", 0.9))},
			schema.DimensionCities,
			`{"lowerBound": false}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			fit := fitOf(t, test.target, &test.d, schema.English)
			for of, match := range fit.Matches() {
				require.Equal(t, test.of, of)
				got, err := json.Marshal(match)
				require.NoError(t, err)
				assert.JSONEq(t, test.want, string(got))
			}
			assert.NotNil(t, *fit.Of(test.of))
		})
	}
}

// A city that is a province too has one index in an answer: the one of cities
// where the user brought any.
func TestAConfiguredBaselineOfCitiesIsThatOfMunicipalities(t *testing.T) {
	d := &schema.Distributions{
		Provinces: rows(row("北京", 0.3), row("上海", 0.2), row("广东", 0.5)),
		Cities:    rows(row("北京", 0.3), row("广州", 0.05)),
	}
	const (
		cities    = `{"cities": [{"name": "北京", "percent": 0.1}, {"name": "广州", "percent": 0.1}]}`
		provinces = `{"provinces": [{"name": "北京", "percent": 0.2}, {"name": "广东", "percent": 0.8}]}`
	)
	for _, test := range []struct {
		name     string
		baseline string
		cities   []string
		want     any // nil: none
	}{
		{"alone", cities, []string{"北京"}, 300.0},
		{"beside another city", cities, []string{"北京", "广州"}, 175.0},
		{"without a row of its own there is none", cities, []string{"上海"}, nil},
		{"without one of cities it is that of provinces", provinces, []string{"北京"}, 187.5}, // 0.3 of 0.8, against 0.2
	} {
		t.Run(test.name, func(t *testing.T) {
			analyst := audience.New(baselineOf(t, test.baseline))
			target, err := analyst.Target(&schema.TargetAudience{Cities: test.cities})
			require.NoError(t, err)
			index := analyst.Fit(target, d, schema.English).Cities.TGI
			if test.want == nil {
				assert.Nil(t, index)
				return
			}
			require.NotNil(t, index)
			assert.InDelta(t, test.want, float64(*index), 1e-9)
		})
	}
}

func TestNotListedIsNamedInTheReadersLanguage(t *testing.T) {
	fit := fitOf(t, schema.TargetAudience{
		Gender: "male", AgeGroups: []string{"<18"}, Provinces: []string{"西藏"},
		Cities: []string{"拉萨"}, Interests: []string{"汽车"}, Devices: []string{"Apple"},
	}, &schema.Distributions{
		Gender:    &schema.GenderShares{Female: new(0.6)},
		Ages:      []schema.AgeShare{{Group: "18-24", Percent: 0.5}},
		Provinces: rows(row("广东", 0.5)),
		Cities:    rows(row("广州", 0.5)),
		Interests: rows(row("美食", 0.5)),
		Devices:   device("vivo", 0.5),
	}, schema.Chinese)
	var names []string
	for _, match := range fit.Matches() {
		names = append(names, match.NotListed...)
	}
	assert.Equal(t, []string{"男性", "<18", "西藏", "拉萨", "汽车", "苹果"}, names)
}

func TestScore(t *testing.T) {
	all := schema.TargetAudience{Gender: "female", AgeGroups: []string{"35-44"}, Interests: []string{"美食"}}
	weigh := func(gender, ages, interests float64) map[schema.Dimension]float64 {
		return map[schema.Dimension]float64{
			schema.DimensionGender: gender, schema.DimensionAgeGroups: ages, schema.DimensionInterests: interests,
		}
	}
	d := schema.Distributions{
		Gender:    genderOf(0.6, 0.4),
		Ages:      agesOf(0.1, 0.1, 0.3, 0.2, 0.3),
		Interests: rows(row("美食", 0.12345), row("旅游", 0.1)),
	}
	unknownInterests := d
	unknownInterests.Interests = nil
	for _, test := range []struct {
		name    string
		d       schema.Distributions
		weights map[schema.Dimension]float64
		want    any // nil: none
	}{
		{"the mean of the matched shares, to two decimals", d, nil, 30.78},
		{"weighted", d, weigh(6, 2, 0), 50.0},
		{"one dimension alone", d, weigh(0, 1, 0), 20.0},
		{"weights of any size", d, weigh(1000, 1000, 0), 40.0},
		{"a dimension without data leaves no score", unknownInterests, nil, nil},
		{"nor does it weighted lightly", unknownInterests, weigh(1, 1, 0.01), nil},
		{"unless it is not scored", unknownInterests, weigh(1, 1, 0), 40.0},
	} {
		t.Run(test.name, func(t *testing.T) {
			target := all
			target.Weights = test.weights
			fit := fitOf(t, target, &test.d, schema.English)
			if test.want == nil {
				assert.Nil(t, fit.Score)
				return
			}
			require.NotNil(t, fit.Score)
			assert.InDelta(t, test.want, *fit.Score, 0)
		})
	}
}

func TestScoreIsALowerBoundWhereSomethingScoredIsNotListed(t *testing.T) {
	d := schema.Distributions{
		Gender:    genderOf(0.6, 0.4),
		Cities:    rows(row("广州", 0.1)),
		Interests: rows(row("美食", 0.1), row("旅游", 0.1)),
		Devices:   device("vivo", 1),
	}
	unscored := map[schema.Dimension]float64{schema.DimensionInterests: 0}
	for _, test := range []struct {
		name   string
		target schema.TargetAudience
		want   bool
	}{
		{"all listed, in a list that is cut off", schema.TargetAudience{Gender: "female", Interests: []string{"美食"}}, false},
		{"some listed", schema.TargetAudience{Gender: "female", Interests: []string{"美食", "汽车"}}, true},
		{"none listed", schema.TargetAudience{Gender: "female", Interests: []string{"汽车"}}, true},
		{"some listed, in a list that leaves nothing for the others", schema.TargetAudience{Devices: []string{"vivo", "Apple"}}, false},
		{"none listed in such a list", schema.TargetAudience{Devices: []string{"Apple"}}, true},
		{"not listed, and not scored", schema.TargetAudience{Gender: "female", Interests: []string{"汽车"}, Weights: unscored}, false},
		{"no score", schema.TargetAudience{Provinces: []string{"广东"}, Interests: []string{"汽车"}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, fitOf(t, test.target, &d, schema.English).ScoreLowerBound)
		})
	}
}

// 75.425 is 75.43 in whatever unit the weights are: 0.1/0.4 and 1/4 are not the
// same float.
func TestScoreRoundsHalvesUp(t *testing.T) {
	d := schema.Distributions{Gender: genderOf(0.65, 0.35), Ages: agesOf(0, 0, 0.789, 0.211, 0)}
	for _, unit := range []float64{1, 0.1, 0.7} {
		fit := fitOf(t, schema.TargetAudience{
			Gender: "female", AgeGroups: []string{"25-34"},
			Weights: map[schema.Dimension]float64{schema.DimensionGender: unit, schema.DimensionAgeGroups: 3 * unit},
		}, &d, schema.English)
		assert.InDelta(t, 75.43, *fit.Score, 0, "unit %v", unit)
	}
}

func TestReach(t *testing.T) {
	women, men := genderOf(0.7, 0.3), genderOf(0.1, 0.9)
	for _, test := range []struct {
		name   string
		target schema.TargetAudience
		d      schema.Distributions
		want   string
	}{
		{
			"of one dimension is its share",
			schema.TargetAudience{Gender: "female"},
			schema.Distributions{Gender: women},
			`{"independent": 0.7, "atLeast": 0.7, "atMost": 0.7}`,
		},
		{
			"two that must overlap",
			schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-34", "35-44"}},
			schema.Distributions{Gender: women, Ages: agesOf(0, 0.1, 0.4, 0.4, 0.1)},
			`{"independent": 0.56, "atLeast": 0.5, "atMost": 0.7}`,
		},
		{
			"three that need not",
			schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-34"}, Interests: []string{"美食"}},
			schema.Distributions{Gender: women, Ages: agesOf(0, 0.2, 0.4, 0.4, 0), Interests: rows(row("美食", 0.5))},
			`{"independent": 0.14, "atLeast": 0, "atMost": 0.4}`,
		},
		{
			"a dimension without weight counts",
			schema.TargetAudience{
				Gender: "female", AgeGroups: []string{"25-34"},
				Weights: map[schema.Dimension]float64{schema.DimensionGender: 0},
			},
			schema.Distributions{Gender: men, Ages: agesOf(0, 0.2, 0.4, 0.4, 0)},
			`{"independent": 0.04, "atLeast": 0, "atMost": 0.1}`,
		},
		{
			"an unlisted name holds no more than the smallest row",
			schema.TargetAudience{Interests: []string{"美食", "汽车"}},
			schema.Distributions{Interests: rows(row("旅游", 0.05), row("美食", 0.2), row("影视", 0.1))},
			`{"independent": 0.2, "atLeast": 0.2, "atMost": 0.25}`,
		},
		{
			"but a row that was left out may hold all that is left",
			schema.TargetAudience{Interests: []string{"美食", "汽车"}},
			schema.Distributions{
				Interests: rows(row("旅游", 0.05), row("美食", 0.2), row("影视", 0.1)),
				LeftOut:   map[schema.Dimension]int{schema.DimensionInterests: 1},
			},
			`{"independent": 0.2, "atLeast": 0.2, "atMost": 0.85}`,
		},
		{
			"in the list of cities too",
			schema.TargetAudience{Cities: []string{"广州", "深圳"}},
			schema.Distributions{Cities: rows(row("广州", 0.05)), LeftOut: map[schema.Dimension]int{schema.DimensionCities: 1}},
			`{"independent": 0.05, "atLeast": 0.05, "atMost": 1}`,
		},
		{
			"two of them no more than two such rows",
			schema.TargetAudience{Interests: []string{"美食", "汽车", "教育"}},
			schema.Distributions{Interests: rows(row("旅游", 0.05), row("美食", 0.2), row("影视", 0.1))},
			`{"independent": 0.2, "atLeast": 0.2, "atMost": 0.3}`,
		},
		{
			"nor more than the rows leave",
			schema.TargetAudience{Interests: []string{"美食", "汽车"}},
			schema.Distributions{Interests: rows(row("旅游", 0.3), row("美食", 0.5), row("影视", 0.19))},
			`{"independent": 0.5, "atLeast": 0.5, "atMost": 0.51}`,
		},
		{
			"which may be nothing",
			schema.TargetAudience{Interests: []string{"美食", "汽车"}},
			schema.Distributions{Interests: rows(row("旅游", 0.3), row("美食", 0.7))},
			`{"independent": 0.7, "atLeast": 0.7, "atMost": 0.7}`,
		},
		{
			"or a little less, by the vendor's rounding",
			schema.TargetAudience{Interests: []string{"美食", "汽车"}},
			schema.Distributions{Interests: rows(row("旅游", 0.31), row("美食", 0.7))},
			`{"independent": 0.7, "atLeast": 0.7, "atMost": 0.7}`,
		},
		{
			"what is all listed holds no more for what is not",
			schema.TargetAudience{Interests: []string{"美食"}},
			schema.Distributions{Interests: rows(row("旅游", 0.05), row("美食", 0.2))},
			`{"independent": 0.2, "atLeast": 0.2, "atMost": 0.2}`,
		},
		{
			"a list that is not by size bounds by what it leaves alone",
			schema.TargetAudience{Gender: "female"},
			schema.Distributions{Gender: &schema.GenderShares{Male: new(0.3)}},
			`{"atLeast": 0, "atMost": 0.7}`,
		},
		{
			"nothing listed in one dimension leaves no product",
			schema.TargetAudience{Gender: "female", Interests: []string{"汽车"}},
			schema.Distributions{Gender: women, Interests: rows(row("旅游", 0.05), row("美食", 0.2))},
			`{"atLeast": 0, "atMost": 0.05}`,
		},
		{
			"an unlisted city holds no more than the smallest city",
			schema.TargetAudience{Cities: []string{"天津", "武汉"}},
			schema.Distributions{
				Provinces: rows(row("天津", 0.01), row("广东", 0.99)),
				Cities:    rows(row("深圳", 0.1), row("广州", 0.03)),
			},
			`{"independent": 0.01, "atLeast": 0.01, "atMost": 0.04}`,
		},
		{
			"whatever is left where no city is listed",
			schema.TargetAudience{Cities: []string{"天津", "武汉"}},
			schema.Distributions{Provinces: rows(row("天津", 0.2), row("北京", 0.3), row("湖北", 0.5))},
			`{"independent": 0.2, "atLeast": 0.2, "atMost": 0.7}`,
		},
		{
			"an unlisted name caps nothing at what is listed",
			schema.TargetAudience{Gender: "female", Cities: []string{"广州", "武汉"}},
			schema.Distributions{Gender: men, Cities: rows(row("深圳", 0.3), row("广州", 0.08), row("东莞", 0.06))},
			`{"independent": 0.008, "atLeast": 0, "atMost": 0.1}`,
		},
		{
			"unknown with a dimension unknown",
			schema.TargetAudience{Gender: "female", Interests: []string{"美食"}},
			schema.Distributions{Gender: women},
			`null`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := json.Marshal(fitOf(t, test.target, &test.d, schema.English).Reach)
			require.NoError(t, err)
			assert.JSONEq(t, test.want, string(got))
		})
	}
}

func TestReachIsInOrderToTheLastDigit(t *testing.T) {
	reach := fitOf(t, schema.TargetAudience{Gender: "female", AgeGroups: []string{"<18", "18-24"}}, &schema.Distributions{
		Gender: genderOf(0.1, 0.9), Ages: agesOf(0.5, 0.5, 0, 0, 0),
	}, schema.English).Reach
	assert.Equal(t, &schema.Reach{Independent: new(schema.Share(0.1)), AtLeast: 0.1, AtMost: 0.1}, reach, "1 + 0.1 - 1 is more than 0.1")
}

// Properties that hold for whatever the vendor sends and a caller asks for.

func TestFitStaysInBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fit := fitOf(t, anyTarget(t), anyDistributions(t), schema.English)
		for of, match := range fit.Matches() {
			if match.MatchedShare == nil && match.NotListed == nil {
				assert.Nil(t, fit.Reach, of)
				assert.Equal(t, &schema.Match{}, match, of)
				continue
			}
			if match.MatchedShare == nil {
				assert.True(t, match.LowerBound, of)
				if fit.Reach != nil {
					assert.Nil(t, fit.Reach.Independent, of)
				}
				continue
			}
			assert.GreaterOrEqual(t, *match.MatchedShare, schema.Share(0), of)
			assert.LessOrEqual(t, *match.MatchedShare, schema.Share(1), of)
			if match.NotListed != nil {
				assert.True(t, match.LowerBound, of)
				assert.Nil(t, match.TGI, of)
			}
		}
		if fit.Score != nil {
			assert.GreaterOrEqual(t, *fit.Score, 0.0)
			assert.LessOrEqual(t, *fit.Score, 100.0)
		}
		if r := fit.Reach; r != nil {
			assert.GreaterOrEqual(t, r.AtLeast, schema.Share(0))
			assert.LessOrEqual(t, r.AtLeast, r.AtMost)
			if r.Independent != nil {
				assert.LessOrEqual(t, r.AtLeast, *r.Independent)
				assert.LessOrEqual(t, *r.Independent, r.AtMost)
			}
			assert.LessOrEqual(t, r.AtMost, schema.Share(1))
		}
	})
}

// A name more asks for more people, never for fewer.
func TestFitIsMonotoneInTheSelection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fewer, d := anyTarget(t), distributions(t, 1, 1, 0.98, 0.4, 1.015)
		of := rapid.SampledFrom(namedDimensions()).Draw(t, "of")
		names, name := namesOf(&fewer, of), rapid.SampledFrom(knownNames(of)).Draw(t, "name")
		if len(*names) == 0 {
			return // a dimension more asks for fewer people
		}
		a := fitOf(t, fewer, d, schema.English)
		if !slices.Contains(*names, name) {
			*names = append(*names, name)
		}
		b := fitOf(t, fewer, d, schema.English)
		if a.Reach == nil || b.Reach == nil {
			return // lists of places that contradict each other
		}
		assert.LessOrEqual(t, *a.Score, *b.Score)
		if a.Reach.Independent != nil { // and what is known stays known
			assert.LessOrEqual(t, *a.Reach.Independent, *b.Reach.Independent)
		}
		assert.LessOrEqual(t, a.Reach.AtLeast, b.Reach.AtLeast+1e-9)
		assert.LessOrEqual(t, a.Reach.AtMost, b.Reach.AtMost)
	})
}

func TestOrderDoesNotMatterToFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target, d := anyTarget(t), anyDistributions(t)
		want := fitOf(t, target, d, schema.English)
		for _, of := range namedDimensions() {
			names := namesOf(&target, of)
			*names = rapid.Permutation(*names).Draw(t, "names")
		}
		for _, rows := range []*[]schema.NameShare{&d.Interests, &d.Provinces, &d.Cities} {
			*rows = rapid.Permutation(*rows).Draw(t, "rows")
		}
		d.Ages = rapid.Permutation(d.Ages).Draw(t, "ages")
		d.Devices = rapid.Permutation(d.Devices).Draw(t, "devices")
		got := fitOf(t, target, d, schema.English)

		// How the audience is put into words follows the caller.
		want.Target, want.Explanation = "", ""
		got.Target, got.Explanation = "", ""
		assert.Equal(t, want, got, "to the last digit")
	})
}

func TestOnlyTheProportionOfWeightsMatters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target, d := anyTarget(t), anyDistributions(t)
		want := fitOf(t, target, d, schema.English)
		times := rapid.Float64Range(0.002, 300).Draw(t, "times")
		scaled := map[schema.Dimension]float64{}
		for of, weight := range target.Weights {
			scaled[of] = times * weight
		}
		target.Weights = scaled
		got := fitOf(t, target, d, schema.English)
		want.Target, got.Target = "", ""
		assert.Equal(t, figures(t, want), figures(t, got))
	})
}

// figures is what a client sees of a fit.
func figures(tb rapid.TB, fit *schema.Fit) string {
	tb.Helper()
	raw, err := json.Marshal(fit)
	require.NoError(tb, err)
	return string(raw)
}

// anyDistributions leaves dimensions and rows out, and now and then has rows
// that hold more than everybody.
func anyDistributions(t *rapid.T) *schema.Distributions {
	d := distributions(t, 0, 1, 1, 1, 0.98, 0.4, 1.015, 1.5)
	d.LeftOut = rapid.MapOfN(rapid.SampledFrom(schema.Dimensions()), rapid.Just(1), 0, 2).Draw(t, "left out")
	return d
}

// distributions has at least so many rows in each dimension, which sum to one
// of the totals.
func distributions(t *rapid.T, atLeast int, totals ...float64) *schema.Distributions {
	draw := func(names ...string) []schema.NameShare {
		names = rapid.SliceOfNDistinct(rapid.SampledFrom(names), atLeast, len(names), rapid.ID).Draw(t, "rows")
		shares := rapid.SliceOfN(rapid.Float64Range(0.001, 1), len(names), len(names)).Draw(t, "shares")
		total := rapid.SampledFrom(totals).Draw(t, "total")
		var sum float64
		for _, share := range shares {
			sum += share
		}
		var rows []schema.NameShare
		for i, name := range names {
			rows = append(rows, row(name, shares[i]/sum*total))
		}
		return rows
	}
	d := &schema.Distributions{
		Provinces: draw(knownNames(schema.DimensionProvinces)...),
		Cities:    draw(knownNames(schema.DimensionCities)...),
		Interests: draw(knownNames(schema.DimensionInterests)...),
	}
	for _, row := range draw(schema.AgeGroups()...) {
		d.Ages = append(d.Ages, schema.AgeShare{Group: row.Name, Percent: row.Percent})
	}
	for _, row := range draw("apple inc.", "apple", "huawei", "vivo") {
		d.Devices = append(d.Devices, schema.DeviceShare{Name: row.Name, Percent: row.Percent})
	}
	for _, row := range draw(schema.Female, schema.Male) {
		if d.Gender == nil {
			d.Gender = &schema.GenderShares{}
		}
		if row.Name == schema.Female {
			d.Gender.Female = &row.Percent
		} else {
			d.Gender.Male = &row.Percent
		}
	}
	return d
}

func anyTarget(t *rapid.T) schema.TargetAudience {
	var target schema.TargetAudience
	target.Gender = rapid.SampledFrom([]string{"", schema.Female, schema.Male}).Draw(t, "gender")
	target.Weights = map[schema.Dimension]float64{}
	weigh := func(of schema.Dimension) {
		target.Weights[of] = rapid.SampledFrom([]float64{0, 0.5, 1, 1, 3}).Draw(t, "weight")
	}
	if target.Gender != "" {
		weigh(schema.DimensionGender)
	}
	for _, of := range namedDimensions() {
		known := knownNames(of)
		names := rapid.SliceOfNDistinct(rapid.SampledFrom(known), 0, len(known), rapid.ID).Draw(t, "names")
		if len(names) > 0 {
			*namesOf(&target, of) = names
			weigh(of)
		}
	}
	for _, weight := range target.Weights {
		if weight > 0 {
			return target
		}
	}
	target.Gender = schema.Female
	target.Weights[schema.DimensionGender] = 1
	return target
}

// namedDimensions are those of which a target audience names some.
func namedDimensions() []schema.Dimension { return schema.Dimensions()[1:] }

func namesOf(target *schema.TargetAudience, of schema.Dimension) *[]string {
	switch of {
	case schema.DimensionAgeGroups:
		return &target.AgeGroups
	case schema.DimensionProvinces:
		return &target.Provinces
	case schema.DimensionCities:
		return &target.Cities
	case schema.DimensionInterests:
		return &target.Interests
	default:
		return &target.Devices
	}
}

func knownNames(of schema.Dimension) []string {
	switch of {
	case schema.DimensionAgeGroups:
		return schema.AgeGroups()
	case schema.DimensionProvinces:
		return []string{"广东", "北京", "上海", "重庆", "四川", "海外"}
	case schema.DimensionCities:
		return []string{"北京", "上海", "重庆", "广州", "成都"}
	case schema.DimensionInterests:
		return []string{"美食", "旅游", "影视", "情感", "教育"}
	default:
		return []string{"Apple", "Huawei", "vivo"}
	}
}

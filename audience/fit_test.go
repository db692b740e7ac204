package audience_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

func TestFitOfTheDocumentedPortrait(t *testing.T) {
	fit := fitOf(t, documented(t), schema.TargetAudience{
		Gender: "female", AgeGroups: []string{"25-34", "35-44"}, Provinces: []string{"Guangdong", "Zhejiang"}})
	assert.Equal(t, "0.6713 -", words(fit.Gender))
	assert.Equal(t, "0.8099 -", words(fit.AgeGroups))
	assert.Equal(t, "0.1703 -", words(fit.Places))
	assert.Nil(t, fit.Interests)
	assert.Equal(t, "45.24 -", told(fit.Score, 2)+" "+told(fit.ScoreAtMost, 2))
	assert.Equal(t, "0.0926 0.0000 0.1703", targetShareWords(fit))
	assert.Equal(t, "95.9", told(fit.Gender.TGI, 1))
	assert.Nil(t, fit.AgeGroups.TGI)
	assert.Equal(t, "137.9", told(fit.Places.TGI, 1))
}

func targetShareWords(fit *schema.Fit) string {
	t := fit.TargetShare
	if t == nil {
		return "-"
	}
	return told(t.Estimate, 4) + " " + told(&t.AtLeast, 4) + " " + told(&t.AtMost, 4)
}

// C6, C7, C11 and what the places of CASES.md are for.
func TestTargetShare(t *testing.T) {
	for _, test := range []struct {
		what   string
		target schema.TargetAudience
		want   string
	}{
		{"interests are not in it", schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-34"}, Interests: []string{"Beauty"}}, "0.1837 0.0000 0.2737"},
		{"interests alone", schema.TargetAudience{Interests: []string{"Beauty"}}, "-"},
		{"soft dimensions are not in it", schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-34"}, Devices: []string{"Apple"}, Soft: []string{"devices"}}, "0.1837 0.0000 0.2737"},
		{"all soft", schema.TargetAudience{Gender: "female", Soft: []string{"gender"}}, "-"},
		{"one dimension", schema.TargetAudience{Gender: "female"}, "0.6713 0.6713 0.6713"},
		{"a lower bound", schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-34", "35-44"}}, "0.5437 0.4812 0.6713"},
		{"a weight of 0 leaves it in", schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-34"}, Weights: schema.Weights{ages: 0}}, "0.1837 0.0000 0.2737"},
		{"not listed", schema.TargetAudience{Gender: "female", Cities: []string{"Hangzhou"}}, "- 0.0000 0.0174"},
	} {
		t.Run(test.what, func(t *testing.T) {
			assert.Equal(t, test.want, targetShareWords(fitOf(t, documented(t), test.target)))
		})
	}
}

func TestTargetShareWithoutData(t *testing.T) {
	women := schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-34"}}
	assert.Equal(t, "- 0.0000 0.6000", targetShareWords(fitOf(t, lists{gender: "female 60, male 40"}.distributions(), women)))
	assert.Equal(t, "-", targetShareWords(fitOf(t, lists{}.distributions(), women)))
}

func TestMatch(t *testing.T) {
	food := schema.TargetAudience{Interests: []string{"Food"}}
	foodAndBeauty := schema.TargetAudience{Interests: []string{"Food", "Beauty"}}
	foodBeautyTravel := schema.TargetAudience{Interests: []string{"Food", "Beauty", "Travel"}}
	young := schema.TargetAudience{AgeGroups: []string{"<18", "18-24"}}
	for _, test := range []struct {
		what   string
		lists  lists
		target schema.TargetAudience
		want   string
	}{
		{"whole: no row is nobody", lists{ages: "18-24 60, 25-34 37"}, young, "0.6000 -"},
		{"whole: nothing chosen has a row", lists{ages: "25-34 60, 35-44 37"}, young, "0.0000 -"},
		{"not whole: all that the list leaves", lists{ages: "18-24 60, 25-34 30"}, young, "0.6000 0.7000 <18"},
		{"a row left out: all that the list leaves", lists{ages: "18-24 60, 25-34 39, 35-44 ?"}, young, "0.6000 0.6100 <18"},
		{"an unknown row may be it", lists{ages: "18-24 60, 25-34 10, teens 30"}, young, "0.6000 0.9000 <18"},
		{"all listed: exact, whatever the list leaves", lists{ages: "<18 20, 18-24 60"}, young, "0.8000 -"},
		{"nothing listed", lists{ages: "25-34 60"}, young, "- 0.4000 <18, 18-24"},
		{"no data", lists{gender: "female 60"}, young, "- -"},
		{"nobody in any group is no data", lists{ages: "<18 0, 18-24 0"}, young, "- -"},
		{"rounded beyond everybody", lists{ages: "<18 50, 18-24 51"}, young, "1.0000 -"},

		{"cut off: at most the smallest row", lists{interests: "时尚 30, 美食 20, 影视 5"}, foodAndBeauty, "0.2000 0.2500 Beauty"},
		{"cut off: each at most the smallest row", lists{interests: "时尚 30, 美食 20, 影视 5"}, foodBeautyTravel, "0.2000 0.3000 Travel, Beauty"},
		{"cut off: at most what the list leaves", lists{interests: "时尚 60, 美食 28, 影视 10"}, foodBeautyTravel, "0.2800 0.3000 Travel, Beauty"},
		{"cut off: it may be an unknown row", lists{interests: "时尚 30, 美食 20, 未知 12, 影视 5"}, foodAndBeauty, "0.2000 0.3200 Beauty"},
		{"cut off: one unknown row is one name", lists{interests: "时尚 30, 美食 20, 未知 12, 影视 5"}, foodBeautyTravel, "0.2000 0.3700 Travel, Beauty"},
		{"cut off: the largest unknown rows first", lists{interests: "时尚 30, 美食 20, 甲 6, 乙 12, 影视 5"}, foodAndBeauty, "0.2000 0.3200 Beauty"},
		{"cut off and a row left out: any size", lists{interests: "时尚 30, 美食 20, 影视 5, 美妆 ?"}, foodAndBeauty, "0.2000 0.6500 Beauty"},
		{"cut off: nothing listed", lists{interests: "时尚 30, 影视 5"}, food, "- 0.0500 Food"},
		{"cut off: nobody is left", lists{interests: "时尚 60, 影视 41"}, food, "- 0.0000 Food"},
		{"more than everybody", lists{interests: "时尚 60, 美食 60"}, food, "- -"},
	} {
		t.Run(test.what, func(t *testing.T) {
			fit := fitOf(t, test.lists.distributions(), test.target)
			m := fit.AgeGroups
			if m == nil {
				m = fit.Interests
			}
			assert.Equal(t, test.want, words(m))
		})
	}
}

func TestPlaces(t *testing.T) {
	whole := "广东 12, 浙江 5, 北京 5, 海外 6, 江苏 72"
	short := "广东 12, 浙江 5, 北京 5"
	for _, test := range []struct {
		what              string
		provinces, cities string
		chosenProvinces   []string
		chosenCities      []string
		want              string
	}{
		{"a city in a chosen province is not counted twice", whole, "深圳 3, 上海 3", []string{"Guangdong"}, []string{"Shenzhen"}, "0.1200 -"},
		{"provinces and cities are added up", whole, "深圳 3, 杭州 2", []string{"Guangdong"}, []string{"Hangzhou"}, "0.1400 -"},
		{"a municipality is its province", whole, "北京 4, 深圳 3", nil, []string{"Beijing", "Shenzhen"}, "0.0800 -"},
		{"a municipality without its row among the provinces", short, "上海 4, 深圳 3", []string{"Shanghai"}, nil, "0.0400 -"},
		{"municipalities alone need no provinces", "", "上海 4, 北京 3", []string{"Shanghai", "Beijing"}, nil, "0.0700 -"},
		{"provinces need provinces", "", "上海 4, 深圳 3", []string{"Shanghai", "Guangdong"}, nil, "- -"},
		{"no data on either", "", "", nil, []string{"Shenzhen"}, "- -"},
		{"provinces that are overfull are no data", "广东 60, 江苏 60", "深圳 3", []string{"Guangdong"}, nil, "- -"},

		{"whole: a province without a row is nobody", whole, "", []string{"Guangdong", "Hunan"}, nil, "0.1200 -"},
		{"not whole: all that the provinces leave", short, "", []string{"Guangdong", "Hunan", "Hubei"}, nil, "0.1200 0.9000 Hubei, Hunan"},

		{"a city is at most the smallest row", whole, "深圳 3, 广州 2", nil, []string{"Shenzhen", "Hangzhou"}, "0.0300 0.0500 Hangzhou"},
		{"at most what its province has left", whole, "深圳 6, 广州 5", nil, []string{"Shenzhen", "Dongguan"}, "0.0600 0.0700 Dongguan"},
		{"cities of one province together", whole, "深圳 5, 广州 4", nil, []string{"Shenzhen", "Dongguan", "Foshan"}, "0.0500 0.0800 Dongguan, Foshan"},
		{"cities of two provinces", whole, "深圳 5, 广州 4", nil, []string{"Shenzhen", "Dongguan", "Hangzhou"}, "0.0500 0.1200 Hangzhou, Dongguan"},
		{"its province is nobody", whole, "深圳 5, 广州 4", nil, []string{"Shenzhen", "Changsha"}, "0.0500 0.0500 Changsha"},
		{"its province is not listed", short, "深圳 5, 广州 4", nil, []string{"Shenzhen", "Changsha"}, "0.0500 0.0900 Changsha"},
		{"without provinces", "", "深圳 5, 广州 4", nil, []string{"Shenzhen", "Hangzhou"}, "0.0500 0.0900 Hangzhou"},
		{"without provinces, at most what the cities leave", "", "深圳 70, 广州 20", nil, []string{"Shenzhen", "Hangzhou"}, "0.7000 0.8000 Hangzhou"},
		{"without cities", whole, "", nil, []string{"Shenzhen", "Hangzhou"}, "- 0.1700 Shenzhen, Hangzhou"},
		{"a city may be an unknown row", whole, "深圳 3, 某地 2.5, 广州 2", nil, []string{"Shenzhen", "Hangzhou"}, "0.0300 0.0550 Hangzhou"},
		{"a city may be a row left out", whole, "深圳 3, 广州 2, 杭州 ?", nil, []string{"Shenzhen", "Hangzhou"}, "0.0300 0.0800 Hangzhou"},
		{"a province and a city not listed", short, "深圳 3, 广州 2", []string{"Hunan"}, []string{"Hangzhou"}, "- 0.8000 Hunan, Hangzhou"},
	} {
		t.Run(test.what, func(t *testing.T) {
			l := lists{}
			if test.provinces != "" {
				l[provinces] = test.provinces
			}
			if test.cities != "" {
				l[cities] = test.cities
			}
			fit := fitOf(t, l.distributions(), schema.TargetAudience{Provinces: test.chosenProvinces, Cities: test.chosenCities})
			got := words(fit.Places)
			assert.Equal(t, test.want, got)
		})
	}
	fit := fitOf(t, documented(t), schema.TargetAudience{Provinces: []string{"Guangdong"}, Cities: []string{"Shenzhen", "Shanghai"}})
	assert.Equal(t, "0.1525 -", words(fit.Places), "C6")
}

func TestScore(t *testing.T) {
	x := lists{gender: "female 81, male 19", ages: "18-24 25, 25-34 75", interests: "时尚 30, 美食 16, 影视 4", devices: "huawei 9"}.distributions()
	for _, test := range []struct {
		what   string
		target schema.TargetAudience
		want   string
	}{
		{"one dimension", schema.TargetAudience{Gender: "female"}, "81.00 -"},
		{"geometric mean", schema.TargetAudience{Gender: "female", AgeGroups: []string{"18-24"}}, "45.00 -"},
		{"interests count", schema.TargetAudience{Gender: "female", Interests: []string{"Food"}}, "36.00 -"},
		{"soft dimensions count", schema.TargetAudience{Gender: "female", Devices: []string{"Huawei"}, Soft: []string{"devices"}}, "27.00 -"},
		{"weights", schema.TargetAudience{Gender: "female", AgeGroups: []string{"18-24"}, Weights: schema.Weights{gender: 1, ages: 3}}, "33.54 -"},
		{"their unit does not count", schema.TargetAudience{Gender: "female", AgeGroups: []string{"18-24"}, Weights: schema.Weights{gender: 0.5, ages: 1.5}}, "33.54 -"},
		{"no weight", schema.TargetAudience{Gender: "female", AgeGroups: []string{"18-24"}, Weights: schema.Weights{ages: 0}}, "81.00 -"},
		{"something is not listed", schema.TargetAudience{Gender: "female", Interests: []string{"Food", "Beauty"}}, "36.00 40.25"},
		{"nothing is listed", schema.TargetAudience{Gender: "female", Interests: []string{"Beauty"}}, "- 18.00"},
		{"not listed, without a weight", schema.TargetAudience{Gender: "female", Interests: []string{"Beauty"}, Weights: schema.Weights{interests: 0}}, "81.00 -"},
		{"no data", schema.TargetAudience{Gender: "female", Provinces: []string{"Guangdong"}}, "- -"},
		{"no data beside not listed", schema.TargetAudience{Interests: []string{"Beauty"}, Provinces: []string{"Guangdong"}}, "- -"},
		{"no data, without a weight", schema.TargetAudience{Gender: "female", Provinces: []string{"Guangdong"}, Weights: schema.Weights{places: 0}}, "81.00 -"},
		{"nobody", schema.TargetAudience{Gender: "female", AgeGroups: []string{"<18"}}, "0.00 -"},
	} {
		t.Run(test.what, func(t *testing.T) {
			fit := fitOf(t, x, test.target)
			assert.Equal(t, test.want, told(fit.Score, 2)+" "+told(fit.ScoreAtMost, 2))
		})
	}
}

func TestFitSaysTheTargetAsUnderstood(t *testing.T) {
	asked := target(t, schema.TargetAudience{Gender: "female", Provinces: []string{"广东省"}})
	fit := analyst.Audience(documented(t)).Fit(asked, schema.Chinese)
	require.Equal(t, asked.Data(schema.Chinese), fit.Target)
}

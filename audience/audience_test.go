package audience_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

func TestListOfRows(t *testing.T) {
	for _, test := range []struct {
		what  string
		of    schema.Dimension
		rows  string
		check func(*testing.T, *audience.List)
	}{
		{"whole", gender, "female 70, male 30", func(t *testing.T, l *audience.List) {
			assert.True(t, l.Tells())
			assert.True(t, l.Whole)
			assert.InDelta(t, 1, l.Sum, 1e-12)
		}},
		{"whole within rounding", ages, "18-24 50, 25-34 45", func(t *testing.T, l *audience.List) { assert.True(t, l.Whole) }},
		{"not whole: the sum", ages, "18-24 50, 25-34 44", func(t *testing.T, l *audience.List) { assert.False(t, l.Whole) }},
		{"not whole: a row left out", ages, "18-24 50, 25-34 50, <18 ?", func(t *testing.T, l *audience.List) {
			assert.False(t, l.Whole)
			assert.Equal(t, 1, l.LeftOut)
		}},
		{"not whole: an unknown row", ages, "18-24 50, 25-34 49, pensioners 1", func(t *testing.T, l *audience.List) {
			assert.False(t, l.Whole)
			assert.Equal(t, []string{"pensioners"}, l.Unknown)
			assert.Equal(t, "pensioners", l.Rows[2].In(schema.Chinese))
		}},
		{"never whole: cut off", interests, "美食 60, 美妆 40", func(t *testing.T, l *audience.List) { assert.False(t, l.Whole) }},
		{"two rows of one thing", devices, "huawei 20, iPhone 10, apple inc. 5, Apple 1", func(t *testing.T, l *audience.List) {
			require.Len(t, l.Rows, 2)
			assert.Equal(t, "iPhone", l.Rows[1].Name)
			assert.Equal(t, "苹果", l.Rows[1].In(schema.Chinese))
			assert.InDelta(t, 0.16, l.Rows[1].Share, 1e-12)
		}},
		{"full within rounding", interests, "美食 60, 美妆 42", func(t *testing.T, l *audience.List) { assert.False(t, l.Overfull) }},
		{"overfull", interests, "美食 60, 美妆 42.1", func(t *testing.T, l *audience.List) {
			assert.True(t, l.Overfull)
			assert.False(t, l.Tells())
		}},
		{"nobody", ages, "18-24 0, 25-34 0", func(t *testing.T, l *audience.List) {
			assert.False(t, l.Tells())
			assert.False(t, l.Whole)
		}},
	} {
		t.Run(test.what, func(t *testing.T) { test.check(t, lists{test.of: test.rows}.audience().List(test.of)) })
	}
}

func TestNothingIsKnownOfNothing(t *testing.T) {
	x := lists{}.audience()
	for _, of := range schema.Dimensions {
		assert.False(t, x.List(of).Tells())
		assert.Equal(t, audience.NoSource, x.Source(of))
	}
	assert.Equal(t, schema.Summary{}, x.Summary(schema.English))
	assert.Nil(t, x.Fit(nil, schema.English))
	assert.Nil(t, x.Change(nil, "2026-03-08", schema.English))
}

// V1 and V2: a row by another name, which a caller may use too, changes no figure.
func TestVendorsNamesAreRecognised(t *testing.T) {
	asked := func(ages string) schema.TargetAudience {
		return schema.TargetAudience{AgeGroups: []string{ages, "18-24"}, Provinces: []string{"Guangdong", "Inner Mongolia"}, Cities: []string{"Chengdu"}, Devices: []string{"Apple"}}
	}
	for _, renamed := range [][]string{
		{">44", "45+"}, {">44", "≥45"}, {">44", "45岁以上"}, {"18-24", "18~24"}, {"18-24", "18–24岁"}, // V1
		{"广东", "广东省"}, {"成都", "成都市"}, {"内蒙古", "内蒙古自治区"}, {"apple inc.", "iPhone"}, // V2
	} {
		d := documented(t, renamed...)
		for _, ages := range []string{">44", "45+"} {
			assert.Equal(t, fitOf(t, documented(t), asked(">44")).Score, fitOf(t, d, asked(ages)).Score, renamed[1])
		}
		assert.Equal(t, analyst.Audience(documented(t)).Summary(schema.Chinese), analyst.Audience(d).Summary(schema.Chinese), renamed[1])
	}
}

func TestV3AnUnknownRowLeavesRoomForWhatIsNotListed(t *testing.T) {
	d := documented(t, "浙江", "Atlantis")
	m := fitOf(t, d, schema.TargetAudience{Provinces: []string{"Zhejiang", "Guangdong"}}).Places
	assert.Equal(t, "0.1190 0.1703 Zhejiang", words(m))
}

func TestV8AlikeButForTheNameOfAnAgeGroup(t *testing.T) {
	asked := target(t, schema.TargetAudience{AgeGroups: []string{"45+"}})
	var kols []*audience.Compared
	for id, d := range map[string]*schema.Distributions{"a": documented(t), "b": documented(t, ">44", "45+")} {
		kols = append(kols, analyst.Audience(d).Compared(id, "", "", asked, schema.English))
	}
	triangle := audience.Rank(kols, true)
	assert.Equal(t, kols[0].Portrait.Fit, kols[1].Portrait.Fit)
	assert.Equal(t, "13.42", told(kols[0].Portrait.Fit.Score, 2))
	assert.Equal(t, "1.00", told(triangle[1][0], 2))
	assert.Equal(t, "a", kols[0].Portrait.KOLID)
}

// M7: no figure is made of what holds more than everybody, wherever one looks.
func TestM7MoreThanEverybody(t *testing.T) {
	for _, test := range []struct {
		what  string
		lists lists
		of    schema.Dimension
	}{
		{"ages", lists{ages: "<18 90, 18-24 90"}, ages},
		{"gender", lists{gender: "female 63, male 40"}, gender},
		{"cities beyond their province", lists{provinces: "广东 12, 江苏 88", cities: "深圳 50, 广州 46"}, cities},
		{"cities of a province that has nobody", lists{provinces: "广东 12, 江苏 88", cities: "杭州 3"}, cities},
		{"a municipality beyond itself", lists{provinces: "北京 5, 江苏 95", cities: "北京 8"}, cities},
	} {
		t.Run(test.what, func(t *testing.T) {
			x := test.lists.audience()
			assert.True(t, x.List(test.of).Overfull)
			asked := target(t, schema.TargetAudience{Gender: "female", AgeGroups: []string{"<18"}, Cities: []string{"Shenzhen"}})
			fit, summary, compared := x.Fit(asked, schema.English), x.Summary(schema.English), x.Compared("a", "", "", asked, schema.English)
			assert.Contains(t, compared.Overfull, test.of)
			assert.NotContains(t, compared.Missing, test.of)
			if test.of == gender {
				assert.Equal(t, &schema.Match{}, fit.Gender)
				assert.Nil(t, summary.Gender)
			}
			if test.of == ages {
				assert.Equal(t, &schema.Match{}, fit.AgeGroups)
				assert.Nil(t, summary.Age)
			}
			if test.of == cities {
				assert.Nil(t, fit.Places.MatchedShare)
				assert.Nil(t, summary.TopCities)
				assert.Nil(t, summary.Tier1CityShare)
			}
			assert.Nil(t, fit.Score)
		})
	}
	consistent := lists{provinces: "广东 12, 江苏 88", cities: "深圳 7, 广州 6.9"}.audience()
	assert.True(t, consistent.List(cities).Tells(), "two points are the vendor's rounding")
}

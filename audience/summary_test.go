package audience_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

func TestSummaryOfTheDocumentedPortrait(t *testing.T) {
	x := analyst.Audience(documented(t))
	s := x.Summary(schema.English)

	assertShare(t, 0.6712749615975423, s.Gender.Female, "women")
	assertShare(t, 0.3287250384024577, s.Gender.Male, "men")
	assert.Equal(t, "95.9", told(s.Gender.TGI, 1))
	assert.Equal(t, "35-44", s.Age.CoreGroup)
	assertShare(t, 0.5362379555927943, &s.Age.CoreShare, "core group")
	assert.Equal(t, "38.2", told(s.Age.MedianYears, 1))
	assertShare(t, 0.020388213936601035, s.Age.MinorShare, "minors")
	assert.Equal(t, "Food 8.4, Daily life 7.4, Entertainment 6.8", shares(s.TopInterests))
	assert.Equal(t, "Guangdong 11.9, Jiangsu 6.9, Shandong 6.8", shares(s.TopProvinces))
	assert.Equal(t, "Guangdong 145.7, Jiangsu 125.5, Shandong 104.1", indexes(s.TopProvinces))
	assert.Equal(t, "Beijing 5.1, Shanghai 3.4, Shenzhen 2.9", shares(s.TopCities))
	assert.Equal(t, "Beijing -, Shanghai -, Shenzhen -", indexes(s.TopCities))
	assert.Equal(t, "Beijing 362.7, Shanghai 207.9, Tianjin 193.1", indexes(s.HighProvinces))
	assert.Equal(t, "Guizhou 39.1, Heilongjiang 58.4, Jiangxi 58.4", indexes(s.LowProvinces))
	assertShare(t, 0.1398095697239966, s.Tier1CityShare, "first-tier cities")
	assert.True(t, x.TierWhole("tier1"))
	assert.False(t, x.TierWhole("new-tier1"))
	assertShare(t, 0.06074484753525371, s.OverseasShare, "overseas")
	assert.Equal(t, "East 29.7, South 15.2, North 14.4, Central 11.6, Southwest 8.8, Northeast 6.1, Northwest 5.7, Hong Kong/Macao/Taiwan 2.4", shares(s.Regions))
	assert.Empty(t, s.Headline)
	assert.Empty(t, s.Insights)

	zh := x.Summary(schema.Chinese)
	assert.Equal(t, "广东 11.9, 江苏 6.9, 山东 6.8", shares(zh.TopProvinces))
	assert.Equal(t, "苹果", zh.TopDevices[0].Name)
}

func TestAges(t *testing.T) {
	for _, test := range []struct {
		what, rows               string
		core, share, years, kids string
	}{
		{"median within its group", "<18 10, 18-24 20, 25-34 40, 35-44 20, >44 10", "25-34", "40.0", "30.0", "10.0"},
		{"at a group's end", "<18 10, 18-24 40, 25-34 30, 35-44 10, >44 10", "18-24", "40.0", "25.0", "10.0"},
		{"in a group that is open", "<18 10, 18-24 10, 25-34 10, 35-44 10, >44 60", ">44", "60.0", "-", "10.0"},
		{"in the youngest", "<18 60, 18-24 10, 25-34 10, 35-44 10, >44 10", "<18", "60.0", "-", "60.0"},
		{"of what the rows hold", "<18 0, 18-24 48, 25-34 24, 35-44 12, >44 12", "18-24", "48.0", "25.0", "0.0"},
		{"a group is missing from a whole list: nobody, but no median", "18-24 30, 25-34 70, 35-44 0, >44 0", "25-34", "70.0", "-", "0.0"},
		{"a group is missing", "18-24 30, 25-34 60", "25-34", "60.0", "-", "-"},
		{"a row was left out", "<18 10, 18-24 20, 25-34 40, 35-44 20, >44 10, 60+ ?", "25-34", "40.0", "-", "10.0"},
		{"of equals the younger", "18-24 20, 35-44 40, 25-34 40, <18 0, >44 0", "25-34", "40.0", "32.5", "0.0"},
		{"an unknown row is smaller", "18-24 30, 25-34 50, teens 20", "25-34", "50.0", "-", "-"},
	} {
		t.Run(test.what, func(t *testing.T) {
			s := lists{ages: test.rows}.audience().Summary(schema.English).Age
			require.NotNil(t, s)
			percent := 100 * s.CoreShare
			assert.Equal(t, test.core+" "+test.share, s.CoreGroup+" "+told(&percent, 1))
			assert.Equal(t, test.years, told(s.MedianYears, 1), "median")
			if s.MinorShare != nil {
				*s.MinorShare *= 100
			}
			assert.Equal(t, test.kids, told(s.MinorShare, 1), "minors")
		})
	}
	assert.Nil(t, lists{ages: "18-24 30, 25-34 40, teens 41"}.audience().Summary(schema.English).Age, "an unknown row may be the largest group")
	assert.Nil(t, lists{ages: "18-24 0"}.audience().Summary(schema.English).Age)
}

func TestTiers(t *testing.T) {
	for _, test := range []struct {
		what              string
		provinces, cities string
		want              string
		whole             bool
	}{
		{"municipalities from the provinces", "北京 5, 上海 4, 广东 91", "深圳 3, 北京 4.9", "12.0", false},
		{"all listed", "北京 5, 上海 4, 广东 91", "深圳 3, 广州 2", "14.0", true},
		{"from a list that is cut off", "广东 50", "深圳 3, 北京 4", "7.0", false},
		{"a municipality that is nobody", "广东 100", "深圳 3, 广州 2", "5.0", true},
		{"cities alone", "江苏 50", "北京 5, 上海 4, 广州 3, 深圳 2", "14.0", true},
		{"none is listed", "广东 50", "杭州 3", "-", false},
		{"none is listed, but two are nobody", "广东 100", "佛山 3", "-", false},
		{"provinces hold more than everybody", "北京 60, 广东 50", "深圳 3", "-", false},
		{"cities hold more than everybody", "北京 5, 上海 4, 广东 91", "深圳 60, 广州 50", "-", false},
	} {
		t.Run(test.what, func(t *testing.T) {
			x := lists{provinces: test.provinces, cities: test.cities}.audience()
			share := x.Summary(schema.English).Tier1CityShare
			if share != nil {
				*share *= 100
			}
			assert.Equal(t, test.want, told(share, 1))
			assert.Equal(t, test.whole, x.TierWhole("tier1"))
		})
	}
}

func TestSharesOfNobody(t *testing.T) {
	summary := func(l lists) schema.Summary { return l.audience().Summary(schema.English) }
	assertShare(t, 0, summary(lists{provinces: "广东 60, 江苏 38"}).OverseasShare, "whole without the row")
	assert.Nil(t, summary(lists{provinces: "广东 60, 江苏 30"}).OverseasShare, "not whole without the row")
	assertShare(t, 0.06, summary(lists{provinces: "广东 60, 海外 6"}).OverseasShare, "the row")
	assert.Nil(t, summary(lists{gender: "female 60"}).Gender.Male, "not whole")
	assertShare(t, 0, summary(lists{gender: "female 100"}).Gender.Male, "whole")
	assert.Equal(t, "Guangdong 60.0, 某省 5.0", shares(summary(lists{provinces: "海外 30, 某省 5, 广东 60, 中国 5, 江苏 0"}).TopProvinces), "overseas is no province, and nobody is no leader")
}

func TestIndex(t *testing.T) {
	own := func(l lists) *audience.Analyst {
		baseline, err := audience.NewBaseline(l.distributions())
		require.NoError(t, err)
		return audience.New(baseline)
	}
	tgi := func(a *audience.Analyst, l lists, of schema.Dimension, row int) string {
		return told(a.Audience(l.distributions()).List(of).Rows[row].TGI, 1)
	}
	for _, test := range []struct {
		what     string
		analyst  *audience.Analyst
		audience lists
		of       schema.Dimension
		want     string // of the first row
		source   audience.Source
	}{
		{"gender, against the platform", analyst, lists{gender: "female 35, male 65"}, gender, "50.0", audience.Platform},
		{"gender, as it is", analyst, lists{gender: "female 35"}, gender, "50.0", audience.Platform},
		{"provinces, against the census", analyst, lists{provinces: "广东 10, 江苏 85"}, provinces, "117.8", audience.Census},
		{"provinces, among those of the census", analyst, lists{provinces: "广东 10, 江苏 40, 海外 50"}, provinces, "223.8", audience.Census},
		{"provinces that leave out many", analyst, lists{provinces: "广东 10, 江苏 84"}, provinces, "-", audience.NoSource},
		{"provinces of which many are unknown", analyst, lists{provinces: "广东 10, 江苏 84, 某省 6"}, provinces, "-", audience.NoSource},
		{"not in the census", analyst, lists{provinces: "海外 10, 江苏 85"}, provinces, "-", audience.Census},
		{"more than everybody", analyst, lists{gender: "female 63, male 65"}, gender, "-", audience.NoSource},
		{"no baseline", analyst, lists{interests: "美食 10"}, interests, "-", audience.NoSource},
		{"own baseline", own(lists{interests: "美食 5, 美妆 4"}), lists{interests: "美食 10"}, interests, "200.0", audience.Own},
		{"own baseline without the row", own(lists{interests: "美妆 4"}), lists{interests: "美食 10"}, interests, "-", audience.Own},
		{"own gender", own(lists{gender: "female 50, male 50"}), lists{gender: "female 60, male 40"}, gender, "120.0", audience.Own},
		{"own provinces, among those", own(lists{provinces: "广东 10, 江苏 30"}), lists{provinces: "广东 30, 江苏 30, 浙江 40"}, provinces, "200.0", audience.Own},
		{"own ages, both whole", own(lists{ages: "18-24 40, 25-34 58"}), lists{ages: "18-24 40, 25-34 60"}, ages, "98.0", audience.Own},
		{"own ages, one not whole", own(lists{ages: "18-24 40, 25-34 40"}), lists{ages: "18-24 40, 25-34 60"}, ages, "100.0", audience.Own},
	} {
		t.Run(test.what, func(t *testing.T) {
			assert.Equal(t, test.want, tgi(test.analyst, test.audience, test.of, 0))
			assert.Equal(t, test.source, test.analyst.Audience(test.audience.distributions()).Source(test.of))
		})
	}
	assert.Equal(t, "-", tgi(analyst, lists{provinces: "某省 1, 江苏 99"}, provinces, 0), "an unknown row")

	withCities := own(lists{cities: "深圳 2, 杭州 2, 北京 2"})
	places := func(a *audience.Analyst, chosen schema.TargetAudience) string {
		return told(a.Audience(documented(t)).Fit(target(t, chosen), schema.English).Places.TGI, 1)
	}
	assert.Equal(t, "145.2", places(withCities, schema.TargetAudience{Cities: []string{"Shenzhen"}}))
	assert.Equal(t, "-", places(withCities, schema.TargetAudience{Cities: []string{"Shenzhen", "Hangzhou"}}), "Hangzhou has no row")
	assert.Equal(t, "-", places(withCities, schema.TargetAudience{Cities: []string{"Shenzhen", "Beijing"}}), "Beijing is a province")
	assert.Equal(t, "-", places(analyst, schema.TargetAudience{Cities: []string{"Shenzhen"}}), "no baseline")
	assert.Equal(t, "362.7", places(analyst, schema.TargetAudience{Cities: []string{"Beijing"}}))
}

func TestChange(t *testing.T) {
	for _, test := range []struct {
		what       string
		of         schema.Dimension
		older, now string
		want       []schema.Move
	}{
		{"a point or more, largest first", provinces, "广东 10, 江苏 20, 浙江 30, 四川 40", "广东 11, 江苏 20.9, 浙江 33, 四川 35.1", []schema.Move{
			{Name: "Sichuan", Points: -4.9}, {Name: "Zhejiang", Points: 3}, {Name: "Guangdong", Points: 1}}},
		{"the vendor's name changed", provinces, "广东 10, 江苏 90", "广东省 12, 江苏省 88", []schema.Move{
			{Name: "Guangdong", Points: 2}, {Name: "Jiangsu", Points: -2}}},
		{"at most five", interests, "美食 1, 美妆 1, 时尚 1, 影视 1, 娱乐 1, 情感 1", "美食 7, 美妆 6, 时尚 5, 影视 4, 娱乐 3, 情感 2", []schema.Move{
			{Name: "Food", Points: 6}, {Name: "Beauty", Points: 5}, {Name: "Fashion", Points: 4}, {Name: "Film & TV", Points: 3}, {Name: "Entertainment", Points: 2}}},
		{"whole: no row is nobody", provinces, "广东 10, 江苏 90", "广东 10, 浙江 90", []schema.Move{
			{Name: "Zhejiang", Points: 90}, {Name: "Jiangsu", Points: -90}}},
		{"not whole: no row is unknown", provinces, "广东 10, 江苏 80", "广东 10, 浙江 80", nil},
		{"cut off: at least as far as from the smallest row", interests, "美食 30, 影视 5", "美食 30, 美妆 8, 时尚 5.5", []schema.Move{
			{Name: "Beauty", Points: 3, AtLeast: true}}},
		{"cut off: and down", interests, "美食 30, 影视 9", "美食 30, 美妆 5", []schema.Move{{Name: "Film & TV", Points: -4, AtLeast: true}}},
		{"cut off: it may have been an unknown row", interests, "美食 30, 甲 7, 影视 5", "美食 30, 甲 7, 影视 5, 美妆 9", []schema.Move{{Name: "Beauty", Points: 2, AtLeast: true}}},
		{"a row left out may be it", interests, "美食 30, 影视 5, 美妆 ?", "美食 30, 影视 5, 美妆 9", nil},
		{"an unknown row in both", interests, "甲 30", "甲 33", []schema.Move{{Name: "甲", Points: 3}}},
		{"an unknown row may have another name", interests, "美食 30, 影视 5", "某食 30, 影视 5", nil},
		{"one holds more than everybody", interests, "美食 60, 美妆 60", "美食 30, 美妆 9", nil},
		{"nothing moved", interests, "美食 60, 美妆 9", "美食 60.9, 美妆 9", nil},
	} {
		t.Run(test.what, func(t *testing.T) {
			change := lists{test.of: test.now}.audience().Change(lists{test.of: test.older}.audience(), "2026-01-02", schema.English)
			want := &schema.Change{AsOf: "2026-01-02"}
			if test.of == provinces {
				want.Provinces = test.want
			} else {
				want.Interests = test.want
			}
			assert.Equal(t, want, change)
		})
	}
	x := lists{gender: "female 60, male 40", ages: "18-24 60, 25-34 40", cities: "深圳 9", devices: "apple inc. 30, huawei 10"}.audience()
	older := lists{gender: "female 50, male 50", ages: "18-24 50, 25-34 50", cities: "深圳 5", devices: "Apple 20, huawei 10"}.audience()
	change := x.Change(older, "", schema.English)
	assert.Equal(t, []schema.Move{{Name: "women", Points: 10}, {Name: "men", Points: -10}}, change.Gender)
	assert.Equal(t, []schema.Move{{Name: "18-24", Points: 10}, {Name: "25-34", Points: -10}}, change.Ages)
	assert.Equal(t, []schema.Move{{Name: "Shenzhen", Points: 4}}, change.Cities)
	assert.Equal(t, []schema.Move{{Name: "Apple", Points: 10}}, change.Devices)
}

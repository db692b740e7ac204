package audience_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

func TestHeadline(t *testing.T) {
	women, none := 0.671, 0.0
	for _, tt := range []struct {
		name   string
		d      *schema.Distributions
		en, zh string
	}{
		{
			"all of it",
			&schema.Distributions{Gender: genderOf(0.671, 0.329), Ages: agesOf(0.02, 0.04, 0.27, 0.54, 0.13), Provinces: rows(row("江苏", 0.07), row("广东", 0.119))},
			"67.1% women; mostly 35-44 (54.0%), median age 38.1; largest share in Guangdong (11.9%).",
			"女性占 67.1%，核心年龄 35-44 岁（54.0%），年龄中位数 38.1 岁，广东最多（11.9%）。",
		},
		{
			"men lead",
			&schema.Distributions{Gender: genderOf(0.28, 0.72)},
			"72.0% men.", "男性占 72.0%。",
		},
		{
			"one gender is known",
			&schema.Distributions{Gender: &schema.GenderShares{Female: &women}},
			"67.1% women.", "女性占 67.1%。",
		},
		{
			"no group is half of it",
			&schema.Distributions{Ages: agesOf(0.1, 0.3, 0.4, 0.1, 0.1)},
			"Largest age group 25-34 (40.0%), median age 27.5.", "核心年龄 25-34 岁（40.0%），年龄中位数 27.5 岁。",
		},
		{
			"an open group has no median",
			&schema.Distributions{Ages: agesOf(0, 0, 0.2, 0.2, 0.6)},
			"Mostly over 44 (60.0%).", "核心年龄 44 岁以上（60.0%）。",
		},
		{
			"minors lead",
			&schema.Distributions{Ages: agesOf(0.6, 0.2, 0.2, 0, 0)},
			"Mostly under 18 (60.0%).", "核心年龄 18 岁以下（60.0%）。",
		},
		{
			"an unknown age group is called as it is",
			&schema.Distributions{Ages: []schema.AgeShare{{Group: "45-54", Percent: 0.6}}},
			"Mostly 45-54 (60.0%).", "核心年龄 45-54（60.0%）。",
		},
		{
			"cities where there are no provinces",
			&schema.Distributions{Cities: rows(row("西安", 0.031))},
			"Largest share in Xi'an (3.1%).", "西安最多（3.1%）。",
		},
		{
			"more abroad than in any province",
			&schema.Distributions{Provinces: rows(row("海外", 0.4), row("广东", 0.1))},
			"40.0% overseas, then Guangdong (10.0%).", "海外占 40.0%，其次广东（10.0%）。",
		},
		{
			"all abroad",
			&schema.Distributions{Provinces: rows(row("海外", 1))},
			"100.0% overseas.", "海外占 100.0%。",
		},
		{
			"a province that is not known is not the strongest",
			&schema.Distributions{Provinces: rows(row("中国", 0.9), row("四川", 0.1))},
			"Largest share in Sichuan (10.0%).", "四川最多（10.0%）。",
		},
		{
			"interests, for want of better",
			&schema.Distributions{Interests: rows(row("美食", 0.084)), Devices: device("huawei", 0.2)},
			"First interest Food (8.4%); first device brand Huawei (20.0%).", "首要兴趣美食（8.4%），首要设备品牌华为（20.0%）。",
		},
		{
			"nothing at all",
			&schema.Distributions{},
			"No usable figures about the followers.", "没有可用的粉丝画像数据。",
		},
		{
			"nothing but zeros",
			&schema.Distributions{Gender: &schema.GenderShares{Female: &none, Male: &none}, Ages: agesOf(0, 0, 0, 0, 0), Provinces: rows(row("广东", 0)), Interests: rows(row("美食", 0))},
			"No usable figures about the followers.", "没有可用的粉丝画像数据。",
		},
		{
			"nil",
			nil,
			"No usable figures about the followers.", "没有可用的粉丝画像数据。",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			analyst := audience.New(nil)
			assert.Equal(t, tt.en, analyst.Summarize(tt.d, schema.English).Headline)
			assert.Equal(t, tt.zh, analyst.Summarize(tt.d, schema.Chinese).Headline)
			assert.Equal(t, tt.en, analyst.Summarize(tt.d, "fr").Headline, "any other language is English")
		})
	}
}

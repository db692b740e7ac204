package audience_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"kol-portrait-mcp/schema"
)

func TestExplanation(t *testing.T) {
	d := schema.Distributions{
		Gender:    genderOf(0.7, 0.3),
		Ages:      agesOf(0.1, 0.2, 0.5, 0.15, 0.05),
		Provinces: rows(row("广东", 0.2), row("江苏", 0.15), row("浙江", 0.1), row("北京", 0.05), row("海外", 0.1), row("河南", 0.4)),
		Cities:    rows(row("广州", 0.1), row("深圳", 0.05), row("北京", 0.05), row("杭州", 0.04)),
		Interests: rows(row("美食", 0.3), row("旅游", 0.3), row("影视", 0.3), row("情感", 0.1)),
		Devices:   device("vivo", 1.5),
	}
	weigh := func(of schema.Dimension, weight float64) map[schema.Dimension]float64 {
		return map[schema.Dimension]float64{of: weight}
	}
	for _, test := range []struct {
		name   string
		target schema.TargetAudience
		en, zh string
	}{
		{
			"one dimension",
			schema.TargetAudience{AgeGroups: []string{"25-34"}},
			"50.0% are 25-34; the score is just that share.",
			"25-34 岁占 50.0%，评分即为该占比。",
		},
		{
			"a telling index",
			schema.TargetAudience{Gender: "male"},
			"30.0% are men (TGI 59); the score is just that share.",
			"男性占 30.0%（TGI 59），评分即为该占比。",
		},
		{
			"neighbouring ages are one span",
			schema.TargetAudience{AgeGroups: []string{">44", "18-24", "25-34", "35-44"}},
			"90.0% are 18 and over; the score is just that share.",
			"18 岁及以上占 90.0%，评分即为该占比。",
		},
		{
			"others are not",
			schema.TargetAudience{AgeGroups: []string{"35-44", "<18"}},
			"25.0% are under 18 or 35-44; the score is just that share.",
			"18 岁以下或 35-44 岁占 25.0%，评分即为该占比。",
		},
		{
			"all ages",
			schema.TargetAudience{AgeGroups: schema.AgeGroups()},
			"100.0% are of any age; the score is just that share.",
			"全部年龄占 100.0%，评分即为该占比。",
		},
		{
			"abroad is no place that one is in",
			schema.TargetAudience{Provinces: []string{"海外"}},
			"10.0% are overseas; the score is just that share.",
			"海外占 10.0%，评分即为该占比。",
		},
		{
			"nor beside one",
			schema.TargetAudience{Provinces: []string{"海外", "广东"}},
			"30.0% are in Guangdong or overseas; the score is just that share.",
			"海外或广东占 30.0%，评分即为该占比。",
		},
		{
			"a group is one name, however many it holds",
			schema.TargetAudience{Provinces: []string{"华东"}},
			"25.0% are in East China; the score is just that share.",
			"华东占 25.0%，评分即为该占比。",
		},
		{
			"many names are counted",
			schema.TargetAudience{Provinces: []string{"广东", "江苏", "海外", "河南"}},
			"85.0% are in the 4 selected provinces; the score is just that share.",
			"所选 4 个省份占 85.0%，评分即为该占比。",
		},
		{
			"a name that is not listed",
			schema.TargetAudience{Cities: []string{"广州", "成都"}},
			"10.0% to 14.0% are in Guangzhou or Chengdu. Not listed: Chengdu; the score is a lower bound.",
			"广州或成都占 10.0% 至 14.0%。未列出：成都；评分为下限。",
		},
		{
			"nothing that is",
			schema.TargetAudience{Cities: []string{"成都"}},
			"At most 4.0% are in Chengdu. Not listed: Chengdu; the score is a lower bound.",
			"成都至多占 4.0%。未列出：成都；评分为下限。",
		},
		{
			"a name for which a whole list leaves nothing",
			schema.TargetAudience{Interests: []string{"美食", "汽车"}},
			"30.0% of interests are in Food or Cars; the score is just that share. Not listed: Cars.",
			"兴趣分布中美食或汽车占 30.0%，评分即为该占比。未列出：汽车。",
		},
		{
			"beside a listed interest that it is a part of",
			schema.TargetAudience{Interests: []string{"烘焙", "户外"}},
			"At most 0.0% of interests are in Baking or Outdoors. Not listed: Baking (Food, which is listed, has 30.0%), Outdoors; the score is a lower bound.",
			"兴趣分布中烘焙或户外至多占 0.0%。未列出：户外、烘焙（已列出的美食占 30.0%）；评分为下限。",
		},
		{
			"unless that is selected too",
			schema.TargetAudience{Interests: []string{"烘焙", "美食"}},
			"30.0% of interests are in Baking or Food; the score is just that share. Not listed: Baking.",
			"兴趣分布中烘焙或美食占 30.0%，评分即为该占比。未列出：烘焙。",
		},
		{
			"what drives and what caps",
			schema.TargetAudience{Gender: "female", Provinces: []string{"广东", "浙江"}},
			"Gender drives the score (70.0% match, TGI 144); only 30.0% are in Guangdong or Zhejiang (TGI 247), so at most 30.0% can match both; " +
				"if the dimensions were independent, 21.0% would.",
			"评分主要来自性别（匹配 70.0%，TGI 144）；广东或浙江仅占 30.0%（TGI 247），因此两项同时符合的占比上限为 30.0%；若各维度相互独立，则占 21.0%。",
		},
		{
			"what is certain",
			schema.TargetAudience{Gender: "female", AgeGroups: []string{"18-24", "25-34"}},
			"Gender drives the score (70.0% match, TGI 144); 70.0% are 18-34, so at most 70.0% can match both; " +
				"if the dimensions were independent, 49.0% would (at least 40.0% do).",
			"评分主要来自性别（匹配 70.0%，TGI 144）；18-34 岁占 70.0%，因此两项同时符合的占比上限为 70.0%；若各维度相互独立，则占 49.0%（不会低于 40.0%）。",
		},
		{
			"everybody",
			schema.TargetAudience{AgeGroups: schema.AgeGroups(), Interests: []string{"美食", "旅游", "影视", "情感"}},
			"Age drives the score (100.0% match); nothing limits how many match both; if the dimensions were independent, 100.0% would (at least 100.0% do).",
			"评分主要来自年龄（匹配 100.0%）；两项同时符合的占比没有上限；若各维度相互独立，则占 100.0%（不会低于 100.0%）。",
		},
		{
			"a weight that decides",
			schema.TargetAudience{Gender: "female", Interests: []string{"美食"}, Weights: weigh(schema.DimensionInterests, 4)},
			"Interest decides the score (80.0% of the weight); 30.0% of interests are in Food, so at most 30.0% can match both; " +
				"if the dimensions were independent, 21.0% would.",
			"评分主要取决于兴趣（权重 80.0%）；兴趣分布中美食占 30.0%，因此两项同时符合的占比上限为 30.0%；若各维度相互独立，则占 21.0%。",
		},
		{
			"and does not cap the reach",
			schema.TargetAudience{Interests: []string{"美食"}, AgeGroups: []string{"35-44"}, Weights: weigh(schema.DimensionInterests, 2)},
			"Interest decides the score (30.0% match, 66.7% of the weight); only 15.0% are 35-44, so at most 15.0% can match both; " +
				"if the dimensions were independent, 4.5% would.",
			"评分主要取决于兴趣（匹配 30.0%，权重 66.7%）；35-44 岁仅占 15.0%，因此两项同时符合的占比上限为 15.0%；若各维度相互独立，则占 4.5%。",
		},
		{
			"what caps the reach and is not scored",
			schema.TargetAudience{Gender: "female", Interests: []string{"美食"}, Weights: weigh(schema.DimensionInterests, 0)},
			"Only gender is scored (70.0% match, TGI 144); 30.0% of interests are in Food, so at most 30.0% can match both; " +
				"if the dimensions were independent, 21.0% would.",
			"仅性别计入评分（匹配 70.0%，TGI 144）；兴趣分布中美食占 30.0%，因此两项同时符合的占比上限为 30.0%；若各维度相互独立，则占 21.0%。",
		},
		{
			"what costs the score most and does not cap the reach",
			schema.TargetAudience{
				Gender: "female", AgeGroups: []string{"<18"}, Interests: []string{"美食"}, Weights: weigh(schema.DimensionAgeGroups, 0.1),
			},
			"Gender drives the score (70.0% match, TGI 144), interest holds it back (30.0% match); only 10.0% are under 18, so at most 10.0% can match all three; " +
				"if the dimensions were independent, 2.1% would.",
			"评分主要来自性别（匹配 70.0%，TGI 144），兴趣拉低评分（匹配 30.0%）；18 岁以下仅占 10.0%，因此三项同时符合的占比上限为 10.0%；若各维度相互独立，则占 2.1%。",
		},
		{
			"a lower bound among others",
			schema.TargetAudience{Gender: "female", Cities: []string{"广州", "成都"}},
			"Gender drives the score (70.0% match, TGI 144); 10.0% to 14.0% are in Guangzhou or Chengdu, so at most 14.0% can match both; " +
				"if the dimensions were independent, at least 7.0% would. Not listed: Chengdu; the score is a lower bound.",
			"评分主要来自性别（匹配 70.0%，TGI 144）；广州或成都占 10.0% 至 14.0%，因此两项同时符合的占比上限为 14.0%；若各维度相互独立，则至少占 7.0%。" +
				"未列出：成都；评分为下限。",
		},
		{
			"one that is not scored",
			schema.TargetAudience{Gender: "female", Cities: []string{"成都"}, Weights: weigh(schema.DimensionCities, 0)},
			"Only gender is scored (70.0% match, TGI 144); at most 4.0% are in Chengdu, so at most 4.0% can match both. Not listed: Chengdu.",
			"仅性别计入评分（匹配 70.0%，TGI 144）；成都至多占 4.0%，因此两项同时符合的占比上限为 4.0%。未列出：成都。",
		},
		{
			"nothing matches",
			schema.TargetAudience{Provinces: []string{"西藏"}, Cities: []string{"成都"}},
			"Nothing adds to the score; only 0.0% are in Tibet, so at most 0.0% can match both. Not listed: Chengdu; the score is a lower bound.",
			"没有计入评分的匹配；西藏仅占 0.0%，因此两项同时符合的占比上限为 0.0%。未列出：成都；评分为下限。",
		},
		{
			"nor does it where what matches is not scored",
			schema.TargetAudience{Gender: "female", Cities: []string{"成都"}, Weights: weigh(schema.DimensionGender, 0)},
			"Nothing adds to the score; at most 4.0% are in Chengdu, so at most 4.0% can match both. Not listed: Chengdu; the score is a lower bound.",
			"没有计入评分的匹配；成都至多占 4.0%，因此两项同时符合的占比上限为 4.0%。未列出：成都；评分为下限。",
		},
		{
			"nothing that is, and nothing left for it",
			schema.TargetAudience{Provinces: []string{"西藏"}},
			"0.0% are in Tibet; the score is just that share.",
			"西藏占 0.0%，评分即为该占比。",
		},
		{
			"half is not held back",
			schema.TargetAudience{
				Gender: "female", AgeGroups: []string{"25-34"}, Interests: []string{"美食"}, Weights: weigh(schema.DimensionInterests, 0),
			},
			"Gender drives the score (70.0% match, TGI 144); 30.0% of interests are in Food, so at most 30.0% can match all three; " +
				"if the dimensions were independent, 10.5% would.",
			"评分主要来自性别（匹配 70.0%，TGI 144）；兴趣分布中美食占 30.0%，因此三项同时符合的占比上限为 30.0%；若各维度相互独立，则占 10.5%。",
		},
		{
			"no data",
			schema.TargetAudience{Devices: []string{"vivo"}},
			"No usable device data, so there is no score.",
			"缺少可用的设备数据，无法计算评分。",
		},
		{
			"no data beside data",
			schema.TargetAudience{Gender: "female", Cities: []string{"广州", "成都"}, Devices: []string{"vivo"}},
			"No usable device data, so neither the score nor the share that matches all is known. Known: gender (70.0% match, TGI 144), city (at least 10.0% match).",
			"缺少可用的设备数据，无法计算评分和同时符合的占比。已知：性别（匹配 70.0%，TGI 144）、城市（至少匹配 10.0%）。",
		},
		{
			"no data on what is not scored",
			schema.TargetAudience{Cities: []string{"成都"}, Devices: []string{"vivo"}, Weights: weigh(schema.DimensionDevices, 0)},
			"No usable device data, so the share that matches all is not known. Known: city (not listed).",
			"缺少可用的设备数据，无法计算同时符合的占比。已知：城市（未列出）。",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.en, fitOf(t, test.target, &d, schema.English).Explanation)
			assert.Equal(t, test.zh, fitOf(t, test.target, &d, schema.Chinese).Explanation)
		})
	}
}

func TestExplanationsAreShortAndWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target, d := anyTarget(t), anyDistributions(t)
		for _, lang := range []schema.Language{schema.English, schema.Chinese} {
			text := fitOf(t, target, d, lang).Explanation
			assert.NotEmpty(t, text)
			assert.True(t, strings.HasSuffix(text, ".") || strings.HasSuffix(text, "。"), text)
			assert.NotContains(t, text, "%!", "a fault of formatting")
			assert.NotContains(t, text, "  ")
			assert.LessOrEqual(t, len(strings.Fields(text)), 60, text)
		}
	})
}

package audience_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

func TestInsights(t *testing.T) {
	share := func(s float64) *float64 { return &s }
	for _, tt := range []struct {
		name   string
		d      *schema.Distributions
		en, zh []string
	}{
		{"nothing is known", &schema.Distributions{}, []string{}, []string{}},

		{"women at three in four", &schema.Distributions{Gender: genderOf(0.75, 0.25)},
			[]string{"Skews strongly female (TGI 154 against the 2020 census; men 25.0%)."}, []string{"女性明显偏多（TGI 154，对比 2020 年人口普查；男性占 25.0%）。"}},
		{"women below three in four", &schema.Distributions{Gender: genderOf(0.749, 0.251)},
			[]string{"Skews female (TGI 154 against the 2020 census; men 25.1%)."}, []string{"女性偏多（TGI 154，对比 2020 年人口普查；男性占 25.1%）。"}},
		{"women at three in five", &schema.Distributions{Gender: genderOf(0.6, 0.4)},
			[]string{"Skews female (TGI 123 against the 2020 census; men 40.0%)."}, []string{"女性偏多（TGI 123，对比 2020 年人口普查；男性占 40.0%）。"}},
		{"women below three in five", &schema.Distributions{Gender: genderOf(0.599, 0.401)},
			[]string{"Leans female (TGI 123 against the 2020 census; men 40.1%)."}, []string{"女性略多（TGI 123，对比 2020 年人口普查；男性占 40.1%）。"}},
		{"shares that do not add up", &schema.Distributions{Gender: genderOf(0.5, 0.3)},
			[]string{"Women 50.0%, men 30.0%."}, []string{"女性 50.0%，男性 30.0%。"}},
		{"more than everybody", &schema.Distributions{Gender: genderOf(1, 0.9)},
			[]string{"Women 100.0%, men 90.0%."}, []string{"女性 100.0%，男性 90.0%。"}},
		{"nobody", &schema.Distributions{Gender: genderOf(0, 0)}, []string{}, []string{}},
		{"a lean to men", &schema.Distributions{Gender: genderOf(0.44, 0.56)},
			[]string{"Leans male (TGI 109 against the 2020 census; women 44.0%)."}, []string{"男性略多（TGI 109，对比 2020 年人口普查；女性占 44.0%）。"}},
		{"balanced at the edge", &schema.Distributions{Gender: genderOf(0.55, 0.45)},
			[]string{"Genders are balanced: women 55.0%, men 45.0%."}, []string{"男女均衡：女性 55.0%，男性 45.0%。"}},
		{"men at three in four", &schema.Distributions{Gender: genderOf(0.2, 0.8)},
			[]string{"Skews strongly male (TGI 156 against the 2020 census; women 20.0%)."}, []string{"男性明显偏多（TGI 156，对比 2020 年人口普查；女性占 20.0%）。"}},
		{"one gender is known, and large", &schema.Distributions{Gender: &schema.GenderShares{Male: share(0.7)}},
			[]string{"Skews male (70.0%)."}, []string{"男性偏多（70.0%）。"}},
		{"one gender is known, and small: the rest may be unknown too", &schema.Distributions{Gender: &schema.GenderShares{Male: share(0.2)}}, []string{}, []string{}},
		{"one gender is known, at half: no balance", &schema.Distributions{Gender: &schema.GenderShares{Male: share(0.5)}}, []string{}, []string{}},

		{"few minors", &schema.Distributions{Ages: []schema.AgeShare{{Group: "<18", Percent: 0.049}}},
			[]string{}, []string{}},
		{"minors at one in twenty", &schema.Distributions{Ages: []schema.AgeShare{{Group: "<18", Percent: 0.05}}},
			[]string{"Under 18: 5.0% (mind the rules on advertising to minors)."}, []string{"未成年人 5.0%（注意面向未成年人的广告规定）。"}},

		{"spread over provinces", &schema.Distributions{Provinces: rows(row("四川", 0.1), row("广东", 0.249), row("新地方", 0.2), row("中国", 0.1), row("山东", 0.05))},
			[]string{}, []string{}},
		{"concentrated in one", &schema.Distributions{Provinces: rows(row("四川", 0.1), row("广东", 0.25))},
			[]string{"Concentrated: Guangdong 25.0%, then Sichuan 10.0%."}, []string{"地域集中：广东 25.0%，其次四川 10.0%。"}},
		{"concentrated in one, with others behind", &schema.Distributions{Provinces: rows(row("四川", 0.1), row("广东", 0.5), row("山东", 0.2), row("湖北", 0.05))},
			[]string{"Concentrated: Guangdong 50.0%, then Shandong 20.0%."}, []string{"地域集中：广东 50.0%，其次山东 20.0%。"}},
		{"only one listed", &schema.Distributions{Provinces: rows(row("广东", 1))},
			[]string{"Concentrated: Guangdong 100.0%.", "High province TGI against the 2020 census: Guangdong 1119."},
			[]string{"地域集中：广东 100.0%。", "省份 TGI（对比 2020 年人口普查）偏高：广东 1119。"}},
		{"few listed", &schema.Distributions{Provinces: rows(row("广东", 0.1), row("四川", 0.2))},
			[]string{"Provinces listed: only 2."}, []string{"仅列出 2 个省份。"}},

		{"first-tier cities", &schema.Distributions{Cities: rows(row("北京", 0.1), row("深圳", 0.05), row("昆明", 0.2))},
			[]string{"First-tier cities at least 15.0%."}, []string{"一线城市至少 15.0%。"}},
		{"both tiers", &schema.Distributions{Cities: rows(row("北京", 0.1), row("成都", 0.2))},
			[]string{"First-tier cities at least 10.0%, new first-tier at least 20.0%."}, []string{"一线城市至少 10.0%，新一线至少 20.0%。"}},
		{"first-tier cities, all listed: two as provinces", &schema.Distributions{
			Provinces: rows(row("北京", 0.1), row("上海", 0.1), row("广东", 0.2), row("河南", 0.2)), Cities: rows(row("广州", 0.05), row("深圳", 0.05), row("成都", 0.02)),
		}, []string{"First-tier cities 30.0%, new first-tier at least 2.0%."}, []string{"一线城市 30.0%，新一线至少 2.0%。"}},
		{"new first-tier cities alone", &schema.Distributions{Cities: rows(row("成都", 0.2))},
			[]string{"New first-tier cities at least 20.0%."}, []string{"新一线城市至少 20.0%。"}},
		{"no city of the tiers listed", &schema.Distributions{Cities: rows(row("昆明", 0.2))}, []string{}, []string{}},

		{"one in ten abroad", &schema.Distributions{Provinces: rows(row("海外", 0.1))},
			[]string{"Overseas 10.0%."}, []string{"海外 10.0%。"}},
		{"fewer abroad", &schema.Distributions{Provinces: rows(row("海外", 0.099))}, []string{}, []string{}},

		{"a name that would pass for figures", &schema.Distributions{Interests: rows(row("Food 90.0, Cars 5.0", 0.2))},
			[]string{`Main interest: "Food 90.0, Cars 5.0" 20.0%.`}, []string{`兴趣突出："Food 90.0, Cars 5.0" 20.0%。`}},
		{"an interest stands out", &schema.Distributions{Interests: rows(row("时尚", 0.1), row("美食", 0.15))},
			[]string{"Main interest: Food 15.0%, then Fashion 10.0%."}, []string{"兴趣突出：美食 15.0%，其次时尚 10.0%。"}},
		{"large, but so is the next", &schema.Distributions{Interests: rows(row("美食", 0.15), row("时尚", 0.11))},
			[]string{"No interest dominates."}, []string{"兴趣较为分散。"}},
		{"ahead, but small", &schema.Distributions{Interests: rows(row("美食", 0.14), row("时尚", 0.01))},
			[]string{"No interest dominates."}, []string{"兴趣较为分散。"}},
		{"a single interest", &schema.Distributions{Interests: rows(row("美食", 0.5))},
			[]string{"Main interest: Food 50.0%."}, []string{"兴趣突出：美食 50.0%。"}},

		{"Apple", &schema.Distributions{Devices: device("apple inc.", 0.434)},
			[]string{"Apple 43.4% (only hints at spending power)."}, []string{"苹果设备占 43.4%（仅粗略反映消费力）。"}},
		{"Apple in two spellings", &schema.Distributions{Devices: append(device("apple inc.", 0.2), device("Apple", 0.1)...)},
			[]string{"Apple 30.0% (only hints at spending power)."}, []string{"苹果设备占 30.0%（仅粗略反映消费力）。"}},
		{"no Apple listed", &schema.Distributions{Devices: device("huawei", 0.9)}, []string{}, []string{}},

		{"figures are of the exact values", &schema.Distributions{Gender: genderOf(0.67127, 0.32873)},
			[]string{"Skews female (TGI 138 against the 2020 census; men 32.9%)."}, []string{"女性偏多（TGI 138，对比 2020 年人口普查；男性占 32.9%）。"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			analyst := audience.New(nil)
			assert.Equal(t, tt.en, analyst.Summarize(tt.d, schema.English).Insights)
			assert.Equal(t, tt.zh, analyst.Summarize(tt.d, schema.Chinese).Insights)
		})
	}
}

package audience

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

func TestTarget(t *testing.T) {
	target, err := New(nil).Target(&schema.TargetAudience{
		Gender:    "Women",
		AgeGroups: []string{"25–34", "35 to 44"},
		Provinces: []string{"Canton", "East China", "浙江省", "华东地区"},
		Cities:    []string{"tier1", "Beijing City"},
		Interests: []string{"food", "旅行"},
		Devices:   []string{"iPhone", "apple inc.", "华为手机"},
		Weights:   map[schema.Dimension]float64{"gender": 2, "age": 0},
	})
	require.NoError(t, err)
	assert.Equal(t, map[schema.Dimension][]string{
		"gender":    {"female"},
		"ageGroups": {"25-34", "35-44"},
		"provinces": {"广东", "上海", "江苏", "浙江", "安徽", "福建", "江西", "山东"},
		"cities":    {"北京", "上海", "广州", "深圳"},
		"interests": {"美食", "旅游"},
		"devices":   {"Apple", "Huawei"},
	}, target.selected, "by the vendor's names, groups spelled out, each once")
	assert.Equal(t, map[schema.Dimension][]label{
		"gender":    {{"women", "女性"}},
		"ageGroups": {{"25-34", "25-34 岁"}, {"35-44", "35-44 岁"}},
		"provinces": {{"Guangdong", "广东"}, {"East China", "华东"}, {"Zhejiang", "浙江"}},
		"cities":    {{"first-tier cities", "一线城市"}, {"Beijing", "北京"}},
		"interests": {{"Food", "美食"}, {"Travel", "旅游"}},
		"devices":   {{"Apple", "苹果"}, {"Huawei", "华为"}},
	}, target.said, "as the caller chose, in the caller's order, each once")
	assert.Equal(t, map[schema.Dimension]float64{
		"gender": 2, "ageGroups": 0, "provinces": 1, "cities": 1, "interests": 1, "devices": 1,
	}, target.weights)
}

func TestTargetHasOnlyTheDimensionsThatAreNamed(t *testing.T) {
	target, err := New(nil).Target(&schema.TargetAudience{Gender: "m", Cities: []string{}})
	require.NoError(t, err)
	assert.Equal(t, map[schema.Dimension][]string{"gender": {"male"}}, target.selected)
	assert.Equal(t, map[schema.Dimension]float64{"gender": 1}, target.weights)
}

func TestNoTarget(t *testing.T) {
	target, err := New(nil).Target(nil)
	require.NoError(t, err)
	assert.Nil(t, target)
}

// refused returns the message with which a target audience is refused.
func refused(t *testing.T, audience *schema.TargetAudience) string {
	t.Helper()
	target, err := New(nil).Target(audience)
	require.Error(t, err)
	assert.Nil(t, target)
	var refusal *schema.Error
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, schema.InvalidArgument, refusal.Kind)
	assert.False(t, refusal.Retryable)
	return refusal.Message
}

func TestWrongTargets(t *testing.T) {
	provinces := func(names ...string) *schema.TargetAudience { return &schema.TargetAudience{Provinces: names} }
	cities := func(names ...string) *schema.TargetAudience { return &schema.TargetAudience{Cities: names} }
	ages := func(names ...string) *schema.TargetAudience { return &schema.TargetAudience{AgeGroups: names} }
	interests := func(names ...string) *schema.TargetAudience { return &schema.TargetAudience{Interests: names} }
	women := func(weights map[schema.Dimension]float64) *schema.TargetAudience {
		return &schema.TargetAudience{Gender: "female", Weights: weights}
	}
	const (
		provincesTake = ` It takes provinces and regions of China, and "Overseas", in English or Chinese, such as "Guangdong" or "华东".`
		citiesTake    = ` It takes China's cities of prefecture level and above, and tiers, in English or Chinese, such as "Hangzhou" or "一线城市".`
		interestsTake = ` It takes the vendor's interests, such as Food, Daily life, Entertainment, Fashion, Home, Film & TV, Relationships, Travel, ` +
			`Beauty, Social science, Education, Mother & baby, Health, Hobbies, Cars, Pets, Career, Fitness, Creative assets and Humanities.`
		interestsTakeZH = ` It takes the vendor's interests, such as 美食, 生活记录, 娱乐, 时尚, 家居家装, 影视, 情感, 旅游, ` +
			`美妆, 社科, 教育, 母婴, 健康, 兴趣爱好, 汽车, 宠物, 职场, 健身减肥, 素材 and 人文.`
		tiers  = ` Of the tiers, only "tier1" and "new-tier1" are known; name other cities one by one.`
		groups = "not match the vendor's age groups: <18, 18-24, 25-34, 35-44, >44; several together, such as 18-34, will do."
		nobody = `targetAudience names nobody. Give at least one of gender, ageGroups, provinces, cities, interests and devices, ` +
			`such as {"gender": "female", "ageGroups": ["25-34"], "cities": ["tier1"]}.`
	)
	for _, tt := range []struct {
		name   string
		target *schema.TargetAudience
		want   string
	}{
		{"nothing", &schema.TargetAudience{}, nobody},
		{"only weights", &schema.TargetAudience{Weights: map[schema.Dimension]float64{"gender": 1}}, nobody},
		{"only empty dimensions", &schema.TargetAudience{Cities: []string{}}, nobody},

		{"a slip", provinces("Gaungdong"), `targetAudience.provinces has "Gaungdong", which is not known. Did you mean "Guangdong"?`},
		{"a slip in Chinese", provinces("光东"), `targetAudience.provinces has "光东", which is not known. Did you mean "山东", "广东" or "华东"?`},
		{"a slip before a suffix", provinces("Zejiang Province"), `targetAudience.provinces has "Zejiang Province", which is not known. Did you mean "Zhejiang"?`},
		{"half of an ambiguous name", cities("Taizhou"), `targetAudience.cities has "Taizhou", which is not known. Did you mean "Taizhou (Jiangsu)" or "Taizhou (Zhejiang)"?`},
		{"a slip of a gender", &schema.TargetAudience{Gender: "femal"}, `targetAudience.gender is "femal", which is not known. Did you mean "women"?`},
		{"nothing near", provinces("Narnia"), `targetAudience.provinces has "Narnia", which is not known.` + provincesTake},
		{"nothing near, twice", cities("Qwertyuiop", "Qwertyuiop", "Asdfghjkl"), `targetAudience.cities has "Qwertyuiop" and "Asdfghjkl", which are not known.` + citiesTake},
		{"no name", provinces(" "), `targetAudience.provinces has " ", which is not known.` + provincesTake},
		{"no interest", interests("Qwertyuiop"), `targetAudience.interests has "Qwertyuiop", which is not known.` + interestsTake},
		{"no brand", &schema.TargetAudience{Devices: []string{"Android"}}, `targetAudience.devices has "Android", which is not known. It takes brands, in English or Chinese, such as "Apple" or "华为".`},
		{"no gender", &schema.TargetAudience{Gender: "robots"}, `targetAudience.gender is "robots", which is not known. It takes female or male.`},
		{"several things", &schema.TargetAudience{Provinces: []string{"Gaungdong", "Narnia"}, Cities: []string{"Pekign"}},
			`targetAudience.provinces has "Gaungdong", which is not known. Did you mean "Guangdong"? ` +
				`targetAudience.provinces has "Narnia", which is not known.` + provincesTake +
				` targetAudience.cities has "Pekign", which is not known. Did you mean "Beijing"?`},

		{"a city as a province", provinces("Guangzhou"), `targetAudience.provinces has "Guangzhou", which is a city: put it in cities.`},
		{"cities as provinces", provinces("Guangzhou", "深圳市", "吉林市"), `targetAudience.provinces has "Guangzhou", "深圳市" and "吉林市", which are cities: put them in cities.`},
		{"a tier as a province", provinces("tier1"), `targetAudience.provinces has "tier1", which is a tier of cities: put it in cities.`},
		{"a province as a city", cities("Guangdong Province"), `targetAudience.cities has "Guangdong Province", which is a province: put it in provinces.`},
		{"a province that shares its name with a city", cities("吉林省"), `targetAudience.cities has "吉林省", which is a province: put it in provinces.`},
		{"a region as a city", cities("East China"), `targetAudience.cities has "East China", which is a region: put it in provinces.`},
		{"overseas as a city", cities("abroad"), `targetAudience.cities has "abroad", which is no city: put it in provinces.`},
		{"a brand as an interest", interests("iPhone"), `targetAudience.interests has "iPhone", which is a device brand: put it in devices.`},
		{"another gender", &schema.TargetAudience{Gender: "other"}, `targetAudience.gender is "other", which is not known. It takes female or male.`},
		{"other cities", cities("其他"), `targetAudience.cities has "其他", which is not known.` + citiesTake},
		{"a gender as an interest", interests("girls"), `targetAudience.interests has "girls", which is a gender: put it in gender.`},
		{"ages as an interest", interests("18-24"), `targetAudience.interests has "18-24", which is an age group: put it in ageGroups.`},
		{"the country", provinces("China", "全国"), `targetAudience.provinces has "China" and "全国", which are the whole country: leave provinces out instead.`},
		{"the country as an interest", interests("中国"), `targetAudience.interests has "中国", which is not known.` + interestsTakeZH},
		{"everybody", cities("all"), `targetAudience.cities has "all", which asks for anybody: leave cities out instead.`},
		{"either gender", &schema.TargetAudience{Gender: "不限"}, `targetAudience.gender is "不限", which asks for anybody: leave gender out instead.`},

		{"a word that is near to another", interests("单身", "增肥"), `targetAudience.interests has "单身" and "增肥", which are not known.` + interestsTakeZH},

		{"tiers below the known", cities("二线城市", "tier2"), `targetAudience.cities has "二线城市" and "tier2", which are not known.` + tiers},
		{"such a tier as a province", provinces("下沉市场"), `targetAudience.provinces has "下沉市场", which is not known.` + tiers},
		{"a direction that is no region", provinces("Southeast", "Western China"), `targetAudience.provinces has "Southeast" and "Western China", which are not known.` +
			` The regions are North, Northeast, East, Central, South, Southwest and Northwest. Name those or provinces.`},
		{"and in Chinese", provinces("西部"), `targetAudience.provinces has "西部", which is not known. The regions are 华北, 东北, 华东, 华中, 华南, 西南 and 西北. Name those or provinces.`},
		{"an area of provinces", provinces("江浙沪"), `targetAudience.provinces has "江浙沪", which is 江苏, 浙江 and 上海: name them in provinces.`},
		{"as a city", cities("Yangtze River Delta"), `targetAudience.cities has "Yangtze River Delta", which is Shanghai, Jiangsu, Zhejiang and Anhui: name them in provinces.`},
		{"an area of cities", cities("珠三角地区"), `targetAudience.cities has "珠三角地区", which is 广州, 深圳, 珠海, 佛山, 惠州, 东莞, 中山, 江门 and 肇庆: name them in cities, or 广东 in provinces.`},
		{"in several provinces", provinces("GBA"), `targetAudience.provinces has "GBA", which is Guangzhou, Shenzhen, Zhuhai, Foshan, Huizhou, Dongguan, Zhongshan, Jiangmen, Zhaoqing, ` +
			`Hong Kong and Macao: name them in cities, or Guangdong, Hong Kong and Macao in provinces.`},
		{"in none", cities("北上广"), `targetAudience.cities has "北上广", which is 北京, 上海 and 广州: name them in cities.`},
		{"an area as an interest", interests("江浙沪"), `targetAudience.interests has "江浙沪", which is not known.` + interestsTakeZH},
		{"whom to leave out", cities("非一线城市", "except Beijing"), `targetAudience.cities has "非一线城市" and "except Beijing", which say whom to leave out: name whom to reach instead.`},
		{"one to leave out", &schema.TargetAudience{Gender: "non-female"}, `targetAudience.gender is "non-female", which says whom to leave out: name whom to reach instead.`},

		{"ages that cut a group in two", ages("20-30"), `targetAudience.ageGroups has "20-30", which does ` + groups},
		{"ages that are none", ages("Gen Z", "30"), `targetAudience.ageGroups has "Gen Z" and "30", which do ` + groups},
		{"a city as an age", ages("Wuhan"), `targetAudience.ageGroups has "Wuhan", which is a city: put it in cities.`},

		{"a weight of no dimension", women(map[schema.Dimension]float64{"brand fit": 1}),
			`targetAudience.weights has "brand fit", which is no dimension. The dimensions are gender, ageGroups, provinces, cities, interests and devices.`},
		{"a weight of a dimension that is not named", women(map[schema.Dimension]float64{"city": 1}),
			`targetAudience.weights has cities, but targetAudience names no cities. Weigh only what it names.`},
		{"a weight twice", women(map[schema.Dimension]float64{"gender": 1, "Gender": 1}), `targetAudience.weights has gender twice, under two spellings.`},
		{"a weight below 0", women(map[schema.Dimension]float64{"gender": -0.5}), `targetAudience.weights.gender is -0.5. A weight is 0, or a number from 0.001 to 1000.`},
		{"a weight too small to tell from 0", women(map[schema.Dimension]float64{"gender": 5e-324}), `targetAudience.weights.gender is 5e-324. A weight is 0, or a number from 0.001 to 1000.`},
		{"a weight too large", women(map[schema.Dimension]float64{"gender": 1001}), `targetAudience.weights.gender is 1001. A weight is 0, or a number from 0.001 to 1000.`},
		{"a weight that is no number", women(map[schema.Dimension]float64{"gender": math.NaN()}), `targetAudience.weights.gender is NaN. A weight is 0, or a number from 0.001 to 1000.`},
		{"an endless weight", women(map[schema.Dimension]float64{"gender": math.Inf(1)}), `targetAudience.weights.gender is +Inf. A weight is 0, or a number from 0.001 to 1000.`},
		{"no weight at all", women(map[schema.Dimension]float64{"gender": 0}),
			`targetAudience.weights are all 0, so that nothing would count. Give at least one dimension more, or leave the weights out.`},

		{"too many names", cities(strings.Split(strings.Repeat("Wuhan,", 50)+"Wuhan", ",")...), `targetAudience.cities has 51 names; it takes at most 50.`},
		{"a long name", cities(strings.Repeat("长", 101)), `targetAudience.cities has "` + strings.Repeat("长", 40) + `…", which is longer than 100 characters.`},
		{"a name that would pass for the message", cities("x\". Ignore\nthis \u202e"),
			`targetAudience.cities has "x\". Ignore�this �", which is not known.` + citiesTake},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, refused(t, tt.target))
		})
	}
}

func TestManyFaultsAreToldInOneShortMessage(t *testing.T) {
	var names []string
	for r := 'A'; r <= 'Z'; r++ {
		names = append(names, strings.Repeat(string(r), 90))
	}
	message := refused(t, &schema.TargetAudience{Provinces: names, Cities: names, Interests: names, Devices: names})
	assert.Contains(t, message, " and 21 more, which are not known.")
	assert.Less(t, len(message), 2000)

	slips := strings.Fields("Bejing Tianjn Hebe Shnxi Mongola Lioning Jiln Heilongjang Shangai Jangsu Zejiang Anhu")
	message = refused(t, &schema.TargetAudience{Provinces: slips})
	assert.Equal(t, 10, strings.Count(message, "targetAudience.provinces"))
	assert.Contains(t, message, " And 2 more like these.")
}

func TestAgeGroupsAsPeopleWriteThem(t *testing.T) {
	for want, spellings := range map[string][]string{
		"<18":                   {"<18", "< 18", "＜18", "under 18", "below 18", "<=17", "≤17", "17 and under", "0-17", "minors", "未成年", "18岁以下", "17岁及以下", "18 or younger"},
		"18-24":                 {"18-24", "18–24", "18 — 24", "18 to 24", "18~24", "18至24岁", "18到24周岁", "18 - 24 years old", "aged 18-24", "between 18 and 24", "１８－２４"},
		"25-34":                 {"25-34", "25-34岁"},
		"35-44":                 {"35-44", "35 to 44 yrs"},
		">44":                   {">44", "＞44", "45+", ">=45", "≥45", "45 and over", "over 44", "over 45", "45 or older", "45 plus", "45岁以上", "44 岁以上", "45岁及以上", "older than 44"},
		"18-24 25-34":           {"18-34", "18 to 34"},
		"18-24 25-34 35-44 >44": {"18+", "adults", "成年人", "over 18"},
		"<18 18-24 25-34":       {"under 35", "<=34", "up to 34", "35 岁以下"},
		"<18 18-24 25-34 35-44": {"<45"},
		"none":                  {"20-30", "20-34", "25-35", "30", "18", "Gen Z", "90后", "", "-", "18-", ">45", "<=18", ">=0", "0+", "0-1000", "44-35", "99999999999999999999-3", "-18-24", "13-17", "45-54"},
	} {
		for _, spelling := range spellings {
			t.Run(spelling, func(t *testing.T) {
				got := "none"
				if e, known := ageEntry(spelling); known {
					got = strings.Join(e.rows, " ")
				}
				assert.Equal(t, want, got)
			})
		}
	}
}

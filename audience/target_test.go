package audience

import (
	"math"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// understood is a target audience that nothing is wrong with.
func understood(t *testing.T, target schema.TargetAudience) *Target {
	t.Helper()
	got, err := New(nil).Target(&target)
	require.NoError(t, err)
	require.NotNil(t, got)
	return got
}

func TestTarget(t *testing.T) {
	target := understood(t, schema.TargetAudience{
		Gender:    "Women",
		AgeGroups: []string{"25–34", "35 to 44"},
		Provinces: []string{"Canton", "East China", "浙江省", "华东地区", "深圳"},
		Cities:    []string{"tier1", "Beijing City", "四川"},
		Interests: []string{"food", "旅行", ""},
		Devices:   []string{"iPhone", "apple inc.", "华为手机"},
		Weights:   schema.Weights{"gender": 2, "age": 0},
		Soft:      []string{"devices", "cities", ""},
	})
	for of, want := range map[schema.Dimension]string{
		"gender":    "female",
		"ageGroups": "25-34 35-44",
		"places":    "北京 上海 江苏 浙江 安徽 福建 江西 山东 广东 四川",
		"interests": "美食 旅游",
		"devices":   "apple inc. huawei",
	} {
		assert.Equal(t, want, keys(target.wanted[of].members()), "groups spelled out, each once, in the order of the tables")
	}
	assert.Equal(t, schema.Target{
		Gender: "female", AgeGroups: []string{"25-34", "35-44"},
		Places:    []string{"Guangdong", "East China", "Zhejiang", "Shenzhen", "first-tier cities", "Beijing", "Sichuan"},
		Interests: []string{"Food", "Travel"}, Devices: []string{"Apple", "Huawei"},
		Weights: schema.Weights{"gender": 2, "ageGroups": 0}, Soft: []schema.Dimension{"places", "devices"},
	}, target.Data(schema.English), "as the caller chose, each once")
}

// TestPlaces is C6, and that provinces and cities are one dimension.
func TestPlaces(t *testing.T) {
	for _, tt := range []struct {
		provinces, cities string
		want              string
	}{
		{"Guangdong", "Shenzhen|Shanghai", "上海 广东"},
		{"深圳|广东", "", "广东"},
		{"吉林", "", "吉林"},
		{"", "吉林", "吉林市"},
		{"Jilin", "", "吉林"},
		{"", "Jilin", "吉林市"},
		{"吉林市", "", "吉林市"},
		{"", "吉林省", "吉林"},
		{"吉林", "吉林市", "吉林"},
		{"海南", "海南州", "海南 海南州"},
		{"", "Canton", "广州"},
		{"", "Beijing|重庆市", "北京 重庆"},
		{"", "香港|Taiwan|台北", "香港 台湾"},
		{"abroad", "", "海外"},
		{"国内未知省份", "", "中国"},

		{"North China", "", "北京 天津 河北 山西 内蒙古"},
		{"东三省", "", "辽宁 吉林 黑龙江"},
		{"", "华东", "上海 江苏 浙江 安徽 福建 江西 山东"},
		{"西南地区", "", "重庆 四川 贵州 云南 西藏"},
		{"Northwestern China", "", "陕西 甘肃 青海 宁夏 新疆"},
		{"港澳台", "", "香港 澳门 台湾"},
		{"港澳", "", "香港 澳门"},
		{"粤港澳", "", "广东 香港 澳门"},
		{"长三角|Yangtze River Delta", "", "上海 江苏 浙江 安徽"},
		{"江浙沪", "", "上海 江苏 浙江"},
		{"江浙", "", "江苏 浙江"},
		{"京津冀", "", "北京 天津 河北"},
		{"", "京津", "北京 天津"},
		{"珠三角", "", "广州 深圳 东莞 佛山 惠州 江门 肇庆 中山 珠海"},
		{"大湾区", "", "香港 澳门 广州 深圳 东莞 佛山 惠州 江门 肇庆 中山 珠海"},
		{"GBA|广东", "", "广东 香港 澳门"},
		{"成渝", "", "重庆 成都"},
		{"川渝", "", "重庆 四川"},
		{"北上广深", "", "北京 上海 广州 深圳"},
		{"", "Tier 1", "北京 上海 广州 深圳"},
		{"新一线城市", "", "天津 重庆 成都 杭州 武汉 苏州 西安 南京 长沙 郑州 合肥 青岛 东莞 宁波 佛山"},
	} {
		target := understood(t, schema.TargetAudience{Provinces: strings.Split(tt.provinces, "|"), Cities: strings.Split(tt.cities, "|")})
		assert.Equal(t, tt.want, keys(target.wanted[schema.DimensionPlaces].members()), "%s %s", tt.provinces, tt.cities)
	}
}

func TestAPlaceOfBothArgumentsIsToldOnce(t *testing.T) {
	target := understood(t, schema.TargetAudience{Provinces: []string{"Shanghai", "上海市"}, Cities: []string{"沪", "Shanghai"}, Weights: schema.Weights{"ages": 1, "devices": 1}})
	assert.Equal(t, schema.Target{Places: []string{"上海"}}, target.Data(schema.Chinese), "nor weights of 1 that say nothing")
}

func TestNoTarget(t *testing.T) {
	for _, blank := range []*schema.TargetAudience{nil, {}, {Gender: " ", Provinces: []string{""}, Cities: []string{}, Weights: schema.Weights{"gender": 1, "places": 1}, Soft: []string{""}}} {
		target, err := New(nil).Target(blank)
		require.NoError(t, err)
		assert.Nil(t, target)
	}
}

func TestWrongTargets(t *testing.T) {
	names := func(argument string, names ...string) schema.TargetAudience {
		switch argument {
		case "provinces":
			return schema.TargetAudience{Provinces: names}
		case "cities":
			return schema.TargetAudience{Cities: names}
		case "interests":
			return schema.TargetAudience{Interests: names}
		case "devices":
			return schema.TargetAudience{Devices: names}
		default:
			return schema.TargetAudience{AgeGroups: names}
		}
	}
	women := func(weights schema.Weights, soft ...string) schema.TargetAudience {
		return schema.TargetAudience{Gender: "female", Weights: weights, Soft: soft}
	}
	const (
		guide  = "; kol-portrait://guide lists every accepted name."
		places = ` It takes provinces, cities, regions, areas and tiers in English or Chinese, such as "Guangdong", "杭州", "East China", "长三角", "tier1"; for all of China leave it out` + guide
		ages   = " It takes the vendor's age groups, <18, 18-24, 25-34, 35-44, >44, and spans of whole groups, such as 18-34; for all ages leave it out."
		en     = "Food, Daily life, Entertainment, Fashion, Home, Film & TV, Relationships, Travel, Beauty, Social science, Education, Mother & baby, " +
			"Health, Hobbies, Cars, Pets, Career, Fitness, Creative assets, Humanities"
		zh  = "美食, 生活记录, 娱乐, 时尚, 家居家装, 影视, 情感, 旅游, 美妆, 社科, 教育, 母婴, 健康, 兴趣爱好, 汽车, 宠物, 职场, 健身减肥, 素材, 人文"
		own = " The vendor's own are "
	)
	for _, tt := range []struct {
		name   string
		target schema.TargetAudience
		want   string
	}{
		{"C13", names("interests", "sunscreen"), `targetAudience.interests: "sunscreen" (nearest: Skincare) is not known.` + own + en + guide},
		{"C13 in Chinese", names("interests", "防晒"), `targetAudience.interests: "防晒" (nearest: 护肤) is not known.` + own + zh + guide},
		{"both scripts", names("interests", "Qwerty", "单身"), `targetAudience.interests: "Qwerty" and "单身" are not known.` + own + zh + guide},
		{"a slip", names("provinces", "Guagdong"), `targetAudience.provinces: "Guagdong" (nearest: Guangdong) is not known.` + places},
		{"a name of two cities", names("cities", "Taizhou"), `targetAudience.cities: "Taizhou" (nearest: Taizhou (Jiangsu), Taizhou (Zhejiang)) is not known.` + places},
		{"the whole country", names("provinces", "全国"), `targetAudience.provinces: "全国" is not known.` + places},
		{"the vendor's word for an unknown province", names("provinces", "中国"), `targetAudience.provinces: "中国" (nearest: 中山, 中卫) is not known.` + places},
		{"no brand", names("devices", "Android"), `targetAudience.devices: "Android" is not known. It takes brands in English or Chinese, such as "Apple" or "华为"` + guide},
		{"both genders", schema.TargetAudience{Gender: "all"}, `targetAudience.gender: "all" is not known. It takes female or male; leave it out for both.`},
		{"ages that cut groups, and all", names("ageGroups", "20-30", "0-99"), `targetAudience.ageGroups: "20-30" and "0-99" are not known.` + ages},
		{
			"many", names("cities", "Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7"),
			`targetAudience.cities: "Q1", "Q2", "Q3", "Q4", "Q5" and 2 more are not known.` + places,
		},
		{"a long name", names("cities", strings.Repeat("长", 101)), `targetAudience.cities: "` + strings.Repeat("长", 40) + `" is not known.` + places},
		{"a name that would pass for more", names("cities", "x\". Ignore\nthis \u202e"), `targetAudience.cities: "x\". Ignore\nthis \u202e" is not known.` + places},
		{
			"several faults", schema.TargetAudience{Gender: "robots", Cities: []string{"Narnia"}, Soft: []string{"cities", "devices"}},
			`targetAudience.gender: "robots" is not known. It takes female or male; leave it out for both. ` +
				`targetAudience.cities: "Narnia" is not known.` + places + ` targetAudience.soft has devices, but targetAudience names no devices.`,
		},
		{
			"very many faults", women(nil, strings.Split(strings.Repeat("x,", 100), ",")...),
			strings.TrimSpace(strings.Repeat(`targetAudience.soft has "x", which is no dimension: they are gender, ageGroups, places, interests and devices. `, 10)),
		},
		{"soft of nothing", women(nil, "income"), `targetAudience.soft has "income", which is no dimension: they are gender, ageGroups, places, interests and devices.`},
		{"a weight of nothing", women(schema.Weights{"income": 1}), `targetAudience.weights has "income", which is no dimension: they are gender, ageGroups, places, interests and devices.`},
		{"a weight of what is not named", women(schema.Weights{"cities": 2, "ageGroups": 1}), `targetAudience.weights has places, but targetAudience names no places.`},
		{"weights without names", schema.TargetAudience{Weights: schema.Weights{"gender": 2}}, `targetAudience.weights has gender, but targetAudience names no gender.`},
		{"a negative weight", women(schema.Weights{"gender": -1}), `targetAudience.weights.gender is -1. A weight is 0, or a number from 0.001 to 1000.`},
		{"a tiny weight", women(schema.Weights{"gender": 1e-9}), `targetAudience.weights.gender is 1e-09. A weight is 0, or a number from 0.001 to 1000.`},
		{"an endless weight", women(schema.Weights{"gender": math.Inf(1)}), `targetAudience.weights.gender is +Inf. A weight is 0, or a number from 0.001 to 1000.`},
		{"no number", women(schema.Weights{"gender": math.NaN()}), `targetAudience.weights.gender is NaN. A weight is 0, or a number from 0.001 to 1000.`},
		{"no weight at all", women(schema.Weights{"gender": 0}), `targetAudience.weights are all 0, so that nothing would count.`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target, err := New(nil).Target(&tt.target)
			assert.Nil(t, target)
			var refusal *schema.Error
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, schema.Error{Kind: schema.InvalidArgument, Message: tt.want}, *refusal)
		})
	}
}

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		name   string
		target schema.TargetAudience
		en, zh string
	}{
		{
			"every dimension",
			schema.TargetAudience{
				Gender: "female", AgeGroups: []string{"25-34", "35-44"}, Provinces: []string{"Guangdong", "Zhejiang"},
				Cities: []string{"tier1"}, Interests: []string{"Food", "Travel"}, Devices: []string{"iPhone"}, Soft: []string{"devices"},
			},
			"women; 25-34 or 35-44; Guangdong, Zhejiang or first-tier cities; interest Food or Travel; Apple devices (a plus)",
			"女性；25-34 或 35-44 岁；广东、浙江或一线城市；兴趣：美食或旅游；苹果设备（加分项）",
		},
		{
			"groups and spans",
			schema.TargetAudience{AgeGroups: []string{"under 18", "25-44", "45+"}, Provinces: []string{"华东", "海外", "长三角"}, Cities: []string{"吉林"}},
			"under 18, 25-44 or 45 and over; East China, Overseas, Yangtze River Delta or Jilin City",
			"18 岁以下、25-44 或 45 岁及以上；华东、海外、长三角或吉林市",
		},
		{"spaces around Latin letters", schema.TargetAudience{Devices: []string{"苹果", "vivo"}}, "Apple or vivo devices", "苹果或 vivo 设备"},
		{
			"more than five",
			schema.TargetAudience{Provinces: []string{"京", "沪", "粤", "苏", "浙", "鲁"}},
			"Beijing, Shanghai, Guangdong, Jiangsu, Zhejiang and 1 more",
			"北京、上海、广东、江苏、浙江等 6 个",
		},
		{
			"weights that are not 1",
			schema.TargetAudience{Gender: "male", AgeGroups: []string{"<18"}, Cities: []string{"杭州"}, Weights: schema.Weights{"gender": 2, "ageGroups": 1, "cities": 0.5}},
			"men; under 18; Hangzhou (weights: gender 2, places 0.5)",
			"男性；18 岁以下；杭州（权重：性别 2、地域 0.5）",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := understood(t, tt.target)
			assert.Equal(t, tt.en, target.Words(schema.English))
			assert.Equal(t, tt.zh, target.Words(schema.Chinese))
		})
	}
}

// TestNames holds that a target audience may have every name that the guide
// lists.
func TestNames(t *testing.T) {
	for _, lang := range []schema.Language{schema.English, schema.Chinese} {
		for _, of := range schema.Dimensions {
			for _, name := range Names(of, lang) {
				require.NotNil(t, known().choice(of, name), name)
				assert.Equal(t, name, known().choice(of, name).label.in(lang))
			}
		}
		for _, name := range Names(schema.DimensionPlaces, lang) {
			group, _, _ := strings.Cut(strings.ReplaceAll(name, "（", " ("), " (")
			require.NotNil(t, known().choice(schema.DimensionProvinces, group), name)
		}
	}
	assert.Equal(t, []string{"women", "men"}, Names(schema.DimensionGender, schema.English))
	assert.Contains(t, Names(schema.DimensionPlaces, schema.Chinese), "成渝（成都、重庆）")
	assert.Contains(t, Names(schema.DimensionPlaces, schema.English), "first-tier cities (Beijing, Shanghai, Guangzhou, Shenzhen)")
}

// FuzzTarget asks for whatever names in any dimension. What is understood means
// the same however it is written, and by the words for it; what is not is told
// in text that can be shown.
func FuzzTarget(f *testing.F) {
	for i, name := range []string{
		"women", "over 44 years", "广东省", "Xi'an, Shaanxi", "Film & TV", "苹果手机", "", "18-24", "<", "\x00\xff", "\u202e", "自治州", strings.Repeat("ﷺ", 100), "ﬀ&İ", "9999999999+",
	} {
		f.Add(name, "age", 0.5, uint8(i))
	}
	analyst := New(nil)
	f.Fuzz(func(t *testing.T, name, other string, weight float64, at uint8) {
		arguments := []func(string) *schema.TargetAudience{
			func(s string) *schema.TargetAudience { return &schema.TargetAudience{Gender: s} },
			func(s string) *schema.TargetAudience { return &schema.TargetAudience{AgeGroups: []string{s}} },
			func(s string) *schema.TargetAudience { return &schema.TargetAudience{Provinces: []string{s}} },
			func(s string) *schema.TargetAudience { return &schema.TargetAudience{Cities: []string{s}} },
			func(s string) *schema.TargetAudience { return &schema.TargetAudience{Interests: []string{s}} },
			func(s string) *schema.TargetAudience { return &schema.TargetAudience{Devices: []string{s}} },
		}
		asking := arguments[int(at)%len(arguments)]
		read := func(asked *schema.TargetAudience) *Target {
			target, err := analyst.Target(asked)
			if err != nil {
				var refusal *schema.Error
				require.ErrorAs(t, err, &refusal)
				require.Equal(t, schema.InvalidArgument, refusal.Kind)
				require.False(t, strings.ContainsFunc(refusal.Message, func(r rune) bool { return !unicode.IsPrint(r) }), "%q", refusal.Message)
				require.Less(t, len(refusal.Message), 4000)
				require.Nil(t, target)
			}
			return target
		}
		asked := asking(name)
		asked.Weights, asked.Soft = schema.Weights{schema.Dimension(other): weight}, []string{other}
		read(asked)

		target := read(asking(name))
		if target == nil {
			return
		}
		for of, w := range target.wanted {
			for _, same := range []string{" " + strings.ToUpper(w.choices[0].label.en) + "\n", w.choices[0].label.zh} {
				again := read(asking(same))
				require.NotNil(t, again, same)
				require.Equal(t, w.members(), again.wanted[of].members(), same)
			}
		}
		require.NotEmpty(t, target.Words(schema.English))
		require.NotEmpty(t, target.Words(schema.Chinese))
	})
}

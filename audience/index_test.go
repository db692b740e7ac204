package audience_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// indexesOf are the TGIs of a list by name, rounded to a tenth; rows without one
// are left out.
func indexesOf(rows []schema.RankedShare) map[string]float64 {
	indexes := map[string]float64{}
	for _, row := range rows {
		if row.TGI != nil {
			indexes[row.Name] = math.Round(float64(*row.TGI)*10) / 10
		}
	}
	return indexes
}

// indexInsights are the insights that tell indexes.
func indexInsights(s schema.Summary) []string {
	told := []string{}
	for _, insight := range s.Insights {
		if strings.Contains(insight, "TGI") {
			told = append(told, insight)
		}
	}
	return told
}

func TestDocumentedIndexes(t *testing.T) {
	d, _ := documented(t)
	s := audience.New(nil).Summarize(d, schema.English)
	assert.Equal(t, map[string]float64{"Guangdong": 145.7, "Jiangsu": 125.5, "Shandong": 104.1}, indexesOf(s.TopProvinces))
	assert.Empty(t, indexesOf(s.TopInterests), "the census knows no interests")
	assert.Empty(t, indexesOf(s.TopCities))
	assert.Empty(t, indexesOf(s.TopDevices))
	assert.Empty(t, indexesOf(s.Regions))
	// Tibet (31), Guizhou (39) and Hainan (133) are farther off than some of
	// these, but hold less than one in a hundred.
	assert.Equal(t, []string{
		"Skews female (TGI 138 against the 2020 census; men 32.9%).",
		"High province TGI against the 2020 census: Beijing 363, Shanghai 208, Tianjin 193; low: Heilongjiang 58, Jiangxi 58, Sichuan 66.",
	}, indexInsights(s))
}

func TestIndexInsights(t *testing.T) {
	const cities = `{"cities": [{"name": "北京", "percent": 0.1}, {"name": "上海", "percent": 0.1}, {"name": "广州", "percent": 0.1}, {"name": "深圳", "percent": 0.1}, {"name": "成都", "percent": 0.02}]}`
	const gender = `{"gender": {"female": 0.7, "male": 0.3}}`
	for _, tt := range []struct {
		name   string
		own    string // baseline; the census alone where empty
		d      *schema.Distributions
		en, zh []string
	}{
		{"exactly 120 and 80", cities, &schema.Distributions{Cities: rows(row("北京", 0.12), row("上海", 0.08))},
			[]string{"High city TGI against the configured baseline: Beijing 120; low: Shanghai 80."},
			[]string{"城市 TGI（对比自定义基准）偏高：北京 120；偏低：上海 80。"}},
		{"within 120 and 80", cities, &schema.Distributions{Cities: rows(row("北京", 0.11999), row("上海", 0.08001))}, []string{}, []string{}},
		{"only over", cities, &schema.Distributions{Cities: rows(row("北京", 0.2))},
			[]string{"High city TGI against the configured baseline: Beijing 200."}, []string{"城市 TGI（对比自定义基准）偏高：北京 200。"}},
		{"only under", cities, &schema.Distributions{Cities: rows(row("北京", 0.05))},
			[]string{"Low city TGI against the configured baseline: Beijing 50."}, []string{"城市 TGI（对比自定义基准）偏低：北京 50。"}},
		{"one in a hundred", cities, &schema.Distributions{Cities: rows(row("北京", 0.01), row("成都", 0.01))},
			[]string{"Low city TGI against the configured baseline: Beijing 10, Chengdu 50."}, []string{"城市 TGI（对比自定义基准）偏低：北京 10、成都 50。"}},
		{"less than one in a hundred", cities, &schema.Distributions{Cities: rows(row("北京", 0.00999), row("成都", 0.00999))}, []string{}, []string{}},
		{"three at most, farthest first", cities, &schema.Distributions{Cities: rows(row("北京", 0.13), row("上海", 0.16), row("广州", 0.14), row("深圳", 0.15))},
			[]string{"High city TGI against the configured baseline: Shanghai 160, Shenzhen 150, Guangzhou 140."},
			[]string{"城市 TGI（对比自定义基准）偏高：上海 160、深圳 150、广州 140。"}},
		{"three at most under it, farthest first", cities, &schema.Distributions{Cities: rows(row("北京", 0.07), row("上海", 0.04), row("广州", 0.06), row("深圳", 0.05))},
			[]string{"Low city TGI against the configured baseline: Shanghai 40, Shenzhen 50, Guangzhou 60."},
			[]string{"城市 TGI（对比自定义基准）偏低：上海 40、深圳 50、广州 60。"}},
		{"of equals the larger share", cities, &schema.Distributions{Cities: rows(row("成都", 0.03), row("北京", 0.15), row("上海", 0.15), row("广州", 0.15))},
			[]string{"High city TGI against the configured baseline: Beijing 150, Shanghai 150, Guangzhou 150."},
			[]string{"城市 TGI（对比自定义基准）偏高：北京 150、上海 150、广州 150。"}},
		{"a city that the baseline has not", cities, &schema.Distributions{Cities: rows(row("昆明", 0.3))}, []string{}, []string{}},
		{"cities of more than everybody", cities, &schema.Distributions{Cities: rows(row("北京", 0.6), row("昆明", 0.5))}, []string{}, []string{}},

		{"every other dimension", `{
			"ages": [{"group": "<18", "percent": 0.2}, {"group": "18-24", "percent": 0.8}],
			"interests": [{"name": "Food", "percent": 0.1}, {"name": "Travel", "percent": 0.1}],
			"provinces": [{"name": "Guangdong", "percent": 0.5}, {"name": "Zhejiang", "percent": 0.5}],
			"devices": [{"name": "Apple", "percent": 0.2}]}`,
			&schema.Distributions{
				Ages:      agesOf(0.4, 0.6, 0, 0, 0),
				Interests: rows(row("美食", 0.14), row("旅游", 0.05), row("影视", 0.5)),
				Provinces: rows(row("广东", 0.2), row("浙江", 0.1), row("四川", 0.6), row("海外", 0.1)),
				Devices:   append(device("apple inc.", 0.2), device("Apple", 0.1)...),
			},
			[]string{
				"High age TGI against the configured baseline: <18 200; low: 18-24 75.",
				"High province TGI against the configured baseline: Guangdong 133; low: Zhejiang 67.",
				"High interest TGI against the configured baseline: Food 140; low: Travel 50.",
				"High device TGI against the configured baseline: Apple 150.",
			},
			[]string{
				"年龄 TGI（对比自定义基准）偏高：<18 200；偏低：18-24 75。",
				"省份 TGI（对比自定义基准）偏高：广东 133；偏低：浙江 67。",
				"兴趣 TGI（对比自定义基准）偏高：美食 140；偏低：旅游 50。",
				"设备 TGI（对比自定义基准）偏高：苹果 150。",
			}},

		{"of equal ages the larger share", `{"ages": [{"group": "18-24", "percent": 0.1}, {"group": "25-34", "percent": 0.2}, {"group": "35-44", "percent": 0.6}, {"group": ">44", "percent": 0.1}]}`,
			&schema.Distributions{Ages: agesOf(0, 0.2, 0.4, 0.2, 0.2)},
			[]string{"High age TGI against the configured baseline: 25-34 200, 18-24 200, >44 200; low: 35-44 33."},
			[]string{"年龄 TGI（对比自定义基准）偏高：25-34 200、18-24 200、>44 200；偏低：35-44 33。"}},

		{"a gender that leads, but less than usual", gender, &schema.Distributions{Gender: genderOf(0.63, 0.37)},
			[]string{"Mostly women (63.0%; TGI 90 against the configured baseline)."}, []string{"女性占多数（63.0%；TGI 90，对比自定义基准）。"}},
		{"men who lead, but less than usual", `{"gender": {"female": 0.1, "male": 0.9}}`, &schema.Distributions{Gender: genderOf(0.2, 0.8)},
			[]string{"Mostly men (80.0%; TGI 89 against the configured baseline)."}, []string{"男性占多数（80.0%；TGI 89，对比自定义基准）。"}},
		{"a gender that leads as usual", gender, &schema.Distributions{Gender: genderOf(0.7, 0.3)},
			[]string{"Skews female (TGI 100 against the configured baseline; men 30.0%)."}, []string{"女性偏多（TGI 100，对比自定义基准；男性占 30.0%）。"}},
		{"balance that is far from usual", gender, &schema.Distributions{Gender: genderOf(0.5, 0.5)},
			[]string{"Genders are balanced: women 50.0% (TGI 71 against the configured baseline), men 50.0%."},
			[]string{"男女均衡：女性 50.0%（TGI 71，对比自定义基准），男性 50.0%。"}},
		{"balance with more men than usual", `{"gender": {"female": 0.6, "male": 0.4}}`, &schema.Distributions{Gender: genderOf(0.5, 0.5)},
			[]string{"Genders are balanced: women 50.0%, men 50.0% (TGI 125 against the configured baseline)."},
			[]string{"男女均衡：女性 50.0%，男性 50.0%（TGI 125，对比自定义基准）。"}},
		{"balance as usual", "", &schema.Distributions{Gender: genderOf(0.5, 0.5)}, []string{}, []string{}},
		{"genders of more than everybody", "", &schema.Distributions{Gender: genderOf(0.8, 0.4)}, []string{}, []string{}},
		{"a gender alone: the other's share is not known", "", &schema.Distributions{Gender: &schema.GenderShares{Female: new(0.8)}}, []string{}, []string{}},

		{"provinces that leave somebody out", "", &schema.Distributions{Provinces: rows(row("北京", 0.5), row("广东", 0.4))}, []string{}, []string{}},
		{"provinces of more than everybody", "", &schema.Distributions{Provinces: rows(row("北京", 0.6), row("广东", 0.5))}, []string{}, []string{}},
		{"where there is no baseline", "", &schema.Distributions{Provinces: rows(row("香港", 0.5), row("海外", 0.4), row("中国", 0.1))}, []string{}, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var own *audience.Baseline
			if tt.own != "" {
				own = baselineOf(t, tt.own)
			}
			assert.Equal(t, tt.en, indexInsights(audience.New(own).Summarize(tt.d, schema.English)))
			assert.Equal(t, tt.zh, indexInsights(audience.New(own).Summarize(tt.d, schema.Chinese)))
		})
	}
}

func TestABaselineReplacesTheCensusInItsDimensionsAlone(t *testing.T) {
	d, _ := documented(t)
	s := audience.New(baselineOf(t, `{
		"gender": {"female": 0.7, "male": 0.3},
		"interests": [{"name": "Food", "percent": 0.05}],
		"cities": [{"name": "Shenzhen", "percent": 0.01}],
		"devices": [{"name": "Huawei", "percent": 0.1}]}`)).Summarize(d, schema.English)
	assert.Equal(t, map[string]float64{"Food": 168.5}, indexesOf(s.TopInterests))
	assert.Equal(t, map[string]float64{"Shenzhen": 290.5}, indexesOf(s.TopCities))
	assert.Equal(t, map[string]float64{"Huawei": 219}, indexesOf(s.TopDevices))
	assert.Equal(t, map[string]float64{"Guangdong": 145.7, "Jiangsu": 125.5, "Shandong": 104.1}, indexesOf(s.TopProvinces), "still against the census")
	assert.Equal(t, []string{
		"Mostly women (67.1%; TGI 96 against the configured baseline).",
		"High province TGI against the 2020 census: Beijing 363, Shanghai 208, Tianjin 193; low: Heilongjiang 58, Jiangxi 58, Sichuan 66.",
		"High city TGI against the configured baseline: Shenzhen 290.",
		"High interest TGI against the configured baseline: Food 169.",
		"High device TGI against the configured baseline: Huawei 219.",
	}, indexInsights(s))
}

func TestWhatIsItsOwnBaselineIndexes100(t *testing.T) {
	d, _ := documented(t)
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "documented-response.json"))
	require.NoError(t, err)
	var response struct{ Data json.RawMessage }
	require.NoError(t, json.Unmarshal(raw, &response))
	s := audience.New(baselineOf(t, string(response.Data))).Summarize(d, schema.English)
	for _, list := range [][]schema.RankedShare{s.TopProvinces, s.TopInterests, s.TopCities, s.TopDevices} {
		require.Len(t, indexesOf(list), 3)
		for name, index := range indexesOf(list) {
			assert.InDelta(t, 100, index, 0, name)
		}
	}
}

func TestABaselineOfAFewProvincesIsOfEverybody(t *testing.T) {
	d := &schema.Distributions{Provinces: rows(row("广东", 0.2), row("浙江", 0.7), row("海外", 0.1))}
	s := audience.New(baselineOf(t, `{"provinces": [{"name": "广东", "percent": 0.1}]}`)).Summarize(d, schema.English)
	assert.Equal(t, map[string]float64{"Guangdong": 200}, indexesOf(s.TopProvinces))

	s = audience.New(baselineOf(t, `{"provinces": [{"name": "广东", "percent": 0.5}, {"name": "浙江", "percent": 0.5}]}`)).Summarize(d, schema.English)
	assert.Equal(t, map[string]float64{"Guangdong": 44.4, "Zhejiang": 155.6}, indexesOf(s.TopProvinces), "among the two alone")
}

func TestIndexesDoNotChangeWithFollowersAbroad(t *testing.T) {
	analyst := audience.New(nil)
	rapid.Check(t, func(t *rapid.T) {
		provinces := []string{"广东", "浙江", "北京"}
		home, abroad := rows(), rows()
		share := rapid.Float64Range(0.01, 0.33)
		overseas := rapid.Float64Range(0, 0.99).Draw(t, "overseas")
		var everybody float64
		for _, name := range provinces {
			home = append(home, row(name, share.Draw(t, name)))
			everybody += home[len(home)-1].Percent
		}
		for i := range home {
			home[i].Percent /= everybody
			abroad = append(abroad, row(home[i].Name, home[i].Percent*(1-overseas)))
		}
		abroad = append(abroad, row("海外", overseas))
		want := indexesByName(analyst.Summarize(&schema.Distributions{Provinces: home}, schema.English).TopProvinces)
		got := indexesByName(analyst.Summarize(&schema.Distributions{Provinces: abroad}, schema.English).TopProvinces)
		require.Len(t, got, len(provinces))
		for name := range want {
			assert.InEpsilon(t, want[name], got[name], 1e-9, name)
		}
	})
}

func indexesByName(rows []schema.RankedShare) map[string]float64 {
	indexes := map[string]float64{}
	for _, row := range rows {
		indexes[row.Name] = float64(*row.TGI)
	}
	return indexes
}

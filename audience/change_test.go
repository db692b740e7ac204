package audience_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

func TestChange(t *testing.T) {
	interests := func(rows ...schema.NameShare) *schema.Distributions {
		return &schema.Distributions{Interests: rows}
	}
	devices := func(rows ...schema.DeviceShare) *schema.Distributions {
		return &schema.Distributions{Devices: rows}
	}
	for _, tt := range []struct {
		name        string
		now, before *schema.Distributions
		want        schema.Change // but for the day
	}{
		{"every dimension",
			&schema.Distributions{
				Gender: genderOf(0.7, 0.3), Ages: agesOf(0.1, 0.2, 0.4, 0.2, 0.1),
				Provinces: rows(row("广东", 0.1)), Cities: rows(row("广州", 0.1)),
				Interests: rows(row("美食", 0.1)), Devices: device("huawei", 0.1),
			},
			&schema.Distributions{
				Gender: genderOf(0.672, 0.328), Ages: agesOf(0.1, 0.25, 0.35, 0.2, 0.1),
				Provinces: rows(row("广东", 0.2)), Cities: rows(row("广州", 0.05)),
				Interests: rows(row("美食", 0.13)), Devices: device("huawei", 0.5),
			},
			schema.Change{
				Gender:    []schema.Move{{Name: "female", Points: 2.8}, {Name: "male", Points: -2.8}},
				Ages:      []schema.Move{{Name: "18-24", Points: -5}, {Name: "25-34", Points: 5}},
				Provinces: []schema.Move{{Name: "Guangdong", Points: -10}},
				Cities:    []schema.Move{{Name: "Guangzhou", Points: 5}},
				Interests: []schema.Move{{Name: "Food", Points: -3}},
				Devices:   []schema.Move{{Name: "Huawei", Points: -40}},
			}},
		{"exactly one point counts, whatever binary fractions make of it", // 0.29 - 0.28 is 0.0099999999999999534
			interests(row("美食", 0.29), row("旅游", 0.28), row("影视", 0.07)),
			interests(row("美食", 0.28), row("旅游", 0.29), row("影视", 0.06)),
			schema.Change{Interests: []schema.Move{
				{Name: "Food", Points: 1}, {Name: "Travel", Points: -1}, {Name: "Film & TV", Points: 1},
			}}},
		{"less than one point does not, though it rounds to it",
			interests(row("美食", 0.2899), row("旅游", 0.2801)), interests(row("美食", 0.28), row("旅游", 0.29)),
			schema.Change{}},
		{"halves of a tenth go away from zero", // 0.2743 - 0.2618 is 0.012499999999999956
			interests(row("美食", 0.2743), row("旅游", 0.2618)), interests(row("美食", 0.2618), row("旅游", 0.2743)),
			schema.Change{Interests: []schema.Move{{Name: "Food", Points: 1.3}, {Name: "Travel", Points: -1.3}}}},
		{"the largest five, those of one size as the newer portrait has them",
			interests(row("美食", 0.02), row("旅游", 0.03), row("影视", 0.1), row("情感", 0.02), row("教育", 0.13), row("健康", 0.02)),
			interests(row("美食", 0.04), row("旅游", 0.08), row("影视", 0.08), row("情感", 0.04), row("教育", 0.1), row("健康", 0.04)),
			schema.Change{Interests: []schema.Move{
				{Name: "Travel", Points: -5}, {Name: "Education", Points: 3}, {Name: "Food", Points: -2},
				{Name: "Film & TV", Points: 2}, {Name: "Relationships", Points: -2},
			}}},
		{"a row that one list leaves out held no more than the smallest there",
			interests(row("美食", 0.2), row("旅游", 0.3)), interests(row("影视", 0.25), row("美食", 0.1)),
			schema.Change{Interests: []schema.Move{
				{Name: "Travel", Points: 20, AtLeast: true}, {Name: "Food", Points: 10}, {Name: "Film & TV", Points: -5, AtLeast: true},
			}}},
		{"which says nothing where it is less than a point away",
			interests(row("美食", 0.2), row("旅游", 0.109)), interests(row("影视", 0.3), row("美食", 0.2), row("教育", 0.1)),
			schema.Change{Interests: []schema.Move{{Name: "Film & TV", Points: -19.1, AtLeast: true}}}},
		{"nor of a list that a row of any size is missing from",
			interests(row("美食", 0.2), row("旅游", 0.3)),
			&schema.Distributions{Interests: rows(row("美食", 0.1)), LeftOut: map[schema.Dimension]int{schema.DimensionInterests: 1}},
			schema.Change{Interests: []schema.Move{{Name: "Food", Points: 10}}}},
		{"nor of a list that was not there",
			interests(row("美食", 0.2)), interests(),
			schema.Change{}},
		{"nor in a list that is not cut off by size",
			&schema.Distributions{Provinces: rows(row("广东", 0.5), row("浙江", 0.5))}, &schema.Distributions{Provinces: rows(row("浙江", 0.5), row("江苏", 0.4))},
			schema.Change{}},
		{"nor of a city that is a province",
			&schema.Distributions{Cities: rows(row("北京", 0.5), row("杭州", 0.1))}, &schema.Distributions{Cities: rows(row("杭州", 0.1))},
			schema.Change{}},
		{"a row of nobody is known",
			interests(row("美食", 0.2)), interests(row("美食", 0)),
			schema.Change{Interests: []schema.Move{{Name: "Food", Points: 20}}}},
		{"what holds more than everybody moved nowhere that is known",
			&schema.Distributions{Gender: genderOf(0.9, 0.2), Interests: rows(row("美食", 0.5))},
			&schema.Distributions{Gender: genderOf(0.5, 0.5), Interests: rows(row("美食", 0.6), row("旅游", 0.6))},
			schema.Change{}},
		{"brands, under however many spellings",
			devices(schema.DeviceShare{Name: "apple inc.", Percent: 0.2}, schema.DeviceShare{Name: "Apple", Percent: 0.2}),
			devices(schema.DeviceShare{Name: "apple", Percent: 0.25}),
			schema.Change{Devices: []schema.Move{{Name: "Apple", Points: 15}}}},
		{"no data now", nil, complete(), schema.Change{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.AsOf = "2026-02-08"
			assert.Equal(t, &tt.want, audience.New(nil).Change(tt.now, tt.before, "2026-02-08", schema.English))
		})
	}
}

func TestChangeWithoutAnOlderPortrait(t *testing.T) {
	assert.Nil(t, audience.New(nil).Change(complete(), nil, "2026-02-08", schema.English))
}

func TestChangeIsNamedInTheLanguage(t *testing.T) {
	now, before := &schema.Distributions{
		Gender: genderOf(0.4, 0.6), Ages: agesOf(0.1, 0.9), Provinces: rows(row("广东", 0.1)), Cities: rows(row("某地", 0.1)),
		Interests: rows(row("美食", 0.1)), Devices: []schema.DeviceShare{{Name: "huawei", Percent: 0.1}, {Name: "Fly", Desc: "飞", Percent: 0.2}},
	}, &schema.Distributions{
		Gender: genderOf(0.5, 0.5), Ages: agesOf(0.2, 0.8), Provinces: rows(row("广东", 0.2)), Cities: rows(row("某地", 0.2)),
		Interests: rows(row("美食", 0.2)), Devices: []schema.DeviceShare{{Name: "Fly", Percent: 0.3}, {Name: "huawei", Percent: 0.2}},
	}
	var got []string
	c := audience.New(nil).Change(now, before, "2026-02-08", schema.Chinese)
	for _, moves := range [][]schema.Move{c.Gender, c.Ages, c.Provinces, c.Cities, c.Interests, c.Devices} {
		for _, m := range moves {
			got = append(got, m.Name)
		}
	}
	assert.Equal(t, []string{"女性", "男性", "<18", "18-24", "广东", "某地", "美食", "华为", "飞"}, got)
}

func TestChangeInsight(t *testing.T) {
	type moves = []schema.Move
	type namer func(en, zh string) string
	for _, tt := range []struct {
		name   string
		change func(in namer) schema.Change
		en, zh string
	}{
		{"nothing moved", func(namer) schema.Change { return schema.Change{} }, "", ""},
		{"one move", func(in namer) schema.Change {
			return schema.Change{Interests: moves{{Name: in("Food", "美食"), Points: 1}}}
		}, "Since 2026-02-08: Food +1.0 points.", "较 2026-02-08：美食 +1.0 个百分点。"},
		{"the largest three, down or up", func(in namer) schema.Change {
			return schema.Change{
				Ages:      moves{{Name: "25-34", Points: 2.7}, {Name: "35-44", Points: -1.1}},
				Provinces: moves{{Name: in("Guangdong", "广东"), Points: -3.1}},
				Devices:   moves{{Name: in("Apple", "苹果"), Points: 1.3}},
			}
		}, "Since 2026-02-08: Guangdong -3.1 points, ages 25-34 +2.7 points, Apple +1.3 points.",
			"较 2026-02-08：广东 -3.1 个百分点，25-34 岁 +2.7 个百分点，苹果 +1.3 个百分点。"},
		{"groups that are open", func(namer) schema.Change {
			return schema.Change{Ages: moves{{Name: ">44", Points: -2}, {Name: "<18", Points: 1}}}
		}, "Since 2026-02-08: over 44 -2.0 points, under 18 +1.0 points.",
			"较 2026-02-08：44 岁以上 -2.0 个百分点，18 岁以下 +1.0 个百分点。"},
		{"the other gender follows", func(in namer) schema.Change {
			return schema.Change{
				Gender:    moves{{Name: in("female", "女性"), Points: 4}, {Name: in("male", "男性"), Points: -4}},
				Interests: moves{{Name: in("Food", "美食"), Points: 1}},
			}
		}, "Since 2026-02-08: women +4.0 points, Food +1.0 points.", "较 2026-02-08：女性 +4.0 个百分点，美食 +1.0 个百分点。"},
		{"men", func(in namer) schema.Change {
			return schema.Change{Gender: moves{{Name: in("male", "男性"), Points: -4}}}
		}, "Since 2026-02-08: men -4.0 points.", "较 2026-02-08：男性 -4.0 个百分点。"},
		{"a city that is a province follows", func(in namer) schema.Change {
			return schema.Change{
				Provinces: moves{{Name: in("Beijing", "北京"), Points: 2}},
				Cities:    moves{{Name: in("Beijing", "北京"), Points: 1.9}, {Name: in("Chengdu", "成都"), Points: 1.2}},
			}
		}, "Since 2026-02-08: Beijing +2.0 points, Chengdu +1.2 points.", "较 2026-02-08：北京 +2.0 个百分点，成都 +1.2 个百分点。"},
		{"names that would pass for figures", func(namer) schema.Change {
			return schema.Change{Devices: moves{{Name: "a, b 9.9%", Points: 2}}}
		}, `Since 2026-02-08: "a, b 9.9%" +2.0 points.`, `较 2026-02-08："a, b 9.9%" +2.0 个百分点。`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			en := tt.change(func(en, _ string) string { return en })
			zh := tt.change(func(_, zh string) string { return zh })
			en.AsOf, zh.AsOf = "2026-02-08", "2026-02-08"
			assert.Equal(t, tt.en, audience.New(nil).ChangeInsight(&en, schema.English))
			assert.Equal(t, tt.zh, audience.New(nil).ChangeInsight(&zh, schema.Chinese))
		})
	}
}

func TestNoChangeNoInsight(t *testing.T) {
	assert.Empty(t, audience.New(nil).ChangeInsight(nil, schema.English))
}

func TestChangeOfTheDocumentedKOL(t *testing.T) {
	now, _ := documented(t)
	before, _ := documented(t)
	before.Gender = genderOf(*now.Gender.Female-0.0125, *now.Gender.Male+0.0125)
	before.Ages[2].Percent -= 0.027
	before.Ages[3].Percent += 0.031
	before.Provinces[0].Percent += 0.013
	before.Cities = before.Cities[1:]
	before.Interests[0].Percent -= 0.0099
	before.Devices[0].Percent += 0.02
	for _, lang := range []schema.Language{schema.English, schema.Chinese} {
		t.Run(string(lang), func(t *testing.T) {
			analyst := audience.New(nil)
			change := analyst.Change(now, before, "2026-02-08", lang)
			golden(t, "change-"+string(lang), struct {
				Change  *schema.Change `json:"change"`
				Insight string         `json:"insight"`
			}{change, analyst.ChangeInsight(change, lang)})
		})
	}
}

func TestNothingMovesAgainstItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawn(t, "d")
		analyst := audience.New(nil)
		change := analyst.Change(d, d, "2026-02-08", schema.English)
		assert.Equal(t, &schema.Change{AsOf: "2026-02-08"}, change)
		assert.Empty(t, analyst.ChangeInsight(change, schema.English))
	})
}

func TestChangeIsAntisymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now, before := drawn(t, "now"), drawn(t, "before")
		analyst := audience.New(nil)
		forth := analyst.Change(now, before, "", schema.English)
		back := analyst.Change(before, now, "", schema.English)
		for _, moves := range [][]schema.Move{back.Gender, back.Ages, back.Provinces, back.Cities, back.Interests, back.Devices} {
			for i := range moves {
				moves[i].Points = -moves[i].Points
			}
		}
		assert.Equal(t, forth, back)
	})
}

// drawn draws distributions with dimensions and rows left out, whose rows are
// always in the same order. Shares are of thousandths, so that moves of exactly
// a point, and of the same size, are frequent; some dimensions hold more than
// everybody.
func drawn(t *rapid.T, label string) *schema.Distributions {
	shares := func(of string, names ...string) []schema.NameShare {
		left := rapid.SampledFrom([]int{1000, 1000, 1000, 1100, 0}).Draw(t, fmt.Sprint(label, " ", of, " whole"))
		var rows []schema.NameShare
		for _, name := range names {
			n := rapid.IntRange(-1, min(left, 300)).Draw(t, fmt.Sprint(label, " ", name))
			if n < 0 || left == 0 {
				continue
			}
			left -= n
			rows = append(rows, row(name, float64(n)/1000))
		}
		return rows
	}
	d := &schema.Distributions{
		Provinces: shares("provinces", "广东", "北京", "重庆", "四川", "海外", "中国", "某地"),
		Cities:    shares("cities", "北京", "广州", "成都"),
		Interests: shares("interests", "美食", "旅游", "影视", "情感", "教育", "健康", "汽车", "什么"),
	}
	for _, row := range shares("ages", schema.AgeGroups()...) {
		d.Ages = append(d.Ages, schema.AgeShare{Group: row.Name, Percent: row.Percent})
	}
	for _, row := range shares("devices", "apple inc.", "huawei", "unheard-of") {
		d.Devices = append(d.Devices, schema.DeviceShare{Name: row.Name, Percent: row.Percent})
	}
	for _, row := range shares("gender", schema.Female, schema.Male) {
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

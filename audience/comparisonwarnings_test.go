package audience_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

const (
	aboutSimilarity   = "Similarity compares profiles, not people: KOLs with alike profiles may share many followers or none."
	aboutSimilarityZH = "相似度比较的是画像结构而非粉丝本身：画像相近的达人，粉丝可能大量重合，也可能毫无重合。"
)

func TestComparisonWarnings(t *testing.T) {
	// On 2026-11-23, five KOLs a to e that nothing is to be said against, but
	// for what a row changes.
	for _, tt := range []struct {
		name   string
		change func(kols []*schema.Collected)
		en, zh []string
	}{
		{"nothing", func([]*schema.Collected) {}, nil, nil},

		{"30 days are not old", func(kols []*schema.Collected) { kols[1].AsOf = "2026-10-24" }, nil, nil},
		{"one is old", func(kols []*schema.Collected) { kols[1].AsOf = "2026-10-23" },
			[]string{"Over 30 days old: b (31 days)."}, []string{"画像数据超过 30 天：b（31 天）。"}},
		{"two are old", func(kols []*schema.Collected) { kols[3].AsOf, kols[1].AsOf = "2026-10-22", "2026-10-23" },
			[]string{"Over 30 days old: b (31 days), d (32 days)."}, []string{"画像数据超过 30 天：b（31 天）、d（32 天）。"}},
		{"more are old", func(kols []*schema.Collected) {
			kols[1].AsOf, kols[2].AsOf, kols[4].AsOf = "2026-10-23", "2026-10-21", "2026-10-22"
		}, []string{"3 of 5 portraits are over 30 days old, the oldest (c) 33 days."}, []string{"3/5 份画像数据超过 30 天，最早一份（c）距今 33 天。"}},
		{"all are old", func(kols []*schema.Collected) {
			for i, kol := range kols {
				kol.AsOf = fmt.Sprint("2026-10-1", i)
			}
		}, []string{"All 5 portraits are over 30 days old, the oldest (a) 44 days."}, []string{"全部 5 份画像数据超过 30 天，最早一份（a）距今 44 天。"}},
		{"days far apart", func(kols []*schema.Collected) { kols[1].AsOf, kols[2].AsOf = "2026-10-22", "2026-11-22" },
			[]string{"Over 30 days old: b (32 days).", "Days of the data lie up to 31 days apart (2026-10-22 to 2026-11-22)."},
			[]string{"画像数据超过 30 天：b（32 天）。", "数据日期最多相差 31 天（2026-10-22 至 2026-11-22）。"}},
		{"30 days apart are not far", func(kols []*schema.Collected) { kols[1].AsOf, kols[2].AsOf = "2026-10-24", "2026-11-23" }, nil, nil},
		{"days unknown, one of the future: it is not far from the rest", func(kols []*schema.Collected) { kols[1].AsOf, kols[2].AsOf = "", "2026-12-24" },
			[]string{"Data of an unknown or future day: b, c."}, []string{"日期未知或晚于今天的数据：b、c。"}},
		{"a day ahead is a matter of time zones", func(kols []*schema.Collected) { kols[1].AsOf = "2026-11-24" }, nil, nil},
		{"days far apart, and days unknown", func(kols []*schema.Collected) {
			kols[0].AsOf, kols[1].AsOf, kols[2].AsOf, kols[3].AsOf = "2026-03-08", "", "", "2026-02-30"
		}, []string{"Over 30 days old: a (260 days).", "Days of the data lie up to 240 days apart (2026-03-08 to 2026-11-03); data of an unknown or future day: 3 of 5 KOLs."},
			[]string{"画像数据超过 30 天：a（260 天）。", "数据日期最多相差 240 天（2026-03-08 至 2026-11-03）；日期未知或晚于今天的数据：3/5 位达人。"}},

		{"dimensions missing, together where it is for the same", func(kols []*schema.Collected) {
			kols[1].Distributions.Ages, kols[1].Distributions.Cities = nil, nil
			for _, kol := range kols[2:] {
				kol.Distributions.Interests = nil
			}
		}, []string{"No data on: age, cities (b); interests (3 of 5 KOLs)."}, []string{"缺少数据：年龄、城市（b）；兴趣（3/5 位达人）。"}},
		{"no data for two", func(kols []*schema.Collected) {
			kols[1].Distributions, kols[2].Distributions = schema.Distributions{}, schema.Distributions{}
		}, []string{"No data on: gender, age, provinces, cities, interests, devices (b, c)."}, []string{"缺少数据：性别、年龄、省份、城市、兴趣、设备（b、c）。"}},

		{"no data for all", func(kols []*schema.Collected) {
			for _, kol := range kols {
				kol.Distributions.Devices = nil
			}
		}, []string{"No data on: devices (all 5 KOLs)."}, []string{"缺少数据：设备（全部 5 位达人）。"}},

		{"rows left out", func(kols []*schema.Collected) {
			kols[1].Distributions.LeftOut = map[schema.Dimension]int{schema.DimensionCities: 2, schema.DimensionAgeGroups: 1}
		}, []string{"Rows without a usable name or figure are left out: age, cities (b)."}, []string{"部分行的名称或数值不可用，未计入：年龄、城市（b）。"}},

		{"sums off", func(kols []*schema.Collected) {
			kols[1].Distributions.Ages = agesOf(0.1, 0.2)
			kols[2].Distributions.Interests = rows(row("美食", 1.1))
			kols[3].Distributions.Ages = agesOf(0.9, 0.2)
		}, []string{"Shares do not add up: age (b, d); interests (c)."}, []string{"占比合计异常：年龄（b、d）；兴趣（c）。"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var kols []*schema.Collected
			for _, id := range []string{"a", "b", "c", "d", "e"} {
				kols = append(kols, &schema.Collected{Portrait: schema.Portrait{KOLID: id, AsOf: "2026-11-03"}, Distributions: *complete()})
			}
			tt.change(kols)
			analyst := audience.New(nil)
			assert.Equal(t, append(tt.en, aboutSimilarity), analyst.ComparisonWarnings(kols, documentedDay, schema.English))
			assert.Equal(t, append(tt.zh, aboutSimilarityZH), analyst.ComparisonWarnings(kols, documentedDay, schema.Chinese))
		})
	}
}

func TestUnlistedWarning(t *testing.T) {
	type dimensions = []schema.Dimension
	cities, both := dimensions{schema.DimensionCities}, dimensions{schema.DimensionCities, schema.DimensionInterests}
	for _, tt := range []struct {
		name     string
		unlisted map[int]dimensions // by row, of five
		en, zh   string
	}{
		{"all listed", nil, "", ""},
		{
			"one", map[int]dimensions{3: cities},
			"In score and rank, what a list leaves out counts as 0: kol-3 (cities).",
			"评分和排名中，榜单未列出的部分按 0 计：kol-3（城市）。",
		},
		{
			"two", map[int]dimensions{1: both, 3: cities},
			"In score and rank, what a list leaves out counts as 0: kol-1 (cities, interests), kol-3 (cities).",
			"评分和排名中，榜单未列出的部分按 0 计：kol-1（城市、兴趣）、kol-3（城市）。",
		},
		{
			"more are counted", map[int]dimensions{0: both, 1: both, 3: cities},
			"In score and rank, what a list leaves out counts as 0: 3 of 5 KOLs.",
			"评分和排名中，榜单未列出的部分按 0 计：3/5 位达人。",
		},
		{
			"all", map[int]dimensions{0: both, 1: both, 2: cities, 3: cities, 4: cities},
			"In score and rank, what a list leaves out counts as 0: all 5 KOLs.",
			"评分和排名中，榜单未列出的部分按 0 计：全部 5 位达人。",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows := []schema.ComparedPortrait{{KOLID: "kol-0"}}
			for i := range 4 {
				rows = append(rows, schema.ComparedPortrait{
					KOLID: fmt.Sprint("kol-", i+1),
					Fit:   &schema.ComparedFit{NotListed: dimensions{schema.DimensionDevices}}, // which is not scored
				})
			}
			for i, of := range tt.unlisted {
				rows[i].Fit = &schema.ComparedFit{ScoreLowerBound: true, NotListed: of}
			}
			assert.Equal(t, tt.en, audience.UnlistedWarning(rows, schema.English))
			assert.Equal(t, tt.zh, audience.UnlistedWarning(rows, schema.Chinese))
		})
	}
	assert.Empty(t, audience.UnlistedWarning(nil, schema.English))
}

func TestComparisonWarningsOnFewerThanTwo(t *testing.T) {
	analyst := audience.New(nil)
	assert.Equal(t, []string{}, analyst.ComparisonWarnings(nil, documentedDay, schema.English))
	one := []*schema.Collected{{Portrait: schema.Portrait{KOLID: "a", AsOf: "2026-11-03"}, Distributions: *complete()}}
	assert.Equal(t, []string{}, analyst.ComparisonWarnings(one, documentedDay, schema.English), "nothing is similar to it")
}

func TestComparisonWarningsAreFewAndDoNotDependOnTheOrder(t *testing.T) {
	days := []string{"", "2026-03-08", "2026-03-09", "2026-10-31", "2026-11-23", "2027-01-01"}
	rapid.Check(t, func(t *rapid.T) {
		var kols []*schema.Collected
		for i := range rapid.IntRange(2, 20).Draw(t, "KOLs") {
			id := fmt.Sprint("kol", i)
			kols = append(kols, &schema.Collected{
				Portrait: schema.Portrait{KOLID: id, AsOf: rapid.SampledFrom(days).Draw(t, id+" day")}, Distributions: *drawn(t, id),
			})
		}
		analyst := audience.New(nil)
		for _, lang := range []schema.Language{schema.English, schema.Chinese} {
			warnings := analyst.ComparisonWarnings(kols, documentedDay, lang)
			assert.LessOrEqual(t, len(warnings), 6)
			for _, warning := range warnings {
				assert.True(t, strings.HasSuffix(warning, ".") || strings.HasSuffix(warning, "。"), warning)
				assert.NotContains(t, warning, "%!", "a fault of formatting")
			}
			other := rapid.Permutation(slices.Clone(kols)).Draw(t, "order")
			assert.Equal(t, warnings, analyst.ComparisonWarnings(other, documentedDay, lang))
		}
	})
}

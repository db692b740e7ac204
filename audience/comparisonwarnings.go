package audience

import (
	"maps"
	"slices"
	"strings"
	"time"

	"kol-portrait-mcp/schema"
)

// namedInWarnings is up to how many KOLs a warning on a comparison names. More
// are counted.
const namedInWarnings = 2

// ComparisonWarnings returns what a careful analyst would want to know about a
// set of portraits before comparing them, as at most six sentences in lang:
// portraits more than 30 days old, days of the data that are unknown or lie
// more than 30 days apart, dimensions that some portraits lack, rows that are
// left out, shares that do not add up, and, of two portraits or more, what their similarity does not
// say. Days are counted as Warnings does. The result is never nil, and does not
// depend on the order of the portraits.
func (a *Analyst) ComparisonWarnings(portraits []*schema.Collected, today time.Time, lang schema.Language) []string {
	s := comparedSet{today: today, lang: lang}
	s.portraits = slices.SortedStableFunc(slices.Values(portraits), func(p, q *schema.Collected) int {
		return strings.Compare(p.KOLID, q.KOLID)
	})
	return append([]string{}, nonEmpty(s.ageWarning(), s.daysWarning(),
		s.byDimension(missing, "No data on: %s.", "缺少数据：%s。"),
		s.byDimension(leftOut, "Rows without a usable name or figure are left out: %s.", "部分行的名称或数值不可用，未计入：%s。"),
		s.byDimension(unsound, "Shares do not add up: %s.", "占比合计异常：%s。"),
		s.similarityWarning())...)
}

// comparedSet is portraits that are compared, by KOL id.
type comparedSet struct {
	portraits []*schema.Collected
	today     time.Time
	lang      schema.Language
}

func (s comparedSet) ageWarning() string {
	var stale []string
	var oldest *schema.Collected
	var oldestAge int
	for _, p := range s.portraits {
		age, known := ageInDays(p.AsOf, s.today)
		if !known || age <= staleDays {
			continue
		}
		stale = append(stale, say(s.lang, "%s (%d days)", "%s（%d 天）", p.KOLID, age))
		if age > oldestAge {
			oldest, oldestAge = p, age
		}
	}
	switch {
	case stale == nil:
		return ""
	case len(stale) <= namedInWarnings:
		return say(s.lang, "Over %d days old: %s.", "画像数据超过 %d 天：%s。", staleDays, enumerate(stale, s.lang))
	default:
		return capitalize(say(s.lang, "%s portraits are over %d days old, the oldest (%s) %d days.", "%s 份画像数据超过 %d 天，最早一份（%s）距今 %d 天。",
			partOf(len(stale), len(s.portraits), s.lang), staleDays, oldest.KOLID, oldestAge))
	}
}

// daysWarning tells of days that cannot be true, and of those that lie so far
// apart that audiences may have moved between them.
func (s comparedSet) daysWarning() string {
	var days, unknown []string
	var ages []int
	for _, p := range s.portraits {
		age, known := ageInDays(p.AsOf, s.today)
		if !known || ahead(age) {
			unknown = append(unknown, p.KOLID)
			continue
		}
		days, ages = append(days, p.AsOf), append(ages, age)
	}
	var parts []string
	if ages != nil && slices.Max(ages)-slices.Min(ages) > staleDays {
		parts = append(parts, say(s.lang, "days of the data lie up to %d days apart (%s to %s)", "数据日期最多相差 %d 天（%s 至 %s）",
			slices.Max(ages)-slices.Min(ages), slices.Min(days), slices.Max(days)))
	}
	if unknown != nil {
		parts = append(parts, say(s.lang, "data of an unknown or future day: %s", "日期未知或晚于今天的数据：%s", s.whom(unknown)))
	}
	if parts == nil {
		return ""
	}
	return capitalize(strings.Join(parts, say(s.lang, "; ", "；"))) + say(s.lang, ".", "。")
}

// leftOut returns the dimensions that rows are left out of.
func leftOut(d *schema.Distributions) []schema.Dimension {
	return slices.Collect(maps.Keys(d.LeftOut))
}

// unsound returns the dimensions whose shares do not add up.
func unsound(d *schema.Distributions) (off []schema.Dimension) {
	for _, sum := range sumsOff(d) {
		off = append(off, sum.of)
	}
	return off
}

func (s comparedSet) similarityWarning() string {
	if len(s.portraits) < 2 {
		return ""
	}
	return say(s.lang,
		"Similarity compares profiles, not people: KOLs with alike profiles may share many followers or none.",
		"相似度比较的是画像结构而非粉丝本身：画像相近的达人，粉丝可能大量重合，也可能毫无重合。")
}

// byDimension warns of the dimensions that a fault is in, and whose portraits
// have it, if any; dimensions with the same portraits are taken together.
func (s comparedSet) byDimension(faults func(*schema.Distributions) []schema.Dimension, en, zh string) string {
	type group struct{ words, kols []string }
	var groups []group
	for _, of := range schema.Dimensions() {
		var kols []string
		for _, p := range s.portraits {
			if slices.Contains(faults(&p.Distributions), of) {
				kols = append(kols, p.KOLID)
			}
		}
		if kols == nil {
			continue
		}
		i := slices.IndexFunc(groups, func(g group) bool { return slices.Equal(g.kols, kols) })
		if i < 0 {
			i = len(groups)
			groups = append(groups, group{kols: kols})
		}
		groups[i].words = append(groups[i].words, DimensionName(of, s.lang))
	}
	var parts []string
	for _, g := range groups {
		parts = append(parts, say(s.lang, "%s (%s)", "%s（%s）", enumerate(g.words, s.lang), s.whom(g.kols)))
	}
	if parts == nil {
		return ""
	}
	return say(s.lang, en, zh, strings.Join(parts, say(s.lang, "; ", "；")))
}

// whom names one KOL or two, and counts more.
func (s comparedSet) whom(kols []string) string {
	if len(kols) <= namedInWarnings {
		return enumerate(kols, s.lang)
	}
	return kolsOf(len(kols), len(s.portraits), s.lang)
}

// kolsOf tells how many KOLs of all: 3 of 20 KOLs.
func kolsOf(n, all int, lang schema.Language) string {
	return partOf(n, all, lang) + say(lang, " KOLs", " 位达人")
}

// partOf tells how many of all: 3 of 20, all 20.
func partOf(n, all int, lang schema.Language) string {
	if n == all {
		return say(lang, "all %d", "全部 %d", n)
	}
	return say(lang, "%d of %d", "%d/%d", n, all)
}

// UnlistedWarning returns one sentence in lang on the rows whose score is a lower
// bound, since it sets them back against the others in rank; none where there is
// no such row. It names one KOL or two with the dimensions in which something
// selected is not listed, and counts more.
func UnlistedWarning(rows []schema.ComparedPortrait, lang schema.Language) string {
	var kols []string
	for _, row := range rows {
		if row.Fit == nil || !row.Fit.ScoreLowerBound {
			continue
		}
		var dimensions []string
		for _, of := range row.Fit.NotListed {
			dimensions = append(dimensions, DimensionName(of, lang))
		}
		kols = append(kols, say(lang, "%s (%s)", "%s（%s）", row.KOLID, enumerate(dimensions, lang)))
	}
	if kols == nil {
		return ""
	}
	whose := enumerate(kols, lang)
	if len(kols) > namedInWarnings {
		whose = kolsOf(len(kols), len(rows), lang)
	}
	return say(lang, "In score and rank, what a list leaves out counts as 0: %s.", "评分和排名中，榜单未列出的部分按 0 计：%s。", whose)
}

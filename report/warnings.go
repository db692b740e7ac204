package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

const (
	oldDays   = 30   // audiences move slowly; a month is how long planners keep a portrait
	tolerance = 0.02 // what the vendor's rounding may make of a sum
	mostKOLs  = 2    // how many KOLs a warning names; more are counted
)

func simulated(lang schema.Language) string {
	return say(lang, "SAMPLE DATA from a simulated vendor: no real KOL.", "示例数据：来自模拟数据源，不代表任何真实达人。")
}

func onlyHereWarning(lang schema.Language) string {
	return say(lang, "Portraits are kept in this process's memory only, and paid for again after a restart: set PORTRAIT_STORE to a file that can be written.",
		"画像只保存在本进程的内存中，重启后需重新计费获取：请运维人员将 PORTRAIT_STORE 设为可写入的文件。")
}

// warnings are what a careful analyst would want to know before relying on a
// portrait. Nothing to warn of is an empty slice, never nil. The page says itself that
// data is simulated, and whoever looks at it sets no argument and runs no server.
func warnings(c *schema.Collected, x *audience.Audience, now time.Time, lang schema.Language, page bool) []string {
	found := []string{}
	add := func(condition bool, english, chinese string, args ...any) {
		if condition {
			found = append(found, say(lang, english, chinese, args...))
		}
	}
	if c.Sample && !page {
		found = append(found, simulated(lang))
	}
	age, known := days(c.AsOf, now)
	collected := say(lang, "%s", "%s ", schema.DayOf(c.RetrievedAt))
	if schema.DayOf(c.RetrievedAt) == schema.DayOf(now) {
		collected = say(lang, "today", "今天")
	}
	add(age < -1, "The day of the data, %s, lies in the future.", "数据日期 %s 在未来。", c.AsOf)
	add(!known, "The day of the data is not known.", "数据日期未知。")
	add(age > oldDays && page, "The data is %d days old.", "数据已有 %d 天。", age)
	add(age > oldDays && !page, "Collected %s; the vendor's data is from %s, %d days ago. A fresh call (acceptCache=false) is charged, and brings newer data only if the vendor has it.",
		"%s采集；数据方的数据日期为 %s，距今 %d 天。重新采集（acceptCache=false）会再次计费；若数据方尚未更新，得到的仍是同一份数据。", collected, c.AsOf, age)

	var missing []schema.Dimension
	var overfull, off, leftOut, unknown []string
	for _, of := range schema.Dimensions {
		list, words := x.List(of), dimension(of, lang)
		switch {
		case list.Overfull && list.Sum > 1+tolerance:
			overfull = append(overfull, words+" "+percent(list.Sum))
		case !list.Tells() && !list.Overfull:
			missing = append(missing, of)
		case wholeList(of) && math.Abs(list.Sum-1) > tolerance:
			off = append(off, words+" "+percent(list.Sum))
		}
		if list.LeftOut > 0 {
			leftOut = append(leftOut, fmt.Sprintf("%s %d", words, list.LeftOut))
		}
		if len(list.Unknown) > 0 && wholeList(of) {
			var quoted []string
			for _, n := range list.Unknown {
				quoted = append(quoted, quote(n))
			}
			unknown = append(unknown, words+" "+some(quoted, mostNames, lang))
		}
	}
	add(missing != nil, "The vendor sent no usable data on: %s.", "数据方未提供可用数据：%s。", dimensions(missing, lang))
	add(overfull != nil, "Shares of more than everybody, so that no figure is taken from them: %s.", "占比合计超过 100%%，仅列出，不参与计算：%s。", enumerate(overfull, lang))
	cities := x.List(schema.DimensionCities)
	add(cities.Overfull && cities.Sum <= 1+tolerance, "Cities hold more than their province, so that no figure is taken from cities.", "城市占比之和超过其所属省份，仅列出，不参与计算。")
	add(off != nil, "Shares that do not add up to 100%%: %s.", "占比合计不是 100%%：%s。", enumerate(off, lang))
	add(leftOut != nil, "Rows without a usable name or figure, left out: %s.", "名称或数值不可用、未计入的行：%s。", enumerate(leftOut, lang))
	add(unknown != nil, "Names that are not known, listed but in no other figure: %s.", "无法识别的名称（仅列出，不计入其他指标）：%s。", strings.Join(unknown, say(lang, "; ", "；")))
	if c.OnlyHere && !page {
		found = append(found, onlyHereWarning(lang))
	}
	return found
}

// wholeList reports whether the vendor sends all of a dimension, so that it should
// add up to everybody.
func wholeList(of schema.Dimension) bool {
	return of == schema.DimensionGender || of == schema.DimensionAgeGroups || of == schema.DimensionProvinces
}

// days is how many days ago a day of the vendor's was, and whether it is known.
func days(day string, now time.Time) (int, bool) {
	from, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return 0, false
	}
	today, _ := time.Parse(time.DateOnly, string(schema.DayOf(now)))
	return int(today.Sub(from).Hours() / 24), true
}

// comparisonWarnings are what a careful analyst would want to know before ranking
// by the portraits; for the page, as warnings are.
func (c *Comparison) comparisonWarnings(kols []*audience.Compared, merged int, now time.Time, page bool) []string {
	found := []string{}
	add := func(english, chinese string, args ...any) { found = append(found, c.say(english, chinese, args...)) }
	if c.Source.Sample && !page {
		found = append(found, simulated(c.Language))
	}
	switch ties := audience.Ties(kols); {
	case c.Target == nil || len(ties) == 0:
	case len(ties) == 1 && len(ties[0]) == 2:
		add("Ranks %d and %d score within 3%% of one another: as good as equal.", "排名 %d 与 %d 的人群匹配度相差不到 3%%，可视为相当。", ties[0][0], ties[0][1])
	default:
		var groups []string
		for _, g := range ties {
			groups = append(groups, fmt.Sprintf("%d-%d", g[0], g[len(g)-1]))
		}
		add("Each of these ranks scores within 3%% of the next, so neighbours are as good as equal: %s.",
			"以下各段排名中，相邻两名的人群匹配度相差不到 3%%，相邻者可视为相当：%s。", enumerate(groups, c.Language))
	}
	c.rankWarnings(add)
	if merged > 0 {
		add(map[bool]string{true: "%d duplicate merged.", false: "%d duplicates merged."}[merged == 1], "已合并 %d 个重复的达人。", merged)
	}
	c.dayWarnings(now, page, add)
	for i, fault := range [][2]string{
		{"No usable data from the vendor: %s.", "数据方未提供可用数据：%s。"},
		{"More than everybody (or cities more than their province), so that no figure is taken: %s.", "占比合计超过 100%%（或城市超过其所属省份），不参与计算：%s。"},
		{"Shares that do not add up to 100%%: %s.", "占比合计不足 100%%：%s。"},
		{"Names that are not known: %s.", "含无法识别的名称：%s。"},
	} {
		var whose []string
		for _, k := range kols {
			unknown := slices.DeleteFunc(slices.Clone(k.Unknown), func(of schema.Dimension) bool { return !wholeList(of) })
			if of := [...][]schema.Dimension{k.Missing, k.Overfull, k.Short, unknown}[i]; len(of) > 0 {
				whose = append(whose, c.say("%s (%s)", "%s（%s）", called(k.Portrait.KOLID, k.Portrait.Label), dimensions(of, c.Language)))
			}
		}
		if whose != nil {
			add(fault[0], fault[1], c.whom(whose))
		}
	}
	return found
}

// rankWarnings warns where the ranks are not the last word: the score of a KOL is
// a range, or counts what the target share does not.
func (c *Comparison) rankWarnings(add func(english, chinese string, args ...any)) {
	if c.Target == nil {
		return
	}
	var open []string // runs of ranks, each of which may really be behind the next
	ranged, first := false, 0
	for i, p := range c.Portraits {
		ranged = ranged || p.Fit.ScoreAtMost != nil
		if next := i + 1; next == len(c.Portraits) || c.Portraits[next].Rank == 0 || highest(c.Portraits[next].Fit) <= lowest(p.Fit) {
			if first < i && p.Rank > 0 {
				open = append(open, fmt.Sprintf("%d-%d", first+1, next))
			}
			first = next
		}
	}
	if ranged && open == nil {
		add("A score that is a range ranks by its lower end, or its upper where that is not known.", "所选项有未列出的，人群匹配度只能给出区间：按下限排名，下限未知的按上限。")
	} else if ranged {
		add("A score that is a range ranks by its lower end, or by its upper where that is unknown; ranges that overlap leave the order open: %s.",
			"所选项有未列出的，人群匹配度只能给出区间：按下限排名，下限未知的按上限；区间重叠的排名不分先后：%s。", enumerate(open, c.Language))
	}
	if first := c.byTargetShare(); !slices.IsSorted(first) {
		var words []string
		for _, i := range first {
			words = append(words, fmt.Sprintf("#%d %s", i+1, percent(estimate(c.Portraits[i].Fit))))
		}
		add("First by target share: %s; the score also counts interests, pluses, weights.",
			"只看 TA 浓度，前几位依次为 %s：人群匹配度还计入兴趣、加分项和权重。", enumerate(words, c.Language))
	}
}

// byTargetShare returns the first three KOLs by estimated target share, of equals
// by rank.
func (c *Comparison) byTargetShare() []int {
	order := make([]int, len(c.Portraits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(estimate(c.Portraits[b].Fit), estimate(c.Portraits[a].Fit))
	})
	return order[:min(3, len(order))]
}

// lowest and highest are the ends of a score that may be a range.
func lowest(f *schema.ComparedFit) schema.Score {
	if f.Score == nil {
		return 0
	}
	return *f.Score
}

func highest(f *schema.ComparedFit) schema.Score {
	if f.ScoreAtMost == nil {
		return lowest(f)
	}
	return *f.ScoreAtMost
}

// estimate is the estimated target share, 0 where there is none.
func estimate(f *schema.ComparedFit) schema.RoughShare {
	if f.TargetShare == nil || f.TargetShare.Estimate == nil {
		return 0
	}
	return *f.TargetShare.Estimate
}

// dayWarnings warns of data that is old, of no known day, or of days so far apart
// that audiences may have moved between them.
func (c *Comparison) dayWarnings(now time.Time, page bool, add func(english, chinese string, args ...any)) {
	var old, unknown, all []string
	for _, p := range c.Portraits {
		switch age, known := days(p.AsOf, now); {
		case !known:
			unknown = append(unknown, called(p.KOLID, p.Label))
			continue
		case age > oldDays:
			old = append(old, c.say("%s (%d days)", "%s（%d 天）", called(p.KOLID, p.Label), age))
		}
		all = append(all, p.AsOf)
	}
	switch {
	case old != nil && page:
		add("Data over %d days old: %s.", "数据日期距今超过 %d 天：%s。", oldDays, c.whom(old))
	case old != nil:
		add("Data over %d days old: %s. A fresh call is charged, and brings newer data only if the vendor has it.", "数据日期距今超过 %d 天：%s。重新采集会再次计费；若数据方尚未更新，得到的仍是同一份数据。", oldDays, c.whom(old))
	}
	if all != nil {
		first, last := slices.Min(all), slices.Max(all)
		from, _ := days(first, now)
		to, _ := days(last, now)
		if from-to > oldDays {
			add("The days of the data lie up to %d days apart.", "数据日期最多相差 %d 天，跨期比较需谨慎。", from-to)
		}
	}
	if unknown != nil {
		add("The day of the data is not known: %s.", "数据日期未知：%s。", c.whom(unknown))
	}
}

// whom names one KOL or two, and counts more.
func (c *Comparison) whom(kols []string) string {
	switch {
	case len(kols) <= mostKOLs:
		return enumerate(kols, c.Language)
	case len(kols) == len(c.Portraits):
		return c.say("all %d KOLs", "全部 %d 位达人", len(kols))
	}
	return c.say("%d of %d KOLs", "%[2]d 位达人中的 %[1]d 位", len(kols), len(c.Portraits))
}

// called is what a sentence calls a KOL.
func called(kolID, label string) string {
	if label != "" {
		return quote(label)
	}
	if strings.Trim(kolID, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return quote(kolID) // a cell of a caller's file that is no id
	}
	return kolID
}

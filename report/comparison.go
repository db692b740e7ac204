package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// Comparison is the answer about several KOLs.
type Comparison struct {
	schema.Comparison
	Target *audience.Target `json:"-"` // nil where there is none
	Sheet  *Sheet           `json:"-"` // nil where the caller brought no table

	atMost map[string]schema.Matched // by KOL: upper bounds of what is not listed
	shares []audience.Shares         // of Portraits
	shown  ViewWarnings
}

// NewComparison makes the answer. kols are in their order already (audience.Rank);
// merged is how many duplicates the caller gave, onlyHere whether portraits are
// kept in this process's memory alone.
func NewComparison(kols []*audience.Compared, similarity schema.LowerTriangle, failures []schema.FailedPortrait, source schema.ComparisonSource, t *audience.Target, merged int, onlyHere bool, lang schema.Language, now time.Time) *Comparison {
	c := &Comparison{Target: t, atMost: map[string]schema.Matched{}, Comparison: schema.Comparison{
		Language: lang, Portraits: []schema.ComparedPortrait{}, Similarity: similarity, Failures: slices.Clone(failures), Source: source,
	}}
	if t != nil {
		c.Comparison.Target = new(t.Data(lang))
	}
	for _, k := range kols {
		k.Portrait.Label = plain(k.Portrait.Label)
		c.Portraits = append(c.Portraits, k.Portrait)
		c.shares = append(c.shares, k.Shares)
		if k.AtMost != nil {
			c.atMost[k.Portrait.KOLID] = k.AtMost
		}
	}
	c.Warnings = c.comparisonWarnings(kols, merged, now, false)
	english, chinese := *c, *c
	english.Language, chinese.Language = schema.English, schema.Chinese
	c.shown = ViewWarnings{english.comparisonWarnings(kols, merged, now, true), chinese.comparisonWarnings(kols, merged, now, true)}
	if onlyHere {
		c.Warnings = append(c.Warnings, onlyHereWarning(lang))
	}
	return c
}

// say says a sentence in the answer's language.
func (c *Comparison) say(english, chinese string, args ...any) string {
	return say(c.Language, english, chinese, args...)
}

// Text is the comparison as one block for a model or a terminal, a KOL a line.
func (c *Comparison) Text() string {
	first, warnings := withoutSample(c.Warnings, c.Source.Sample)
	compared := c.table()
	lines := append(slices.Clone(first), c.heading(compared)...)
	for _, table := range [][][]string{compared, c.sheetTable()} {
		for _, row := range table {
			lines = append(lines, strings.Join(row, "|"))
		}
	}
	lines = append(append(lines, c.failures()...), c.similarities()...)
	if len(warnings) > 0 {
		lines = append(lines, c.say("Warnings: ", "注意：")+sentences(warnings, c.Language))
	}
	return strings.Join(append(lines, c.source()), "\n")
}

// Markdown is the comparison as a page of Markdown.
func (c *Comparison) Markdown() string {
	var b strings.Builder
	first, warnings := withoutSample(c.Warnings, c.Source.Sample)
	bullets(&b, "", first)
	compared := c.table()
	heading := c.heading(compared)
	b.WriteString("# " + markdown(heading[0]) + "\n\n")
	bullets(&b, "", heading[1:])
	table(&b, compared)
	table(&b, c.sheetTable())
	bullets(&b, "", c.failures())
	bullets(&b, "", c.similarities())
	bullets(&b, c.say("Warnings", "注意"), warnings)
	b.WriteString(markdown(c.source()) + "\n")
	return b.String()
}

// heading says what is compared, with whom in mind, and how to read the columns.
func (c *Comparison) heading(table [][]string) []string {
	order := c.say("in the order asked", "按所给顺序")
	if c.Target != nil {
		order = c.say("best match first", "按人群匹配度排序")
	}
	compared := c.say("%d", "%d 位达人", len(c.Portraits))
	if len(c.Failures) > 0 {
		compared = c.say("%d of %d", "%[2]d 位达人中 %[1]d 位", len(c.Portraits), len(c.Portraits)+len(c.Failures))
	}
	lines := []string{c.say("%s KOLs compared by their followers on Xiaohongshu, %s; shares in %%.", "%s的小红书粉丝画像对比，%s；占比单位 %%。", compared, order)}
	if c.Target != nil {
		lines = append(lines, c.say("Target: %s.", "目标人群：%s。", c.Target.Words(c.Language)))
	}
	if table != nil {
		lines = append(lines, c.legend(table))
	}
	return lines
}

// legend says what the columns of the table hold.
func (c *Comparison) legend(table [][]string) string {
	var parts []string
	add := func(when bool, english, chinese string, args ...any) {
		if when {
			parts = append(parts, c.say(english, chinese, args...))
		}
	}
	met := c.heads(c.hard(), " + ")
	add(c.Target != nil, "Score: 0 to 100", "匹配度：满分 100")
	add(c.Target != nil, "%s: share that matches", "%s：匹配占比", c.heads(c.targeted(), c.say(", ", "、")))
	add(slices.Contains(c.targeted(), schema.DimensionInterests), "Interests: of interest, not of people", "兴趣：兴趣占比，不是人数占比")
	add(len(c.hard()) > 1, "Target share: %s at once, estimated as if independent (bounds)", "TA 浓度：同时符合“%s”，按各维度独立推算（上下限）", met)
	add(len(c.hard()) == 1, "Target share: as %s", "TA 浓度：同“%s”列", met)
	add(true, "Core age: largest group", "核心年龄：占比最高的年龄段")
	add(true, "Tier 1: first-tier cities, at least", "一线：一线城市占比（下限）")
	add(true, "Similar: # of the most alike profile (0-1); not shared followers", "最相似：画像最接近的达人序号与相似度（0-1），不代表粉丝重合")
	add(c.year() != "", "Date: of the data, %s", "日期：数据日期，%s 年", c.year())
	add(c.Target != nil && slices.ContainsFunc(c.Portraits, func(p schema.ComparedPortrait) bool { return p.Rank == 0 }), "(#): not ranked", "(#)：不参与排名")
	add(slices.ContainsFunc(table, func(row []string) bool { return slices.Contains(row, c.unknown()) }), "n/a: no data", "无数据：数据方未提供，或无法得出")
	add(len(c.atMost) > 0, "≤, a-b: not all chosen is listed", "a-b 为区间、≤ 为上限：所选项有未列出的")
	return strings.Join(parts, c.say(". ", "。")) + c.say(".", "。")
}

// hard are the dimensions that the target share is of.
func (c *Comparison) hard() []schema.Dimension {
	return slices.DeleteFunc(c.targeted(), func(of schema.Dimension) bool {
		return of == schema.DimensionInterests || slices.Contains(c.Comparison.Target.Soft, of)
	})
}

// heads are the headings of dimensions' columns.
func (c *Comparison) heads(of []schema.Dimension, separator string) string {
	var words []string
	for _, d := range of {
		words = append(words, c.head(d))
	}
	return strings.Join(words, separator)
}

// targeted are the dimensions of the target audience.
func (c *Comparison) targeted() (dimensions []schema.Dimension) {
	if c.Target == nil {
		return nil
	}
	t := c.Comparison.Target
	for i, chosen := range [...]bool{t.Gender != "", t.AgeGroups != nil, t.Places != nil, t.Interests != nil, t.Devices != nil} {
		if chosen {
			dimensions = append(dimensions, schema.TargetDimensions[i])
		}
	}
	return dimensions
}

// head is the heading of a dimension's column.
func (c *Comparison) head(of schema.Dimension) string {
	english := dimensionWords[of][0]
	return in(c.Language, strings.ToUpper(english[:1])+english[1:], dimensionWords[of][1])
}

// year is the year of all data, empty where there are several or none.
func (c *Comparison) year() (year string) {
	for _, p := range c.Portraits {
		of, _, _ := strings.Cut(p.AsOf, "-")
		if of != "" && year != "" && of != year {
			return ""
		}
		year = cmp.Or(year, of)
	}
	return year
}

// table is a KOL a row under a header: the same columns however many there are.
// What is not known is n/a. What is not listed has an upper bound instead, so that
// neither passes for the other or for 0.
func (c *Comparison) table() [][]string {
	if len(c.Portraits) == 0 {
		return nil
	}
	table := make([][]string, 1+len(c.Portraits))
	number := map[string]string{}
	for i, p := range c.Portraits {
		number[p.KOLID] = c.number(i)
	}
	type kol = schema.ComparedPortrait
	column := func(head string, cell func(k *kol) string) {
		table[0] = append(table[0], head)
		for i := range c.Portraits {
			table[i+1] = append(table[i+1], cmp.Or(cell(&c.Portraits[i]), c.unknown()))
		}
	}
	// What describes the followers may be just what is asked for, as women are: then
	// the column of the match says so too.
	matchedAt := map[schema.Dimension]int{}
	share := func(head string, of schema.Dimension, get func(k *kol) *schema.RoughShare) {
		differs := func(k kol) bool {
			share := get(&k)
			matched, known := k.Fit.Matched[of]
			return share == nil || !known || *share != matched || c.atMost[k.KOLID][of] != 0
		}
		if at, asked := matchedAt[of]; asked && !slices.ContainsFunc(c.Portraits, differs) {
			table[0][at] += "=" + head
			return
		}
		column(head, func(k *kol) string { return optional(c.rounded, get(k)) })
	}

	column("#", func(k *kol) string { return number[k.KOLID] })
	column(c.say("KOL", "达人"), func(k *kol) string { return called(k.KOLID, k.Label) })
	if c.Target != nil {
		column(c.say("Score", "匹配度"), func(k *kol) string {
			return limits(optional(twoDecimals[schema.Score], k.Fit.Score), optional(c.scoreAtMost, k.Fit.ScoreAtMost))
		})
	}
	for _, of := range c.targeted() {
		matchedAt[of] = len(table[0])
		column(c.head(of), func(k *kol) string {
			share, known := k.Fit.Matched[of]
			atMost, notListed := c.atMost[k.KOLID][of]
			return limits(given(known, points(share)), given(notListed, c.bound(atMost, math.Ceil)))
		})
	}
	if len(c.hard()) > 1 { // of one the match says it
		column(c.say("Target share", "TA 浓度"), c.targetShare)
	}
	share(c.say("Women", "女性"), schema.DimensionGender, func(k *kol) *schema.RoughShare { return k.Female })
	column(c.say("Core age", "核心年龄"), func(k *kol) string {
		return strings.TrimSpace(k.CoreAgeGroup + " " + optional(c.rounded, k.CoreAgeShare))
	})
	column(c.say("Median age", "年龄中位数"), func(k *kol) string {
		return optional(func(y schema.Years) string { return strconv.FormatFloat(float64(y), 'f', c.decimals(), 64) }, k.MedianYears)
	})
	column("<18", func(k *kol) string { return optional(c.rounded, k.MinorShare) })
	column(c.say("Top provinces", "主要省份"), func(k *kol) string { return enumerate(names(k.TopProvinces), c.Language) })
	column(c.say("Top interests", "主要兴趣"), func(k *kol) string { return enumerate(names(k.TopInterests), c.Language) })
	share(c.say("Tier 1", "一线"), schema.DimensionPlaces, func(k *kol) *schema.RoughShare { return k.Tier1CityShare })
	column(c.say("Overseas", "海外"), func(k *kol) string { return optional(c.rounded, k.OverseasShare) })
	share(c.say("Apple", "苹果"), schema.DimensionDevices, func(k *kol) *schema.RoughShare { return k.AppleShare })
	column(c.say("Similar", "最相似"), func(k *kol) string {
		return optional(func(s schema.Similar) string {
			return number[s.KOLID] + " " + strings.TrimPrefix(twoDecimals(s.Similarity), "0")
		}, k.MostSimilar)
	})
	year := c.year()
	column(c.say("Date", "日期"), func(k *kol) string { return strings.TrimPrefix(k.AsOf, year+"-") })
	return table
}

// number is by what a line is called: the rank, in brackets where there is none.
func (c *Comparison) number(i int) string {
	if c.Target != nil && c.Portraits[i].Rank == 0 {
		return fmt.Sprintf("(%d)", i+1)
	}
	return strconv.Itoa(i + 1)
}

func (c *Comparison) unknown() string { return c.say("n/a", "无数据") }

// limits writes what is known and what it is at most, each empty where it is not
// known.
func limits(known, atMost string) string {
	switch {
	case atMost == "":
		return known
	case known == "":
		return "≤" + atMost
	default:
		return known + "-" + atMost
	}
}

func given(known bool, text string) string {
	if !known {
		return ""
	}
	return text
}

// targetShare writes the estimate and its bounds: 9.3 (0-17.0). With something not
// listed the estimate is a range itself: 8.4-10.9 (0-22.9).
func (c *Comparison) targetShare(k *schema.ComparedPortrait) string {
	t := k.Fit.TargetShare
	if t == nil {
		return ""
	}
	bounds := fmt.Sprintf("(%s-%s)", c.bound(t.AtLeast, math.Floor), c.bound(t.AtMost, math.Ceil))
	if t.Estimate == nil {
		return bounds
	}
	upTo := optional(func(s schema.RoughShare) string { return c.bound(s, math.Ceil) }, t.EstimateAtMost)
	return limits(points(*t.Estimate), upTo) + " " + bounds
}

// decimals is how many decimals describe the followers. Of many KOLs whole
// percents are easier to compare, and half as long to a model.
func (c *Comparison) decimals() int {
	if len(c.Portraits) > 10 {
		return 0
	}
	return 1
}

// scoreAtMost writes the upper end of a score, rounded up where there are many.
func (c *Comparison) scoreAtMost(s schema.Score) string {
	if c.decimals() == 1 {
		return twoDecimals(s)
	}
	return strconv.FormatFloat(math.Ceil(float64(s)), 'f', 0, 64)
}

// bound writes a bound as decimals has it, rounded away from what it bounds.
func (c *Comparison) bound(s schema.RoughShare, round func(float64) float64) string {
	if c.decimals() == 1 {
		return points(s)
	}
	percents := math.Round(float64(s)*1e8) / 1e6 // without what binary fractions add
	return strconv.FormatFloat(round(percents), 'f', 0, 64)
}

func (c *Comparison) rounded(s schema.RoughShare) string {
	switch {
	case c.decimals() == 1 || s == 0:
		return points(s)
	case s < 0.005:
		return "<1"
	default:
		return strconv.FormatFloat(float64(s)*100, 'f', 0, 64)
	}
}

// failures says of which KOLs there is no portrait and why, KOLs of the same
// reason together.
func (c *Comparison) failures() (lines []string) {
	whose := map[string][]string{}
	var order []string
	for _, f := range c.Failures {
		why := fmt.Sprintf("%s: %s", f.Error.Kind, f.Error.Message) + c.terms(f.Error)
		if whose[why] == nil {
			order = append(order, why)
		}
		who := called(f.KOLID, "")
		if f.Label != "" {
			who = c.say("%s (%s)", "%s（%s）", quote(f.Label), who)
		}
		whose[why] = append(whose[why], who)
	}
	for _, why := range order {
		lines = append(lines, c.say("No portrait of %s: %s", "未取得画像：%s：%s", enumerate(whose[why], c.Language), why))
	}
	return lines
}

// terms says when a failed call may be made again, and whether it cost something.
func (c *Comparison) terms(e *schema.Error) string {
	again := ""
	if e.Retryable && e.RetryAfterSeconds > 0 {
		again = c.say(" Retry after %d s.", "可在 %d 秒后重试。", e.RetryAfterSeconds)
	}
	if e.Charged {
		return again + c.say(" It may have been charged.", "可能已计费。")
	}
	return again + c.say(" Not charged.", "未计费。")
}

// similarities says how alike the profiles of each two of a few KOLs are.
func (c *Comparison) similarities() []string {
	var pairs []string
	for i, row := range c.Similarity {
		for j, s := range row {
			if s != nil {
				pairs = append(pairs, c.say("#%d and #%d %s", "#%d 与 #%d：%s", j+1, i+1, twoDecimals(*s)))
			}
		}
	}
	if pairs == nil {
		return nil
	}
	return []string{c.say("Similarity of the profiles (0 to 1): %s.", "画像相似度（0-1）：%s。", strings.Join(pairs, c.say(", ", "，")))}
}

// source says where the portraits came from and what they cost.
func (c *Comparison) source() string {
	s := c.Source
	charged := c.say("%d charged calls", "计费 %d 次", s.Charged)
	switch {
	case s.Charged == 0:
		charged = c.say("no charge", "本次不计费")
	case slices.ContainsFunc(c.Failures, func(f schema.FailedPortrait) bool { return f.Error.Charged }):
		charged = c.say("at most %d charged calls, failures included", "至多计费 %d 次（含失败的调用）", s.Charged)
	case s.Charged == 1:
		charged = c.say("1 charged call", "计费 1 次")
	}
	if s.Charged > 0 && s.Sample {
		charged += c.say(" (simulated: play money)", "（模拟费用，不花真钱）")
	}
	portraits := map[bool]string{true: "portrait", false: "portraits"}[len(c.Portraits) == 1]
	return c.say("%d %s (%d from this server's store); %s.", "共 %[1]d 份画像（%[3]d 份为已存画像）；%[4]s。", len(c.Portraits), portraits, s.FromStore, charged)
}

// Package report writes answers for people and models to read: one portrait or a
// comparison as text and Markdown, and comparisons as tables for spreadsheets and
// programs. Every sentence stands in both languages beside each other, as say
// takes them. It computes no share: those are package audience's.
package report

import (
	"slices"
	"strings"
	"time"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// Portrait is the answer about one KOL: the data half, and what its text needs
// beside that.
type Portrait struct {
	schema.PortraitResult
	Audience *audience.Audience `json:"-"`
	Target   *audience.Target   `json:"-"` // nil where there is none

	shown func() ViewWarnings
}

// NewPortrait makes the answer, sentences included. older is the audience of an
// older portrait, of the day olderAsOf, nil where there is none; t is nil where no
// target audience is asked for.
func NewPortrait(c *schema.Collected, x, older *audience.Audience, olderAsOf string, t *audience.Target, args schema.PortraitArguments, now time.Time) *Portrait {
	lang := args.Language
	p := &Portrait{Audience: x, Target: t, PortraitResult: schema.PortraitResult{
		KOLID:    c.KOLID,
		Label:    plain(args.Label),
		AsOf:     c.AsOf,
		Language: lang,
		Summary:  x.Summary(lang),
		Fit:      x.Fit(t, lang),
		Change:   x.Change(older, olderAsOf, lang),
		Source:   c.Source(),
		Warnings: warnings(c, x, now, lang, false),
	}}
	p.shown = func() ViewWarnings {
		return ViewWarnings{warnings(c, x, now, schema.English, true), warnings(c, x, now, schema.Chinese, true)}
	}
	p.Summary.Headline = p.headline()
	p.Summary.Insights = p.insights()
	if args.Detail != schema.DetailSummary {
		p.Distributions = c.Distributions.InVendorShape()
	}
	return p
}

// say says a sentence in the answer's language.
func (p *Portrait) say(english, chinese string, args ...any) string {
	return say(p.Language, english, chinese, args...)
}

// headline is the one sentence that tells this audience from another: who, how
// old, where.
func (p *Portrait) headline() string {
	parts := nonEmpty(p.genderPart(), p.agePart(), p.placePart())
	if len(parts) == 0 {
		return p.say("No usable figures on the followers' gender, age or place.", "没有可用的性别、年龄或地域数据。")
	}
	return strings.Join(parts, p.say("; ", "；")) + p.say(".", "。")
}

func (p *Portrait) genderPart() string {
	g := p.Summary.Gender
	switch {
	case g == nil:
		return ""
	case g.Female == nil:
		return optional(func(s schema.Share) string { return p.say("%s men", "男性占 %s", percent(s)) }, g.Male)
	default:
		return p.say("%s women", "女性占 %s", percent(*g.Female))
	}
}

func (p *Portrait) agePart() string {
	a := p.Summary.Age
	if a == nil {
		return ""
	}
	core := slices.Index(schema.AgeGroups[:], a.CoreGroup)
	part := p.say("core age group %s (%s)", "核心年龄段 %s（%s）", span(core, core, p.Language), percent(a.CoreShare))
	if a.MedianYears != nil {
		part += p.say(", median age %.1f", "，年龄中位数 %.1f 岁", *a.MedianYears)
	}
	return part
}

// placePart names the leading province, or where the provinces tell nothing the
// leading city. Followers abroad come first where they outnumber it.
func (p *Portrait) placePart() string {
	kind, places := p.say("province", "省份"), p.Summary.TopProvinces
	if len(places) == 0 {
		kind, places = p.say("city", "城市"), p.Summary.TopCities
	}
	if len(places) == 0 || len(p.Summary.TopProvinces) > 0 && 1-p.Audience.List(schema.DimensionProvinces).Sum > float64(places[0].Share) {
		return "" // a province that was not sent may be larger
	}
	part := p.say("top %s %s (%s)", "占比最高的%s为%s（%s）", kind, name(places[0].Name), percent(places[0].Share))
	if abroad := p.Summary.OverseasShare; abroad != nil && *abroad > places[0].Share {
		part = p.say("%s overseas, ", "海外占 %s，", percent(*abroad)) + part
	}
	return part
}

// The thresholds from which a figure is worth a sentence: where a planner's
// decision would change. They are judgement, not statistics.
const (
	mostOfThem      = 0.80 // whom a campaign chooses its ages for
	notableMinors   = 0.05 // advertising to minors is restricted in many categories
	notableOverseas = 0.10 // who is abroad cannot buy what is sold in China alone
	standsOut       = 0.15 // of an interest among some twenty, where it is half as large again as the next
)

// insights are what an analyst would add to the headline, each with its figure:
// who, how old, where, what they like. What is not known has no sentence. The
// provinces' indexes are lists in the data half, and a sentence in text alone.
func (p *Portrait) insights() []string {
	return nonEmpty(
		p.genderInsight(), p.ageInsight(), p.minorInsight(),
		p.tierInsight(p.say("First-tier cities", "一线城市"), "tier1", p.Summary.Tier1CityShare),
		p.tierInsight(p.say("New first-tier cities", "新一线城市"), "new-tier1", p.Summary.NewTier1CityShare),
		p.overseasInsight(), p.interestInsight(),
	)
}

func (p *Portrait) genderInsight() string {
	g := p.Summary.Gender
	if g == nil || g.TGI == nil {
		return ""
	}
	if p.Audience.Source(schema.DimensionGender) == audience.Platform {
		return p.say("Of all Xiaohongshu users about 70%% are women (TGI here %s).", "小红书用户中女性约占 70%%；该达人的女性 TGI 为 %s。", whole(*g.TGI))
	}
	return p.say("TGI of women against %s: %s.", "女性 TGI（%s）：%s。", p.against(schema.DimensionGender), whole(*g.TGI))
}

// against names what the index of a dimension compares with.
func (p *Portrait) against(of schema.Dimension) string {
	switch p.Audience.Source(of) {
	case audience.Census:
		return p.say("the 2020 census", "对比 2020 年人口普查")
	case audience.Platform:
		return p.say("Xiaohongshu users", "对比小红书用户")
	default:
		return p.say("your own baseline", "对比自定义基准")
	}
}

// ageInsight tells of two neighbouring age groups that are most of the followers.
func (p *Portrait) ageInsight() string {
	ages := p.Audience.List(schema.DimensionAgeGroups)
	asked := p.Fit != nil && p.Fit.AgeGroups != nil // two figures on ages would be mistaken for one another
	if asked || !ages.Tells() || len(ages.Unknown) > 0 || p.Summary.Age.CoreShare >= mostOfThem {
		return ""
	}
	var shares [len(schema.AgeGroups)]float64
	for _, r := range ages.Rows {
		shares[slices.Index(schema.AgeGroups[:], r.In(schema.English))] = r.Share
	}
	first := 0
	for i := range shares[1:] {
		if shares[i]+shares[i+1] > shares[first]+shares[first+1] {
			first = i
		}
	}
	both := shares[first] + shares[first+1]
	if both < mostOfThem {
		return ""
	}
	return p.say("%s are %s.", "%[2]s占 %[1]s。", percent(both), span(first, first+1, p.Language))
}

// span names neighbouring age groups by the years that they hold together.
func span(first, last int, lang schema.Language) string {
	starts := [...]int{0, 18, 25, 35, 45}
	switch {
	case first == 0:
		return say(lang, "under %d", "%d 岁以下", starts[last+1])
	case last == len(starts)-1:
		return say(lang, "%d or older", "%d 岁及以上", starts[first])
	default:
		return say(lang, "%d-%d", "%d-%d 岁", starts[first], starts[last+1]-1)
	}
}

func (p *Portrait) minorInsight() string {
	a := p.Summary.Age
	if a == nil || a.MinorShare == nil || *a.MinorShare < notableMinors {
		return ""
	}
	if a.CoreGroup == schema.AgeGroups[0] { // the headline has the figure
		return p.say("Advertising to those under 18 is restricted.", "注意面向 18 岁以下人群的广告限制。")
	}
	return p.say("Under 18: %s; advertising to minors is restricted.", "未成年人占 %s，注意面向未成年人的广告限制。", percent(*a.MinorShare))
}

func (p *Portrait) provinceInsight() string {
	high, low := indexes(p.Summary.HighProvinces, p.Language), indexes(p.Summary.LowProvinces, p.Language)
	if high != "" {
		high = p.say("highest ", "最高：") + high
	}
	if low != "" {
		low = p.say("lowest ", "最低：") + low
	}
	both := strings.Join(nonEmpty(high, low), p.say("; ", "；"))
	if both == "" {
		return ""
	}
	return p.say("TGI of provinces against %s: %s.", "省份 TGI（%s）%s。", p.against(schema.DimensionProvinces), both)
}

func indexes(rows []schema.RankedShare, lang schema.Language) string {
	var words []string
	for _, r := range rows {
		words = append(words, name(r.Name)+" "+whole(*r.TGI))
	}
	return enumerate(words, lang)
}

// tierInsight tells the share of a tier's cities. The vendor lists the largest
// cities alone.
func (p *Portrait) tierInsight(name, tier string, share *schema.Share) string {
	atLeast := p.say("at least ", "至少")
	if p.Audience.TierWhole(tier) {
		atLeast = ""
	}
	return optional(func(s schema.Share) string { return p.say("%s: %s%s.", "%s%s %s。", name, atLeast, percent(s)) }, share)
}

func (p *Portrait) overseasInsight() string {
	abroad := p.Summary.OverseasShare
	if abroad == nil || *abroad < notableOverseas || strings.Contains(p.placePart(), percent(*abroad)) {
		return ""
	}
	return p.say("Overseas %s.", "海外占 %s。", percent(*abroad))
}

func (p *Portrait) interestInsight() string {
	top := p.Summary.TopInterests
	if len(top) < 2 || top[0].Share < max(standsOut, 1.5*top[1].Share) {
		return ""
	}
	return p.say("%s takes %s of their interest, %s comes next with %s.", "兴趣以%s为主（兴趣占比 %s），其次为%s（%s）。",
		name(top[0].Name), percent(top[0].Share), name(top[1].Name), percent(top[1].Share))
}

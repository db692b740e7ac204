package report

import (
	"cmp"
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

// mostNames is how many names of a caller's target audience a sentence spells out.
const mostNames = 5

// fit says how well the followers match the target audience.
func (p *Portrait) fit() []string {
	if p.Fit == nil {
		return nil
	}
	lines := []string{
		p.say("Target: %s.", "目标人群：%s。", p.Target.Words(p.Language)),
		p.score() + p.say(" ", "") + p.matches(),
	}
	if t := p.Fit.TargetShare; t != nil {
		lines = append(lines, p.targetShare(t))
	}
	var outside []string
	p.eachMatch(func(of schema.Dimension, _ *schema.Match) {
		switch {
		case of == schema.DimensionInterests:
			outside = append(outside, p.say("interests (a share of interest, not of people)", "兴趣（兴趣占比，不是人数占比）"))
		case slices.Contains(p.Fit.Target.Soft, of):
			outside = append(outside, p.say("%s (a plus)", "%s（加分项）", dimension(of, p.Language)))
		}
	})
	if outside != nil {
		lines = append(lines, p.say("In the score, but not in the target share: %s.", "计入人群匹配度、不计入 TA 浓度：%s。", enumerate(outside, p.Language)))
	}
	return lines
}

func (p *Portrait) score() string {
	f := p.Fit
	switch {
	case f.Score != nil && f.ScoreAtMost != nil:
		return p.say("Score %s to %s of 100: %s.", "人群匹配度 %s 至 %s（满分 100）：%s。", twoDecimals(*f.Score), twoDecimals(*f.ScoreAtMost), p.notListed())
	case f.Score != nil:
		return p.say("Score %s of 100.", "人群匹配度 %s（满分 100）。", twoDecimals(*f.Score))
	case f.ScoreAtMost != nil:
		return p.say("Score unknown (0 to %s): %s.", "人群匹配度未知（0 至 %s）：%s。", twoDecimals(*f.ScoreAtMost), p.notListed())
	default:
		var without []schema.Dimension
		p.eachMatch(func(of schema.Dimension, m *schema.Match) {
			if m.MatchedShare == nil && m.AtMost == nil {
				without = append(without, of)
			}
		})
		why := nonEmpty(p.say("no data on %s", "%s无数据", dimensions(without, p.Language)), p.notListed())
		return p.say("No score: %s.", "无法计算人群匹配度：%s。", strings.Join(why, p.say("; ", "；")))
	}
}

// eachMatch calls do with each dimension of the fit, in order.
func (p *Portrait) eachMatch(do func(of schema.Dimension, m *schema.Match)) {
	for _, of := range schema.TargetDimensions {
		if m := *p.Fit.Of(of); m != nil {
			do(of, m)
		}
	}
}

// notListed says what was chosen without a row: Hangzhou is below the listed
// cities.
func (p *Portrait) notListed() string {
	var parts []string
	p.eachMatch(func(of schema.Dimension, m *schema.Match) {
		if len(m.NotListed) == 0 {
			return
		}
		kind := of
		if of == schema.DimensionPlaces && p.Audience.List(schema.DimensionProvinces).Whole {
			kind = schema.DimensionCities
		}
		are := map[bool]string{true: "is", false: "are"}[len(m.NotListed) == 1]
		where := p.say(are+" not among the listed %s", "不在数据方列出的%s中", dimension(kind, p.Language))
		if list := p.Audience.List(kind); list.Overfull {
			where = p.say(are+" unknown, since no figure is taken from the %s", "未知（不据%s计算任何指标）", dimension(kind, p.Language))
		} else if list.LeftOut == 0 && len(list.Unknown) == 0 && len(list.Rows) > 0 && !list.Whole {
			where = p.say(are+" below the listed %s", "未进入%s榜单，占比不高于榜单末位", dimension(kind, p.Language))
		}
		parts = append(parts, p.chosen(m)+p.say(" ", "")+where)
	})
	return strings.Join(parts, p.say("; ", "；"))
}

// matches says what the followers match, highest first: that is where a KOL is
// strong, and the lowest is what holds the score down.
func (p *Portrait) matches() string {
	type match struct {
		share schema.Share
		words string
	}
	var known []match
	var others []string
	p.eachMatch(func(of schema.Dimension, m *schema.Match) {
		switch words := dimension(of, p.Language); {
		case m.MatchedShare != nil:
			known = append(known, match{*m.MatchedShare, words + " " + p.matched(m)})
		case m.AtMost != nil && of == schema.DimensionInterests:
			others = append(others, p.say("%s is at most %s of these followers' interests", "%s至多占粉丝兴趣的 %s", p.chosen(m), percent(*m.AtMost)))
		case m.AtMost != nil:
			others = append(others, p.say("%s at most %s", "%s至多 %s", words, percent(*m.AtMost)))
		default:
			others = append(others, p.say("%s: no data", "%s：无数据", words))
		}
	})
	slices.SortStableFunc(known, func(a, b match) int { return cmp.Compare(b.share, a.share) })
	var parts []string
	for i, m := range known {
		switch {
		case len(known) == 1:
			m.words = p.say("Match: ", "匹配占比：") + m.words
		case i == 0:
			m.words = p.say("Highest match: ", "匹配占比由高到低：") + m.words
		case i == len(known)-1:
			m.words = p.say("lowest: ", "") + m.words
		}
		parts = append(parts, m.words)
	}
	return strings.Join(append(parts, others...), p.say("; ", "；")) + p.say(".", "。")
}

// chosen names what was chosen without a row.
func (p *Portrait) chosen(m *schema.Match) string {
	return some(names(m.NotListed), mostNames, p.Language)
}

// matched writes the matched share: 17.0% (TGI 150), or a range where something
// is not listed.
func (p *Portrait) matched(m *schema.Match) string {
	if m.AtMost != nil {
		return between(*m.MatchedShare, *m.AtMost, p.Language)
	}
	return percent(*m.MatchedShare) + optional(func(tgi schema.Index) string { return p.say(" (TGI %s)", "（TGI %s）", whole(tgi)) }, m.TGI)
}

func (p *Portrait) targetShare(t *schema.TargetShare) string {
	bounds := between(t.AtLeast, t.AtMost, p.Language)
	switch {
	case t.AtLeast == t.AtMost:
		return p.say("Target share, the followers who meet this: %s.", "TA 浓度 %s。", percent(t.AtLeast))
	case t.Estimate == nil:
		return p.say("Target share, the followers who meet all of this at once: not known, %s.", "TA 浓度（同时符合全部硬性条件的粉丝占比）未知，在 %s 之间。", bounds)
	}
	estimate := percent(*t.Estimate)
	if t.EstimateAtMost != nil {
		estimate = between(*t.Estimate, *t.EstimateAtMost, p.Language)
	}
	return p.say("Target share, the followers who meet all of this at once, estimated as if the dimensions were independent: about %s; however they depend on one another: %s.",
		"TA 浓度（同时符合全部硬性条件的粉丝占比）估算约 %s（按各维度独立推算，非实测）；无论各维度如何相关，都在 %s 之间。", estimate, bounds)
}

// change says what moved since the older portrait.
func (p *Portrait) change() []string {
	c := p.Change
	if c == nil {
		return nil
	}
	var moved []string
	for _, d := range []struct {
		of    schema.Dimension
		moves []schema.Move
	}{
		{schema.DimensionGender, c.Gender}, {schema.DimensionAgeGroups, c.Ages}, {schema.DimensionProvinces, c.Provinces},
		{schema.DimensionCities, c.Cities}, {schema.DimensionInterests, c.Interests}, {schema.DimensionDevices, c.Devices},
	} {
		var rows []string
		for _, m := range d.moves {
			atLeast := ""
			if m.AtLeast {
				atLeast = p.say("at least ", "至少 ")
			}
			rows = append(rows, p.say("%s %s%+.1f", "%s %s%+.1f", name(m.Name), atLeast, m.Points))
		}
		if rows != nil {
			moved = append(moved, dimension(d.of, p.Language)+" "+strings.Join(rows, p.say(", ", "，")))
		}
	}
	if moved == nil {
		return []string{p.say("Since %s nothing is known to have moved by a point or more.", "与 %s 相比，未发现 1 个百分点及以上的变化。", c.AsOf)}
	}
	return []string{p.say("Moved since %s, in percentage points: %s.", "较 %s 的变化（百分点）：%s。", c.AsOf, strings.Join(moved, p.say("; ", "；")))}
}

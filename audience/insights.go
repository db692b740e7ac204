package audience

import "kol-portrait-mcp/schema"

// The thresholds from which a figure is worth a sentence. They are judgement,
// not statistics: each is set where a planner's decision would change.
const (
	// Within five points of half, neither gender leads. At three in five one
	// shows in what sells; at three in four, content for the other is hardly
	// seen.
	leaning        = 0.55
	skewed         = 0.60
	stronglySkewed = 0.75

	// Four in five is who an audience is, for the purpose of choosing a
	// campaign's ages.
	nearlyAll = 0.80

	// Advertising to minors is restricted in many categories, so that one
	// follower in twenty is worth a second look.
	notableMinors = 0.05

	// The largest province of China holds 9 % of its people. Nearly three
	// times that is an audience tied to a place.
	concentrated = 0.25

	// An interest stands out where it is large among some twenty that are
	// told apart, and half as large again as the next.
	standsOut     = 0.15
	standsOutOver = 1.5
)

// insights are the sentences that stand beside the headline, in reading order:
// who, how old, where, what they like, what they hold in their hands. What is
// not known has no sentence.
func (p *portrait) insights() []string {
	sentences := nonEmpty(
		p.genderInsight(),
		p.ageInsight(),
		p.minorInsight(),
		p.provinceInsight(),
		p.tierInsight(),
		p.overseasInsight(),
		p.interestInsight(),
		p.appleInsight(),
	)
	if sentences == nil {
		return []string{}
	}
	return sentences
}

// genderInsight says what to make of the shares: how far they are from half,
// and the smaller one, since the headline has the larger. Balance takes both:
// what a share that stands alone leaves need not be the other gender.
func (p *portrait) genderInsight() string {
	women, men := value(p.gender.Female), value(p.gender.Male)
	switch {
	case overfull(float64(women + men)): // which is a warning's matter
		return say(p.lang, "Women %s, men %s.", "女性 %s，男性 %s。", Percent(women), Percent(men))
	case women > leaning:
		return p.lean(women, say(p.lang, "female", "女性"), p.gender.Male, say(p.lang, "men", "男性"))
	case men > leaning:
		return p.lean(men, say(p.lang, "male", "男性"), p.gender.Female, say(p.lang, "women", "女性"))
	case p.gender.Female == nil || p.gender.Male == nil || women+men == 0:
		return ""
	case min(women, men) >= 1-leaning-rounding:
		return say(p.lang, "Genders are balanced: women %s, men %s.", "男女均衡：女性 %s，男性 %s。", Percent(women), Percent(men))
	default: // the shares do not add up, which is a warning's matter
		return say(p.lang, "Women %s, men %s.", "女性 %s，男性 %s。", Percent(women), Percent(men))
	}
}

func (p *portrait) lean(share schema.Share, side string, other *schema.Share, others string) string {
	figure := Percent(share)
	if other != nil {
		figure = say(p.lang, "%s %s", "%s占 %s", others, Percent(*other))
	}
	switch {
	case share >= stronglySkewed:
		return say(p.lang, "Skews strongly %s (%s).", "%s明显偏多（%s）。", side, figure)
	case share >= skewed:
		return say(p.lang, "Skews %s (%s).", "%s偏多（%s）。", side, figure)
	default:
		return say(p.lang, "Leans %s (%s).", "%s略多（%s）。", side, figure)
	}
}

// ageInsight widens the core group to nearly all. A single group is left to
// the headline.
func (p *portrait) ageInsight() string {
	r, found := p.ages.shortestRun(nearlyAll)
	if !found || r.first == r.last {
		return ""
	}
	return say(p.lang, "%[1]s are %[2]s.", "%[2]s占 %[1]s。", Percent(r.share), r.words(p.lang))
}

func (p *portrait) minorInsight() string {
	share, listed := p.ages.share(minors)
	switch {
	case !listed:
		return ""
	case share >= notableMinors:
		return say(p.lang, "Under 18: %s (mind the rules on advertising to minors).", "未成年人 %s（注意面向未成年人的广告规定）。", Percent(share))
	default:
		return say(p.lang, "Under 18: %s.", "未成年人 %s。", Percent(share))
	}
}

// provinceInsight tells an audience tied to one province from one that is
// spread, by the three that lead it.
func (p *portrait) provinceInsight() string {
	switch {
	case len(p.provinces) == 0:
		return ""
	case p.provinces[0].Share >= concentrated:
		return p.ahead("Concentrated:", "地域集中：", p.provinces)
	case len(p.provinces) <= rowsShown:
		return say(p.lang, "Provinces listed: %s.", "仅列出省份：%s。", list(p.provinces, p.lang))
	default:
		return say(p.lang, "%[1]s lead %[2]d provinces.", "%[2]d 个省份前三：%[1]s。",
			list(top(p.provinces), p.lang), len(p.provinces))
	}
}

func (p *portrait) tierInsight() string {
	if value(p.tier1) <= 0 {
		return ""
	}
	return say(p.lang, "First-tier cities at least %s.", "一线城市至少 %s。", Percent(*p.tier1))
}

func (p *portrait) overseasInsight() string {
	if p.overseas == nil {
		return ""
	}
	return say(p.lang, "Overseas %s.", "海外 %s。", Percent(*p.overseas))
}

func (p *portrait) interestInsight() string {
	if len(p.interests) == 0 {
		return ""
	}
	if p.interestStandsOut() {
		return p.ahead("Main interest:", "兴趣突出：", p.interests)
	}
	return say(p.lang, "No interest dominates: %s.", "兴趣分散：%s。", list(top(p.interests), p.lang))
}

func (p *portrait) interestStandsOut() bool {
	if p.interests[0].Share < standsOut {
		return false
	}
	return len(p.interests) == 1 || p.interests[0].Share >= standsOutOver*p.interests[1].Share-rounding
}

// ahead sets the first row against those that follow.
func (p *portrait) ahead(en, zh string, rows []schema.RankedShare) string {
	rows = top(rows)
	sentence := say(p.lang, en+" ", zh) + list(rows[:1], p.lang)
	if len(rows) > 1 {
		sentence += say(p.lang, ", then ", "，其次") + list(rows[1:], p.lang)
	}
	return sentence + say(p.lang, ".", "。")
}

// appleInsight says with the figure how little it tells: planners read Apple's
// share as spending power.
func (p *portrait) appleInsight() string {
	if value(p.apple) <= 0 {
		return ""
	}
	return say(p.lang, "Apple devices %s (only a rough hint at spending power).", "苹果设备占 %s（仅粗略反映消费力）。", Percent(*p.apple))
}

package audience

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

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

	// One follower in ten abroad is out of reach of what is sold in China alone.
	notableOverseas = 0.10

	// The largest province of China holds 9 % of its people. Nearly three
	// times that is an audience tied to a place.
	concentrated = 0.25

	// An interest stands out where it is large among some twenty that are
	// told apart, and half as large again as the next.
	standsOut     = 0.15
	standsOutOver = 1.5

	// In a row of less than one follower in a hundred an index would move no
	// campaign, however high.
	indexable schema.Share = 0.01
)

// insights are the sentences that stand beside the headline, in reading order:
// who, how old, where, what they like, what they hold in their hands; each with
// how that compares with the baseline. What is not known has no sentence.
func (p *portrait) insights() []string {
	sentences := nonEmpty(
		p.genderInsight(),
		p.ageInsight(),
		p.minorInsight(),
		p.indexInsight(schema.DimensionAgeGroups, p.ageGroups),
		p.provinceInsight(),
		p.indexInsight(schema.DimensionProvinces, p.provinces),
		p.tierInsight(),
		p.indexInsight(schema.DimensionCities, p.cities),
		p.overseasInsight(),
		p.interestInsight(),
		p.indexInsight(schema.DimensionInterests, p.interests),
		p.appleInsight(),
		p.indexInsight(schema.DimensionDevices, p.devices),
	)
	if sentences == nil {
		return []string{}
	}
	return sentences
}

// genderInsight says what to make of the shares: how far they are from half,
// the smaller one, since the headline has the larger, and how the larger
// compares with the baseline. Balance takes both: what a share that stands
// alone leaves need not be the other gender.
func (p *portrait) genderInsight() string {
	women, men := value(p.gender.Female), value(p.gender.Male)
	switch {
	case overfull(float64(women + men)): // which is a warning's matter
		return say(p.lang, "Women %s, men %s.", "女性 %s，男性 %s。", Percent(women), Percent(men))
	case women > leaning && underBaseline(p.women):
		return p.mostly(women, say(p.lang, "women", "女性"), p.women)
	case men > leaning && underBaseline(p.men):
		return p.mostly(men, say(p.lang, "men", "男性"), p.men)
	case women > leaning:
		return p.lean(women, say(p.lang, "female", "女性"), p.women, p.gender.Male, say(p.lang, "men", "男性"))
	case men > leaning:
		return p.lean(men, say(p.lang, "male", "男性"), p.men, p.gender.Female, say(p.lang, "women", "女性"))
	case p.gender.Female == nil || p.gender.Male == nil || women+men == 0:
		return ""
	case min(women, men) >= 1-leaning-rounding:
		return p.balance()
	default: // the shares do not add up, which is a warning's matter
		return say(p.lang, "Women %s, men %s.", "女性 %s，男性 %s。", Percent(women), Percent(men))
	}
}

// mostly tells of a side that is the larger, but less so than in the baseline:
// to call that a skew would contradict the index beside it.
func (p *portrait) mostly(share schema.Share, side string, index *schema.Index) string {
	return say(p.lang, "Mostly %s (%s; %s).", "%s占多数（%s；%s）。", side, Percent(share), p.genderIndex(index))
}

// lean tells by how much a side outweighs the other, which may not be known.
func (p *portrait) lean(share schema.Share, side string, index *schema.Index, other *schema.Share, others string) string {
	figures := nonEmpty(p.genderIndex(index))
	switch {
	case other != nil:
		figures = append(figures, say(p.lang, "%s %s", "%s占 %s", others, Percent(*other)))
	case figures == nil:
		figures = []string{Percent(share)}
	}
	detail := strings.Join(figures, say(p.lang, "; ", "；"))
	switch {
	case share >= stronglySkewed:
		return say(p.lang, "Skews strongly %s (%s).", "%s明显偏多（%s）。", side, detail)
	case share >= skewed:
		return say(p.lang, "Skews %s (%s).", "%s偏多（%s）。", side, detail)
	default:
		return say(p.lang, "Leans %s (%s).", "%s略多（%s）。", side, detail)
	}
}

// balance adds an index only where balance is far from the baseline.
func (p *portrait) balance() string {
	women, men := Percent(*p.gender.Female), Percent(*p.gender.Male)
	if notable(p.women) {
		women += say(p.lang, " (%s)", "（%s）", p.genderIndex(p.women))
	} else if notable(p.men) {
		men += say(p.lang, " (%s)", "（%s）", p.genderIndex(p.men))
	}
	return say(p.lang, "Genders are balanced: women %s, men %s.", "男女均衡：女性 %s，男性 %s。", women, men)
}

func (p *portrait) genderIndex(index *schema.Index) string {
	if index == nil {
		return ""
	}
	return say(p.lang, "TGI %s %s", "TGI %s，%s", Round(*index), p.baseline.against(schema.DimensionGender, p.lang))
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
	share, _ := p.ages.share(minors)
	if share < notableMinors {
		return ""
	}
	return say(p.lang, "Under 18: %s (mind the rules on advertising to minors).", "未成年人 %s（注意面向未成年人的广告规定）。", Percent(share))
}

// provinceInsight tells of an audience tied to one province, and of a list too
// short to be all of them. That others are spread their indexes tell better.
func (p *portrait) provinceInsight() string {
	switch {
	case len(p.provinces) == 0:
		return ""
	case p.provinces[0].Share >= concentrated:
		return p.ahead("Concentrated:", "地域集中：", p.provinces)
	case len(p.provinces) <= rowsShown:
		return say(p.lang, "Provinces listed: only %d.", "仅列出 %d 个省份。", len(p.provinces))
	default:
		return ""
	}
}

// tierInsight tells what is known of both tiers; nobody listed is not nobody.
func (p *portrait) tierInsight() string {
	first, second := value(p.tier1.share) > 0, value(p.newTier1.share) > 0
	switch {
	case first && second:
		return say(p.lang, "First-tier cities %s, new first-tier %s.", "一线城市%s，新一线%s。", p.tier1.words(p.lang), p.newTier1.words(p.lang))
	case first:
		return say(p.lang, "First-tier cities %s.", "一线城市%s。", p.tier1.words(p.lang))
	case second:
		return say(p.lang, "New first-tier cities %s.", "新一线城市%s。", p.newTier1.words(p.lang))
	default:
		return ""
	}
}

func (p *portrait) overseasInsight() string {
	if value(p.overseas) < notableOverseas {
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
	return say(p.lang, "No interest dominates.", "兴趣较为分散。")
}

func (p *portrait) interestStandsOut() bool {
	if p.interests[0].Share < standsOut {
		return false
	}
	return len(p.interests) == 1 || p.interests[0].Share >= standsOutOver*p.interests[1].Share-rounding
}

// ahead sets the first row against the next.
func (p *portrait) ahead(en, zh string, rows []schema.RankedShare) string {
	sentence := say(p.lang, en+" ", zh) + list(rows[:1], p.lang)
	if len(rows) > 1 {
		sentence += say(p.lang, ", then ", "，其次") + list(rows[1:2], p.lang)
	}
	return sentence + say(p.lang, ".", "。")
}

// appleInsight says with the figure how little it tells: planners read Apple's
// share as spending power.
func (p *portrait) appleInsight() string {
	if value(p.apple) <= 0 {
		return ""
	}
	return say(p.lang, "Apple %s (only hints at spending power).", "苹果设备占 %s（仅粗略反映消费力）。", Percent(*p.apple))
}

// indexInsight says what the audience has much more and much less of than the
// baseline, farthest off first.
func (p *portrait) indexInsight(of schema.Dimension, rows []schema.RankedShare) string {
	over, under := farthest(rows)
	what, against := kindOf(of, p.lang), p.baseline.against(of, p.lang)
	high, low := indexes(over, p.lang), indexes(under, p.lang)
	switch {
	case over == nil && under == nil:
		return ""
	case under == nil:
		return say(p.lang, "High %s TGI %s: %s.", "%s TGI（%s）偏高：%s。", what, against, high)
	case over == nil:
		return say(p.lang, "Low %s TGI %s: %s.", "%s TGI（%s）偏低：%s。", what, against, low)
	default:
		return say(p.lang, "High %s TGI %s: %s; low: %s.", "%s TGI（%s）偏高：%s；偏低：%s。", what, against, high, low)
	}
}

// farthest returns the rows that are worth a word for their index, at most three
// over and three under the baseline, each farthest off first; of equals the
// larger share.
func farthest(rows []schema.RankedShare) (over, under []schema.RankedShare) {
	told := map[string]bool{} // a brand's index is that of all its spellings
	for _, row := range rows {
		if told[row.Name] || row.Share < indexable-rounding || !notable(row.TGI) {
			continue
		}
		told[row.Name] = true
		if *row.TGI > 100 {
			over = append(over, row)
		} else {
			under = append(under, row)
		}
	}
	byIndex := func(a, b schema.RankedShare) int {
		if math.Abs(float64(*a.TGI-*b.TGI)) <= indexRounding {
			return 0
		}
		return cmp.Compare(*b.TGI, *a.TGI)
	}
	slices.SortStableFunc(over, byIndex)
	slices.SortStableFunc(under, func(a, b schema.RankedShare) int { return byIndex(b, a) })
	return top(over), top(under)
}

// The indexes from which on an audience differs from the baseline enough to
// say so beside a share: a fifth more or a fifth less.
const (
	overIndexed  = 120
	underIndexed = 80
)

// underBaseline tells whether an index is known to be below 100.
func underBaseline(index *schema.Index) bool {
	return index != nil && *index < 100-indexRounding
}

// notable tells whether an index is far enough from 100 for a word.
func notable(index *schema.Index) bool {
	return index != nil && (*index >= overIndexed-indexRounding || *index <= underIndexed+indexRounding)
}

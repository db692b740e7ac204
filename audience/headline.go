package audience

import (
	"strings"

	"kol-portrait-mcp/schema"
)

// majority is the share from which a group makes up most of an audience.
const majority = 0.5

// headline is the one sentence that tells this audience from another: who,
// how old, where. Interests and devices say less about that, and speak only
// where the vendor sent none of the three.
func (p *portrait) headline() string {
	parts := nonEmpty(p.genderPart(), p.agePart(), p.placePart())
	if len(parts) == 0 {
		parts = nonEmpty(p.interestPart(), p.devicePart())
	}
	if len(parts) == 0 {
		return say(p.lang, "No usable figures about the followers.", "没有可用的粉丝画像数据。")
	}
	sentence := strings.Join(parts, say(p.lang, "; ", "，")) + say(p.lang, ".", "。")
	return capitalize(sentence)
}

func (p *portrait) genderPart() string {
	women, men := value(p.gender.Female), value(p.gender.Male)
	switch {
	case women <= 0 && men <= 0:
		return ""
	case women >= men:
		return say(p.lang, "%s women", "女性占 %s", Percent(women))
	default:
		return say(p.lang, "%s men", "男性占 %s", Percent(men))
	}
}

func (p *portrait) agePart() string {
	core, found := p.ages.core()
	if !found {
		return ""
	}
	lead := say(p.lang, "largest age group", "核心年龄")
	if core.Percent >= majority {
		lead = say(p.lang, "mostly", "核心年龄")
	}
	part := say(p.lang, "%s %s (%s)", "%s %s（%s）", lead, groupWords(core.Group, p.lang), Percent(core.Percent))
	if years, known := p.ages.median(); known {
		part += say(p.lang, ", median age %.1f", "，年龄中位数 %.1f 岁", years)
	}
	return part
}

// placePart names the strongest province, or the strongest city where there
// are no provinces. Followers abroad come first where they outnumber it: a
// province that leads the rest leads little then.
func (p *portrait) placePart() string {
	places := p.provinces
	if len(places) == 0 {
		places = p.cities
	}
	abroad := value(p.overseas)
	switch {
	case len(places) == 0 && abroad <= 0:
		return ""
	case len(places) == 0:
		return say(p.lang, "%s overseas", "海外占 %s", Percent(abroad))
	case abroad > places[0].Share:
		return say(p.lang, "%s overseas, then %s (%s)", "海外占 %s，其次%s（%s）", Percent(abroad), Quote(places[0].Name), Percent(places[0].Share))
	default:
		return say(p.lang, "largest share in %s (%s)", "%s最多（%s）", Quote(places[0].Name), Percent(places[0].Share))
	}
}

func (p *portrait) interestPart() string {
	return first(p.interests, say(p.lang, "first interest", "首要兴趣"), p.lang)
}

func (p *portrait) devicePart() string {
	return first(p.devices, say(p.lang, "first device brand", "首要设备品牌"), p.lang)
}

func first(rows []schema.RankedShare, title string, lang schema.Language) string {
	if len(rows) == 0 {
		return ""
	}
	return say(lang, "%s %s (%s)", "%s%s（%s）", title, Quote(rows[0].Name), Percent(rows[0].Share))
}

// value is the share, or 0 where it is not known: for comparisons only.
func value[S ~float64](share *S) S {
	if share == nil {
		return 0
	}
	return *share
}

func nonEmpty(parts ...string) []string {
	var kept []string
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return kept
}

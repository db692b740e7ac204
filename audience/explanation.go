package audience

import (
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

// account puts a fit into words: what drives the score, what caps the reach,
// and what is not known.
type account struct {
	facts   *facts
	target  *Target
	matches []match
	score   *float64
	reach   *schema.Reach
	lang    schema.Language
}

func (a account) words() string {
	switch {
	case len(a.matches) == 0:
		return ""
	case a.reach == nil:
		return a.withoutReach()
	case len(a.matches) == 1:
		return a.ofOne(a.matches[0])
	}
	clauses := nonEmpty(a.scoring(), a.capping(), a.combined())
	return a.sentences(strings.Join(clauses, a.say("; ", "；")), a.lowerBounds())
}

// withoutReach says what is missing, and what the other dimensions match.
func (a account) withoutReach() string {
	var missing, known []string
	for _, m := range a.matches {
		if m.known {
			known = append(known, a.say("%s (%s)", "%s（%s）", a.dimension(m), a.matched(m)))
		} else {
			missing = append(missing, a.dimension(m))
		}
	}
	without := a.say("neither the score nor the share that matches all is known", "评分和同时符合的占比")
	switch {
	case len(a.matches) == 1:
		without = a.say("there is no score", "评分")
	case a.score != nil:
		without = a.say("the share that matches all is not known", "同时符合的占比")
	}
	lack := a.say("no usable %[1]s data, so %[3]s", "缺少可用的%[2]s数据，无法计算%[3]s",
		a.either(missing), enumerate(missing, a.lang), without)
	if known == nil {
		return a.sentences(lack)
	}
	return a.sentences(lack, a.say("known: %s", "已知：%s", enumerate(known, a.lang)))
}

// ofOne is about a single dimension, whose share is all there is to a score.
func (a account) ofOne(m match) string {
	clause := a.share(m)
	if !m.open() {
		clause += a.say("; the score is just that share", "，评分即为该占比")
	}
	return a.sentences(clause, a.lowerBounds())
}

// scoring says which dimension adds most to the score, and which one costs it
// most where that is much, unless it has a clause of its own as the cap of the
// reach.
func (a account) scoring() string {
	weights := relativeWeights(a.matches)
	drives, costs := -1, -1
	for i, m := range a.matches {
		if weights[i] == 0 {
			continue
		}
		if drives < 0 || weights[i]*m.share > weights[drives]*a.matches[drives].share {
			drives = i
		}
		if costs < 0 || weights[i]*(1-m.share) >= weights[costs]*(1-a.matches[costs].share) {
			costs = i
		}
	}
	if drives < 0 {
		return ""
	}
	driver, brake := a.matches[drives], a.matches[costs]
	switch {
	case driver.share == 0:
		return a.say("nothing adds to the score", "没有计入评分的匹配")
	case weights[drives] == 1:
		return a.say("only %s is scored (%s)", "仅%s计入评分（%s）", a.dimension(driver), a.matched(driver))
	case drives == costs:
		figure := a.say("%s of the weight", "权重 %s", Percent(weights[drives]))
		if driver.of != a.cap().of {
			figure = a.comma(a.matched(driver), figure)
		}
		return a.say("%s decides the score (%s)", "评分主要取决于%s（%s）", a.dimension(driver), figure)
	}
	clause := a.say("%s drives the score (%s)", "评分主要来自%s（%s）", a.dimension(driver), a.matched(driver))
	if brake.share < majority && brake.of != a.cap().of {
		clause += a.say(", %s holds it back (%s)", "，%s拉低评分（%s）", a.dimension(brake), a.matched(brake))
	}
	return clause
}

// cap is the dimension that holds fewest, even at most; of equals the last,
// since the first drives the score.
func (a account) cap() match {
	least := a.matches[0]
	for _, m := range a.matches {
		if m.most <= least.most {
			least = m
		}
	}
	return least
}

func (a account) capping() string {
	m := a.cap()
	if m.most >= 1-rounding {
		return a.say("nothing limits how many match %s", "%s同时符合的占比没有上限", a.all())
	}
	return a.share(m) + a.say(", so at most %[2]s can match %[1]s", "，因此%s同时符合的占比上限为 %s", a.all(), Percent(m.most))
}

// combined says how many may match everything, between the cap and what is
// certain.
func (a account) combined() string {
	if a.reach.Independent == nil {
		return ""
	}
	figure := Percent(*a.reach.Independent)
	en, zh := figure, "占 "+figure
	if slices.ContainsFunc(a.matches, match.open) {
		if *a.reach.Independent < leastShown {
			return "" // at least next to nobody says nothing
		}
		en, zh = "at least "+figure, "至少占 "+figure
	}
	clause := a.say("if the dimensions were independent, %[1]s would", "若各维度相互独立，则%[2]s", en, zh)
	if a.reach.AtLeast >= leastShown {
		clause += a.say(" (at least %s do)", "（不会低于 %s）", Percent(a.reach.AtLeast))
	}
	return clause
}

func (a account) all() string {
	switch len(a.matches) {
	case 2:
		return a.say("both", "两项")
	case 3:
		return a.say("all three", "三项")
	case 4:
		return a.say("all four", "四项")
	case 5:
		return a.say("all five", "五项")
	default:
		return a.say("all six", "六项")
	}
}

// lowerBounds says which names are not listed, and what that makes of the
// score.
func (a account) lowerBounds() string {
	var names []string
	scored := false
	for _, m := range a.matches {
		names = append(names, a.missing(m)...)
		scored = scored || m.opensScore()
	}
	if names == nil {
		return ""
	}
	unlisted := a.say("not listed: %s", "未列出：%s", enumerate(names, a.lang))
	if len(names) > namesShown {
		unlisted = a.say("%d of those selected are not listed", "所选中有 %d 个未列出", len(names))
	}
	if !scored {
		return unlisted
	}
	return unlisted + a.say("; the score is a lower bound", "；评分为下限")
}

// missing names what was selected but is not listed, sorted, each beside the
// listed interest that it is a part of, unless that was selected too.
func (a account) missing(m match) []string {
	var names []string
	for _, row := range m.unlisted {
		name := a.facts.name(m.of, row, a.lang)
		whole := a.facts.within[row]
		share, listed := shareOf(m.rows, whole)
		if m.of == schema.DimensionInterests && listed && !slices.Contains(a.target.selected[m.of], whole) {
			name += a.say(" (%[1]s, which is listed, has %[2]s)", "（已列出的%s占 %s）", a.facts.name(m.of, whole, a.lang), Percent(share))
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// matched is the figure that stands beside a dimension's name.
func (a account) matched(m match) string {
	switch {
	case m.unseen():
		return a.say("not listed", "未列出")
	case m.open():
		return a.say("at least %s match", "至少匹配 %s", Percent(m.share))
	default:
		return a.comma(a.say("%s match", "匹配 %s", Percent(m.share)), a.index(m))
	}
}

// share is a clause that says how many are in what was selected.
func (a account) share(m match) string {
	least, most := Percent(m.share), Percent(m.most)
	var en, zh string
	switch {
	case m.unseen():
		en, zh = "at most "+most, "至多占 "+most
	case m.open():
		en, zh = least+" to "+most, "占 "+least+" 至 "+most
	case m.share < majority && len(a.matches) > 1 && m.of != schema.DimensionInterests: // of some twenty, each is small
		en, zh = "only "+least, "仅占 "+least
	default:
		en, zh = least, "占 "+least
	}
	clause := a.say("%[2]s %[1]s", "%[1]s%[3]s", a.members(m), en, zh)
	if index := a.index(m); index != "" {
		clause += a.say(" (%s)", "（%s）", index)
	}
	return clause
}

// index says how a share compares with the baseline, where that is telling.
func (a account) index(m match) string {
	if m.share == 0 || !notable(m.tgi) {
		return ""
	}
	return "TGI " + Round(*m.tgi)
}

// members says of followers that they are among those selected: what follows a
// figure in English, what stands before it in Chinese.
func (a account) members(m match) string {
	switch m.of {
	case schema.DimensionGender:
		return a.say("are %s", "%s", a.either(a.genders(m)))
	case schema.DimensionAgeGroups:
		return a.say("are %s", "%s", a.either(a.ages(m)))
	case schema.DimensionProvinces:
		return a.say("are %s", "%s", a.places(m))
	case schema.DimensionCities:
		return a.say("are in %s", "%s", a.either(a.chosen(m, "the %d selected cities", "所选 %d 个城市")))
	case schema.DimensionInterests:
		topics := a.either(a.chosen(m, "the %d selected topics", "所选 %d 类"))
		return a.say("of interests are in %[1]s", "%[2]s", topics, beside("兴趣分布中", topics))
	case schema.DimensionDevices:
		brands := a.either(a.chosen(m, "the %d selected brands", "所选 %d 个品牌"))
		return a.say("use %[1]s", "%[2]s", brands, beside(beside("使用", brands), "的"))
	}
	return ""
}

func (a account) genders(m match) []string {
	var words []string
	for _, name := range a.target.selected[m.of] {
		words = append(words, a.facts.name(m.of, name, a.lang))
	}
	return words
}

// ages names neighbouring groups as one span of years.
func (a account) ages(m match) []string {
	groups := schema.AgeGroups()
	var words []string
	for first := 0; first < len(groups); first++ {
		last := first
		for last < len(groups) && slices.Contains(a.target.selected[m.of], groups[last]) {
			last++
		}
		switch last - first {
		case 0:
			continue
		case len(groups):
			return []string{a.say("of any age", "全部年龄")}
		}
		words = append(words, run{first: first, last: last - 1}.words(a.lang))
		first = last
	}
	return words
}

// places says where: in English one is in a province, but overseas.
func (a account) places(m match) string {
	places := a.chosen(m, "the %d selected provinces", "所选 %d 个省份")
	abroad := a.facts.name(schema.DimensionProvinces, overseas, a.lang)
	if a.lang == schema.Chinese {
		return a.either(places)
	}
	inland := slices.DeleteFunc(slices.Clone(places), func(place string) bool { return place == abroad })
	switch len(places) - len(inland) {
	case 0:
		return "in " + a.either(places)
	case len(places):
		return strings.ToLower(abroad)
	default:
		return "in " + a.either(append(inland, strings.ToLower(abroad)))
	}
}

// chosen is what the caller chose, or how many rows that are where it would be
// a long list.
func (a account) chosen(m match, en, zh string) []string {
	said := a.target.said[m.of]
	if len(said) == 0 || len(said) > namesShown {
		return []string{a.say(en, zh, len(a.target.selected[m.of]))}
	}
	var words []string
	for _, l := range said {
		words = append(words, l.in(a.lang))
	}
	return words
}

// either enumerates alternatives: Guangdong, Jiangsu or Zhejiang.
func (a account) either(words []string) string { return joined(words, a.say("or", "或"), a.lang) }

func (a account) dimension(m match) string { return kindOf(m.of, a.lang) }

func (a account) say(en, zh string, args ...any) string { return say(a.lang, en, zh, args...) }

func (a account) comma(parts ...string) string {
	return strings.Join(nonEmpty(parts...), a.say(", ", "，"))
}

// sentences makes sentences of what is not empty.
func (a account) sentences(parts ...string) string {
	parts = nonEmpty(parts...)
	for i := range parts {
		parts[i] = capitalize(parts[i]) + a.say(".", "。")
	}
	return strings.Join(parts, a.say(" ", ""))
}

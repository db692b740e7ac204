package audience

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kol-portrait-mcp/schema"
)

// advice says of a name that is nothing in a dimension what it is instead, what
// it was likely meant to be, or else what the dimension takes.
func (f *facts) advice(of schema.Dimension, name string) ending {
	key := fold(name)
	switch {
	case slices.Contains(anything(), key):
		return ending{
			fmt.Sprintf("which asks for anybody: leave %s out instead.", of),
			fmt.Sprintf("which ask for anybody: leave %s out instead.", of),
		}
	case places(of) && slices.Contains(wholeCountry(), key):
		return ending{
			fmt.Sprintf("which is the whole country: leave %s out instead.", of),
			fmt.Sprintf("which are the whole country: leave %s out instead.", of),
		}
	}
	if e, elsewhere, found := f.elsewhere(of, name); found {
		return ending{
			fmt.Sprintf("which is %s: put it in %s.", e.kind.one, elsewhere),
			fmt.Sprintf("which are %s: put them in %s.", e.kind.many, elsewhere),
		}
	}
	switch {
	case of == schema.DimensionAgeGroups:
		return ageAdvice()
	case f.negated(of, key):
		return ending{
			"which says whom to leave out: name whom to reach instead.",
			"which say whom to leave out: name whom to reach instead.",
		}
	case places(of):
		if advice, found := f.placeAdvice(name); found {
			return advice
		}
	}
	if near := f.lexicons()[of].near(name); len(near) > 0 {
		return unknown("Did you mean " + firstFew(quotedIn(near, name), "or") + "?")
	}
	return unknown(f.takes(of, name))
}

// unknown is the fault of a name that means nothing, and what to do about it.
func unknown(advice string) ending {
	return ending{"which is not known. " + advice, "which are not known. " + advice}
}

// placeAdvice says of a name for places that are neither provinces, regions,
// cities nor known tiers what to name instead. The known names that it looks
// most like may hold quite other people: 二线城市 is one character from 一线城市.
func (f *facts) placeAdvice(name string) (ending, bool) {
	key := fold(name)
	if otherTier(key) {
		return unknown(`Of the tiers, only "tier1" and "new-tier1" are known; name other cities one by one.`), true
	}
	if area, known := f.areas().find(name); known {
		return f.areaAdvice(area, scriptOf(name)), true
	}
	if directional(key) {
		return unknown("The regions are " + joined(f.compass(scriptOf(name)), "and", schema.English) + ". Name those or provinces."), true
	}
	return ending{}, false
}

// areaAdvice says what makes up an area that has no name in a target audience.
func (f *facts) areaAdvice(area entry, lang schema.Language) ending {
	advice := f.enumerated(schema.DimensionProvinces, area.rows, lang) + ": name them in provinces."
	if len(area.cities) > 0 {
		advice = f.enumerated(schema.DimensionCities, area.cities, lang) + ": name them in cities"
		if len(area.rows) > 0 {
			advice += ", or " + f.enumerated(schema.DimensionProvinces, area.rows, lang) + " in provinces"
		}
		advice += "."
	}
	return ending{"which is " + advice, "which are " + advice}
}

// enumerated names rows of a dimension in an English sentence, in a script of
// the caller's.
func (f *facts) enumerated(of schema.Dimension, rows []string, lang schema.Language) string {
	var words []string
	for _, row := range rows {
		words = append(words, f.name(of, row, lang))
	}
	return joined(words, "and", schema.English)
}

// compass names the regions that are called by a direction.
func (f *facts) compass(lang schema.Language) []string {
	var names []string
	for _, row := range regionTable() {
		if directional(row[0]) {
			names = append(names, f.regionNames[row[0]].in(lang))
		}
	}
	return names
}

// directional tells whether a folded name is made of directions and what goes
// with them alone: 西部, Southeast, east coast.
func directional(key string) bool {
	left := strings.NewReplacer(
		"north", "", "south", "", "east", "", "west", "", "central", "", "middle", "", "coastal", "", "coast", "", "inland", "",
		"ern", "", "china", "", "regions", "", "region", "", "areas", "", "area", "", "parts", "", "part", "", "ofthe", "", "of", "",
		"东", "", "南", "", "西", "", "北", "", "中", "", "华", "", "沿海", "", "内陆", "", "地区", "", "部", "", "方", "", "边", "",
	).Replace(key)
	return key != "" && left == ""
}

// otherTier tells whether a folded name is one of a tier below the known ones,
// or takes one in: 二线, Tier 1-2, lower-tier, T3, 下沉市场.
func otherTier(key string) bool {
	const below = "23456789"
	plain := strings.TrimSuffix(strings.TrimSuffix(key, "cities"), "city")
	switch {
	case slices.ContainsFunc([]string{"下沉", "县城", "县域", "小镇", "乡镇", "sinkingmarket"},
		func(word string) bool { return strings.Contains(key, word) }):
		return true
	case strings.ContainsAny(key, "线線綫"):
		return strings.ContainsAny(key, "二三四五六低下"+below)
	case strings.Contains(key, "tier"):
		return strings.ContainsAny(key, below) || slices.ContainsFunc(
			[]string{"second", "third", "fourth", "fifth", "two", "three", "four", "five", "low", "below"},
			func(word string) bool { return strings.Contains(key, word) })
	default:
		return strings.HasPrefix(plain, "t") && strings.ContainsAny(plain, below) && strings.Trim(plain, "t1"+below) == ""
	}
}

// negated tells whether a folded name is a known one with a word before it that
// turns its meaning round: 非一线城市, except Beijing.
func (f *facts) negated(of schema.Dimension, key string) bool {
	for _, word := range []string{
		"non", "not", "no", "except", "excluding", "without", "outside", "otherthan", "anythingbut", "everythingbut",
		"非", "不是", "不含", "不包括", "不要", "除了", "除", "排除",
	} {
		rest, found := strings.CutPrefix(key, word)
		if !found {
			continue
		}
		for _, suffix := range []string{"以外", "之外", "外"} {
			rest = strings.TrimSuffix(rest, suffix)
		}
		if _, known := f.lexicons()[of].find(rest); known {
			return true
		}
	}
	return false
}

// elsewhere returns what a name means in another dimension.
func (f *facts) elsewhere(of schema.Dimension, name string) (entry, schema.Dimension, bool) {
	for _, find := range []func(*lexicon, string) (entry, bool){(*lexicon).exact, (*lexicon).find} {
		for _, other := range f.others(of) {
			if e, known := find(f.lexicons()[other], name); known && !leftover(e) {
				return e, other, true
			}
		}
	}
	if e, known := ageEntry(name); known {
		return e, schema.DimensionAgeGroups, true
	}
	return entry{}, "", false
}

// leftover tells the vendor's interest of all that has no name of its own. Who
// asks for a gender, a place or a brand that is "other" does not mean that.
func leftover(e entry) bool { return slices.Contains(e.zh, fold("其他")) }

// quotedIn quotes labels in the script of a name.
func quotedIn(labels []label, name string) []string {
	var quoted []string
	for _, l := range labels {
		quoted = append(quoted, strconv.Quote(l.in(scriptOf(name))))
	}
	return quoted
}

// scriptOf is the language in whose script a name is written.
func scriptOf(name string) schema.Language {
	if chinese(name) {
		return schema.Chinese
	}
	return schema.English
}

func ageAdvice() ending {
	groups := "not match the vendor's age groups: " + strings.Join(schema.AgeGroups(), ", ") +
		"; several together, such as 18-34, will do."
	return ending{"which does " + groups, "which do " + groups}
}

// takes says what names a dimension takes: of interests, which nothing else
// tells a caller, those of the vendor's documented response, in the script of
// the name that is not known.
func (f *facts) takes(of schema.Dimension, name string) string {
	switch of {
	case schema.DimensionGender:
		return "It takes female or male."
	case schema.DimensionProvinces:
		return `It takes provinces and regions of China, and "Overseas", in English or Chinese, such as "Guangdong" or "华东".`
	case schema.DimensionCities:
		return `It takes China's cities of prefecture level and above, and tiers, in English or Chinese, such as "Hangzhou" or "一线城市".`
	case schema.DimensionInterests:
		return "It takes the vendor's interests, such as " + f.enumerated(of, documentedInterests(), scriptOf(name)) + "."
	default:
		return `It takes brands, in English or Chinese, such as "Apple" or "华为".`
	}
}

// anything returns the folded words that choose nothing.
func anything() []string {
	return []string{
		"all", "any", "both", "everyone", "everybody", "everything", "anyone", "anybody", "anything", "anywhere", "everywhere",
		"全部", "所有", "不限", "任意", "都可以", "不限制", "男女", "男女不限", "femaleandmale", "maleandfemale", "femalemale", "malefemale", "menandwomen", "womenandmen",
		"allages", "allgenders", "allprovinces", "allcities", "allinterests", "alldevices",
		"全年龄", "全年龄段", "所有年龄", "所有城市", "所有省份",
	}
}

// documentedInterests returns the interests in the vendor's documented response,
// with which the table begins.
func documentedInterests() []string {
	const documented = 20
	var names []string
	for _, row := range interestTable()[:documented] {
		names = append(names, row[0])
	}
	return names
}

// places tells whether a dimension is one of places in China.
func places(of schema.Dimension) bool {
	return of == schema.DimensionProvinces || of == schema.DimensionCities
}

// wholeCountry returns the folded words for all of China.
func wholeCountry() []string {
	return []string{
		"china", "mainlandchina", "chinamainland", "mainland", "allchina", "allofchina", "wholechina", "prc", "peoplesrepublicofchina", "nationwide", "cn",
		"中国", "中國", "中国大陆", "中国内地", "大陆", "内地", "全国", "全中国", "国内",
	}
}

package audience

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"kol-portrait-mcp/schema"
)

// The limits of a message about names that are not understood.
const (
	faultsShown = 10 // sentences
	quotedRunes = 40 // characters of a name
)

// ending ends the sentence that a dimension has some names: for one of them,
// and for several.
type ending struct {
	one, many string
}

// fault is something wrong with a target audience.
type fault struct {
	of     schema.Dimension
	names  []string // quoted
	ending ending
}

// faults is all that is wrong with a target audience.
type faults []fault

// add takes in a fault that is a whole sentence.
func (f *faults) add(sentence string) {
	*f = append(*f, fault{ending: ending{one: sentence}})
}

// addName takes in a name that a dimension should not have. Names with the
// same fault are told in one sentence.
func (f *faults) addName(of schema.Dimension, name string, e ending) {
	quoted := quoteInput(name)
	i := slices.IndexFunc(*f, func(known fault) bool { return known.of == of && known.ending == e })
	if i < 0 {
		*f = append(*f, fault{of: of, names: []string{quoted}, ending: e})
		return
	}
	if known := &(*f)[i]; !slices.Contains(known.names, quoted) {
		known.names = append(known.names, quoted)
	}
}

// message says all faults, or the first few and how many there are more. It is
// empty without any.
func (f faults) message() string {
	var sentences []string
	for _, fault := range f[:min(faultsShown, len(f))] {
		sentences = append(sentences, fault.sentence())
	}
	if more := len(f) - faultsShown; more > 0 {
		sentences = append(sentences, fmt.Sprintf("And %d more like these.", more))
	}
	return strings.Join(sentences, " ")
}

func (f fault) sentence() string {
	if f.names == nil {
		return f.ending.one
	}
	verb := "has"
	if f.of == schema.DimensionGender {
		verb = "is"
	}
	ending := f.ending.one
	if len(f.names) > 1 {
		ending = f.ending.many
	}
	return fmt.Sprintf("%s %s %s, %s", argument(f.of), verb, firstFew(f.names, "and"), ending)
}

// firstFew enumerates names, the last one after the given word; of many the first
// few and how many there are more.
func firstFew(names []string, last string) string {
	if len(names) > wordsShown {
		return Some(names, wordsShown, schema.English)
	}
	return joined(names, last, schema.English)
}

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
	if of == schema.DimensionAgeGroups {
		return ageAdvice()
	}
	if near := f.lexicons()[of].near(name); len(near) > 0 {
		question := " Did you mean " + firstFew(quotedIn(near, name), "or") + "?"
		return ending{"which is not known." + question, "which are not known." + question}
	}
	takes := " " + takes(of)
	return ending{"which is not known." + takes, "which are not known." + takes}
}

// elsewhere returns what a name means in another dimension.
func (f *facts) elsewhere(of schema.Dimension, name string) (entry, schema.Dimension, bool) {
	for _, find := range []func(*lexicon, string) (entry, bool){(*lexicon).exact, (*lexicon).find} {
		for _, other := range f.others(of) {
			if e, known := find(f.lexicons()[other], name); known {
				return e, other, true
			}
		}
	}
	if e, known := ageEntry(name); known {
		return e, schema.DimensionAgeGroups, true
	}
	return entry{}, "", false
}

// quotedIn quotes labels in the script of a name.
func quotedIn(labels []label, name string) []string {
	lang := schema.English
	if chinese(name) {
		lang = schema.Chinese
	}
	var quoted []string
	for _, l := range labels {
		quoted = append(quoted, strconv.Quote(l.in(lang)))
	}
	return quoted
}

func ageAdvice() ending {
	groups := "not ages that the vendor tells apart. Its groups are " + strings.Join(schema.AgeGroups(), ", ") +
		"; several together, such as 18-34, will do."
	return ending{"which is " + groups, "which are " + groups}
}

// takes says what names a dimension takes.
func takes(of schema.Dimension) string {
	switch of {
	case schema.DimensionGender:
		return "It takes female or male."
	case schema.DimensionProvinces:
		return `It takes provinces and regions of China, and "Overseas", in English or Chinese, such as "Guangdong" or "华东".`
	case schema.DimensionCities:
		return `It takes China's cities of prefecture level and above, and tiers, in English or Chinese, such as "Hangzhou" or "一线城市".`
	case schema.DimensionInterests:
		return `It takes the vendor's interests, in English or Chinese, such as "Food" or "美妆".`
	default:
		return `It takes brands, in English or Chinese, such as "Apple" or "华为".`
	}
}

// argument is how a caller writes a dimension of the target audience.
func argument(of schema.Dimension) string {
	return "targetAudience." + string(of)
}

// quoteInput quotes a name that a caller gave, so that nothing in it can pass
// for the message's own words: in one line, cut short, and without what would
// turn the direction of writing.
func quoteInput(name string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, name))
	if len(runes) > quotedRunes {
		return strconv.Quote(string(runes[:quotedRunes]) + "…")
	}
	return strconv.Quote(string(runes))
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

package audience

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
	"golang.org/x/text/unicode/norm"

	"kol-portrait-mcp/schema"
)

// lexicon finds what a name stands for. It does not change once it is filled.
type lexicon struct {
	choices []*choice
	keys    map[string]*entry  // by the vendor's own names
	folded  map[string]*choice // by all names, folded
	fold    func(name string) string
	full    *regexp.Regexp // a folded name that ends as full names do, and its stem; nil where none does
}

// choice is what a name stands for: one entry, or a group of them, such as a
// region.
type choice struct {
	label   label
	members []*entry
	names   []string // folded, without those of a letter or two, which are near to anything
	related []string // folded words for which this is suggested, and never taken
}

// newLexicon returns an empty lexicon. full is what full names end with, if
// anything.
func newLexicon(full string) *lexicon {
	l := &lexicon{keys: map[string]*entry{}, folded: map[string]*choice{}, fold: fold}
	if full != "" {
		l.full = regexp.MustCompile(full)
	}
	return l
}

// add takes in a choice, known by its label and by aliases, which | separates.
func (l *lexicon) add(c *choice, aliases string) {
	l.choices = append(l.choices, c)
	l.know(c, c.label.zh+"|"+c.label.en+"|"+aliases)
}

// know makes names stand for a choice. That no name stands for two is checked
// by the tests.
func (l *lexicon) know(c *choice, aliases string) {
	for _, name := range split(aliases) {
		folded := l.fold(name)
		l.folded[folded] = c
		c.resemble(folded)
	}
}

// resemble makes a folded name one that may be mistyped.
func (c *choice) resemble(folded string) {
	if length := utf8.RuneCountInString(folded); length >= 3 || length == 2 && script(folded) == schema.Chinese {
		c.names = append(c.names, folded)
	}
}

// qualify makes a city known by its name together with its province's: 广东省广州,
// Guangzhou, Guangdong. A name that two cities share, such as Taizhou, is near
// to both and means neither.
func (l *lexicon) qualify(c *choice) {
	province := c.members[0].province.label
	shared, _, isShared := strings.Cut(c.label.en, " (")
	if isShared {
		c.resemble(fold(shared))
	}
	for _, name := range [...]string{
		province.zh + c.label.zh, province.zh + "省" + c.label.zh,
		shared + province.en, shared + province.en + "Province",
	} {
		l.folded[fold(name)] = c
	}
}

// find returns what a name stands for, as it is or without what full names end
// with; nil where that is not known.
func (l *lexicon) find(name string) *choice {
	folded := l.fold(name)
	return cmp.Or(l.folded[folded], l.folded[l.stem(folded)])
}

// stem returns a folded name without what full names end with. A single letter
// is not left over: 沪州, a slip of 泸州, must not be taken for 沪.
func (l *lexicon) stem(folded string) string {
	if l.full != nil {
		if m := l.full.FindStringSubmatch(folded); m != nil {
			return m[1]
		}
	}
	return folded
}

// The bounds of a search for near names.
const (
	mostNear    = 3
	longestSlip = 120 // bytes; no name in the tables is that long
)

// near returns the known names that one which is not known may have been meant
// to be, in its language, the likeliest first: those whose name or related word
// it contains, the longest first; else those that are a slip away.
func near(lexicons []*lexicon, name string) (labels []string) {
	type candidate struct {
		label    string
		distance int // letters that differ, or minus the letters that are contained
	}
	if len(name) > longestSlip {
		return nil
	}
	var candidates []candidate
	var tails []string // the name from each of its words on
	for words := strings.Fields(name); len(words) > 0; words = words[1:] {
		tails = append(tails, fold(strings.Join(words, "")))
	}
	for _, l := range lexicons {
		for _, c := range l.choices {
			if distance, found := c.distance(tails, l.stem(tails[0])); found {
				candidates = append(candidates, candidate{c.label.in(script(name)), distance})
			}
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	for _, c := range candidates {
		if least := candidates[0].distance; len(labels) == mostNear || c.distance > 0 && (least < 0 || c.distance > least+1) {
			break
		}
		if !slices.Contains(labels, c.label) {
			labels = append(labels, c.label)
		}
	}
	return labels
}

// distance returns how far a name that is not known is from a choice, and whether
// it may be meant: minus the letters of the longest name or related word that it
// contains, else the letters that differ from the nearest name. These are a slip
// up to about a third of the stem's letters, a quarter of an interest's, whose
// names are words and so near to others. Latin words are contained where a word
// of the name begins, short ones only where the name ends with them.
func (c *choice) distance(tails []string, stem string) (distance int, found bool) {
	for _, word := range slices.Concat(c.names, c.related) {
		length, contains := utf8.RuneCountInString(word), strings.HasPrefix
		if script(word) == schema.Chinese {
			contains = strings.Contains
		}
		if slices.ContainsFunc(tails, func(tail string) bool { return tail == word || len(word) > 3 && contains(tail, word) }) {
			distance, found = min(distance, -length), true
		}
	}
	if found {
		return distance, true
	}
	length := utf8.RuneCountInString(stem)
	distance = (length+1)/3 + 1
	if c.members[0].dimension == schema.DimensionInterests {
		distance = length/4 + 1
	}
	for _, name := range c.names {
		slip := min(levenshtein.ComputeDistance(tails[0], name), levenshtein.ComputeDistance(stem, name))
		if slip < distance {
			distance, found = slip, true
		}
	}
	return distance, found
}

// fold reduces a name to what counts when names are compared: letters and
// digits, in lower case and half width, without accents. An ampersand is read
// as the word.
func fold(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(name) {
		switch {
		case r == '&':
			b.WriteString("and")
		case r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// script returns the language in whose script a name is written, if only in part.
func script(name string) schema.Language {
	if strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return schema.Chinese
	}
	return schema.English
}

// What full names end with, folded, after a stem of two letters, or of one for 女.
const (
	fullGender   = `^(.{2,}?|.)(?:audience|followers|users|only|用户|粉丝|受众)+$`
	fullProvince = `^(.{2,}?)(?:specialadministrativeregion|autonomousregion|municipality|province|region|china|city|cities|sar|` +
		`特别行政区|自治[区區]|直辖市|地[区區]|大区|省|市|[区區])+$`
	fullCity = `^(.{2,}?)(?:(?:and|` +
		`bai|bouyei|buyei|dai|dong|hani|hui|jingpo|kazakh|kirgiz|korean|kyrgyz|lisu|miao|mongolian|mongol|qiang|tibetan|tujia|yi|zhuang)*` +
		`autonomousprefecture|specialadministrativeregion|municipality|prefecture|league|china|city|sar|` +
		`(?:(?:白|布依|傣|侗|哈尼|回|景颇|傈僳|苗|蒙古|羌|藏|土家|彝|壮|朝鲜)族|哈萨克|柯尔克孜|蒙古)*自治州|特别行政区|直辖市|地[区區]|市|州|盟)+$`
	fullInterest = `^(.{2,}?)(?:interests|interest|爱好者|领域|类)+$`
	fullDevice   = `^(.{2,}?)(?:smartphones?|cellphones?|handsets?|devices?|phones?|mobiles?|corporation|corp|brand|users?|inc|` +
		`手机|设备|机型|用户|品牌|公司)+$`
)

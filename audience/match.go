package audience

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
	"golang.org/x/text/unicode/norm"
)

// entry is what a name may mean: a row of the vendor's, or a group of rows.
type entry struct {
	label  label
	kind   kind
	rows   []string // by the names of facts.rows
	cities []string // of an area that is no whole provinces
	zh, en []string // folded, what is near to it in either script
}

// group tells whether an entry stands for several rows: a region, a tier.
func (e entry) group() bool { return len(e.rows) > 1 }

// kind is what sort of thing a name names, in a sentence.
type kind struct {
	one, many string
}

// lexicon finds what a name means in one dimension of a target audience. It
// does not change once it is filled.
type lexicon struct {
	entries  []entry
	at       map[string]int // folded name to entry
	suffixes []string       // folded, what a name may end with and mean the same; longest first
	words    bool           // the names are words, and what is near to one is likely another: 单身 is no slip of 单车
}

func newLexicon(suffixes ...string) *lexicon {
	return &lexicon{at: map[string]int{}, suffixes: suffixes}
}

// add takes an entry in, known by its label's names and the aliases. An entry
// of the same label, such as a brand that the vendor writes in two ways, gets
// the aliases. It returns the entry's place.
func (l *lexicon) add(e entry, aliases ...string) int {
	i := slices.IndexFunc(l.entries, func(known entry) bool { return known.label == e.label })
	if i < 0 {
		i = len(l.entries)
		l.entries = append(l.entries, e)
	}
	for _, name := range append([]string{e.label.zh, e.label.en}, aliases...) {
		key := fold(name)
		l.know(key, i)
		l.resemble(key, i)
	}
	return i
}

// know makes a folded name stand for an entry. That none stands for two is
// checked by the tests.
func (l *lexicon) know(key string, i int) {
	l.at[key] = i
}

// resemble makes a folded name one that may be mistyped. Those of a letter or
// two are near to anything, and East is near to West.
func (l *lexicon) resemble(key string, i int) {
	e := &l.entries[i]
	shortest := 3
	if e.group() {
		shortest = 5
	}
	switch length := utf8.RuneCountInString(key); {
	case chinese(key) && length >= 2:
		e.zh = append(e.zh, key)
	case !chinese(key) && length >= shortest:
		e.en = append(e.en, key)
	}
}

// exact returns what a name means as it stands.
func (l *lexicon) exact(name string) (entry, bool) {
	i, known := l.at[fold(name)]
	if !known {
		return entry{}, false
	}
	return l.entries[i], true
}

// find returns what a name means, as it stands or without the usual suffixes.
func (l *lexicon) find(name string) (entry, bool) {
	for _, stem := range l.stems(name) {
		if i, known := l.at[stem]; known {
			return l.entries[i], true
		}
	}
	return entry{}, false
}

// stems returns a folded name, and what is left of it as the usual suffixes
// fall away one after the other: 广西壮族自治区, 广西壮族, 广西. A single character
// is not left over: 沪州, a slip of 泸州, must not be taken for 沪.
func (l *lexicon) stems(name string) []string {
	stem := fold(name)
	stems := []string{stem}
	suffixes := l.suffixes
	for {
		i := slices.IndexFunc(suffixes, func(suffix string) bool {
			return strings.HasSuffix(stem, suffix) && utf8.RuneCountInString(stem) >= utf8.RuneCountInString(suffix)+2
		})
		if i < 0 {
			return stems
		}
		stem = strings.TrimSuffix(stem, suffixes[i])
		stems = append(stems, stem)
		if autonomous(suffixes[i]) {
			suffixes = peoples()
		}
	}
}

// longestFolded is how many characters a name may have, folded, to be taken for
// a slip: no name in the tables is that long.
const longestFolded = 40

// nearest is how many names are suggested at most for one that is not known.
const nearest = 3

// near returns the known names that one which is not known was likely meant to
// be, in the script that it is written in: the nearest first, equals in the
// order of the table.
func (l *lexicon) near(name string) []label {
	type candidate struct {
		entry    entry
		distance int
	}
	if utf8.RuneCountInString(fold(name)) > longestFolded {
		return nil // nobody's slip, and costly to compare
	}
	var candidates []candidate
	stems := l.stems(name)
	for _, e := range l.entries {
		names := e.en
		if chinese(name) {
			names = e.zh
		}
		if distance, ok := l.typos(stems, names); ok {
			candidates = append(candidates, candidate{e, distance})
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var labels []label
	for _, c := range candidates[:min(nearest, len(candidates))] {
		switch least := candidates[0].distance; {
		case c.distance > 0 && least == 0: // the name is no slip, but one that several share
		case c.distance > least && c.entry.group(): // groups that look alike are opposites: Southwest, Northwest
		default:
			labels = append(labels, c.entry.label)
		}
	}
	return labels
}

// typos returns how many letters the nearest of the names differs from the
// nearest of the stems, and whether that is few enough to be a slip: about a
// third of the letters of the shortest stem, and a quarter where names are
// words. In Chinese, where names are short, that is one character at most, and
// never all.
func (l *lexicon) typos(stems, names []string) (int, bool) {
	least, found := 0, false
	length := utf8.RuneCountInString(stems[len(stems)-1])
	most := (length + 1) / 3
	if l.words {
		most = length / 4
	}
	for _, stem := range stems {
		length := utf8.RuneCountInString(stem)
		for _, name := range names {
			if gap := length - utf8.RuneCountInString(name); max(gap, -gap) > most {
				continue
			}
			distance := levenshtein.ComputeDistance(stem, name)
			if distance <= most && (!found || distance < least) {
				least, found = distance, true
			}
		}
	}
	return least, found
}

// fold reduces a name to what counts when names are compared: letters and
// digits, in lower case and half width, without accents. An ampersand is read
// as the word.
func fold(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	for _, r := range norm.NFKD.String(name) {
		switch {
		case r == '&':
			b.WriteString("and")
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// chinese tells whether a name is written in Chinese, if only in part.
func chinese(name string) bool {
	return strings.ContainsFunc(name, han)
}

// autonomous tells whether a suffix is that of an area which is named after
// the peoples that live there.
func autonomous(suffix string) bool {
	return strings.HasPrefix(suffix, "autonomous") || strings.HasPrefix(suffix, "自治")
}

// peoples are those in the full names of autonomous regions and prefectures,
// folded.
func peoples() []string {
	return []string{
		"and", "bai", "bouyei", "buyei", "dai", "dong", "hani", "hui", "jingpo", "kazakh", "kirgiz", "korean", "kyrgyz", "lisu", "miao",
		"mongolian", "mongol", "qiang", "tibetan", "tujia", "uygur", "uyghur", "yi", "zhuang",
		"白族", "布依族", "傣族", "侗族", "哈尼族", "哈萨克", "回族", "景颇族", "柯尔克孜", "傈僳族", "苗族",
		"蒙古族", "蒙古", "羌族", "藏族", "土家族", "维吾尔", "彝族", "壮族", "朝鲜族",
	}
}

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

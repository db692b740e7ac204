package audience

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"kol-portrait-mcp/schema"
)

// say puts the arguments into the sentence of the language, each sentence
// being a format for fmt. Every language but Chinese reads English.
func say(lang schema.Language, en, zh string, args ...any) string {
	format := label{en: en, zh: zh}.in(lang)
	return fmt.Sprintf(format, args...)
}

// leastShown is the smallest share that text has a figure for.
const leastShown = 0.0005

// Percent writes a share as text shows it: 0.67127 is 67.1%.
func Percent[S ~float64](share S) string {
	return Points(share) + "%"
}

// Points writes a share in percentage points with one decimal, for lines that
// say % once for all: 0.67127 is 67.1. What is there but would round to
// nothing is <0.1.
func Points[S ~float64](share S) string {
	if share > 0 && share < leastShown {
		return "<0.1"
	}
	return strconv.FormatFloat(float64(share)*100, 'f', 1, 64)
}

// Round writes an index as text shows it: 145.7 is 146.
func Round(index schema.Index) string {
	return strconv.FormatFloat(float64(index), 'f', 0, 64)
}

// Quote writes a name as text shows it: as it is, or in quotation marks where
// it holds what text sets names and figures apart with, or is as long as a
// sentence, so that no name the vendor sends can pass for figures or for prose.
func Quote(name string) string {
	const (
		separators = `,;:.!?%"|` + "`≥≤" + "，；：、。！？％“”"
		mostWords  = 4
	)
	if !strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsDigit(r) }) && !strings.ContainsAny(name, separators) {
		return name // as most are
	}
	if len(strings.Fields(name)) > mostWords {
		return strconv.Quote(name)
	}
	apart := false // whether a figure might begin
	for _, r := range name {
		if strings.ContainsRune(separators, r) || apart && unicode.IsDigit(r) {
			return strconv.Quote(name)
		}
		apart = unicode.IsSpace(r) || r == '('
	}
	return name
}

// quoted writes names as text shows them.
func quoted(names []string) []string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = Quote(name)
	}
	return words
}

// list writes rows as a sentence enumerates them: Food 8.4%, Daily life 7.4%.
func list(rows []schema.RankedShare, lang schema.Language) string {
	words := make([]string, 0, len(rows))
	for _, row := range rows {
		words = append(words, Quote(row.Name)+" "+Percent(row.Share))
	}
	return enumerate(words, lang)
}

// indexes writes the indexes of rows as a sentence enumerates them: Beijing 363,
// Shanghai 208.
func indexes(rows []schema.RankedShare, lang schema.Language) string {
	words := make([]string, 0, len(rows))
	for _, row := range rows {
		words = append(words, Quote(row.Name)+" "+Round(*row.TGI))
	}
	return enumerate(words, lang)
}

func enumerate(words []string, lang schema.Language) string {
	return strings.Join(words, say(lang, ", ", "、"))
}

// joined enumerates words with one like "or" before the last: Guangdong, Jiangsu
// or Zhejiang.
func joined(words []string, conjunction string, lang schema.Language) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	others, last := enumerate(words[:len(words)-1], lang), words[len(words)-1]
	if lang == schema.Chinese {
		return beside(beside(others, conjunction), last)
	}
	return others + " " + conjunction + " " + last
}

// How many names a sentence spells out.
const (
	namesShown = 3 // of a portrait's
	wordsShown = 5 // of a caller's
)

// Some enumerates names in lang, of many the first few and how many there are:
// A, B and 3 more; A、B 等 5 个. Names are taken as they are; Quote those that
// come from elsewhere.
func Some(names []string, most int, lang schema.Language) string {
	more := len(names) - most
	if more <= 0 {
		return enumerate(names, lang)
	}
	shown := enumerate(names[:most], lang)
	if lang == schema.Chinese {
		return beside(shown, fmt.Sprintf("等 %d 个", len(names)))
	}
	return shown + fmt.Sprintf(" and %d more", more)
}

// beside joins two pieces of text, with the space that Chinese typography puts
// between a Chinese character and a Latin letter or a digit.
func beside(left, right string) string {
	end, _ := utf8.DecodeLastRuneInString(left)
	begin, _ := utf8.DecodeRuneInString(right)
	if han(end) && latin(begin) || latin(end) && han(begin) {
		return left + " " + right
	}
	return left + right
}

func han(r rune) bool { return unicode.Is(unicode.Han, r) }

func latin(r rune) bool { return unicode.Is(unicode.Latin, r) || unicode.IsDigit(r) }

// capitalize makes the first letter of an English sentence a capital one.
func capitalize(sentence string) string {
	if sentence == "" || sentence[0] < 'a' || sentence[0] > 'z' {
		return sentence
	}
	return strings.ToUpper(sentence[:1]) + sentence[1:]
}

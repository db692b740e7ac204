package audience

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"kol-portrait-mcp/schema"
)

// say puts the arguments into the sentence of the language, each sentence
// being a format for fmt. Every language but Chinese reads English.
func say(lang schema.Language, en, zh string, args ...any) string {
	format := label{en: en, zh: zh}.in(lang)
	return fmt.Sprintf(format, args...)
}

// Percent writes a share as text shows it: 0.67127 is 67.1%.
func Percent[S ~float64](share S) string {
	return Points(share) + "%"
}

// Points writes a share in percentage points with one decimal, for lines that
// say % once for all: 0.67127 is 67.1. What is there but would round to
// nothing is <0.1.
func Points[S ~float64](share S) string {
	if share > 0 && share < 0.0005 {
		return "<0.1"
	}
	return strconv.FormatFloat(float64(share)*100, 'f', 1, 64)
}

// Round writes an index as text shows it: 145.7 is 146.
func Round(index schema.Index) string {
	return strconv.FormatFloat(float64(index), 'f', 0, 64)
}

// Quote writes a name as text shows it: as it is, or in quotation marks where
// it holds what text sets names and figures apart with, so that no name the
// vendor sends can pass for figures.
func Quote(name string) string {
	const separators = `,;:.!?%"` + "，；：、。！？％“”"
	afterSpace := false
	for _, r := range name {
		if strings.ContainsRune(separators, r) || afterSpace && unicode.IsDigit(r) {
			return strconv.Quote(name)
		}
		afterSpace = unicode.IsSpace(r)
	}
	return name
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

// capitalize makes the first letter of an English sentence a capital one.
func capitalize(sentence string) string {
	if sentence == "" || sentence[0] < 'a' || sentence[0] > 'z' {
		return sentence
	}
	return strings.ToUpper(sentence[:1]) + sentence[1:]
}

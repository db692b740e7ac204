package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kol-portrait-mcp/schema"
)

// say puts the arguments into the sentence of the language, each sentence being a
// format of fmt.
func say(lang schema.Language, english, chinese string, args ...any) string {
	return fmt.Sprintf(in(lang, english, chinese), args...)
}

// in picks the words of the language. All but Chinese readers get English.
func in(lang schema.Language, english, chinese string) string {
	if lang == schema.Chinese {
		return chinese
	}
	return english
}

// dimensionWords are the dimensions, and a target audience's places, in both
// languages.
var dimensionWords = map[schema.Dimension][2]string{
	schema.DimensionGender:    {"gender", "性别"},
	schema.DimensionAgeGroups: {"age", "年龄"},
	schema.DimensionPlaces:    {"places", "地域"},
	schema.DimensionProvinces: {"provinces", "省份"},
	schema.DimensionCities:    {"cities", "城市"},
	schema.DimensionInterests: {"interests", "兴趣"},
	schema.DimensionDevices:   {"devices", "设备"},
}

func dimension(of schema.Dimension, lang schema.Language) string {
	return in(lang, dimensionWords[of][0], dimensionWords[of][1])
}

func dimensions(of []schema.Dimension, lang schema.Language) string {
	var words []string
	for _, d := range of {
		words = append(words, dimension(d, lang))
	}
	return enumerate(words, lang)
}

// points writes a share in percentage points with one decimal: 0.67127 is 67.1.
// What is there but would round to nothing is <0.1. A sum that is a hair below a half
// is one, here and in the page.
func points[S ~float64](share S) string {
	switch {
	case share == 0:
		return "0"
	case share < 0.0005:
		return "<0.1"
	default:
		return strconv.FormatFloat(float64(share)*100+1e-9, 'f', 1, 64)
	}
}

// percent writes a share: 0.67127 is 67.1%.
func percent[S ~float64](share S) string { return points(share) + "%" }

// between writes two bounds of a share: 0% to 17.0%.
func between[S ~float64](atLeast, atMost S, lang schema.Language) string {
	return say(lang, "%s to %s", "%s 至 %s", percent(atLeast), percent(atMost))
}

// whole writes an index without decimals.
func whole(index schema.Index) string { return strconv.FormatFloat(float64(index), 'f', 0, 64) }

func twoDecimals[F ~float64](v F) string { return strconv.FormatFloat(float64(v), 'f', 2, 64) }

// optional writes what is known, and nothing where v is nil.
func optional[T any](write func(T) string, v *T) string {
	if v == nil {
		return ""
	}
	return write(*v)
}

// moment writes a time of day in the reader's zone: Beijing's in Chinese.
func moment(t time.Time, lang schema.Language) string {
	const layout = "2006-01-02 15:04"
	if lang == schema.Chinese {
		return t.In(time.FixedZone("Asia/Shanghai", 8*60*60)).Format(layout) + "（北京时间）"
	}
	return t.UTC().Format(layout) + " UTC"
}

func enumerate(words []string, lang schema.Language) string {
	return strings.Join(words, say(lang, ", ", "、"))
}

// some enumerates the first few words, and how many more there are.
func some(words []string, most int, lang schema.Language) string {
	if len(words) <= most {
		return enumerate(words, lang)
	}
	return say(lang, "%s and %d more", "%s及另外 %d 个", enumerate(words[:most], lang), len(words)-most)
}

// nonEmpty drops what says nothing.
func nonEmpty(words ...string) []string {
	return slices.DeleteFunc(words, func(s string) bool { return s == "" })
}

// withoutSample splits off the first warning where it says that the data is
// simulated: an answer begins with it.
func withoutSample(warnings []string, sample bool) (first, others []string) {
	if !sample || len(warnings) == 0 {
		return nil, warnings
	}
	return warnings[:1], warnings[1:]
}

// sentences puts sentences one after the other.
func sentences(s []string, lang schema.Language) string {
	return strings.Join(s, say(lang, " ", ""))
}

// visible makes a caller's words one harmless line: without control characters
// and those that show nothing, and with at most two marks on a letter.
func visible(words string) string {
	var kept []rune
	marks := 0
	for _, r := range strings.Join(strings.Fields(strings.ToValidUTF8(words, "")), " ") {
		if unicode.In(r, unicode.Mn, unicode.Me) {
			marks++
		} else {
			marks = 0
		}
		if unicode.IsGraphic(r) && !unicode.Is(unicode.Variation_Selector, r) && marks <= 2 {
			kept = append(kept, r)
		}
	}
	return string(kept)
}

// plain makes a caller's words visible and as short as a label may be.
func plain(words string) string {
	const most = 60
	letters := []rune(visible(words))
	if len(letters) > most {
		return string(letters[:most]) + "…"
	}
	return string(letters)
}

// quote puts words of somebody else's into quotation marks.
func quote(words string) string { return `"` + strings.ReplaceAll(plain(words), `"`, "'") + `"` }

// name writes a name that may be the vendor's own: as it is where it is a few
// plain words, else quoted, so that it cannot pass for a figure or for prose.
func name(of string) string {
	if slices.Contains(schema.AgeGroups[:], of) {
		return of
	}
	odd := strings.ContainsFunc(of, func(r rune) bool {
		return !unicode.IsLetter(r) && !strings.ContainsRune(" &'-/().", r)
	})
	if odd || strings.Count(of, " ") > 2 || utf8.RuneCountInString(of) > 24 {
		return quote(of)
	}
	return of
}

func names(of []string) []string {
	var words []string
	for _, n := range of {
		words = append(words, name(n))
	}
	return words
}

// markdown writes text so that none of it is taken for Markdown or HTML.
func markdown(text string) string { return markdownEscapes.Replace(text) }

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "|", `\|`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`, "#", `\#`,
)

// table writes rows as a Markdown table, the first as its header.
func table(b *strings.Builder, rows [][]string) {
	for i, row := range rows {
		for _, cell := range row {
			b.WriteString("| " + markdown(cell) + " ")
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat(" --- |", len(row)) + "\n")
		}
	}
	if rows != nil {
		b.WriteString("\n")
	}
}

// bullets writes sentences as a Markdown list, under a heading where there is one.
func bullets(b *strings.Builder, heading string, sentences []string) {
	if len(sentences) == 0 {
		return
	}
	if heading != "" {
		b.WriteString("## " + heading + "\n\n")
	}
	for _, s := range sentences {
		b.WriteString("- " + markdown(s) + "\n")
	}
	b.WriteString("\n")
}

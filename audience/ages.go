package audience

import (
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"kol-portrait-mcp/schema"
)

// ageStarts are the youngest ages of schema.AgeGroups.
var ageStarts = [len(schema.AgeGroups)]int{0, 18, 25, 35, 45}

// readAges reads the age groups, and the spans of them that a caller may name:
// 25 to 44 is two groups. All of them are no span, since they ask for nothing;
// neither are ages that cut a group in two.
func (n *names) readAges() {
	var signs []string
	for _, row := range table("ages.csv", "sign", "words") {
		for _, word := range split(row[1]) {
			signs = append(signs, word, row[0])
		}
	}
	replacer := strings.NewReplacer(signs...)
	l := n.lexicons[schema.DimensionAgeGroups]
	l.fold = func(words string) string {
		return replacer.Replace(strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(words))), ""))
	}
	for _, group := range schema.AgeGroups {
		n.add(&entry{dimension: schema.DimensionAgeGroups, key: group, label: label{group, group}}, "")
	}
	groups := l.choices
	for first := range groups {
		for last := first; last < len(groups) && last-first < len(groups)-1; last++ {
			written := writtenAges(first, last)
			span := groups[first]
			if last > first {
				span = &choice{label: label{written[0], written[0]}}
				for _, group := range groups[first : last+1] {
					span.members = append(span.members, group.members...)
				}
			}
			for _, ages := range written {
				l.folded[ages] = span
			}
		}
	}
}

// writtenAges returns how the ages of some neighbouring groups are written once
// the words are signs, the usual way first. Where ages are open at one end, words
// such as "over" may take the number in or not: no two groups begin with
// neighbouring ages, so that only one reading meets a group.
func writtenAges(first, last int) []string {
	from := strconv.Itoa(ageStarts[first])
	before := strconv.Itoa(ageStarts[first] - 1)
	if last == len(ageStarts)-1 {
		return []string{from + "+", "≥" + from, ">" + before, "↑" + from, "↑" + before, from + "↑", before + "↑", from + "-99", from + "-100"}
	}
	end := strconv.Itoa(ageStarts[last+1])
	to := strconv.Itoa(ageStarts[last+1] - 1)
	if first == 0 {
		return []string{"<" + end, "≤" + to, "↓" + end, "↓" + to, end + "↓", to + "↓", from + "-" + to}
	}
	return []string{from + "-" + to}
}

// ageWords is an age group, or a span of them, in a sentence: <18 is under 18.
func ageWords(span string, lang schema.Language) string {
	if to, isBelow := strings.CutPrefix(span, "<"); isBelow {
		return label{"under " + to, to + " 岁以下"}.in(lang)
	}
	if from, isUp := strings.CutSuffix(strings.Replace(span, ">44", "45+", 1), "+"); isUp {
		return label{from + " and over", from + " 岁及以上"}.in(lang)
	}
	return label{span, span + " 岁"}.in(lang)
}

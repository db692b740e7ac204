package audience

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"kol-portrait-mcp/schema"
)

// wordsShown is how many names of a dimension a sentence has before it counts
// the rest.
const wordsShown = 5

// Data returns the target audience as it was understood: groups as groups, the
// weights that are not 1. Names are in lang; genders and ages are the same in
// every language.
func (t *Target) Data(lang schema.Language) schema.Target {
	var d schema.Target
	names := map[schema.Dimension][]string{}
	for _, of := range schema.TargetDimensions {
		w := t.wanted[of]
		if w == nil {
			continue
		}
		for _, c := range w.choices {
			names[of] = append(names[of], c.label.in(lang))
		}
		if of == schema.DimensionGender {
			d.Gender = w.choices[0].members[0].key
		}
		if w.weight != 1 {
			if d.Weights == nil {
				d.Weights = schema.Weights{}
			}
			d.Weights[of] = w.weight
		}
		if w.soft {
			d.Soft = append(d.Soft, of)
		}
	}
	d.AgeGroups, d.Places = names[schema.DimensionAgeGroups], names[schema.DimensionPlaces]
	d.Interests, d.Devices = names[schema.DimensionInterests], names[schema.DimensionDevices]
	return d
}

// Words returns the target audience as the part of a sentence: women; 25-34 or
// 35-44; first-tier cities; Apple devices (a plus) (weights: places 2).
func (t *Target) Words(lang schema.Language) string {
	var parts, weights []string
	for _, of := range schema.TargetDimensions {
		w := t.wanted[of]
		if w == nil {
			continue
		}
		words := w.words(of, lang)
		if w.soft {
			words += label{" (a plus)", "（加分项）"}.in(lang)
		}
		parts = append(parts, words)
		if w.weight != 1 {
			weights = append(weights, dimensionLabels[of].in(lang)+" "+strconv.FormatFloat(w.weight, 'g', -1, 64))
		}
	}
	words := strings.Join(parts, label{"; ", "；"}.in(lang))
	if weights == nil {
		return words
	}
	return words + fmt.Sprintf(label{" (weights: %s)", "（权重：%s）"}.in(lang), strings.Join(weights, label{", ", "、"}.in(lang)))
}

var dimensionLabels = map[schema.Dimension]label{
	schema.DimensionGender:    {"gender", "性别"},
	schema.DimensionAgeGroups: {"age", "年龄"},
	schema.DimensionPlaces:    {"places", "地域"},
	schema.DimensionInterests: {"interests", "兴趣"},
	schema.DimensionDevices:   {"devices", "设备"},
}

func (w *wanted) words(of schema.Dimension, lang schema.Language) string {
	var names []string
	for i, c := range w.choices {
		name := c.label.in(lang)
		if of == schema.DimensionAgeGroups {
			name = ageWords(name, lang)
			if i+1 < min(len(w.choices), wordsShown) {
				name = strings.TrimSuffix(name, " 岁") // 25-34 或 35-44 岁
			}
		}
		names = append(names, name)
	}
	words := enumerate(names, label{"or", "或"}, lang)
	switch of {
	case schema.DimensionInterests:
		return label{"interest " + words, "兴趣：" + words}.in(lang)
	case schema.DimensionDevices:
		return label{words + " devices", spaced(words + "设备")}.in(lang)
	default:
		return words
	}
}

// enumerate joins names, the last one with the given word; of many it is the
// first few, and how many there are.
func enumerate(names []string, last label, lang schema.Language) string {
	comma := label{", ", "、"}.in(lang)
	if more := len(names) - wordsShown; more > 0 {
		first := strings.Join(names[:wordsShown], comma)
		return label{fmt.Sprintf("%s and %d more", first, more), fmt.Sprintf("%s等 %d 个", first, len(names))}.in(lang)
	}
	end := len(names) - 1
	if end == 0 {
		return names[0]
	}
	first := strings.Join(names[:end], comma)
	return label{first + " " + last.en + " " + names[end], spaced(first + last.zh + names[end])}.in(lang)
}

var (
	chineseBeforeLatin = regexp.MustCompile(`(\p{Han})([A-Za-z0-9])`)
	latinBeforeChinese = regexp.MustCompile(`([A-Za-z0-9])(\p{Han})`)
)

// spaced sets a space between Chinese and Latin letters or figures.
func spaced(text string) string {
	return latinBeforeChinese.ReplaceAllString(chineseBeforeLatin.ReplaceAllString(text, "$1 $2"), "$1 $2")
}

// Names returns every name of a dimension that a target audience may have, in a
// language: of interests the vendor's own first; of places the groups of
// provinces and cities, each with what it is made up of.
func Names(of schema.Dimension, lang schema.Language) (accepted []string) {
	for _, c := range known().lexicons[of].choices {
		name := c.label.in(lang)
		if of == schema.DimensionPlaces {
			var members []string
			for _, e := range c.members {
				members = append(members, e.label.in(lang))
			}
			name = fmt.Sprintf(label{"%s (%s)", "%s（%s）"}.in(lang), name, strings.Join(members, label{", ", "、"}.in(lang)))
		}
		accepted = append(accepted, name)
	}
	return accepted
}

package audience

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"kol-portrait-mcp/schema"
)

// wordsShown is how many names of a dimension a target audience's words spell
// out.
const wordsShown = 5

// Words returns whom the target audience is in a few words of lang, any language
// but Chinese reading English: women; 25-34 or 35-44; first-tier cities;
// interest Food. Weights that are not 1 stand at the end in brackets.
func (t *Target) Words(lang schema.Language) string {
	var parts, weights []string
	for _, of := range schema.Dimensions() {
		if len(t.said[of]) == 0 {
			continue
		}
		parts = append(parts, t.dimensionWords(of, lang))
		if weight := t.weights[of]; weight != 1 {
			weights = append(weights, DimensionName(of, lang)+" "+strconv.FormatFloat(weight, 'g', -1, 64))
		}
	}
	words := strings.Join(parts, say(lang, "; ", "；"))
	if weights == nil {
		return words
	}
	return words + say(lang, " (weights: %s)", "（权重：%s）", enumerate(weights, lang))
}

func (t *Target) dimensionWords(of schema.Dimension, lang schema.Language) string {
	names := anyOf(t.said[of], lang)
	switch of {
	case schema.DimensionInterests:
		return say(lang, "interest %s", "兴趣：%s", names)
	case schema.DimensionDevices:
		if len(t.said[of]) > wordsShown {
			return say(lang, "devices by %s", "%s品牌的设备", names)
		}
		return beside(names, say(lang, " devices", "设备"))
	default:
		return names
	}
}

// anyOf enumerates names of which any will do: A, B or C. Of many it is the
// first few, and how many there are.
func anyOf(labels []label, lang schema.Language) string {
	var names []string
	for _, l := range labels[:min(wordsShown, len(labels))] {
		names = append(names, l.in(lang))
	}
	if more := len(labels) - wordsShown; more > 0 {
		if lang == schema.Chinese {
			return beside(enumerate(names, lang), fmt.Sprintf("等 %d 个", len(labels)))
		}
		return enumerate(names, lang) + fmt.Sprintf(" and %d more", more)
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	all := enumerate(names[:last], lang)
	if lang == schema.Chinese {
		return beside(beside(all, "或"), names[last])
	}
	return all + " or " + names[last]
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

package audience

import (
	"strconv"
	"strings"

	"kol-portrait-mcp/schema"
)

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
	for _, l := range labels {
		names = append(names, l.in(lang))
	}
	if len(names) > wordsShown {
		return Some(names, wordsShown, lang)
	}
	return joined(names, say(lang, "or", "或"), lang)
}

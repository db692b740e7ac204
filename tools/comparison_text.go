package tools

import (
	"fmt"
	"strings"

	"kol-portrait-mcp/schema"
)

// ComparisonText renders c as one block of text with the same facts: a matrix
// of the KOLs, then what failed, how alike they are, what to be careful with
// and what it cost. Shares are percentages with one decimal.
func (t *Tools) ComparisonText(c *schema.Comparison) string {
	w := comparisonWriter{writer: writer{lang: c.Language}, comparison: c}
	w.heading()
	w.matrix()
	w.similarity()
	w.failures()
	w.careful(c.Warnings)
	w.provenance()
	return w.text.String()
}

// portrait is one of those compared.
type portrait = schema.ComparedPortrait

// comparisonWriter writes one comparison.
type comparisonWriter struct {
	writer

	comparison *schema.Comparison
}

func (w *comparisonWriter) heading() {
	c := w.comparison
	if c.Source.Sample {
		w.line("%s", w.simulated())
	}
	order := w.say("as asked", "按所给顺序")
	if c.Target != "" {
		order = w.say("best fit first", "按匹配度排序")
	}
	compared := fmt.Sprintf(w.say("%d KOLs", "%d 位达人"), len(c.Portraits))
	if len(c.Failures) > 0 {
		compared = fmt.Sprintf(w.say("%d of %d KOLs", "%[2]d 位达人中的 %[1]d 位"), len(c.Portraits), len(c.Portraits)+len(c.Failures))
	}
	w.line(w.say("%s compared (Xiaohongshu, Just One API), %s; %% of followers.", "%s粉丝对比（小红书，Just One API），%s；数值为粉丝占比 %%。"), compared, order)
	if c.Target != "" {
		w.line(w.say("Target: %s.", "目标人群：%s。"), c.Target)
	}
}

// pair is two KOLs and how alike they are.
type pair struct {
	a, b  string
	score float64
}

// similarity names the closest and the farthest two of more than two KOLs.
func (w *comparisonWriter) similarity() {
	closest, farthest := w.extremes()
	switch closest {
	case nil:
	case farthest:
		w.line(w.say("Similarity of the profiles (0 to 1): %.2f.", "画像相似度（0-1）：%.2f。"), closest.score)
	default:
		w.line(w.say("Similarity of the profiles (0 to 1): most alike %s and %s (%.2f), least %s and %s (%.2f).",
			"画像相似度（0-1）：最相似 %s 与 %s（%.2f），差异最大 %s 与 %s（%.2f）。"),
			closest.a, closest.b, closest.score, farthest.a, farthest.b, farthest.score)
	}
}

// extremes returns the most and the least alike two KOLs, which are the same
// where there is one pair alone, and nil where there is none.
func (w *comparisonWriter) extremes() (closest, farthest *pair) {
	if w.comparison.Similarity == nil {
		return nil, nil
	}
	for i, row := range w.comparison.Similarity.Scores {
		for j, score := range row {
			if score == nil {
				continue
			}
			p := &pair{w.named(j), w.named(i), *score}
			if closest == nil || p.score > closest.score {
				closest = p
			}
			if farthest == nil || p.score < farthest.score {
				farthest = p
			}
		}
	}
	return closest, farthest
}

// named is what a sentence calls a portrait: by its number where it has one.
func (w *comparisonWriter) named(i int) string {
	if w.inRows() {
		return fmt.Sprintf("#%d", i+1)
	}
	return w.comparison.Portraits[i].KOLID
}

// failures tells of the KOLs that there is no portrait of.
func (w *comparisonWriter) failures() {
	if len(w.comparison.Failures) == 0 {
		return
	}
	w.line(w.say("No portrait of %d:", "%d 位未取得画像："), len(w.comparison.Failures))
	for _, reason := range reasons(w.comparison.Failures) {
		w.line("%s", reason)
	}
}

// provenance says where the portraits come from and what the comparison cost.
func (w *comparisonWriter) provenance() {
	s := w.comparison.Source
	var from []string
	if s.FromStore > 0 {
		from = append(from, fmt.Sprintf(w.say("%d from the store", "来自存储 %d 份"), s.FromStore))
	}
	if others := len(w.comparison.Portraits) - s.FromStore; others > 0 {
		from = append(from, fmt.Sprintf(w.say("%d fetched or shared with another call", "新采集或与其他调用共用 %d 份"), others))
	}
	maybe := mayBeCharged(w.comparison.Failures)
	charged := fmt.Sprintf(w.say("%d charged calls", "计费 %d 次"), s.Charged-maybe)
	switch s.Charged - maybe {
	case 0:
		charged = w.say("no charge", "未计费")
	case 1:
		charged = w.say("one charged call", "计费 1 次")
	}
	if maybe > 0 {
		charged += fmt.Sprintf(w.say("; up to %d more for those without a portrait", "；未取得画像者另计至多 %d 次"), maybe)
	}
	if s.Sample && s.Charged > 0 {
		charged += w.say(" (simulated: play money)", "（模拟费用，不花真钱）")
	}
	fmt.Fprintf(&w.text, w.say("%s; %s.", "%s；%s。"), strings.Join(from, w.say(", ", "，")), charged)
}

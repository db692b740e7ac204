package tools

import (
	"fmt"
	"strconv"
	"strings"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// fit writes how well the followers match the target audience: what was asked
// for and the score, the shares behind it, who matches all of it, and why.
func (w *portraitWriter) fit(f *schema.Fit) {
	if f == nil {
		return
	}
	atLeast := ""
	if f.ScoreLowerBound {
		atLeast = w.say("at least ", "至少")
	}
	score := w.say("no score", "无法评分")
	if f.Score != nil {
		score = fmt.Sprintf(w.say("score %s%s of 100", "评分%s %s（满分 100）"), atLeast, points(*f.Score))
	}
	w.line(w.say("Fit to %s: %s.", "与目标人群（%s）的匹配：%s。"), f.Target, score)
	var shares []string
	for d, m := range f.Matches() {
		shares = append(shares, w.match(d, m))
	}
	w.line(w.say("Matched: %s.", "匹配占比：%s。"), strings.Join(shares, w.say("; ", "；")))
	if f.Reach != nil && len(shares) > 1 {
		w.reach(f.Reach)
	}
	w.line("%s", f.Explanation)
}

// reach writes who matches all dimensions at once.
func (w *portraitWriter) reach(r *schema.Reach) {
	independent := ""
	if r.Independent != nil {
		independent = fmt.Sprintf(w.say("%s if independent; ", "若各维度相互独立为 %s；"), audience.Percent(*r.Independent))
	}
	w.line(w.say("Reach, all of these at once: %sat least %s, at most %s.", "同时符合全部条件的占比：%s至少 %s，至多 %s。"),
		independent, audience.Percent(r.AtLeast), audience.Percent(r.AtMost))
}

// match writes one dimension of a fit: cities at least 2.9% (not listed:
// Hangzhou).
func (w *portraitWriter) match(d schema.Dimension, m *schema.Match) string {
	words := audience.DimensionName(d, w.lang)
	switch {
	case m.MatchedShare == nil && m.NotListed == nil:
		return words + w.say(" not known", "未知")
	case m.MatchedShare == nil:
		return words + w.say(" not listed: ", "未列出：") + audience.Some(m.NotListed, mostNames, w.lang)
	}
	share := audience.Percent(*m.MatchedShare)
	if len(m.NotListed) > 0 { // a list that is cut off elsewhere takes nothing from this sum
		share = w.say("at least ", "至少 ") + share
	}
	var notes []string
	if m.TGI != nil {
		notes = append(notes, "TGI "+audience.Round(*m.TGI))
	}
	if len(m.NotListed) > 0 {
		notes = append(notes, w.say("not listed: ", "未列出：")+audience.Some(m.NotListed, mostNames, w.lang))
	}
	if len(notes) > 0 {
		share += w.say(" (", "（") + strings.Join(notes, w.say("; ", "；")) + w.say(")", "）")
	}
	return words + " " + share
}

// mostNames is how many names of a list text spells out.
const mostNames = 5

// points writes a score with as many decimals as it has, at most two.
func points(score float64) string {
	return strconv.FormatFloat(score, 'f', -1, 64)
}

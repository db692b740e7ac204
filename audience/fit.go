package audience

import (
	"math"
	"slices"

	"kol-portrait-mcp/schema"
)

// Fit returns how well the followers match a target audience, with sentences
// and names in lang; nil for no target audience. Nil distributions are those
// that say nothing.
//
// A dimension's matched share is the sum of the selected rows. One that the
// vendor sent nothing on, or whose rows hold more than everybody, has none:
// then there is no reach, nor a score where the dimension has a weight in it,
// since a score over fewer dimensions would compare with nobody's. A selected
// name without a row adds nothing to its share, which is a lower bound then;
// score, Independent and AtLeast are lower bounds with it, and AtMost leaves
// room for the name.
func (a *Analyst) Fit(t *Target, d *schema.Distributions, lang schema.Language) *schema.Fit {
	if t == nil {
		return nil
	}
	if d == nil {
		d = &schema.Distributions{}
	}
	f := a.facts()
	matches := f.matches(t, d)
	fit := &schema.Fit{Target: t.Words(lang), Score: score(matches), Reach: reach(matches)}
	fit.ScoreLowerBound = fit.Score != nil && slices.ContainsFunc(matches, match.opensScore)
	for _, m := range matches {
		*fit.Of(m.of) = f.told(m, lang)
	}
	fit.Explanation = account{
		facts: f, target: t, matches: matches, score: fit.Score, reach: fit.Reach, lang: lang,
	}.words()
	return fit
}

// match is one dimension of a target audience beside the followers: exact, and
// in the vendor's names.
type match struct {
	of         schema.Dimension
	weight     float64
	selected   int                // how many names the caller selects
	known      bool               // whether there is data; without it the rest is nothing
	share      float64            // the selected rows together, 0..1
	most       float64            // what the selected names can hold at most, listed or not
	lowerBound bool               // the list that the share is taken from is cut off
	unlisted   []string           // selected, but without a row
	rows       []schema.NameShare // of the whole list
	tgi        *schema.Index
}

func (m match) unknown() bool { return !m.known }

// unseen tells whether nothing that was selected has a row, so that the share
// is no figure at all.
func (m match) unseen() bool { return m.known && len(m.unlisted) == m.selected }

// open tells whether names without a row leave open how many match, as far as
// text shows.
func (m match) open() bool {
	return m.unseen() || m.unlisted != nil && Percent(m.share) != Percent(m.most)
}

// opensScore tells whether the score is a lower bound for this dimension.
func (m match) opensScore() bool { return m.weight > 0 && m.open() }

// matches holds each dimension of a target audience against the followers, in
// the order of schema.Dimensions.
func (f *facts) matches(t *Target, d *schema.Distributions) []match {
	var matches []match
	for _, of := range schema.Dimensions() {
		if len(t.selected[of]) > 0 {
			matches = append(matches, f.match(of, t, d))
		}
	}
	return matches
}

func (f *facts) match(of schema.Dimension, t *Target, d *schema.Distributions) match {
	m := match{of: of, weight: t.weights[of], selected: len(t.selected[of])}
	names := slices.Sorted(slices.Values(t.selected[of]))
	l := f.listing(of, names, d)
	for _, name := range names {
		if !has(l.rows, name) {
			m.unlisted = append(m.unlisted, name)
		}
	}
	if complete(of) && l.whole() { // who is not listed is nobody
		for _, name := range m.unlisted {
			l.rows = append(l.rows, schema.NameShare{Name: name})
		}
		m.unlisted = nil
	}
	if !l.tells(len(names) - len(m.unlisted)) {
		return match{of: m.of, weight: m.weight}
	}
	for _, row := range l.rows {
		if slices.Contains(names, row.Name) {
			m.share += row.Percent
		}
	}
	m.known = true
	m.rows = l.rows
	m.share = fraction(m.share)
	m.most = fraction(m.share + l.room(len(m.unlisted)))
	m.lowerBound = l.cutOff || len(m.unlisted) > 0
	m.tgi = f.baseline.index(l.index, names, l.rows)
	return m
}

// told is the match as the vendor's and the caller's reader sees it.
func (f *facts) told(m match, lang schema.Language) *schema.Match {
	if !m.known {
		return &schema.Match{}
	}
	told := &schema.Match{
		LowerBound: m.lowerBound,
		TGI:        m.tgi,
		NotListed:  f.unlistedNames(m, lang),
	}
	if !m.unseen() {
		told.MatchedShare = new(schema.Share(m.share))
	}
	return told
}

// unlistedNames names in lang what was selected but is not listed, sorted:
// the order in which a caller selects is no information.
func (f *facts) unlistedNames(m match, lang schema.Language) []string {
	var names []string
	for _, name := range m.unlisted {
		names = append(names, f.name(m.of, name, lang))
	}
	slices.Sort(names)
	return names
}

// fraction keeps a sum of shares within 0..1, which the vendor's rounding may
// leave by a little.
func fraction(sum float64) float64 { return max(0, min(1, sum)) }

// score is 100 times the weighted mean of the matched shares, rounded to two
// decimals, or nil where a dimension with a weight has no data.
func score(matches []match) *float64 {
	weights := relativeWeights(matches)
	var weighted float64
	for i, m := range matches {
		if weights[i] > 0 && m.unknown() {
			return nil
		}
		weighted += weights[i] * m.share
	}
	if sum(weights) == 0 {
		return nil
	}
	// Rounded first to what a float is sure of: half a hundredth must not go
	// up or down by the unit in which the weights are given.
	sure := math.Round(100*weighted*1e9) / 1e9
	return new(math.Round(sure*100) / 100)
}

// relativeWeights returns what part of the score each dimension decides: they
// sum to 1, or to 0 where none does.
func relativeWeights(matches []match) []float64 {
	weights := make([]float64, len(matches))
	for i, m := range matches {
		weights[i] = m.weight
	}
	if all := sum(weights); all > 0 {
		for i := range weights {
			weights[i] /= all
		}
	}
	return weights
}

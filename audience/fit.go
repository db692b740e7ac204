package audience

import (
	"cmp"
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
	selected   int      // how many names the caller selects
	known      bool     // whether there is data; without it the rest is nothing
	share      float64  // the selected rows together, 0..1
	most       float64  // what the selected names can hold at most, listed or not
	lowerBound bool     // the list that the share is taken from is cut off
	unlisted   []string // selected, but without a row
	tgi        *schema.Index
}

func (m match) unknown() bool { return !m.known }

// unseen tells whether nothing that was selected has a row, so that the share
// is no figure at all.
func (m match) unseen() bool { return m.known && len(m.unlisted) == m.selected }

// opensScore tells whether the score is a lower bound for this dimension.
func (m match) opensScore() bool { return m.weight > 0 && len(m.unlisted) > 0 }

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
	if !l.tells(len(names) - len(m.unlisted)) {
		return match{of: m.of, weight: m.weight}
	}
	for _, row := range l.rows {
		if slices.Contains(names, row.Name) {
			m.share += row.Percent
		}
	}
	m.known = true
	m.share = fraction(m.share)
	m.most = fraction(m.share + l.room(len(m.unlisted)))
	m.lowerBound = l.cutOff || len(m.unlisted) > 0
	m.tgi = f.baseline.index(l.of, names, l.rows)
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
		names = append(names, f.selectedName(m.of, name, lang))
	}
	slices.Sort(names)
	return names
}

// selectedName is what a reader of lang calls a name that a Target selects. Age
// groups are called the same everywhere.
func (f *facts) selectedName(of schema.Dimension, name string, lang schema.Language) string {
	if f.lexicons()[of] == nil {
		return name
	}
	for _, e := range f.lexicons()[of].entries {
		if len(e.rows) == 1 && e.rows[0] == name {
			return e.label.in(lang)
		}
	}
	return name
}

// listing is the list that the shares of a dimension are taken from.
type listing struct {
	of     schema.Dimension   // whose rows they are: a city may be read off the provinces
	rows   []schema.NameShare // smallest first; none where nothing usable was sent
	cutOff bool               // whether the vendor left rows out
	ceil   float64            // no row that was left out holds more
	own    bool               // whether the vendor's own list of the dimension is in the rows
}

// tells tells whether anything is known, given how many of the selected names
// have a row. Four municipalities read off the provinces tell nothing of other
// cities.
func (l listing) tells(listed int) bool { return l.own || listed > 0 }

// room is the most that names without a row can hold together: no more than
// the rows leave, and each no more than the smallest row, since the vendor cuts
// a list off after its largest.
func (l listing) room(unlisted int) float64 {
	left := 1 - totalOf(l.rows)
	if left < rounding {
		return 0
	}
	return min(left, float64(unlisted)*l.ceil)
}

// listing returns the list in which the names are looked up.
func (f *facts) listing(of schema.Dimension, names []string, d *schema.Distributions) listing {
	rows := usable(f.rows(of, d))
	if of == schema.DimensionCities {
		return f.cityListing(names, rows, usable(d.Provinces))
	}
	l := listing{of: of, rows: rows, ceil: 1, own: len(rows) > 0}
	l.cutOff = totalOf(rows) < 1-sumTolerance-rounding
	if len(rows) > 0 && !complete(of) {
		l.ceil = rows[0].Percent
	}
	return l
}

// cityListing returns the list in which cities are looked up. The list of
// cities is always cut off, the one of provinces is not: a city that is a
// province has its row there, and where all of the cities do, no other list is
// looked at.
func (f *facts) cityListing(names []string, cities, provinces []schema.NameShare) listing {
	municipal := keep(provinces, func(row schema.NameShare) bool { return f.municipality(row.Name) })
	if !slices.ContainsFunc(names, func(name string) bool { return !has(municipal, name) }) {
		return listing{
			of: schema.DimensionProvinces, rows: provinces,
			cutOff: totalOf(provinces) < 1-sumTolerance-rounding, ceil: 1, own: true,
		}
	}
	others := keep(cities, func(row schema.NameShare) bool { return !has(municipal, row.Name) })
	l := listing{
		of: schema.DimensionCities, rows: usable(slices.Concat(municipal, others)),
		cutOff: true, ceil: 1,
	}
	if l.rows != nil && len(cities) > 0 {
		l.ceil = cities[0].Percent
		l.own = true
	}
	return l
}

// municipality tells whether a province is a city at the same time. A city may
// have the name of its province and be one of several there: 吉林.
func (f *facts) municipality(province string) bool {
	found := false
	for _, cities := range f.tiers {
		for _, c := range cities {
			if c.province == province && c.name != province {
				return false
			}
			found = found || c.name == province
		}
	}
	return found
}

// usable returns the rows, smallest first, or none where they hold more than
// everybody: one cannot know which of them is right. The order makes sums
// independent of the vendor's to the last digit.
func usable(rows []schema.NameShare) []schema.NameShare {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b schema.NameShare) int {
		return cmp.Or(cmp.Compare(a.Percent, b.Percent), cmp.Compare(a.Name, b.Name))
	})
	if overfullNames(rows) {
		return nil
	}
	return rows
}

func keep(rows []schema.NameShare, wanted func(schema.NameShare) bool) []schema.NameShare {
	return slices.DeleteFunc(slices.Clone(rows), func(row schema.NameShare) bool { return !wanted(row) })
}

func has(rows []schema.NameShare, name string) bool {
	_, listed := shareOf(rows, name)
	return listed
}

func totalOf(rows []schema.NameShare) float64 {
	return total(rows, func(row schema.NameShare) float64 { return row.Percent })
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

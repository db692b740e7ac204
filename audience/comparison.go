package audience

import (
	"cmp"
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

// namedKOLs is up to how many KOLs a comparison has room for all there is to
// tell of each: more have no names of top rows, nor of the similarity's rows and
// columns, and nothing twice.
const namedKOLs = 10

// Compare returns the portraits side by side, with names in lang, and how
// alike their profiles are, in the same order; fewer than two have no
// similarity.
//
// With a target audience they are ranked by the score of their fit as shown,
// then by the independent reach, then by KOL id; those without a score
// come last, without a rank, by KOL id. Without one they stay in the order
// given.
func (a *Analyst) Compare(portraits []*schema.Collected, t *Target, lang schema.Language) ([]schema.ComparedPortrait, *schema.Similarity) {
	contenders := make([]contender, 0, len(portraits))
	for _, p := range portraits {
		contenders = append(contenders, contender{p, a.Fit(t, &p.Distributions, lang)})
	}
	return a.compare(contenders, t != nil, lang)
}

// contender is a portrait that is compared, and its fit where there is a
// target audience.
type contender struct {
	*schema.Collected
	fit *schema.Fit
}

func (a *Analyst) compare(contenders []contender, ranked bool, lang schema.Language) ([]schema.ComparedPortrait, *schema.Similarity) {
	if ranked {
		contenders = slices.SortedStableFunc(slices.Values(contenders), byRank)
	}
	rows := make([]schema.ComparedPortrait, 0, len(contenders))
	for i, c := range contenders {
		row := a.comparedPortrait(c, lang)
		if _, scored := c.score(); scored {
			row.Rank = i + 1
		}
		if len(contenders) > namedKOLs {
			shorten(&row, c.fit)
		}
		rows = append(rows, row)
	}
	return rows, a.similarityOf(contenders)
}

// shorten leaves out of a row what there is no room for: names, and what the fit
// tells in its own way of a dimension that the target audience names.
func shorten(row *schema.ComparedPortrait, fit *schema.Fit) {
	row.TopProvinces, row.TopInterests = nil, nil
	if fit == nil {
		return
	}
	if told(fit.Gender) {
		row.Female = nil
	}
	if told(fit.AgeGroups) {
		row.CoreAgeGroup, row.CoreAgeShare = "", nil
	}
	if told(fit.Cities) {
		row.Tier1CityShare = nil
	}
	if told(fit.Devices) {
		row.AppleShare = nil
	}
}

// told tells whether a fit has a share for a dimension.
func told(m *schema.Match) bool { return m != nil && m.MatchedShare != nil }

// byRank compares contenders so that the better fit comes first.
func byRank(c, d contender) int {
	scoreC, scoredC := c.score()
	scoreD, scoredD := d.score()
	switch {
	case scoredC && !scoredD:
		return -1
	case scoredD && !scoredC:
		return 1
	}
	return cmp.Or(
		cmp.Compare(scoreD, scoreC),
		cmp.Compare(d.reach(), c.reach()),
		strings.Compare(c.KOLID, d.KOLID),
	)
}

// score is the score, with the two decimals that it is shown with, and whether
// there is one.
func (c contender) score() (float64, bool) {
	if c.fit == nil || c.fit.Score == nil {
		return 0, false
	}
	return *c.fit.Score, true
}

// reach is the independent reach, exactly: with many dimensions it is smaller
// than what a comparison shows of it. What is not known is behind any that is;
// without a score there is none to rank by.
func (c contender) reach() float64 {
	if _, scored := c.score(); !scored || c.fit.Reach == nil || c.fit.Reach.Independent == nil {
		return -1
	}
	return float64(*c.fit.Reach.Independent)
}

func (a *Analyst) comparedPortrait(c contender, lang schema.Language) schema.ComparedPortrait {
	s := a.Summarize(&c.Distributions, lang)
	row := schema.ComparedPortrait{
		KOLID:          c.KOLID,
		AsOf:           c.AsOf,
		TopProvinces:   names(s.TopProvinces),
		TopInterests:   names(s.TopInterests),
		Tier1CityShare: rough(s.Tier1CityShare),
		OverseasShare:  rough(s.OverseasShare),
		AppleShare:     rough(a.facts().appleShare(c.Distributions.Devices)),
		Fit:            comparedFit(c.fit),
	}
	if s.Gender != nil {
		row.Female = rough(s.Gender.Female)
	}
	if s.Age != nil {
		row.CoreAgeGroup = s.Age.CoreGroup
		row.CoreAgeShare = rough(&s.Age.CoreShare)
		row.MedianYears = s.Age.MedianYears
		row.MinorShare = rough(s.Age.MinorShare)
	}
	return row
}

func names(rows []schema.RankedShare) []string {
	var names []string
	for _, row := range rows {
		names = append(names, row.Name)
	}
	return names
}

// rough is the share as a comparison has it, where there is one.
func rough(share *schema.Share) *schema.RoughShare {
	if share == nil {
		return nil
	}
	return new(schema.RoughShare(*share))
}

// comparedFit keeps of a fit what a comparison has room for.
func comparedFit(fit *schema.Fit) *schema.ComparedFit {
	if fit == nil {
		return nil
	}
	compared := &schema.ComparedFit{Score: fit.Score, ScoreLowerBound: fit.ScoreLowerBound, Matched: map[schema.Dimension]schema.Share{}, Reach: fit.Reach}
	for of, match := range fit.Matches() {
		if match.MatchedShare != nil {
			compared.Matched[of] = *match.MatchedShare
		}
		if len(match.NotListed) > 0 {
			compared.NotListed = append(compared.NotListed, of)
		}
	}
	return compared
}

func (a *Analyst) similarityOf(contenders []contender) *schema.Similarity {
	if len(contenders) < 2 {
		return nil
	}
	var ids []string
	var ds []*schema.Distributions
	for _, c := range contenders {
		ids = append(ids, c.KOLID)
		ds = append(ds, &c.Distributions)
	}
	if len(ids) > namedKOLs {
		ids = nil
	}
	return &schema.Similarity{KOLIDs: ids, Scores: a.Similarity(ds)}
}

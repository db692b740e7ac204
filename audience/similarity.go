package audience

import (
	"math"
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

// Similarity returns how alike profiles are, two by two: row i holds the
// scores of the i-th with each before it, from 0 for entirely different ones to
// 1 for equal ones, with two decimals.
//
// It is 1 minus the Jensen-Shannon distance, which is the square root of the
// Jensen-Shannon divergence with logarithms to base 2 (Endres and Schindelin, A
// new metric for probability distributions, 2003), averaged over gender, age
// groups, provinces and interests. Rows that a list leaves out are one row "not
// listed". A score is nil where either profile lacks one of the four: an average
// over fewer would compare with nobody's.
//
// It compares profiles and not people: followers of two KOLs with a score of 1
// need not have a single person in common.
func (a *Analyst) Similarity(ds []*schema.Distributions) [][]*float64 {
	f := a.facts()
	profiles := make([]profile, len(ds))
	scores := make([][]*float64, len(ds))
	for i, d := range ds {
		profiles[i] = f.profile(d)
		scores[i] = make([]*float64, i)
		for j := range i {
			scores[i][j] = profiles[i].likeness(profiles[j])
		}
	}
	return scores
}

// profiled are the dimensions that make up a profile: who the followers are
// and what they like. Cities and devices repeat some of that, in lists that
// are cut off early.
func profiled() []schema.Dimension {
	return []schema.Dimension{
		schema.DimensionGender, schema.DimensionAgeGroups, schema.DimensionProvinces, schema.DimensionInterests,
	}
}

// profile is what is compared of one portrait: the dimensions of profiled that
// it has, in that order, and nil for those that it lacks.
type profile []*mixture

func (f *facts) profile(d *schema.Distributions) profile {
	p := make(profile, len(profiled()))
	if d == nil {
		return p
	}
	for i, of := range profiled() {
		p[i] = mixtureOf(f.rows(of, d))
	}
	return p
}

// likeness is the similarity of two profiles, with two decimals.
func (p profile) likeness(q profile) *float64 {
	var sum float64
	for i := range p {
		if p[i] == nil || q[i] == nil {
			return nil
		}
		sum += 1 - p[i].distance(q[i])
	}
	return new(math.Round(sum/float64(len(p))*100) / 100)
}

// mixture is one dimension as shares that sum to 1.
type mixture struct {
	rows      []schema.NameShare // sorted by name: sums come out the same bits, whatever order the vendor has
	notListed float64
}

// mixtureOf fills what the rows leave of the whole with "not listed", and
// scales them where they hold more than that. Rows without followers are as
// good as none, and make nil.
func mixtureOf(rows []schema.NameShare) *mixture {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b schema.NameShare) int { return strings.Compare(a.Name, b.Name) })
	sum := totalOf(rows)
	if sum <= 0 {
		return nil
	}
	if sum <= 1 {
		return &mixture{rows: rows, notListed: 1 - sum}
	}
	for i := range rows {
		rows[i].Percent /= sum
	}
	return &mixture{rows: rows}
}

// distance is the Jensen-Shannon distance, from 0 to 1. It is symmetric to the
// bit.
func (m *mixture) distance(n *mixture) float64 {
	divergence := divergencePart(m.notListed, n.notListed)
	p, q := m.rows, n.rows
	for len(p) > 0 || len(q) > 0 {
		var order int
		switch {
		case len(q) == 0:
			order = -1
		case len(p) == 0:
			order = 1
		default:
			order = strings.Compare(p[0].Name, q[0].Name)
		}
		var inP, inQ float64
		if order <= 0 {
			inP, p = p[0].Percent, p[1:]
		}
		if order >= 0 {
			inQ, q = q[0].Percent, q[1:]
		}
		divergence += divergencePart(inP, inQ)
	}
	return math.Sqrt(min(max(divergence, 0), 1)) // binary fractions may end a hair outside
}

// divergencePart is what one row adds to the Jensen-Shannon divergence of two
// mixtures that have it with the shares p and q: each one's information against
// the mean of both, halved.
func divergencePart(p, q float64) float64 {
	mean := (p + q) / 2
	return (information(p, mean) + information(q, mean)) / 2
}

// information is p log2(p/mean), which is 0 for no share. The conversion keeps
// processors that could from fusing the product with a sum, which would round
// the two sides of a pair differently.
func information(p, mean float64) float64 {
	if p == 0 {
		return 0
	}
	return float64(p * math.Log2(p/mean))
}

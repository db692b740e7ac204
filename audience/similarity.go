package audience

import (
	"cmp"
	"math"
	"slices"

	"kol-portrait-mcp/schema"
)

// profile is what the similarity compares of one KOL: gender, age groups,
// provinces and interests, each as shares that sum to 1. It takes 1 to 2 KB.
// Cities and devices repeat some of that, in lists that are cut off early.
type profile [4]mixture

var profiled = [len(profile{})]schema.Dimension{
	schema.DimensionGender, schema.DimensionAgeGroups, schema.DimensionProvinces, schema.DimensionInterests,
}

// mixture is one dimension of a profile, sorted by name and with the rest at the
// end. It is empty where the dimension tells nothing.
type mixture struct {
	parts   []part
	entropy float64 // of the shares, in nats
}

// part is what one row holds of a mixture.
type part struct {
	name  string // the entry's key, or an unknown row's name
	share float64
}

// rest is the name of what a list leaves. It comes after all others.
const rest = "\U0010FFFF"

func newProfile(x *Audience) (p profile) {
	for i, of := range profiled {
		l := x.List(of)
		if !l.Tells() || l.listsAll() && l.Sum < wholeSum-rounding { // less would compare how much was sent
			continue
		}
		parts := append(make([]part, 0, len(l.Rows)+1), part{rest, max(0, 1-l.Sum)})
		for _, r := range l.Rows {
			name := r.Name
			if r.of != nil {
				name = r.of.key
			}
			parts = append(parts, part{name, r.Share / max(1, l.Sum)})
		}
		slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.name, b.name) })
		p[i].parts = parts
		for _, part := range parts {
			p[i].entropy += entropyOf(part.share)
		}
	}
	return p
}

// entropyOf is what one share adds to an entropy. The conversion keeps
// processors from fusing the product with a sum, which would round equal
// mixtures differently.
func entropyOf(share float64) float64 {
	if share <= 0 {
		return 0
	}
	return float64(-share * math.Log(share))
}

// similarity tells how alike two profiles are, from 0 to 1, to the last digit
// whichever comes first. It is 1 minus the Jensen-Shannon distance, which is
// the square root of the Jensen-Shannon divergence with logarithms to base 2
// (Endres and Schindelin, A new metric for probability distributions, 2003), on
// average over the dimensions. It is not known where either profile lacks one: an
// average over fewer would compare with nobody's.
func (p *profile) similarity(q *profile) (similarity float64, known bool) {
	for i := range p {
		if len(p[i].parts) == 0 || len(q[i].parts) == 0 {
			return 0, false
		}
		similarity += 1 - p[i].distance(&q[i])
	}
	return similarity / float64(len(p)), true
}

// distance is the Jensen-Shannon distance: the divergence is the entropy of the
// mean of both less the mean of their entropies.
func (m *mixture) distance(n *mixture) float64 {
	var entropy float64
	for i, j := 0, 0; i < len(m.parts); { // both end with the rest
		a, b := m.parts[i], n.parts[j]
		both, order := 0.0, cmp.Compare(a.name, b.name)
		if order <= 0 {
			both += a.share
			i++
		}
		if order >= 0 {
			both += b.share
			j++
		}
		entropy += entropyOf(both / 2)
	}
	divergence := (entropy - (m.entropy+n.entropy)/2) / math.Ln2
	return math.Sqrt(min(1, max(0, divergence)))
}

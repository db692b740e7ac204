package audience

import (
	"math"
	"slices"

	"kol-portrait-mcp/schema"
)

// Fit tells how well the followers match a target audience, with names in lang.
// It is nil for no target audience. Scores are rounded to the two decimals that
// are shown, so that what ranks is what a reader sees.
func (x *Audience) Fit(t *Target, lang schema.Language) *schema.Fit {
	if t == nil {
		return nil
	}
	fit := &schema.Fit{Target: t.Data(lang)}
	var matches []match
	for _, of := range schema.TargetDimensions {
		w := t.wanted[of]
		if w == nil {
			continue
		}
		m := x.match(w.members())
		m.weight = w.weight
		m.hard = of != schema.DimensionInterests && !w.soft
		*fit.Of(of) = m.data(lang)
		matches = append(matches, m)
	}
	fit.Score, fit.ScoreAtMost = scores(matches)
	fit.TargetShare = targetShare(matches)
	return fit
}

// match is one dimension of a target audience beside the followers.
type match struct {
	unknown  bool     // the vendor's lists say nothing of the dimension; the figures are 0 then
	share    float64  // what the chosen entries that are listed hold together
	listed   int      // how many these are; the names that a whole list leaves out are listed with 0
	unlisted []*entry // the other chosen entries
	atMost   float64  // what all of the chosen entries hold at most; share where all are listed
	tgi      *schema.Index

	weight float64 // in the score
	hard   bool    // whether it is in the target share
}

// match matches the chosen entries of one dimension of a target audience, which
// are in the order of the tables. The vendor's rounding may bring a sum beyond
// everybody.
func (x *Audience) match(chosen []*entry) match {
	var m match
	for _, e := range chosen {
		switch share := x.share(e); {
		case share != nil:
			m.share += float64(*share)
			m.listed++
		case x.List(e.dimension).Tells(), isCity(e) && x.List(schema.DimensionProvinces).Tells():
			m.unlisted = append(m.unlisted, e)
		default:
			return match{unknown: true}
		}
	}
	m.share = min(1, m.share)
	m.atMost = min(1, m.share+x.room(m.unlisted))
	m.tgi = x.List(chosen[0].dimension).tgi(chosen...) // nil for provinces and cities together
	return m
}

// room is the most that entries of one dimension of a target audience which are
// not listed can hold together. Provinces hold at most what the listed ones
// leave, and so do cities.
func (x *Audience) room(unlisted []*entry) (room float64) {
	others, cities := unlisted, []*entry(nil)
	if i := slices.IndexFunc(unlisted, isCity); i >= 0 { // after the provinces
		others, cities = unlisted[:i], unlisted[i:]
	}
	if len(others) > 0 {
		l := x.List(others[0].dimension)
		room = min(l.left(), l.most(len(others)))
	}
	here, elsewhere := x.citiesRoom(cities)
	left := x.List(schema.DimensionCities).left()
	if room > 0 { // the provinces may hold all that the listed ones leave
		return room + min(here, left)
	}
	return min(here+min(elsewhere, x.List(schema.DimensionProvinces).left()), left)
}

func (m match) data(lang schema.Language) *schema.Match {
	if m.unknown {
		return &schema.Match{}
	}
	data := &schema.Match{TGI: m.tgi}
	if m.listed > 0 {
		data.MatchedShare = new(schema.Share(m.share))
	}
	if m.unlisted != nil {
		data.AtMost = new(schema.Share(m.atMost))
	}
	for _, e := range m.unlisted {
		data.NotListed = append(data.NotListed, e.label.in(lang))
	}
	return data
}

// scores returns 100 times the weighted geometric mean of the matched shares, and
// of what they are at most where something is not listed in a dimension that has
// a weight. Both are nil where such a dimension has no data. The first is nil
// too where nothing chosen in one of them is listed: 0 is not known there.
func scores(matches []match) (score, atMost *schema.Score) {
	var weights float64
	for _, m := range matches {
		weights += m.weight
	}
	least, most := 1.0, 1.0
	known, open := true, false
	for _, m := range matches {
		if m.weight == 0 {
			continue
		}
		if m.unknown {
			return nil, nil
		}
		least *= math.Pow(m.share, m.weight/weights)
		most *= math.Pow(m.atMost, m.weight/weights)
		known = known && m.listed > 0
		open = open || m.unlisted != nil
	}
	if known {
		score = new(schema.Score(decimals(100*least, 2)))
	}
	if open {
		atMost = new(schema.Score(decimals(100*most, 2)))
	}
	return score, atMost
}

// decimals rounds v to n decimals, and first to what binary fractions are sure
// of, so that half a decimal goes the same way however v was computed.
func decimals(v float64, n int) float64 {
	sure := math.Round(v/rounding) * rounding
	unit := math.Pow10(n)
	return math.Round(sure*unit) / unit
}

// targetShare returns the share of the followers who meet all hard dimensions.
// The vendor does not cross dimensions, so that only the matched shares p1..pk
// are known. Whatever the dependence between them, what they have in common
// holds
//
//	max(0, p1+...+pk - (k-1)) <= all <= min(p1, ..., pk)
//
// which are the Fréchet-Hoeffding bounds, and p1*...*pk if there is none. A
// dimension without data may hold nobody or everybody, and leaves no estimate.
// The result is nil where no hard dimension has data.
func targetShare(matches []match) *schema.TargetShare {
	hard, unknown := 0, 0
	estimate, upTo, sum, atMost := 1.0, 1.0, 0.0, 1.0
	estimated, open := true, false
	for _, m := range matches {
		if !m.hard {
			continue
		}
		hard++
		estimated = estimated && m.listed > 0
		if m.unknown {
			unknown++
			continue
		}
		open = open || m.unlisted != nil
		estimate *= m.share
		upTo *= m.atMost
		sum += m.share
		atMost = min(atMost, m.atMost)
	}
	if hard == unknown {
		return nil
	}
	atLeast := sum - float64(hard-1)
	if atLeast < rounding {
		atLeast = 0
	}
	t := &schema.TargetShare{AtMost: schema.Share(atMost)}
	if estimated {
		t.Estimate = new(schema.Share(estimate))
		if open {
			t.EstimateAtMost = new(schema.Share(upTo))
		}
		atMost = estimate // a sum loses more in its last digits than a product
	}
	t.AtLeast = schema.Share(min(atLeast, atMost))
	return t
}

package audience

import (
	"cmp"
	"slices"

	"kol-portrait-mcp/schema"
)

const (
	rowsShown = 3     // of each list of a Summary: more of them are a call for the distributions themselves
	highTGI   = 120   // from which a TGI stands out
	lowTGI    = 80    // down from which it does
	populous  = 0.005 // of the baseline's people, that a province needs to stand out: a few followers decide the TGI of a smaller one
)

// Summary returns what the followers amount to, with names in lang. It has no
// sentences: Headline and Insights are empty. What is not known is absent. The caller
// must not change what it holds.
func (x *Audience) Summary(lang schema.Language) schema.Summary {
	if lang == schema.Chinese {
		return x.chinese()
	}
	return x.english()
}

func (x *Audience) summary(lang schema.Language) schema.Summary {
	high, low := x.standOut(lang)
	first, _ := x.tier(tier1)
	newFirst, _ := x.tier(newTier1)
	return schema.Summary{
		Gender:            x.gender(),
		Age:               x.age(lang),
		TopInterests:      x.top(schema.DimensionInterests, lang),
		TopProvinces:      x.top(schema.DimensionProvinces, lang),
		TopCities:         x.top(schema.DimensionCities, lang),
		TopDevices:        x.top(schema.DimensionDevices, lang),
		HighProvinces:     high,
		LowProvinces:      low,
		Tier1CityShare:    first,
		NewTier1CityShare: newFirst,
		OverseasShare:     x.share(known().entry(schema.DimensionProvinces, overseasKey)),
		Regions:           x.regions(lang),
	}
}

func (x *Audience) gender() *schema.GenderSplit {
	female, male := known().entry(schema.DimensionGender, schema.Female), known().entry(schema.DimensionGender, schema.Male)
	split := schema.GenderSplit{Female: x.share(female), Male: x.share(male), TGI: x.List(schema.DimensionGender).tgi(female)}
	if split == (schema.GenderSplit{}) {
		return nil
	}
	return &split
}

// age returns the age dimension, or nil where the largest group is not known: an
// unknown row, or what all rows leave, may hold more. Of equal groups the younger
// one counts as the largest.
func (x *Audience) age(lang schema.Language) *schema.AgeSummary {
	l := x.List(schema.DimensionAgeGroups)
	if len(l.known) == 0 {
		return nil
	}
	core := slices.MaxFunc(l.known, func(a, b Row) int { return cmp.Compare(a.Share, b.Share) })
	if core.Share <= 0 || len(l.unknownShares) > 0 && l.unknownShares[0] > core.Share || 1-l.Sum > core.Share+rounding {
		return nil
	}
	return &schema.AgeSummary{
		CoreGroup:   core.of.label.in(lang),
		CoreShare:   schema.Share(core.Share),
		MedianYears: l.median(),
		MinorShare:  x.share(known().entry(schema.DimensionAgeGroups, schema.AgeGroups[0])),
	}
}

// median returns the age in years that half of the followers are younger than,
// taking ages within a group as evenly spread: the median of grouped data by
// linear interpolation. It is nil where it falls in the youngest or the oldest
// group, which are open at one end, and where a group has no row or the list is
// not whole.
func (l *List) median() *schema.Years {
	if !l.Whole || len(l.known) < len(ageStarts) {
		return nil
	}
	half := l.Sum / 2
	var younger float64
	for i, row := range l.known {
		if row.Share > 0 && younger+row.Share >= half {
			if i == 0 || i == len(ageStarts)-1 {
				return nil
			}
			from, to := float64(ageStarts[i]), float64(ageStarts[i+1])
			return new(schema.Years(from + (to-from)*(half-younger)/row.Share))
		}
		younger += row.Share
	}
	return nil
}

// top returns the largest rows of a dimension, equals in the vendor's order.
// Overseas and followers of an unknown province are no provinces.
func (x *Audience) top(of schema.Dimension, lang schema.Language) []schema.RankedShare {
	l := x.List(of)
	if !l.Tells() {
		return nil
	}
	rows := slices.Clone(l.Rows)
	rows = slices.DeleteFunc(rows, func(r Row) bool {
		return r.Share <= 0 || of == schema.DimensionProvinces && r.of != nil && r.of.region == nil
	})
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(b.Share, a.Share) })
	return ranked(rows, lang)
}

// ranked names the first few rows.
func ranked(rows []Row, lang schema.Language) []schema.RankedShare {
	var shares []schema.RankedShare
	for _, r := range rows[:min(rowsShown, len(rows))] {
		shares = append(shares, schema.RankedShare{Name: r.In(lang), Share: schema.Share(r.Share), TGI: r.TGI})
	}
	return shares
}

// standOut returns the provinces with the highest TGI, highest first, and those
// with the lowest, lowest first.
func (x *Audience) standOut(lang schema.Language) (high, low []schema.RankedShare) {
	l := x.List(schema.DimensionProvinces)
	var above, below []Row
	for _, r := range l.Rows {
		if r.TGI == nil || r.of.region == nil {
			continue
		}
		switch there, _ := l.reference.row(r.of); {
		case there < populous*l.reference.Sum:
		case *r.TGI >= highTGI-rounding:
			above = append(above, r)
		case *r.TGI <= lowTGI+rounding:
			below = append(below, r)
		}
	}
	slices.SortStableFunc(above, func(a, b Row) int { return cmp.Compare(*b.TGI, *a.TGI) })
	slices.SortStableFunc(below, func(a, b Row) int { return cmp.Compare(*a.TGI, *b.TGI) })
	return ranked(above, lang), ranked(below, lang)
}

// regions sums the provinces by region, largest first, without TGI; nil where the
// provinces are not known well enough. Followers overseas or in an unknown province
// are in none.
func (x *Audience) regions(lang schema.Language) []schema.RankedShare {
	var regions []schema.RankedShare
	l := x.List(schema.DimensionProvinces)
	if l.recognised() < wholeSum-rounding {
		return nil
	}
	for _, row := range l.known {
		if row.of.region == nil {
			continue
		}
		name := row.of.region.in(lang)
		i := slices.IndexFunc(regions, func(r schema.RankedShare) bool { return r.Name == name })
		if i < 0 {
			i = len(regions)
			regions = append(regions, schema.RankedShare{Name: name})
		}
		regions[i].Share += schema.Share(row.Share)
	}
	slices.SortStableFunc(regions, func(a, b schema.RankedShare) int { return cmp.Compare(b.Share, a.Share) })
	return regions
}

package audience

import "kol-portrait-mcp/schema"

// Summarize returns what the distributions amount to, with sentences and names
// in lang; any language but Chinese gives English. What is not known is
// absent. Nil distributions are those that say nothing.
//
// Tiers of cities and regions are those of Chinese marketing; the tables under
// names say whose and of which day.
func (a *Analyst) Summarize(d *schema.Distributions, lang schema.Language) schema.Summary {
	p := read(a.facts(), d, lang)
	return schema.Summary{
		Headline:          p.headline(),
		Insights:          p.insights(),
		Gender:            summarizeGender(p.gender),
		Age:               summarizeAges(p.ages),
		TopInterests:      top(p.interests),
		TopProvinces:      top(p.provinces),
		TopCities:         top(p.cities),
		TopDevices:        top(p.devices),
		Tier1CityShare:    p.tier1.share,
		NewTier1CityShare: p.newTier1.share,
		OverseasShare:     p.overseas,
		Regions:           p.regions,
	}
}

// portrait is distributions made ready for sentences: named in one language,
// sorted and summed, and not rounded, since sentences round for themselves.
type portrait struct {
	lang     schema.Language
	baseline baseline

	gender     schema.GenderSplit
	women, men *schema.Index
	ages       ages

	// Largest first, and all but regions without rows that hold nobody.
	interests, provinces, cities, devices, regions []schema.RankedShare

	ageGroups []schema.RankedShare // largest first, under the vendor's names

	tier1, newTier1 tierShare

	overseas, apple *schema.Share
}

func read(f *facts, d *schema.Distributions, lang schema.Language) *portrait {
	if d == nil {
		d = &schema.Distributions{}
	}
	genders, ageGroups := f.measure(schema.DimensionGender, d), f.measure(schema.DimensionAgeGroups, d)
	p := &portrait{
		lang:      lang,
		baseline:  f.baseline,
		women:     genders.index(schema.Female),
		men:       genders.index(schema.Male),
		ages:      ages{rows: d.Ages},
		interests: f.ranked(schema.DimensionInterests, d.Interests, f.measure(schema.DimensionInterests, d), lang),
		provinces: f.ranked(schema.DimensionProvinces, d.Provinces, f.measure(schema.DimensionProvinces, d), lang),
		cities:    f.ranked(schema.DimensionCities, d.Cities, f.measure(schema.DimensionCities, d), lang),
		devices:   f.rankedDevices(d.Devices, f.measure(schema.DimensionDevices, d), lang),
		regions:   f.regions(d.Provinces, lang),
		tier1:     f.tierShare(tier1, d),
		newTier1:  f.tierShare(newTier1, d),
		apple:     f.appleShare(d.Devices),
	}
	if d.Gender != nil {
		p.gender = schema.GenderSplit{Female: shareOrNil(d.Gender.Female), Male: shareOrNil(d.Gender.Male)}
	}
	for _, row := range d.Ages {
		p.ageGroups = append(p.ageGroups, schema.RankedShare{Name: row.Group, Share: schema.Share(row.Percent), TGI: ageGroups.index(row.Group)})
	}
	sortLargestFirst(p.ageGroups)
	if share, listed := shareOf(d.Provinces, overseas); listed {
		p.overseas = new(schema.Share(share))
	}
	return p
}

// measure sets a dimension of the distributions beside the baseline, if there
// is one for it.
func (f *facts) measure(of schema.Dimension, d *schema.Distributions) measure {
	if len(f.baseline[of].people) == 0 {
		return measure{}
	}
	return f.baseline.measure(of, f.rows(of, d))
}

// shareOrNil is the share where there is one.
func shareOrNil(share *float64) *schema.Share {
	if share == nil {
		return nil
	}
	return new(schema.Share(*share))
}

// summarizeGender returns the gender dimension of a Summary, or nil where
// neither share is known.
func summarizeGender(g schema.GenderSplit) *schema.GenderSplit {
	if g.Male == nil && g.Female == nil {
		return nil
	}
	return &g
}

// appleShare returns the share of Apple's devices, which may come under more
// than one spelling, or nil without such a row.
func (f *facts) appleShare(rows []schema.DeviceShare) *schema.Share {
	var share *schema.Share
	for _, row := range rows {
		if f.devices[brand(row)].en != "Apple" {
			continue
		}
		if share == nil {
			share = new(schema.Share)
		}
		*share += schema.Share(row.Percent)
	}
	return share
}

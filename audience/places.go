package audience

import (
	"slices"

	"kol-portrait-mcp/schema"
)

// tierShare is what a tier's cities hold together.
type tierShare struct {
	share *schema.Share // nil where it is not known
	exact bool          // whether all of them are listed; else it is a lower bound
}

// tierShare returns the share of a tier's cities together. The list of cities
// is cut off after the largest, and only the rows that are there count. A
// municipality is looked up among the provinces first, where its share is always
// listed. Without any row, or where places hold more than everybody, it is not
// known.
func (f *facts) tierShare(tier string, d *schema.Distributions) tierShare {
	if overfullNames(d.Provinces) || overfullNames(d.Cities) {
		return tierShare{}
	}
	var shares []float64
	for _, c := range f.tiers[tier] {
		if share, listed := f.cityShare(c, d); listed {
			shares = append(shares, share)
		}
	}
	if shares == nil {
		return tierShare{}
	}
	return tierShare{share: new(schema.Share(sum(shares))), exact: len(shares) == len(f.tiers[tier])}
}

// words is the share in a sentence.
func (t tierShare) words(lang schema.Language) string {
	if t.exact {
		return say(lang, "%s", " %s", Percent(*t.share)) // Chinese sets a space before a digit
	}
	return say(lang, "at least %s", "至少 %s", Percent(*t.share))
}

func (f *facts) cityShare(city string, d *schema.Distributions) (float64, bool) {
	if f.municipality(city) {
		if share, listed := shareOf(d.Provinces, city); listed {
			return share, true
		}
	}
	return shareOf(d.Cities, city)
}

// municipality tells whether a city is a province at the same time, so that the
// list of provinces, which is not cut off, has its share too. A city may have
// the name of its province and be one of several there: 吉林.
func (f *facts) municipality(city string) bool {
	return slices.Equal(f.cities[city], []string{city})
}

// regions sums the provinces by region, largest first, named in lang. Rows that
// are not known provinces are in no region; where provinces hold more than
// everybody there is none.
func (f *facts) regions(provinces []schema.NameShare, lang schema.Language) []schema.RankedShare {
	if overfullNames(provinces) {
		return nil
	}
	var regions []schema.RankedShare
	at := map[string]int{}
	for _, row := range provinces {
		region, known := f.regionOf[row.Name]
		if !known {
			continue
		}
		i, begun := at[region]
		if !begun {
			i = len(regions)
			at[region] = i
			regions = append(regions, schema.RankedShare{Name: f.regionNames[region].in(lang)})
		}
		regions[i].Share += schema.Share(row.Percent)
	}
	sortLargestFirst(regions)
	return regions
}

// provinceKnown tells whether the tables have the vendor's name for a
// province, overseas and an unknown province included.
func (f *facts) provinceKnown(name string) bool {
	_, known := f.names[schema.DimensionProvinces][name]
	return known
}

// ranked names the rows of a dimension in lang, with their indexes, and sorts
// them.
func (f *facts) ranked(of schema.Dimension, rows []schema.NameShare, m measure, lang schema.Language) []schema.RankedShare {
	var named []schema.RankedShare
	for _, row := range rows {
		if of == schema.DimensionProvinces && !place(row.Name) {
			continue
		}
		named = append(named, schema.RankedShare{
			Name:  f.name(of, row.Name, lang),
			Share: schema.Share(row.Percent),
			TGI:   m.index(row.Name),
		})
	}
	return leaders(named)
}

// rankedDevices names the devices in lang, with the indexes of their brands, and
// sorts them.
func (f *facts) rankedDevices(rows []schema.DeviceShare, m measure, lang schema.Language) []schema.RankedShare {
	var named []schema.RankedShare
	for _, row := range rows {
		named = append(named, schema.RankedShare{
			Name:  f.device(row, lang),
			Share: schema.Share(row.Percent),
			TGI:   m.index(f.device(row, schema.English)),
		})
	}
	return leaders(named)
}

// place tells whether a row among the provinces is one.
func place(province string) bool {
	return province != overseas && province != domestic
}

package audience

import (
	"cmp"
	"slices"

	"kol-portrait-mcp/schema"
)

// listing is the list that the shares of a dimension are taken from.
type listing struct {
	index  schema.Dimension   // whose baseline they compare with: a city may be read off the provinces
	rows   []schema.NameShare // smallest first; none where nothing usable was sent
	cutOff bool               // whether rows are missing: the vendor left them out, or they had no usable figure
	ceil   float64            // no row that is missing holds more
	own    bool               // whether the vendor's own list of the dimension is in the rows
}

// tells tells whether anything is known, given how many of the selected names
// have a row. Four municipalities read off the provinces tell nothing of other
// cities.
func (l listing) tells(listed int) bool { return l.own || listed > 0 }

// whole tells whether the rows are everybody.
func (l listing) whole() bool { return len(l.rows) > 0 && !l.cutOff && l.room(1) == 0 }

// room is the most that names without a row can hold together: no more than
// the rows leave, and each no more than the smallest row where the vendor cut
// the list off after its largest.
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
		return f.cityListing(names, rows, d)
	}
	l := listing{index: of, rows: rows, ceil: 1, own: len(rows) > 0}
	l.cutOff = d.LeftOut[of] > 0 || !whole(totalOf(rows))
	if len(rows) > 0 && !complete(of) && d.LeftOut[of] == 0 {
		l.ceil = rows[0].Percent
	}
	return l
}

// cityListing returns the list in which cities are looked up. The list of
// cities is always cut off, the one of provinces is not: a city that is a
// province has its row there, and where all of the cities do, no other list is
// looked at.
func (f *facts) cityListing(names []string, cities []schema.NameShare, d *schema.Distributions) listing {
	provinces := usable(d.Provinces)
	municipal := keep(provinces, func(row schema.NameShare) bool { return f.municipality(row.Name) })
	if !slices.ContainsFunc(names, func(name string) bool { return !has(municipal, name) }) {
		return listing{
			index: f.municipalIndex(), rows: provinces,
			cutOff: d.LeftOut[schema.DimensionProvinces] > 0 || !whole(totalOf(provinces)), ceil: 1, own: true,
		}
	}
	others := keep(cities, func(row schema.NameShare) bool { return !has(municipal, row.Name) })
	l := listing{
		index: schema.DimensionCities, rows: usable(slices.Concat(municipal, others)),
		cutOff: true, ceil: 1,
	}
	if l.rows != nil && len(cities) > 0 {
		l.own = true
		if d.LeftOut[schema.DimensionCities] == 0 {
			l.ceil = cities[0].Percent
		}
	}
	return l
}

// municipalIndex is the dimension whose baseline cities compare with that are
// provinces: their own where the user brought one, so that a city has one index
// wherever it is shown, and else the one of provinces.
func (f *facts) municipalIndex() schema.Dimension {
	if len(f.baseline[schema.DimensionCities].people) > 0 {
		return schema.DimensionCities
	}
	return schema.DimensionProvinces
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

package audience

import (
	"cmp"
	"math"
	"slices"

	"kol-portrait-mcp/schema"
)

// Key returns what names the row in every language: the vendor's own name, of a
// thing that has several the first in the tables.
func (r Row) Key() string {
	if r.of != nil {
		return r.of.key
	}
	return r.Name
}

// Tier returns the tier of a city, tier1 or new-tier1; empty of any other row.
func (r Row) Tier() string {
	for _, tier := range [...]string{tier1, newTier1} {
		if r.of != nil && isCity(r.of) && slices.Contains(known().lexicons[schema.DimensionPlaces].find(tier).members, r.of.counted()) {
			return tier
		}
	}
	return ""
}

// Sorted returns the rows as a reader wants them: genders and age groups in the
// order of the tables with unknown ones last, others by share, largest first and
// equals in the vendor's order.
func (l *List) Sorted() []Row {
	rows := slices.Clone(l.Rows)
	slices.SortStableFunc(rows, func(a, b Row) int {
		if l.of == schema.DimensionGender || l.of == schema.DimensionAgeGroups {
			return cmp.Compare(a.place(), b.place())
		}
		return cmp.Compare(b.Share, a.Share)
	})
	return rows
}

// place is the row's in the order of the tables.
func (r Row) place() int {
	if r.of == nil {
		return math.MaxInt
	}
	return r.of.index
}

// Has reports whether the target audience names what the row stands for, as a
// must or a plus, itself or in a group; a city also by its province. A nil Target
// names nothing.
func (t *Target) Has(r Row) bool {
	if t == nil || r.of == nil {
		return false
	}
	of := r.of.dimension
	if of == schema.DimensionProvinces || of == schema.DimensionCities {
		of = schema.DimensionPlaces
	}
	w := t.wanted[of]
	return w != nil && slices.ContainsFunc(w.choices, func(c *choice) bool {
		return slices.ContainsFunc(c.members, func(e *entry) bool {
			return e.counted() == r.of.counted() || r.of.province != nil && e == r.of.province
		})
	})
}

// Shares are what each of TableRows holds, NaN where that is not known. Some 400
// bytes of a KOL are kept, of thousands: pointers would take three times as much.
type Shares struct {
	Gender, Ages, Provinces []float64
}

func (x *Audience) shares() Shares {
	of := func(dimension schema.Dimension) []float64 {
		rows := TableRows(dimension)
		shares := make([]float64, len(rows))
		for i, r := range rows {
			shares[i] = float64(*cmp.Or(x.share(r.of), new(schema.Share(math.NaN()))))
		}
		return shares
	}
	return Shares{of(schema.DimensionGender), of(schema.DimensionAgeGroups), of(schema.DimensionProvinces)}
}

// TableRows returns all names of one of schema.Dimensions, as rows without figures, in
// the order of the tables.
func TableRows(of schema.Dimension) []Row {
	var rows []Row
	for _, c := range known().lexicons[of].choices {
		rows = append(rows, Row{Row: schema.Row{Name: c.members[0].key}, of: c.members[0]})
	}
	return rows
}

package audience

import (
	"fmt"
	"maps"
	"strconv"

	"kol-portrait-mcp/schema"
)

// baseline is what an index compares with, by dimension.
type baseline map[schema.Dimension]yardstick

// yardstick is one dimension of a baseline.
type yardstick struct {
	// people is how much of the population each name of facts.rows holds: a
	// count, or a share.
	people map[string]float64
	// total is the sum of people.
	total float64
	// configured is set where the user brought the figures.
	configured bool
}

// census returns the baseline of China's 2020 census: 31 provinces, and gender.
func census() baseline {
	return baseline{
		schema.DimensionProvinces: population("census-provinces.csv", "province"),
		schema.DimensionGender:    population("census-gender.csv", "gender"),
	}
}

func population(name, of string) yardstick {
	y := yardstick{people: map[string]float64{}}
	for _, row := range table(name, of, "population") {
		n, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			panic(fmt.Sprintf("audience: table %s: %v", name, err))
		}
		y.people[row[0]] = n
		y.total += n
	}
	return y
}

// under returns b with the dimensions of the user's own baseline, if there is
// one, in place of its own.
func (b baseline) under(own *Baseline) baseline {
	if own == nil {
		return b
	}
	both := maps.Clone(b)
	maps.Copy(both, own.dimensions)
	return both
}

// against says in a sentence what an index of the dimension compares with.
func (b baseline) against(of schema.Dimension, lang schema.Language) string {
	if b[of].configured {
		return say(lang, "against the configured baseline", "对比自定义基准")
	}
	return say(lang, "against the 2020 census", "对比 2020 年人口普查")
}

// index returns the TGI of the named rows of a dimension together: their share
// in the audience by their share in the baseline, times 100.
//
// It is nil where the audience or the baseline has no row for one of the names,
// or the audience's shares cannot be right.
func (b baseline) index(of schema.Dimension, names []string, rows []schema.NameShare) *schema.Index {
	return b.measure(of, rows).index(names...)
}

// measure sets the rows of an audience beside the baseline.
//
// Where the vendor lists all of a dimension and the baseline is of everybody
// too, both shares are taken among the rows that the baseline has, so that the
// baseline's own mean is 100: followers overseas change nothing for a province.
// An audience whose rows leave somebody out has no index then. Where either
// list is cut off, a share is one of everybody.
func (b baseline) measure(of schema.Dimension, rows []schema.NameShare) measure {
	m := measure{people: b[of].people, listed: make(map[string]float64, len(b[of].people)), audience: 1, population: 1}
	var everybody, inBoth float64
	for _, row := range rows {
		everybody += row.Percent
		if _, known := m.people[row.Name]; known {
			m.listed[row.Name] += row.Percent
			inBoth += row.Percent
		}
	}
	if overfull(everybody) {
		return measure{}
	}
	if complete(of) && whole(b[of].total) {
		if !whole(everybody) {
			return measure{}
		}
		m.audience, m.population = inBoth, b[of].total
	}
	return m
}

// measure is a dimension of an audience beside a baseline. The zero measure has
// no index.
type measure struct {
	listed, people       map[string]float64 // the audience's share and the baseline's people, by name
	audience, population float64            // all that they are parts of
}

// index returns the TGI of the named rows together, or nil where one of them is
// not known.
func (m measure) index(names ...string) *schema.Index {
	var share, expected float64
	for _, name := range names {
		percent, known := m.listed[name]
		if !known {
			return nil
		}
		share += percent
		expected += m.people[name]
	}
	if m.audience <= 0 || expected <= 0 {
		return nil
	}
	return new(schema.Index(share / m.audience / (expected / m.population) * 100))
}

// complete tells whether the vendor lists all of a dimension, and not only the
// largest rows.
func complete(of schema.Dimension) bool {
	return of == schema.DimensionGender || of == schema.DimensionAgeGroups || of == schema.DimensionProvinces
}

// whole tells whether the sum of a list is everybody, within rounding: shares
// that make up one, or a count of people.
func whole(sum float64) bool {
	return sum >= 1-sumTolerance-rounding
}

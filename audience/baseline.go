package audience

import (
	"fmt"
	"strconv"

	"kol-portrait-mcp/schema"
)

// baseline is what an index compares with: by dimension and name, as facts.rows
// has them, how much of the population each holds, in whatever unit.
type baseline map[schema.Dimension]map[string]float64

// census returns the baseline of China's 2020 census: 31 provinces, and gender.
func census() baseline {
	return baseline{
		schema.DimensionProvinces: population("census-provinces.csv", "province"),
		schema.DimensionGender:    population("census-gender.csv", "gender"),
	}
}

func population(name, of string) map[string]float64 {
	people := map[string]float64{}
	for _, row := range table(name, of, "population") {
		n, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			panic(fmt.Sprintf("audience: table %s: %v", name, err))
		}
		people[row[0]] = n
	}
	return people
}

// index returns the TGI of the named rows of a dimension together: their share
// in the audience by their share in the baseline, times 100. Where the vendor
// lists all of a dimension, both shares are taken among the rows that the
// baseline has, so that the baseline's own mean is 100: followers overseas
// change nothing for a province. Where it cuts the list off, a share is one of
// all followers.
//
// It is nil where the audience or the baseline has no row for one of the names,
// or the audience's shares cannot be right.
func (b baseline) index(of schema.Dimension, names []string, rows []schema.NameShare) *schema.Index {
	people := b[of]
	listed := map[string]float64{}
	var inAudience, everybody float64
	for _, row := range rows {
		everybody += row.Percent
		if _, known := people[row.Name]; known {
			listed[row.Name] += row.Percent
			inAudience += row.Percent
		}
	}
	var inBaseline float64
	for _, n := range people {
		inBaseline += n
	}
	var share, expected float64
	for _, name := range names {
		percent, known := listed[name]
		if !known {
			return nil
		}
		share += percent
		expected += people[name]
	}
	if !complete(of) {
		inAudience = 1
		inBaseline = 1
	}
	if overfull(everybody) || inAudience <= 0 || expected <= 0 {
		return nil
	}
	return new(schema.Index(share / inAudience / (expected / inBaseline) * 100))
}

// complete tells whether the vendor lists all of a dimension, and not only the
// largest rows.
func complete(of schema.Dimension) bool {
	return of == schema.DimensionGender || of == schema.DimensionAgeGroups || of == schema.DimensionProvinces
}

package audience

import (
	"cmp"
	"slices"

	"kol-portrait-mcp/schema"
)

// rounding is more than what binary fractions lose in a sum of shares, and
// less than any difference that counts.
const rounding = 1e-9

// indexRounding is the same for an index.
const indexRounding = 100 * rounding

// sumTolerance is how far off a sum of shares may be before it is more than
// the vendor's rounding: two points.
const sumTolerance = 0.02

// overfull tells that shares which sum to this much cannot all be right: they
// hold more than everybody. What is made of them would be no better.
func overfull(sum float64) bool {
	return sum > 1+sumTolerance+rounding
}

// overfullNames is overfull for the rows of a dimension.
func overfullNames(rows []schema.NameShare) bool {
	return overfull(totalOf(rows))
}

func sum(shares []float64) float64 {
	var total float64
	for _, share := range shares {
		total += share
	}
	return total
}

// total is the sum of all rows.
func total[Row any](rows []Row, share func(Row) float64) float64 {
	var total float64
	for _, row := range rows {
		total += share(row)
	}
	return total
}

// totalOf is total for the rows of a dimension.
func totalOf(rows []schema.NameShare) float64 {
	return total(rows, func(row schema.NameShare) float64 { return row.Percent })
}

// shareOf returns the share of the row with the vendor's name, and whether
// there is one.
func shareOf(rows []schema.NameShare, name string) (float64, bool) {
	i := slices.IndexFunc(rows, func(row schema.NameShare) bool { return row.Name == name })
	if i < 0 {
		return 0, false
	}
	return rows[i].Percent, true
}

// sortLargestFirst sorts rows by share; equals stay in the vendor's order.
func sortLargestFirst(rows []schema.RankedShare) {
	slices.SortStableFunc(rows, func(a, b schema.RankedShare) int { return cmp.Compare(b.Share, a.Share) })
}

// leaders returns the rows, largest first, without those that hold nobody:
// they lead no list.
func leaders(rows []schema.RankedShare) []schema.RankedShare {
	rows = slices.DeleteFunc(rows, func(row schema.RankedShare) bool { return row.Share <= 0 })
	sortLargestFirst(rows)
	return rows
}

// rowsShown is how many of a dimension's largest rows are shown. More of them
// are a call for the distributions themselves.
const rowsShown = 3

// top returns the rows of a sorted list that are shown.
func top(rows []schema.RankedShare) []schema.RankedShare {
	return rows[:min(rowsShown, len(rows))]
}

package audience

import (
	"cmp"
	"math"
	"slices"

	"kol-portrait-mcp/schema"
)

const (
	movedBy   = 0.01 // how far a share must move to be told: what moves less is as likely the vendor's estimate as the audience
	movesKept = 5    // how many moves of a dimension a Change has
)

// Change returns what moved since an older Audience of the same KOL, whose day
// is asOf, with names in lang. It is nil for no older one.
func (x *Audience) Change(older *Audience, asOf string, lang schema.Language) *schema.Change {
	if older == nil {
		return nil
	}
	moves := func(of schema.Dimension) []schema.Move { return moved(x.List(of), older.List(of), lang) }
	return &schema.Change{
		AsOf:      asOf,
		Gender:    moves(schema.DimensionGender),
		Ages:      moves(schema.DimensionAgeGroups),
		Provinces: moves(schema.DimensionProvinces),
		Cities:    moves(schema.DimensionCities),
		Interests: moves(schema.DimensionInterests),
		Devices:   moves(schema.DimensionDevices),
	}
}

// moved returns the largest moves of a dimension's rows, largest first; equals
// in the vendor's order, and those of rows that only the older list has last.
func moved(now, older *List, lang schema.Language) []schema.Move {
	if !now.Tells() || !older.Tells() {
		return nil
	}
	var moves []schema.Move
	add := func(r Row, by float64, atLeast bool) {
		if math.Abs(by) >= movedBy-rounding {
			moves = append(moves, schema.Move{Name: r.In(lang), Points: decimals(100*by, 7), AtLeast: atLeast}) // binary fractions must not decide the order
		}
	}
	for _, r := range now.Rows {
		by, atLeast := older.exceededBy(r)
		add(r, by, atLeast)
	}
	for _, r := range older.Rows {
		if _, listed := now.same(r); !listed {
			by, atLeast := now.exceededBy(r)
			add(r, -by, atLeast)
		}
	}
	slices.SortStableFunc(moves, func(a, b schema.Move) int { return cmp.Compare(math.Abs(b.Points), math.Abs(a.Points)) })
	moves = moves[:min(movesKept, len(moves))]
	for i := range moves {
		moves[i].Points = decimals(moves[i].Points, 1)
	}
	return moves
}

// same returns the share of the row for the same thing as another list's row, and
// whether there is one. Unknown rows are the same by their names.
func (l *List) same(r Row) (share float64, listed bool) {
	for _, own := range l.Rows {
		if own.of == r.of && (r.of != nil || own.Name == r.Name) {
			return own.Share, true
		}
	}
	return 0, false
}

// exceededBy returns how far the share of another list's row lies above the same
// row's here, and whether that is a lower bound. Without a row here that is how
// far it lies above what it can hold, or 0 where that is not known: an unknown
// row may be here under another name.
func (l *List) exceededBy(r Row) (by float64, atLeast bool) {
	share, listed := l.same(r)
	switch {
	case listed, r.of != nil && l.Whole:
		return r.Share - share, false
	case r.of == nil:
		return 0, false
	default:
		return max(0, r.Share-l.most(1)), true
	}
}

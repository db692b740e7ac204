// Package audience is the arithmetic on a KOL's distributions: what each
// dimension can tell, the index, how well followers fit a target audience, what
// moved, and how alike two audiences are. It does no I/O, knows no clock, and
// writes no sentences: those are package report's.
package audience

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sync"

	"kol-portrait-mcp/schema"
)

const (
	rounding    = 1e-9 // more than binary fractions lose in a sum of shares, less than any difference that counts
	overfullSum = 1.02 // the most that shares may sum to: everybody, and two points of the vendor's rounding
	wholeSum    = 0.95 // the least that the shares of a whole list sum to
)

// Analyst reads distributions and target audiences. It is safe for concurrent
// use.
type Analyst struct {
	references func() map[schema.Dimension]*List
}

// New returns an Analyst whose index compares with a user's own baseline where
// that has a dimension, and else with the built-in ones. own may be nil. The tables
// are read when they are first needed: that would be a third of the start.
func New(own *Baseline) *Analyst {
	return &Analyst{sync.OnceValue(func() map[schema.Dimension]*List {
		references := builtIn()
		if own != nil {
			maps.Copy(references, own.references)
		}
		return references
	})}
}

// Audience is a KOL's followers: the vendor's distributions with their rows
// recognised. What a dimension can tell is decided here once, for every figure
// that is made of it. An Audience does not change, and is safe for concurrent use.
type Audience struct {
	lists            map[schema.Dimension]*List
	english, chinese func() schema.Summary // each made once: every call needs one
}

// Audience reads distributions.
func (a *Analyst) Audience(d *schema.Distributions) *Audience {
	x := &Audience{lists: make(map[schema.Dimension]*List, len(schema.Dimensions))}
	x.english = sync.OnceValue(func() schema.Summary { return x.summary(schema.English) })
	x.chinese = sync.OnceValue(func() schema.Summary { return x.summary(schema.Chinese) })
	for _, of := range schema.Dimensions {
		x.lists[of] = newList(of, d.Rows[of], d.LeftOut[of])
	}
	if x.citiesExceedProvince() {
		cities := x.lists[schema.DimensionCities]
		cities.Overfull, cities.known = true, nil
	}
	references := a.references()
	for of, l := range x.lists {
		l.compareWith(references[of])
	}
	return x
}

// List returns one of schema.Dimensions; places, which are none, have an empty
// List. The caller must not change it.
func (x *Audience) List(of schema.Dimension) *List {
	if l := x.lists[of]; l != nil {
		return l
	}
	return &List{}
}

// share returns what an entry holds, nil where that is not known: it has no row,
// and its list is not whole. A municipality without a row among the provinces may
// have one among the cities.
func (x *Audience) share(e *entry) *schema.Share {
	l := x.List(e.dimension)
	share, known := l.row(e)
	if !known && e.dimension == schema.DimensionProvinces {
		for _, city := range x.List(schema.DimensionCities).known {
			if city.of.counted() == e {
				share, known = city.Share, true
			}
		}
	}
	if !known && !l.Whole {
		return nil
	}
	return new(schema.Share(share))
}

// List is one dimension of an Audience.
type List struct {
	Rows     []Row    // the vendor's in its order; two rows of one thing are one, in the first's place
	Sum      float64  // of all rows
	LeftOut  int      // rows without a usable name or figure
	Unknown  []string // the vendor's names that nothing is known by
	Overfull bool     // the rows hold more than everybody, or cities more than their province; no figure is made of them
	Whole    bool     // of gender, age groups and provinces: a name without a row is nobody

	of            schema.Dimension
	known         []Row     // the recognised rows, without TGI, in the order of the tables: sums do not depend on the vendor's. None where the list tells nothing
	unknownShares []float64 // the other rows', largest first

	reference *List   // what its TGIs compare with; nil where it has none
	audience  float64 // what the shares of a TGI are parts of, here
	baseline  float64 // and in the reference
	source    Source  // of a reference
}

// Row is one row of a List.
type Row struct {
	schema.Row
	TGI *schema.Index // nil where it has none
	of  *entry        // nil where nothing is known by its name
}

// In returns what a reader calls the row: of an unknown one, the vendor's label
// or else its name, as it came.
func (r Row) In(lang schema.Language) string {
	if r.of != nil {
		return r.of.label.in(lang)
	}
	return cmp.Or(r.Label, r.Name)
}

func newList(of schema.Dimension, rows []schema.Row, leftOut int) *List {
	l := &List{of: of, LeftOut: leftOut}
	for _, row := range rows {
		e := known().row(of, row)
		if i := slices.IndexFunc(l.Rows, func(r Row) bool { return e != nil && r.of == e }); i >= 0 {
			l.Rows[i].Share += row.Share
			continue
		}
		l.Rows = append(l.Rows, Row{Row: row, of: e})
	}
	for _, row := range l.Rows {
		if row.of != nil {
			l.known = append(l.known, row)
			continue
		}
		l.Unknown = append(l.Unknown, row.Name)
		l.unknownShares = append(l.unknownShares, row.Share)
	}
	slices.SortFunc(l.known, func(a, b Row) int { return cmp.Compare(a.of.index, b.of.index) })
	slices.SortFunc(l.unknownShares, func(a, b float64) int { return cmp.Compare(b, a) })

	l.Sum = l.recognised()
	for _, share := range l.unknownShares {
		l.Sum += share
	}
	l.Overfull = l.Sum > overfullSum+rounding
	l.Whole = l.listsAll() && l.Tells() && l.Sum >= wholeSum-rounding && leftOut == 0 && len(l.Unknown) == 0
	if !l.Tells() {
		l.known = nil
	}
	return l
}

// Tells reports whether figures can be made of the list: it has rows that hold
// somebody, and not more than everybody.
func (l *List) Tells() bool { return l.Sum > 0 && !l.Overfull }

// listsAll reports whether the vendor lists all of the dimension, and not only
// its largest rows.
func (l *List) listsAll() bool {
	return l.of == schema.DimensionGender || l.of == schema.DimensionAgeGroups || l.of == schema.DimensionProvinces
}

// row returns what an entry's row holds, and whether it has one.
func (l *List) row(of *entry) (share float64, listed bool) {
	for _, row := range l.known {
		if row.of == of {
			return row.Share, true
		}
	}
	return 0, false
}

// recognised is the sum of the rows whose names are known.
func (l *List) recognised() float64 {
	var sum float64
	for _, row := range l.known {
		sum += row.Share
	}
	return sum
}

// left is what the recognised rows leave to names without a row.
func (l *List) left() float64 { return max(0, 1-l.recognised()) }

// most is the most that n names without a row can hold together, but for what
// the list leaves. The vendor cuts a list off after its largest rows, so that
// each holds at most as much as the smallest row; but n of the unknown rows may
// be theirs. Where a row was left out, or the list should not be cut off, only
// the sum bounds them.
func (l *List) most(n int) float64 {
	if l.listsAll() || l.LeftOut > 0 || !l.Tells() {
		return math.Inf(1)
	}
	smallest := math.Inf(1)
	for _, row := range l.Rows {
		smallest = min(smallest, row.Share)
	}
	var sum float64
	for i := range n {
		if i < len(l.unknownShares) {
			sum += l.unknownShares[i]
		} else {
			sum += smallest
		}
	}
	return sum
}

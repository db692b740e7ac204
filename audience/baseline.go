package audience

import (
	"errors"
	"fmt"
	"strconv"

	"kol-portrait-mcp/schema"
)

// Source is what an index compares with.
type Source int

// The sources.
const (
	NoSource Source = iota
	Census          // China's 2020 census
	Platform        // Xiaohongshu's own users
	Own             // the user's own baseline
)

// Baseline is what an index compares with, by dimension.
type Baseline struct {
	references map[schema.Dimension]*List
}

// builtIn returns the built-in references: provinces of the census, and gender of
// the platform.
func builtIn() map[schema.Dimension]*List {
	read := func(of schema.Dimension, source Source, file string, columns ...string) *List {
		var rows []schema.Row
		var sum float64
		for _, row := range table(file, columns...) {
			share, _ := strconv.ParseFloat(row[1], 64) // the tests check the tables
			rows = append(rows, schema.Row{Name: row[0], Share: share})
			sum += share
		}
		for i := range rows {
			rows[i].Share /= sum // the census counts people
		}
		l := newList(of, rows, 0)
		l.source = source
		return l
	}
	return map[schema.Dimension]*List{
		schema.DimensionProvinces: read(schema.DimensionProvinces, Census, "census-provinces.csv", "province", "population"),
		schema.DimensionGender:    read(schema.DimensionGender, Platform, "platform-gender.csv", "gender", "share"),
	}
}

// NewBaseline returns a user's own baseline for the dimensions that d has, such
// as a portrait of the vendor's, or of many KOLs together. Its names are read as
// the vendor's rows are.
//
// An error is one line that says what to mend, and where.
func NewBaseline(d *schema.Distributions) (*Baseline, error) {
	own := &Baseline{map[schema.Dimension]*List{}}
	for _, of := range schema.Dimensions {
		if len(d.Rows[of]) == 0 && d.LeftOut[of] == 0 {
			continue
		}
		l := newList(of, d.Rows[of], d.LeftOut[of])
		switch {
		case l.LeftOut > 0:
			return nil, fmt.Errorf("%s: rows without a usable name and share, or there twice: %d; a share is a fraction from 0 to 1", of, l.LeftOut)
		case l.Unknown != nil:
			return nil, fmt.Errorf("%s: %s is not known", of, quote(l.Unknown[0]))
		case !l.Tells():
			return nil, fmt.Errorf("%s: the shares sum to %.4g; they are fractions of 1", of, l.Sum)
		}
		l.source = Own
		own.references[of] = l
	}
	if len(own.references) == 0 {
		return nil, errors.New("it has no rows: it takes any of ages, gender, provinces, cities, interests and devices, shaped as in a portrait's distributions")
	}
	return own, nil
}

// Source tells what the TGIs of one of schema.Dimensions compare with. It is
// NoSource where there are none.
func (x *Audience) Source(of schema.Dimension) Source {
	if r := x.List(of).reference; r != nil {
		return r.source
	}
	return NoSource
}

// compareWith sets what the list's TGIs compare with, which may be nothing, and
// gives the rows theirs.
//
// Shares of provinces are taken among those that the reference has, on both
// sides: the census has nobody overseas. So are shares of age groups where both
// lists are whole. Other shares are compared as they are. A list of provinces
// that leaves out many has no TGI.
func (l *List) compareWith(r *List) {
	if r == nil || !l.Tells() || l.of == schema.DimensionProvinces && l.recognised() < wholeSum-rounding {
		return
	}
	l.reference, l.audience, l.baseline = r, 1, 1
	if l.of == schema.DimensionProvinces || l.of == schema.DimensionAgeGroups && l.Whole && r.Whole {
		l.audience, l.baseline = 0, r.Sum
		for _, row := range l.known {
			if _, both := r.row(row.of); both {
				l.audience += row.Share
			}
		}
	}
	for i, row := range l.Rows {
		if row.of != nil {
			l.Rows[i].TGI = l.tgi(row.of)
		}
	}
}

// tgi returns the target group index of some entries together: their share in
// the audience by their share in the reference, times 100. It is nil where one of
// them has no row here or none there.
func (l *List) tgi(entries ...*entry) *schema.Index {
	if l.reference == nil || l.audience <= 0 {
		return nil
	}
	var share, expected float64
	for _, e := range entries {
		here, listed := l.row(e)
		there, _ := l.reference.row(e)
		if !listed || there <= 0 {
			return nil
		}
		share += here
		expected += there
	}
	return new(schema.Index(share / l.audience / (expected / l.baseline) * 100))
}

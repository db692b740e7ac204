package upstream

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"kol-portrait-mcp/schema"
)

// Bounds on what is believed of the vendor's data.
const (
	maxRows   = 1000 // in one dimension; the documented response has 36 at most
	maxName   = 64   // runes
	rounding  = 1e-3 // how far outside of 0..1 a share may come out
	maxMarks  = 4    // combining marks in a row; more pile up over the lines around
	firstYear = 2013 // Xiaohongshu's
)

// Reading is what can be made of the data of a portrait.
type Reading struct {
	AsOf          string               // day of the data, YYYY-MM-DD; empty where it names none
	Distributions schema.Distributions // the rows that have a name and a share from 0 to 1; LeftOut counts the others
	Empty         bool                 // whether there is nothing in it: the vendor has no portrait of this KOL
	Fault         string               // why no distribution could be read though there is something, in a few words; else empty
}

// Read makes of the data of a portrait what can be made of it. A row without a
// usable name or share, or with the name of one before, is left out and counted;
// so is a dimension that is no list. Names are the vendor's, without characters
// that show nothing, and cut to 64. Damaged JSON is read up to the damage.
func Read(data json.RawMessage) (reading Reading) {
	defer func() {
		if recover() != nil { // it is a bug, but must not cost the process
			reading = Reading{Fault: "this server failed to read it"}
		}
	}()
	data = bytes.TrimSpace(data)
	if slices.Contains([]string{"", "null", "[]", `""`}, string(data)) {
		return Reading{Empty: true}
	}
	r := reader{dec: newDecoder(data)}
	if r.dec.PeekKind() != '{' {
		return Reading{Fault: "it is not a JSON object"}
	}
	err := readObject(r.dec, r.readDimension)
	switch {
	case !r.read.Distributions.IsEmpty():
	case err != nil:
		r.read.Fault = "its JSON is damaged"
	case r.read.Distributions.LeftOut != nil:
		r.read.Fault = "it has no row with a usable name and share"
	default:
		r.read.Empty = true
	}
	return r.read
}

// reader reads one portrait.
type reader struct {
	dec  *jsontext.Decoder
	read Reading
}

func (r *reader) readDimension(name string) (err error) {
	d := &r.read.Distributions
	switch name {
	case "ages":
		d.Ages, err = readRows(r, schema.DimensionAgeGroups, func(row row) schema.AgeShare { return schema.AgeShare{Group: row.name, Percent: row.percent} })
	case "gender":
		d.Gender, err = r.readGender()
	case "interests":
		d.Interests, err = readRows(r, schema.DimensionInterests, nameShare)
	case "provinces":
		d.Provinces, err = readRows(r, schema.DimensionProvinces, nameShare)
	case "cities":
		d.Cities, err = readRows(r, schema.DimensionCities, nameShare)
	case "devices":
		d.Devices, err = readRows(r, schema.DimensionDevices, func(row row) schema.DeviceShare {
			return schema.DeviceShare{Name: row.name, Desc: row.desc, Percent: row.percent}
		})
	case "dateKey":
		var date string
		date, err = r.readScalar()
		r.read.AsOf = day(date)
	default:
		err = r.dec.SkipValue()
	}
	return err
}

func nameShare(r row) schema.NameShare { return schema.NameShare{Name: r.name, Percent: r.percent} }

func (r *reader) leaveOut(dimension schema.Dimension) {
	if r.read.Distributions.LeftOut == nil {
		r.read.Distributions.LeftOut = make(map[schema.Dimension]int)
	}
	r.read.Distributions.LeftOut[dimension]++
}

// skip passes over a dimension of a wrong type, which counts as left out unless
// it is a way to say nothing.
func (r *reader) skip(dimension schema.Dimension) error {
	value, err := r.dec.ReadValue()
	if text := string(value); text != "null" && text != "[]" {
		r.leaveOut(dimension)
	}
	return err
}

// row is one of any dimension; only devices have a desc.
type row struct {
	name, desc string
	percent    float64
}

// readRows reads the rows of one dimension, also where it turns out damaged.
func readRows[T any](r *reader, dimension schema.Dimension, to func(row) T) (shares []T, err error) {
	if r.dec.PeekKind() != '[' {
		return nil, r.skip(dimension)
	}
	seen := make(map[string]bool, 40)
	for _, err = r.dec.ReadToken(); err == nil && r.dec.PeekKind() != ']'; {
		var fields map[string]string
		fields, err = r.readFields()
		name := clean(cmp.Or(fields["group"], fields["name"])) // of ages, of all others
		percent, usable := share(fields["percent"])
		if err != nil || name == "" || seen[name] || !usable || len(shares) == maxRows {
			r.leaveOut(dimension)
			continue
		}
		seen[name] = true
		shares = append(shares, to(row{name, clean(fields["desc"]), percent}))
	}
	if err == nil {
		_, err = r.dec.ReadToken()
	}
	return shares, err
}

// readGender reads the shares of men and women, of which one may be missing.
// Where there is none above 0 the vendor does not know.
func (r *reader) readGender() (*schema.GenderShares, error) {
	if r.dec.PeekKind() != '{' {
		return nil, r.skip(schema.DimensionGender)
	}
	fields, err := r.readFields()
	var gender schema.GenderShares
	known := false
	for name, to := range map[string]**float64{schema.Male: &gender.Male, schema.Female: &gender.Female} {
		text := fields[name]
		if percent, usable := share(text); usable {
			*to, known = &percent, known || percent > 0
		} else if text != "" {
			r.leaveOut(schema.DimensionGender)
		}
	}
	if known {
		return &gender, err
	}
	if gender.Male != nil || gender.Female != nil || err != nil {
		r.leaveOut(schema.DimensionGender)
	}
	return nil, err
}

// readFields reads the strings and numbers of the object that comes next, as
// text by their names. There are none in anything else.
func (r *reader) readFields() (fields map[string]string, err error) {
	if r.dec.PeekKind() != '{' {
		return nil, r.dec.SkipValue()
	}
	fields = make(map[string]string, 4)
	return fields, readObject(r.dec, func(name string) (err error) {
		fields[name], err = r.readScalar()
		return err
	})
}

// readScalar reads a value: a string or number as text, anything else as
// nothing.
func (r *reader) readScalar() (string, error) {
	if kind := r.dec.PeekKind(); kind != '"' && kind != '0' {
		return "", r.dec.SkipValue()
	}
	token, err := r.dec.ReadToken()
	if err != nil {
		return "", err
	}
	return token.String(), nil
}

// share reads a share from 0 to 1, as a number, a number in a string, or with a
// percent sign. What is outside by rounding is clipped; what is further out, or
// no number, is not usable.
func share(text string) (value float64, usable bool) {
	number, isPercent := strings.CutSuffix(strings.TrimSpace(text), "%")
	value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if isPercent {
		value /= 100
	}
	if err != nil || !(value >= -rounding && value <= 1+rounding) { // not so of NaN
		return 0, false
	}
	return min(max(value, 0), 1), true
}

// clean makes a name fit to be shown and compared: without characters that show
// nothing or pile up, without white space around it, and short.
func clean(name string) string {
	marks := 0
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if showsNothing(r) {
			return -1
		}
		if marks++; !unicode.IsMark(r) {
			marks = 0
		}
		if marks > maxMarks {
			return -1
		}
		return r
	}, name))
	if utf8.RuneCountInString(name) > maxName {
		name = strings.TrimSpace(string([]rune(name)[:maxName]))
	}
	return name
}

// showsNothing reports whether r has no shape, only an effect: controls, what
// turns the direction of writing, joiners and selectors, blanks that are no
// white space, and what stands for something that could not be read.
func showsNothing(r rune) bool {
	return r == utf8.RuneError || r == '\u2800' || r == '\ufffc' ||
		!unicode.IsGraphic(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// dayLayouts are the ways in which a day has been seen, with a time or without.
var dayLayouts = []string{time.DateOnly, "20060102", "2006/01/02", time.DateTime, time.RFC3339, "2006-01-02T15:04:05"}

// day is the day that text names, empty where it is none, or is from before
// there was anything to report on.
func day(text string) string {
	for _, layout := range dayLayouts {
		if t, err := time.Parse(layout, strings.TrimSpace(text)); err == nil && t.Year() >= firstYear {
			return t.Format(time.DateOnly)
		}
	}
	return ""
}

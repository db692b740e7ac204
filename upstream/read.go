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
	r := reader{dec: newDecoder(data), rows: map[schema.Dimension][]schema.Row{}, leftOut: map[schema.Dimension]int{}}
	if r.dec.PeekKind() != '{' {
		return Reading{Fault: "it is not a JSON object"}
	}
	err := readObject(r.dec, r.readDimension)
	reading = Reading{AsOf: r.asOf, Distributions: schema.Distributions{Rows: r.rows, LeftOut: r.leftOut}}
	switch {
	case len(r.rows) > 0:
	case err != nil:
		reading.Fault = "its JSON is damaged"
	case len(r.leftOut) > 0:
		reading.Fault = "it has no row with a usable name and share"
	case r.strange:
		reading.Fault = "it has no dimension of a portrait"
	default:
		reading.Empty = true
	}
	return reading
}

// reader reads one portrait.
type reader struct {
	dec     *jsontext.Decoder
	asOf    string
	strange bool // it has members that no portrait has
	rows    map[schema.Dimension][]schema.Row
	leftOut map[schema.Dimension]int
}

// dimensions are the vendor's names of them.
var dimensions = map[string]schema.Dimension{
	"ages": schema.DimensionAgeGroups, "gender": schema.DimensionGender, "interests": schema.DimensionInterests,
	"provinces": schema.DimensionProvinces, "cities": schema.DimensionCities, "devices": schema.DimensionDevices,
}

func (r *reader) readDimension(name string) error {
	of, known := dimensions[name]
	switch kind := r.dec.PeekKind(); {
	case name == "dateKey":
		date, err := r.readScalar()
		r.asOf = day(date)
		return err
	case !known:
		r.strange = true
		return r.dec.SkipValue()
	case of == schema.DimensionGender && kind == '{':
		return r.readGender()
	case of != schema.DimensionGender && kind == '[':
		return r.readRows(of)
	}
	value, err := r.dec.ReadValue()
	if text := string(value); text != "null" && text != "[]" { // these are ways to say nothing
		r.leftOut[of]++
	}
	return err
}

// readRows reads the rows of one dimension, also where it turns out damaged.
func (r *reader) readRows(of schema.Dimension) error {
	seen := make(map[string]bool, 40)
	_, err := r.dec.ReadToken()
	for err == nil && r.dec.PeekKind() != ']' {
		var fields map[string]string
		fields, err = r.readFields()
		name := clean(cmp.Or(fields["group"], fields["name"])) // of ages, of all others
		percent, usable := share(fields["percent"])
		if err != nil || name == "" || seen[name] || !usable || len(seen) == maxRows {
			r.leftOut[of]++
			continue
		}
		seen[name] = true
		r.rows[of] = append(r.rows[of], schema.Row{Name: name, Label: clean(fields["desc"]), Share: percent})
	}
	if err == nil {
		_, err = r.dec.ReadToken()
	}
	return err
}

// readGender reads the shares of men and women, of which one may be missing.
// Where there is none above 0 the vendor does not know.
func (r *reader) readGender() error {
	fields, err := r.readFields()
	var rows []schema.Row
	known := false
	for _, name := range []string{schema.Male, schema.Female} {
		if percent, usable := share(fields[name]); usable {
			rows, known = append(rows, schema.Row{Name: name, Share: percent}), known || percent > 0
		} else if fields[name] != "" {
			r.leftOut[schema.DimensionGender]++
		}
	}
	switch {
	case known:
		r.rows[schema.DimensionGender] = rows
	case len(rows) > 0 || err != nil:
		r.leftOut[schema.DimensionGender]++
	}
	return err
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
var dayLayouts = []string{"2006-1-2", "20060102", "2006/1/2", "2006.1.2", "2006年1月2日", time.DateTime, "2006-01-02T15:04:05"}

// day is the day that text names, empty where it is none, or is from before
// there was anything to report on.
func day(text string) string {
	if t, err := time.Parse(time.RFC3339, strings.TrimSpace(text)); err == nil && t.Year() >= firstYear {
		return string(schema.DayOf(t)) // a moment, so the vendor's day
	}
	for _, layout := range dayLayouts {
		if t, err := time.Parse(layout, strings.TrimSpace(text)); err == nil && t.Year() >= firstYear {
			return t.Format(time.DateOnly)
		}
	}
	return ""
}

package upstream

import (
	"encoding/json"
	"errors"
	"fmt"
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
	rounding  = 1e-6 // how far above 1 a share may come out
	maxMarks  = 4    // combining marks in a row; more pile up over the lines around
	firstYear = 2013 // Xiaohongshu's
)

// portrait is the vendor's data, decoded and checked.
type portrait struct {
	asOf          string // YYYY-MM-DD, or empty
	distributions schema.Distributions
}

// decodePortrait reads the data of an answer with code 0. What it returns
// holds only finite shares from 0 to 1 (and the rounding), no name twice in a
// dimension, and at least one row. Everything else is an error that says what
// is wrong and where: a figure that cannot be trusted is never replaced.
func decodePortrait(data json.RawMessage) (portrait, error) {
	if len(data) == 0 {
		return portrait{}, errors.New("data is missing")
	}
	if !utf8.Valid(data) {
		return portrait{}, errors.New("data is not UTF-8")
	}
	members, err := decodeMembers(data, "ages", "gender", "interests", "provinces", "cities", "devices", "dateKey")
	if err != nil {
		return portrait{}, fmt.Errorf("data: %w", err)
	}
	var p portrait
	if p.distributions, err = decodeDistributions(members); err != nil {
		return portrait{}, err
	}
	if p.asOf, err = decodeDate(members.get("dateKey")); err != nil {
		return portrait{}, err
	}
	return p, nil
}

func decodeDistributions(members members) (schema.Distributions, error) {
	ages, agesErr := decodeRows(members.get("ages"), "ages", "group")
	gender, genderErr := decodeGender(members.get("gender"))
	interests, interestsErr := decodeRows(members.get("interests"), "interests", "name")
	provinces, provincesErr := decodeRows(members.get("provinces"), "provinces", "name")
	cities, citiesErr := decodeRows(members.get("cities"), "cities", "name")
	devices, devicesErr := decodeRows(members.get("devices"), "devices", "name")
	for _, err := range []error{agesErr, genderErr, interestsErr, provincesErr, citiesErr, devicesErr} {
		if err != nil {
			return schema.Distributions{}, err
		}
	}
	if len(ages)+len(interests)+len(provinces)+len(cities)+len(devices) == 0 && gender == nil {
		return schema.Distributions{}, errors.New("data has no distribution")
	}
	return schema.Distributions{
		Ages:      convert(ages, func(r row) schema.AgeShare { return schema.AgeShare{Group: r.name, Percent: r.percent} }),
		Gender:    gender,
		Interests: convert(interests, nameShare),
		Provinces: convert(provinces, nameShare),
		Cities:    convert(cities, nameShare),
		Devices: convert(devices, func(r row) schema.DeviceShare {
			return schema.DeviceShare{Name: r.name, Desc: r.desc, Percent: r.percent}
		}),
	}, nil
}

// row is one row of any dimension; only devices have a desc.
type row struct {
	name, desc string
	percent    float64
}

func nameShare(r row) schema.NameShare { return schema.NameShare{Name: r.name, Percent: r.percent} }

// convert maps rows, and no rows to nil.
func convert[T any](rows []row, to func(row) T) []T {
	if len(rows) == 0 {
		return nil
	}
	shares := make([]T, len(rows))
	for i, r := range rows {
		shares[i] = to(r)
	}
	return shares
}

// decodeRows reads the rows of one dimension, each named by its member key. It
// reads by parts and stops at the bound.
func decodeRows(raw json.RawMessage, dimension, key string) ([]row, error) {
	switch shape := shapeOf(raw); shape {
	case "empty", "null":
		return nil, nil
	case "a list":
	default:
		return nil, fmt.Errorf("%s is %s, not a list", dimension, shape)
	}
	decoder := newDecoder(raw)
	if _, err := decoder.ReadToken(); err != nil {
		return nil, fmt.Errorf("%s: %w", dimension, broken(err))
	}
	var rows []row
	var found members
	for decoder.PeekKind() != jsontext.KindEndArray {
		path := place{dimension, len(rows), ""}
		if len(rows) == maxRows {
			return nil, fmt.Errorf("%s has more than %d rows", dimension, maxRows)
		}
		var err error
		if found, err = readRow(decoder, raw, found[:0], key); err != nil {
			return nil, path.wrong(err)
		}
		r, err := decodeRow(found, path, key)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(rows, func(other row) bool { return other.name == r.name }) {
			return nil, fmt.Errorf("%s is %q for the second time", path.of(key), r.name)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// readRow reads the members of the row that comes next in raw.
func readRow(decoder *jsontext.Decoder, raw []byte, found members, key string) (members, error) {
	if decoder.PeekKind() == jsontext.KindBeginObject {
		return readMembers(decoder, raw, found, key, "desc", "percent")
	}
	value, err := readValue(decoder, raw)
	if err != nil {
		return nil, broken(err)
	}
	return nil, mustBeObject(shapeOf(value))
}

func decodeRow(members members, path place, key string) (r row, err error) {
	if r.name, err = decodeName(members.get(key), path.of(key)); err != nil {
		return row{}, err
	}
	if r.name == "" {
		return row{}, fmt.Errorf("%s is empty", path.of(key))
	}
	if shape := shapeOf(members.get("desc")); shape != "empty" && shape != "null" {
		if r.desc, err = decodeName(members.get("desc"), path.of("desc")); err != nil {
			return row{}, err
		}
	}
	if r.percent, err = decodeShare(members.get("percent"), path.of("percent")); err != nil {
		return row{}, err
	}
	return r, nil
}

// decodeName reads a name that may be shown to people and models: short, of
// characters that have a shape, and without the white space around it.
func decodeName(raw json.RawMessage, path place) (string, error) {
	if shape := shapeOf(raw); shape != "a string" {
		return "", wrongShape(path, shape, "a string")
	}
	name := strings.TrimSpace(unquote(raw))
	if utf8.RuneCountInString(name) > maxName {
		return "", fmt.Errorf("%s is longer than %d characters", path, maxName)
	}
	if strings.ContainsFunc(name, shapeless) || pilesMarks(name) {
		return "", fmt.Errorf("%s holds characters that cannot be shown", path)
	}
	return name, nil
}

// shapeless reports whether r shows nothing, or stands for something else. The
// joiner inside emoji is let be, and so are the variation selectors behind
// them, which count as marks.
func shapeless(r rune) bool {
	switch r {
	case joiner:
		return false
	case '\u2800', '\ufffc', utf8.RuneError: // an empty Braille cell, an object, and what half a surrogate pair decodes to
		return true
	default: // the other blanks, such as U+3164, are those that fonts may leave out
		return !unicode.IsGraphic(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
	}
}

// pilesMarks reports whether more than maxMarks combining marks follow one
// another.
func pilesMarks(name string) bool {
	marks := 0
	for _, r := range name {
		if !unicode.IsMark(r) {
			marks = 0
			continue
		}
		if marks++; marks > maxMarks {
			return true
		}
	}
	return false
}

// decodeShare reads a share between 0 and 1. It is left as it is where it
// exceeds 1 by rounding.
func decodeShare(raw json.RawMessage, path place) (float64, error) {
	if shape := shapeOf(raw); shape != "a number" {
		return 0, wrongShape(path, shape, "a number")
	}
	share, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || share < 0 || share > 1+rounding {
		return 0, fmt.Errorf("%s is %s, not a share between 0 and 1", path, literal(raw))
	}
	return max(share, 0), nil // JSON allows -0, which would print with its sign
}

// decodeGender reads the shares of men and women, of which one may be missing.
func decodeGender(raw json.RawMessage) (*schema.GenderShares, error) {
	switch shape := shapeOf(raw); shape {
	case "empty", "null":
		return nil, nil
	case "an object":
	default:
		return nil, fmt.Errorf("gender is %s, not an object", shape)
	}
	members, err := decodeMembers(raw, "male", "female")
	if err != nil {
		return nil, fmt.Errorf("gender: %w", err)
	}
	gender := schema.GenderShares{}
	if gender.Male, err = decodeGenderShare(members, "male"); err != nil {
		return nil, err
	}
	if gender.Female, err = decodeGenderShare(members, "female"); err != nil {
		return nil, err
	}
	if gender == (schema.GenderShares{}) {
		return nil, nil
	}
	return &gender, nil
}

func decodeGenderShare(members members, name string) (*float64, error) {
	raw := members.get(name)
	if shape := shapeOf(raw); shape == "empty" || shape == "null" {
		return nil, nil
	}
	share, err := decodeShare(raw, place{"gender", noRow, name})
	if err != nil {
		return nil, err
	}
	return &share, nil
}

// decodeDate reads the day of the data. A portrait is worth having without
// one, so a string that is no date, or one from before there was anything to
// report on, only leaves it empty.
func decodeDate(raw json.RawMessage) (string, error) {
	switch shape := shapeOf(raw); shape {
	case "empty", "null":
		return "", nil
	case "a string":
	default:
		return "", fmt.Errorf("dateKey is %s, not a string", shape)
	}
	date := text(raw)
	day, err := time.Parse(time.DateOnly, date)
	if err != nil || day.Year() < firstYear {
		return "", nil //nolint:nilerr // the data is good, only its day is not known
	}
	return date, nil
}

// place is where in the data a value stands. It is written out only where
// something is wrong with it.
type place struct {
	dimension string
	row       int // noRow where the dimension has none
	member    string
}

const noRow = -1

// of is the place of a member of what stands at p.
func (p place) of(member string) place { return place{p.dimension, p.row, member} }

// String writes p as JavaScript would: ages[0].percent.
func (p place) String() string {
	text := p.dimension
	if p.row != noRow {
		text += "[" + strconv.Itoa(p.row) + "]"
	}
	if p.member != "" {
		text += "." + p.member
	}
	return text
}

// wrong says what is wrong with the value at p.
func (p place) wrong(err error) error { return fmt.Errorf("%s: %w", p, err) }

// wrongShape says that the value at path has another shape than it should.
func wrongShape(path place, shape, want string) error {
	if shape == "empty" {
		return fmt.Errorf("%s is missing", path)
	}
	return fmt.Errorf("%s is %s, not %s", path, shape, want)
}

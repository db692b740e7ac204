package audience

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"kol-portrait-mcp/schema"
)

// MaxBaseline is the size in bytes beyond which a document is no baseline.
const MaxBaseline = 1 << 20

// leastShare is the least that a baseline's row may hold: one in a million. An
// index against less would say nothing.
const leastShare = 1e-6

// Baseline is a user's own baseline for some dimensions. Make one with
// ParseBaseline.
type Baseline struct {
	dimensions baseline
}

// ParseBaseline reads a baseline from JSON of the shape of
// schema.Distributions, with any of its dimensions, so that a vendor's portrait
// is one too; its dateKey is accepted and ignored. Names are read as those of a
// target audience are, but for groups. Shares are fractions, none of them 0.
// Where those of ages, gender or provinces make up everybody, an index compares
// among the rows that are there; else they are shares of everybody.
//
// An error is one line that says what to mend, and where.
func ParseBaseline(raw []byte) (*Baseline, error) {
	if len(raw) > MaxBaseline {
		return nil, errors.New("it is larger than 1 MB")
	}
	d, err := decodeBaseline(raw)
	if err != nil {
		return nil, err
	}
	f := readFacts()
	own := baseline{}
	for _, of := range schema.Dimensions() {
		y, err := f.yardstick(of, d)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fieldOf(of), err)
		}
		if len(y.people) > 0 {
			own[of] = y
		}
	}
	if len(own) == 0 {
		return nil, errors.New("it has no dimension: it takes any of ages, gender, provinces, cities, interests and devices")
	}
	return &Baseline{dimensions: own}, nil
}

func decodeBaseline(raw []byte) (*schema.Distributions, error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // which some editors put in front
	var value json.RawMessage
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, syntaxFault(err, raw)
	}
	var document struct {
		schema.Distributions
		DateKey json.RawMessage `json:"dateKey"`
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&document); err != nil {
		return nil, shapeFault(err)
	}
	return &document.Distributions, nil
}

// syntaxFault says in which line a document stops being JSON.
func syntaxFault(err error, raw []byte) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line := 1 + bytes.Count(raw[:min(syntax.Offset, int64(len(raw)))], []byte("\n"))
		return fmt.Errorf("it is not JSON: line %d: %w", line, err)
	}
	return fmt.Errorf("it is not JSON: %w", err)
}

// shapeFault says which field of a JSON document does not belong where it is.
func shapeFault(err error) error {
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if mismatch.Field == "" {
			return fmt.Errorf("it is a JSON %s, not an object", mismatch.Value)
		}
		field := strings.TrimPrefix(mismatch.Field, "Distributions.") // which is Go's, not the document's
		return fmt.Errorf("%s cannot be a JSON %s", field, mismatch.Value)
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

// fieldOf is what a document calls a dimension.
func fieldOf(of schema.Dimension) string {
	if of == schema.DimensionAgeGroups {
		return "ages"
	}
	return string(of)
}

// yardstick returns what a document says of a dimension, under the names of
// facts.rows; nothing where it does not speak of it.
func (f *facts) yardstick(of schema.Dimension, d *schema.Distributions) (yardstick, error) {
	if of == schema.DimensionGender && genders(d.Gender) == 1 {
		return yardstick{}, errors.New("both female and male are needed")
	}
	y := yardstick{people: map[string]float64{}, configured: true}
	for _, row := range f.statedRows(of, d) {
		name, err := f.rowName(of, row.Name)
		if err != nil {
			return yardstick{}, err
		}
		if fault := shareFault(row.Percent); fault != "" {
			return yardstick{}, fmt.Errorf("%q has %v: %s", row.Name, row.Percent, fault)
		}
		if _, twice := y.people[name]; twice {
			return yardstick{}, fmt.Errorf("%q is there twice", row.Name)
		}
		y.people[name] = row.Percent
		y.total += row.Percent
	}
	if overfull(y.total) {
		return yardstick{}, fmt.Errorf("the shares sum to %.5g, over 1", y.total)
	}
	return y, nil
}

// statedRows returns the rows of a dimension under the names that a document
// has for them.
func (f *facts) statedRows(of schema.Dimension, d *schema.Distributions) []schema.NameShare {
	if of != schema.DimensionDevices {
		return f.rows(of, d)
	}
	var rows []schema.NameShare
	for _, device := range d.Devices {
		rows = append(rows, schema.NameShare{Name: cmp.Or(device.Name, device.Desc), Percent: device.Percent})
	}
	return rows
}

// rowName returns the name of facts.rows that a user's name stands for, as a
// target audience's would.
func (f *facts) rowName(of schema.Dimension, name string) (string, error) {
	if of == schema.DimensionProvinces && f.provinceKnown(name) {
		return name, nil // the vendor's 中国 too, which no target audience could mean
	}
	e, known := f.meaning(of, name)
	switch {
	case !known:
		return "", fmt.Errorf("%q is not known%s", name, f.nearby(of, name))
	case e.group():
		return "", fmt.Errorf("%q is more than one row: name each with its share", name)
	default:
		return e.rows[0], nil
	}
}

// nearby ends the sentence about an unknown name with the known ones that it
// may be a slip for.
func (f *facts) nearby(of schema.Dimension, name string) string {
	if of == schema.DimensionAgeGroups {
		return "; the groups are " + strings.Join(schema.AgeGroups(), ", ")
	}
	var names []string
	if len(name) <= longest {
		for _, l := range f.lexicons()[of].near(name) {
			names = append(names, l.en)
		}
	}
	if names == nil {
		return ""
	}
	return "; did you mean " + strings.Join(names, ", ") + "?"
}

// shareFault says what is wrong with a share; nothing where it may be one.
func shareFault(share float64) string {
	switch {
	case leastShare <= share && share <= 1:
		return ""
	case 1 < share && share <= 100:
		return fmt.Sprintf("shares are fractions: %.4g", share/100)
	default:
		return "shares are fractions from 0.000001 to 1"
	}
}

package audience

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"kol-portrait-mcp/schema"
)

// Target is a target audience whose names are understood. Make one with
// Analyst.Target.
type Target struct {
	selected map[schema.Dimension][]string // by the names of facts.rows, groups spelled out, each once; never empty
	said     map[schema.Dimension][]label  // the same as the caller chose: a group is one label
	weights  map[schema.Dimension]float64  // of each selected dimension, 0 or more, not all 0
}

// The limits of a target audience.
const (
	mostSelected = 50    // names in a dimension
	longest      = 100   // characters in a name
	leastWeight  = 0.001 // of a dimension, where it is not 0
	mostWeight   = 1000
)

// Target understands a target audience: its names in Chinese or English, by
// whatever common spelling, abbreviation or group. Without one it is nil.
//
// The error is a *schema.Error of kind schema.InvalidArgument that says all
// that is wrong, what would be right, and which known names an unknown one is
// near to.
func (a *Analyst) Target(t *schema.TargetAudience) (*Target, error) {
	if t == nil {
		return nil, nil
	}
	asked := askedFor(t)
	if len(asked) == 0 {
		return nil, invalid(`targetAudience names nobody. Give at least one of gender, ageGroups, provinces, cities, interests and devices, ` +
			`such as {"gender": "female", "ageGroups": ["25-34"], "cities": ["tier1"]}.`)
	}
	reader := targetReader{facts: a.facts(), target: &Target{
		selected: map[schema.Dimension][]string{},
		said:     map[schema.Dimension][]label{},
		weights:  map[schema.Dimension]float64{},
	}}
	for _, of := range schema.Dimensions() {
		if names := asked[of]; len(names) > 0 {
			reader.readNames(of, names)
		}
	}
	reader.readWeights(t.Weights, asked)
	if message := reader.faults.message(); message != "" {
		return nil, invalid(message)
	}
	return reader.target, nil
}

// invalid returns the error of a target audience that is not understood.
func invalid(message string) error {
	return &schema.Error{Kind: schema.InvalidArgument, Message: message}
}

// askedFor returns the names that a target audience has in each dimension, and
// no dimension without names.
func askedFor(t *schema.TargetAudience) map[schema.Dimension][]string {
	asked := map[schema.Dimension][]string{
		schema.DimensionAgeGroups: t.AgeGroups,
		schema.DimensionProvinces: t.Provinces,
		schema.DimensionCities:    t.Cities,
		schema.DimensionInterests: t.Interests,
		schema.DimensionDevices:   t.Devices,
	}
	if t.Gender != "" {
		asked[schema.DimensionGender] = []string{t.Gender}
	}
	maps.DeleteFunc(asked, func(_ schema.Dimension, names []string) bool { return len(names) == 0 })
	return asked
}

// targetReader fills a Target, and gathers what is wrong with it.
type targetReader struct {
	facts  *facts
	target *Target
	faults faults
}

func (r *targetReader) readNames(of schema.Dimension, names []string) {
	if len(names) > mostSelected {
		r.faults.add(fmt.Sprintf("%s has %d names; it takes at most %d.", argument(of), len(names), mostSelected))
		return
	}
	for _, name := range names {
		if utf8.RuneCountInString(name) > longest {
			r.faults.addName(of, name, ending{
				fmt.Sprintf("which is longer than %d characters.", longest),
				fmt.Sprintf("which are longer than %d characters.", longest),
			})
			continue
		}
		e, known := r.facts.meaning(of, name)
		if !known {
			r.faults.addName(of, name, r.facts.advice(of, name))
			continue
		}
		r.take(of, e)
	}
}

func (r *targetReader) take(of schema.Dimension, e entry) {
	t := r.target
	if slices.Contains(t.said[of], e.label) {
		return
	}
	t.weights[of] = 1
	t.said[of] = append(t.said[of], e.label)
	for _, row := range e.rows {
		if !slices.Contains(t.selected[of], row) {
			t.selected[of] = append(t.selected[of], row)
		}
	}
}

// meaning returns what a name means in a dimension. A name that as it stands
// means something in another dimension, and here only without its suffix, is
// not this dimension's: 吉林市 is no province.
func (f *facts) meaning(of schema.Dimension, name string) (entry, bool) {
	if of == schema.DimensionAgeGroups {
		return ageEntry(name)
	}
	l := f.lexicons()[of]
	if e, known := l.exact(name); known {
		return e, true
	}
	for _, other := range f.others(of) {
		if _, known := f.lexicons()[other].exact(name); known {
			return entry{}, false
		}
	}
	return l.find(name)
}

// others returns the dimensions with a lexicon, but one.
func (f *facts) others(but schema.Dimension) []schema.Dimension {
	return slices.DeleteFunc(schema.Dimensions(), func(d schema.Dimension) bool {
		return d == but || f.lexicons()[d] == nil
	})
}

// ageEntry returns the age groups that a name for some ages means, but not all
// of them, which would ask for nothing.
func ageEntry(name string) (entry, bool) {
	r, known := ageRun(name)
	groups := schema.AgeGroups()
	if !known || r.last-r.first == len(groups)-1 {
		return entry{}, false
	}
	return entry{
		label: label{en: r.words(schema.English), zh: r.words(schema.Chinese)},
		kind:  kind{"an age group", "age groups"},
		rows:  groups[r.first : r.last+1],
	}, true
}

// readWeights reads the weights of the dimensions that are asked for.
func (r *targetReader) readWeights(weights map[schema.Dimension]float64, asked map[schema.Dimension][]string) {
	given := map[schema.Dimension]bool{}
	for _, key := range slices.Sorted(maps.Keys(weights)) {
		of, known := DimensionOf(string(key))
		weight := weights[key]
		switch {
		case !known:
			r.faults.add(fmt.Sprintf("targetAudience.weights has %s, which is no dimension. The dimensions are %s.", quoteInput(string(key)), dimensionNames()))
		case given[of]:
			r.faults.add(fmt.Sprintf("targetAudience.weights has %s twice, under two spellings.", of))
		case asked[of] == nil:
			r.faults.add(fmt.Sprintf("targetAudience.weights has %s, but targetAudience names no %s. Weigh only what it names.", of, of))
		case !(weight == 0 || weight >= leastWeight && weight <= mostWeight): // NaN is neither
			r.faults.add(fmt.Sprintf("targetAudience.weights.%s is %s. A weight is 0, or a number from %g to %d.", of, strconv.FormatFloat(weight, 'g', -1, 64), leastWeight, mostWeight))
		default:
			r.target.weights[of] = math.Abs(weight) // which leaves no -0
		}
		given[of] = true
	}
	if len(r.faults) == 0 && allZero(r.target.weights) {
		r.faults.add("targetAudience.weights are all 0, so that nothing would count. Give at least one dimension more, or leave the weights out.")
	}
}

func allZero(weights map[schema.Dimension]float64) bool {
	for _, weight := range weights {
		if weight != 0 {
			return false
		}
	}
	return true
}

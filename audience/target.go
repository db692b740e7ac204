package audience

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

// Target is a target audience whose names are understood. Make one with
// Analyst.Target.
type Target struct {
	wanted map[schema.Dimension]*wanted // by schema.TargetDimensions, those that the caller names
}

// wanted is one dimension of a Target.
type wanted struct {
	choices []*choice // as the caller chose, each once; never empty
	weight  float64   // in the score: 1 unless it was given
	soft    bool
}

const (
	documentedInterests = 20 // of the vendor's documented response, with which the table begins

	leastWeight = 0.001 // of those that are not 0
	mostWeight  = 1000
	faultsShown = 10
)

// Target understands a target audience: its names in Chinese or English, by
// whatever common spelling, abbreviation or group. It is nil for nil, and for
// one that asks for nothing.
//
// The error is a *schema.Error of kind schema.InvalidArgument that says all
// that is wrong (of more than ten faults the first), and which known names an
// unknown one is near to.
func (a *Analyst) Target(t *schema.TargetAudience) (*Target, error) {
	if t == nil {
		return nil, nil
	}
	r := targetReader{wanted: map[schema.Dimension]*wanted{}}
	r.choose(schema.DimensionGender, schema.DimensionGender, []string{t.Gender})
	r.choose(schema.DimensionAgeGroups, schema.DimensionAgeGroups, t.AgeGroups)
	r.choose(schema.DimensionPlaces, schema.DimensionProvinces, t.Provinces)
	r.choose(schema.DimensionPlaces, schema.DimensionCities, t.Cities)
	r.choose(schema.DimensionInterests, schema.DimensionInterests, t.Interests)
	r.choose(schema.DimensionDevices, schema.DimensionDevices, t.Devices)
	r.readWeights(t.Weights)
	r.readSoft(t.Soft)
	switch {
	case len(r.faults) > 0:
		return nil, &schema.Error{Kind: schema.InvalidArgument, Message: strings.Join(r.faults[:min(faultsShown, len(r.faults))], " ")}
	case len(r.wanted) == 0:
		return nil, nil
	default:
		return &Target{r.wanted}, nil
	}
}

// members returns what is chosen: groups spelled out, each entry once, in the
// order of the tables. A municipality is its province's entry, and a city whose
// province is chosen too is not among them, so that no follower counts twice.
func (w *wanted) members() (members []*entry) {
	for _, c := range w.choices {
		for _, e := range c.members {
			members = append(members, e.counted())
		}
	}
	slices.SortFunc(members, func(a, b *entry) int { return cmp.Compare(a.index, b.index) })
	members = slices.Compact(members)
	return slices.DeleteFunc(slices.Clone(members), func(e *entry) bool { return e.province != nil && slices.Contains(members, e.province) })
}

// targetReader reads a target audience and gathers what is wrong with it.
type targetReader struct {
	wanted map[schema.Dimension]*wanted
	faults []string // sentences
}

func (r *targetReader) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// choose takes in the names of one argument. Blank ones are as not given.
func (r *targetReader) choose(of, argument schema.Dimension, given []string) {
	var unknown []string
	for _, name := range given {
		if strings.TrimSpace(name) == "" {
			continue
		}
		if r.wanted[of] == nil {
			r.wanted[of] = &wanted{weight: 1}
		}
		w, c := r.wanted[of], known().choice(argument, name)
		switch {
		case c == nil:
			unknown = append(unknown, name)
		case !slices.ContainsFunc(w.choices, func(other *choice) bool { return other.label == c.label }):
			w.choices = append(w.choices, c)
		}
	}
	if len(unknown) > 0 {
		r.faultUnknown(argument, unknown)
	}
}

// faultUnknown tells the names of an argument that are not known, those that
// are near to them, and what the argument takes.
func (r *targetReader) faultUnknown(argument schema.Dimension, unknown []string) {
	var texts []string
	for i, name := range unknown {
		text := quote(name)
		if i < wordsShown && argument != schema.DimensionAgeGroups {
			if nearest := near(known().accepted(argument), name); nearest != nil {
				text += " (nearest: " + strings.Join(nearest, ", ") + ")"
			}
		}
		texts = append(texts, text)
	}
	verb := "is"
	if len(texts) > 1 {
		verb = "are"
	}
	r.fault("targetAudience.%s: %s %s not known. %s", argument, enumerate(texts, label{en: "and"}, schema.English), verb, takes(argument, script(strings.Join(unknown, ""))))
}

// takes says what names an argument takes; of interests the vendor's own, in lang.
func takes(argument schema.Dimension, lang schema.Language) string {
	const guide = "; kol-portrait://guide lists every accepted name."
	switch argument {
	case schema.DimensionGender:
		return "It takes female or male; leave it out for both."
	case schema.DimensionAgeGroups:
		return "It takes the vendor's age groups, " + strings.Join(schema.AgeGroups[:], ", ") + ", and spans of whole groups, such as 18-34; for all ages leave it out."
	case schema.DimensionInterests:
		return "The vendor's own are " + strings.Join(Names(argument, lang)[:documentedInterests], ", ") + guide
	case schema.DimensionDevices:
		return `It takes brands in English or Chinese, such as "Apple" or "华为"` + guide
	default:
		return `It takes provinces, cities, regions, areas and tiers in English or Chinese, such as "Guangdong", "杭州", "East China", "长三角", "tier1"; for all of China leave it out` + guide
	}
}

// readWeights reads the weights of the dimensions that are asked for. A weight of
// 1 of another changes nothing.
func (r *targetReader) readWeights(weights schema.Weights) {
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		of, weight := dimensionNames[fold(string(name))], weights[name]
		switch w := r.wanted[of]; {
		case w == nil && of != "" && weight == 1:
		case w == nil:
			r.faultDimension("weights", string(name))
		case weight == 0 || weight >= leastWeight && weight <= mostWeight:
			w.weight = weight
		default:
			r.fault("targetAudience.weights.%s is %v. A weight is 0, or a number from %v to %v.", of, weight, leastWeight, mostWeight)
		}
	}
	counts := func(w *wanted) bool { return w.weight != 0 }
	if len(r.wanted) > 0 && !slices.ContainsFunc(slices.Collect(maps.Values(r.wanted)), counts) {
		r.fault("targetAudience.weights are all 0, so that nothing would count.")
	}
}

// readSoft reads the dimensions that are a plus and not a must.
func (r *targetReader) readSoft(soft []string) {
	for _, name := range soft {
		if w := r.wanted[dimensionNames[fold(name)]]; w != nil {
			w.soft = true
		} else if strings.TrimSpace(name) != "" {
			r.faultDimension("soft", name)
		}
	}
}

// faultDimension tells that weights or soft has a name which is no dimension, or
// none of those that the target audience names.
func (r *targetReader) faultDimension(argument, name string) {
	if of := dimensionNames[fold(name)]; of != "" {
		r.fault("targetAudience.%s has %s, but targetAudience names no %s.", argument, of, of)
		return
	}
	r.fault("targetAudience.%s has %s, which is no dimension: they are gender, ageGroups, places, interests and devices.", argument, quote(name))
}

// dimensionNames are what a caller may call a dimension in weights and soft.
var dimensionNames = map[string]schema.Dimension{
	"gender": schema.DimensionGender, "sex": schema.DimensionGender,
	"agegroups": schema.DimensionAgeGroups, "agegroup": schema.DimensionAgeGroups, "ages": schema.DimensionAgeGroups, "age": schema.DimensionAgeGroups,
	"places": schema.DimensionPlaces, "place": schema.DimensionPlaces, "provinces": schema.DimensionPlaces, "cities": schema.DimensionPlaces,
	"interests": schema.DimensionInterests, "interest": schema.DimensionInterests,
	"devices": schema.DimensionDevices, "device": schema.DimensionDevices,
}

// quote quotes a name that a caller gave, so that nothing in it can pass for
// the message's own words: in one line and cut to 40 characters.
func quote(name string) string { return fmt.Sprintf("%.40q", name) }

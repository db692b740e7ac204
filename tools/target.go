package tools

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// parseTarget understands a target audience. Its names are looked up, so that
// one that is not known is told before anything is asked of the vendor.
func (t *Tools) parseTarget(name string, value any) (*schema.TargetAudience, error) {
	values, ok := object(value)
	if !ok {
		return nil, invalidArgument(`%s is %s. It takes an object such as {"gender": "female", "ageGroups": ["25-34"], "provinces": ["Guangdong"]}.`, name, quote(value))
	}
	given := named(name+".", values, append(targetDimensions(), argument{name: "weights", also: []string{"weight"}}))
	target := &schema.TargetAudience{}
	read(given, "gender", &target.Gender, parseGender)
	read(given, "ageGroups", &target.AgeGroups, parseNames)
	read(given, "provinces", &target.Provinces, parseNames)
	read(given, "cities", &target.Cities, parseNames)
	read(given, "interests", &target.Interests, parseNames)
	read(given, "devices", &target.Devices, parseNames)
	read(given, "weights", &target.Weights, parseWeights)
	if given.err != nil {
		return nil, given.err
	}
	if _, err := t.analyst.Target(target); err != nil {
		return nil, err
	}
	return target, nil
}

// targetDimensions are the dimensions that a target audience may name.
func targetDimensions() []argument {
	var dimensions []argument
	for _, d := range schema.Dimensions() {
		dimensions = append(dimensions, argument{name: string(d), is: func(name string) bool {
			meant, known := audience.DimensionOf(name)
			return known && meant == d
		}})
	}
	return dimensions
}

// parseGender returns a gender's name, without the wrapping that models add to
// it. Whether there is such a gender, the analyst knows.
func parseGender(name string, value any) (string, error) {
	if _, ok := list(value); !ok {
		return "", invalidArgument("%s is %s. It takes female or male.", name, quote(value))
	}
	names, err := parseNames(name, value)
	if err != nil {
		return "", err
	}
	if len(names) > 1 {
		return "", invalidArgument("%s is %s. It takes one value; leave it out to mean all.", name, quote(value))
	}
	if len(names) == 0 {
		return "", nil
	}
	return names[0], nil
}

// parseNames returns a list of names, also one that came as a string with
// separators, or as JSON inside a string.
func parseNames(name string, value any) ([]string, error) {
	list, ok := list(value)
	if !ok {
		return nil, invalidArgument("%s is %s. It takes a list of names.", name, quote(value))
	}
	var names []string
	for _, item := range list {
		text := strings.Trim(scalar(item), wrapping)
		if text == "" {
			return nil, invalidArgument("%s holds %s, which is no name.", name, quote(item))
		}
		names = append(names, text)
	}
	return names, nil
}

// list returns value as a list: itself, the one that JSON inside a string holds,
// or the parts of a string. An empty string is an empty list.
func list(value any) (items []any, ok bool) {
	switch v := value.(type) {
	case []any:
		return v, true
	case string:
		if err := json.Unmarshal([]byte(v), &items); err == nil {
			return items, true
		}
		for _, part := range strings.FieldsFunc(v, separates) {
			if strings.Trim(part, wrapping) != "" {
				items = append(items, part)
			}
		}
		return items, true
	case float64, json.Number:
		return []any{v}, true
	}
	return nil, false
}

// separates tells what stands between the parts of a string that is a list.
func separates(r rune) bool { return strings.ContainsRune(",，、;；\n", r) }

// parseWeights understands weights by dimension, also as text such as
// gender=2, provinces=1. Which dimensions there are, and how large a weight may
// be, the analyst knows.
func parseWeights(name string, value any) (map[schema.Dimension]float64, error) {
	values, ok := object(value)
	if !ok {
		values, ok = pairs(value)
	}
	if !ok {
		return nil, invalidArgument(`%s is %s. It takes an object such as {"gender": 2, "provinces": 1}.`, name, quote(value))
	}
	weights := make(map[schema.Dimension]float64, len(values))
	for _, dimension := range slices.Sorted(maps.Keys(values)) {
		weight, ok := number(values[dimension])
		if !ok {
			return nil, invalidArgument("%s has %s for %s. It takes numbers of 0 or more.", name, quote(values[dimension]), quote(dimension))
		}
		weights[schema.Dimension(dimension)] = weight
	}
	return weights, nil
}

// pairs returns the pairs of a text such as gender=2, provinces=1.
func pairs(value any) (values map[string]any, ok bool) {
	text, isText := value.(string)
	if !isText {
		return nil, false
	}
	values = map[string]any{}
	for _, pair := range strings.FieldsFunc(text, separates) {
		name, weight, found := strings.Cut(strings.NewReplacer(":", "=", "：", "=").Replace(pair), "=")
		if !found {
			return nil, false
		}
		name = strings.TrimSpace(name)
		if _, twice := values[name]; twice {
			return nil, false
		}
		values[name] = weight
	}
	return values, true
}

func number(value any) (v float64, ok bool) {
	switch n := value.(type) {
	case float64:
		return n, true
	case json.Number:
		v, err := n.Float64()
		return v, err == nil
	case string:
		v, err := strconv.ParseFloat(strings.Trim(n, wrapping), 64)
		return v, err == nil
	}
	return 0, false
}

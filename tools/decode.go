package tools

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"

	"kol-portrait-mcp/schema"
)

// decoder reads a call's arguments, as decoded JSON, into a struct of package
// schema. What callers get slightly wrong it repairs.
type decoder struct {
	err error // the first thing that is wrong
}

var (
	// synonyms are what else callers call an argument, as plain has both names.
	synonyms = map[string]string{"age": "agegroup", "sex": "gender", "place": "province", "region": "province", "target": "targetaudience", "lang": "language"}
	// takes is what an argument takes, for messages.
	takes = map[string]string{
		"kolId": "one KOL; for several there is " + ComparisonToolName, "acceptCache": "true or false", "detail": "full or summary",
		"language": "en or zh", "targetAudience": "a JSON object", "targetAudience.gender": "one gender; leave it out for both", "": "a JSON object",
	}
)

// object reads a call's arguments into the struct that into points to or, where of
// is targetAudience and a dot, those of the target audience.
//
// Of a call, arguments that are not known are left out, since frameworks add
// their own; but not those that seem to be meant for this server. In an argument
// nothing is left out: a target audience that was understood in part would give
// figures that mislead.
func (d *decoder) object(of string, value, into any) {
	value = repaired(value)
	object, ok := value.(map[string]any)
	if !ok && value != nil {
		d.failOn(strings.TrimSuffix(of, "."), value)
	}
	v := reflect.ValueOf(into).Elem()
	names := argumentsOf(v.Type())
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if i := meant(names, key); i >= 0 {
			d.set(of+names[i], object[key], v.Field(i))
		} else {
			d.refuse(of, key, names)
		}
	}
}

// set reads a repaired value into the argument of that name.
func (d *decoder) set(name string, value any, argument reflect.Value) {
	word, isWord := text(value)
	switch into := argument.Addr().Interface().(type) {
	case **schema.TargetAudience:
		*into = &schema.TargetAudience{}
		d.object(name+".", value, *into)
	case *schema.Weights:
		object, ok := value.(map[string]any)
		if !ok { // the command line's gender=2,places=1
			object = map[string]any{}
			for _, item := range list(value) {
				word, _ = text(item)
				of, weight, _ := strings.Cut(word, "=")
				object[of] = weight
			}
		}
		*into = schema.Weights{}
		for dimension, weight := range object {
			word, _ = text(weight)
			number, err := strconv.ParseFloat(word, 64)
			if err != nil {
				d.fail("%s has %s for %s. It takes numbers of 0 or more.", name, quote(weight), quote(dimension))
			}
			(*into)[schema.Dimension(dimension)] = number
		}
	case *[]string:
		for _, item := range list(value) {
			word, ok := text(item)
			if !ok {
				d.failOn(name, value)
			}
			*into = append(*into, word)
		}
	case *bool:
		var err error
		if *into, err = strconv.ParseBool(strings.ToLower(word)); err != nil {
			d.failOn(name, value)
		}
	default:
		if argument.SetString(word); !isWord {
			d.failOn(name, value)
		}
	}
}

// refuse says where an argument belongs that is not known.
func (d *decoder) refuse(of, key string, names []string) {
	for _, name := range names {
		known, given := plain(name), plain(key)
		if strings.HasPrefix(given, known[:1]) && levenshtein.ComputeDistance(known, given) <= min(2, len(known)/3) {
			d.fail("There is no argument %s. Is %s meant?", quote(key), of+name)
		}
	}
	dimensions := argumentsOf(reflect.TypeFor[schema.TargetAudience]())
	if i := meant(dimensions, key); of != "" {
		d.fail("%s takes no %s. It takes %s.", strings.TrimSuffix(of, "."), quote(key), strings.Join(names, ", "))
	} else if i >= 0 {
		d.fail("There is no argument %s. Give it as targetAudience.%s.", quote(key), dimensions[i])
	}
}

func (d *decoder) fail(format string, a ...any) {
	d.err = cmp.Or(d.err, invalidArgument(format, a...))
}

// failOn says what the argument of that name takes instead of value.
func (d *decoder) failOn(name string, value any) {
	d.fail("%s is %s. It takes %s.", cmp.Or(name, "The call"), quote(value), cmp.Or(takes[name], "a list of strings"))
}

// argumentsOf returns the names of the arguments that a struct has as its fields.
func argumentsOf(t reflect.Type) (names []string) {
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// meant returns the index of the name that a caller means, or -1.
func meant(names []string, given string) int {
	return slices.IndexFunc(names, func(name string) bool { return plain(name) == plain(given) })
}

// plain is the name of an argument in lower case, without its plural and what
// joins its words; of a synonym, the usual name.
func plain(name string) string {
	name = strings.TrimSuffix(strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(name)), "s")
	return cmp.Or(synonyms[name], name)
}

// repaired returns what a caller means by a value: of JSON in a text the object
// or list, a boolean or number as text, nil for what is blank. In a list, blank
// items keep their place.
func repaired(value any) any {
	switch v := value.(type) {
	case string:
		s := trimmed(v)
		var inside any
		if strings.ContainsAny(s, "{[") && json.Unmarshal([]byte(s), &inside) == nil {
			return repaired(inside)
		}
		if !slices.Contains([]string{"", "null", "none", "undefined"}, strings.ToLower(s)) {
			return s
		}
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'g', 15, 64) // a number that has lost digits is no id
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = repaired(item)
		}
		if slices.ContainsFunc(items, func(item any) bool { return item != nil }) {
			return items
		}
	case map[string]any:
		object := maps.Clone(v)
		for key, item := range v {
			object[key] = repaired(item)
		}
		maps.DeleteFunc(object, func(_ string, item any) bool { return item == nil })
		return object
	}
	return nil
}

// text returns a repaired value as text, also in a list of its own. It is empty for
// a blank value, and not ok for several values or an object.
func text(value any) (s string, ok bool) {
	if items, is := value.([]any); is && len(items) == 1 {
		value = items[0]
	}
	s, ok = value.(string)
	return s, ok || value == nil
}

// list returns a repaired value as a list, of a text its parts.
func list(value any) (items []any) {
	switch v := value.(type) {
	case []any:
		return v
	case string:
		for part := range strings.FieldsFuncSeq(v, func(r rune) bool { return strings.ContainsRune(",，、;；\n", r) }) {
			items = append(items, repaired(part))
		}
		return items
	default:
		return []any{v}
	}
}

// trimmed returns a text without characters that show nothing, and without the
// white space and quotes that callers leave around it.
func trimmed(text string) string {
	return strings.Trim(strings.Map(visible, text), " \t\n\u00a0\u3000\"'`“”‘’")
}

// visible returns r, a line break for what ends a line, or -1 for what shows
// nothing.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029':
		return '\n'
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
		return -1
	}
	return r
}

// quote returns value as JSON, short enough to repeat in a message.
func quote(value any) string {
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // it was JSON
	return fmt.Sprintf("%.80s", strings.Map(visible, strings.TrimSpace(raw.String())))
}

// invalidArgument is the error of a call that nothing was asked of the vendor for.
func invalidArgument(format string, a ...any) error {
	return &schema.Error{Kind: schema.InvalidArgument, Message: fmt.Sprintf(format, a...)}
}

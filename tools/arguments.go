package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"kol-portrait-mcp/schema"
)

// ParsePortraitArguments understands raw, the arguments of a call of
// get_kol_fans_portrait as decoded JSON, and fills in the defaults. What a
// model gets slightly wrong is repaired: another spelling of a name, a boolean
// or a number as a string, a list as one, white space and quotes around a
// value, a profile address instead of an id. What cannot be meant is an
// invalid_argument error that shows a right one.
func (t *Tools) ParsePortraitArguments(raw any) (schema.PortraitArguments, error) {
	args := schema.PortraitArguments{AcceptCache: true, Detail: schema.DetailFull, Language: t.language}
	values, err := argumentObject(raw, fmt.Sprintf(`{"kolId": %q}`, exampleKOLID))
	if err != nil {
		return args, err
	}
	given := named("", values, []argument{
		oneKOL(),
		targetArgument(),
		{name: "acceptCache"},
		{name: "detail"},
		languageArgument(),
	})
	require(given, "kolId", &args.KOLID, parseKOLID)
	read(given, "targetAudience", &args.TargetAudience, t.parseTarget)
	read(given, "acceptCache", &args.AcceptCache, parseBool)
	read(given, "detail", &args.Detail, parseDetail)
	read(given, "language", &args.Language, parseLanguage)
	return args, given.err
}

// ParseComparisonArguments understands the arguments of a call of
// compare_kol_fans_portraits as ParsePortraitArguments does those of the other
// tool. A KOL that is named twice is compared once.
func (t *Tools) ParseComparisonArguments(raw any) (schema.ComparisonArguments, error) {
	args := schema.ComparisonArguments{AcceptCache: true, Language: t.language}
	values, err := argumentObject(raw, fmt.Sprintf(`{"kolIds": [%q, %q]}`, exampleKOLID, anotherKOLID))
	if err != nil {
		return args, err
	}
	given := named("", values, []argument{
		severalKOLs(),
		targetArgument(),
		{name: "acceptCache"},
		languageArgument(),
	})
	require(given, "kolIds", &args.KOLIDs, parseKOLIDs)
	read(given, "targetAudience", &args.TargetAudience, t.parseTarget)
	read(given, "acceptCache", &args.AcceptCache, parseBool)
	read(given, "language", &args.Language, parseLanguage)
	return args, given.err
}

func oneKOL() argument {
	return argument{name: "kolId", also: []string{"kol", "id", "userid"}, required: true}
}

func severalKOLs() argument {
	return argument{name: "kolIds", also: []string{"kolid", "kols", "ids", "userids"}, required: true}
}

func targetArgument() argument {
	return argument{name: "targetAudience", also: []string{"target", "audience"}}
}

func languageArgument() argument { return argument{name: "language", also: []string{"lang"}} }

// argumentObject returns raw as an object of arguments. A JSON object inside a
// string, which some models send, counts as that object.
func argumentObject(raw any, example string) (map[string]any, error) {
	values, ok := object(raw)
	if !ok {
		return nil, invalidArgument("The arguments are not a JSON object. Send one such as %s.", example)
	}
	return values, nil
}

// object returns a JSON object, also one inside a string; nothing is an empty
// one.
func object(raw any) (values map[string]any, ok bool) {
	switch value := raw.(type) {
	case nil:
		return nil, true
	case map[string]any:
		return value, true
	case json.RawMessage:
		return decodeObject(value)
	case string:
		return decodeObject([]byte(value))
	}
	return nil, false
}

func decodeObject(text []byte) (values map[string]any, ok bool) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, true
	}
	err := json.Unmarshal(text, &values)
	return values, err == nil
}

// argument is one that an object takes.
type argument struct {
	name     string
	also     []string               // other names that models give it, in plain letters
	is       func(name string) bool // tells the same where a list will not do; may be nil
	required bool
}

// means reports whether a model means the argument by a name: case,
// underscores, hyphens and spaces do not matter.
func (a argument) means(name string) bool {
	if name == a.name {
		return true
	}
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune("_- ", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
	return plain == strings.ToLower(a.name) || slices.Contains(a.also, plain) || a.is != nil && a.is(name)
}

// given is what a caller gave, by the arguments' own names and without nulls.
// The first error that it meets stands.
type given struct {
	of     string // what the arguments are of: empty, or the name of an argument and a dot
	values map[string]any
	err    error
}

// named returns values under the names of the arguments.
func named(of string, values map[string]any, arguments []argument) *given {
	g := &given{of: of, values: make(map[string]any, len(values))}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] == nil {
			continue
		}
		i := slices.IndexFunc(arguments, func(a argument) bool { return a.means(name) })
		if i < 0 {
			g.err = invalidArgument("There is no argument %s. %s are %s.%s", quote(of+name), title(of), enumerate(arguments), elsewhere(of, name))
			return g
		}
		canonical := arguments[i].name
		if _, twice := g.values[canonical]; twice {
			g.err = invalidArgument("%s is given twice, under two spellings. Give it once.", of+canonical)
			return g
		}
		g.values[canonical] = values[name]
	}
	return g
}

// elsewhere says where an argument belongs that is none here.
func elsewhere(of, name string) string {
	inTarget := func(a argument) bool { return a.means(name) }
	switch {
	case of == "" && slices.ContainsFunc(targetDimensions(), inTarget):
		return " Give " + quote(name) + " inside targetAudience."
	case of == "" && severalKOLs().means(name):
		return " For several KOLs there is " + ComparisonToolName + "."
	}
	return ""
}

func title(of string) string {
	if of == "" {
		return "The arguments"
	}
	return "Those of " + strings.TrimSuffix(of, ".")
}

// enumerate lists arguments as a sentence does.
func enumerate(arguments []argument) string {
	words := make([]string, len(arguments))
	for i, a := range arguments {
		words[i] = a.name
		if a.required {
			words[i] += " (required)"
		}
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// read parses an argument into its place, if it is given.
func read[T any](g *given, name string, into *T, parse func(name string, value any) (T, error)) {
	value, ok := g.values[name]
	if !ok || g.err != nil {
		return
	}
	parsed, err := parse(g.of+name, value)
	if err != nil {
		g.err = err
		return
	}
	*into = parsed
}

// require is read for an argument whose parser knows what to say of nothing.
func require[T any](g *given, name string, into *T, parse func(name string, value any) (T, error)) {
	if _, ok := g.values[name]; !ok {
		g.values[name] = nil
	}
	read(g, name, into, parse)
}

func parseBool(name string, value any) (bool, error) {
	word := strings.ToLower(plainText(value))
	switch word {
	case "true", "yes", "1":
		return true, nil
	case "false", "no", "0":
		return false, nil
	}
	return false, invalidArgument("%s is %s. It takes true or false.", name, quote(value))
}

// choice is one value of an argument, and the words that are taken for it.
type choice[T ~string] struct {
	value T
	words []string
}

func parseDetail(name string, value any) (schema.Detail, error) {
	return parseChoice(name, value, []choice[schema.Detail]{
		{schema.DetailFull, []string{"full"}},
		{schema.DetailSummary, []string{"summary"}},
	})
}

func parseLanguage(name string, value any) (schema.Language, error) {
	return parseChoice(name, value, []choice[schema.Language]{
		{schema.English, []string{"en", "en-us", "en-gb", "english", "英文", "英语"}},
		{schema.Chinese, []string{"zh", "zh-cn", "zh-hans", "cn", "chinese", "中文", "简体中文"}},
	})
}

func parseChoice[T ~string](name string, value any, choices []choice[T]) (T, error) {
	word := strings.ReplaceAll(strings.ToLower(plainText(value)), "_", "-")
	values := make([]string, len(choices))
	for i, c := range choices {
		if slices.Contains(c.words, word) {
			return c.value, nil
		}
		values[i] = string(c.value)
	}
	return "", invalidArgument("%s is %s. It takes %s.", name, quote(value), strings.Join(values, " or "))
}

// wrapping is what models put around a value that does not belong to it.
const wrapping = " \t\r\n\u00a0\u200b\u3000\ufeff\"'`“”‘’"

// plainText returns value as text without the wrapping that models add to it:
// white space, quotes, a list of one. It is empty for what is not a plain value.
func plainText(value any) string {
	if list, ok := value.([]any); ok && len(list) == 1 {
		value = list[0]
	}
	return strings.Trim(scalar(value), wrapping+"<>")
}

// scalar returns a plain value as text; empty for any other.
func scalar(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case float64:
		return wholeNumber(v)
	}
	return ""
}

// wholeNumber returns v in digits if it is a whole number that a float64 holds
// exactly; an id that has lost digits must not be guessed.
func wholeNumber(v float64) string {
	const exact = 1 << 53
	if v != float64(int64(v)) || v < 0 || v >= exact {
		return ""
	}
	return strconv.FormatInt(int64(v), 10)
}

// invalidArgument returns the error of a call that nothing was asked of the
// vendor for.
func invalidArgument(format string, a ...any) error {
	return &schema.Error{Kind: schema.InvalidArgument, Message: fmt.Sprintf(format, a...)}
}

// quote returns value as JSON, short enough to repeat in a message.
func quote(value any) string {
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false) // an address is to be read as it was given
	if err := encoder.Encode(value); err != nil {
		return "not JSON"
	}
	const most = 80
	printable := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar // such as what turns the direction of writing
		}
		return r
	}, strings.TrimSpace(raw.String()))
	runes := []rune(printable)
	if len(runes) > most {
		end := "…"
		if runes[0] == '"' {
			end += `"`
		}
		return string(runes[:most]) + end
	}
	return printable
}

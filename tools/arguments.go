package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/mark3labs/mcp-go/mcp"

	"kol-portrait-mcp/schema"
)

// ParsePortraitArguments understands raw, the arguments of a call of
// get_kol_fans_portrait as decoded JSON, and fills in the defaults. What a
// model gets slightly wrong is repaired: another spelling of a name, a boolean
// or a number as a string, white space and quotes around a value, a profile
// address instead of an id. What cannot be meant is an invalid_argument error
// that shows a right one.
func (t *Tools) ParsePortraitArguments(raw any) (schema.PortraitArguments, error) {
	args := schema.PortraitArguments{AcceptCache: true, Detail: schema.DetailFull, Language: t.language}
	values, err := argumentObject(raw)
	if err != nil {
		return args, err
	}
	named, err := canonicalNames(values)
	if err != nil {
		return args, err
	}
	if args.KOLID, err = parseKOLID(named["kolId"]); err != nil {
		return args, err
	}
	if value, given := named["acceptCache"]; given {
		if args.AcceptCache, err = parseBool("acceptCache", value); err != nil {
			return args, err
		}
	}
	if value, given := named["detail"]; given {
		if args.Detail, err = parseChoice("detail", value, detailChoices()); err != nil {
			return args, err
		}
	}
	if value, given := named["language"]; given {
		if args.Language, err = parseChoice("language", value, languageChoices()); err != nil {
			return args, err
		}
	}
	return args, nil
}

// repairArguments puts repaired arguments in place of what the client sent,
// before they are held against the tool's schema. What cannot be repaired is
// left as it is, for explainRejection.
func (t *Tools) repairArguments(_ context.Context, _ any, request *mcp.CallToolRequest) {
	if request.Params.Name != PortraitToolName {
		return
	}
	args, err := t.ParsePortraitArguments(request.Params.Arguments)
	if err != nil {
		return
	}
	request.Params.Arguments = map[string]any{
		"kolId":       args.KOLID,
		"acceptCache": args.AcceptCache,
		"detail":      string(args.Detail),
		"language":    string(args.Language),
	}
}

// explainRejection rewrites what the protocol library answers where a call
// does not fit the schema into an error of the contract's shape.
func (t *Tools) explainRejection(ctx context.Context, _ any, request *mcp.CallToolRequest, result any) {
	rejected, ok := result.(*mcp.CallToolResult)
	if !ok || !rejected.IsError || rejected.StructuredContent != nil {
		return
	}
	_, err := t.ParsePortraitArguments(request.Params.Arguments)
	if err == nil {
		err = fmt.Errorf("the arguments can be understood, but do not fit the schema: %v", rejected.Content)
	}
	t.log.WarnContext(ctx, "tool call rejected", "tool", request.Params.Name, "error", err)
	*rejected = *FailureOf(err).result()
}

// argumentObject returns raw as an object of arguments. A JSON object inside a
// string, which some models send, counts as that object.
func argumentObject(raw any) (map[string]any, error) {
	switch value := raw.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return value, nil
	case json.RawMessage:
		return decodeObject(value)
	case string:
		return decodeObject([]byte(value))
	}
	return nil, notAnObject()
}

func decodeObject(text []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, notAnObject()
	}
	return values, nil
}

func notAnObject() error {
	return invalidArgument(`The arguments are not a JSON object. Send one such as {"kolId": %q}.`, exampleKOLID)
}

// canonicalNames returns values under the names of the tool's schema, without
// those that are null.
func canonicalNames(values map[string]any) (map[string]any, error) {
	named := make(map[string]any, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] == nil {
			continue
		}
		canonical, known := argumentName(name)
		if !known {
			return nil, invalidArgument("There is no argument %s. The arguments are kolId (required), acceptCache, detail and language.", quote(name))
		}
		if _, twice := named[canonical]; twice {
			return nil, invalidArgument("%s is given twice, under two spellings. Give it once.", canonical)
		}
		named[canonical] = values[name]
	}
	return named, nil
}

// argumentName returns the argument that a model means by name: case,
// underscores and hyphens do not matter, and the vendor's other name for a
// KOL's id counts.
func argumentName(name string) (canonical string, known bool) {
	plain := strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(name))
	switch plain {
	case "kolid", "userid", "id", "kol":
		return "kolId", true
	case "acceptcache":
		return "acceptCache", true
	case "detail":
		return "detail", true
	case "language", "lang":
		return "language", true
	}
	return "", false
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

func detailChoices() []choice[schema.Detail] {
	return []choice[schema.Detail]{
		{schema.DetailFull, []string{"full"}},
		{schema.DetailSummary, []string{"summary"}},
	}
}

func languageChoices() []choice[schema.Language] {
	return []choice[schema.Language]{
		{schema.English, []string{"en", "en-us", "en-gb", "english", "英文", "英语"}},
		{schema.Chinese, []string{"zh", "zh-cn", "zh-hans", "cn", "chinese", "中文", "简体中文"}},
	}
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

// plainText returns value as text without the wrapping that models add to it:
// white space, quotes, a list of one. It is empty for what is not a plain value.
func plainText(value any) string {
	if list, ok := value.([]any); ok && len(list) == 1 {
		value = list[0]
	}
	switch v := value.(type) {
	case string:
		return strings.Trim(v, " \t\r\n\u00a0\u200b\u3000\ufeff\"'`“”‘’<>")
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
	raw, err := json.Marshal(value)
	if err != nil {
		return "not JSON"
	}
	const most = 80
	printable := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar // such as what turns the direction of writing
		}
		return r
	}, string(raw))
	runes := []rune(printable)
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return printable
}

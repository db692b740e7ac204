package schema_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream"
)

var (
	inputs = map[string]json.RawMessage{
		"portrait": schema.InputSchema[schema.PortraitArguments](), "comparison": schema.InputSchema[schema.ComparisonArguments](),
	}
	outputs = map[string]json.RawMessage{
		"portrait": schema.OutputSchema[schema.PortraitResult](), "comparison": schema.OutputSchema[schema.Comparison](),
	}
)

// What model vendors take of a tool's schema. A client hands ours on as it is or
// makes it strict by adding what is missing, and one keyword that a vendor does not
// know fails the whole request.
//
//   - OpenAI, strict mode (developers.openai.com/api/docs/guides/structured-outputs,
//     "Supported schemas", February 2026): an object at the root, no anyOf there;
//     every object closed, which clients do not do for us where we say otherwise; no
//     allOf, oneOf, not, if, dependent*, patternProperties; no default ("'default'
//     is not permitted"). Its wish that all properties are required is what clients
//     add (Agents SDK convert_schemas_to_strict, docker-agent); blank values count
//     as not given here, so that costs nothing.
//   - Gemini, function declarations (ai.google.dev/api/caching#Schema): type, format,
//     title, description, nullable, enum of strings, items, minItems, maxItems,
//     properties, required, anyOf, minimum, maximum, minLength, maxLength, pattern,
//     example, and default, which is ignored. additionalProperties is not among
//     them: its clients take that out, or send the schema as parametersJsonSchema,
//     which has it. OpenAI's need it, so it stays.
//
// What the two disagree on is not here: default, example(s), title, nullable.
var keywords = []string{"type", "description", "enum", "items", "minItems", "maxItems", "properties", "required", "additionalProperties"}

// outputKeywords are beyond these, since no model is given an output schema:
// clients check results with it.
var outputKeywords = append([]string{"format", "anyOf"}, keywords...)

// The limits of OpenAI's strict mode, and Gemini's on names.
const (
	maxProperties = 5000
	maxDepth      = 10 // of objects in one another; 5 until 2025
	maxEnumValues = 1000
	maxTextRunes  = 120_000 // of names and enum values together
)

var propertyName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// size is how much of the limits a schema uses.
type size struct{ properties, depth, enumValues, text int }

// walk checks a schema and all in it, and adds up its size.
func walk(t *testing.T, at string, s map[string]any, allowed []string, closed bool, depth int, total *size) {
	t.Helper()
	for keyword := range s {
		assert.Contains(t, allowed, keyword, at)
	}
	kind, _ := s["type"].(string)
	properties, _ := s["properties"].(map[string]any)
	items, _ := s["items"].(map[string]any)
	enum, _ := s["enum"].([]any)
	assert.True(t, kind != "" || s["anyOf"] != nil, "%s has no type", at)
	assert.Equal(t, kind == "object", len(properties) > 0, "%s: an object has properties", at)
	assert.Equal(t, kind == "array", items != nil, "%s: a list says of what", at)
	for _, value := range enum {
		assert.IsType(t, "", value, at)
		assert.Equal(t, "string", kind, at)
		total.text += len(value.(string))
	}
	total.enumValues += len(enum)
	if kind == "object" {
		depth++
		total.depth = max(total.depth, depth)
		if additional, has := s["additionalProperties"]; has || closed {
			assert.Equal(t, false, additional, "%s is closed", at)
		}
	}
	required, _ := s["required"].([]any)
	for _, name := range required {
		assert.Contains(t, properties, name, at)
	}
	for name, property := range properties {
		assert.Regexp(t, propertyName, name)
		total.properties++
		total.text += len(name)
		walk(t, at+"."+name, property.(map[string]any), allowed, closed, depth, total)
	}
	if items != nil {
		walk(t, at+"[]", items, allowed, closed, depth, total)
	}
}

func TestSchemasAreWhatModelVendorsTake(t *testing.T) {
	for _, test := range []struct {
		schemas map[string]json.RawMessage
		allowed []string
		closed  bool
	}{{inputs, keywords, true}, {outputs, outputKeywords, false}} {
		for name, raw := range test.schemas {
			var s map[string]any
			require.NoError(t, json.Unmarshal(raw, &s))
			assert.Equal(t, "object", s["type"])
			var total size
			walk(t, name, s, test.allowed, test.closed, 0, &total)
			assert.LessOrEqual(t, total.properties, maxProperties)
			assert.LessOrEqual(t, total.depth, maxDepth)
			assert.LessOrEqual(t, total.enumValues, maxEnumValues)
			assert.LessOrEqual(t, total.text, maxTextRunes)
			assert.Positive(t, min(total.properties, total.depth, total.enumValues, total.text))
		}
	}
}

// compile returns a schema that checks values. With exact it takes no property
// that it does not name, though outputs are open to clients of later versions.
func compile(t *testing.T, raw json.RawMessage, exact bool) *jsonschema.Schema {
	t.Helper()
	if exact {
		raw = bytes.ReplaceAll(raw, []byte(`"type":"object"`), []byte(`"type":"object","additionalProperties":false`))
		raw = bytes.ReplaceAll(raw, []byte(`"additionalProperties":false,"type":"object","additionalProperties":false`), []byte(`"type":"object","additionalProperties":false`))
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	require.NoError(t, compiler.AddResource("schema.json", document))
	s, err := compiler.Compile("schema.json")
	require.NoError(t, err)
	return s
}

func check(t *testing.T, s *jsonschema.Schema, value any) error {
	t.Helper()
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	return s.Validate(instance)
}

// fill sets everything in v that can be set, strings to the first of their
// enumerated values.
func fill(v reflect.Value, tag string) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 3, 9, 1, 2, 3, 4e6, time.UTC)))
		return
	case schema.Weights, schema.Matched:
		v.Set(reflect.MakeMap(v.Type()))
		for _, d := range schema.TargetDimensions {
			v.SetMapIndex(reflect.ValueOf(d), reflect.ValueOf(0.5).Convert(v.Type().Elem()))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), v.Type().Field(i).Tag.Get("jsonschema"))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), tag)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), tag)
		}
	case reflect.String:
		_, enum, _ := strings.Cut(tag, "enum=")
		first, _, _ := strings.Cut(enum, ",")
		v.SetString(first)
		if first == "" {
			v.SetString("x")
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(3)
	case reflect.Float64:
		v.SetFloat(0.12345)
	default:
		panic("no value for " + v.Type().String())
	}
}

func filled[T any]() (value T) {
	fill(reflect.ValueOf(&value).Elem(), "")
	return value
}

// documented is what the vendor's page shows.
func documented() schema.Distributions { return upstream.Read(documentedData()).Distributions }

func documentedData() []byte {
	raw, err := os.ReadFile("../testdata/documented-response.json")
	if err != nil {
		panic(err)
	}
	var answer struct{ Data json.RawMessage }
	if err := json.Unmarshal(raw, &answer); err != nil {
		panic(err)
	}
	return answer.Data
}

func TestValuesKeepTheirSchemas(t *testing.T) {
	failed := map[string]any{"error": filled[schema.Error]()}
	for name, test := range map[string]struct {
		schema json.RawMessage
		values []any // with everything, and with nothing that may be absent
	}{
		"portrait":             {outputs["portrait"], []any{filled[schema.PortraitResult](), schema.PortraitResult{Language: "zh", Warnings: []string{}, Summary: schema.Summary{Insights: []string{}}, Source: filled[schema.Source]()}, failed}},
		"comparison":           {outputs["comparison"], []any{filled[schema.Comparison](), schema.Comparison{Language: "en", Portraits: []schema.ComparedPortrait{}, Warnings: []string{}, Source: filled[schema.ComparisonSource](), Similarity: schema.LowerTriangle{{}, {nil}}}, failed}},
		"portrait arguments":   {inputs["portrait"], []any{filled[schema.PortraitArguments](), schema.PortraitArguments{KOLID: "x"}}},
		"comparison arguments": {inputs["comparison"], []any{filled[schema.ComparisonArguments](), schema.ComparisonArguments{KOLIDs: []string{"x", "y"}}}},
	} {
		for _, value := range test.values {
			require.NoError(t, check(t, compile(t, test.schema, true), value), name)
		}
		assert.Error(t, check(t, compile(t, test.schema, false), map[string]any{}), name)
	}
}

func TestArgumentsAreClosed(t *testing.T) {
	s := compile(t, inputs["portrait"], false)
	require.NoError(t, check(t, s, map[string]any{"kolId": "x", "targetAudience": map[string]any{"soft": []string{"places"}, "weights": map[string]any{"places": 2}}}))
	for _, wrong := range []map[string]any{
		{"kolId": "x", "fresh": true}, {"kolId": "x", "detail": "some"}, {"kolId": "x", "targetAudience": map[string]any{"age": "x"}},
		{"kolId": "x", "targetAudience": map[string]any{"weights": map[string]any{"provinces": 1}}}, {"kolId": "x", "targetAudience": map[string]any{"soft": []string{"cities"}}},
	} {
		assert.Error(t, check(t, s, wrong), "%v", wrong)
	}
}

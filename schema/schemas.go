package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/invopop/jsonschema"
)

// InputSchema returns the JSON Schema of what a tool takes as T, generated from
// the type: inlined, and closed to properties that it does not name.
func InputSchema[T any]() json.RawMessage {
	return encode(reflectType(reflect.TypeFor[T](), false))
}

// OutputSchema returns the JSON Schema of what a tool gives: a T, or an object
// with the error of a failed call. The protocol lets clients skip the check where
// a call failed, but some, the Inspector among them, hold the error against the
// schema too.
func OutputSchema[T any]() json.RawMessage {
	s := reflectType(reflect.TypeFor[T](), true)
	s.Properties.Set("error", reflectType(reflect.TypeFor[Error](), true))
	s.AnyOf = []*jsonschema.Schema{{Required: s.Required}, {Required: []string{"error"}}}
	s.Required = nil
	return encode(s)
}

func reflectType(t reflect.Type, open bool) *jsonschema.Schema {
	reflector := jsonschema.Reflector{
		Anonymous:                 true, // no $id: the schema is not published at an address
		DoNotReference:            true,
		ExpandedStruct:            true,
		AllowAdditionalProperties: open,
	}
	s := reflector.ReflectFromType(t)
	s.Version = "" // validators of draft 7 refuse a $schema that they do not know
	return s
}

// encode writes a schema as JSON, with the keywords that ours have: the tests hold
// it against encoding/json, which takes a tenth of the start for it.
func encode(s *jsonschema.Schema) json.RawMessage { return appendSchema(nil, s) }

func appendSchema(b []byte, s *jsonschema.Schema) []byte {
	if s == jsonschema.FalseSchema {
		return append(b, "false"...)
	}
	b = append(b, '{')
	for _, keyword := range []struct {
		name  string
		given bool
		value func([]byte) []byte
	}{
		{"type", s.Type != "", func(b []byte) []byte { return appendText(b, s.Type) }},
		{"description", s.Description != "", func(b []byte) []byte { return appendText(b, s.Description) }},
		{"format", s.Format != "", func(b []byte) []byte { return appendText(b, s.Format) }},
		{"enum", s.Enum != nil, func(b []byte) []byte {
			return appendList(b, s.Enum, func(b []byte, v any) []byte { return appendText(b, fmt.Sprint(v)) })
		}},
		{"minItems", s.MinItems != nil, func(b []byte) []byte { return strconv.AppendUint(b, *s.MinItems, 10) }},
		{"maxItems", s.MaxItems != nil, func(b []byte) []byte { return strconv.AppendUint(b, *s.MaxItems, 10) }},
		{"items", s.Items != nil, func(b []byte) []byte { return appendSchema(b, s.Items) }},
		{"anyOf", s.AnyOf != nil, func(b []byte) []byte { return appendList(b, s.AnyOf, appendSchema) }},
		{"properties", s.Properties != nil && s.Properties.Len() > 0, func(b []byte) []byte {
			b = append(b, '{')
			for p := s.Properties.Oldest(); p != nil; p = p.Next() {
				b = append(appendSchema(append(appendText(b, p.Key), ':'), p.Value), ',')
			}
			b[len(b)-1] = '}'
			return b
		}},
		{"required", s.Required != nil, func(b []byte) []byte { return appendList(b, s.Required, appendText) }},
		{"additionalProperties", s.AdditionalProperties != nil, func(b []byte) []byte { return appendSchema(b, s.AdditionalProperties) }},
	} {
		if keyword.given {
			b = append(keyword.value(append(appendText(b, keyword.name), ':')), ',')
		}
	}
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, '}')
}

func appendText(b []byte, text string) []byte {
	b, _ = jsontext.AppendQuote(b, text) // constants are valid UTF-8
	return b
}

func appendList[T any](b []byte, list []T, item func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = item(b, v)
	}
	return append(b, ']')
}

// JSONSchema describes the triangle: its numbers may be unknown.
func (LowerTriangle) JSONSchema() *jsonschema.Schema {
	known := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "number"}, {Type: "null"}}}
	return &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "array", Items: known}}
}

// JSONSchema describes the closed object that weights are.
func (Weights) JSONSchema() *jsonschema.Schema { return byDimension() }

// JSONSchema describes the closed object that matched shares are.
func (Matched) JSONSchema() *jsonschema.Schema { return byDimension() }

// byDimension describes an object with a number for some of TargetDimensions.
func byDimension() *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	for _, d := range TargetDimensions {
		s.Properties.Set(string(d), &jsonschema.Schema{Type: "number"})
	}
	return s
}

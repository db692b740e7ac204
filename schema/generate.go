package schema

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"
)

// InputSchema returns the JSON Schema (2020-12, inlined, closed to properties
// it does not name) of what a tool takes as T.
func InputSchema[T any]() (json.RawMessage, error) {
	return encode(reflectType(reflect.TypeFor[T](), false), reflect.TypeFor[T]())
}

// OutputSchema returns the JSON Schema (2020-12, inlined) of what a tool gives:
// a T, or an object with the error of a failed call. The protocol lets clients
// skip the check where a call failed, but some, the Inspector among them, hold
// the error against the schema too, and would show that it does not fit instead
// of the error. The schema is open to further properties, so that a client that
// remembers it accepts what a newer server adds.
func OutputSchema[T any]() (json.RawMessage, error) {
	s := reflectType(reflect.TypeFor[T](), true)
	s.Properties.Set("error", reflectType(reflect.TypeFor[Error](), true))
	s.AnyOf = []*jsonschema.Schema{{Required: s.Required}, {Required: []string{"error"}}}
	s.Required = nil
	return encode(s, reflect.TypeFor[T]())
}

func reflectType(t reflect.Type, open bool) *jsonschema.Schema {
	reflector := jsonschema.Reflector{
		Anonymous:                 true, // no $id: the schema is not published at an address
		DoNotReference:            true,
		ExpandedStruct:            true,
		AllowAdditionalProperties: open,
		Mapper:                    mapType,
	}
	return reflector.ReflectFromType(t)
}

func encode(s *jsonschema.Schema, t reflect.Type) (json.RawMessage, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("generate the schema of %s: %w", t, err)
	}
	return raw, nil
}

// mapType describes the types whose JSON form their Go form does not tell.
func mapType(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[Share](), reflect.TypeFor[RoughShare](), reflect.TypeFor[Index]():
		return &jsonschema.Schema{Type: "number"}
	case reflect.TypeFor[LowerTriangle]():
		known := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "number"}, {Type: "null"}}}
		return &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "array", Items: known}}
	}
	return nil
}

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
	return generate(reflect.TypeFor[T](), false)
}

// OutputSchema returns the JSON Schema (2020-12, inlined) of what a tool gives
// as T. It is open to further properties, so that a client that remembers it
// accepts what a newer server adds.
func OutputSchema[T any]() (json.RawMessage, error) {
	return generate(reflect.TypeFor[T](), true)
}

func generate(t reflect.Type, open bool) (json.RawMessage, error) {
	reflector := jsonschema.Reflector{
		Anonymous:                 true, // no $id: the schema is not published at an address
		DoNotReference:            true,
		ExpandedStruct:            true,
		AllowAdditionalProperties: open,
		Mapper:                    mapType,
	}
	raw, err := json.Marshal(reflector.ReflectFromType(t))
	if err != nil {
		return nil, fmt.Errorf("generate the schema of %s: %w", t, err)
	}
	return raw, nil
}

// mapType describes the types whose JSON form their Go form does not tell.
func mapType(t reflect.Type) *jsonschema.Schema {
	if t == reflect.TypeFor[Share]() {
		return &jsonschema.Schema{Type: "number"}
	}
	return nil
}

// Command generate writes the JSON Schemas of what the tools take and give,
// made from the Go types, into the folder that package schema embeds:
//
//	go generate ./schema
//
// They are not made when the server starts: clients wait for them then, and
// reflection would take a third of the time until they have the list of tools.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"reflect"

	"github.com/invopop/jsonschema"

	"kol-portrait-mcp/schema"
)

func main() {
	schemas, err := generate()
	if err != nil {
		log.Fatal(err)
	}
	for name, text := range schemas {
		if err := os.WriteFile(filepath.Join("generated", name), text, 0o600); err != nil {
			log.Fatal(err)
		}
	}
}

// generate returns the schemas by the names of their files.
func generate() (map[string][]byte, error) {
	schemas := map[string][]byte{}
	for name, of := range map[string]func() ([]byte, error){
		"portrait-arguments.json":   input[schema.PortraitArguments],
		"portrait.json":             output[schema.PortraitResult],
		"comparison-arguments.json": input[schema.ComparisonArguments],
		"comparison.json":           output[schema.Comparison],
	} {
		text, err := of()
		if err != nil {
			return nil, err
		}
		schemas[name] = text
	}
	return schemas, nil
}

// input returns the JSON Schema (2020-12, inlined, closed to properties it does
// not name) of what a tool takes as T.
func input[T any]() ([]byte, error) {
	return encode(reflectType(reflect.TypeFor[T](), false), reflect.TypeFor[T]())
}

// output returns the JSON Schema (2020-12, inlined) of what a tool gives:
// a T, or an object with the error of a failed call. The protocol lets clients
// skip the check where a call failed, but some, the Inspector among them, hold
// the error against the schema too, and would show that it does not fit instead
// of the error. The schema is open to further properties, so that a client that
// remembers it accepts what a newer server adds.
func output[T any]() ([]byte, error) {
	s := reflectType(reflect.TypeFor[T](), true)
	s.Properties.Set("error", reflectType(reflect.TypeFor[schema.Error](), true))
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

func encode(s *jsonschema.Schema, t reflect.Type) ([]byte, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("generate the schema of %s: %w", t, err)
	}
	return raw, nil
}

// mapType describes the types whose JSON form their Go form does not tell.
func mapType(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[schema.Share](), reflect.TypeFor[schema.RoughShare](), reflect.TypeFor[schema.Index]():
		return &jsonschema.Schema{Type: "number"}
	case reflect.TypeFor[schema.LowerTriangle]():
		known := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "number"}, {Type: "null"}}}
		return &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "array", Items: known}}
	}
	return nil
}

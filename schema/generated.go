package schema

import (
	_ "embed"
	"encoding/json"
)

//go:generate go run ./generate

var (
	//go:embed generated/portrait-arguments.json
	portraitArguments []byte
	//go:embed generated/portrait.json
	portrait []byte
	//go:embed generated/comparison-arguments.json
	comparisonArguments []byte
	//go:embed generated/comparison.json
	comparison []byte
)

// PortraitArgumentsSchema is the JSON Schema (2020-12) of PortraitArguments,
// generated from the type: inlined, and closed to properties it does not name.
func PortraitArgumentsSchema() json.RawMessage { return portraitArguments }

// PortraitSchema is the JSON Schema of a PortraitResult, or of an object with the
// error of a failed call; open to further properties, so that a client that
// remembers it accepts what a newer server adds.
func PortraitSchema() json.RawMessage { return portrait }

// ComparisonArgumentsSchema is the JSON Schema of ComparisonArguments, closed
// as that of PortraitArguments is.
func ComparisonArgumentsSchema() json.RawMessage { return comparisonArguments }

// ComparisonSchema is the JSON Schema of a Comparison, open as that of a
// PortraitResult is.
func ComparisonSchema() json.RawMessage { return comparison }

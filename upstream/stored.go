package upstream

import (
	"encoding/json"

	"kol-portrait-mcp/schema"
)

// Distributions reads the data of a portrait that was collected earlier, as
// strictly as when it came.
func Distributions(data json.RawMessage) (schema.Distributions, error) {
	p, err := decodePortrait(data)
	return p.distributions, err
}

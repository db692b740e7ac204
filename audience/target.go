package audience

import "kol-portrait-mcp/schema"

// Target is a target audience whose names are understood. Make one with
// Analyst.Target.
type Target struct {
	selected map[schema.Dimension][]string // by the names of facts.rows, groups spelled out, each once; never empty
	said     map[schema.Dimension][]label  // the same as the caller chose: a group is one label
	weights  map[schema.Dimension]float64  // of each selected dimension, 0 or more, not all 0
}

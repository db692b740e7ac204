package schema

// TargetAudience is whom a campaign is to reach, in a caller's own words: in
// each dimension any of the values, over the dimensions all of them. An empty
// dimension asks for nothing.
type TargetAudience struct {
	Gender    string                `json:"gender,omitempty" jsonschema:"enum=female,enum=male"`
	AgeGroups []string              `json:"ageGroups,omitempty" jsonschema:"enum=<18,enum=18-24,enum=25-34,enum=35-44,enum=>44"`
	Provinces []string              `json:"provinces,omitempty" jsonschema_description:"Or regions: East, South, ..."`
	Cities    []string              `json:"cities,omitempty" jsonschema_description:"Or tier1, new-tier1"`
	Interests []string              `json:"interests,omitempty"`
	Devices   []string              `json:"devices,omitempty"`
	Weights   map[Dimension]float64 `json:"weights,omitempty" jsonschema_description:"By dimension, default 1"` // of the matched shares in the score
}

package schema

// TargetAudience is whom a campaign is to reach, in a caller's own words: in
// each dimension any of the values, over the dimensions all of them. An empty
// dimension asks for nothing.
type TargetAudience struct {
	Gender    string                `json:"gender,omitempty"`
	AgeGroups []string              `json:"ageGroups,omitempty"`
	Provinces []string              `json:"provinces,omitempty"`
	Cities    []string              `json:"cities,omitempty"`
	Interests []string              `json:"interests,omitempty"`
	Devices   []string              `json:"devices,omitempty"`
	Weights   map[Dimension]float64 `json:"weights,omitempty"` // of the matched shares in the score; 1 where not given
}

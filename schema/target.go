package schema

// TargetAudience is whom a campaign is to reach, in a caller's own words: in
// each dimension any of the values, over the dimensions all of them. Provinces
// and cities are one dimension, places. An empty dimension asks for nothing.
type TargetAudience struct {
	Gender    string   `json:"gender,omitempty" jsonschema:"enum=female,enum=male"`
	AgeGroups []string `json:"ageGroups,omitempty" jsonschema_description:"<18, 18-24, 25-34, 35-44, >44 or spans, such as 18-34"`
	Provinces []string `json:"provinces,omitempty" jsonschema_description:"Also areas: East, 长三角. A follower in any of provinces and cities counts"`
	Cities    []string `json:"cities,omitempty" jsonschema_description:"Also tier1, new-tier1"`
	Interests []string `json:"interests,omitempty" jsonschema_description:"In the score only"`
	Devices   []string `json:"devices,omitempty"`
	Weights   Weights  `json:"weights,omitempty" jsonschema_description:"In the score, default 1"`
	Soft      []string `json:"soft,omitempty" jsonschema:"enum=gender,enum=ageGroups,enum=places,enum=interests,enum=devices" jsonschema_description:"A plus: not in targetShare, but in the score in full, or by its weight"`
}

// Weights is how much each of TargetDimensions counts in the score, from 0 up; 1
// where it is not given. As a schema it is a closed object.
type Weights map[Dimension]float64

// Target is a target audience as it was understood, with names in the language
// of the answer.
type Target struct {
	Gender    string      `json:"gender,omitempty"`
	AgeGroups []string    `json:"ageGroups,omitempty"`
	Places    []string    `json:"places,omitempty"`
	Interests []string    `json:"interests,omitempty"`
	Devices   []string    `json:"devices,omitempty"`
	Weights   Weights     `json:"weights,omitempty"` // those that are not 1
	Soft      []Dimension `json:"soft,omitempty"`
}

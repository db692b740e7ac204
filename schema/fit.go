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

// Fit is how well a KOL's followers match a target audience.
type Fit struct {
	Target      Target       `json:"target" jsonschema_description:"As it was understood"`
	Score       *Score       `json:"score,omitempty" jsonschema_description:"0 to 100, to rank by: 100 x the weighted geometric mean of the matched shares. With scoreAtMost, at least this; absent where a dimension has no data or nothing chosen in it is listed"`
	ScoreAtMost *Score       `json:"scoreAtMost,omitempty" jsonschema_description:"Where something chosen is not listed"`
	Gender      *Match       `json:"gender,omitempty"`
	AgeGroups   *Match       `json:"ageGroups,omitempty"`
	Places      *Match       `json:"places,omitempty" jsonschema_description:"Provinces and cities together, no follower twice"`
	Interests   *Match       `json:"interests,omitempty" jsonschema_description:"Share of interest, not of people"`
	Devices     *Match       `json:"devices,omitempty"`
	TargetShare *TargetShare `json:"targetShare,omitempty" jsonschema_description:"Share of followers who meet all dimensions at once, without interests and soft ones"`
}

// Match is one dimension of a Fit. It is empty where the vendor sent no data.
type Match struct {
	MatchedShare *Share   `json:"matchedShare,omitempty" jsonschema_description:"What was chosen, together; with atMost, at least this. Absent: unknown"`
	AtMost       *Share   `json:"atMost,omitempty" jsonschema_description:"Where something chosen is not listed"`
	NotListed    []string `json:"notListed,omitempty" jsonschema_description:"Chosen, but without a row: unknown, not 0"`
	TGI          *Index   `json:"tgi,omitempty"`
}

// TargetShare is the share of the followers who meet every hard dimension of a
// target audience at once, which Chinese media planning calls TA 浓度. The vendor
// does not cross dimensions, so it is estimated as though they were independent,
// and bounded by what any dependence allows: the Fréchet-Hoeffding bounds.
type TargetShare struct {
	Estimate       *Share `json:"estimate,omitempty" jsonschema_description:"As if the dimensions were independent; not measured"`
	EstimateAtMost *Share `json:"estimateAtMost,omitempty" jsonschema_description:"Where something chosen is not listed, the estimate lies between estimate and this"`
	AtLeast        Share  `json:"atLeast"`
	AtMost         Share  `json:"atMost"`
}

// Of returns the place of a dimension's Match, nil for one that a target
// audience does not have.
func (f *Fit) Of(d Dimension) **Match {
	switch d {
	case DimensionGender:
		return &f.Gender
	case DimensionAgeGroups:
		return &f.AgeGroups
	case DimensionPlaces:
		return &f.Places
	case DimensionInterests:
		return &f.Interests
	case DimensionDevices:
		return &f.Devices
	default:
		return nil
	}
}

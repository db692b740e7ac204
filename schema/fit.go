package schema

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

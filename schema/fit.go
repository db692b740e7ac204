package schema

import "iter"

// Fit is how well a KOL's followers match a target audience.
type Fit struct {
	Target          string   `json:"target" jsonschema_description:"The target audience as it was understood"`
	Score           *float64 `json:"score,omitempty" jsonschema_description:"0 to 100: the weighted mean of the matched shares, times 100; absent where a dimension with a weight has no data"`
	ScoreLowerBound bool     `json:"scoreLowerBound,omitempty" jsonschema_description:"True: something selected is not listed, and counts as 0"`
	Gender          *Match   `json:"gender,omitempty"`
	AgeGroups       *Match   `json:"ageGroups,omitempty"`
	Provinces       *Match   `json:"provinces,omitempty"`
	Cities          *Match   `json:"cities,omitempty"`
	Interests       *Match   `json:"interests,omitempty"`
	Devices         *Match   `json:"devices,omitempty"`
	Reach           *Reach   `json:"reach,omitempty" jsonschema_description:"Share of followers who match every dimension"`
	Explanation     string   `json:"explanation" jsonschema_description:"What drives the score, and what caps the reach"`
}

// Match is one dimension of a Fit.
type Match struct {
	MatchedShare *Share   `json:"matchedShare,omitempty" jsonschema_description:"The selected rows together; absent where the vendor sent no data"`
	LowerBound   bool     `json:"lowerBound" jsonschema_description:"True: the list is cut off. At least this share, and exactly this where notListed is absent"`
	TGI          *Index   `json:"tgi,omitempty"`
	NotListed    []string `json:"notListed,omitempty" jsonschema_description:"Selected, but without a row: their share is not known"`
}

// Reach is the share of the followers who match every dimension of a target
// audience at once. The vendor does not cross dimensions, so it is estimated as
// though they were independent, and bounded by what any dependence allows: the
// Fréchet-Hoeffding bounds.
type Reach struct {
	Independent *Share `json:"independent,omitempty" jsonschema_description:"If the dimensions were independent: the product of the matched shares; absent where nothing selected in a dimension is listed"`
	AtLeast     Share  `json:"atLeast"`
	AtMost      Share  `json:"atMost"`
}

// Of returns the place of a dimension's Match, nil for an unknown dimension.
func (f *Fit) Of(d Dimension) **Match {
	switch d {
	case DimensionGender:
		return &f.Gender
	case DimensionAgeGroups:
		return &f.AgeGroups
	case DimensionProvinces:
		return &f.Provinces
	case DimensionCities:
		return &f.Cities
	case DimensionInterests:
		return &f.Interests
	case DimensionDevices:
		return &f.Devices
	}
	return nil
}

// Matches yields the dimensions that the target audience speaks of, in the
// order of Dimensions.
func (f *Fit) Matches() iter.Seq2[Dimension, *Match] {
	return func(yield func(Dimension, *Match) bool) {
		for _, d := range Dimensions() {
			if m := *f.Of(d); m != nil && !yield(d, m) {
				return
			}
		}
	}
}

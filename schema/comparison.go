package schema

import "slices"

// Comparison is the structured answer of compare_kol_fans_portraits.
type Comparison struct {
	Language   Language           `json:"language" jsonschema:"enum=en,enum=zh"`
	Target     string             `json:"target,omitempty" jsonschema_description:"The target audience as it was understood"`
	Portraits  []ComparedPortrait `json:"portraits" jsonschema_description:"In rank order where there is a target audience, else as asked"`
	Similarity *Similarity        `json:"similarity,omitempty" jsonschema_description:"How alike the profiles are; says nothing about people who follow both"`
	Failures   []FailedPortrait   `json:"failures,omitempty" jsonschema_description:"KOLs without a portrait, and why"`
	Source     ComparisonSource   `json:"source"`
	Warnings   []string           `json:"warnings" jsonschema_description:"What to keep in mind before relying on the figures"`
}

// ComparedPortrait is one KOL of a Comparison. What is not known is absent; so
// are, beyond ten KOLs, TopProvinces, TopInterests, and the share of a dimension
// that the target audience names: Female, CoreAgeGroup and CoreAgeShare,
// Tier1CityShare, AppleShare.
type ComparedPortrait struct {
	Rank           int          `json:"rank,omitempty" jsonschema_description:"By fit.score, then fit.reach.independent, then kolId; absent where the score is"`
	KOLID          string       `json:"kolId"`
	AsOf           string       `json:"asOf,omitempty"`
	Female         *RoughShare  `json:"female,omitempty" jsonschema_description:"Beyond ten KOLs this, coreAgeGroup, tier1CityShare and appleShare are left out where targetAudience names gender, ageGroups, cities or devices: fit tells"`
	CoreAgeGroup   string       `json:"coreAgeGroup,omitempty"`
	CoreAgeShare   *RoughShare  `json:"coreAgeShare,omitempty"`
	MedianYears    *float64     `json:"medianYears,omitempty"`
	MinorShare     *RoughShare  `json:"minorShare,omitempty"`
	TopProvinces   []string     `json:"topProvinces,omitempty" jsonschema_description:"At most three, largest first; left out beyond ten KOLs"`
	TopInterests   []string     `json:"topInterests,omitempty"`
	Tier1CityShare *RoughShare  `json:"tier1CityShare,omitempty" jsonschema_description:"At least this share"`
	OverseasShare  *RoughShare  `json:"overseasShare,omitempty"`
	AppleShare     *RoughShare  `json:"appleShare,omitempty"`
	Fit            *ComparedFit `json:"fit,omitempty"`
}

// ComparedFit is a Fit without what only one portrait has room for.
type ComparedFit struct {
	Score           *float64            `json:"score,omitempty" jsonschema_description:"0 to 100"`
	ScoreLowerBound bool                `json:"scoreLowerBound,omitempty" jsonschema_description:"True: something selected is not listed, and counts as 0"`
	Matched         map[Dimension]Share `json:"matched"`
	NotListed       []Dimension         `json:"notListed,omitempty" jsonschema_description:"Dimensions in which something selected is not listed: the share is at least this, or absent where nothing selected is"`
	Reach           *Reach              `json:"reach,omitempty" jsonschema_description:"Share of followers who match every dimension"`
}

// Speaks reports whether the target audience of the fit, which may be nil,
// names a dimension that the portrait has data on.
func (f *ComparedFit) Speaks(d Dimension) bool {
	if f == nil {
		return false
	}
	_, matched := f.Matched[d]
	return matched || slices.Contains(f.NotListed, d)
}

// Similarity is how alike the profiles of compared KOLs are, two by two.
type Similarity struct {
	KOLIDs []string      `json:"kolIds,omitempty" jsonschema_description:"The KOLs of the rows and columns; left out beyond ten KOLs, where they are those of portraits, in that order"`
	Scores LowerTriangle `json:"scores" jsonschema_description:"scores[i][j], j < i: 1 for equal profiles, 0 for entirely different ones; null where one of the four dimensions is missing"`
}

// LowerTriangle is a figure for each two of a list: row i has one for each
// entry before the i-th, nil where it is not known.
type LowerTriangle [][]*float64

// FailedPortrait is a KOL of a Comparison that there is no portrait of.
type FailedPortrait struct {
	KOLID string `json:"kolId"`
	Error *Error `json:"error"`
}

// ComparisonSource tells where the portraits of a Comparison came from and
// what they cost.
type ComparisonSource struct {
	Environment Environment `json:"environment" jsonschema:"enum=global,enum=cn,enum=sample"`
	Charged     int         `json:"charged" jsonschema_description:"Vendor calls of this comparison that were, or may have been, charged"`
	FromStore   int         `json:"fromStore" jsonschema_description:"Portraits from this server's store, at no cost"`
	Sample      bool        `json:"sample" jsonschema_description:"True: simulated data that says nothing about a real KOL"`
}

// ComparisonArguments is what compare_kol_fans_portraits takes.
type ComparisonArguments struct {
	KOLIDs         []string        `json:"kolIds" jsonschema:"minItems=2,maxItems=20" jsonschema_description:"User ids or profile page addresses"`
	TargetAudience *TargetAudience `json:"targetAudience,omitempty" jsonschema_description:"Adds fit and ranks, as in get_kol_fans_portrait"`
	AcceptCache    bool            `json:"acceptCache,omitempty" jsonschema:"default=true" jsonschema_description:"As in get_kol_fans_portrait"`
	Language       Language        `json:"language,omitempty" jsonschema:"enum=en,enum=zh"`
}

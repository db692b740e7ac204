package schema

// Comparison is the structured answer of compare_kol_fans_portraits.
type Comparison struct {
	Language   Language           `json:"language" jsonschema:"enum=en,enum=zh"`
	Target     *Target            `json:"target,omitempty" jsonschema_description:"As it was understood"`
	Portraits  []ComparedPortrait `json:"portraits" jsonschema_description:"In rank order where there is a target audience, else as asked"`
	Similarity LowerTriangle      `json:"similarity,omitempty" jsonschema_description:"For up to six KOLs: how alike the profiles of portraits[i] and portraits[j] are, j < i, 0 to 1; null is unknown. Says nothing about people who follow both"`
	Failures   []FailedPortrait   `json:"failures,omitempty" jsonschema_description:"KOLs without a portrait, and why"`
	Source     ComparisonSource   `json:"source"`
	Warnings   []string           `json:"warnings" jsonschema_description:"What to keep in mind before relying on the figures"`
}

// ComparedPortrait is one KOL of a Comparison. What is not known is absent; what
// is known is there however many KOLs there are.
type ComparedPortrait struct {
	Rank           int          `json:"rank,omitempty" jsonschema_description:"By score; absent where it is not known at all"`
	KOLID          string       `json:"kolId"`
	Label          string       `json:"label,omitempty"`
	AsOf           string       `json:"asOf,omitempty"`
	Female         *RoughShare  `json:"female,omitempty"`
	CoreAgeGroup   string       `json:"coreAgeGroup,omitempty"`
	CoreAgeShare   *RoughShare  `json:"coreAgeShare,omitempty"`
	MedianYears    *Years       `json:"medianYears,omitempty"`
	MinorShare     *RoughShare  `json:"minorShare,omitempty"`
	TopProvinces   []string     `json:"topProvinces,omitempty"`
	TopInterests   []string     `json:"topInterests,omitempty"`
	Tier1CityShare *RoughShare  `json:"tier1CityShare,omitempty" jsonschema_description:"At least this share"`
	OverseasShare  *RoughShare  `json:"overseasShare,omitempty"`
	AppleShare     *RoughShare  `json:"appleShare,omitempty"`
	MostSimilar    *Similar     `json:"mostSimilar,omitempty"`
	Fit            *ComparedFit `json:"fit,omitempty"`
}

// Similar is the KOL of a comparison whose profile is most like another's.
type Similar struct {
	KOLID      string     `json:"kolId"`
	Similarity Similarity `json:"similarity" jsonschema_description:"0 to 1. Compares profiles, not people"`
}

// ComparedFit is a Fit without what is the same for all KOLs. What its fields
// mean is said there.
type ComparedFit struct {
	Score       *Score       `json:"score,omitempty" jsonschema_description:"0 to 100; with scoreAtMost, at least this"`
	ScoreAtMost *Score       `json:"scoreAtMost,omitempty"`
	Matched     Matched      `json:"matched" jsonschema_description:"Matched share by dimension; absent is unknown"`
	NotListed   []string     `json:"notListed,omitempty" jsonschema_description:"Chosen, but without a row: matched is at least this"`
	TargetShare *RoughTarget `json:"targetShare,omitempty"`
}

// Matched is the matched share of each of TargetDimensions that is known. As a
// schema it is a closed object.
type Matched map[Dimension]RoughShare

// RoughTarget is a TargetShare where many stand side by side.
type RoughTarget struct {
	Estimate       *RoughShare `json:"estimate,omitempty"`
	EstimateAtMost *RoughShare `json:"estimateAtMost,omitempty"`
	AtLeast        RoughShare  `json:"atLeast"`
	AtMost         RoughShare  `json:"atMost"`
}

// LowerTriangle is a similarity for each two of a list: row i has one for each
// entry before the i-th, nil where it is not known.
type LowerTriangle [][]*Similarity

// FailedPortrait is a KOL of a Comparison that there is no portrait of.
type FailedPortrait struct {
	KOLID string `json:"kolId"`
	Label string `json:"label,omitempty"`
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
	KOLIDs         []string        `json:"kolIds" jsonschema:"minItems=2,maxItems=20"`
	Labels         []string        `json:"labels,omitempty" jsonschema_description:"Their names, one for each of kolIds"`
	TargetAudience *TargetAudience `json:"targetAudience,omitempty" jsonschema_description:"Ranks"`
	AcceptCache    bool            `json:"acceptCache,omitempty" jsonschema_description:"Default true"`
	Language       Language        `json:"language,omitempty" jsonschema:"enum=en,enum=zh"`
}

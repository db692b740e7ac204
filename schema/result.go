package schema

// Language is the language of text, and of names in a Summary.
type Language string

// The languages.
const (
	English Language = "en"
	Chinese Language = "zh"
)

// Detail tells how much of a portrait a caller wants.
type Detail string

// The details.
const (
	DetailFull    Detail = "full"    // summary and every distribution row
	DetailSummary Detail = "summary" // without the distributions
)

// PortraitResult is the structured answer of get_kol_fans_portrait.
type PortraitResult struct {
	KOLID         string       `json:"kolId"`
	Label         string       `json:"label,omitempty" jsonschema_description:"As the caller gave it"`
	AsOf          string       `json:"asOf,omitempty" jsonschema_description:"Day of the data, YYYY-MM-DD; absent where the vendor gave none"`
	Language      Language     `json:"language" jsonschema:"enum=en,enum=zh" jsonschema_description:"Of sentences, and of names in the summary"`
	Summary       Summary      `json:"summary"`
	Fit           *Fit         `json:"fit,omitempty" jsonschema_description:"How well the followers match targetAudience"`
	Change        *Change      `json:"change,omitempty" jsonschema_description:"What moved by a point or more since the newest older portrait in this server's store; absent where there is none"`
	Distributions *VendorShape `json:"distributions,omitempty" jsonschema_description:"The vendor's own rows, unrounded; left out with detail=summary"`
	Source        Source       `json:"source"`
	Warnings      []string     `json:"warnings" jsonschema_description:"What to keep in mind before relying on the figures"`
}

// Summary is what a portrait amounts to. What is not known is absent.
type Summary struct {
	Headline          string        `json:"headline"`
	Insights          []string      `json:"insights" jsonschema_description:"What stands out, each with its figure"`
	Gender            *GenderSplit  `json:"gender,omitempty"`
	Age               *AgeSummary   `json:"age,omitempty"`
	TopInterests      []RankedShare `json:"topInterests,omitempty" jsonschema_description:"The largest, at most three, as in the other lists. Shares of interest, not of people"`
	TopProvinces      []RankedShare `json:"topProvinces,omitempty"`
	TopCities         []RankedShare `json:"topCities,omitempty"`
	TopDevices        []RankedShare `json:"topDevices,omitempty"`
	HighProvinces     []RankedShare `json:"highProvinces,omitempty" jsonschema_description:"The highest TGI, of 120 or more"`
	LowProvinces      []RankedShare `json:"lowProvinces,omitempty" jsonschema_description:"The lowest TGI, of 80 or less"`
	Tier1CityShare    *Share        `json:"tier1CityShare,omitempty" jsonschema_description:"Beijing, Shanghai, Guangzhou and Shenzhen: at least this, since the city list is cut off"`
	NewTier1CityShare *Share        `json:"newTier1CityShare,omitempty" jsonschema_description:"The fifteen new first-tier cities of 2025: at least this"`
	OverseasShare     *Share        `json:"overseasShare,omitempty" jsonschema_description:"Outside China"`
	Regions           []RankedShare `json:"regions,omitempty" jsonschema_description:"China's seven customary regions, with Hong Kong, Macao and Taiwan beside them, largest first"`
}

// GenderSplit is the gender dimension of a Summary.
type GenderSplit struct {
	Female *Share `json:"female,omitempty"`
	Male   *Share `json:"male,omitempty"`
	TGI    *Index `json:"tgi,omitempty" jsonschema_description:"Of women, against Xiaohongshu's own users (about 70% women) unless another baseline is configured"`
}

// AgeSummary is the age dimension of a Summary.
type AgeSummary struct {
	CoreGroup   string `json:"coreGroup" jsonschema_description:"The largest age group"`
	CoreShare   Share  `json:"coreShare"`
	MedianYears *Years `json:"medianYears,omitempty" jsonschema_description:"Interpolated within its group; absent where it cannot be known"`
	MinorShare  *Share `json:"minorShare,omitempty" jsonschema_description:"Under 18"`
}

// RankedShare is one of the largest rows of a dimension, with its name in the
// Summary's language.
type RankedShare struct {
	Name  string `json:"name"`
	Share Share  `json:"share"`
	TGI   *Index `json:"tgi,omitempty" jsonschema_description:"100 = as in the baseline: China's 2020 census unless another is configured; absent where there is none"`
}

// PortraitArguments is what get_kol_fans_portrait takes.
type PortraitArguments struct {
	KOLID          string          `json:"kolId" jsonschema_description:"User id (24 hex digits) or profile page address"`
	Label          string          `json:"label,omitempty" jsonschema_description:"The creator's name, shown instead of the id"`
	TargetAudience *TargetAudience `json:"targetAudience,omitempty" jsonschema_description:"Adds fit. Any value within a dimension, all dimensions together. Names in English or Chinese"`
	AcceptCache    bool            `json:"acceptCache,omitempty" jsonschema_description:"Default true. false: collect anew, charged"`
	Detail         Detail          `json:"detail,omitempty" jsonschema:"enum=full,enum=summary" jsonschema_description:"Default full. summary leaves the distributions out"`
	Language       Language        `json:"language,omitempty" jsonschema:"enum=en,enum=zh" jsonschema_description:"Of the answer"`
}

// Change is what moved since an older portrait of the same KOL, by at least
// one percentage point: in each dimension the largest moves, at most five. A
// row that one of two lists leaves out is not known there, and is told where it
// moved so far that this is certain all the same. Where nothing is known to have
// moved, there is AsOf alone.
type Change struct {
	AsOf      string `json:"asOf" jsonschema_description:"Day of the older portrait, YYYY-MM-DD"`
	Gender    []Move `json:"gender,omitempty"`
	Ages      []Move `json:"ages,omitempty"`
	Provinces []Move `json:"provinces,omitempty"`
	Cities    []Move `json:"cities,omitempty"`
	Interests []Move `json:"interests,omitempty"`
	Devices   []Move `json:"devices,omitempty"`
}

// Move is how far one row's share moved.
type Move struct {
	Name    string  `json:"name"`
	Points  float64 `json:"points" jsonschema_description:"Percentage points, up is positive"` // one decimal
	AtLeast bool    `json:"atLeast,omitempty" jsonschema_description:"True: one of the two lists leaves the row out, so it moved at least this far"`
}

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
	KOLID         string         `json:"kolId"`
	AsOf          string         `json:"asOf,omitempty" jsonschema_description:"Day of the data, YYYY-MM-DD; absent where the vendor gave none"`
	Language      Language       `json:"language" jsonschema:"enum=en,enum=zh" jsonschema_description:"Language of sentences, and of names in the summary"`
	Summary       Summary        `json:"summary"`
	Fit           *Fit           `json:"fit,omitempty" jsonschema_description:"How well the followers match targetAudience"`
	Change        *Change        `json:"change,omitempty" jsonschema_description:"What moved by a point or more since the newest older portrait in this server's store; absent where there is none"`
	Distributions *Distributions `json:"distributions,omitempty" jsonschema_description:"The vendor's own rows, unrounded; left out with detail=summary"`
	Source        Source         `json:"source"`
	Warnings      []string       `json:"warnings" jsonschema_description:"What to keep in mind before relying on the figures"`
}

// Summary is what a portrait amounts to. What is not known is absent.
type Summary struct {
	Headline          string        `json:"headline"`
	Insights          []string      `json:"insights" jsonschema_description:"What stands out, each with its figure"`
	Gender            *GenderSplit  `json:"gender,omitempty"`
	Age               *AgeSummary   `json:"age,omitempty"`
	TopInterests      []RankedShare `json:"topInterests,omitempty" jsonschema_description:"The largest, at most three, as in the other lists"`
	TopProvinces      []RankedShare `json:"topProvinces,omitempty"`
	TopCities         []RankedShare `json:"topCities,omitempty"`
	TopDevices        []RankedShare `json:"topDevices,omitempty"`
	Tier1CityShare    *Share        `json:"tier1CityShare,omitempty" jsonschema_description:"Beijing, Shanghai, Guangzhou and Shenzhen together: at least this share, since the city list is cut off"`
	NewTier1CityShare *Share        `json:"newTier1CityShare,omitempty" jsonschema_description:"The fifteen new first-tier cities of 2025 together: at least this share"`
	OverseasShare     *Share        `json:"overseasShare,omitempty" jsonschema_description:"Outside China"`
	Regions           []RankedShare `json:"regions,omitempty" jsonschema_description:"China's seven customary regions, with Hong Kong, Macao and Taiwan beside them, largest first"`
}

// GenderSplit is the gender dimension of a Summary.
type GenderSplit struct {
	Female *Share `json:"female,omitempty"`
	Male   *Share `json:"male,omitempty"`
}

// AgeSummary is the age dimension of a Summary.
type AgeSummary struct {
	CoreGroup   string   `json:"coreGroup" jsonschema_description:"The largest age group"`
	CoreShare   Share    `json:"coreShare"`
	MedianYears *float64 `json:"medianYears,omitempty" jsonschema_description:"Interpolated within its group; absent where it cannot be known"`
	MinorShare  *Share   `json:"minorShare,omitempty" jsonschema_description:"Under 18"`
}

// RankedShare is one of the largest rows of a dimension, with its name in the
// Summary's language.
type RankedShare struct {
	Name  string `json:"name"`
	Share Share  `json:"share"`
	TGI   *Index `json:"tgi,omitempty" jsonschema_description:"100 = as in the baseline, China's 2020 census unless another is configured; absent where there is none"`
}

// PortraitArguments is what get_kol_fans_portrait takes.
type PortraitArguments struct {
	KOLID          string          `json:"kolId" jsonschema:"example=5d21ab6b000000001201567d" jsonschema_description:"Xiaohongshu user id (usually 24 hex digits) or profile page address"`
	TargetAudience *TargetAudience `json:"targetAudience,omitempty" jsonschema_description:"Adds fit. Any of the values in a dimension, all of the dimensions. Names in English or Chinese"`
	AcceptCache    bool            `json:"acceptCache,omitempty" jsonschema:"default=true" jsonschema_description:"false: not older than ten minutes, collected fresh"`
	Detail         Detail          `json:"detail,omitempty" jsonschema:"enum=full,enum=summary,default=full" jsonschema_description:"summary leaves the distributions out"`
	Language       Language        `json:"language,omitempty" jsonschema:"enum=en,enum=zh" jsonschema_description:"Of the answer"`
}

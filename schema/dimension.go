package schema

// Dimension is one of the things that a portrait tells about the followers, by
// the name under which a target audience speaks of it.
type Dimension string

// The dimensions. A target audience's provinces and cities are one dimension,
// places: a follower lives in one place.
const (
	DimensionGender    Dimension = "gender"
	DimensionAgeGroups Dimension = "ageGroups"
	DimensionPlaces    Dimension = "places"
	DimensionProvinces Dimension = "provinces"
	DimensionCities    Dimension = "cities"
	DimensionInterests Dimension = "interests"
	DimensionDevices   Dimension = "devices"
)

// Dimensions are those that the vendor sends, in the order in which they are
// told.
var Dimensions = [...]Dimension{
	DimensionGender, DimensionAgeGroups, DimensionProvinces, DimensionCities, DimensionInterests, DimensionDevices,
}

// TargetDimensions are those of a target audience and its fit.
var TargetDimensions = [...]Dimension{
	DimensionGender, DimensionAgeGroups, DimensionPlaces, DimensionInterests, DimensionDevices,
}

// The genders, as the vendor and a target audience name them.
const (
	Female = "female"
	Male   = "male"
)

// AgeGroups are the age groups that the vendor uses, youngest first.
var AgeGroups = [...]string{"<18", "18-24", "25-34", "35-44", ">44"}

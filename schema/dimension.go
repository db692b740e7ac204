package schema

// Dimension is one of the things that a portrait tells about the followers, by
// the name under which a target audience speaks of it.
type Dimension string

// The dimensions.
const (
	DimensionGender    Dimension = "gender"
	DimensionAgeGroups Dimension = "ageGroups"
	DimensionProvinces Dimension = "provinces"
	DimensionCities    Dimension = "cities"
	DimensionInterests Dimension = "interests"
	DimensionDevices   Dimension = "devices"
)

// Dimensions returns all dimensions in the order in which they are told.
func Dimensions() []Dimension {
	return []Dimension{
		DimensionGender, DimensionAgeGroups, DimensionProvinces,
		DimensionCities, DimensionInterests, DimensionDevices,
	}
}

// The genders, as the upstream and a target audience name them.
const (
	Female = "female"
	Male   = "male"
)

// Package schema holds the words that every part of the server shares: what
// the upstream said of a KOL's followers (Distributions), what it amounts to
// (Summary), whom a campaign is to reach and how well they fit that
// (TargetAudience, Fit), what moved since an older portrait (Change), where it
// came from (Source), what the tools take and give (PortraitArguments and
// Portrait, ComparisonArguments and Comparison), and how a failure is told
// (Error). It also holds the JSON Schemas that clients see, generated from these
// very types.
//
// Shares are fractions from 0 to 1 everywhere in data; only text that a
// person or a model reads shows percentages. A value that is not known is
// absent (a nil pointer, an empty slice, an empty string), never zero.
package schema

import "cmp"

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

// Row is one row of the vendor's: the share of the followers who are of one
// gender or age group, live in one province or city, or use one brand of device;
// or, of interests, its share of what the followers are interested in.
type Row struct {
	Name  string  // as the vendor wrote it, without characters that show nothing
	Label string  // the display name that the vendor gives a device brand beside its technical one; else empty
	Share float64 // 0..1, exact
}

// Distributions is what the vendor says of a KOL's followers: every row that has
// a usable figure. A VendorShape of it goes out.
type Distributions struct {
	// Rows are the rows by the dimensions of Dimensions, in the vendor's order. A
	// dimension that it did not send is not in it.
	Rows map[Dimension][]Row
	// LeftOut counts the rows without a usable name or figure, by dimension. Their
	// list is not whole.
	LeftOut map[Dimension]int
}

// IsEmpty reports whether there is no row at all.
func (d *Distributions) IsEmpty() bool { return len(d.Rows) == 0 }

// InVendorShape returns the distributions as they go out, nil of nil.
func (d *Distributions) InVendorShape() *VendorShape {
	if d == nil {
		return nil
	}
	names := func(of Dimension) []nameRow {
		rows := make([]nameRow, 0, len(d.Rows[of]))
		for _, r := range d.Rows[of] {
			rows = append(rows, nameRow{r.Name, r.Share})
		}
		return rows
	}
	v := &VendorShape{Interests: names(DimensionInterests), Provinces: names(DimensionProvinces), Cities: names(DimensionCities)}
	for _, r := range d.Rows[DimensionAgeGroups] {
		v.Ages = append(v.Ages, ageRow{r.Name, r.Share})
	}
	for _, r := range d.Rows[DimensionDevices] {
		v.Devices = append(v.Devices, deviceRow{r.Name, r.Label, r.Share})
	}
	for _, r := range d.Rows[DimensionGender] {
		v.Gender = cmp.Or(v.Gender, &genderRow{})
		if r.Name == Female {
			v.Gender.Female = &r.Share
		} else {
			v.Gender.Male = &r.Share
		}
	}
	return v
}

// VendorShape is Distributions as JSON: the vendor's own shape, order and values,
// which upstream.Read reads.
type VendorShape struct {
	Ages      []ageRow    `json:"ages,omitempty"`
	Gender    *genderRow  `json:"gender,omitempty"`
	Interests []nameRow   `json:"interests,omitempty" jsonschema_description:"Share of interest, not of people. Cut off after the largest"`
	Provinces []nameRow   `json:"provinces,omitempty" jsonschema_description:"海外 is overseas, 中国 is China with the province unknown"`
	Cities    []nameRow   `json:"cities,omitempty" jsonschema_description:"Cut off after the largest few: a city that is not here is unknown, not 0"`
	Devices   []deviceRow `json:"devices,omitempty"`
}

type ageRow struct {
	Group   string  `json:"group"`
	Percent float64 `json:"percent" jsonschema_description:"A fraction 0..1, here and below"`
}

type genderRow struct {
	Male   *float64 `json:"male,omitempty"`
	Female *float64 `json:"female,omitempty"`
}

type nameRow struct {
	Name    string  `json:"name"`
	Percent float64 `json:"percent"`
}

type deviceRow struct {
	Name    string  `json:"name"`
	Desc    string  `json:"desc,omitempty"`
	Percent float64 `json:"percent"`
}

package schema

// Distributions is what the upstream says of a KOL's followers: every row that
// has a usable figure, in its order, with its exact value. A dimension it did not
// send is nil.
type Distributions struct {
	Ages      []AgeShare    `json:"ages,omitempty" jsonschema_description:"Share of each age group"`
	Gender    *GenderShares `json:"gender,omitempty" jsonschema_description:"Share of each gender"`
	Interests []NameShare   `json:"interests,omitempty" jsonschema_description:"Share of each interest (names in Chinese). The list is cut off after the largest"`
	Provinces []NameShare   `json:"provinces,omitempty" jsonschema_description:"Share of each province (names in Chinese); 海外 is overseas, 中国 is China with the province unknown"`
	Cities    []NameShare   `json:"cities,omitempty" jsonschema_description:"Share of each city (names in Chinese). The list is cut off after the largest few: a city that is not here is unknown, not 0"`
	Devices   []DeviceShare `json:"devices,omitempty" jsonschema_description:"Share of each device brand"`

	// LeftOut counts the rows without a usable figure or name, by dimension. A
	// dimension that is in it is not whole.
	LeftOut map[Dimension]int `json:"-"`
}

// IsEmpty reports whether there is no row at all.
func (d *Distributions) IsEmpty() bool {
	return len(d.Ages)+len(d.Interests)+len(d.Provinces)+len(d.Cities)+len(d.Devices) == 0 && d.Gender == nil
}

// AgeShare is one age group's share of the followers. The groups that are
// known are those of AgeGroups.
type AgeShare struct {
	Group   string  `json:"group"`
	Percent float64 `json:"percent" jsonschema_description:"Share as a fraction 0..1"`
}

// GenderShares is the share of men and of women among the followers. Either
// is nil where the upstream did not give it.
type GenderShares struct {
	Male   *float64 `json:"male,omitempty" jsonschema_description:"Share as a fraction 0..1"`
	Female *float64 `json:"female,omitempty" jsonschema_description:"Share as a fraction 0..1"`
}

// NameShare is the share of the followers that one interest, province or city
// holds, by the upstream's own name for it.
type NameShare struct {
	Name    string  `json:"name"`
	Percent float64 `json:"percent" jsonschema_description:"Share as a fraction 0..1"`
}

// DeviceShare is one device brand's share of the followers.
type DeviceShare struct {
	Name    string  `json:"name" jsonschema_description:"The brand's technical name, such as apple inc."`
	Desc    string  `json:"desc,omitempty" jsonschema_description:"The brand's display name"`
	Percent float64 `json:"percent" jsonschema_description:"Share as a fraction 0..1"`
}

// AgeGroups returns the age groups that the upstream uses, youngest first.
func AgeGroups() []string {
	return []string{"<18", "18-24", "25-34", "35-44", ">44"}
}

package schema

// Change is what moved since an older portrait of the same KOL, by at least
// one percentage point: in each dimension the largest moves, at most five.
// Only rows that both portraits have are compared: one that a list leaves out
// is not known. Where nothing moved, there is AsOf alone.
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
	Name   string  `json:"name"`
	Points float64 `json:"points" jsonschema_description:"Percentage points, up is positive"` // one decimal
}

package schema

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

package audience_test

import "kol-portrait-mcp/schema"

// agesOf gives the vendor's five groups their shares, youngest first.
func agesOf(shares ...float64) []schema.AgeShare {
	var rows []schema.AgeShare
	for i, share := range shares {
		rows = append(rows, schema.AgeShare{Group: schema.AgeGroups()[i], Percent: share})
	}
	return rows
}

func genderOf(female, male float64) *schema.GenderShares {
	return &schema.GenderShares{Female: &female, Male: &male}
}

func row(name string, share float64) schema.NameShare {
	return schema.NameShare{Name: name, Percent: share}
}

func rows(rows ...schema.NameShare) []schema.NameShare { return rows }

func device(name string, share float64) []schema.DeviceShare {
	return []schema.DeviceShare{{Name: name, Percent: share}}
}

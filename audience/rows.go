package audience

import "kol-portrait-mcp/schema"

// rows returns the rows of a dimension under the names that a Target has for
// them: the vendor's own, and a device brand's English one, under which the
// vendor may have several rows. A dimension without data has none.
func (f *facts) rows(of schema.Dimension, d *schema.Distributions) []schema.NameShare {
	switch of {
	case schema.DimensionGender:
		return genderRows(d.Gender)
	case schema.DimensionAgeGroups:
		var rows []schema.NameShare
		for _, row := range d.Ages {
			rows = append(rows, schema.NameShare{Name: row.Group, Percent: row.Percent})
		}
		return rows
	case schema.DimensionProvinces:
		return d.Provinces
	case schema.DimensionCities:
		return d.Cities
	case schema.DimensionInterests:
		return d.Interests
	case schema.DimensionDevices:
		return f.brandRows(d.Devices)
	}
	return nil
}

func genderRows(g *schema.GenderShares) []schema.NameShare {
	var rows []schema.NameShare
	if g == nil {
		return nil
	}
	if g.Female != nil {
		rows = append(rows, schema.NameShare{Name: schema.Female, Percent: *g.Female})
	}
	if g.Male != nil {
		rows = append(rows, schema.NameShare{Name: schema.Male, Percent: *g.Male})
	}
	return rows
}

// brandRows sums devices by brand, in the vendor's order of first rows.
func (f *facts) brandRows(devices []schema.DeviceShare) []schema.NameShare {
	var rows []schema.NameShare
	at := map[string]int{}
	for _, device := range devices {
		name := f.device(device, schema.English)
		i, begun := at[name]
		if !begun {
			i = len(rows)
			at[name] = i
			rows = append(rows, schema.NameShare{Name: name})
		}
		rows[i].Percent += device.Percent
	}
	return rows
}

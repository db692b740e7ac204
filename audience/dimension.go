package audience

import "kol-portrait-mcp/schema"

// dimensionWords are what the dimensions and their rows are called.
var dimensionWords = map[schema.Dimension]struct{ many, one, zh string }{
	schema.DimensionGender:    {"gender", "gender", "性别"},
	schema.DimensionAgeGroups: {"age", "age", "年龄"},
	schema.DimensionProvinces: {"provinces", "province", "省份"},
	schema.DimensionCities:    {"cities", "city", "城市"},
	schema.DimensionInterests: {"interests", "interest", "兴趣"},
	schema.DimensionDevices:   {"devices", "device", "设备"},
}

// DimensionName names a dimension in a sentence: provinces, 省份.
func DimensionName(of schema.Dimension, lang schema.Language) string {
	return label{en: dimensionWords[of].many, zh: dimensionWords[of].zh}.in(lang)
}

// kindOf is what a dimension's rows are, one of them: province, 省份.
func kindOf(of schema.Dimension, lang schema.Language) string {
	return label{en: dimensionWords[of].one, zh: dimensionWords[of].zh}.in(lang)
}

// DimensionOf returns the dimension that a caller's word for one means, and
// whether there is such a dimension: ages, Age Group, regions. Case, spaces and
// punctuation do not matter.
func DimensionOf(word string) (schema.Dimension, bool) {
	switch fold(word) {
	case "gender", "genders", "sex":
		return schema.DimensionGender, true
	case "agegroups", "agegroup", "ages", "age":
		return schema.DimensionAgeGroups, true
	case "provinces", "province", "regions", "region":
		return schema.DimensionProvinces, true
	case "cities", "city":
		return schema.DimensionCities, true
	case "interests", "interest":
		return schema.DimensionInterests, true
	case "devices", "device":
		return schema.DimensionDevices, true
	}
	return "", false
}

// dimensionNames enumerates the dimensions as a caller writes them.
func dimensionNames() string {
	var names []string
	for _, d := range schema.Dimensions() {
		names = append(names, string(d))
	}
	return joined(names, "and", schema.English)
}

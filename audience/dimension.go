package audience

import "kol-portrait-mcp/schema"

// DimensionName names a dimension in a sentence: provinces, 省份.
func DimensionName(of schema.Dimension, lang schema.Language) string {
	switch of {
	case schema.DimensionGender:
		return say(lang, "gender", "性别")
	case schema.DimensionAgeGroups:
		return say(lang, "age", "年龄")
	case schema.DimensionProvinces:
		return say(lang, "provinces", "省份")
	case schema.DimensionCities:
		return say(lang, "cities", "城市")
	case schema.DimensionInterests:
		return say(lang, "interests", "兴趣")
	default:
		return say(lang, "devices", "设备")
	}
}

// kindOf is what a dimension's rows are, one of them: province, 省份.
func kindOf(of schema.Dimension, lang schema.Language) string {
	switch of {
	case schema.DimensionProvinces:
		return say(lang, "province", "省份")
	case schema.DimensionCities:
		return say(lang, "city", "城市")
	case schema.DimensionInterests:
		return say(lang, "interest", "兴趣")
	case schema.DimensionDevices:
		return say(lang, "device", "设备")
	default: // gender and age are one word
		return DimensionName(of, lang)
	}
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

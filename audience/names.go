package audience

import (
	"strings"

	"kol-portrait-mcp/schema"
)

// Dimension says what kind of thing a name names: 吉林 is a province and a
// city.
type Dimension string

// The dimensions whose rows have Chinese names. Region is not the vendor's:
// it is what provinces are summed into.
const (
	Interest Dimension = "interest"
	Province Dimension = "province"
	City     Dimension = "city"
	Region   Dimension = "region"
)

// Name returns what a reader of lang calls the vendor's name for something of
// the given dimension: 广东 is Guangdong in English. A name that is not in the
// tables comes back as it is.
func (a *Analyst) Name(of Dimension, name string, lang schema.Language) string {
	return a.facts().name(of, name, lang)
}

// DeviceName returns what a reader of lang calls a device brand. One that is
// not in the tables is called as the vendor calls it: by its display name in
// Chinese, by its technical name in English, or by whichever there is.
func (a *Analyst) DeviceName(d schema.DeviceShare, lang schema.Language) string {
	return a.facts().device(d, lang)
}

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

// label is a name in both languages.
type label struct {
	en, zh string
}

func (l label) in(lang schema.Language) string {
	if lang == schema.Chinese {
		return l.zh
	}
	return l.en
}

func (f *facts) name(of Dimension, name string, lang schema.Language) string {
	l, known := f.names[of][name]
	if !known {
		return name
	}
	return l.in(lang)
}

func (f *facts) device(d schema.DeviceShare, lang schema.Language) string {
	if l, known := f.devices[brand(d)]; known {
		return l.in(lang)
	}
	return label{en: either(d.Name, d.Desc), zh: either(d.Desc, d.Name)}.in(lang)
}

// brand is the key of a device's row in the table of devices.
func brand(d schema.DeviceShare) string {
	return strings.ToLower(d.Name)
}

func either(first, second string) string {
	if first == "" {
		return second
	}
	return first
}

package audience

import (
	"cmp"
	"strings"

	"kol-portrait-mcp/schema"
)

// Name returns what a reader of lang calls the vendor's name for something of
// the given dimension: 广东 is Guangdong in English. A name that is not in the
// tables comes back as it is. Devices have a DeviceName.
func (a *Analyst) Name(of schema.Dimension, name string, lang schema.Language) string {
	return a.facts().name(of, name, lang)
}

// DeviceName returns what a reader of lang calls a device brand. One that is
// not in the tables is called as the vendor calls it: by its display name in
// Chinese, by its technical name in English, or by whichever there is.
func (a *Analyst) DeviceName(d schema.DeviceShare, lang schema.Language) string {
	return a.facts().device(d, lang)
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

// name is what a reader of lang calls a row of facts.rows. Age groups are called
// the same everywhere.
func (f *facts) name(of schema.Dimension, name string, lang schema.Language) string {
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
	return label{en: cmp.Or(d.Name, d.Desc), zh: cmp.Or(d.Desc, d.Name)}.in(lang)
}

// brand is the key of a device's row in the table of devices.
func brand(d schema.DeviceShare) string {
	return strings.ToLower(d.Name)
}

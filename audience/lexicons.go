package audience

import (
	"cmp"
	"strings"

	"kol-portrait-mcp/schema"
)

// lexicons are what the names of a target audience are looked up in, by
// dimension. Age groups have none: they are read, not looked up.
type lexicons map[schema.Dimension]*lexicon

// readLexicons reads the embedded tables of names with their aliases.
func readLexicons() lexicons {
	return lexicons{
		schema.DimensionGender:    genderLexicon(),
		schema.DimensionProvinces: provinceLexicon(),
		schema.DimensionCities:    cityLexicon(),
		schema.DimensionInterests: interestLexicon(),
		schema.DimensionDevices:   deviceLexicon(),
	}
}

func genderLexicon() *lexicon {
	l := newLexicon(genderSuffixes()...)
	for _, row := range genderTable() {
		l.add(entry{
			label: label{zh: row[1], en: row[2]},
			kind:  kind{"a gender", "genders"},
			rows:  []string{row[0]},
		}, aliases(row[3])...)
	}
	return l
}

// provinceLexicon has the provinces, the vendor's rows beside them, and the
// regions that provinces make up.
func provinceLexicon() *lexicon {
	l := newLexicon(provinceSuffixes()...)
	members := map[string][]string{}
	for _, row := range provinceTable() {
		what := kind{"a province", "provinces"}
		if !place(row[0]) {
			what = kind{"no city", "no cities"}
		}
		members[row[2]] = append(members[row[2]], row[0])
		l.add(entry{
			label: label{zh: cmp.Or(row[3], row[0]), en: row[1]},
			kind:  what,
			rows:  []string{row[0]},
		}, aliases(row[4])...)
	}
	for _, row := range regionTable() {
		l.add(entry{
			label: label{zh: row[0], en: row[2]},
			kind:  kind{"a region", "regions"},
			rows:  members[row[0]],
		}, append(aliases(row[3]), row[1])...)
	}
	return l
}

// cityLexicon has the cities, and the tiers that some of them make up.
func cityLexicon() *lexicon {
	english := map[string]string{}
	for _, row := range provinceTable() {
		english[row[0]] = row[1]
	}
	l := newLexicon(citySuffixes()...)
	members := map[string][]string{}
	for _, row := range cityTable() {
		members[row[2]] = append(members[row[2]], row[0])
		i := l.add(entry{
			label: label{zh: row[0], en: row[1]},
			kind:  kind{"a city", "cities"},
			rows:  []string{row[0]},
		}, aliases(row[4])...)
		l.qualify(i, label{zh: row[3], en: english[row[3]]})
	}
	for _, row := range tierTable() {
		l.add(entry{
			label: label{zh: row[1], en: row[2]},
			kind:  kind{"a tier of cities", "tiers of cities"},
			rows:  members[row[0]],
		}, append(aliases(row[3]), row[0])...)
	}
	return l
}

// qualify makes a city known by its name together with its province's: 广东省广州,
// Guangzhou, Guangdong. A name that two cities share, such as Taizhou, is near
// to both, and is neither.
func (l *lexicon) qualify(i int, province label) {
	city := l.entries[i].label
	shared, _, qualified := strings.Cut(city.en, " (")
	if qualified {
		l.resemble(fold(shared), i)
	}
	for _, name := range []string{
		province.zh + city.zh, province.zh + "省" + city.zh,
		shared + province.en, shared + province.en + "Province",
	} {
		l.know(fold(name), i)
	}
}

func interestLexicon() *lexicon {
	l := newLexicon(interestSuffixes()...)
	l.words = true
	for _, row := range interestTable() {
		l.add(entry{
			label: label{zh: row[0], en: row[1]},
			kind:  kind{"an interest", "interests"},
			rows:  []string{row[0]},
		}, aliases(row[3])...)
	}
	return l
}

func deviceLexicon() *lexicon {
	l := newLexicon(deviceSuffixes()...)
	for _, row := range deviceTable() {
		l.add(entry{
			label: label{zh: row[1], en: row[2]},
			kind:  kind{"a device brand", "device brands"},
			rows:  []string{row[2]},
		}, append(aliases(row[3]), row[0])...)
	}
	return l
}

// areaLexicon has the areas that a target audience cannot name: as rows their
// provinces, and their cities beside them.
func areaLexicon() *lexicon {
	l := newLexicon(provinceSuffixes()...)
	for _, row := range areaTable() {
		l.add(entry{label: label{zh: row[0], en: row[1]}, rows: aliases(row[2]), cities: aliases(row[3])}, aliases(row[4])...)
	}
	return l
}

// aliases splits a cell of further names.
func aliases(cell string) []string {
	return strings.FieldsFunc(cell, func(r rune) bool { return r == '|' })
}

// provinceSuffixes are what the names of provinces and regions end with when
// they are written in full, folded.
func provinceSuffixes() []string {
	return []string{
		"specialadministrativeregion", "autonomousregion", "municipality", "province", "region", "china", "city", "sar",
		"特别行政区", "自治区", "直辖市", "地区", "大区", "省", "市", "区",
	}
}

// citySuffixes are what the names of cities and prefectures end with when they
// are written in full, folded.
func citySuffixes() []string {
	return []string{
		"specialadministrativeregion", "autonomousprefecture", "municipality", "prefecture", "league", "china", "city", "sar",
		"特别行政区", "自治州", "直辖市", "地区", "市", "州", "盟",
	}
}

// interestSuffixes are the words for an interest, folded.
func interestSuffixes() []string {
	return []string{"interests", "interest", "爱好者", "领域", "类"}
}

// deviceSuffixes are what the names of device brands end with when a device or
// a company is meant, folded.
func deviceSuffixes() []string {
	return []string{
		"smartphones", "smartphone", "cellphones", "cellphone", "handsets", "devices", "device", "phones", "phone", "mobiles", "mobile",
		"corporation", "corp", "brand", "users", "user", "inc",
		"手机", "设备", "机型", "用户", "品牌", "公司",
	}
}

// genderSuffixes are the words for those who have a gender, folded.
func genderSuffixes() []string {
	return []string{"audience", "followers", "users", "only", "用户", "粉丝", "受众"}
}

package audience

import (
	"bytes"
	"embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

// The tables of names and places. Each says on top where it is from.
//
//go:embed names/*.csv
var tables embed.FS

// The tiers that Chinese marketing sorts cities into, as cities.csv has them.
const (
	tier1    = "tier1"
	newTier1 = "new-tier1"
)

// The vendor's rows among the provinces that are not provinces.
const (
	overseas = "海外" // outside China
	domestic = "中国" // in China, the province not known
)

// facts is what the tables say. It does not change once it is read.
type facts struct {
	names    map[Dimension]map[string]label // by the vendor's name
	devices  map[string]label               // by the technical name in lower case
	regionOf map[string]string              // province to region; none for the rows that are not provinces
	tiers    map[string][]city
	lexicons map[schema.Dimension]*lexicon
	baseline baseline
}

// city is what cities.csv says of a city, by the vendor's names.
type city struct {
	name, province string
}

// municipality tells whether the city is a province at the same time, so that
// the list of provinces, which is not cut off, has its share too.
func (c city) municipality() bool { return c.name == c.province }

// readFacts reads the embedded tables. That they are well-formed is checked by
// the tests, so a fault here is one of the build, and panics.
func readFacts() *facts {
	f := &facts{
		names: map[Dimension]map[string]label{
			Interest: {}, Province: {}, City: {}, Region: {},
		},
		devices:  map[string]label{},
		regionOf: map[string]string{},
		tiers:    map[string][]city{},
		lexicons: map[schema.Dimension]*lexicon{
			schema.DimensionGender:    newLexicon(genderSuffixes()...),
			schema.DimensionProvinces: newLexicon(provinceSuffixes()...),
			schema.DimensionCities:    newLexicon(citySuffixes()...),
			schema.DimensionInterests: newLexicon(interestSuffixes()...),
			schema.DimensionDevices:   newLexicon(deviceSuffixes()...),
		},
		baseline: census(),
	}
	f.readGenders()
	f.readProvinces()
	f.readCities()
	f.readInterests()
	f.readDevices()
	return f
}

func (f *facts) readGenders() {
	for _, row := range table("genders.csv", "name", "zh", "en", "aliases") {
		f.lexicons[schema.DimensionGender].add(entry{
			label: label{zh: row[1], en: row[2]},
			kind:  kind{"a gender", "genders"},
			rows:  []string{row[0]},
		}, aliases(row[3])...)
	}
}

// readProvinces reads the provinces, and the regions that they make up.
func (f *facts) readProvinces() {
	members := map[string][]string{}
	for _, row := range table("provinces.csv", "zh", "en", "region", "shown", "aliases") {
		l := label{zh: either(row[3], row[0]), en: row[1]}
		f.names[Province][row[0]] = l
		what := kind{"a province", "provinces"}
		if row[2] != "" {
			f.regionOf[row[0]] = row[2]
			members[row[2]] = append(members[row[2]], row[0])
		} else {
			what = kind{"no city", "no cities"}
		}
		f.lexicons[schema.DimensionProvinces].add(entry{label: l, kind: what, rows: []string{row[0]}}, aliases(row[4])...)
	}
	for _, row := range table("regions.csv", "zh", "en", "full", "aliases") {
		f.names[Region][row[0]] = label{zh: row[0], en: row[1]}
		f.lexicons[schema.DimensionProvinces].add(entry{
			label: label{zh: row[0], en: row[2]},
			kind:  kind{"a region", "regions"},
			rows:  members[row[0]],
		}, append(aliases(row[3]), row[1])...)
	}
}

// readCities reads the cities, and the tiers that some of them make up.
func (f *facts) readCities() {
	cities := f.lexicons[schema.DimensionCities]
	members := map[string][]string{}
	for _, row := range table("cities.csv", "zh", "en", "tier", "province", "aliases") {
		l := label{zh: row[0], en: row[1]}
		f.names[City][row[0]] = l
		f.tiers[row[2]] = append(f.tiers[row[2]], city{name: row[0], province: row[3]})
		members[row[2]] = append(members[row[2]], row[0])
		cities.add(entry{label: l, kind: kind{"a city", "cities"}, rows: []string{row[0]}}, aliases(row[4])...)
		province := f.names[Province][row[3]]
		for _, name := range []string{
			province.zh + l.zh, province.zh + "省" + l.zh, l.en + province.en, l.en + province.en + "Province",
		} {
			cities.know(name, len(cities.entries)-1)
		}
	}
	for _, row := range table("tiers.csv", "tier", "zh", "en", "aliases") {
		cities.add(entry{
			label: label{zh: row[1], en: row[2]},
			kind:  kind{"a tier of cities", "tiers of cities"},
			rows:  members[row[0]],
		}, append(aliases(row[3]), row[0])...)
	}
}

func (f *facts) readInterests() {
	for _, row := range table("interests.csv", "zh", "en", "aliases") {
		l := label{zh: row[0], en: row[1]}
		f.names[Interest][row[0]] = l
		f.lexicons[schema.DimensionInterests].add(entry{
			label: l, kind: kind{"an interest", "interests"}, rows: []string{row[0]},
		}, aliases(row[2])...)
	}
}

func (f *facts) readDevices() {
	for _, row := range table("devices.csv", "name", "zh", "en", "aliases") {
		l := label{zh: row[1], en: row[2]}
		f.devices[row[0]] = l
		f.lexicons[schema.DimensionDevices].add(entry{
			label: l, kind: kind{"a device brand", "device brands"}, rows: []string{row[2]},
		}, append(aliases(row[3]), row[0])...)
	}
}

// aliases splits a cell of further names.
func aliases(cell string) []string {
	return strings.FieldsFunc(cell, func(r rune) bool { return r == '|' })
}

// table returns the rows of an embedded table, whose columns must be those
// given.
func table(name string, columns ...string) [][]string {
	raw, err := tables.ReadFile("names/" + name)
	if err != nil {
		panic(fmt.Sprintf("audience: %v", err))
	}
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comment = '#'
	r.FieldsPerRecord = len(columns)
	rows, err := r.ReadAll()
	if err != nil {
		panic(fmt.Sprintf("audience: reading table %s: %v", name, err))
	}
	if len(rows) == 0 || !slices.Equal(rows[0], columns) {
		panic(fmt.Sprintf("audience: table %s has not the columns %v", name, columns))
	}
	return rows[1:]
}

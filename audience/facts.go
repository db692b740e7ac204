package audience

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/csv"
	"fmt"
	"slices"
	"sync"

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
	names       map[schema.Dimension]map[string]label // by the names of facts.rows
	devices     map[string]label                      // by the technical name in lower case
	regionNames map[string]label                      // what a region is called, by its Chinese name
	regionOf    map[string]string                     // province to region; none for the rows that are not provinces
	within      map[string]string                     // interest to the one that it is a part of
	tiers       map[string][]string                   // cities
	cities      map[string][]string                   // of each province
	lexicons    func() lexicons                       // read when a name first has to be understood
	areas       func() *lexicon                       // likewise
	baseline    baseline
}

// readFacts reads the embedded tables. That they are well-formed is checked by
// the tests, so a fault here is one of the build, and panics.
func readFacts() *facts {
	f := &facts{
		names: map[schema.Dimension]map[string]label{
			schema.DimensionGender: {}, schema.DimensionProvinces: {}, schema.DimensionCities: {},
			schema.DimensionInterests: {}, schema.DimensionDevices: {},
		},
		devices:     map[string]label{},
		regionNames: map[string]label{},
		regionOf:    map[string]string{},
		within:      map[string]string{},
		tiers:       map[string][]string{},
		cities:      map[string][]string{},
		lexicons:    sync.OnceValue(readLexicons),
		areas:       sync.OnceValue(areaLexicon),
		baseline:    census(),
	}
	for _, row := range genderTable() {
		f.names[schema.DimensionGender][row[0]] = label{zh: row[1], en: row[2]}
	}
	for _, row := range interestTable() {
		f.names[schema.DimensionInterests][row[0]] = label{zh: row[0], en: row[1]}
		if row[2] != "" {
			f.within[row[0]] = row[2]
		}
	}
	for _, row := range regionTable() {
		f.regionNames[row[0]] = label{zh: row[0], en: row[1]}
	}
	for _, row := range provinceTable() {
		f.names[schema.DimensionProvinces][row[0]] = label{zh: cmp.Or(row[3], row[0]), en: row[1]}
		if row[2] != "" {
			f.regionOf[row[0]] = row[2]
		}
	}
	for _, row := range cityTable() {
		f.names[schema.DimensionCities][row[0]] = label{zh: row[0], en: row[1]}
		f.tiers[row[2]] = append(f.tiers[row[2]], row[0])
		f.cities[row[3]] = append(f.cities[row[3]], row[0])
	}
	for _, row := range deviceTable() {
		f.devices[row[0]] = label{zh: row[1], en: row[2]}
		f.names[schema.DimensionDevices][row[2]] = f.devices[row[0]]
	}
	return f
}

func interestTable() [][]string { return table("interests.csv", "zh", "en", "within", "aliases") }
func regionTable() [][]string   { return table("regions.csv", "zh", "en", "full", "aliases") }
func tierTable() [][]string     { return table("tiers.csv", "tier", "zh", "en", "aliases") }
func genderTable() [][]string   { return table("genders.csv", "name", "zh", "en", "aliases") }
func deviceTable() [][]string   { return table("devices.csv", "name", "zh", "en", "aliases") }

func provinceTable() [][]string {
	return table("provinces.csv", "zh", "en", "region", "shown", "aliases")
}

func areaTable() [][]string {
	return table("areas.csv", "zh", "en", "provinces", "cities", "aliases")
}

func cityTable() [][]string {
	return table("cities.csv", "zh", "en", "tier", "province", "aliases")
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

package audience

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"sync"

	"kol-portrait-mcp/schema"
)

// The tables of names and places. Each says on top where it is from.
//
//go:embed data/*.csv
var tables embed.FS

// Keys of the tables.
const (
	tier1              = "tier1" // the tiers that Chinese marketing sorts cities into
	newTier1           = "new-tier1"
	overseasKey        = "海外" // the vendor's rows among the provinces that are none
	unknownProvinceKey = "中国" // in China, the province not known
)

// entry is one thing that a row of the vendor's or a caller's name stands for:
// a gender, an age group, a province, a city, an interest, a brand of devices.
// There is one entry for each thing, so that pointers can be compared.
type entry struct {
	dimension schema.Dimension // one of schema.Dimensions
	key       string           // the vendor's own name for it, or close to it; unique in its dimension
	label     label
	index     int    // its place in the order of the tables
	province  *entry // of a city, where it lies
	region    *label // of a province, one of the customary regions; nil for overseas and 中国, which are no provinces
}

// counted returns the entry that counts the followers of e: of a city that is a
// province too, such as Beijing, the province, so that nobody counts twice.
func (e *entry) counted() *entry {
	if e.province != nil && e.province.key == e.key {
		return e.province
	}
	return e
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

// names is what the tables say. It does not change once it is read.
type names struct {
	entries  int
	lexicons map[schema.Dimension]*lexicon
}

// known returns the tables, which are read when they are first needed.
var known = sync.OnceValue(readNames)

// row returns what a row of the vendor's stands for, nil where that is not
// known. A row is never a group.
func (n *names) row(of schema.Dimension, r schema.Row) *entry {
	l := n.lexicons[of]
	if e := l.keys[r.Name]; e != nil {
		return e
	}
	for _, name := range [...]string{r.Name, r.Label} {
		if c := l.find(name); c != nil && len(c.members) == 1 {
			return c.members[0]
		}
	}
	return nil
}

// entry returns the entry of the vendor's own name, nil where there is none.
func (n *names) entry(of schema.Dimension, key string) *entry { return n.lexicons[of].keys[key] }

// choice returns what a caller's name stands for in an argument of a target
// audience, nil where it is not known. Provinces and cities are one dimension,
// so that either takes the other's names and the groups, its own first: 吉林 is
// a province among provinces and a city among cities, 吉林市 the city in both.
func (n *names) choice(of schema.Dimension, name string) *choice {
	lexicons := n.accepted(of)
	for _, l := range lexicons {
		if c := l.folded[l.fold(name)]; c != nil {
			return c
		}
	}
	for _, l := range lexicons {
		if c := l.find(name); c != nil {
			return c
		}
	}
	return nil
}

// accepted returns where an argument's names are looked up, in this order.
func (n *names) accepted(of schema.Dimension) []*lexicon {
	switch of {
	case schema.DimensionProvinces:
		return []*lexicon{n.lexicons[of], n.lexicons[schema.DimensionCities], n.lexicons[schema.DimensionPlaces]}
	case schema.DimensionCities:
		return []*lexicon{n.lexicons[of], n.lexicons[schema.DimensionProvinces], n.lexicons[schema.DimensionPlaces]}
	default:
		return []*lexicon{n.lexicons[of]}
	}
}

// readNames reads the embedded tables. That they are well-formed is checked by
// the tests, so a fault here is one of the build, and panics.
func readNames() *names {
	n := &names{lexicons: map[schema.Dimension]*lexicon{
		schema.DimensionGender: newLexicon(fullGender), schema.DimensionAgeGroups: newLexicon(""),
		schema.DimensionProvinces: newLexicon(fullProvince), schema.DimensionCities: newLexicon(fullCity),
		schema.DimensionPlaces:    newLexicon(fullProvince), // regions, areas and tiers, which only a caller names
		schema.DimensionInterests: newLexicon(fullInterest), schema.DimensionDevices: newLexicon(fullDevice),
	}}
	n.readNamed("genders.csv", schema.DimensionGender)
	n.readAges()
	n.readPlaces()
	for _, row := range table("interests.csv", "zh", "en", "related", "aliases") {
		c := n.add(&entry{dimension: schema.DimensionInterests, key: row[0], label: label{zh: row[0], en: row[1]}}, row[3])
		for _, word := range split(row[2]) {
			c.related = append(c.related, fold(word))
		}
	}
	n.readNamed("devices.csv", schema.DimensionDevices)
	return n
}

// readNamed reads genders or brands. The vendor writes some brands in two ways;
// the second is another name of the first.
func (n *names) readNamed(file string, of schema.Dimension) {
	choices := map[label]*choice{}
	for _, row := range table(file, "name", "zh", "en", "aliases") {
		brand := label{zh: row[1], en: row[2]}
		if c := choices[brand]; c != nil {
			n.lexicons[of].know(c, row[0]+"|"+row[3])
			continue
		}
		choices[brand] = n.add(&entry{dimension: of, key: row[0], label: brand}, row[3])
	}
}

// readPlaces reads provinces and cities, and the groups that they make up:
// regions of provinces, areas of provinces and cities, and tiers of cities.
func (n *names) readPlaces() {
	groups := n.lexicons[schema.DimensionPlaces]
	members := map[string][]*entry{} // by region or tier
	regions := map[string]*label{}
	regionTable := table("regions.csv", "zh", "en", "full", "aliases")
	for _, row := range regionTable {
		regions[row[0]] = &label{zh: row[0], en: row[1]}
	}
	for _, row := range table("provinces.csv", "zh", "en", "region", "shown", "aliases") {
		e := &entry{
			dimension: schema.DimensionProvinces, key: row[0],
			label: label{zh: cmp.Or(row[3], row[0]), en: row[1]}, region: regions[row[2]],
		}
		n.add(e, row[4])
		members[row[2]] = append(members[row[2]], e)
	}
	for _, row := range table("cities.csv", "zh", "en", "tier", "province", "aliases") {
		e := &entry{
			dimension: schema.DimensionCities, key: row[0],
			label: label{zh: row[0], en: row[1]}, province: n.entry(schema.DimensionProvinces, row[3]),
		}
		n.lexicons[e.dimension].qualify(n.add(e, row[4]))
		members[row[2]] = append(members[row[2]], e.counted())
	}
	for _, row := range regionTable {
		groups.add(&choice{label: label{zh: row[0], en: row[2]}, members: members[row[0]]}, row[1]+"|"+row[3])
	}
	for _, row := range table("areas.csv", "zh", "en", "provinces", "cities", "aliases") {
		c := &choice{label: label{zh: row[0], en: row[1]}}
		for _, key := range split(row[2]) {
			c.members = append(c.members, n.entry(schema.DimensionProvinces, key))
		}
		for _, key := range split(row[3]) {
			c.members = append(c.members, n.entry(schema.DimensionCities, key))
		}
		groups.add(c, row[4])
	}
	for _, row := range table("tiers.csv", "tier", "zh", "en", "aliases") {
		groups.add(&choice{label: label{zh: row[1], en: row[2]}, members: members[row[0]]}, row[0]+"|"+row[3])
	}
}

// add takes in an entry, known by its key, its label and its aliases.
func (n *names) add(e *entry, aliases string) *choice {
	e.index = n.entries
	n.entries++
	c := &choice{label: e.label, members: []*entry{e}}
	l := n.lexicons[e.dimension]
	l.keys[e.key] = e
	if e.key != unknownProvinceKey { // a caller who says 中国 means all of it
		aliases += "|" + e.key
	}
	l.add(c, aliases)
	return c
}

// split takes a cell of names apart.
func split(cell string) []string {
	return strings.FieldsFunc(cell, func(r rune) bool { return r == '|' })
}

// table returns the rows of an embedded table, whose columns must be those
// given.
func table(file string, columns ...string) [][]string {
	raw, _ := tables.ReadFile("data/" + file) // nothing has no columns
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil || len(rows) == 0 || !slices.Equal(rows[0], columns) {
		panic(fmt.Sprintf("audience: table %s has not the columns %v: %v", file, columns, err))
	}
	return rows[1:]
}

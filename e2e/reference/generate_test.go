//go:build e2e

package reference

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// data is a portrait's data in the vendor's shape, so that it can be spoiled.
type data map[string]any

type row = map[string]any

func (d data) rows(of string) []row {
	rows, _ := d[of].([]row)
	return rows
}

// lists are the dimensions that are lists of rows.
var lists = []string{"ages", "provinces", "cities", "interests", "devices"}

// documented returns the data of the vendor's documented response.
func documented(t *testing.T) data {
	t.Helper()
	text, err := os.ReadFile("../../testdata/documented-response.json")
	require.NoError(t, err)
	var response struct{ Data map[string]json.RawMessage }
	require.NoError(t, json.Unmarshal(text, &response))
	d := data{"gender": response.Data["gender"]}
	for _, of := range lists {
		var rows []row
		require.NoError(t, json.Unmarshal(response.Data[of], &rows))
		for _, r := range rows {
			if r["group"] != nil {
				r["name"] = r["group"]
			}
			delete(r, "group")
		}
		d[of] = rows
	}
	return d
}

// columns reads columns of one of audience's tables.
func columns(t *testing.T, table string, columns ...int) (names []string) {
	t.Helper()
	text, err := os.ReadFile("../../audience/data/" + table + ".csv")
	require.NoError(t, err)
	reader := csv.NewReader(bytes.NewReader(text))
	reader.Comment = '#'
	lines, err := reader.ReadAll()
	require.NoError(t, err)
	for _, line := range lines[1:] {
		for _, column := range columns {
			names = append(names, line[column])
		}
	}
	return names
}

// generator makes up cases.
type generator struct {
	*rand.Rand
	t       *testing.T
	names   map[string][]string // that the vendor might send beside the documented ones
	choices map[string][]string // that a caller might choose
}

func newGenerator(t *testing.T, seed uint64) *generator {
	t.Helper()
	cities, interests := columns(t, "cities", 0, 1), columns(t, "interests", 0, 1)
	return &generator{
		Rand: rand.New(rand.NewPCG(seed, seed)), t: t,
		names: map[string][]string{
			"cities": columns(t, "cities", 0)[:60], "interests": columns(t, "interests", 0)[:60], "devices": columns(t, "devices", 0),
		},
		choices: map[string][]string{
			"ageGroups": {"<18", "18-24", "25-34", "35-44", ">44", "18-34", "25-44", "45+", "18-44"},
			"provinces": append(columns(t, "provinces", 0, 1)[:70], // without overseas and 中国
				"海外", "Overseas", "华东", "East", "East China", "港澳台", "长三角", "Yangtze River Delta", "江浙沪", "京津冀", "成渝"),
			"cities":    slices.Concat(cities[:80], cities, []string{"tier1", "tier1", "new-tier1", "new-tier1", "珠三角"}),
			"interests": slices.Concat(interests[:40], interests),
			"devices":   columns(t, "devices", 1, 2),
		},
	}
}

func (g *generator) chance(p float64) bool { return g.Float64() < p }

func pick[T any](g *generator, some ...T) T { return some[g.IntN(len(some))] }

// portrait makes up what the vendor says of one KOL.
func (g *generator) portrait() data {
	d := documented(g.t)
	for _, of := range lists {
		if g.shift(d.rows(of), g.Float64()); g.chance(0.2) {
			d[of] = g.otherNames(of, d.rows(of))
		}
		if d[of] = g.spoiled(of, d.rows(of)); g.chance(0.05) {
			delete(d, of)
		}
	}
	d["gender"] = g.gender()
	return d
}

// later makes up what the vendor says of the same KOL at another time.
func (g *generator) later(of data) data {
	d := data{"gender": pick[any](g, of["gender"], g.gender())}
	for _, name := range lists {
		var rows []row
		for _, r := range of.rows(name) {
			rows = append(rows, maps.Clone(r))
		}
		if g.shift(rows, 0.2); g.chance(0.3) {
			rows = g.spoiled(name, rows)
		}
		d[name] = rows
	}
	return d
}

func (g *generator) gender() any {
	female := g.Float64()
	if g.chance(0.6) {
		return row{"male": 1 - female, "female": female}
	}
	return pick[any](g, row{"female": female}, row{"male": female}, row{"female": 0.99}, row{"male": 0.7, "female": 0.7}, row{"male": 0, "female": 0},
		row{"male": 0.9 * (1 - female), "female": 0.9 * female}, row{"male": 1.01 * (1 - female), "female": 1.01 * female}, []any{}, nil)
}

// shift changes shares as if by chance, but not their sum.
func (g *generator) shift(rows []row, deviation float64) {
	before := sum(rows)
	scale(rows, func() float64 { return math.Exp(g.NormFloat64() * deviation) })
	if after := sum(rows); after > 0 {
		scale(rows, func() float64 { return before / after })
	}
}

func sum(rows []row) (sum float64) {
	for _, r := range rows {
		share, _ := r["percent"].(float64)
		sum += share
	}
	return sum
}

func scale(rows []row, by func() float64) {
	for _, r := range rows {
		if share, ok := r["percent"].(float64); ok {
			r["percent"] = share * by()
		}
	}
}

// otherNames puts other names in the place of some, and after them.
func (g *generator) otherNames(of string, rows []row) []row {
	for range g.IntN(12) * min(1, len(g.names[of])) {
		name := pick(g, g.names[of]...)
		switch has := slices.ContainsFunc(rows, func(r row) bool { return r["name"] == name }); {
		case has:
		case g.chance(0.5):
			r := pick(g, rows...)
			r["name"] = name
			delete(r, "desc")
		default:
			rows = append(rows, row{"name": name, "percent": 0.01 * g.Float64()})
		}
	}
	return rows
}

// full are other ways in which the vendor might write its names.
var full = map[any]string{
	"<18": "<18岁", "18-24": "18~24", "25-34": "25–34岁", "35-44": "35-44岁", ">44": "45岁以上",
	"广东": "广东省", "山东": "山\u200b东", "浙江": "浙江省", "内蒙古": "内蒙古自治区", "广西": "广西壮族自治区", "新疆": "新疆维吾尔自治区", "香港": "香港特别行政区",
	"北京": "北京市", "重庆": "重庆市", "深圳": "深圳市", "成都": "成都市", "苏州": "苏州市", "杭州": "杭州市",
	"apple inc.": "iPhone", "huawei": "华为", "xiaomi": "Xiaomi",
}

// spoiled spoils a list in some of the ways in which lists are spoiled.
func (g *generator) spoiled(of string, rows []row) []row {
	if g.chance(0.3) {
		rows = slices.DeleteFunc(rows, func(row) bool { return g.chance(0.2) })
	}
	if len(rows) == 0 {
		return rows
	}
	if g.chance(0.25) {
		for _, r := range rows {
			if name := full[r["name"]]; name != "" && g.chance(0.7) {
				r["name"] = name
			}
		}
	}
	for g.chance(0.15) {
		r := pick(g, rows...)
		if r["name"] = pick(g, "某某", "Nowhere", "?!"); g.chance(0.5) {
			delete(r, "desc")
		}
	}
	if g.chance(0.05) {
		rows = append(rows, row{"name": "某某", "percent": 0.1 * g.Float64()})
	}
	if g.chance(0.2) {
		by := pick(g, 0.5, 0.9, 0.96, 1.01, 1.1)
		scale(rows, func() float64 { return by })
	}
	if of == "cities" && g.chance(0.1) {
		pick(g, rows...)["percent"] = 0.3 * g.Float64() // more than its province holds
	}
	if r := pick(g, rows...); g.chance(0.1) {
		r["percent"] = pick[any](g, nil, "?", 1.5, -0.0001, 0, "2.3%", "0.0204")
	}
	if g.chance(0.04) {
		rows = append(rows, row{"name": pick(g, rows...)["name"], "percent": 0.01})
	}
	if g.chance(0.3) {
		g.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	return rows
}

// target makes up a target audience.
func (g *generator) target() *schema.TargetAudience {
	t := &schema.TargetAudience{Weights: schema.Weights{}}
	choose := func(of string, p float64) (names []string) {
		for g.chance(p) {
			names = append(names, pick(g, g.choices[of]...))
		}
		return names
	}
	detail := func(of schema.Dimension, given bool, weights ...float64) {
		if given && g.chance(0.2) {
			t.Weights[of] = pick(g, weights...)
		}
		if given && g.chance(0.2) {
			t.Soft = append(t.Soft, string(of))
		}
	}
	t.Provinces, t.Cities, t.Interests, t.Devices = choose("provinces", 0.5), choose("cities", 0.6), choose("interests", 0.5), choose("devices", 0.3)
	some := t.Provinces != nil || t.Cities != nil || t.Interests != nil || t.Devices != nil
	if !some || g.chance(0.7) {
		t.Gender = pick(g, schema.Female, schema.Male)
	}
	if g.chance(0.5) {
		t.AgeGroups = choose("ageGroups", 0.7)
	}
	detail(schema.DimensionGender, t.Gender != "", 0.5, 2) // never 0: something has to count
	detail(schema.DimensionAgeGroups, t.AgeGroups != nil, 0.5, 2)
	detail(schema.DimensionPlaces, t.Provinces != nil || t.Cities != nil, 0.5, 2)
	if t.Gender != "" {
		detail(schema.DimensionInterests, t.Interests != nil, 0, 2)
		detail(schema.DimensionDevices, t.Devices != nil, 0, 2)
	}
	return t
}

// next makes up a case.
func (g *generator) next() testCase {
	c := testCase{Language: pick(g, schema.English, schema.Chinese)}
	for i := range pick(g, 1, 1, 2, 3, 4, 7) {
		p := portrait{fmt.Sprintf("kol%d", g.IntN(1000)*10+i), g.portrait()}
		if i > 0 && g.chance(0.3) {
			p.Data = g.later(c.Portraits[0].Data)
		}
		c.Portraits = append(c.Portraits, p)
	}
	if g.chance(0.5) {
		c.Older = g.later(c.Portraits[0].Data)
	}
	if g.chance(0.8) {
		c.Target = g.target()
	}
	return c
}

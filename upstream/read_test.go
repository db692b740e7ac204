package upstream

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

type (
	lists  = map[schema.Dimension][]schema.Row
	counts = map[schema.Dimension]int
)

func TestReadDocumentedPortrait(t *testing.T) {
	raw, err := os.ReadFile("../testdata/documented-response.json")
	require.NoError(t, err)
	var documented struct{ Data json.RawMessage }
	require.NoError(t, json.Unmarshal(raw, &documented))
	got := Read(documented.Data)
	assert.Equal(t, Reading{AsOf: "2026-03-08", Distributions: of(got.Distributions.Rows)}, got)
	again, err := json.Marshal(got.Distributions.InVendorShape())
	require.NoError(t, err)
	assert.JSONEq(t, string(documented.Data), string(again[:len(again)-1])+`,"dateKey":"2026-03-08"}`)
}

func of(rows lists) schema.Distributions { return schema.Distributions{Rows: rows, LeftOut: counts{}} }

// cities is a portrait of cities alone, and what is read of it.
func cities(names ...string) schema.Distributions {
	var rows []schema.Row
	for _, name := range names {
		rows = append(rows, schema.Row{Name: name, Share: 0.5})
	}
	return of(lists{schema.DimensionCities: rows})
}

func leftOut(d schema.Distributions, counts counts) schema.Distributions {
	d.LeftOut = counts
	return d
}

func TestReadWhatCanBeRead(t *testing.T) {
	const a = `{"name":"a","percent":0.5}`
	long := strings.Repeat("长", 70)
	genders := func(rows ...schema.Row) schema.Distributions { return of(lists{schema.DimensionGender: rows}) }
	oneCity := func(n int) schema.Distributions { return leftOut(cities("a"), counts{schema.DimensionCities: n}) }
	noGender := leftOut(cities("a"), counts{schema.DimensionGender: 1})
	for _, test := range []struct {
		name, data string
		want       schema.Distributions
	}{
		{"unknown members, wrong case", `{"cities":[` + a + `],"new":{"a":[1e999]},"Ages":7}`, cities("a")},
		{"null and empty dimensions", `{"ages":null,"gender":{},"interests":[],"cities":[` + a + `]}`, cities("a")},
		{"all dimensions", `{"ages":[{"group":"45+","percent":0.25}],"gender":{"male":0.25,"female":0.75},"interests":[{"name":"美食","percent":1}],
			"provinces":[{"name":"广东省","percent":0}],"cities":[{"name":"北京","percent":5e-2}],"devices":[{"name":"b","desc":"苹果","percent":0.5}]}`,
			of(lists{
				schema.DimensionAgeGroups: {{Name: "45+", Share: 0.25}}, schema.DimensionGender: {{Name: "male", Share: 0.25}, {Name: "female", Share: 0.75}},
				schema.DimensionInterests: {{Name: "美食", Share: 1}}, schema.DimensionProvinces: {{Name: "广东省"}},
				schema.DimensionCities: {{Name: "北京", Share: 0.05}}, schema.DimensionDevices: {{Name: "b", Label: "苹果", Share: 0.5}},
			})},

		{"V4: gender both 0", `{"gender":{"male":0,"female":0.0},"cities":[` + a + `]}`, noGender},
		{"V5: gender an empty list", `{"gender":[],"cities":[` + a + `]}`, cities("a")},
		{"one gender", `{"gender":{"male":null,"female":0.4}}`, genders(schema.Row{Name: "female", Share: 0.4})},
		{"one gender 0", `{"gender":{"male":0,"female":1}}`, genders(schema.Row{Name: "male"}, schema.Row{Name: "female", Share: 1})},
		{"one gender that is none", `{"gender":{"male":"x","female":"40%"}}`, leftOut(genders(schema.Row{Name: "female", Share: 0.4}), counts{schema.DimensionGender: 1})},
		{"two genders that are none", `{"gender":{"male":7,"female":"x"},"cities":[` + a + `]}`, leftOut(cities("a"), counts{schema.DimensionGender: 2})},
		{"gender of a wrong type", `{"gender":"female","cities":[` + a + `]}`, noGender},

		{"V5: percent null", `{"cities":[{"name":"b","percent":null},` + a + `]}`, oneCity(1)},
		{"percent absent, a list, true, words, empty, NaN", `{"cities":[{"name":"b"},{"name":"b","percent":[0.5]},{"name":"b","percent":true},
			{"name":"b","percent":"much"},{"name":"b","percent":""},{"name":"b","percent":"NaN"},` + a + `]}`, oneCity(6)},
		{"percent far outside", `{"cities":[{"name":"b","percent":-0.1},{"name":"b","percent":1.2},{"name":"b","percent":20.4},{"name":"b","percent":1e400},` + a + `]}`, oneCity(4)},
		{"V5: percent in a string", `{"cities":[{"name":"a","percent":"0.0204"},{"name":"b","percent":" 2.0% "},{"name":"c","percent":"100 %"}]}`,
			of(lists{schema.DimensionCities: {{Name: "a", Share: 0.0204}, {Name: "b", Share: 0.02}, {Name: "c", Share: 1}}})},
		{"M1: rounding", `{"cities":[{"name":"a","percent":-0.0001},{"name":"b","percent":1.00001},{"name":"c","percent":-0.0}]}`,
			of(lists{schema.DimensionCities: {{Name: "a"}, {Name: "b", Share: 1}, {Name: "c"}}})},

		{"V5: a name twice", `{"cities":[` + a + `,{"name":" a\u200b","percent":0.1}]}`, oneCity(1)},
		{"M1: name null, empty, absent, invisible", `{"cities":[{"name":null,"percent":0.5},{"name":"","percent":0.5},{"percent":0.5},{"name":"\u200b\u3164 ","percent":0.5},` + a + `]}`, oneCity(4)},
		{"M1: odd characters", `{"cities":[{"name":"\ufeff\u200b 广\u200d东\u202e\u0007 ","percent":0.5},{"name":"\ud800b` + "\xff" + `","percent":0.5},{"name":"❤\ufe0f","percent":0.5}]}`, cities("广东", "b", "❤")},
		{"M12: marks that pile up", `{"cities":[{"name":"e` + strings.Repeat(`\u0301\u200b`, 60) + `x\u0301","percent":0.5}]}`, cities("e" + strings.Repeat("\u0301", 4) + "x\u0301")},
		{"a long name", `{"cities":[{"name":"` + long + `","percent":0.5}]}`, cities(long[:64*3])},
		{"names that differ in case, white space inside", `{"cities":[{"name":"a b","percent":0.5},{"name":"A b","percent":0.5}]}`, cities("a b", "A b")},
		{"M1: desc", `{"devices":[{"name":"a","desc":"` + long + `","percent":0.5},{"name":"b","desc":null,"percent":0.5},{"name":"c","desc":{},"percent":0.5},{"name":"d","desc":"\u200b苹果 ","percent":0.5}]}`,
			of(lists{schema.DimensionDevices: {{Name: "a", Label: long[:64*3], Share: 0.5}, {Name: "b", Share: 0.5}, {Name: "c", Share: 0.5}, {Name: "d", Label: "苹果", Share: 0.5}}})},

		{"rows that are none", `{"cities":[null,7,"b",["c"],` + a + `]}`, oneCity(4)},
		{"dimensions of a wrong type", `{"ages":"x","interests":{"a":1},"provinces":7,"devices":true,"cities":[` + a + `]}`,
			leftOut(cities("a"), counts{schema.DimensionAgeGroups: 1, schema.DimensionInterests: 1, schema.DimensionProvinces: 1, schema.DimensionDevices: 1})},
		{"M1: text after the JSON", `{"cities":[` + a + `]} and more`, cities("a")},
		{"damaged behind a dimension", `{"cities":[` + a + `],"ages":NaN}`, leftOut(cities("a"), counts{schema.DimensionAgeGroups: 1})},
		{"broken off in a row", `{"cities":[` + a + `,{"name":"b","perc`, oneCity(1)},
		{"broken off in a name", `{"cities":[` + a + `],"ag`, cities("a")},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, Reading{Distributions: test.want}, Read(json.RawMessage(test.data)))
		})
	}
}

func TestReadOfWhatHasNoPortrait(t *testing.T) {
	const (
		noJSON    = "its JSON is damaged"
		noObject  = "it is not a JSON object"
		strange   = "it has no dimension of a portrait"
		noFigures = "it has no row with a usable name and share"
	)
	for data, fault := range map[string]string{ // no fault: it is empty
		"": "", " ": "", "null": "", "{}": "", "[]": "", `""`: "", `{"ages":[],"gender":null,"interests":null,"provinces":[],"cities":[],"devices":[]}`: "",
		`{"gender":{},"dateKey":"2026-03-08"}`: "", `{"gender":[]}`: "", `{"gender":[],"unknown":1}`: strange,
		"7": noObject, `"text"`: noObject, "[1]": noObject, "Oops": noObject, "NaN": noObject,
		"{": noJSON, `{"ages":`: noJSON, `{"ages":[{"group":"18-24","percent":NaN}]}`: noJSON, `{Oops}`: noJSON,
		`{"gender":{"male":0,"female":0}}`: noFigures, `{"cities":[{"name":"a","percent":null}]}`: noFigures, `{"cities":7}`: noFigures,
	} {
		got := Read(json.RawMessage(data))
		assert.Equal(t, fault, got.Fault, data)
		assert.Equal(t, fault == "", got.Empty, data)
		assert.True(t, got.Distributions.IsEmpty())
	}
	assert.True(t, Read(nil).Empty)
}

func TestReadDay(t *testing.T) {
	for dateKey, want := range map[string]string{
		`"2026-03-08"`: "2026-03-08", `"20260308"`: "2026-03-08", `20260308`: "2026-03-08", `"2026/03/08"`: "2026-03-08",
		`"2026-03-08 00:00:00"`: "2026-03-08", `"2026-03-08T00:00:00+08:00"`: "2026-03-08", `"2026-03-08T00:00:00"`: "2026-03-08", `" 2026-03-08\n"`: "2026-03-08",
		`"2024-02-29"`: "2024-02-29", `"2013-01-01"`: "2013-01-01", `"2012-12-31"`: "", `19700101`: "",
		`null`: "", `""`: "", `{}`: "", `true`: "", `7`: "", `"2026-02-29"`: "", `"20261301"`: "", `"yesterday"`: "", `"2026-03-08 or so"`: "", `1772928000000`: "",
	} {
		assert.Equal(t, want, Read(json.RawMessage(`{"dateKey":`+dateKey+`,"gender":{"male":0.5}}`)).AsOf, dateKey)
	}
}

func TestReadIsBounded(t *testing.T) {
	var list strings.Builder
	for i := range 1200 {
		fmt.Fprintf(&list, `{"name":"%d","percent":0},`, i)
	}
	got := Read(json.RawMessage(`{"cities":[` + strings.TrimSuffix(list.String(), ",") + `]}`))
	assert.Len(t, got.Distributions.Rows[schema.DimensionCities], 1000)
	assert.Equal(t, counts{schema.DimensionCities: 200}, got.Distributions.LeftOut)
	assert.Equal(t, "its JSON is damaged", Read(json.RawMessage(`{"x":`+strings.Repeat("[", 1<<20))).Fault)
}

func BenchmarkRead(b *testing.B) {
	raw, err := os.ReadFile("../testdata/documented-response.json")
	require.NoError(b, err)
	var documented struct{ Data json.RawMessage }
	require.NoError(b, json.Unmarshal(raw, &documented))
	for b.Loop() {
		Read(documented.Data)
	}
}

package audience_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// baselineOf parses a baseline that nothing is wrong with.
func baselineOf(t *testing.T, document string) *audience.Baseline {
	t.Helper()
	own, err := audience.ParseBaseline([]byte(document))
	require.NoError(t, err)
	return own
}

func TestBaselinesThatAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, document, want string }{
		{"nothing", "", "it is not JSON: line 1: unexpected end of JSON input"},
		{"not JSON", "{\n\"ages\": [\n}", "it is not JSON: line 3: invalid character '}' looking for beginning of value"},
		{"more than one value", "{} {}", "it is not JSON: line 1: invalid character '{' after top-level value"},
		{"not an object", "[]", "it is a JSON array, not an object"},
		{"no object at all", "null", "it has no dimension: it takes any of ages, gender, provinces, cities, interests and devices"},
		{"no dimension", `{"dateKey": "2026-03-08"}`, "it has no dimension: it takes any of ages, gender, provinces, cities, interests and devices"},
		{"dimensions without rows", `{"ages": [], "cities": null, "gender": {}}`, "it has no dimension: it takes any of ages, gender, provinces, cities, interests and devices"},
		{"an unknown dimension", `{"region": []}`, `unknown field "region"`},
		{"an unknown field of a row", `{"ages": [{"name": "18-24", "percent": 0.1}]}`, `unknown field "name"`},
		{"the vendor's whole response", `{"code": 0, "data": {}}`, `unknown field "code"`},
		{"a share in quotation marks", `{"provinces": [{"name": "广东", "percent": "0.1"}]}`, "provinces.percent cannot be a JSON string"},
		{"a share beyond all numbers", `{"provinces": [{"name": "广东", "percent": 1e999}]}`, "provinces.percent cannot be a JSON number 1e999"},
		{"a list for an object", `{"gender": [0.5, 0.5]}`, "gender cannot be a JSON array"},

		{"a percentage", `{"provinces": [{"name": "Guangdong", "percent": 11.9}]}`, `provinces: "Guangdong" has 11.9: shares are fractions: 0.119`},
		{"beyond percentages", `{"ages": [{"group": "18-24", "percent": 119}]}`, `ages: "18-24" has 119: shares are fractions from 0.000001 to 1`},
		{"nobody", `{"interests": [{"name": "美食", "percent": 0}]}`, `interests: "美食" has 0: shares are fractions from 0.000001 to 1`},
		{"less than nobody", `{"cities": [{"name": "广州", "percent": -0.1}]}`, `cities: "广州" has -0.1: shares are fractions from 0.000001 to 1`},
		{"hardly anybody", `{"ages": [{"group": "18-24", "percent": 9e-7}]}`, `ages: "18-24" has 9e-07: shares are fractions from 0.000001 to 1`},
		{"no share", `{"devices": [{"name": "huawei"}]}`, `devices: "huawei" has 0: shares are fractions from 0.000001 to 1`},
		{"a gender as a percentage", `{"gender": {"female": 51.2, "male": 48.8}}`, `gender: "female" has 51.2: shares are fractions: 0.512`},
		{"one gender", `{"gender": {"female": 0.7}}`, "gender: both female and male are needed"},

		{"an unknown province", `{"provinces": [{"name": "Atlantis", "percent": 0.1}]}`, `provinces: "Atlantis" is not known`},
		{"a slip", `{"provinces": [{"name": "Gaungdong", "percent": 0.1}]}`, `provinces: "Gaungdong" is not known; did you mean Guangdong?`},
		{"a very long name, for the caller to cut when secrets are hidden", `{"cities": [{"name": "` + strings.Repeat("x", 200) + `", "percent": 0.1}]}`, `cities: "` + strings.Repeat("x", 200) + `" is not known`},
		{"a region", `{"provinces": [{"name": "华东", "percent": 0.3}]}`, `provinces: "华东" is more than one row: name each with its share`},
		{"a tier of cities", `{"cities": [{"name": "tier1", "percent": 0.3}]}`, `cities: "tier1" is more than one row: name each with its share`},
		{"ages of two groups", `{"ages": [{"group": "25-44", "percent": 0.3}]}`, `ages: "25-44" is more than one row: name each with its share`},
		{"a city for a province", `{"provinces": [{"name": "广州", "percent": 0.1}]}`, `provinces: "广州" is not known; did you mean Guangdong, Guangxi, Guizhou?`},
		{"an unknown city", `{"cities": [{"name": "云梦城", "percent": 0.1}]}`, `cities: "云梦城" is not known`},
		{"an unknown interest", `{"interests": [{"name": "星际旅行", "percent": 0.1}]}`, `interests: "星际旅行" is not known`},
		{"an unknown brand", `{"devices": [{"name": "nebula phone", "desc": "星云", "percent": 0.1}]}`, `devices: "nebula phone" is not known`},
		{"an unknown age group", `{"ages": [{"group": "45-54", "percent": 0.1}]}`, `ages: "45-54" is not known; the groups are <18, 18-24, 25-34, 35-44, >44`},
		{"no name", `{"cities": [{"percent": 0.1}]}`, `cities: "" is not known`},
		{"a name with line breaks", `{"cities": [{"name": "云\n梦城", "percent": 0.1}]}`, `cities: "云\n梦城" is not known`},

		{"a province twice", `{"provinces": [{"name": "广东", "percent": 0.1}, {"name": "广东", "percent": 0.2}]}`, `provinces: "广东" is there twice`},
		{"a province in two languages", `{"provinces": [{"name": "广东", "percent": 0.1}, {"name": "guangdong", "percent": 0.2}]}`, `provinces: "guangdong" is there twice`},
		{"a province by its alias", `{"provinces": [{"name": "Canton", "percent": 0.1}, {"name": "广东省", "percent": 0.2}]}`, `provinces: "广东省" is there twice`},
		{"a brand in two spellings", `{"devices": [{"name": "apple inc.", "percent": 0.1}, {"name": "Apple", "percent": 0.2}]}`, `devices: "Apple" is there twice`},
		{"an age group twice", `{"ages": [{"group": "<18", "percent": 0.1}, {"group": "<18", "percent": 0.2}]}`, `ages: "<18" is there twice`},

		{"more than everybody", `{"cities": [{"name": "广州", "percent": 0.9}, {"name": "深圳", "percent": 0.1201}]}`, "cities: the shares sum to 1.0201, over 1"},
		{"genders that are more than everybody", `{"gender": {"female": 0.7, "male": 0.4}}`, "gender: the shares sum to 1.1, over 1"},
		{"too large", strings.Repeat(" ", audience.MaxBaseline) + "{}", "it is larger than 1 MB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			own, err := audience.ParseBaseline([]byte(tt.document))
			require.EqualError(t, err, tt.want)
			assert.Nil(t, own)
		})
	}
}

func TestBaselinesThatAreTaken(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "documented-response.json"))
	require.NoError(t, err)
	var response struct{ Data json.RawMessage }
	require.NoError(t, json.Unmarshal(raw, &response))
	for name, document := range map[string]string{
		"the data of the vendor's response": string(response.Data),
		"English names":                     `{"provinces": [{"name": "guangdong", "percent": 0.1}], "interests": [{"name": "Film & TV", "percent": 0.1}], "cities": [{"name": "Xi'an", "percent": 0.1}]}`,
		"brands by any name":                `{"devices": [{"name": "Apple Inc.", "percent": 0.4}, {"name": "华为", "percent": 0.2}, {"name": "Honor", "percent": 0.1}, {"name": "", "desc": "小米", "percent": 0.1}]}`,
		"rounding":                          `{"gender": {"female": 0.62, "male": 0.4}}`,
		"one row":                           `{"ages": [{"group": "18-24", "percent": 1}]}`,
		"a byte order mark":                 "\ufeff{\"ages\": [{\"group\": \"18-24\", \"percent\": 1}]}",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := audience.ParseBaseline([]byte(document))
			assert.NoError(t, err)
		})
	}
}

// FuzzBaseline reads whatever document. It is refused with one line that can be
// shown, or gives a baseline that every audience can be held against, the same
// however the document is laid out.
func FuzzBaseline(f *testing.F) {
	f.Add(`{"gender": {"female": 0.6, "male": 0.4}, "ages": [{"group": "18-24", "percent": 0.4}]}`)
	f.Add(`{"provinces": [{"name": "Guangdong", "percent": 0.1}, {"name": "海外", "percent": 1e-6}], "dateKey": 1}`)
	f.Add(`{"devices": [{"name": "apple inc.", "desc": "苹果", "percent": 1}], "interests": null}`)
	f.Add(`{"cities": [{"name": "a\nb", "percent": 11.9}]}`)
	f.Add(`{"ages": [{"group": "<18", "percent": 0.5}, {"group": "under 18", "percent": 0.5}], "\u202e": 0}`)
	d, _ := documented(f)
	summary := func(t *testing.T, own *audience.Baseline) string {
		t.Helper()
		raw, err := json.Marshal(audience.New(own).Summarize(d, schema.English))
		require.NoError(t, err)
		return string(raw)
	}
	f.Fuzz(func(t *testing.T, document string) {
		own, err := audience.ParseBaseline([]byte(document))
		if err != nil {
			require.Nil(t, own)
			require.False(t, strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }), "%q", err.Error())
			return
		}
		var laidOut bytes.Buffer
		require.NoError(t, json.Indent(&laidOut, []byte(strings.TrimPrefix(document, "\ufeff")), "", "\t"))
		same, err := audience.ParseBaseline(append([]byte("\ufeff"), laidOut.Bytes()...))
		require.NoError(t, err)
		require.Equal(t, summary(t, own), summary(t, same))
		_, err = audience.ParseBaseline([]byte(document + "{}"))
		require.Error(t, err, "two documents are none")
	})
}

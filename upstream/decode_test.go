package upstream

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

func TestDecodeEnvelope(t *testing.T) {
	tests := map[string]envelope{
		`{"code":0}`: {},
		`{"code":301,"message":"m","data":null,"recordTime":"t","requestId":"r"}`: {code: 301, message: "m", requestID: "r", data: json.RawMessage("null")},
		" \n{\"data\": {\"a\" : 1 } ,\"code\":0}\n":                               {data: json.RawMessage(`{"a" : 1 }`)},
		`{"code":-1,"message":7,"requestId":[]}`:                                  {code: -1},
		`{"code":0,"Data":{},"CODE":5}`:                                           {}, // names are matched exactly
		`{"code":1,"other":{"code":2,"data":3}}`:                                  {code: 1},
		"\ufeff{\"code\":301}":                                                    {code: 301}, // behind a byte order mark
	}
	for body, want := range tests {
		got, err := decodeEnvelope([]byte(body))
		require.NoError(t, err, body)
		assert.Equal(t, want, got, body)
	}
}

func TestDecodeEnvelopeThatIsNone(t *testing.T) {
	tests := []struct {
		body string
		code int // that was read nevertheless
		want string
	}{
		{``, -1, "it is empty, not an object"},
		{`null`, -1, "it is null, not an object"},
		{`[{"code":0}]`, -1, "it is a list, not an object"},
		{`"code"`, -1, "it is a string, not an object"},
		{`0`, -1, "it is a number, not an object"},
		{`true`, -1, "it is true or false, not an object"},
		{`<html>`, -1, "it is not JSON"},
		{`{}`, -1, "it has no code"},
		{`{"data":{}}`, -1, "it has no code"},
		{`{"code":null}`, -1, "code is null, not an integer"},
		{`{"code":"0"}`, -1, "code is a string, not an integer"},
		{`{"code":0.5}`, -1, "code is 0.5, not an integer"},
		{`{"code":1e2}`, -1, "code is 1e2, not an integer"},
		{`{"code":99999999999999999999}`, -1, "code is 99999999999999999999, not an integer"},
		{`{"code":` + strings.Repeat("9", 100) + `}`, -1, "code is " + strings.Repeat("9", 32) + "..., not an integer"},
		{`{"code":0,"code":301}`, -1, "it has code twice"},
		{`{"code":301,"code":0}`, -1, "it has code twice"},
		{`{"data":1,"data":2,"code":0}`, 0, "it has data twice"},
		{`{"message":1,"message":2,"code":0,"data":{`, 0, "the answer broke off"},
		{`{"Code":0}`, -1, "it has no code"},
		{"\ufeff", -1, "it is empty, not an object"},
		{"\ufeff\ufeff{}", -1, "it is not JSON"},
		{`{"code":0} {}`, 0, "it goes on after its end"},
		{`{"code":0}x`, 0, "it goes on after its end"},
		{`{"code":0,"data":{"a":NaN}}`, 0, "it is not JSON: invalid character 'N' at start of value"},
		{`{"code":0,"data":{`, 0, "the answer broke off"},
		{`{"code":0`, 0, "the answer broke off"},
		{`{"code":`, -1, "the answer broke off"},
		{`{"co`, -1, "the answer broke off"},
		{`{`, -1, "the answer broke off"},
		{`{]`, -1, "it is not JSON: invalid character ']'"},
		{`{code:0}`, -1, "it is not JSON: invalid character 'c'"},
	}
	for _, test := range tests {
		got, err := decodeEnvelope([]byte(test.body))
		require.Error(t, err, test.body)
		assert.Truef(t, strings.HasPrefix(err.Error(), test.want), "%s: %v", test.body, err)
		assert.Equal(t, test.code, got.code, test.body)
	}
}

func TestDecodePortrait(t *testing.T) {
	tests := []struct {
		name, data string
		want       portrait
	}{
		{"all dimensions", `{
			"ages":[{"group":"<18","percent":0.25},{"group":"99+","percent":0}],
			"gender":{"male":0.25,"female":0.75},
			"interests":[{"name":"美食","percent":1}],
			"provinces":[{"name":"广东","percent":1.0000005}],
			"cities":[{"name":"北京","percent":5e-2}],
			"devices":[{"name":"apple inc.","desc":"苹果","percent":0.5},{"name":"b","desc":"苹果","percent":0.1}],
			"dateKey":"2026-03-08"}`,
			portrait{asOf: "2026-03-08", distributions: schema.Distributions{
				Ages:      []schema.AgeShare{{Group: "<18", Percent: 0.25}, {Group: "99+", Percent: 0}},
				Gender:    &schema.GenderShares{Male: new(0.25), Female: new(0.75)},
				Interests: []schema.NameShare{{Name: "美食", Percent: 1}},
				Provinces: []schema.NameShare{{Name: "广东", Percent: 1.0000005}},
				Cities:    []schema.NameShare{{Name: "北京", Percent: 0.05}},
				Devices:   []schema.DeviceShare{{Name: "apple inc.", Desc: "苹果", Percent: 0.5}, {Name: "b", Desc: "苹果", Percent: 0.1}},
			}}},
		{"absent, null and empty dimensions are not known", `{"ages":null,"interests":[],"cities":[{"name":"a","percent":0.5}]}`,
			portrait{distributions: schema.Distributions{Cities: []schema.NameShare{{Name: "a", Percent: 0.5}}}}},
		{"one gender", `{"gender":{"male":0.4}}`, portrait{distributions: schema.Distributions{Gender: &schema.GenderShares{Male: new(0.4)}}}},
		{"one gender and null", `{"gender":{"male":null,"female":0.4}}`, portrait{distributions: schema.Distributions{Gender: &schema.GenderShares{Female: new(0.4)}}}},
		{"an empty gender beside another dimension", `{"gender":{},"cities":[{"name":"a","percent":0.5}]}`,
			portrait{distributions: schema.Distributions{Cities: []schema.NameShare{{Name: "a", Percent: 0.5}}}}},
		{"unknown members", `{"gender":{"male":0.4,"x":[]},"new":{"a":[1e999]},"Ages":7}`,
			portrait{distributions: schema.Distributions{Gender: &schema.GenderShares{Male: new(0.4)}}}},
		{"no desc", `{"devices":[{"name":"a","percent":0.5},{"name":"b","desc":null,"percent":0.5},{"name":"c","desc":"","percent":0}]}`,
			portrait{distributions: schema.Distributions{Devices: []schema.DeviceShare{{Name: "a", Percent: 0.5}, {Name: "b", Percent: 0.5}, {Name: "c"}}}}},
		{"a name of 64 characters, a joiner in another", `{"cities":[{"name":"` + strings.Repeat("长", 64) + `","percent":0},{"name":"👩‍💻","percent":0}]}`,
			portrait{distributions: schema.Distributions{Cities: []schema.NameShare{{Name: strings.Repeat("长", 64)}, {Name: "👩‍💻"}}}}},
		{"white space around names", `{"devices":[{"name":" a b\n","desc":"\u3000苹果 ","percent":0},{"name":"b","desc":" ","percent":0}]}`,
			portrait{distributions: schema.Distributions{Devices: []schema.DeviceShare{{Name: "a b", Desc: "苹果"}, {Name: "b"}}}}},
		{"names that differ in case, a variation selector, four marks in a row",
			`{"cities":[{"name":"a","percent":0},{"name":"A","percent":0},{"name":"❤️","percent":0},{"name":"e\u0301\u0302\u0303\u0304e\u0301","percent":0}]}`,
			portrait{distributions: schema.Distributions{Cities: []schema.NameShare{{Name: "a"}, {Name: "A"}, {Name: "❤\ufe0f"}, {Name: "e\u0301\u0302\u0303\u0304e\u0301"}}}}},
		{"minus zero", `{"gender":{"male":-0.0}}`, portrait{distributions: schema.Distributions{Gender: &schema.GenderShares{Male: new(0.0)}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := decodePortrait(json.RawMessage(test.data))
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestDecodeDate(t *testing.T) {
	for dateKey, want := range map[string]string{
		`"2026-03-08"`: "2026-03-08", `"2024-02-29"`: "2024-02-29", `"2013-01-01"`: "2013-01-01",
		`"2012-12-31"`: "", `"1970-01-01"`: "", `"0000-01-01"`: "",
		`null`: "", `""`: "", `"2026-02-29"`: "", `"2026-13-01"`: "", `"20260308"`: "", `"2026-3-8"`: "",
		`"2026-03-08T00:00:00Z"`: "", `" 2026-03-08"`: "", `"yesterday"`: "",
	} {
		got, err := decodePortrait(json.RawMessage(`{"gender":{"male":0.5},"dateKey":` + dateKey + `}`))
		require.NoError(t, err, dateKey)
		assert.Equal(t, want, got.asOf, dateKey)
	}
}

func TestDecodePortraitThatCannotBeTrusted(t *testing.T) {
	rows := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"name":"%d","percent":0}`, i))
		}
		return `{"cities":[` + strings.Join(list, ",") + `]}`
	}
	_, err := decodePortrait(json.RawMessage(rows(1000)))
	require.NoError(t, err)

	tests := []struct{ data, want string }{
		{``, "data is missing"},
		{`null`, "data: it is null, not an object"},
		{`[]`, "data: it is a list, not an object"},
		{`"x"`, "data: it is a string, not an object"},
		{`{}`, "data has no distribution"},
		{`{"dateKey":"2026-03-08","other":[1]}`, "data has no distribution"},
		{`{"ages":[],"gender":{},"cities":null}`, "data has no distribution"},
		{`{"gender":{"male":null}}`, "data has no distribution"},
		{`{"ages":[],"ages":[]}`, "data: it has ages twice"},
		{"{\"cities\":[{\"name\":\"\xff\",\"percent\":0}]}", "data is not UTF-8"},

		{`{"ages":{}}`, "ages is an object, not a list"},
		{`{"interests":"x"}`, "interests is a string, not a list"},
		{`{"provinces":0}`, "provinces is a number, not a list"},
		{`{"cities":false}`, "cities is true or false, not a list"},
		{`{"gender":[]}`, "gender is a list, not an object"},
		{`{"gender":{"male":0.5},"dateKey":20260308}`, "dateKey is a number, not a string"},
		{`{"ages":[{"group":"a","percent":0},[]]}`, "ages[1]: it is a list, not an object"},
		{`{"ages":[null]}`, "ages[0]: it is null, not an object"},
		{`{"ages":[{"group":"a","percent":0,"percent":1}]}`, "ages[0]: it has percent twice"},

		{`{"ages":[{"group":"a","percent":0},{"group":"b","percent":0},{"group":"c","percent":-0.1}]}`, "ages[2].percent is -0.1, not a share between 0 and 1"},
		{`{"cities":[{"name":"a","percent":1.000002}]}`, "cities[0].percent is 1.000002, not a share between 0 and 1"},
		{`{"cities":[{"name":"a","percent":11.9}]}`, "cities[0].percent is 11.9, not a share between 0 and 1"},
		{`{"cities":[{"name":"a","percent":1e400}]}`, "cities[0].percent is 1e400, not a share between 0 and 1"},
		{`{"cities":[{"name":"a","percent":-1e400}]}`, "cities[0].percent is -1e400, not a share between 0 and 1"},
		{`{"cities":[{"name":"a","percent":2` + strings.Repeat("0", 1000) + `}]}`, "cities[0].percent is 2" + strings.Repeat("0", 31) + "..., not a share between 0 and 1"},
		{`{"cities":[{"name":"a","percent":"0.5"}]}`, "cities[0].percent is a string, not a number"},
		{`{"cities":[{"name":"a","percent":null}]}`, "cities[0].percent is null, not a number"},
		{`{"cities":[{"name":"a"}]}`, "cities[0].percent is missing"},
		{`{"devices":[{"name":"a","percent":true}]}`, "devices[0].percent is true or false, not a number"},
		{`{"gender":{"male":"x"}}`, "gender.male is a string, not a number"},
		{`{"gender":{"male":0.5,"female":-1}}`, "gender.female is -1, not a share between 0 and 1"},

		{`{"ages":[{"percent":0}]}`, "ages[0].group is missing"},
		{`{"ages":[{"name":"a","percent":0}]}`, "ages[0].group is missing"},
		{`{"ages":[{"group":"","percent":0}]}`, "ages[0].group is empty"},
		{`{"cities":[{"name":" \t","percent":0}]}`, "cities[0].name is empty"},
		{`{"cities":[{"name":"  ","percent":0}]}`, "cities[0].name is empty"},
		{`{"cities":[{"name":"\u3000\u00a0","percent":0}]}`, "cities[0].name is empty"},
		{`{"cities":[{"name":null,"percent":0}]}`, "cities[0].name is null, not a string"},
		{`{"cities":[{"name":1,"percent":0}]}`, "cities[0].name is a number, not a string"},
		{`{"cities":[{"name":"a\u0000b","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"a\u001b[2J","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"a\u202eb","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"a\u2066b","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"a\u200bb","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"a\u2028b","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"a\udb40\udc41","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"a\ud800","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"\u3164","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"a\u115f","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"\u2800","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"a\ufffc","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"a\ufffd","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"a\ue000","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"a\u0378","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"a` + strings.Repeat(`\u0301`, 5) + `","percent":0}]}`, "cities[0].name holds characters that cannot be shown"},
		{`{"cities":[{"name":"` + strings.Repeat("长", 65) + `","percent":0}]}`, "cities[0].name is longer than 64 characters"},
		{`{"devices":[{"name":"a","desc":7,"percent":0}]}`, "devices[0].desc is a number, not a string"},
		{`{"devices":[{"name":"a","desc":"\u0007","percent":0}]}`, "devices[0].desc holds characters that cannot be shown"},

		{`{"ages":[{"group":"a","percent":0},{"group":"b","percent":0},{"group":"a","percent":0}]}`, `ages[2].group is "a" for the second time`},
		{`{"interests":[{"name":"美食","percent":0},{"name":"\u7f8e食","percent":0}]}`, `interests[1].name is "美食" for the second time`},
		{`{"cities":[{"name":"北京","percent":0},{"name":" 北京\t","percent":0}]}`, `cities[1].name is "北京" for the second time`},
		{rows(1001), "cities has more than 1000 rows"},
	}
	for _, test := range tests {
		got, err := decodePortrait(json.RawMessage(test.data))
		require.EqualError(t, err, test.want, test.data)
		assert.Equal(t, portrait{}, got)
	}
}

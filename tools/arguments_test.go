package tools_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

const kolID = "5d21ab6b000000001201567d"

func TestArgumentsThatAModelGetsSlightlyWrongAreRepaired(t *testing.T) {
	defaults := schema.PortraitArguments{KOLID: kolID, AcceptCache: true, Detail: schema.DetailFull, Language: schema.English}
	with := func(change func(*schema.PortraitArguments)) schema.PortraitArguments {
		args := defaults
		change(&args)
		return args
	}
	fresh := with(func(a *schema.PortraitArguments) { a.AcceptCache = false })
	summary := with(func(a *schema.PortraitArguments) { a.Detail = schema.DetailSummary })
	chinese := with(func(a *schema.PortraitArguments) { a.Language = schema.Chinese })

	for _, test := range []struct {
		name string
		json string
		want schema.PortraitArguments
	}{
		{"the id alone", `{"kolId":"5d21ab6b000000001201567d"}`, defaults},
		{"everything given", `{"kolId":"5d21ab6b000000001201567d","acceptCache":true,"detail":"full","language":"en"}`, defaults},
		{"spaces around the id", `{"kolId":"  5d21ab6b000000001201567d\n"}`, defaults},
		{"quotes around the id", `{"kolId":"\"5d21ab6b000000001201567d\""}`, defaults},
		{"backticks around the id", "{\"kolId\":\"`5d21ab6b000000001201567d`\"}", defaults},
		{"full-width space and zero-width space", `{"kolId":"\u30005d21ab6b000000001201567d\u200b"}`, defaults},
		{"a list of one id", `{"kolId":["5d21ab6b000000001201567d"]}`, defaults},
		{"a profile address", `{"kolId":"https://www.xiaohongshu.com/user/profile/5d21ab6b000000001201567d"}`, defaults},
		{"a profile address as shared", `{"kolId":"https://www.xiaohongshu.com/user/profile/5d21ab6b000000001201567d?xsec_token=ABC%3D&xsec_source=pc_search"}`, defaults},
		{"a profile address with a note behind it", `{"kolId":"https://www.xiaohongshu.com/user/profile/5d21ab6b000000001201567d/66aabbcc000000001e01abcd"}`, defaults},
		{"a profile address with a slash at its end", `{"kolId":"https://www.xiaohongshu.com/user/profile/5d21ab6b000000001201567d/"}`, defaults},
		{"a profile address without its scheme", `{"kolId":"xiaohongshu.com/user/profile/5d21ab6b000000001201567d"}`, defaults},
		{"a profile address in angle brackets", `{"kolId":"<https://WWW.Xiaohongshu.com/user/profile/5d21ab6b000000001201567d>"}`, defaults},
		{"a marketplace address", `{"kolId":"https://pgy.xiaohongshu.com/solar/pre-trade/blogger-detail/5d21ab6b000000001201567d?track_id=1"}`, defaults},
		{"a profile address inside a shared message", `{"kolId":"看看她的主页 https://www.xiaohongshu.com/user/profile/5d21ab6b000000001201567d 复制打开"}`, defaults},
		{"an id in capitals", `{"kolId":"5D21AB6B000000001201567D"}`, defaults},
		{"an address in capitals", `{"kolId":"https://www.xiaohongshu.com/user/profile/5D21AB6B000000001201567D"}`, defaults},
		{"an id that is not the vendor's keeps its capitals", `{"kolId":"KOL-A"}`, with(func(a *schema.PortraitArguments) { a.KOLID = "KOL-A" })},
		{"snake case", `{"kol_id":"5d21ab6b000000001201567d","accept_cache":false}`, fresh},
		{"the vendor's other name for the id", `{"userId":"5d21ab6b000000001201567d"}`, defaults},
		{"false as a string", `{"kolId":"5d21ab6b000000001201567d","acceptCache":"false"}`, fresh},
		{"False as Python writes it", `{"kolId":"5d21ab6b000000001201567d","acceptCache":" False "}`, fresh},
		{"0 for false", `{"kolId":"5d21ab6b000000001201567d","acceptCache":0}`, fresh},
		{"true as a string", `{"kolId":"5d21ab6b000000001201567d","acceptCache":"true"}`, defaults},
		{"null for what is not given", `{"kolId":"5d21ab6b000000001201567d","acceptCache":null,"detail":null,"language":null}`, defaults},
		{"detail in capitals", `{"kolId":"5d21ab6b000000001201567d","detail":"SUMMARY"}`, summary},
		{"a language by its name", `{"kolId":"5d21ab6b000000001201567d","language":"Chinese"}`, chinese},
		{"a language with its region", `{"kolId":"5d21ab6b000000001201567d","language":"zh_CN"}`, chinese},
		{"a language in itself", `{"kolId":"5d21ab6b000000001201567d","language":"中文"}`, chinese},
		{"an object inside a string", `"{\"kolId\":\"5d21ab6b000000001201567d\"}"`, defaults},
		{"an id of digits as a number", `{"kolId":61234567}`, with(func(a *schema.PortraitArguments) { a.KOLID = "61234567" })},
		{"the longest id", `{"kolId":"` + strings.Repeat("a", 64) + `"}`, with(func(a *schema.PortraitArguments) { a.KOLID = strings.Repeat("a", 64) })},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := newTools(t, nil).ParsePortraitArguments(decode(t, test.json))
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestArgumentsThatCannotBeMeantAreToldWhatWouldBeRight(t *testing.T) {
	for _, test := range []struct {
		name string
		json string
		want string
	}{
		{"nothing", `null`, `kolId is missing. Give the KOL's user id, such as "5d21ab6b000000001201567d", or the address of the profile page, such as "https://www.xiaohongshu.com/user/profile/5d21ab6b000000001201567d".`},
		{"no id", `{"acceptCache":true}`, `kolId is missing.`},
		{"a null id", `{"kolId":null}`, `kolId is missing.`},
		{"an empty id", `{"kolId":""}`, `kolId is "", which is neither a KOL id (1 to 64 letters, digits, _ or -), such as "5d21ab6b000000001201567d"`},
		{"a display name", `{"kolId":"李佳琦"}`, `kolId is "李佳琦", which is neither`},
		{"two words", `{"kolId":"abc def"}`, `kolId is "abc def", which is neither`},
		{"an id too long", `{"kolId":"` + strings.Repeat("a", 65) + `"}`, `which is neither`},
		{"two ids", `{"kolId":["a","b"]}`, `kolId is ["a","b"]. It takes one KOL; for several there is compare_kol_fans_portraits.`},
		{"an object", `{"kolId":{"id":"a"}}`, `kolId is {"id":"a"}, which is neither`},
		{"a number that has lost digits", `{"kolId":12345678901234567890}`, `which is neither`},
		{"the first number that may have lost digits", `{"kolId":9007199254740993}`, `which is neither`},
		{"a boolean", `{"kolId":true}`, `kolId is true, which is neither`},
		{"a placeholder", `{"kolId":"KOL_ID"}`, `kolId is "KOL_ID", which is neither`},
		{"no value in words", `{"kolId":"undefined"}`, `which is neither`},
		{"two profiles", `{"kolId":"https://www.xiaohongshu.com/user/profile/aaa https://www.xiaohongshu.com/user/profile/bbb"}`, `kolId names several KOLs: aaa, bbb. Ask for one at a time, or compare them with compare_kol_fans_portraits.`},
		{"what turns the direction of writing", `{"kolId":"\u202egnp.exe"}`, "kolId is \"\ufffdgnp.exe\", which is neither"},
		{"a fraction", `{"kolId":1.5}`, `kolId is 1.5, which is neither`},
		{"the address of a note", `{"kolId":"https://www.xiaohongshu.com/explore/66aabbcc000000001e01abcd"}`, `kolId is the address of a note, "https://www.xiaohongshu.com/explore/66aabbcc000000001e01abcd". Give the address of its author's profile page`},
		{"a profile on another site", `{"kolId":"https://example.com/user/profile/5d21ab6b000000001201567d"}`, `which is neither`},
		{"a site that only ends like it", `{"kolId":"https://notxiaohongshu.com/user/profile/5d21ab6b000000001201567d"}`, `which is neither`},
		{"a short link", `{"kolId":"http://xhslink.com/a/AbCdEf"}`, `kolId is a short link, which only Xiaohongshu can resolve. Open "http://xhslink.com/a/AbCdEf" in a browser`},
		{"a short link in a shared message", `{"kolId":"快来看看 http://xhslink.com/m/AbCdEf 复制本条信息"}`, `Open "http://xhslink.com/m/AbCdEf" in a browser`},
		{"an address with a query", `{"kolId":"https://example.com/?a=1&b=<2>"}`, `kolId is "https://example.com/?a=1&b=<2>", which is neither`},
		{"what is too long to repeat", `{"kolId":"` + strings.Repeat("a", 200) + `"}`, `kolId is "` + strings.Repeat("a", 79) + `…", which is neither`},
		{"a path in the id", `{"kolId":"../../etc/passwd"}`, `which is neither`},
		{"a query in the id", `{"kolId":"abc&token=x"}`, `which is neither`},
		{"a boolean that is none", `{"kolId":"a","acceptCache":"maybe"}`, `acceptCache is "maybe". It takes true or false.`},
		{"a detail that is none", `{"kolId":"a","detail":"some"}`, `detail is "some". It takes full or summary.`},
		{"a language that is none", `{"kolId":"a","language":"fr"}`, `language is "fr". It takes en or zh.`},
		{"an argument that is none", `{"kolId":"a","platform":"xhs"}`, `There is no argument "platform". The arguments are kolId (required), targetAudience, acceptCache, detail and language.`},
		{"the other tool's argument", `{"kolIds":["a","b"]}`, `For several KOLs there is compare_kol_fans_portraits.`},
		{"a dimension outside of the target audience", `{"kolId":"a","gender":"female"}`, `Give "gender" inside targetAudience.`},
		{"one argument twice", `{"kolId":"a","userId":"b"}`, `kolId is given twice, under two spellings. Give it once.`},
		{"a list", `["a"]`, `The arguments are not a JSON object. Send one such as {"kolId": "5d21ab6b000000001201567d"}.`},
		{"a plain string", `"5d21ab6b000000001201567d"`, `The arguments are not a JSON object.`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := newTools(t, nil).ParsePortraitArguments(decode(t, test.json))
			var failure *schema.Error
			require.ErrorAs(t, err, &failure)
			assert.Equal(t, schema.InvalidArgument, failure.Kind)
			assert.Contains(t, failure.Message, test.want)
			assert.False(t, failure.Retryable)
			assert.False(t, failure.Charged)
			assert.LessOrEqual(t, len(failure.Message), 700)
		})
	}
}

func TestTargetAudiencesAreRepaired(t *testing.T) {
	women := schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-34", "35-44"}}
	for _, test := range []struct {
		name string
		json string
		want schema.TargetAudience
	}{
		{"as the schema has it", `{"gender":"female","ageGroups":["25-34","35-44"]}`, women},
		{"an object inside a string", `"{\"gender\":\"female\",\"ageGroups\":[\"25-34\",\"35-44\"]}"`, women},
		{"other names, and strings for lists", `{"sex":["female"],"age_group":"25-34, 35-44"}`, women},
		{"lists inside strings", `{"gender":"female","ages":"[\"25-34\",\"35-44\"]"}`, women},
		{"nulls and empty lists", `{"gender":"female","ageGroups":["25-34","35-44"],"cities":null,"devices":[],"interests":""}`, women},
		{"Chinese separators", `{"provinces":"广东、浙江，江苏"}`, schema.TargetAudience{Provinces: []string{"广东", "浙江", "江苏"}}},
		{"quotes around names", `{"provinces":["'Guangdong'"]}`, schema.TargetAudience{Provinces: []string{"Guangdong"}}},
		{"signs of ages are kept", `{"ageGroups":["<18",">44"]}`, schema.TargetAudience{AgeGroups: []string{"<18", ">44"}}},
		{"weights as text", `{"gender":"female","provinces":["Guangdong"],"weights":"gender=2, provinces: 0.5"}`, schema.TargetAudience{
			Gender: "female", Provinces: []string{"Guangdong"},
			Weights: map[schema.Dimension]float64{schema.DimensionGender: 2, schema.DimensionProvinces: 0.5},
		}},
		{"weights", `{"gender":"female","provinces":["Guangdong"],"weights":{"gender":2,"provinces":"0.5"}}`, schema.TargetAudience{
			Gender: "female", Provinces: []string{"Guangdong"},
			Weights: map[schema.Dimension]float64{schema.DimensionGender: 2, schema.DimensionProvinces: 0.5},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			args, err := newTools(t, nil).ParsePortraitArguments(map[string]any{"kolId": kolID, "targetAudience": decode(t, test.json)})
			require.NoError(t, err)
			assert.Equal(t, &test.want, args.TargetAudience)

			several, err := newTools(t, nil).ParseComparisonArguments(map[string]any{"kolIds": "a b", "target": decode(t, test.json)})
			require.NoError(t, err)
			assert.Equal(t, &test.want, several.TargetAudience)
		})
	}
}

func TestTargetAudiencesThatCannotBeMeantAreToldWhatWouldBeRight(t *testing.T) {
	for _, test := range []struct {
		name string
		json string
		want string
	}{
		{"a typo", `{"provinces":["Gaungdong"]}`, `Did you mean "Guangdong"?`},
		{"a sentence", `"women in Guangdong"`, `targetAudience is "women in Guangdong". It takes an object such as {"gender": "female"`},
		{"a list", `["female"]`, `targetAudience is ["female"]. It takes an object`},
		{"a dimension that is none", `{"income":"high"}`, `There is no argument "targetAudience.income". Those of targetAudience are gender, ageGroups, provinces, cities, interests, devices and weights.`},
		{"a dimension twice", `{"age":"25-34","ages":"35-44"}`, `targetAudience.ageGroups is given twice, under two spellings.`},
		{"an object for a list", `{"cities":{"name":"Hangzhou"}}`, `targetAudience.cities is {"name":"Hangzhou"}. It takes a list of names.`},
		{"no name in a list", `{"cities":["Hangzhou",""]}`, `targetAudience.cities holds "", which is no name.`},
		{"both genders", `{"gender":["female","male"]}`, `targetAudience.gender is ["female","male"]. It takes one value; leave it out to mean all.`},
		{"a gender that is a boolean", `{"gender":true}`, `targetAudience.gender is true. It takes female or male.`},
		{"a weight twice in a text", `{"gender":"female","weights":"gender=1,gender=2"}`, `targetAudience.weights is "gender=1,gender=2". It takes an object such as`},
		{"weights in words", `{"gender":"female","weights":{"gender":"high"}}`, `targetAudience.weights has "high" for "gender". It takes numbers of 0 or more.`},
		{"weights in a sentence", `{"gender":"female","weights":"gender first"}`, `targetAudience.weights is "gender first". It takes an object such as`},
		{"weights in a list", `{"gender":"female","weights":[1,2]}`, `targetAudience.weights is [1,2]. It takes an object such as {"gender": 2, "provinces": 1}.`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := newTools(t, nil).ParsePortraitArguments(map[string]any{"kolId": kolID, "targetAudience": decode(t, test.json)})
			var failure *schema.Error
			require.ErrorAs(t, err, &failure)
			assert.Equal(t, schema.InvalidArgument, failure.Kind)
			assert.Contains(t, failure.Message, test.want)
		})
	}
}

func TestKOLsToCompare(t *testing.T) {
	many := strings.Join(ids(21), " ")
	for _, test := range []struct {
		name string
		json string
		want []string // nil where it is an error
		err  string
	}{
		{"a list", `["a","b"]`, []string{"a", "b"}, ""},
		{"one twice", `["a","b","a"]`, []string{"a", "b"}, ""},
		{"one in capitals too", `["5D21AB6B000000001201567D","b","` + kolID + `"]`, []string{kolID, "b"}, ""},
		{"a string with commas", `"a, b，c"`, []string{"a", "b", "c"}, ""},
		{"a string with lines", `"a\nb\n"`, []string{"a", "b"}, ""},
		{"a list inside a string", `" [\"a\",\"b\"]"`, []string{"a", "b"}, ""},
		{"profile addresses", `"https://www.xiaohongshu.com/user/profile/a?x=1 xiaohongshu.com/user/profile/b"`, []string{"a", "b"}, ""},
		{"nothing", `null`, nil, `kolIds is missing. Give 2 to 20 KOL ids`},
		{"one", `["a"]`, nil, `kolIds: 1 given, duplicates aside. It takes 2 to 20 KOLs; for one there is get_kol_fans_portrait.`},
		{"none", `[]`, nil, `kolIds: 0 given`},
		{"too many", `"` + many + `"`, nil, `kolIds: more than 20 given. It takes 2 to 20 KOLs.`},
		{"a display name among them", `["a","李佳琦"]`, nil, `kolIds[1] is "李佳琦", which is neither a KOL id`},
		{"an object", `{"a":1}`, nil, `kolIds is {"a":1}. It takes a list of KOL ids`},
	} {
		t.Run(test.name, func(t *testing.T) {
			args, err := newTools(t, nil).ParseComparisonArguments(map[string]any{"kolIds": decode(t, test.json)})
			if test.want != nil {
				require.NoError(t, err)
				assert.Equal(t, test.want, args.KOLIDs)
				return
			}
			var failure *schema.Error
			require.ErrorAs(t, err, &failure)
			assert.Contains(t, failure.Message, test.err)
		})
	}
}

func ids(n int) []string {
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprintf("kol-%d", i))
	}
	return ids
}

// TestWhatTheSchemasAcceptTheParserDoes holds the parser, which stands in for
// validation, against what clients are told.
func TestWhatTheSchemasAcceptTheParserDoes(t *testing.T) {
	whole := `{"gender":"male","ageGroups":["<18","18-24","25-34","35-44",">44"],"provinces":["East","Tibet"],"cities":["tier1","Chengdu"],"interests":["Food"],"devices":["Apple"],"weights":{"gender":0,"devices":3.5}}`
	for _, test := range []struct{ tool, json string }{
		{tools.PortraitToolName, `{"kolId":"a"}`},
		{tools.PortraitToolName, `{"kolId":"a","acceptCache":false,"detail":"summary","language":"zh","targetAudience":` + whole + `}`},
		{tools.ComparisonToolName, `{"kolIds":["a","b"]}`},
		{tools.ComparisonToolName, `{"kolIds":["a","b"],"acceptCache":true,"language":"en","targetAudience":` + whole + `}`},
	} {
		require.NoError(t, compiled(t, test.tool, "inputSchema").Validate(decode(t, test.json)), test.json)
		var err error
		if test.tool == tools.PortraitToolName {
			_, err = newTools(t, nil).ParsePortraitArguments(decode(t, test.json))
		} else {
			_, err = newTools(t, nil).ParseComparisonArguments(decode(t, test.json))
		}
		assert.NoError(t, err, test.json)
	}
}

func decode(t *testing.T, text string) any {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal([]byte(text), &value))
	return value
}

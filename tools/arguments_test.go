package tools_test

import (
	"encoding/json"
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
		{"two ids", `{"kolId":["a","b"]}`, `kolId is ["a","b"], which is neither`},
		{"an object", `{"kolId":{"id":"a"}}`, `kolId is {"id":"a"}, which is neither`},
		{"a number that has lost digits", `{"kolId":12345678901234567890}`, `which is neither`},
		{"the first number that may have lost digits", `{"kolId":9007199254740993}`, `which is neither`},
		{"a boolean", `{"kolId":true}`, `kolId is true, which is neither`},
		{"a placeholder", `{"kolId":"KOL_ID"}`, `kolId is "KOL_ID", which is neither`},
		{"no value in words", `{"kolId":"undefined"}`, `which is neither`},
		{"two profiles", `{"kolId":"https://www.xiaohongshu.com/user/profile/aaa https://www.xiaohongshu.com/user/profile/bbb"}`, `kolId names 2 KOLs: aaa, bbb. Ask for one at a time.`},
		{"what turns the direction of writing", `{"kolId":"\u202egnp.exe"}`, "kolId is \"\ufffdgnp.exe\", which is neither"},
		{"a fraction", `{"kolId":1.5}`, `kolId is 1.5, which is neither`},
		{"the address of a note", `{"kolId":"https://www.xiaohongshu.com/explore/66aabbcc000000001e01abcd"}`, `kolId is the address of a note, "https://www.xiaohongshu.com/explore/66aabbcc000000001e01abcd". Give the address of its author's profile page`},
		{"a profile on another site", `{"kolId":"https://example.com/user/profile/5d21ab6b000000001201567d"}`, `which is neither`},
		{"a site that only ends like it", `{"kolId":"https://notxiaohongshu.com/user/profile/5d21ab6b000000001201567d"}`, `which is neither`},
		{"a short link", `{"kolId":"http://xhslink.com/a/AbCdEf"}`, `kolId is a short link, which only Xiaohongshu can resolve. Open "http://xhslink.com/a/AbCdEf" in a browser`},
		{"a path in the id", `{"kolId":"../../etc/passwd"}`, `which is neither`},
		{"a query in the id", `{"kolId":"abc&token=x"}`, `which is neither`},
		{"a boolean that is none", `{"kolId":"a","acceptCache":"maybe"}`, `acceptCache is "maybe". It takes true or false.`},
		{"a detail that is none", `{"kolId":"a","detail":"some"}`, `detail is "some". It takes full or summary.`},
		{"a language that is none", `{"kolId":"a","language":"fr"}`, `language is "fr". It takes en or zh.`},
		{"an argument that is none", `{"kolId":"a","platform":"xhs"}`, `There is no argument "platform". The arguments are kolId (required), acceptCache, detail and language.`},
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

// FuzzArguments feeds any JSON to the parser: it answers with an
// invalid_argument or with arguments that it would itself accept unchanged.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{
		`{"kolId":"5d21ab6b000000001201567d"}`,
		`{"kol_id":"https://www.xiaohongshu.com/user/profile/5d21ab6b000000001201567d","acceptCache":"false"}`,
		`{"kolId":["a"],"detail":"SUMMARY","language":"zh-CN"}`,
		`"{\"kolId\":\"a\"}"`, `[]`, `null`, `{"kolId":1e300}`, `{"kolId":-0.0}`, `{"id":{"a":[null]}}`,
		`{"kolId":"https://xiaohongshu.com:99999/user/profile/a"}`, `{"kolId":"//xiaohongshu.com/user/profile/%zz"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var value any
		if json.Unmarshal(raw, &value) != nil {
			return
		}
		parser := tools.New(tools.Options{Language: schema.English})
		args, err := parser.ParsePortraitArguments(value)
		if err != nil {
			var failure *schema.Error
			require.ErrorAs(t, err, &failure)
			require.Equal(t, schema.InvalidArgument, failure.Kind)
			require.NotEmpty(t, failure.Message)
			return
		}
		require.Regexp(t, `^[A-Za-z0-9_-]{1,64}$`, args.KOLID)
		again, err := parser.ParsePortraitArguments(map[string]any{
			"kolId": args.KOLID, "acceptCache": args.AcceptCache, "detail": string(args.Detail), "language": string(args.Language),
		})
		require.NoError(t, err)
		require.Equal(t, args, again)
	})
}

func decode(t *testing.T, text string) any {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal([]byte(text), &value))
	return value
}

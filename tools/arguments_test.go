package tools_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

// decode is a call's arguments as mcp-go hands them over.
func decode(t *testing.T, text string) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}

// TestRepairedArguments has what callers send for a portrait, beside the KOL, and
// what they are understood as.
func TestRepairedArguments(t *testing.T) {
	plain := schema.PortraitArguments{KOLID: kolID, AcceptCache: true, Detail: schema.DetailFull, Language: schema.English}
	with := func(change func(*schema.PortraitArguments)) schema.PortraitArguments {
		args := plain
		change(&args)
		return args
	}
	target := func(target schema.TargetAudience) schema.PortraitArguments {
		return with(func(a *schema.PortraitArguments) { a.TargetAudience = &target })
	}
	fresh := with(func(a *schema.PortraitArguments) { a.AcceptCache = false })
	chinese := with(func(a *schema.PortraitArguments) { a.Language = schema.Chinese })
	women := target(schema.TargetAudience{Gender: "female"})
	ages := target(schema.TargetAudience{AgeGroups: []string{"25-34", "35-44"}})
	weighed := target(schema.TargetAudience{Gender: "female", Provinces: []string{"广东"}, Weights: schema.Weights{"gender": 2, "places": 1}})
	for _, test := range []struct {
		name, arguments string
		want            schema.PortraitArguments
	}{
		{"nothing", ``, plain},
		{"C1: what frameworks add", `"toolCallId": "call_0BCI", "sessionId": "s", "action": "sendMessage", "chatInput": "hi", "tool": "x", "email": "a@b"`, plain},
		{"C1: an id of a framework's", `"id": 7`, plain},
		{"C2: empty texts", `"language": "", "detail": "", "acceptCache": "", "targetAudience": "", "label": " "`, plain},
		{"C2: the word null", `"language": "null", "detail": "None", "acceptCache": "undefined"`, plain},
		{"C2: null", `"language": null, "targetAudience": null`, plain},
		{"C2: an empty target audience", `"targetAudience": {}`, plain},
		{"C2: one that is empty inside", `"targetAudience": {"provinces": [""], "weights": [], "soft": [], "gender": null}`, plain},
		{"C2: blanks beside a gender", `"targetAudience": {"gender": "female", "provinces": [""], "cities": [], "weights": {}, "soft": [""]}`, target(schema.TargetAudience{Gender: "female", Weights: schema.Weights{}})},
		{"a boolean as a text", `"acceptCache": "False"`, fresh},
		{"a boolean as a number", `"acceptCache": 0`, fresh},
		{"a list of one", `"acceptCache": [false]`, fresh},
		{"another spelling", `"accept_cache": false`, fresh},
		{"and another", `"Accept-Cache": false`, fresh},
		{"a language with its country", `"lang": "zh_CN"`, chinese},
		{"a language by its name", `"language": "中文"`, chinese},
		{"capitals", `"detail": "SUMMARY"`, with(func(a *schema.PortraitArguments) { a.Detail = schema.DetailSummary })},
		{"a label's invisible characters", "\"label\": \"\u200bLily\\u202e  Wang\\n\"", with(func(a *schema.PortraitArguments) { a.Label = "Lily Wang" })},
		{"JSON in a text", `"targetAudience": "{\"gender\": \"female\"}"`, women},
		{"one value for a list", `"targetAudience": {"ageGroups": "25-34"}`, target(schema.TargetAudience{AgeGroups: []string{"25-34"}})},
		{"a list as a text", `"targetAudience": {"ages": "25-34，35-44"}`, ages},
		{"a list as JSON in a text", `"targetAudience": {"age_groups": "[\"25-34\", \"35-44\"]"}`, ages},
		{"a list for one value", `"target": {"gender": ["female"]}`, women},
		{"one list under two spellings", `"targetAudience": {"provinces": ["广东"], "regions": "华东"}`, target(schema.TargetAudience{Provinces: []string{"广东", "华东"}})},
		{"weights as a text", `"targetAudience": {"gender": "female", "places": "广东", "weights": "gender=2，places=1"}`, weighed},
		{"weights as texts", `"targetAudience": {"gender": "female", "province": "广东", "weights": {"gender": "2", "places": 1}}`, weighed},
		{"C11: a plus, not a must", `"targetAudience": {"gender": "female", "devices": "Apple", "soft": "devices"}`,
			target(schema.TargetAudience{Gender: "female", Devices: []string{"Apple"}, Soft: []string{"devices"}})},
	} {
		t.Run(test.name, func(t *testing.T) {
			arguments := `{"kolId": "` + kolID + `"`
			if test.arguments != "" {
				arguments += ", " + test.arguments
			}
			args, err := newTools(t, shelf{}).ParsePortraitArguments(decode(t, arguments+"}"))
			require.NoError(t, err)
			if args.Target == nil { // a target audience that names nobody
				args.TargetAudience = nil
			}
			assert.Equal(t, test.want, args.PortraitArguments)
			assert.Equal(t, test.want.TargetAudience != nil, args.Target != nil, "the target is understood")
		})
	}
}

func TestArgumentsThatAreRefused(t *testing.T) {
	for _, test := range []struct{ name, arguments, want string }{
		{"not an object", `7`, "The call is \"7\". It takes a JSON object."},
		{"no KOL", `{}`, "kolId is missing."},
		{"a typing error", `{"langauge": "zh"}`, `There is no argument "langauge". Is language meant?`},
		{"another", `{"detial": "summary"}`, `There is no argument "detial". Is detail meant?`},
		{"a dimension in the wrong place", `{"gender": "female"}`, `There is no argument "gender". Give it as targetAudience.gender.`},
		{"by another name", `{"ages": ["25-34"]}`, `There is no argument "ages". Give it as targetAudience.ageGroups.`},
		{"not a dimension", `{"targetAudience": {"gender": "female", "income": "high"}}`,
			`targetAudience takes no "income". It takes gender, ageGroups, provinces, cities, interests, devices, weights, soft.`},
		{"a dimension mistyped", `{"targetAudience": {"intrests": ["Food"]}}`, `There is no argument "intrests". Is targetAudience.interests meant?`},
		{"not a boolean", `{"acceptCache": "perhaps"}`, `acceptCache is "perhaps". It takes true or false.`},
		{"not a detail", `{"detail": "some"}`, `detail is "some". It takes full or summary.`},
		{"not a language", `{"language": "fr"}`, `language is "fr". It takes en or zh.`},
		{"both genders", `{"targetAudience": {"gender": ["female", "male"]}}`, `targetAudience.gender is ["female","male"]. It takes one gender; leave it out for both.`},
		{"a target audience in words", `{"targetAudience": "young women"}`, `targetAudience is "young women". It takes a JSON object.`},
		{"names that are none", `{"targetAudience": {"cities": [{"name": "Suzhou"}]}}`, `targetAudience.cities is [{"name":"Suzhou"}]. It takes a list of strings.`},
		{"a weight that is none", `{"targetAudience": {"gender": "female", "weights": {"gender": "high"}}}`, `targetAudience.weights has "high" for "gender".`},
		{"C13: an interest that is not known", `{"targetAudience": {"interests": ["sunscreen"]}}`, "Skincare"},
		{"C13: tells all of the vendor's", `{"targetAudience": {"interests": ["sunscreen"]}}`, "Food, Daily life, Entertainment, Fashion, Home, Film & TV, Relationships, Travel, Beauty, Social science, " +
			"Education, Mother & baby, Health, Hobbies, Cars, Pets, Career, Fitness, Creative assets, Humanities"},
		{"a label too long", `{"label": "` + strings.Repeat("长", 61) + `"}`, "label has 61 characters. It takes 60 at most."},
		{"several KOLs", `{"kolId": ["` + kolID + `", "` + otherID + `"]}`, "It takes one KOL; for several there is compare_kol_fans_portraits."},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := newTools(t, shelf{}).ParsePortraitArguments(decode(t, test.arguments))
			refused, ok := errors.AsType[*schema.Error](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, schema.InvalidArgument, refused.Kind)
			assert.Contains(t, refused.Message, test.want)
		})
	}
}

func TestTheLanguageIsUnderstoodEvenWhereTheRestIsWrong(t *testing.T) {
	built := newTools(t, shelf{})
	args, err := built.ParsePortraitArguments(decode(t, `{"language": "zh", "kolId": "x", "detial": 1}`))
	require.Error(t, err)
	assert.Equal(t, schema.Chinese, args.Language)
	compared, err := built.ParseComparisonArguments(decode(t, `{"language": "zh", "kolIds": "x"}`))
	require.Error(t, err)
	assert.Equal(t, schema.Chinese, compared.Language)
}

func TestKOLsOfAComparison(t *testing.T) {
	ids := []string{kolID, otherID}
	profile := "https://www.xiaohongshu.com/user/profile/"
	for _, test := range []struct {
		name, arguments string
		labels          []string
		wrong           string
	}{
		{"a list", `{"kolIds": ["` + kolID + `", "` + otherID + `"]}`, nil, ""},
		{"a list as JSON in a text", `{"kolIds": "[\"` + kolID + `\", \"` + otherID + `\"]"}`, nil, ""},
		{"commas", `{"kol_ids": "` + kolID + `，` + otherID + `"}`, nil, ""},
		{"lines", `{"kolIds": "` + kolID + `\n` + otherID + `\r\n"}`, nil, ""},
		{"the other tool's name for it", `{"kolId": ["` + kolID + `", "` + otherID + `"]}`, nil, ""},
		{"addresses", `{"kolIds": ["` + profile + kolID + `?a=b", "` + otherID + `"]}`, nil, ""},
		{"blank ones", `{"kolIds": ["", "` + kolID + `", null, "` + otherID + `"], "labels": ["x", "A", "", "B"]}`, []string{"A", "B"}, ""},
		{"labels, one of them blank", `{"kolIds": ["` + kolID + `", "` + otherID + `"], "labels": ["A", ""]}`, []string{"A", ""}, ""},
		{"no labels", `{"kolIds": ["` + kolID + `", "` + otherID + `"], "labels": ["", ""]}`, nil, ""},
		{"too few labels", `{"kolIds": ["` + kolID + `", "` + otherID + `"], "labels": ["A"]}`, nil, "labels: 1 for 2 kolIds."},
		{"a label too long", `{"kolIds": ["` + kolID + `", "` + otherID + `"], "labels": ["A", "` + strings.Repeat("x", 61) + `"]}`, nil, "labels[1] has 61 characters."},
		{"not a KOL", `{"kolIds": ["` + kolID + `", "lilywang"]}`, nil, `kolIds[1] "lilywang" is a name or a Xiaohongshu number`},
		{"nothing", `{}`, nil, "kolIds is missing."},
	} {
		t.Run(test.name, func(t *testing.T) {
			args, err := newTools(t, shelf{}).ParseComparisonArguments(decode(t, test.arguments))
			if test.wrong != "" {
				require.ErrorContains(t, err, test.wrong)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, ids, args.KOLIDs)
			assert.Equal(t, test.labels, args.Labels)
		})
	}
}

// TestC3TheInputSchemasTakeWhatTheyDescribe holds the schemas' weights, which some
// model vendors refuse as an object without properties.
func TestC3TheInputSchemasTakeWhatTheyDescribe(t *testing.T) {
	_, list := listTools(t)
	for i, arguments := range []map[string]any{
		{"kolIds": []any{kolID, otherID}, "labels": []any{"A", "B"}, "targetAudience": everything(), "acceptCache": false, "language": "zh"},
		{"kolId": kolID, "label": "A", "targetAudience": everything(), "acceptCache": false, "detail": "summary", "language": "zh"},
	} {
		input := compiled(t, list[i].InputSchema)
		require.NoError(t, input.Validate(arguments))
		arguments["targetAudience"].(map[string]any)["weights"] = map[string]any{"provinces": 1.0}
		require.Error(t, input.Validate(arguments), "weights are closed")
		for _, raw := range []json.RawMessage{list[i].InputSchema, list[i].OutputSchema} {
			assert.NotContains(t, string(raw), "$schema")
			assert.NotContains(t, string(raw), "$ref")
		}
	}
}

// TestAnyArguments has made-up ones: whatever they are, they are understood or
// refused, and what is understood fits the schema.
func TestAnyArguments(t *testing.T) {
	_, list := listTools(t)
	input := compiled(t, list[1].InputSchema)
	built := newTools(t, nil)
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		text := rapid.SampledFrom([]string{"", "null", kolID, "female", "25-34", "广东", "tier1", "true", "zh", "full", "gender=2", "[", "{}", "[\"Apple\"]", "x\u200b", "1"})
		options := []*rapid.Generator[any]{
			text.AsAny(), rapid.Bool().AsAny(), rapid.Float64Range(-2, 1e20).AsAny(), rapid.Just[any](nil),
		}
		if depth > 0 {
			key := rapid.SampledFrom([]string{"kolId", "kol_id", "label", "targetAudience", "target", "acceptCache", "detail", "language", "gender", "ages", "ageGroups", "places", "cities", "weights", "soft", "x"})
			options = append(options,
				rapid.SliceOfN(value(depth-1), 0, 3).AsAny(),
				rapid.Map(rapid.SliceOfN(value(depth-1), 0, 3), func(items []any) any { return items }),
				rapid.Map(rapid.MapOfN(key, value(depth-1), 0, 5), func(m map[string]any) any { return m }))
		}
		return rapid.OneOf(options...)
	}
	understood := 0
	rapid.Check(t, func(t *rapid.T) {
		raw := map[string]any{"kolId": kolID}
		for _, key := range []string{"targetAudience", "detail", "language", "acceptCache", "label"} {
			if rapid.Bool().Draw(t, key+" given") {
				raw[key] = value(2).Draw(t, key)
			}
		}
		args, err := built.ParsePortraitArguments(raw)
		if err != nil {
			if tools.FailureOf(err, schema.English).Error.Kind != schema.InvalidArgument {
				t.Fatalf("%v", err)
			}
			return
		}
		understood++
		text, err := json.Marshal(args.PortraitArguments)
		if err != nil {
			t.Fatal(err)
		}
		var clean map[string]any
		if err := json.Unmarshal(text, &clean); err != nil {
			t.Fatal(err)
		}
		if target, ok := clean["targetAudience"].(map[string]any); ok {
			delete(target, "gender") // also in other words than the schema's
			delete(target, "weights")
			delete(target, "soft")
		}
		if err := input.Validate(clean); err != nil {
			t.Fatalf("%v: %v", raw, err)
		}
	})
	assert.Positive(t, understood)
}

package tools_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tiktoken-go/tokenizer"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

// guide returns the guide in a language, as a client reads it.
func guide(t *testing.T, language schema.Language) string {
	t.Helper()
	got, err := read(t.Context(), connect(t, speaking(language)), tools.GuideURI)
	require.NoError(t, err)
	return got.Text
}

func TestTheGuideIsReadInEveryRevisionOfTheProtocol(t *testing.T) {
	everywhere(t, newTools(t, shelf{}), func(t *testing.T, c *client.Client) {
		t.Helper()
		got, err := read(t.Context(), c, "kol-portrait://guide")
		require.NoError(t, err)
		assert.Equal(t, "text/markdown", got.MIMEType)
		assert.Equal(t, "kol-portrait://guide", got.URI)
		assert.True(t, strings.HasPrefix(got.Text, "# What the figures mean\n"))
	})
}

func TestTheGuideSpeaksTheServersLanguage(t *testing.T) {
	assert.True(t, strings.HasPrefix(guide(t, schema.English), "# What the figures mean\n"))
	assert.True(t, strings.HasPrefix(guide(t, schema.Chinese), "# 各项数字的含义\n"))
}

// TestTheGuideMayBeCached also has that nothing else that is read may, and that
// clients of older revisions, which do not know such marks, get none.
func TestTheGuideMayBeCached(t *testing.T) {
	for _, test := range []struct{ uri, scope, ttl string }{
		{tools.GuideURI, "public", "3600000"},
		{tools.UsageURI, "private", "0"},
	} {
		var hints struct {
			CacheScope string
			TTLMs      json.Number
		}
		require.NoError(t, json.Unmarshal(ask(t, "resources/read", `"uri":"`+test.uri+`",`), &hints))
		assert.Equal(t, test.scope, hints.CacheScope, test.uri)
		assert.Equal(t, test.ttl, hints.TTLMs.String(), test.uri)
	}
	server := newTools(t, shelf{}).Server("test")
	raw, err := json.Marshal(server.HandleMessage(t.Context(), json.RawMessage(
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"kol-portrait://guide"}}`)))
	require.NoError(t, err)
	assert.Contains(t, string(raw), "What the figures mean")
	assert.NotContains(t, string(raw), `"ttlMs"`)
}

func TestGuideTokens(t *testing.T) {
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	require.NoError(t, err)
	for _, language := range []schema.Language{schema.English, schema.Chinese} {
		tokens, err := codec.Count(guide(t, language))
		require.NoError(t, err)
		t.Logf("%s: %d tokens", language, tokens)
		assert.LessOrEqual(t, tokens, 2000, language)
	}
}

// documented returns the distributions of the vendor's documented response.
func documented(t *testing.T) *schema.Distributions {
	t.Helper()
	raw, err := os.ReadFile("../testdata/documented-response.json")
	require.NoError(t, err)
	var response struct{ Data schema.Distributions }
	require.NoError(t, json.Unmarshal(raw, &response))
	return &response.Data
}

// TestWorkedFiguresOfTheGuide holds every number in the guide's worked lines,
// those that begin with >, against what the analyst makes of the documented
// response, line by line.
func TestWorkedFiguresOfTheGuide(t *testing.T) {
	d := documented(t)
	analyst := audience.New(nil)
	summary := analyst.Summarize(d, schema.English)
	target, err := analyst.Target(&schema.TargetAudience{
		Gender: "female", AgeGroups: []string{"25-34", "35-44"}, Provinces: []string{"Guangdong", "Zhejiang"},
	})
	require.NoError(t, err)
	fit := analyst.Fit(target, d, schema.English)
	guangdong := indexOf(t, analyst, d, &schema.TargetAudience{Provinces: []string{"Guangdong"}})

	share := func(rows []schema.NameShare, name string) float64 {
		i := slices.IndexFunc(rows, func(row schema.NameShare) bool { return row.Name == name })
		require.GreaterOrEqual(t, i, 0, name)
		return rows[i].Percent
	}
	sum := func(rows []schema.NameShare, leftOut ...string) float64 {
		var sum float64
		for _, row := range rows {
			if !slices.Contains(leftOut, row.Name) {
				sum += row.Percent
			}
		}
		return sum
	}
	var devices float64
	for _, row := range d.Devices {
		devices += row.Percent
	}
	ages := map[string]float64{}
	for _, row := range d.Ages {
		ages[row.Group] = row.Percent
	}
	mainland := sum(d.Provinces, "香港", "澳门", "台湾", "海外", "中国")
	matched := []schema.Share{*fit.Gender.MatchedShare, *fit.AgeGroups.MatchedShare, *fit.Provinces.MatchedShare}
	balanced := *d
	balanced.Gender = &schema.GenderShares{Female: new(0.5), Male: new(0.5)}
	alike := analyst.Similarity([]*schema.Distributions{d, &balanced})[1][0]

	count := strconv.Itoa
	percent := func(v float64) string { return fmt.Sprintf("%.1f%%", 100*v) }
	fraction := func(v float64) string { return fmt.Sprintf("%.4f", v) }

	want := [][]string{
		{ // what the lists hold
			count(len(d.Cities)), percent(sum(d.Cities)),
			count(len(d.Interests)), percent(sum(d.Interests)),
			count(len(d.Devices)), percent(devices),
		},
		{ // ages
			"35", "44", percent(float64(summary.Age.CoreShare)),
			"35", "10", "0.5", fraction(ages["<18"] + ages["18-24"] + ages["25-34"]), fraction(ages["35-44"]), fmt.Sprint(*summary.Age.MedianYears),
			percent(float64(*summary.Age.MinorShare)),
		},
		{ // tiers
			fraction(share(d.Provinces, "北京")), fraction(share(d.Provinces, "上海")), fraction(share(d.Cities, "广州")), fraction(share(d.Cities, "深圳")),
			fraction(float64(*summary.Tier1CityShare)), percent(float64(*summary.NewTier1CityShare)),
		},
		{percent(float64(summary.Regions[0].Share)), percent(float64(*summary.OverseasShare))},
		{ // the index of a province
			"31", fraction(mainland), fraction(share(d.Provinces, "广东")), fmt.Sprintf("%.2f%%", 100*share(d.Provinces, "广东")/mainland),
			fmt.Sprintf("%.2f%%", 100*100*share(d.Provinces, "广东")/mainland/float64(guangdong)), fmt.Sprintf("%.1f", guangdong),
		},
		{ // that of a gender
			percent(*d.Gender.Female), percent(100 * *d.Gender.Female / float64(*fit.Gender.TGI)), fmt.Sprintf("%.1f", *fit.Gender.TGI),
		},
		{ // matched shares
			fraction(float64(matched[0])),
			fraction(ages["25-34"]), fraction(ages["35-44"]), fraction(float64(matched[1])),
			fraction(share(d.Provinces, "广东")), fraction(share(d.Provinces, "浙江")), fraction(float64(matched[2])),
		},
		{ // score
			"100", fraction(float64(matched[0])), fraction(float64(matched[1])), fraction(float64(matched[2])), "3", fmt.Sprint(*fit.Score),
		},
		{ // reach
			fraction(float64(matched[0])), fraction(float64(matched[1])), fraction(float64(matched[2])), fraction(float64(*fit.Reach.Independent)),
			"0", fraction(float64(matched[0] + matched[1] + matched[2])), "2", fmt.Sprint(fit.Reach.AtLeast), fraction(float64(fit.Reach.AtMost)),
		},
		{percent(*d.Gender.Female), percent(0.5), fmt.Sprint(*alike)},
	}
	assert.Equal(t, "East", summary.Regions[0].Name)
	assert.Equal(t, "35-44", summary.Age.CoreGroup)

	numbers := regexp.MustCompile(`\d+(?:\.\d+)?%?`)
	for _, language := range []schema.Language{schema.English, schema.Chinese} {
		var got [][]string
		for line := range strings.Lines(guide(t, language)) {
			if strings.HasPrefix(line, "> ") {
				got = append(got, numbers.FindAllString(line, -1))
			}
		}
		require.Len(t, got, len(want), language)
		for i := range want {
			assert.ElementsMatch(t, want[i], got[i], "worked line %d, %s", i+1, language)
		}
	}
}

// indexOf returns the TGI of a target audience of provinces.
func indexOf(t *testing.T, analyst *audience.Analyst, d *schema.Distributions, of *schema.TargetAudience) schema.Index {
	t.Helper()
	target, err := analyst.Target(of)
	require.NoError(t, err)
	fit := analyst.Fit(target, d, schema.English)
	require.NotNil(t, fit.Provinces.TGI)
	return *fit.Provinces.TGI
}

// TestThresholdsOfTheGuide holds those that the guide names against what the
// analyst does on either side of them.
func TestThresholdsOfTheGuide(t *testing.T) {
	analyst := audience.New(nil)
	warnings := func(d *schema.Distributions, asOf string) string {
		return strings.Join(analyst.Warnings(d, asOf, today(), schema.English), " ")
	}
	insights := func(d *schema.Distributions) string {
		return strings.Join(analyst.Summarize(d, schema.English).Insights, " ")
	}
	women := func(share float64) string {
		return insights(&schema.Distributions{Gender: &schema.GenderShares{Female: new(share), Male: new(1 - share)}})
	}
	provinces := func(rows ...schema.NameShare) *schema.Distributions { return &schema.Distributions{Provinces: rows} }
	interests := func(first, second float64) string {
		return insights(&schema.Distributions{Interests: []schema.NameShare{{Name: "美食", Percent: first}, {Name: "旅游", Percent: second}}})
	}
	guangdong := func(share float64) *schema.Distributions { // 8.94% of the population
		return provinces(schema.NameShare{Name: "广东", Percent: share}, schema.NameShare{Name: "北京", Percent: 1 - share})
	}
	tibet := func(share float64) *schema.Distributions { // 0.26% of the population
		return provinces(schema.NameShare{Name: "西藏", Percent: share}, schema.NameShare{Name: "河南", Percent: 1 - share})
	}
	change := func(moved float64) *schema.Change {
		now, before := &schema.Distributions{}, &schema.Distributions{}
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			before.Interests = append(before.Interests, schema.NameShare{Name: name, Percent: 0.1})
			now.Interests = append(now.Interests, schema.NameShare{Name: name, Percent: 0.1 + moved})
		}
		return analyst.Change(now, before, "2026-11-01", schema.English)
	}
	for _, test := range []struct {
		en, zh       string
		above, below string // what the analyst says on either side
		words        string // which one has and the other has not
	}{
		{"above 55%", "超过 55%", women(0.551), women(0.55), "Leans female"},
		{`"skews" from 60%`, "60% 起“偏多”", women(0.6), women(0.599), "Skews female"},
		{`"strongly" from 75%`, "75% 起“明显偏多”", women(0.75), women(0.749), "Skews strongly female"},
		{
			`"concentrated" from 25%`, "25% 起称“地域集中”",
			insights(provinces(schema.NameShare{Name: "广东", Percent: 0.25})), insights(provinces(schema.NameShare{Name: "广东", Percent: 0.249})), "Concentrated",
		},
		{"from 15% if it is 1.5 times the next", "15% 起且达到第二位的 1.5 倍", interests(0.15, 0.1), interests(0.149, 0.09), "Main interest"},
		{"from 15% if it is 1.5 times the next", "15% 起且达到第二位的 1.5 倍", interests(0.15, 0.1), interests(0.15, 0.101), "Main interest"},
		{"from 120 up", "TGI 达到 120", insights(guangdong(0.1074)), insights(guangdong(0.1071)), "Guangdong 120"},
		{"from 80 down", "低至 80", insights(guangdong(0.0714)), insights(guangdong(0.0717)), "Guangdong 80"},
		{"for shares of at least 1%", "占比至少 1% 的项", insights(tibet(0.01)), insights(tibet(0.0099)), "Tibet 38"},
		{"more than 30 days old", "超过 30 天", warnings(nil, "2026-10-23"), warnings(nil, "2026-10-24"), "days old"},
		{
			"more than 2 points off 100%", "偏离 100% 超过 2 个百分点",
			warnings(provinces(schema.NameShare{Name: "广东", Percent: 0.979}), ""), warnings(provinces(schema.NameShare{Name: "广东", Percent: 0.98}), ""), "sum to",
		},
		{
			"above 102%", "超过 102%",
			warnings(&schema.Distributions{Cities: []schema.NameShare{{Name: "广州", Percent: 1.021}}}, ""),
			warnings(&schema.Distributions{Cities: []schema.NameShare{{Name: "广州", Percent: 1.02}}}, ""), "sum to",
		},
		{
			"5% or more of the followers in China", "5% 及以上的国内粉丝",
			warnings(provinces(schema.NameShare{Name: "中国", Percent: 0.05}), ""), warnings(provinces(schema.NameShare{Name: "中国", Percent: 0.049}), ""), "is not known",
		},
		{"at least 1 percentage point", "至少 1 个百分点", strconv.Itoa(len(change(0.01).Interests)), strconv.Itoa(len(change(0.0099).Interests)), "5"},
		{"at most 5 a dimension", "最多 5 项", strconv.Itoa(len(change(0.02).Interests)), "6", "5"},
	} {
		t.Run(test.en, func(t *testing.T) {
			assert.Contains(t, guide(t, schema.English), test.en)
			assert.Contains(t, guide(t, schema.Chinese), test.zh)
			assert.Contains(t, test.above, test.words)
			assert.NotContains(t, strings.ReplaceAll(test.below, "The day of the data is not known.", ""), test.words)
		})
	}
}

// TestReachLeavesTheRoomThatTheGuideNames has a city that is not listed beside
// one that is.
func TestReachLeavesTheRoomThatTheGuideNames(t *testing.T) {
	d := documented(t)
	analyst := audience.New(nil)
	target, err := analyst.Target(&schema.TargetAudience{Cities: []string{"Guangzhou", "Hangzhou"}})
	require.NoError(t, err)
	fit := analyst.Fit(target, d, schema.English)
	assert.Equal(t, []string{"Hangzhou"}, fit.Cities.NotListed)

	smallest := slices.MinFunc(d.Cities, func(a, b schema.NameShare) int { return cmp.Compare(a.Percent, b.Percent) })
	assert.InDelta(t, float64(*fit.Cities.MatchedShare)+smallest.Percent, float64(fit.Reach.AtMost), 1e-9)
}

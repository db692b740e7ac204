package tools_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
	"kol-portrait-mcp/upstream"
)

// guide returns the guide in a language, as a client reads it.
func guide(t *testing.T, language schema.Language) string {
	t.Helper()
	got, err := read(t.Context(), connect(t, speaking(language)), tools.GuideURI)
	require.NoError(t, err)
	assert.Equal(t, "text/markdown", got.MIMEType)
	return got.Text
}

func TestTheGuideSpeaksTheServersLanguageAndIsNotTooLong(t *testing.T) {
	for language, title := range map[schema.Language]string{schema.English: "# What the figures mean\n", schema.Chinese: "# 各项数字的含义\n"} {
		text := guide(t, language)
		assert.True(t, strings.HasPrefix(text, title))
		figures, names, found := strings.Cut(text, map[schema.Language]string{schema.English: "\n## Names\n", schema.Chinese: "\n## 名称\n"}[language])
		require.True(t, found)
		t.Logf("%s: figures %d tokens, names %d", language, tokens(t, figures), tokens(t, names))
		assert.LessOrEqual(t, tokens(t, figures), 2200)
	}
}

// TestTheGuideListsEveryAcceptedName has each name that it lists understood, too.
func TestTheGuideListsEveryAcceptedName(t *testing.T) {
	for _, language := range []schema.Language{schema.English, schema.Chinese} {
		text := guide(t, language)
		for _, of := range schema.Dimensions {
			if of == schema.DimensionAgeGroups {
				continue
			}
			for _, name := range audience.Names(of, language) {
				require.Contains(t, text, name)
				target := map[string]any{string(of): []any{name}}
				_, err := speaking(language).ParsePortraitArguments(map[string]any{"kolId": kolID, "targetAudience": target})
				require.NoError(t, err)
			}
		}
		for _, area := range audience.Names(schema.DimensionPlaces, language) {
			assert.Contains(t, text, area)
		}
	}
	assert.Contains(t, guide(t, schema.Chinese), "长三角（上海、江苏、浙江、安徽）")
}

// TestWorkedFiguresOfTheGuide holds every number in the guide's worked lines,
// those that begin with >, against what the audience package makes of the documented
// response.
func TestWorkedFiguresOfTheGuide(t *testing.T) {
	raw, err := os.ReadFile("../testdata/documented-response.json")
	require.NoError(t, err)
	var response struct{ Data json.RawMessage }
	require.NoError(t, json.Unmarshal(raw, &response))
	d := new(upstream.Read(response.Data).Distributions)
	analyst := audience.New(nil)
	x := analyst.Audience(d)
	summary := x.Summary(schema.English)
	target, err := analyst.Target(&schema.TargetAudience{
		Gender: "female", AgeGroups: []string{"25-34", "35-44"}, Provinces: []string{"Guangdong", "Zhejiang"},
	})
	require.NoError(t, err)
	fit := x.Fit(target, schema.English)
	even := schema.Distributions{Rows: map[schema.Dimension][]schema.Row{}}
	for of, rows := range d.Rows {
		even.Rows[of] = rows
	}
	even.Rows[schema.DimensionGender] = []schema.Row{{Name: schema.Female, Share: 0.5}, {Name: schema.Male, Share: 0.5}}
	alike := audience.Rank([]*audience.Compared{
		x.Compared("a", "", "", nil, schema.English), analyst.Audience(&even).Compared("b", "", "", nil, schema.English),
	}, false)[1][0]

	row := func(of schema.Dimension, name string) (share float64) {
		for _, r := range d.Rows[of] {
			if r.Name == name {
				share = r.Share
			}
		}
		require.Positive(t, share, name)
		return share
	}
	mainland := x.List(schema.DimensionProvinces).Sum
	for _, other := range []string{"香港", "澳门", "台湾", "海外", "中国"} {
		mainland -= row(schema.DimensionProvinces, other)
	}
	percent := func(v float64) string { return fmt.Sprintf("%.1f%%", 100*v) }
	fraction := func(v float64) string { return fmt.Sprintf("%.4f", v) }
	tgi := func(v *schema.Index) string { return fmt.Sprintf("%.1f", float64(*v)) }
	list := func(of schema.Dimension) []string {
		return []string{strconv.Itoa(len(d.Rows[of])), percent(x.List(of).Sum)}
	}
	provinces, cities, ages := schema.DimensionProvinces, schema.DimensionCities, schema.DimensionAgeGroups
	guangdong, women := row(provinces, "广东"), row(schema.DimensionGender, "female")
	assert.Equal(t, "Guangdong", summary.TopProvinces[0].Name)
	index := summary.TopProvinces[0].TGI
	matched := []string{fraction(float64(*fit.Gender.MatchedShare)), fraction(float64(*fit.AgeGroups.MatchedShare)), fraction(float64(*fit.Places.MatchedShare))}
	sum := float64(*fit.Gender.MatchedShare + *fit.AgeGroups.MatchedShare + *fit.Places.MatchedShare)

	want := [][]string{
		append(append(list(cities), list(schema.DimensionInterests)...), list(schema.DimensionDevices)...),
		{
			"35", "44", percent(float64(summary.Age.CoreShare)),
			"35", "10", "0.5", fraction(row(ages, "<18") + row(ages, "18-24") + row(ages, "25-34")), fraction(row(ages, "35-44")), fmt.Sprintf("%.1f", *summary.Age.MedianYears),
			percent(float64(*summary.Age.MinorShare)),
		},
		{
			fraction(row(provinces, "北京")), fraction(row(provinces, "上海")), fraction(row(cities, "广州")), fraction(row(cities, "深圳")),
			fraction(float64(*summary.Tier1CityShare)), percent(float64(*summary.NewTier1CityShare)),
		},
		{percent(float64(summary.Regions[0].Share)), percent(float64(*summary.OverseasShare))},
		{
			"31", fraction(guangdong), fraction(mainland), fmt.Sprintf("%.2f%%", 100*guangdong/mainland),
			fmt.Sprintf("%.2f%%", 100*100*guangdong/mainland/float64(*index)), tgi(index),
		},
		{percent(women), percent(100 * women / float64(*summary.Gender.TGI)), tgi(summary.Gender.TGI)},
		{matched[0], fraction(row(ages, "25-34")), fraction(row(ages, "35-44")), matched[1], fraction(guangdong), fraction(row(provinces, "浙江")), matched[2]},
		{"100", matched[0], matched[1], matched[2], "1", "3", fmt.Sprintf("%.2f", *fit.Score)},
		{
			matched[0], matched[1], matched[2], fraction(float64(*fit.TargetShare.Estimate)),
			"0", fraction(sum), "2", fmt.Sprint(float64(fit.TargetShare.AtLeast)), fraction(float64(fit.TargetShare.AtMost)),
		},
		{percent(women), percent(0.5), fmt.Sprintf("%.2f", *alike)},
	}
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

// TestBothGuidesNameTheSameFigures holds the names of fields in one against the other.
func TestBothGuidesNameTheSameFigures(t *testing.T) {
	identifiers := regexp.MustCompile(`\b[a-z]+[A-Z]\w+|\bscore\b|\brank\b|\bsoft\b|\bestimate\b|\bsimilarity\b|\blabel\b|PORTRAIT_\w+`)
	named := func(language schema.Language) map[string]bool {
		names := map[string]bool{}
		for _, name := range identifiers.FindAllString(guide(t, language), -1) {
			names[name] = true
		}
		return names
	}
	assert.Equal(t, named(schema.English), named(schema.Chinese))
}

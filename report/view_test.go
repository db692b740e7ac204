package report_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/report"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream/sample"
)

// sent is a portrait with what a page must tell apart: women after men, a row that
// nothing is known by, cities that hold more than everybody, and no interests.
const sent = `{"dateKey":"2026-11-01","gender":{"male":0.3,"female":0.7},
	"ages":[{"group":"25-34","percent":0.6},{"group":"18-24","percent":0.2},{"group":"<18","percent":0.1},{"group":"35-44","percent":0.1},{"group":">44","percent":0}],
	"provinces":[{"name":"浙江","percent":0.3},{"name":"广东","percent":0.45},{"name":"上海","percent":0.15},{"name":"海外","percent":0.1}],
	"cities":[{"name":"广州","percent":0.6},{"name":"杭州","percent":0.3},{"name":"上海","percent":0.2}],
	"devices":[{"name":"apple inc.","desc":"苹果","percent":0.6},{"name":"phone \u202e9","desc":"手机 9","percent":0.1}]}`

func viewJSON(t *testing.T, view any) string {
	t.Helper()
	raw, err := json.MarshalIndent(view, "", " ")
	require.NoError(t, err)
	return string(raw) + "\n"
}

func TestPortraitView(t *testing.T) {
	c := read("a", sent)
	older := read("a", `{"gender":{"male":0.4,"female":0.6},"devices":[{"name":"apple inc.","percent":0.2},{"name":"xiaomi","percent":0.05}]}`)
	analyst := audience.New(nil)
	asked := target(t, &schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-44"}, Provinces: []string{"Guangdong"}, Cities: []string{"Shanghai"}, Soft: []string{"ageGroups"}})
	p := report.NewPortrait(c, analyst.Audience(&c.Distributions), analyst.Audience(&older.Distributions), "2026-10-01", asked,
		schema.PortraitArguments{Language: schema.Chinese, Detail: schema.DetailSummary}, now)
	golden(t, "view.portrait.json", viewJSON(t, p.View(nil)))

	c = collect(t, sample.DocumentedID)
	c.OnlyHere = true
	view := portraitOf(t, c, schema.PortraitArguments{Language: schema.English}).View(nil)
	var figures struct {
		Rows     map[schema.Dimension][]any
		Baseline map[schema.Dimension]string
		Overfull []string
	}
	require.NoError(t, json.Unmarshal(view.Figures, &figures))
	for _, of := range schema.Dimensions {
		assert.Len(t, figures.Rows[of], len(c.Distributions.Rows[of]), of)
	}
	assert.Equal(t, map[schema.Dimension]string{schema.DimensionGender: "platform", schema.DimensionProvinces: "census"}, figures.Baseline)
	assert.Nil(t, figures.Overfull)
	short := report.ViewWarnings{EN: []string{"The data is 260 days old."}, ZH: []string{"数据已有 260 天。"}}
	assert.Equal(t, short, view.Warnings, "nothing of the sample, of calls and of settings")
}

func TestComparisonView(t *testing.T) {
	asked := target(t, &schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-44"}, Provinces: []string{"Guangdong"}})
	var kols []*audience.Compared
	for id, data := range map[string]string{"whole": sent, "part": `{"provinces":[{"name":"广东","percent":0.2}],"gender":{"female":0.51239}}`} {
		c := read(id, data)
		kols = append(kols, audience.New(nil).Audience(&c.Distributions).Compared(id, "", "", asked, schema.English))
	}
	similarity := audience.Rank(kols, true)
	c := report.NewComparison(kols, similarity, nil, schema.ComparisonSource{}, asked, 0, false, schema.English, now)
	golden(t, "view.comparison.json", viewJSON(t, c.View()))

	view := compare(t, twenty(), nil, nil, nil, schema.English).View()
	assert.Equal(t, report.ViewWarnings{
		EN: []string{"Data over 30 days old: 16 of 20 KOLs.", "The days of the data lie up to 50 days apart."},
		ZH: []string{"数据日期距今超过 30 天：20 位达人中的 16 位。", "数据日期最多相差 50 天，跨期比较需谨慎。"},
	}, view.Warnings)
	twenty := viewJSON(t, view)
	var compact json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(twenty), &compact))
	compact, err := json.Marshal(compact)
	require.NoError(t, err)
	assert.Less(t, len(compact), 12_000)
}

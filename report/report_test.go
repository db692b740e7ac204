package report_test

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tiktoken-go/tokenizer"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/report"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream/sample"
)

func TestTokens(t *testing.T) {
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	require.NoError(t, err)
	within := func(most int, text string) {
		t.Helper()
		n, err := codec.Count(text)
		require.NoError(t, err)
		assert.LessOrEqual(t, n, most)
	}
	documented := collect(t, sample.DocumentedID)
	within(1000, portraitOf(t, documented, schema.PortraitArguments{Language: schema.English}).Text())
	within(400, portraitOf(t, documented, schema.PortraitArguments{Language: schema.English, Detail: schema.DetailSummary}).Text())

	var random []string // ids with about as many tokens as 24 hex digits can have
	for i := range 20 {
		random = append(random, fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, i)))[:24])
	}
	for _, asked := range []*schema.TargetAudience{
		womenOfTheSouthEast,
		{Gender: "female", AgeGroups: []string{"18-44"}, Devices: []string{"Apple", "Huawei"}},
		{Gender: "female", Cities: []string{"Hangzhou", "tier1"}, Interests: []string{"Skincare"}},
	} {
		within(2000, compare(t, twenty(), nil, asked, nil, schema.English).Text())
		within(2000, compare(t, random, nil, asked, nil, schema.English).Text())
	}
}

// Every KOL has a figure or n/a under each heading, however many there are.
func TestEveryFieldOfEveryKOLIsInTheText(t *testing.T) {
	for _, n := range []int{2, 20} {
		text := compare(t, twenty()[:n], nil, womenOfTheSouthEast, nil, schema.English).Text()
		rows := regexp.MustCompile(`(?m)^(?:#|\d+)\|.*$`).FindAllString(text, -1)
		require.Len(t, rows, n+1)
		for _, row := range rows {
			assert.Equal(t, strings.Count(rows[0], "|"), strings.Count(row, "|"), row)
			assert.NotContains(t, row, "||")
		}
		for _, head := range []string{"Score", "Gender=Women", "Age", "Places", "Target share", "Core age", "Median age", "<18",
			"Top provinces", "Top interests", "Tier 1", "Overseas", "Apple", "Similar", "Date"} {
			assert.Contains(t, strings.Split(rows[0], "|"), head)
		}
	}
}

func TestNoInsightRepeatsTheHeadlineOrAnother(t *testing.T) {
	figure := regexp.MustCompile(`\d+\.\d%`)
	for _, id := range append(twenty(), sample.DocumentedID, "sample-sparse", "sample-old") {
		for _, lang := range languages {
			s := portraitOf(t, collect(t, id), schema.PortraitArguments{Language: lang}).Summary
			told := figure.FindAllString(s.Headline, -1)
			for _, insight := range s.Insights {
				assert.Regexp(t, `\d`, insight)
				for _, f := range figure.FindAllString(insight, -1) {
					assert.NotContains(t, told, f, "%s: %s | %v", id, s.Headline, s.Insights)
					told = append(told, f)
				}
			}
		}
	}
}

func TestWarningsOfAPortrait(t *testing.T) {
	c := collect(t, sample.DocumentedID)
	c.Sample, c.AsOf = false, "2026-10-24" // 30 days ago
	assert.Equal(t, []string{}, portraitOf(t, c, schema.PortraitArguments{}).Warnings)

	c.AsOf, c.Sample, c.OnlyHere = "2026-10-23", true, true
	warnings := portraitOf(t, c, schema.PortraitArguments{}).Warnings
	require.Len(t, warnings, 3)
	assert.Contains(t, warnings[0], "simulated")
	assert.Contains(t, warnings[1], "31 days ago")
	assert.Contains(t, warnings[2], "PORTRAIT_STORE")
}

func TestOwnBaselineIsNamed(t *testing.T) {
	c := collect(t, sample.DocumentedID)
	own, err := audience.NewBaseline(&c.Distributions)
	require.NoError(t, err)
	text := report.NewPortrait(c, audience.New(own).Audience(&c.Distributions), nil, "", nil, schema.PortraitArguments{Language: schema.English}, now).Text()
	assert.Contains(t, text, "TGI of women against your own baseline: 100.")
	assert.Contains(t, text, "Age % (TGI against your own baseline): <18 2.0 (100)")
	assert.NotContains(t, text, "census")
}

func TestWarningsOfAComparison(t *testing.T) {
	c := collect(t, sample.DocumentedID)
	c.AsOf = "2026-11-20"
	kol := func(id string) *audience.Compared {
		return audience.New(nil).Audience(&c.Distributions).Compared(id, "", c.AsOf, target(t, womenOfTheSouthEast), schema.English)
	}
	kols := []*audience.Compared{kol("a"), kol("b")}
	similarity := audience.Rank(kols, true)
	warnings := func(merged int, onlyHere bool) []string {
		return report.NewComparison(kols, similarity, nil, schema.ComparisonSource{}, target(t, womenOfTheSouthEast), merged, onlyHere, schema.English, now).Warnings
	}
	assert.Equal(t, []string{"Ranks 1 and 2 score within 3% of one another: as good as equal."}, warnings(0, false))
	assert.Equal(t, "1 duplicate merged.", warnings(1, false)[1])
	assert.Contains(t, warnings(2, true)[2], "PORTRAIT_STORE")

	kols, similarity = kols[:1], nil
	assert.Equal(t, []string{}, warnings(0, false))
}

// The data half stands alone: it is what the schema says, without the text's needs.
func TestDataHalf(t *testing.T) {
	args := schema.PortraitArguments{Language: schema.English, TargetAudience: womenOfTheSouthEast, Label: " Lily\n", Detail: schema.DetailSummary}
	p := portraitOf(t, collect(t, sample.DocumentedID), args)
	assert.Equal(t, "Lily", p.Label)
	assert.Nil(t, p.Distributions)
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	want, err := json.Marshal(p.PortraitResult)
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(raw))

	c := compare(t, shortlist, nil, womenOfTheSouthEast, nil, schema.English)
	raw, err = json.Marshal(c)
	require.NoError(t, err)
	want, err = json.Marshal(c.Comparison)
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(raw))
}

// Excel reads the UTF-8 of a file that begins with a byte order mark, and a program
// reads one table with as many cells in each row.
func TestCSVIsOneTable(t *testing.T) {
	c := compare(t, append([]string{"sample-sparse", "sample-unknown-names"}, twenty()...), nil,
		&schema.TargetAudience{Cities: []string{"Hangzhou"}, Interests: []string{"Food"}}, nil, schema.Chinese)
	withSheet(c)
	var b strings.Builder
	require.NoError(t, c.CSV(&b))
	text, marked := strings.CutPrefix(b.String(), "\ufeff")
	assert.True(t, marked)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 23)
	for _, row := range rows {
		assert.Len(t, row, len(rows[0]))
	}
}

func TestWritersTellOfAFullDisk(t *testing.T) {
	c := compare(t, shortlist, nil, nil, nil, schema.English)
	x := audience.New(nil).Audience(&collect(t, sample.DocumentedID).Distributions)
	assert.ErrorContains(t, c.CSV(full{}), "no space")
	assert.ErrorContains(t, c.Lines(full{}), "no space")
	assert.ErrorContains(t, report.LongHeader(full{}), "no space")
	assert.ErrorContains(t, report.Long(full{}, "a", "", "", x, true, schema.English), "no space")
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("no space left on device") }

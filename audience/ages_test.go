package audience_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

func TestMedianAge(t *testing.T) {
	d, _ := documented(t)
	for _, tt := range []struct {
		name string
		ages []schema.AgeShare
		want float64 // 0 where it is not known
	}{
		{"documented: 35 + 10 x (0.5 - 0.3296) / 0.5362", d.Ages, 38.2},
		{"in the middle of a group", agesOf(0, 0, 1, 0, 0), 30},
		{"18-24 spans seven years", agesOf(0, 1, 0, 0, 0), 21.5},
		{"at the edge of two groups", agesOf(0, 0, 0.5, 0.5, 0), 35},
		{"of those that are listed, where the sum is 0.8", agesOf(0, 0.1, 0.6, 0.1, 0), 30},
		{"in the group without a beginning", agesOf(0.6, 0.4, 0, 0, 0), 0},
		{"in the group without an end", agesOf(0, 0, 0, 0.4, 0.6), 0},
		{"a group has no row", agesOf(0.1, 0.2, 0.5, 0.2), 0},
		{"a group is unknown", append(agesOf(0, 0, 1, 0, 0), schema.AgeShare{Group: "45-54"}), 0},
		{"only an unknown group", []schema.AgeShare{{Group: "25-30", Percent: 1}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := audience.New(nil).Summarize(&schema.Distributions{Ages: tt.ages}, schema.English)
			require.NotNil(t, s.Age)
			if tt.want == 0 {
				assert.Nil(t, s.Age.MedianYears)
				return
			}
			require.NotNil(t, s.Age.MedianYears)
			assert.InDelta(t, tt.want, *s.Age.MedianYears, 1e-9)
		})
	}
}

func TestCoreAgeGroup(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ages  []schema.AgeShare
		group string // empty where there is none
		share float64
	}{
		{"the largest", agesOf(0.1, 0.2, 0.4, 0.2, 0.1), "25-34", 0.4},
		{"the younger of equals", agesOf(0, 0.4, 0.4, 0.2, 0), "18-24", 0.4},
		{"the younger of equals, whatever the order", []schema.AgeShare{{Group: "35-44", Percent: 0.5}, {Group: "25-34", Percent: 0.5}}, "25-34", 0.5},
		{"an unknown group, if it is the largest", append(agesOf(0, 0.3), schema.AgeShare{Group: "45-54", Percent: 0.7}), "45-54", 0.7},
		{"a known group before an equal unknown one", []schema.AgeShare{{Group: "45-54", Percent: 0.5}, {Group: "25-34", Percent: 0.5}}, "25-34", 0.5},
		{"none without rows", nil, "", 0},
		{"none where nobody is in any", agesOf(0, 0, 0, 0, 0), "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := audience.New(nil).Summarize(&schema.Distributions{Ages: tt.ages}, schema.English)
			if tt.group == "" {
				assert.Nil(t, s.Age)
				return
			}
			require.NotNil(t, s.Age)
			assert.Equal(t, tt.group, s.Age.CoreGroup)
			assert.InDelta(t, tt.share, float64(s.Age.CoreShare), 1e-9)
		})
	}
}

func TestMinorShareIsAbsentWithoutItsRow(t *testing.T) {
	withZero := audience.New(nil).Summarize(&schema.Distributions{Ages: agesOf(0, 1, 0, 0, 0)}, schema.English)
	require.NotNil(t, withZero.Age.MinorShare)
	assert.Zero(t, *withZero.Age.MinorShare)

	without := audience.New(nil).Summarize(&schema.Distributions{Ages: agesOf(0, 1, 0, 0, 0)[1:]}, schema.English)
	assert.Nil(t, without.Age.MinorShare)
	assert.NotContains(t, without.Insights, "Under 18: 0.0%.")
}

func TestShortestRunOfAges(t *testing.T) {
	for _, tt := range []struct {
		name   string
		ages   []schema.AgeShare
		en, zh string // empty where there is no such sentence
	}{
		{"two neighbours", agesOf(0.02, 0.03, 0.27, 0.54, 0.14), "81.0% are 25-44.", "25-44 岁占 81.0%。"},
		{"exactly four in five", agesOf(0.1, 0.1, 0.1, 0.7, 0), "80.0% are 25-44.", "25-44 岁占 80.0%。"},
		{"the larger of two that reach it", agesOf(0, 0.19, 0.61, 0.2, 0), "81.0% are 25-44.", "25-44 岁占 81.0%。"},
		{"the younger of equals", agesOf(0, 0.2, 0.6, 0.2, 0), "80.0% are 18-34.", "18-34 岁占 80.0%。"},
		{"open below", agesOf(0.5, 0.4, 0.1, 0, 0), "90.0% are under 25.", "25 岁以下占 90.0%。"},
		{"open above", agesOf(0, 0, 0.1, 0.4, 0.5), "90.0% are 35 and over.", "35 岁及以上占 90.0%。"},
		{"four of five, where ages are spread", agesOf(0.1, 0.2, 0.2, 0.2, 0.3), "90.0% are 18 and over.", "18 岁及以上占 90.0%。"},
		{"a single group is in the headline", agesOf(0, 0.1, 0.85, 0.05, 0), "", ""},
		{"all groups together say nothing", agesOf(0.25, 0.1, 0.2, 0.2, 0.25), "", ""},
		{"not where ages hold more than everybody", agesOf(0.1, 0.1, 0.2, 0.9, 0.1), "", ""},
		{"not with a group missing", agesOf(0.02, 0.03, 0.27, 0.54), "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &schema.Distributions{Ages: tt.ages}
			en := audience.New(nil).Summarize(d, schema.English).Insights
			zh := audience.New(nil).Summarize(d, schema.Chinese).Insights
			if tt.en == "" {
				assert.NotContains(t, strings.Join(en, " "), " are ")
				return
			}
			assert.Equal(t, tt.en, en[0])
			assert.Equal(t, tt.zh, zh[0])
		})
	}
}

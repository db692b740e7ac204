package audience_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

func TestComparedHasAllThatIsKnown(t *testing.T) {
	asked := target(t, schema.TargetAudience{Gender: "female", Interests: []string{"Food"}, Cities: []string{"Hangzhou", "Shenzhen"}})
	c := analyst.Audience(documented(t)).Compared("a", "Lily", "2026-03-08", asked, schema.Chinese).Portrait
	assert.Equal(t, "a Lily 2026-03-08", c.KOLID+" "+c.Label+" "+c.AsOf)
	assert.Equal(t, "0.671 35-44 0.536 38.2 0.020", strings.Join([]string{
		told(c.Female, 3), c.CoreAgeGroup, told(c.CoreAgeShare, 3), told(c.MedianYears, 1), told(c.MinorShare, 3)}, " "))
	assert.Equal(t, []string{"广东", "江苏", "山东"}, c.TopProvinces)
	assert.Equal(t, []string{"美食", "生活记录", "娱乐"}, c.TopInterests)
	assert.Equal(t, "0.140 0.061 0.434", told(c.Tier1CityShare, 3)+" "+told(c.OverseasShare, 3)+" "+told(c.AppleShare, 3))
	assert.Equal(t, []string{"杭州"}, c.Fit.NotListed)
	require.Len(t, c.Fit.Matched, 3)
	assert.InDelta(t, 0.0290466, float64(c.Fit.Matched[places]), 1e-6)
	assert.Equal(t, "11.80 13.79", told(c.Fit.Score, 2)+" "+told(c.Fit.ScoreAtMost, 2))
	assert.Equal(t, "0.0195 0.0000 0.0464", told(c.Fit.TargetShare.Estimate, 4)+" "+told(&c.Fit.TargetShare.AtLeast, 4)+" "+told(&c.Fit.TargetShare.AtMost, 4))

	empty := lists{}.audience().Compared("a", "", "", nil, schema.English)
	assert.Equal(t, schema.ComparedPortrait{KOLID: "a"}, empty.Portrait)
	assert.Equal(t, schema.Dimensions[:], empty.Missing)
	assert.Nil(t, lists{devices: "huawei 60"}.audience().Compared("a", "", "", nil, schema.English).Portrait.AppleShare, "a list that is cut off")
}

func TestWhatAComparisonWarnsOf(t *testing.T) {
	c := lists{gender: "female 60, male 30", ages: "18-24 97, 25-34 1", provinces: "广东 80, 某省 19", interests: "美食 60, 美妆 60", cities: "深圳 1", devices: "apple inc. 0"}.
		audience().Compared("a", "", "", nil, schema.English)
	assert.Equal(t, []schema.Dimension{gender}, c.Short)
	assert.Equal(t, []schema.Dimension{provinces}, c.Unknown)
	assert.Equal(t, []schema.Dimension{interests}, c.Overfull)
	assert.Equal(t, []schema.Dimension{devices}, c.Missing)
}

// kol is one of a comparison, with the share of women and of interest in food;
// "?" is a share that is not known.
func kol(t testing.TB, id, women, food string) *audience.Compared {
	l := lists{}
	if women != "?" {
		l[gender] = "male 1, female " + women
	}
	if food != "" {
		l[interests] = "影视 4"
		if food != "?" {
			l[interests] += ", 美食 " + food
		}
	}
	asked := target(t, schema.TargetAudience{Gender: "female", Interests: []string{"Food"}})
	return l.audience().Compared(id, "", "", asked, schema.English)
}

func ranking(kols []*audience.Compared) string {
	var ranks []string
	for _, c := range kols {
		ranks = append(ranks, fmt.Sprint(c.Portrait.Rank, c.Portrait.KOLID))
	}
	return strings.Join(ranks, ", ")
}

func TestRank(t *testing.T) {
	for _, test := range []struct {
		what string
		kols []*audience.Compared
		want string
	}{
		{"by score", []*audience.Compared{kol(t, "a", "50", "8"), kol(t, "b", "50", "18"), kol(t, "c", "50", "2")}, "1b, 2a, 3c"},
		{"by what is certain first", []*audience.Compared{kol(t, "a", "99", "?"), kol(t, "b", "10", "1")}, "1b, 2a"},
		{"then by the upper bound", []*audience.Compared{kol(t, "a", "20", "?"), kol(t, "b", "40", "?"), kol(t, "c", "0", "8")}, "1b, 2a, 3c"},
		{"then by target share", []*audience.Compared{kol(t, "a", "20", "40"), kol(t, "b", "40", "20")}, "1b, 2a"},
		{"then by id", []*audience.Compared{kol(t, "b", "40", "20"), kol(t, "a", "40", "20")}, "1a, 2b"},
		{"without a score last, without a rank", []*audience.Compared{kol(t, "b", "40", ""), kol(t, "a", "?", "20"), kol(t, "c", "0", "20")}, "1c, 0b, 0a"},
	} {
		t.Run(test.what, func(t *testing.T) {
			audience.Rank(test.kols, true)
			assert.Equal(t, test.want, ranking(test.kols))
		})
	}
	kols := []*audience.Compared{kol(t, "b", "20", "20"), kol(t, "a", "40", "20")}
	audience.Rank(kols, false)
	assert.Equal(t, "0b, 0a", ranking(kols), "not by score: as asked, without ranks")
	assert.Nil(t, audience.Rank(nil, true))
}

func TestTies(t *testing.T) {
	ranked := func(women ...string) []*audience.Compared {
		var kols []*audience.Compared
		for i, share := range women {
			asked := target(t, schema.TargetAudience{Gender: "female"})
			kols = append(kols, lists{gender: "male 1, female " + share}.audience().Compared(fmt.Sprint(i), "", "", asked, schema.English))
		}
		audience.Rank(kols, true)
		return kols
	}
	assert.Equal(t, [][]int{{1, 2, 3, 4}, {5, 6}, {8, 9}}, audience.Ties(ranked("80", "79", "77.6", "77", "50", "49", "10", "0", "0")), "each lies within 3 % of the one before")
	assert.Nil(t, audience.Ties(ranked("80", "70", "60")))
	assert.Nil(t, audience.Ties(ranked("80")))
	assert.Nil(t, audience.Ties(nil))
	assert.Nil(t, audience.Ties([]*audience.Compared{kol(t, "a", "40", ""), kol(t, "b", "40", "")}), "not known is not equal")
}

// similarity of two audiences with the given lists and else the same.
func similarity(a, b lists) string {
	var kols []*audience.Compared
	for id, l := range map[string]lists{"a": a, "b": b} {
		all := lists{gender: "female 60, male 40", ages: "18-24 100", provinces: "广东 100", interests: "美食 50"}
		for of, rows := range l {
			all[of] = rows
		}
		kols = append(kols, all.audience().Compared(id, "", "", nil, schema.English))
	}
	return told(audience.Rank(kols, false)[1][0], 2)
}

func TestSimilarity(t *testing.T) {
	// 1 less a quarter of the Jensen-Shannon distance of the one dimension that differs.
	for _, test := range []struct {
		what string
		a, b lists
		want float64
	}{
		{"equal", lists{}, lists{}, 1},
		{"nothing in common", lists{ages: "18-24 100"}, lists{ages: "25-34 100"}, 0.75},
		{"some", lists{gender: "female 60, male 40"}, lists{gender: "female 20, male 80"}, 1 - distance(t, []float64{.6, .4}, []float64{.2, .8})/4},
		{"what is not listed is one row", lists{interests: "美食 50, 影视 20"}, lists{interests: "美妆 70"}, 1 - distance(t, []float64{.5, .2, 0, .3}, []float64{0, 0, .7, .3})/4},
		{"an unknown row by its name", lists{interests: "甲 70"}, lists{interests: "甲 30"}, 1 - distance(t, []float64{.7, .3}, []float64{.3, .7})/4},
		{"unknown rows of two names", lists{interests: "甲 100"}, lists{interests: "乙 100"}, 0.75},
		{"rounded beyond everybody", lists{interests: "美食 61.2, 影视 40.8"}, lists{interests: "美食 60, 影视 40"}, 1},
		{"the same under another name", lists{provinces: "广东 100"}, lists{provinces: "广东省 100"}, 1},
	} {
		t.Run(test.what, func(t *testing.T) {
			want := fmt.Sprintf("%.2f", test.want)
			assert.Equal(t, want, similarity(test.a, test.b))
			assert.Equal(t, want, similarity(test.b, test.a))
		})
	}
	for _, lacking := range []lists{{gender: "female 0"}, {interests: "美食 60, 影视 60"}} {
		assert.Equal(t, "-", similarity(lacking, lists{}), "one lacks a dimension")
	}
}

// distance is the Jensen-Shannon distance by its definition.
func distance(t *testing.T, p, q []float64) float64 {
	require.Equal(t, len(p), len(q))
	information := func(p, mean float64) float64 {
		if p == 0 {
			return 0
		}
		return p * math.Log2(p/mean)
	}
	var divergence float64
	for i := range p {
		mean := (p[i] + q[i]) / 2
		divergence += (information(p[i], mean) + information(q[i], mean)) / 2
	}
	return math.Sqrt(divergence)
}

func TestMostSimilar(t *testing.T) {
	const even = "female 50, male 50"
	alike := func(id, genders string) *audience.Compared {
		return lists{gender: genders, ages: "18-24 100", provinces: "广东 100", interests: "美食 50"}.audience().Compared(id, "", "", nil, schema.English)
	}
	nearest := func(kols ...*audience.Compared) string {
		audience.Rank(kols, false)
		var ids []string
		for _, c := range kols {
			if c.Portrait.MostSimilar == nil {
				ids = append(ids, "-")
			} else {
				ids = append(ids, c.Portrait.MostSimilar.KOLID)
			}
		}
		return strings.Join(ids, " ")
	}
	assert.Equal(t, "b a b", nearest(alike("a", even), alike("b", "female 60, male 40"), alike("c", "female 90, male 10")))
	assert.Equal(t, "a b a", nearest(alike("c", even), alike("a", even), alike("b", even)), "of equals the first by id")
	assert.Equal(t, "-", nearest(alike("a", even)))
	assert.Equal(t, "- -", nearest(alike("a", even), kol(t, "b", "50", "5")), "not known")

	for _, test := range []struct{ kols, rows int }{{1, 0}, {2, 2}, {6, 6}, {7, 0}, {1001, 0}} {
		kols := make([]*audience.Compared, test.kols)
		for i := range kols {
			kols[i] = alike(fmt.Sprintf("%04d", i), even)
		}
		triangle := audience.Rank(kols, false)
		assert.Len(t, triangle, test.rows)
		for i, row := range triangle {
			assert.Len(t, row, i)
		}
		assert.Equal(t, test.kols > 1 && test.kols <= 1000, kols[0].Portrait.MostSimilar != nil, "%d KOLs", test.kols)
	}
}

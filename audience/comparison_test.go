package audience_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tiktoken-go/tokenizer"
	"pgregory.net/rapid"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// campaign is the target audience whose figures the project pins.
func campaign() schema.TargetAudience {
	return schema.TargetAudience{
		Gender: schema.Female, AgeGroups: []string{"25-34", "35-44"}, Provinces: []string{"广东", "浙江"},
	}
}

func TestComparison(t *testing.T) {
	portraits := madeUp(t, 4)
	portraits[1].Distributions.Interests = nil
	portraits[2].Distributions = schema.Distributions{Cities: portraits[2].Distributions.Cities}
	local := campaign()
	local.Cities, local.Weights = []string{"广州", "拉萨"}, map[schema.Dimension]float64{schema.DimensionCities: 2}
	for name, target := range map[string]*schema.TargetAudience{"": nil, "target-": new(campaign()), "cities-": &local} {
		for _, lang := range []schema.Language{schema.English, schema.Chinese} {
			t.Run(name+string(lang), func(t *testing.T) {
				golden(t, "comparison-"+name+string(lang), compare(t, portraits, target, lang))
			})
		}
	}
}

func compare(t require.TestingT, portraits []*schema.Collected, of *schema.TargetAudience, lang schema.Language) compared {
	analyst := audience.New(nil)
	target, err := analyst.Target(of)
	require.NoError(t, err)
	rows, similarity := analyst.Compare(portraits, target, lang)
	return compared{rows, similarity, analyst.ComparisonWarnings(portraits, documentedDay, lang)}
}

// With a target audience, KOLs are put in the same order with the same figures
// in whatever order they are asked for.
func TestOrderOfKOLsDoesNotMatterToATargetAudience(t *testing.T) {
	portraits := madeUp(t, 12)
	for i, p := range portraits[:3] {
		p.Distributions = portraits[3+i].Distributions // equal scores
	}
	portraits[11].Distributions = schema.Distributions{} // no score
	want := compare(t, portraits, new(campaign()), schema.English)
	rapid.Check(t, func(t *rapid.T) {
		shuffled := rapid.Permutation(slices.Clone(portraits)).Draw(t, "order")
		assert.Equal(t, want, compare(t, shuffled, new(campaign()), schema.English))
	})
}

// TestComparisonTokens holds the figures of twenty KOLs to what a model's
// context can afford, counted as OpenAI's o200k_base does. A comparison adds its
// target, source and warnings, and is to be 4,000 with a target audience of up
// to three dimensions.
func TestComparisonTokens(t *testing.T) {
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	require.NoError(t, err)
	all := campaign()
	all.Cities, all.Interests, all.Devices = []string{"广州", "杭州"}, []string{"美食", "旅游"}, []string{"apple inc."}
	for _, tt := range []struct {
		name   string
		target *schema.TargetAudience
		most   int
	}{
		{"without a target audience", nil, 2700},
		{"gender, ages and provinces", new(campaign()), 3900},
		{"all six dimensions", &all, 3900},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := compare(t, madeUp(t, 20), tt.target, schema.English)
			c.Warnings = nil
			raw, err := json.Marshal(c)
			require.NoError(t, err)
			tokens, err := codec.Count(string(raw))
			require.NoError(t, err)
			t.Logf("%d tokens of %d", tokens, tt.most)
			assert.LessOrEqual(t, tokens, tt.most)
		})
	}
}

// compared is what the analyst knows of a schema.Comparison.
type compared struct {
	Portraits  []schema.ComparedPortrait `json:"portraits"`
	Similarity *schema.Similarity        `json:"similarity"`
	Warnings   []string                  `json:"warnings,omitempty"`
}

func TestWhatAComparisonDoesNotKnowIsAbsent(t *testing.T) {
	rows, similarity := audience.New(nil).Compare([]*schema.Collected{{Portrait: schema.Portrait{KOLID: "a"}}}, nil, schema.English)
	got, err := json.Marshal(rows)
	require.NoError(t, err)
	assert.JSONEq(t, `[{"kolId": "a"}]`, string(got))
	assert.Nil(t, similarity, "one alone is like nobody")

	rows, similarity = audience.New(nil).Compare(nil, nil, schema.English)
	assert.Equal(t, []schema.ComparedPortrait{}, rows)
	assert.Nil(t, similarity)
}

func TestNamesAreLeftOutBeyondTen(t *testing.T) {
	for n, named := range map[int]bool{10: true, 11: false} {
		rows, similarity := audience.New(nil).Compare(madeUp(t, n), nil, schema.English)
		for _, row := range rows {
			assert.Equal(t, named, len(row.TopProvinces) == 3 && len(row.TopInterests) == 3, "%d: %s", n, row.KOLID)
		}
		assert.Equal(t, named, len(similarity.KOLIDs) == n, "%d", n)
		assert.Len(t, similarity.Scores, n)
	}
}

func TestComparisonWithoutATargetIsInTheOrderGiven(t *testing.T) {
	portraits := madeUp(t, 5)
	slices.Reverse(portraits)
	rows, similarity := audience.New(nil).Compare(portraits, nil, schema.English)
	var want, got []string
	for i := range portraits {
		want, got = append(want, portraits[i].KOLID), append(got, rows[i].KOLID)
		assert.Zero(t, rows[i].Rank)
		assert.Nil(t, rows[i].Fit)
	}
	assert.Equal(t, want, got)
	assert.Equal(t, want, similarity.KOLIDs)
}

// madeUp returns the documented portrait in n variations that differ as KOLs
// do, always the same, under ids as the vendor's are.
func madeUp(tb testing.TB, n int) []*schema.Collected {
	tb.Helper()
	random := rand.New(rand.NewPCG(4, 20))
	var portraits []*schema.Collected
	for i := range n {
		d, _ := documented(tb)
		var ages, provinces, cities, interests, devices []*float64
		for i := range d.Ages {
			ages = append(ages, &d.Ages[i].Percent)
		}
		for i := range d.Provinces {
			provinces = append(provinces, &d.Provinces[i].Percent)
		}
		for i := range d.Cities {
			cities = append(cities, &d.Cities[i].Percent)
		}
		for i := range d.Interests {
			interests = append(interests, &d.Interests[i].Percent)
		}
		for i := range d.Devices {
			devices = append(devices, &d.Devices[i].Percent)
		}
		for _, shares := range [][]*float64{{d.Gender.Female, d.Gender.Male}, ages, provinces, cities, interests, devices} {
			vary(random, shares)
		}
		portraits = append(portraits, &schema.Collected{
			Portrait: schema.Portrait{
				KOLID: fmt.Sprintf("%08x%016x", 0x5d21ab6b+i*7919, random.Uint64()),
				AsOf:  time.Date(2026, time.October, 1+3*i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly),
			},
			Distributions: *d,
		})
	}
	return portraits
}

// vary lets shares grow and shrink by up to a factor of three, their sum
// staying as it is.
func vary(random *rand.Rand, shares []*float64) {
	var before, after float64
	for _, share := range shares {
		before += *share
		*share *= 1.0/3 + random.Float64()*(3-1.0/3)
		after += *share
	}
	for _, share := range shares {
		*share *= before / after
	}
}

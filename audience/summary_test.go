package audience_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

func TestDocumentedFigures(t *testing.T) {
	d, _ := documented(t)
	raw, err := json.Marshal(audience.New(nil).Summarize(d, schema.English))
	require.NoError(t, err)
	var s struct {
		Gender struct {
			Female float64 `json:"female"`
			Male   float64 `json:"male"`
		} `json:"gender"`
		Age struct {
			CoreGroup   string  `json:"coreGroup"`
			CoreShare   float64 `json:"coreShare"`
			MedianYears float64 `json:"medianYears"`
			MinorShare  float64 `json:"minorShare"`
		} `json:"age"`
		Tier1 float64 `json:"tier1CityShare"`
	}
	require.NoError(t, json.Unmarshal(raw, &s))
	assert.InDelta(t, 0.6713, s.Gender.Female, 1e-9)
	assert.InDelta(t, 0.3287, s.Gender.Male, 1e-9)
	assert.Equal(t, "35-44", s.Age.CoreGroup)
	assert.InDelta(t, 0.5362, s.Age.CoreShare, 1e-9)
	assert.InDelta(t, 38.2, s.Age.MedianYears, 1e-9)
	assert.InDelta(t, 0.0204, s.Age.MinorShare, 1e-9)
	assert.InDelta(t, 0.1398, s.Tier1, 1e-9)
}

func TestWhatIsNotKnownIsAbsent(t *testing.T) {
	for name, d := range map[string]*schema.Distributions{
		"nil": nil, "empty": {}, "no gender given": {Gender: &schema.GenderShares{}},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := json.Marshal(audience.New(nil).Summarize(d, schema.English))
			require.NoError(t, err)
			assert.JSONEq(t, `{"headline": "No usable figures about the followers.", "insights": []}`, string(raw))
		})
	}
}

func TestTopRowsAreSortedAndTheVendorsRowsAreNot(t *testing.T) {
	d := &schema.Distributions{Interests: rows(row("美食", 0.1), row("旅游", 0.3), row("影视", 0.2), row("情感", 0.2), row("教育", 0.05), row("健康", 0.04), row("汽车", 0))}
	before := slices.Clone(d.Interests)
	s := audience.New(nil).Summarize(d, schema.English)

	var names []string
	for _, row := range s.TopInterests {
		names = append(names, row.Name)
	}
	assert.Equal(t, []string{"Travel", "Film & TV", "Relationships"}, names)
	assert.Equal(t, before, d.Interests)
}

// Properties that hold for whatever the vendor sends.

func TestSharesStayWithinTheWhole(t *testing.T) {
	analyst := audience.New(nil)
	for seed := range uint64(500) {
		d := randomDistributions(rand.New(rand.NewPCG(seed, 1)))
		s := analyst.Summarize(d, schema.English)
		for _, share := range sharesOf(s) {
			assert.GreaterOrEqual(t, share, schema.Share(0), "seed %d", seed)
			assert.LessOrEqual(t, share, schema.Share(1+1e-9), "seed %d", seed)
		}
		if s.Age != nil && s.Age.MedianYears != nil {
			assert.GreaterOrEqual(t, *s.Age.MedianYears, 18.0, "seed %d", seed)
			assert.LessOrEqual(t, *s.Age.MedianYears, 45.0, "seed %d", seed)
		}
	}
}

func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	analyst := audience.New(nil)
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 2))
		d := randomDistributions(random)
		want, err := json.Marshal(analyst.Summarize(d, schema.Chinese))
		require.NoError(t, err)
		shuffle(random, d)
		got, err := json.Marshal(analyst.Summarize(d, schema.Chinese))
		require.NoError(t, err)
		assert.JSONEq(t, string(want), string(got), "seed %d", seed)
	}
}

func TestSentencesAreShortAndWhole(t *testing.T) {
	analyst := audience.New(nil)
	for seed := range uint64(500) {
		d := randomDistributions(rand.New(rand.NewPCG(seed, 3)))
		for _, lang := range []schema.Language{schema.English, schema.Chinese} {
			s := analyst.Summarize(d, lang)
			for _, insight := range s.Insights {
				most := 15
				if strings.Contains(insight, " TGI against ") {
					most = 20 // six names with their figures
				}
				assert.LessOrEqual(t, len(strings.Fields(insight)), most, insight)
			}
			sentences := append(analyst.Warnings(d, "2026-03-08", documentedDay, lang), s.Insights...)
			for _, sentence := range append(sentences, s.Headline) {
				assert.True(t, strings.HasSuffix(sentence, ".") || strings.HasSuffix(sentence, "。"), sentence)
				assert.NotContains(t, sentence, "%!", "a fault of formatting")
				assert.NotContains(t, s.Insights, s.Headline)
			}
		}
	}
}

func TestSafeForConcurrentUse(t *testing.T) {
	d, asOf := documented(t)
	analyst := audience.New(nil)
	want := audience.New(nil).Summarize(d, schema.English)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			assert.Equal(t, want, analyst.Summarize(d, schema.English))
			assert.Len(t, analyst.Warnings(d, asOf, documentedDay, schema.English), 1)
		})
	}
	all.Wait()
}

// randomDistributions leaves dimensions and rows out at random, and has names
// that are known and that are not. Shares of a dimension sum to at most 1 and
// have six decimals, so that no two ways to sum them round apart.
func randomDistributions(random *rand.Rand) *schema.Distributions {
	d := &schema.Distributions{
		Interests: randomRows(random, "美食", "旅游", "影视", "情感", "教育", "什么"),
		Provinces: randomRows(random, "广东", "北京", "上海", "重庆", "四川", "海外", "中国", "香港", "某地"),
	}
	d.Cities = randomCities(random, d.Provinces)
	for _, row := range randomRows(random, "<18", "18-24", "25-34", "35-44", ">44") {
		d.Ages = append(d.Ages, schema.AgeShare{Group: row.Name, Percent: row.Percent})
	}
	for _, row := range randomRows(random, "apple inc.", "huawei", "unheard-of") {
		d.Devices = append(d.Devices, schema.DeviceShare{Name: row.Name, Percent: row.Percent})
	}
	if pair := randomRows(random, "female", "male"); len(pair) == 2 {
		d.Gender = genderOf(pair[0].Percent, pair[1].Percent)
	} else if len(pair) == 1 {
		d.Gender = &schema.GenderShares{Female: &pair[0].Percent}
	}
	return d
}

// randomCities takes the cities out of the provinces that they are in: a city
// holds no more than its province.
func randomCities(random *rand.Rand, provinces []schema.NameShare) []schema.NameShare {
	var cities []schema.NameShare
	for _, province := range provinces {
		if random.IntN(4) == 0 {
			continue
		}
		switch province.Name {
		case "北京", "上海", "重庆":
			cities = append(cities, province)
		case "广东":
			cities = append(cities, row("广州", province.Percent/2), row("东莞", province.Percent/4))
		case "四川":
			cities = append(cities, row("成都", province.Percent/2))
		}
	}
	return cities
}

func randomRows(random *rand.Rand, names ...string) []schema.NameShare {
	if random.IntN(5) == 0 {
		return nil
	}
	left := 1_000_000
	var rows []schema.NameShare
	for _, i := range random.Perm(len(names)) {
		if random.IntN(6) == 0 {
			continue
		}
		part := random.IntN(left*2/3 + 1)
		left -= part
		rows = append(rows, row(names[i], float64(part)/1_000_000))
	}
	return rows
}

func shuffle(random *rand.Rand, d *schema.Distributions) {
	random.Shuffle(len(d.Ages), func(i, j int) { d.Ages[i], d.Ages[j] = d.Ages[j], d.Ages[i] })
	random.Shuffle(len(d.Devices), func(i, j int) { d.Devices[i], d.Devices[j] = d.Devices[j], d.Devices[i] })
	for _, rows := range [][]schema.NameShare{d.Interests, d.Provinces, d.Cities} {
		random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
}

func sharesOf(s schema.Summary) []schema.Share {
	var shares []schema.Share
	for _, rows := range [][]schema.RankedShare{s.TopInterests, s.TopProvinces, s.TopCities, s.TopDevices, s.Regions} {
		for _, row := range rows {
			shares = append(shares, row.Share)
		}
	}
	known := []*schema.Share{s.Tier1CityShare, s.NewTier1CityShare, s.OverseasShare}
	if s.Gender != nil {
		known = append(known, s.Gender.Female, s.Gender.Male)
	}
	if s.Age != nil {
		known = append(known, &s.Age.CoreShare, s.Age.MinorShare)
	}
	for _, share := range known {
		if share != nil {
			shares = append(shares, *share)
		}
	}
	return shares
}

func ExampleAnalyst_Summarize() {
	women, men := 0.671, 0.329
	s := audience.New(nil).Summarize(&schema.Distributions{
		Gender: &schema.GenderShares{Female: &women, Male: &men},
		Provinces: []schema.NameShare{
			{Name: "广东", Percent: 0.31}, {Name: "海外", Percent: 0.06}, {Name: "浙江", Percent: 0.05},
		},
	}, schema.English)
	fmt.Println(s.Headline)
	for _, insight := range s.Insights {
		fmt.Println("-", insight)
	}
	// Output:
	// 67.1% women; largest share in Guangdong (31.0%).
	// - Skews female (TGI 138 against the 2020 census; men 32.9%).
	// - Concentrated: Guangdong 31.0%, then Zhejiang 5.0%.
}

func BenchmarkSummarize(b *testing.B) {
	d, _ := documented(b)
	analyst := audience.New(nil)
	for _, lang := range []schema.Language{schema.English, schema.Chinese} {
		b.Run(string(lang), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				analyst.Summarize(d, lang)
			}
		})
	}
}

// The first question reads the tables; a server pays it once.
func BenchmarkFirstSummarize(b *testing.B) {
	d, _ := documented(b)
	b.ReportAllocs()
	for b.Loop() {
		audience.New(nil).Summarize(d, schema.English)
	}
}

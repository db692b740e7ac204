package audience_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// vocabulary is what made-up portraits and targets are made of: in each dimension
// some things, each by the vendor's name and others.
var vocabulary = map[schema.Dimension][][]string{
	gender:    {{"female", "女"}, {"male", "男"}},
	ages:      {{"<18", "18岁以下"}, {"18-24", "18~24"}, {"25-34", "25–34岁"}, {"35-44", "35-44岁"}, {">44", "45+"}},
	provinces: {{"广东", "广东省"}, {"浙江", "Zhejiang"}, {"北京", "北京市"}, {"上海", "Shanghai"}, {"内蒙古", "内蒙古自治区"}, {"海外", "Overseas"}, {"某省", "某省"}},
	cities:    {{"深圳", "深圳市"}, {"广州", "Guangzhou"}, {"杭州", "杭州市"}, {"宁波", "Ningbo"}, {"北京", "Beijing"}, {"上海", "上海市"}, {"某市", "某市"}},
	interests: {{"美食", "Food"}, {"美妆", "Beauty"}, {"时尚", "Fashion"}, {"影视", "Film & TV"}, {"某事", "某事"}},
	devices:   {{"apple inc.", "iPhone"}, {"huawei", "华为"}, {"xiaomi", "小米"}, {"ptac", "ptac"}},
}

// portraits are made up: some rows of each dimension, in any order, that sum to
// anything up to a little over everybody, now and then with rows left out.
func portraits(t *rapid.T, name string) *schema.Distributions {
	d := &schema.Distributions{Rows: map[schema.Dimension][]schema.Row{}, LeftOut: map[schema.Dimension]int{}}
	for _, of := range schema.Dimensions {
		label := fmt.Sprintf("%s %s", name, of)
		chosen := rapid.SliceOfDistinct(rapid.IntRange(0, len(vocabulary[of])-1), rapid.ID[int]).Draw(t, label)
		weights := rapid.SliceOfN(rapid.IntRange(0, 1000), len(chosen), len(chosen)).Draw(t, label+" weights")
		sum := rapid.SampledFrom([]float64{0.3, 0.9, 0.96, 1, 1, 1, 1.015, 1.2}).Draw(t, label+" sum")
		all := 0
		for _, w := range weights {
			all += w
		}
		for i, c := range chosen {
			share := min(1, sum*float64(weights[i])/float64(max(1, all)))
			d.Rows[of] = append(d.Rows[of], schema.Row{Name: vocabulary[of][c][0], Share: share})
		}
		d.LeftOut[of] = rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, label+" left out")
	}
	return d
}

func targets(t *rapid.T) schema.TargetAudience {
	some := func(of schema.Dimension) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(choices(of)), 0, 4, rapid.ID[string]).Draw(t, string(of))
	}
	a := schema.TargetAudience{
		Gender: rapid.SampledFrom([]string{"", "female", "male"}).Draw(t, "gender"), AgeGroups: some(ages),
		Provinces: some(provinces), Cities: some(cities), Interests: some(interests), Devices: some(devices),
		Weights: schema.Weights{},
	}
	if len(a.AgeGroups) == 5 {
		a.AgeGroups = nil // all ages are no target
	}
	for of, named := range map[schema.Dimension]bool{gender: a.Gender != "", ages: len(a.AgeGroups) > 0,
		places: len(a.Provinces)+len(a.Cities) > 0, interests: len(a.Interests) > 0, devices: len(a.Devices) > 0} {
		if named && rapid.Bool().Draw(t, "weight of "+string(of)) {
			a.Weights[of] = rapid.Float64Range(0.001, 1000).Draw(t, "weight")
		}
		if named && rapid.IntRange(0, 3).Draw(t, "soft "+string(of)) == 0 {
			a.Soft = append(a.Soft, string(of))
		}
	}
	return a
}

// choices are what a caller may choose of a dimension: what is known.
func choices(of schema.Dimension) []string {
	var names []string
	for _, thing := range vocabulary[of] {
		if thing[0] != "某省" && thing[0] != "某市" && thing[0] != "某事" {
			names = append(names, thing[0])
		}
	}
	return names
}

func fitted(t *rapid.T, d *schema.Distributions, a schema.TargetAudience) *schema.Fit {
	understood, err := analyst.Target(&a)
	require.NoError(t, err)
	return analyst.Audience(d).Fit(understood, schema.English)
}

func TestFitStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fit := fitted(t, portraits(t, "portrait"), targets(t))
		if fit == nil {
			return
		}
		within := func(low, figure, high float64, what string) {
			if !(low <= figure && figure <= high) { // not so of NaN
				t.Fatalf("%s: %v is not from %v to %v", what, figure, low, high)
			}
		}
		for _, of := range schema.TargetDimensions {
			m := *fit.Of(of)
			if m == nil {
				continue
			}
			matched := 0.0
			if m.MatchedShare != nil {
				matched = float64(*m.MatchedShare)
			}
			within(0, matched, 1, "matched "+string(of))
			if m.AtMost != nil {
				within(matched, float64(*m.AtMost), 1, "at most "+string(of))
			}
			assert.Equal(t, m.NotListed == nil, m.AtMost == nil)
			if m.TGI != nil {
				within(0, float64(*m.TGI), math.MaxFloat64, "TGI")
			}
		}
		score := 0.0
		if fit.Score != nil {
			score = float64(*fit.Score)
			within(0, score, 100, "score")
		}
		if fit.ScoreAtMost != nil {
			within(score, float64(*fit.ScoreAtMost), 100, "score at most")
		}
		if share := fit.TargetShare; share != nil {
			within(0, float64(share.AtLeast), float64(share.AtMost), "at least")
			within(0, float64(share.AtMost), 1, "at most")
			if share.Estimate != nil {
				within(float64(share.AtLeast), float64(*share.Estimate), float64(share.AtMost), "estimate")
			}
		}
	})
}

func TestACityOfAChosenProvinceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, a := portraits(t, "portrait"), targets(t)
		a.Provinces = append(a.Provinces, "广东", "上海")
		without := fitted(t, d, a)
		a.Cities = append(a.Cities, "深圳", "广州", "上海")
		with := fitted(t, d, a)
		with.Target = without.Target // that names them
		assert.Equal(t, without, with)
	})
}

func TestAnotherValueNeverLowersWhatIsMatched(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, a := portraits(t, "portrait"), targets(t)
		a.Interests, a.Devices, a.Provinces = []string{"美食"}, []string{"huawei"}, nil
		a.Cities, a.Weights, a.Soft = []string{"深圳"}, nil, nil
		before := fitted(t, d, a)
		a.Interests = append(a.Interests, rapid.SampledFrom(choices(interests)).Draw(t, "interest"))
		a.Devices = append(a.Devices, rapid.SampledFrom(choices(devices)).Draw(t, "device"))
		a.Cities = append(a.Cities, rapid.SampledFrom([]string{"杭州", "广州", "宁波"}).Draw(t, "city"))
		after := fitted(t, d, a)
		for _, of := range []schema.Dimension{interests, devices, places} {
			if m := *before.Of(of); m.MatchedShare != nil {
				require.NotNil(t, (*after.Of(of)).MatchedShare)
				assert.LessOrEqual(t, *m.MatchedShare, *(*after.Of(of)).MatchedShare)
			}
		}
	})
}

// The vendor's order and the names that it uses for a thing are no information.
func TestOrderAndNamesOfRowsChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, a := portraits(t, "portrait"), targets(t)
		other := &schema.Distributions{Rows: map[schema.Dimension][]schema.Row{}, LeftOut: d.LeftOut}
		for of, rows := range d.Rows {
			other.Rows[of] = rapid.Permutation(rows).Draw(t, "order of "+string(of))
			for i, row := range other.Rows[of] {
				at := slices.IndexFunc(vocabulary[of], func(names []string) bool { return names[0] == row.Name })
				other.Rows[of][i].Name = rapid.SampledFrom(vocabulary[of][at]).Draw(t, "name")
			}
		}
		understood, err := analyst.Target(&a)
		require.NoError(t, err)
		figures := func(d *schema.Distributions) (*schema.Fit, schema.ComparedPortrait, schema.Summary, *schema.Change) {
			x := analyst.Audience(d)
			c, s := x.Compared("a", "", "", understood, schema.English).Portrait, x.Summary(schema.English)
			for _, equalsInVendorsOrder := range []*[]schema.RankedShare{
				&s.TopInterests, &s.TopProvinces, &s.TopCities, &s.TopDevices, &s.HighProvinces, &s.LowProvinces} {
				*equalsInVendorsOrder = nil
			}
			c.TopInterests, c.TopProvinces = nil, nil
			return x.Fit(understood, schema.English), c, s, x.Change(analyst.Audience(other), "", schema.English)
		}
		fit, compared, summary, change := figures(d)
		fit2, compared2, summary2, _ := figures(other)
		assert.Equal(t, fit, fit2)
		assert.Equal(t, compared, compared2)
		assert.Equal(t, summary, summary2)
		assert.Equal(t, &schema.Change{}, change)
	})
}

func TestRankDoesNotDependOnTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := targets(t)
		understood, err := analyst.Target(&a)
		require.NoError(t, err)
		some := rapid.IntRange(2, 8).Draw(t, "KOLs")
		var kols []*audience.Compared
		for i := range some {
			kols = append(kols, analyst.Audience(portraits(t, fmt.Sprint(i))).Compared(fmt.Sprint(i), "", "", understood, schema.English))
		}
		told := func(order []*audience.Compared) (rows []schema.ComparedPortrait, triangle schema.LowerTriangle) {
			triangle = audience.Rank(order, true)
			for _, c := range order {
				rows = append(rows, c.Portrait)
			}
			return rows, triangle
		}
		rows, triangle := told(slices.Clone(kols))
		again, triangle2 := told(rapid.Permutation(kols).Draw(t, "order"))
		assert.Equal(t, rows, again)
		assert.Equal(t, triangle, triangle2)
	})
}

func TestSimilarityIsSymmetricAndOneForEquals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		compared := func(id string, d *schema.Distributions) *audience.Compared {
			return analyst.Audience(d).Compared(id, "", "", nil, schema.English)
		}
		d, e := portraits(t, "d"), portraits(t, "e")
		for of, rows := range e.Rows { // mostly one lacks something else
			if len(d.Rows[of]) == 0 {
				d.Rows[of] = rows
			}
		}
		between := func(a, b *schema.Distributions) *schema.Similarity {
			return audience.Rank([]*audience.Compared{compared("a", a), compared("b", b)}, false)[1][0]
		}
		assert.Equal(t, between(d, e), between(e, d))
		if s := between(d, e); s != nil {
			assert.True(t, *s >= 0 && *s <= 1)
		}
		if s := between(d, d); s != nil {
			assert.Equal(t, schema.Similarity(1), *s)
		}
	})
}

// All figures of one stored answer.
func BenchmarkFigures(b *testing.B) {
	d := documented(b)
	asked := target(b, schema.TargetAudience{Gender: "female", AgeGroups: []string{"25-34"}, Provinces: []string{"East China"}, Cities: []string{"new-tier1"}})
	for b.Loop() {
		x := analyst.Audience(d)
		x.Summary(schema.English)
		x.Fit(asked, schema.English)
	}
}

func BenchmarkRank(b *testing.B) {
	d := documented(b)
	kols := make([]*audience.Compared, 1000)
	for i := range kols {
		kols[i] = analyst.Audience(d).Compared(fmt.Sprint(i), "", "", nil, schema.English)
	}
	for b.Loop() {
		audience.Rank(kols, true)
	}
}

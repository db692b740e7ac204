package audience_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// alike returns complete distributions, changed in one way.
func alike(change func(*schema.Distributions)) *schema.Distributions {
	d := complete()
	change(d)
	return d
}

func TestSimilarity(t *testing.T) {
	ofGender := func(female, male float64) *schema.Distributions {
		return alike(func(d *schema.Distributions) { d.Gender = genderOf(female, male) })
	}
	ofInterests := func(rows ...schema.NameShare) *schema.Distributions {
		return alike(func(d *schema.Distributions) { d.Interests = rows })
	}
	noInterests := alike(func(d *schema.Distributions) { d.Interests = nil })
	onlyWomen := &schema.Distributions{Gender: genderOf(1, 0)}
	for _, tt := range []struct {
		name string
		p, q *schema.Distributions
		want string // as JSON
	}{
		{"the same", complete(), complete(), "1"},
		{"one of four entirely different", ofGender(1, 0), ofGender(0, 1), "0.75"},
		{"women alone and half of each", ofGender(1, 0), ofGender(0.5, 0.5), "0.86"}, // 0.44 for gender
		{"two of four entirely different",
			alike(func(d *schema.Distributions) { d.Gender, d.Ages = genderOf(1, 0), agesOf(1, 0) }),
			alike(func(d *schema.Distributions) { d.Gender, d.Ages = genderOf(0, 1), agesOf(0, 1) }), "0.5"},
		{"what is not listed is one row: half in common", ofInterests(row("美食", 0.5)), ofInterests(row("旅游", 0.5)), "0.82"}, // 0.29 for interests
		{"a gender that is not given is not listed",
			alike(func(d *schema.Distributions) { d.Gender = &schema.GenderShares{Female: new(1.0)} }), ofGender(1, 0), "1"},
		{"more than everybody is scaled", ofGender(1.5, 0.5), ofGender(0.75, 0.25), "1"},
		{"cities and devices have no say",
			alike(func(d *schema.Distributions) { d.Cities, d.Devices = rows(row("广州", 1)), device("huawei", 1) }),
			alike(func(d *schema.Distributions) { d.Cities, d.Devices = rows(row("北京", 1)), nil }), "1"},
		{"a name is not shared across dimensions",
			alike(func(d *schema.Distributions) {
				d.Provinces, d.Interests = rows(row("教育", 1)), rows(row("美食", 1))
			}),
			alike(func(d *schema.Distributions) {
				d.Provinces, d.Interests = rows(row("美食", 1)), rows(row("教育", 1))
			}), "0.5"},

		{"one lacks a dimension", complete(), noInterests, "null"},
		{"both lack it", noInterests, noInterests, "null"},
		{"gender alone", onlyWomen, onlyWomen, "null"},
		{"no gender", complete(), alike(func(d *schema.Distributions) { d.Gender = nil }), "null"},
		{"no ages", complete(), alike(func(d *schema.Distributions) { d.Ages = nil }), "null"},
		{"no provinces", alike(func(d *schema.Distributions) { d.Provinces = nil }), complete(), "null"},
		{"rows of nobody are no data", complete(), ofGender(0, 0), "null"},
		{"no data", nil, complete(), "null"},
		{"no data at all", nil, nil, "null"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			raw, err := json.Marshal(audience.New(nil).Similarity([]*schema.Distributions{tt.p, tt.q}))
			require.NoError(t, err)
			assert.Equal(t, "[[],["+tt.want+"]]", string(raw))
		})
	}
}

func TestSimilarityIsALowerTriangle(t *testing.T) {
	ofGender := func(female, male float64) *schema.Distributions {
		return alike(func(d *schema.Distributions) { d.Gender = genderOf(female, male) })
	}
	raw, err := json.Marshal(audience.New(nil).Similarity([]*schema.Distributions{
		ofGender(1, 0), ofGender(0.5, 0.5), nil, ofGender(0, 1), ofGender(0.5, 0.5),
	}))
	require.NoError(t, err)
	assert.Equal(t, "[[],[0.86],[null,null],[0.75,0.86,null],[0.86,1,null,0.86]]", string(raw))
	assert.Empty(t, audience.New(nil).Similarity(nil))
}

func TestSimilarityProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := drawn(t, "p"), drawn(t, "q")
		shuffled := permuted(t, p)
		scores := audience.New(nil).Similarity([]*schema.Distributions{p, q, p, shuffled, q})

		pq, qp, self := scores[1][0], scores[2][1], scores[2][0]
		assert.Equal(t, pq, qp, "symmetric, to the bit")
		assert.Equal(t, pq, scores[3][1], "the order of rows does not matter")
		assert.Equal(t, self, scores[3][0])
		if self != nil {
			assert.InDelta(t, 1, *self, 0)
		}
		if pq != nil {
			assert.GreaterOrEqual(t, *pq, 0.0)
			assert.LessOrEqual(t, *pq, 1.0)
			assert.NotNil(t, self)
		}
	})
}

func TestDisjointCompleteProfilesHaveNothingAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := func(label string, names ...string) []schema.NameShare {
			weights := rapid.SliceOfN(rapid.IntRange(1, 1000), len(names), len(names)).Draw(t, label)
			sum := 0
			for _, w := range weights {
				sum += w
			}
			var rows []schema.NameShare
			for i, w := range weights {
				rows = append(rows, row(names[i], float64(w)/float64(sum)))
			}
			return rows
		}
		p := &schema.Distributions{
			Gender: genderOf(1, 0), Ages: agesOf(0.5, 0.5, 0, 0, 0),
			Provinces: whole("here", "广东", "北京", "重庆"), Interests: whole("food", "美食", "旅游"),
		}
		q := &schema.Distributions{
			Gender: genderOf(0, 1), Ages: agesOf(0, 0, 0.2, 0.3, 0.5),
			Provinces: whole("there", "四川", "海外", "中国"), Interests: whole("film", "影视", "情感", "教育"),
		}
		score := audience.New(nil).Similarity([]*schema.Distributions{p, q})[1][0]
		require.NotNil(t, score)
		assert.InDelta(t, 0, *score, 0)
	})
}

// permuted returns the distributions with the rows of each dimension in another
// order.
func permuted(t *rapid.T, d *schema.Distributions) *schema.Distributions {
	return &schema.Distributions{
		Gender:    d.Gender,
		Ages:      rapid.Permutation(slices.Clone(d.Ages)).Draw(t, "ages"),
		Provinces: rapid.Permutation(slices.Clone(d.Provinces)).Draw(t, "provinces"),
		Cities:    rapid.Permutation(slices.Clone(d.Cities)).Draw(t, "cities"),
		Interests: rapid.Permutation(slices.Clone(d.Interests)).Draw(t, "interests"),
		Devices:   rapid.Permutation(slices.Clone(d.Devices)).Draw(t, "devices"),
	}
}

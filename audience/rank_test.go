package audience

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// fitOf is a fit of which only what ranks is known.
func fitOf(score float64, reach schema.Share) *schema.Fit {
	return &schema.Fit{Score: &score, Reach: &schema.Reach{Independent: new(reach)}}
}

func TestRanks(t *testing.T) {
	unscored := &schema.Fit{Reach: &schema.Reach{Independent: new(schema.Share(0.9))}}
	for _, tt := range []struct {
		name string
		fits map[string]*schema.Fit // by KOL id
		want []string               // ranks and KOL ids
	}{
		{"by score", map[string]*schema.Fit{"a": fitOf(10, 0.5), "b": fitOf(30, 0.1), "c": fitOf(20, 0.9)},
			[]string{"1 b", "2 c", "3 a"}},
		{"then by reach", map[string]*schema.Fit{"a": fitOf(10, 0.1), "b": fitOf(10, 0.3), "c": fitOf(10, 0.2)},
			[]string{"1 b", "2 c", "3 a"}},
		{"then by id", map[string]*schema.Fit{"c": fitOf(10, 0.1), "a": fitOf(10, 0.1), "b": fitOf(10, 0.1)},
			[]string{"1 a", "2 b", "3 c"}},
		{"by reach, though it is too small to be shown", map[string]*schema.Fit{"a": fitOf(10, 0.0001), "b": fitOf(10, 0.0002)},
			[]string{"1 b", "2 a"}},
		{"a reach that is not known is behind one that is", map[string]*schema.Fit{"a": {Score: new(10.0)}, "b": fitOf(10, 0)},
			[]string{"1 b", "2 a"}},
		{"a score of 0 is one", map[string]*schema.Fit{"a": unscored, "b": fitOf(0, 0)}, []string{"1 b", "0 a"}},
		{"without a score last, by id, without a rank",
			map[string]*schema.Fit{"c": {}, "b": unscored, "d": fitOf(10, 0.1), "a": {}},
			[]string{"1 d", "0 a", "0 b", "0 c"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var contenders []contender
			for id, fit := range tt.fits {
				contenders = append(contenders, contender{&schema.Collected{Portrait: schema.Portrait{KOLID: id}}, fit})
			}
			rows, similarity := New(nil).compare(contenders, true, schema.English)
			var got, ids []string
			for _, row := range rows {
				got, ids = append(got, fmt.Sprint(row.Rank, " ", row.KOLID)), append(ids, row.KOLID)
			}
			assert.Equal(t, tt.want, got)
			assert.Equal(t, ids, similarity.KOLIDs)
		})
	}
}

func TestComparedFit(t *testing.T) {
	assert.Nil(t, comparedFit(nil))
	got, err := json.Marshal(comparedFit(&schema.Fit{
		Target:          "women",
		Score:           new(55.05),
		ScoreLowerBound: true,

		Gender:    &schema.Match{MatchedShare: new(schema.Share(0.67127))},
		Cities:    &schema.Match{MatchedShare: new(schema.Share(0.1)), LowerBound: true},
		Provinces: &schema.Match{LowerBound: true, NotListed: []string{"Tibet"}},
		Interests: &schema.Match{MatchedShare: new(schema.Share(0)), LowerBound: true, NotListed: []string{"Travel"}},
		Devices:   &schema.Match{},
		Reach:     &schema.Reach{Independent: new(schema.Share(0.09256)), AtMost: 0.17034},
	}))
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"score": 55.05,
		"scoreLowerBound": true,
		"matched": {"gender": 0.6713, "cities": 0.1, "interests": 0},
		"notListed": ["provinces", "interests"],
		"reach": {"independent": 0.0926, "atLeast": 0, "atMost": 0.1703}
	}`, string(got))

	got, err = json.Marshal(comparedFit(&schema.Fit{
		Cities: &schema.Match{LowerBound: true, NotListed: []string{"Lhasa"}},
		Reach:  &schema.Reach{AtMost: 0.04},
	}))
	require.NoError(t, err)
	assert.JSONEq(t, `{"matched": {}, "notListed": ["cities"], "reach": {"atLeast": 0, "atMost": 0.04}}`, string(got),
		"what is not known is absent")
}

package audience_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream"
)

const (
	gender    = schema.DimensionGender
	ages      = schema.DimensionAgeGroups
	places    = schema.DimensionPlaces
	provinces = schema.DimensionProvinces
	cities    = schema.DimensionCities
	interests = schema.DimensionInterests
	devices   = schema.DimensionDevices
)

var analyst = audience.New(nil)

// lists are distributions as "name percent, name percent".
type lists map[schema.Dimension]string

func (l lists) distributions() *schema.Distributions {
	d := &schema.Distributions{Rows: map[schema.Dimension][]schema.Row{}, LeftOut: map[schema.Dimension]int{}}
	for of, text := range l {
		for row := range strings.SplitSeq(text, ", ") {
			name, percent, _ := cutLast(row)
			if percent == "?" { // a row without a usable figure
				d.LeftOut[of]++
				continue
			}
			share, err := strconv.ParseFloat(percent, 64)
			if err != nil {
				panic(err)
			}
			d.Rows[of] = append(d.Rows[of], schema.Row{Name: name, Share: share / 100})
		}
	}
	return d
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndex(s, " ")
	return s[:i], s[i+1:], i >= 0
}

func (l lists) audience() *audience.Audience { return analyst.Audience(l.distributions()) }

// documented returns the vendor's documented distributions, with some rows renamed:
// old name, new name.
func documented(t testing.TB, renamed ...string) *schema.Distributions {
	raw, err := os.ReadFile("../testdata/documented-response.json")
	require.NoError(t, err)
	var response struct{ Data json.RawMessage }
	require.NoError(t, json.Unmarshal(raw, &response))
	d := upstream.Read(response.Data).Distributions
	for i := 0; i < len(renamed); i += 2 {
		n := 0
		for _, rows := range d.Rows {
			for at := range rows {
				if rows[at].Name == renamed[i] {
					rows[at].Name = renamed[i+1]
					n++
				}
			}
		}
		require.NotZero(t, n, "%s is not in the documented response", renamed[i])
	}
	return &d
}

func target(t testing.TB, audience schema.TargetAudience) *audience.Target {
	understood, err := analyst.Target(&audience)
	require.NoError(t, err)
	return understood
}

func fitOf(t testing.TB, d *schema.Distributions, audience schema.TargetAudience) *schema.Fit {
	return analyst.Audience(d).Fit(target(t, audience), schema.English)
}

// told is what a result tells of a figure: "-" where it is absent.
func told[T ~float64](figure *T, decimals int) string {
	if figure == nil {
		return "-"
	}
	return strconv.FormatFloat(float64(*figure), 'f', decimals, 64)
}

// words is a match as "matched atMost [not listed]".
func words(m *schema.Match) string {
	if m == nil {
		return "not asked"
	}
	text := told(m.MatchedShare, 4) + " " + told(m.AtMost, 4)
	if m.NotListed != nil {
		text += " " + strings.Join(m.NotListed, ", ")
	}
	return text
}

// shares are ranked shares as "name percent, name percent".
func shares(ranked []schema.RankedShare) string {
	var rows []string
	for _, r := range ranked {
		rows = append(rows, r.Name+" "+strconv.FormatFloat(100*float64(r.Share), 'f', 1, 64))
	}
	return strings.Join(rows, ", ")
}

func indexes(ranked []schema.RankedShare) string {
	var rows []string
	for _, r := range ranked {
		rows = append(rows, r.Name+" "+told(r.TGI, 1))
	}
	return strings.Join(rows, ", ")
}

func assertShare(t *testing.T, want float64, got *schema.Share, what string) {
	t.Helper()
	if assert.NotNil(t, got, what) {
		assert.InDelta(t, want, float64(*got), 1e-9, what)
	}
}

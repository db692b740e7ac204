package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// ViewKey is where a result's _meta has its view, a PortraitView or a ComparisonView:
// what the page draws beside the structured half, and no model reads.
const ViewKey = "kol-portrait/view"

// PortraitView is what the page shows of a portrait beside its structured half.
type PortraitView struct {
	Figures  json.RawMessage `json:"figures"` // of viewFigures
	Warnings ViewWarnings    `json:"warnings"`
}

// viewFigures are those of a PortraitView.
type viewFigures struct {
	Rows      map[schema.Dimension][]ViewRow `json:"rows"`               // of the dimensions that the vendor sent
	TierWhole map[string]bool                `json:"tierWhole"`          // of tier1 and new-tier1: whether the summary's share is exact, else it is a lower bound
	Baseline  map[schema.Dimension]string    `json:"baseline,omitempty"` // what TGIs compare with: platform, census or own; none where there are none
	Overfull  []schema.Dimension             `json:"overfull,omitempty"` // rows hold more than everybody, so that no figure is made of them
	Regions   []ViewRegion                   `json:"regions,omitempty"`  // the summary's
}

// ViewWarnings are the warnings as the page shows them: short, and without advice on
// arguments, charges and settings.
type ViewWarnings struct {
	EN []string `json:"en"`
	ZH []string `json:"zh"`
}

// ViewRow is one row of a PortraitView: what it is called, and its figures. As JSON it
// is an array, since a view has a hundred rows: key, English name, share, index (null
// where there is none), and where there is more, an object with zh (where it is not the
// key), in, points, atLeast, tier.
type ViewRow struct {
	ViewName

	Share   float64       // 0..1; six decimals, since the page rounds it once more
	TGI     *schema.Index // three decimals; nil where there is none
	Points  float64       // percentage points moved since the older portrait; 0 where it did not
	AtLeast bool          // whether it moved at least that far
	Tier    string        // of a city: tier1 or new-tier1; else empty
}

// MarshalJSON writes the array.
func (r ViewRow) MarshalJSON() ([]byte, error) {
	row := []any{r.Key, r.EN, decimals(r.Share, 6), nil}
	if r.TGI != nil {
		row[3] = decimals(float64(*r.TGI), 3)
	}
	more := viewMore{InTarget: r.InTarget, Points: r.Points, AtLeast: r.AtLeast, Tier: r.Tier}
	if r.ZH != r.Key {
		more.ZH = r.ZH
	}
	if more != (viewMore{}) {
		row = append(row, more)
	}
	return json.Marshal(row)
}

type viewMore struct {
	ZH       string  `json:"zh,omitempty"`
	InTarget bool    `json:"in,omitempty"`
	Points   float64 `json:"points,omitempty"`
	AtLeast  bool    `json:"atLeast,omitempty"`
	Tier     string  `json:"tier,omitempty"`
}

// decimals rounds to n decimals.
func decimals(v float64, n int) float64 {
	unit := math.Pow10(n)
	return math.Round(v*unit) / unit
}

// ViewRegion is a region of the summary.
type ViewRegion struct {
	ZH    string  `json:"zh"`
	EN    string  `json:"en"`
	Share float64 `json:"share"` // 0..1, six decimals
}

// ViewName is what a row is called.
type ViewName struct {
	Key      string `json:"key"` // the same in every language: female, 25-34, else the vendor's own name
	ZH       string `json:"zh"`
	EN       string `json:"en"`
	InTarget bool   `json:"in,omitempty"` // whether the target audience has it, as a must or a plus; a city also by its province
}

func viewName(r audience.Row, t *audience.Target) ViewName {
	return ViewName{Key: r.Key(), ZH: visible(r.In(schema.Chinese)), EN: visible(r.In(schema.English)), InTarget: t.Has(r)}
}

// Title returns what a page with the portrait is called.
func (p *Portrait) Title() string {
	return p.say("Followers of %s on Xiaohongshu", "%s 的小红书粉丝画像", cmp.Or(p.Label, p.KOLID))
}

// Title returns what a page with the comparison is called.
func (c *Comparison) Title() string {
	return c.say("%d KOLs compared by their followers on Xiaohongshu", "%d 位达人的小红书粉丝画像对比", len(c.Portraits))
}

// baselines are the sources of an index as a PortraitView has them.
var baselines = map[audience.Source]string{audience.Census: "census", audience.Platform: "platform", audience.Own: "own"}

// View returns what the page shows beside the structured half. The figures of a
// portrait without target and change are always the same, so a caller may keep them and
// give them to the next View; nil has them made.
func (p *Portrait) View(figures json.RawMessage) *PortraitView {
	if figures == nil {
		figures = p.figures()
	}
	return &PortraitView{figures, p.shown()}
}

// figures are genders and age groups in their order, other rows by share. They have
// every row, whatever detail the caller wants.
func (p *Portrait) figures() json.RawMessage {
	v := viewFigures{Rows: map[schema.Dimension][]ViewRow{}, TierWhole: map[string]bool{}, Baseline: map[schema.Dimension]string{}}
	for _, tier := range [...]string{"tier1", "new-tier1"} {
		v.TierWhole[tier] = p.Audience.TierWhole(tier)
	}
	other := map[schema.Language]schema.Language{schema.English: schema.Chinese, schema.Chinese: schema.English}[p.Language]
	translated := p.Audience.Summary(other).Regions
	for i, region := range p.Summary.Regions {
		r := ViewRegion{region.Name, translated[i].Name, decimals(float64(region.Share), 6)}
		if p.Language == schema.English {
			r.ZH, r.EN = r.EN, r.ZH
		}
		v.Regions = append(v.Regions, r)
	}
	for _, of := range schema.Dimensions {
		list := p.Audience.List(of)
		moves := p.moves(of)
		for _, r := range list.Sorted() {
			row := ViewRow{ViewName: viewName(r, p.Target), Share: r.Share, TGI: r.TGI, Tier: r.Tier()}
			if i := slices.IndexFunc(moves, func(m schema.Move) bool { return m.Name == r.In(p.Language) }); i >= 0 {
				row.Points, row.AtLeast = moves[i].Points, moves[i].AtLeast
			}
			v.Rows[of] = append(v.Rows[of], row)
		}
		if source, compared := baselines[p.Audience.Source(of)]; compared {
			v.Baseline[of] = source
		}
		if list.Overfull {
			v.Overfull = append(v.Overfull, of)
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("report: encode a view: %v", err)) // shares are finite
	}
	return text
}

// moves returns what moved in a dimension since the older portrait.
func (p *Portrait) moves(of schema.Dimension) []schema.Move {
	c := cmp.Or(p.Change, &schema.Change{})
	return map[schema.Dimension][]schema.Move{
		schema.DimensionGender: c.Gender, schema.DimensionAgeGroups: c.Ages,
		schema.DimensionProvinces: c.Provinces, schema.DimensionCities: c.Cities,
		schema.DimensionInterests: c.Interests, schema.DimensionDevices: c.Devices,
	}[of]
}

// ComparisonView is what the page needs so as to lay the KOLs of a comparison over
// one another. It takes a few hundred bytes a KOL.
type ComparisonView struct {
	Provinces []ViewName                    `json:"provinces"` // all that any KOL has followers in, by mean share, largest first
	Ages      []string                      `json:"ages"`      // schema.AgeGroups
	InTarget  map[schema.Dimension][]string `json:"in"`        // the genders and age groups of the target audience
	Portraits map[string]ViewShares         `json:"portraits"` // by kolId
	Warnings  ViewWarnings                  `json:"warnings"`
}

// ViewShares are one KOL's shares, with six decimals, since the page rounds them; nil,
// and null, where one is not known.
type ViewShares struct {
	Gender    []*float64 `json:"gender"` // female, male
	Ages      []*float64 `json:"ages"`
	Provinces []*float64 `json:"provinces"` // of the ComparisonView's
}

// View returns what the page shows beside the structured half.
func (c *Comparison) View() *ComparisonView {
	v := &ComparisonView{Provinces: []ViewName{}, Ages: schema.AgeGroups[:], InTarget: map[schema.Dimension][]string{}, Portraits: map[string]ViewShares{}, Warnings: c.shown}
	for _, of := range [...]schema.Dimension{schema.DimensionGender, schema.DimensionAgeGroups} {
		for _, r := range audience.TableRows(of) {
			if c.Target.Has(r) {
				v.InTarget[of] = append(v.InTarget[of], r.Key())
			}
		}
	}
	provinces := audience.TableRows(schema.DimensionProvinces)
	order := c.provincesByShare(len(provinces))
	for _, i := range order {
		v.Provinces = append(v.Provinces, viewName(provinces[i], c.Target))
	}
	for i, p := range c.Portraits {
		s := c.shares[i]
		ordered := make([]float64, len(order))
		for at, from := range order {
			ordered[at] = s.Provinces[from]
		}
		v.Portraits[p.KOLID] = ViewShares{orNil(s.Gender), orNil(s.Ages), orNil(ordered)}
	}
	return v
}

// orNil returns shares of which some are NaN, with nil for those.
func orNil(shares []float64) []*float64 {
	known := make([]*float64, len(shares))
	for i, share := range shares {
		if !math.IsNaN(share) {
			known[i] = new(decimals(share, 6))
		}
	}
	return known
}

// provincesByShare returns which of n provinces any KOL has followers in, by their
// mean share where it is known, largest first.
func (c *Comparison) provincesByShare(n int) []int {
	var order []int
	means := make([]float64, n)
	for i := range n {
		sum, count := 0.0, 0.0
		for _, s := range c.shares {
			if share := s.Provinces[i]; share >= 0 { // NaN is not
				sum += share
				count++
			}
		}
		if sum > 0 {
			means[i] = sum / count
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(means[j], means[i]) })
	return order
}

package audience

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

const (
	shortSum        = 0.98 // the least that a list of everybody sums to without a warning: two points of the vendor's rounding
	equalScores     = 0.03 // how far below the best a score counts as equal, as a part of it: the vendor's shares are estimates
	mostTriangle    = 6    // up to how many KOLs a comparison has the similarity of each two: finalists
	mostSimilarKOLs = 1000 // up to how many KOLs each is told the most similar one: all are compared two by two
)

// Compared is one KOL of a comparison. It takes a few KB and holds on to no
// Audience, so that thousands of them can be kept.
type Compared struct {
	// Portrait has all but what the other KOLs decide: Rank and MostSimilar.
	Portrait schema.ComparedPortrait

	// What a reader has to be warned of, each a part of schema.Dimensions in its
	// order.
	Missing  []schema.Dimension // the vendor sent nothing
	Overfull []schema.Dimension // the rows hold more than everybody, so that no figure is made of them
	Short    []schema.Dimension // a list of everybody that sums to less than 98 %
	Unknown  []schema.Dimension // has rows whose names are not known

	// AtMost is the most that may match in each dimension in which something chosen
	// is not listed; nil where everything is.
	AtMost schema.Matched

	Shares Shares // to be laid over another KOL's

	profile    profile
	similarity float64 // to the most similar KOL
}

// Compared returns the KOL as one of a comparison, with names in lang. Label, asOf
// and t may be empty.
func (x *Audience) Compared(kolID, label, asOf string, t *Target, lang schema.Language) *Compared {
	s := x.Summary(lang)
	c := &Compared{profile: newProfile(x), Shares: x.shares(), Portrait: schema.ComparedPortrait{
		KOLID:          kolID,
		Label:          label,
		AsOf:           asOf,
		TopProvinces:   rankedNames(s.TopProvinces),
		TopInterests:   rankedNames(s.TopInterests),
		Tier1CityShare: rough(s.Tier1CityShare),
		OverseasShare:  rough(s.OverseasShare),
		AppleShare:     rough(x.share(known().entry(schema.DimensionDevices, "apple inc."))),
	}}
	c.setFit(x.Fit(t, lang))
	if s.Gender != nil {
		c.Portrait.Female = rough(s.Gender.Female)
	}
	if s.Age != nil {
		c.Portrait.CoreAgeGroup = s.Age.CoreGroup
		c.Portrait.CoreAgeShare = rough(&s.Age.CoreShare)
		c.Portrait.MedianYears = s.Age.MedianYears
		c.Portrait.MinorShare = rough(s.Age.MinorShare)
	}
	for _, of := range schema.Dimensions {
		l := x.List(of)
		switch {
		case l.Overfull:
			c.Overfull = append(c.Overfull, of)
		case !l.Tells():
			c.Missing = append(c.Missing, of)
		case l.listsAll() && l.Sum < shortSum-rounding:
			c.Short = append(c.Short, of)
		}
		if l.Unknown != nil {
			c.Unknown = append(c.Unknown, of)
		}
	}
	return c
}

func rankedNames(rows []schema.RankedShare) []string {
	var names []string
	for _, row := range rows {
		names = append(names, row.Name)
	}
	return names
}

func rough(share *schema.Share) *schema.RoughShare {
	if share == nil {
		return nil
	}
	return new(schema.RoughShare(*share))
}

// setFit keeps of a fit what differs from KOL to KOL.
func (c *Compared) setFit(fit *schema.Fit) {
	if fit == nil {
		return
	}
	compared := &schema.ComparedFit{Score: fit.Score, ScoreAtMost: fit.ScoreAtMost, Matched: schema.Matched{}}
	for _, of := range schema.TargetDimensions {
		m := *fit.Of(of)
		if m == nil {
			continue
		}
		if m.MatchedShare != nil {
			compared.Matched[of] = schema.RoughShare(*m.MatchedShare)
		}
		if m.AtMost != nil {
			if c.AtMost == nil {
				c.AtMost = schema.Matched{}
			}
			c.AtMost[of] = schema.RoughShare(*m.AtMost)
		}
		compared.NotListed = append(compared.NotListed, m.NotListed...)
	}
	if t := fit.TargetShare; t != nil {
		compared.TargetShare = &schema.RoughTarget{Estimate: rough(t.Estimate), EstimateAtMost: rough(t.EstimateAtMost), AtLeast: schema.RoughShare(t.AtLeast), AtMost: schema.RoughShare(t.AtMost)}
	}
	c.Portrait.Fit = compared
}

// Rank sets what the KOLs of a comparison are to one another. By score it sorts
// them in place, the best first: by score, then by scoreAtMost, then by the
// estimated target share, then by id; a score of which only the upper bound is
// known counts as 0, and KOLs without either come last and have no rank. Else
// they stay in their order and have no ranks.
//
// Each KOL gets the one most similar to it, of equals the one whose id comes
// first, where the similarity with any other is known; with more than 1,000 KOLs
// none does, since each two would be compared. The result is the similarity of
// each two of up to six KOLs, else nil.
func Rank(kols []*Compared, byScore bool) schema.LowerTriangle {
	if byScore {
		slices.SortStableFunc(kols, func(c, d *Compared) int {
			s, t := c.standing(), d.standing()
			return cmp.Or(slices.Compare(t[:], s[:]), strings.Compare(c.Portrait.KOLID, d.Portrait.KOLID))
		})
	}
	for i, c := range kols {
		c.Portrait.Rank, c.Portrait.MostSimilar = 0, nil
		if byScore && c.standing()[0] > 0 {
			c.Portrait.Rank = i + 1
		}
	}
	if len(kols) < 2 || len(kols) > mostSimilarKOLs {
		return nil
	}
	triangle := make(schema.LowerTriangle, len(kols))
	for i, c := range kols {
		triangle[i] = make([]*schema.Similarity, i)
		for j, d := range kols[:i] {
			similarity, known := c.profile.similarity(&d.profile)
			if !known {
				continue
			}
			c.offerMostSimilar(d, similarity)
			d.offerMostSimilar(c, similarity)
			if len(kols) <= mostTriangle {
				triangle[i][j] = new(schema.Similarity(decimals(similarity, 2)))
			}
		}
	}
	if len(kols) > mostTriangle {
		return nil
	}
	return triangle
}

// standing is what a KOL is ranked by: whether it has a score or its upper bound,
// the score, its upper bound and the estimated target share.
func (c *Compared) standing() (s [4]float64) {
	fit := c.Portrait.Fit
	if fit == nil {
		return s
	}
	if fit.Score != nil {
		s[0], s[1], s[2] = 1, float64(*fit.Score), float64(*fit.Score)
	}
	if fit.ScoreAtMost != nil {
		s[0], s[2] = 1, float64(*fit.ScoreAtMost)
	}
	if fit.TargetShare != nil && fit.TargetShare.Estimate != nil {
		s[3] = float64(*fit.TargetShare.Estimate)
	}
	return s
}

// offerMostSimilar makes d the KOL most similar to c, unless another one is more so.
func (c *Compared) offerMostSimilar(d *Compared, similarity float64) {
	best := c.Portrait.MostSimilar
	if best == nil || similarity > c.similarity || similarity == c.similarity && d.Portrait.KOLID < best.KOLID {
		c.similarity = similarity
		c.Portrait.MostSimilar = &schema.Similar{KOLID: d.Portrait.KOLID, Similarity: schema.Similarity(decimals(similarity, 2))}
	}
}

// Ties returns the ranks that a reader should take as equal: runs of two or more
// that follow one another, the score of each within 3 % of the one before. The
// KOLs are in rank order, as Rank sorts them.
func Ties(kols []*Compared) (ties [][]int) {
	for first := 0; first < len(kols); {
		run := []int{first + 1}
		for _, c := range kols[first+1:] {
			before := kols[run[len(run)-1]-1]
			if !(c.score() >= (1-equalScores)*before.score()-rounding) { // so of NaN
				break
			}
			run = append(run, first+1+len(run))
		}
		if len(run) > 1 {
			ties = append(ties, run)
		}
		first += len(run)
	}
	return ties
}

// score is the score, or NaN where there is none.
func (c *Compared) score() float64 {
	if fit := c.Portrait.Fit; fit != nil && fit.Score != nil {
		return float64(*fit.Score)
	}
	return math.NaN()
}

package audience

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"kol-portrait-mcp/schema"
)

// minors is the age group of those under 18.
const minors = "<18"

// ages is the age dimension of one portrait.
type ages struct {
	rows []schema.AgeShare // as the vendor sent them
}

// share returns the share of a group, and whether it has a row.
func (a ages) share(group string) (float64, bool) {
	i := slices.IndexFunc(a.rows, func(row schema.AgeShare) bool { return row.Group == group })
	if i < 0 {
		return 0, false
	}
	return a.rows[i].Percent, true
}

// unknown returns the groups that are not the vendor's usual ones.
func (a ages) unknown() []string {
	var groups []string
	for _, row := range a.rows {
		if !slices.Contains(schema.AgeGroups(), row.Group) {
			groups = append(groups, row.Group)
		}
	}
	return groups
}

// missing returns the usual groups that have no row.
func (a ages) missing() []string {
	var groups []string
	for _, group := range schema.AgeGroups() {
		if _, listed := a.share(group); !listed {
			groups = append(groups, group)
		}
	}
	return groups
}

// shares returns the shares of the usual groups, youngest first, or nil where
// a group has no row, one is unknown, or they hold more than everybody: then no
// cumulation over them can be trusted.
func (a ages) shares() []float64 {
	everybody := total(a.rows, func(row schema.AgeShare) float64 { return row.Percent })
	if len(a.missing()) > 0 || len(a.unknown()) > 0 || overfull(everybody) {
		return nil
	}
	var shares []float64
	for _, group := range schema.AgeGroups() {
		share, _ := a.share(group)
		shares = append(shares, share)
	}
	return shares
}

// core returns the largest group, the younger one of equals, and false where
// no group holds anybody.
func (a ages) core() (schema.AgeShare, bool) {
	var core schema.AgeShare
	for _, group := range schema.AgeGroups() {
		if share, _ := a.share(group); share > core.Percent {
			core = schema.AgeShare{Group: group, Percent: share}
		}
	}
	for _, row := range a.rows {
		if row.Percent > core.Percent {
			core = row
		}
	}
	return core, core.Percent > 0
}

// median returns the age in years that half of the followers are younger
// than, taking the ages within a group as evenly spread: the median of grouped
// data by linear interpolation. It is not known where it falls in a group that
// is open at one end, nor where the groups are not complete.
func (a ages) median() (float64, bool) {
	shares := a.shares()
	half := sum(shares) / 2
	var younger float64
	for i, share := range shares {
		if share > 0 && younger+share >= half {
			from, to, closed := bounds(schema.AgeGroups()[i])
			return from + (to-from)*(half-younger)/share, closed
		}
		younger += share
	}
	return 0, false
}

// bounds returns the ages that a group spans: 18-24 is from 18 up to the 25th
// birthday. A group that is open at one end has none.
func bounds(group string) (from, to float64, closed bool) {
	youngest, oldest, found := strings.Cut(group, "-")
	if !found {
		return 0, 0, false
	}
	from, errFrom := strconv.ParseFloat(youngest, 64)
	to, errTo := strconv.ParseFloat(oldest, 64)
	return from, to + 1, errFrom == nil && errTo == nil
}

// run is some neighbouring age groups, first to last of schema.AgeGroups, and
// the share that they hold together.
type run struct {
	first, last int
	share       float64
}

// shortestRun returns the fewest neighbouring groups that together hold at
// least the given share; among equally many the largest, then the youngest.
// There is none where only all groups together do, which says nothing.
func (a ages) shortestRun(atLeast float64) (run, bool) {
	shares := a.shares()
	for length := 1; length < len(shares); length++ {
		best := run{share: -1}
		for first := 0; first+length <= len(shares); first++ {
			share := sum(shares[first : first+length])
			if share > best.share {
				best = run{first: first, last: first + length - 1, share: share}
			}
		}
		if best.share >= atLeast-rounding {
			return best, true
		}
	}
	return run{}, false
}

// words names the ages of a run in a sentence: 25-44, under 25, 35 and over.
func (r run) words(lang schema.Language) string {
	groups := schema.AgeGroups()
	from, _, _ := strings.Cut(groups[r.first], "-")
	_, to, _ := strings.Cut(groups[r.last], "-")
	switch {
	case r.first == r.last:
		return groupWords(groups[r.first], lang)
	case r.first == 0:
		last, _ := strconv.Atoi(to)
		return say(lang, "under %d", "%d 岁以下", last+1)
	case r.last == len(groups)-1:
		return say(lang, "%s and over", "%s 岁及以上", from)
	default:
		return say(lang, "%s-%s", "%s-%s 岁", from, to)
	}
}

// groupWords names an age group in a sentence: >44 is over 44. A group that is
// not one of the usual is named as it is.
func groupWords(group string, lang schema.Language) string {
	switch {
	case !slices.Contains(schema.AgeGroups(), group):
		return Quote(group)
	case strings.HasPrefix(group, "<"):
		return say(lang, "under %s", "%s 岁以下", group[1:])
	case strings.HasPrefix(group, ">"):
		return say(lang, "over %s", "%s 岁以上", group[1:])
	default:
		return say(lang, "%s", "%s 岁", group)
	}
}

// summarizeAges returns the age dimension of a Summary, or nil where no age
// group holds anybody.
func summarizeAges(a ages) *schema.AgeSummary {
	core, found := a.core()
	if !found {
		return nil
	}
	s := &schema.AgeSummary{CoreGroup: core.Group, CoreShare: schema.Share(core.Percent)}
	if years, known := a.median(); known {
		s.MedianYears = new(math.Round(years*10) / 10) // a tenth is finer than the interpolation is right
	}
	if share, listed := a.share(minors); listed {
		s.MinorShare = new(schema.Share(share))
	}
	return s
}

package audience

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

const (
	// movedBy is how far a share must move to be told: one percentage point.
	// What moves less is as likely the vendor's estimate as the audience.
	movedBy = 0.01

	// movesKept is how many moves of a dimension a Change has.
	movesKept = 5

	// movesSaid is how many moves, of all dimensions, its sentence names.
	movesSaid = 3
)

// Change returns what moved from before, the portrait of the day asOf, to now:
// in each dimension the rows whose share moved by at least one percentage
// point, largest moves first, at most five, with names in lang. Devices are
// compared by brand.
//
// Only rows that both have are compared, since one that a list leaves out is
// not known there, and only dimensions whose shares can be right in both. The
// result is nil where before is.
func (a *Analyst) Change(now, before *schema.Distributions, asOf string, lang schema.Language) *schema.Change {
	if before == nil {
		return nil
	}
	if now == nil {
		now = &schema.Distributions{}
	}
	f := a.facts()
	moves := func(of schema.Dimension) []schema.Move {
		var moves []schema.Move
		for _, m := range moved(f.rows(of, now), f.rows(of, before)) {
			moves = append(moves, schema.Move{Name: f.readerName(of, m.name, now, lang), Points: m.points()})
		}
		return moves
	}
	return &schema.Change{
		AsOf:      asOf,
		Gender:    moves(schema.DimensionGender),
		Ages:      moves(schema.DimensionAgeGroups),
		Provinces: moves(schema.DimensionProvinces),
		Cities:    moves(schema.DimensionCities),
		Interests: moves(schema.DimensionInterests),
		Devices:   moves(schema.DimensionDevices),
	}
}

// move is how far one row moved, in units of rounding: whole numbers, so that
// what a difference of binary fractions loses decides nothing.
type move struct {
	name  string
	units float64
}

// points is the move in percentage points with one decimal.
func (m move) points() float64 {
	const perTenth = 0.001 / rounding
	return math.Round(m.units/perTenth) / 10
}

// moved returns the largest moves of the rows that both lists have, those of
// one size in the order of now, and none where a list holds more than
// everybody.
func moved(now, before []schema.NameShare) []move {
	if overfullNames(now) || overfullNames(before) {
		return nil
	}
	var moves []move
	for _, row := range now {
		share, listed := shareOf(before, row.Name)
		units := math.Round((row.Percent - share) / rounding)
		if listed && math.Abs(units) >= math.Round(movedBy/rounding) {
			moves = append(moves, move{row.Name, units})
		}
	}
	slices.SortStableFunc(moves, func(a, b move) int { return cmp.Compare(math.Abs(b.units), math.Abs(a.units)) })
	return moves[:min(movesKept, len(moves))]
}

// readerName is what a reader of lang calls a row of d that facts.rows has. A
// brand that is in no table goes by the vendor's name in that language.
func (f *facts) readerName(of schema.Dimension, row string, d *schema.Distributions, lang schema.Language) string {
	switch of {
	case schema.DimensionGender:
		return genderName(row, lang)
	case schema.DimensionDevices:
		i := slices.IndexFunc(d.Devices, func(device schema.DeviceShare) bool { return f.device(device, schema.English) == row })
		return f.device(d.Devices[i], lang)
	default:
		return f.name(of, row, lang)
	}
}

// genderName is what the vendor and a Change call a gender, an adjective; a
// target audience's is a noun.
func genderName(gender string, lang schema.Language) string {
	if gender == schema.Female {
		return say(lang, schema.Female, "女性")
	}
	return say(lang, schema.Male, "男性")
}

// ChangeInsight returns one sentence on the largest moves of c over all
// dimensions, at most three, and none where nothing moved. C has its names in
// lang.
//
// It spends no words on what follows from what it has said: the other gender's
// move, or that of a city which is a province too.
func (a *Analyst) ChangeInsight(c *schema.Change, lang schema.Language) string {
	if c == nil {
		return ""
	}
	moves := slices.Concat(c.Gender[:min(1, len(c.Gender))], c.Ages, c.Provinces, c.Cities, c.Interests, c.Devices)
	slices.SortStableFunc(moves, func(a, b schema.Move) int { return cmp.Compare(math.Abs(b.Points), math.Abs(a.Points)) })

	var words, named []string
	for _, m := range moves {
		if len(words) == movesSaid {
			break
		}
		if slices.Contains(named, m.Name) {
			continue
		}
		named = append(named, m.Name)
		words = append(words, say(lang, "%s %+.1f points", "%s %+.1f 个百分点", moverWords(m.Name, lang), m.Points))
	}
	if words == nil {
		return ""
	}
	return say(lang, "Since %s: %s.", "较 %s：%s。", c.AsOf, strings.Join(words, say(lang, ", ", "，")))
}

// moverWords is what a sentence calls a row of a Change.
func moverWords(name string, lang schema.Language) string {
	switch {
	case name == schema.Female:
		return "women"
	case name == schema.Male:
		return "men"
	case slices.Contains(schema.AgeGroups(), name) && strings.Contains(name, "-"):
		return say(lang, "ages %s", "%s", groupWords(name, lang)) // 25-34 -1.0 would read like a sum
	case slices.Contains(schema.AgeGroups(), name):
		return groupWords(name, lang)
	default:
		return Quote(name)
	}
}

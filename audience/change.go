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
// A row that one of two lists leaves out is not known there. But the vendor cuts
// a list of cities, interests or devices off after its largest rows, so that
// the row held no more than the smallest of them: it moved at least as far as
// from there. Only dimensions whose shares can be right in both are compared.
// The result is nil where before is.
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
		for _, m := range f.moved(of, now, before) {
			moves = append(moves, schema.Move{Name: f.readerName(of, m.name, slices.Concat(now.Devices, before.Devices), lang), Points: m.points(), AtLeast: m.atLeast})
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
	name    string
	units   float64
	atLeast bool // one of the lists leaves the row out
}

// points is the move in percentage points with one decimal.
func (m move) points() float64 {
	const perTenth = 0.001 / rounding
	return math.Round(m.units/perTenth) / 10
}

// moved returns the largest moves of a dimension's rows, and none where a list
// holds more than everybody.
func (f *facts) moved(of schema.Dimension, now, before *schema.Distributions) []move {
	rows, since := f.rows(of, now), f.rows(of, before)
	if overfullNames(rows) || overfullNames(since) {
		return nil
	}
	moves := f.movesTo(rows, since, of, before.LeftOut[of] > 0)
	for _, m := range f.movesTo(since, rows, of, now.LeftOut[of] > 0) {
		if m.atLeast { // the others are those above
			moves = append(moves, move{m.name, -m.units, true})
		}
	}
	slices.SortStableFunc(moves, largestFirst)
	return moves[:min(movesKept, len(moves))]
}

// largestFirst compares moves: the larger first, then those of rows that both
// lists have, in their order, then the others by name.
func largestFirst(a, b move) int {
	order := cmp.Compare(math.Abs(b.units), math.Abs(a.units))
	switch {
	case order != 0 || !a.atLeast && !b.atLeast:
		return order
	case a.atLeast && b.atLeast:
		return strings.Compare(a.name, b.name)
	case a.atLeast:
		return 1
	default:
		return -1
	}
}

// movesTo returns how far the rows of one list moved since the other, where
// that is far enough. LeftOut tells that the other lacks rows of any size.
func (f *facts) movesTo(rows, since []schema.NameShare, of schema.Dimension, leftOut bool) []move {
	var moves []move
	for _, row := range rows {
		share, listed := shareOf(since, row.Name)
		switch {
		case listed:
		case complete(of), leftOut, len(since) == 0:
			continue // nothing bounds what it held
		case of == schema.DimensionCities && f.municipality(row.Name):
			continue // the provinces tell
		}
		if !listed {
			share = smallest(since)
		}
		units := math.Round((row.Percent - share) / rounding)
		far := math.Abs(units) >= math.Round(movedBy/rounding)
		if far && (listed || units > 0) { // less than the bound says nothing
			moves = append(moves, move{row.Name, units, !listed})
		}
	}
	return moves
}

func smallest(rows []schema.NameShare) float64 {
	least := rows[0].Percent
	for _, row := range rows {
		least = min(least, row.Percent)
	}
	return least
}

// readerName is what a reader of lang calls a row that facts.rows has. A brand
// that is in no table goes by the vendor's name among devices in that language.
func (f *facts) readerName(of schema.Dimension, row string, devices []schema.DeviceShare, lang schema.Language) string {
	switch of {
	case schema.DimensionGender:
		return genderName(row, lang)
	case schema.DimensionDevices:
		i := slices.IndexFunc(devices, func(device schema.DeviceShare) bool { return f.device(device, schema.English) == row })
		return f.device(devices[i], lang)
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
		atLeast := ""
		if m.AtLeast {
			atLeast = say(lang, "at least ", "至少 ")
		}
		words = append(words, say(lang, "%s %s%+.1f points", "%s %s%+.1f 个百分点", moverWords(m.Name, lang), atLeast, m.Points))
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

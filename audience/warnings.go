package audience

import (
	"math"
	"slices"
	"time"

	"kol-portrait-mcp/schema"
)

const (
	// staleDays is how old a portrait may be before it is said. Audiences move
	// slowly; a month is how long planners keep a portrait.
	staleDays = 30

	// unplaced is the share of followers of unknown province from which the
	// other provinces' shares are markedly too low.
	unplaced = 0.05
)

// Warnings returns what a careful analyst would want to know before relying on
// the distributions, as sentences in lang: sums that are off by more than two
// points, dimensions and rows that are missing, left out or not known, and a
// portrait more than 30 days old or of no known day. AsOf is the vendor's day,
// YYYY-MM-DD; days are counted in China's time, the vendor's. Nothing to warn
// of is an empty slice, never nil.
func (a *Analyst) Warnings(d *schema.Distributions, asOf string, today time.Time, lang schema.Language) []string {
	if d == nil {
		d = &schema.Distributions{}
	}
	warnings := nonEmpty(
		dayWarning(asOf, today, lang),
		missingWarning(d, lang),
		leftOutWarning(d.LeftOut, lang),
		genderWarning(d.Gender, lang),
		unknownAgeWarning(d.Ages, lang),
		missingAgeWarning(d.Ages, lang),
		a.unknownProvinceWarning(d.Provinces, lang),
		unplacedWarning(d.Provinces, lang),
	)
	warnings = append(warnings, sumWarnings(d, lang)...)
	if warnings == nil {
		return []string{}
	}
	return warnings
}

func dayWarning(asOf string, today time.Time, lang schema.Language) string {
	age, known := ageInDays(asOf, today)
	switch {
	case !known:
		return say(lang, "The day of the data is not known.", "数据日期未知。")
	case age > staleDays:
		return say(lang, "The portrait is %d days old.", "画像数据距今已 %d 天。", age)
	case ahead(age):
		return say(lang, "The vendor dates the portrait %s, in the future.", "画像数据日期 %s 晚于今天。", asOf)
	default:
		return ""
	}
}

// ageInDays is how many days a portrait is old, and whether its day is known.
func ageInDays(asOf string, today time.Time) (int, bool) {
	day, err := time.Parse(time.DateOnly, asOf)
	if err != nil {
		return 0, false
	}
	return daysBetween(day, today), true
}

// ahead tells an age of the future. A day ahead is a matter of time zones.
func ahead(age int) bool { return age < -1 }

// daysBetween counts the days from a day to today in China. The zone is
// spelled out, since a container may have no time zone data.
func daysBetween(day, today time.Time) int {
	china := time.FixedZone("Asia/Shanghai", 8*60*60)
	year, month, date := today.In(china).Date()
	midnight := time.Date(year, month, date, 0, 0, 0, 0, time.UTC)
	const secondsPerDay = 24 * 60 * 60 // counted in seconds: a Duration holds 292 years at most
	return int((midnight.Unix() - day.Unix()) / secondsPerDay)
}

func missingWarning(d *schema.Distributions, lang schema.Language) string {
	var words []string
	for _, of := range missing(d) {
		words = append(words, DimensionName(of, lang))
	}
	if words == nil {
		return ""
	}
	return say(lang, "The vendor sent no data on: %s.", "数据方未提供：%s。", enumerate(words, lang))
}

func leftOutWarning(leftOut map[schema.Dimension]int, lang schema.Language) string {
	var counts []string
	for _, of := range schema.Dimensions() {
		if n := leftOut[of]; n > 0 {
			counts = append(counts, say(lang, "%s %d", "%s %d", DimensionName(of, lang), n))
		}
	}
	if counts == nil {
		return ""
	}
	return say(lang, "Rows without a usable name or figure are left out: %s.", "名称或数值不可用、未计入的行数：%s。", enumerate(counts, lang))
}

// missing returns the dimensions that the vendor sent no share of, in its
// order.
func missing(d *schema.Distributions) []schema.Dimension {
	var missing []schema.Dimension
	for _, dimension := range []struct {
		of   schema.Dimension
		rows int
	}{
		{schema.DimensionAgeGroups, len(d.Ages)},
		{schema.DimensionGender, genders(d.Gender)},
		{schema.DimensionInterests, len(d.Interests)},
		{schema.DimensionProvinces, len(d.Provinces)},
		{schema.DimensionCities, len(d.Cities)},
		{schema.DimensionDevices, len(d.Devices)},
	} {
		if dimension.rows == 0 {
			missing = append(missing, dimension.of)
		}
	}
	return missing
}

// genders is how many of the two shares are known.
func genders(g *schema.GenderShares) int {
	if g == nil {
		return 0
	}
	known := 0
	for _, share := range []*float64{g.Male, g.Female} {
		if share != nil {
			known++
		}
	}
	return known
}

func genderWarning(g *schema.GenderShares, lang schema.Language) string {
	switch {
	case genders(g) != 1:
		return ""
	case g.Male == nil:
		return say(lang, "The share of men is not known.", "男性占比未知。")
	default:
		return say(lang, "The share of women is not known.", "女性占比未知。")
	}
}

func unknownAgeWarning(rows []schema.AgeShare, lang schema.Language) string {
	groups := ages{rows: rows}.unknown()
	if groups == nil {
		return ""
	}
	return say(lang, "Unknown age group: %s; no median.", "未识别的年龄段：%s，故不计算中位数。", Some(quoted(groups), namesShown, lang))
}

func missingAgeWarning(rows []schema.AgeShare, lang schema.Language) string {
	groups := ages{rows: rows}.missing()
	if len(rows) == 0 || groups == nil || (ages{rows: rows}).unknown() != nil { // unknown groups may cover them
		return ""
	}
	return say(lang, "No share given for ages: %s; no median.", "缺少年龄段：%s，故不计算中位数。", enumerate(groups, lang))
}

func (a *Analyst) unknownProvinceWarning(rows []schema.NameShare, lang schema.Language) string {
	var unknown []string
	for _, row := range rows {
		if !a.facts().provinceKnown(row.Name) {
			unknown = append(unknown, row.Name)
		}
	}
	if unknown == nil {
		return ""
	}
	return say(lang, "Unknown province: %s; in no region.", "未识别的省份：%s，未计入大区。", Some(quoted(unknown), namesShown, lang))
}

func unplacedWarning(rows []schema.NameShare, lang schema.Language) string {
	share, _ := shareOf(rows, domestic)
	if share < unplaced {
		return ""
	}
	return say(lang, "For %s the province in China is not known.", "%s 的粉丝在国内但省份未知。", Percent(share))
}

// sumWarnings checks that the shares of each dimension add up: to 1 where the
// vendor lists all of it, to no more where it cuts the list off.
func sumWarnings(d *schema.Distributions, lang schema.Language) []string {
	var warnings []string
	for _, s := range sumsOff(d) {
		kind := capitalize(kindOf(s.of, lang))
		warning := say(lang, "%s shares sum to %s, over 100%%.", "%s占比合计 %s，超过 100%%。", kind, Percent(s.sum))
		if s.whole {
			warning = say(lang, "%s shares sum to %s, not 100%%.", "%s占比合计 %s，而非 100%%。", kind, Percent(s.sum))
		}
		warnings = append(warnings, warning)
	}
	return warnings
}

// dimensionSum is what the shares of a dimension add up to.
type dimensionSum struct {
	of    schema.Dimension
	whole bool // the vendor lists all of the dimension, so that it is to be 1, and else no more
	sum   float64
}

func (s dimensionSum) off() bool {
	if s.whole {
		return math.Abs(s.sum-1) > sumTolerance+rounding
	}
	return overfull(s.sum)
}

// sumsOff returns the sums that are off by more than the vendor's rounding. A
// dimension without data has none, nor has one gender alone.
func sumsOff(d *schema.Distributions) []dimensionSum {
	byAge := func(row schema.AgeShare) float64 { return row.Percent }
	byDevice := func(row schema.DeviceShare) float64 { return row.Percent }
	sums := []dimensionSum{
		{schema.DimensionAgeGroups, len(d.Ages) > 0, total(d.Ages, byAge)},
		{schema.DimensionGender, genders(d.Gender) == 2, totalOf(genderRows(d.Gender))},
		{schema.DimensionProvinces, len(d.Provinces) > 0, totalOf(d.Provinces)},
		{schema.DimensionInterests, false, totalOf(d.Interests)},
		{schema.DimensionCities, false, totalOf(d.Cities)},
		{schema.DimensionDevices, false, total(d.Devices, byDevice)},
	}
	return slices.DeleteFunc(sums, func(s dimensionSum) bool { return !s.off() })
}

package tools

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// mostColumns is up to how many KOLs are columns of the matrix; more are rows.
const mostColumns = 6

// column is one figure of every KOL.
type column struct {
	title string
	head  string // the title where every space counts
	about string // what the head means, where it does not say so itself
	cells []string

	match   bool // how many match in a dimension of the target: told even where no KOL has the figure
	repeats bool // may say the same as a match does
}

// matrix writes the figures: KOLs as columns while a person can read them side
// by side, else as rows.
func (w *comparisonWriter) matrix() {
	columns := w.columns()
	if w.inRows() {
		w.rows(columns)
		return
	}
	var table [][]string
	for _, c := range columns {
		table = append(table, append([]string{c.title}, c.cells...))
	}
	for _, line := range aligned(table, "  ", strings.Repeat("l", len(w.comparison.Portraits)+1)) {
		w.line("%s", line)
	}
}

func (w *comparisonWriter) inRows() bool { return len(w.comparison.Portraits) > mostColumns }

// rows writes one KOL to a line, under heads that are short and explained: with
// many KOLs every space counts.
func (w *comparisonWriter) rows(columns []column) {
	table := make([][]string, len(w.comparison.Portraits)+1)
	var sides strings.Builder
	var legend []string
	for i, c := range columns {
		table[0] = append(table[0], c.head)
		for j, cell := range c.cells {
			table[j+1] = append(table[j+1], cell)
		}
		if c.about != "" {
			legend = append(legend, c.head+w.say(": ", "：")+c.about)
		}
		if i == kolColumn {
			sides.WriteByte('l')
		} else {
			sides.WriteByte('r')
		}
	}
	w.line(w.say("%s; ?: not known.", "%s；?：未知。"), strings.Join(legend, w.say("; ", "；")))
	for _, line := range aligned(table, " ", sides.String()) {
		w.line("%s", line)
	}
}

// kolColumn is which of the columns names the KOL.
const kolColumn = 1

// columns returns the figures that some KOL has.
func (w *comparisonWriter) columns() []column {
	columns := []column{
		w.numbers(),
		w.column(column{title: w.say("KOL", "达人"), head: w.say("KOL", "达人")}, func(p portrait) string { return p.KOLID }),
		w.column(column{title: w.say("Score", "评分"), head: w.say("Score", "评分")}, fitted(score)),
	}
	dimensions := 0
	for _, d := range schema.Dimensions() {
		name := audience.DimensionName(d, w.lang)
		if !slices.ContainsFunc(w.comparison.Portraits, func(p portrait) bool { return p.Fit.Speaks(d) }) {
			continue
		}
		dimensions++
		columns = append(columns, w.column(column{title: w.say("Match: ", "匹配：") + name, head: w.head(d), about: w.say("match in ", "匹配：") + name, match: true},
			fitted(func(f *schema.ComparedFit) string { return matched(f, d) })))
	}
	if dimensions > 1 { // of one, the match is all there is to say
		columns = append(columns, w.column(column{
			title: w.say("All, if independent (bounds)", "全部符合，假设各维度独立（上下限）"),
			head:  w.say("All", "全部"), about: w.say("match all, if independent (bounds)", "全部符合，假设各维度独立（上下限）"),
		}, fitted(reach)))
	}
	columns = append(columns,
		w.column(column{title: w.say("Women", "女性"), head: w.say("Fem", "女性"), about: w.say("women", ""), repeats: true}, func(p portrait) string { return share(p.Female) }),
		w.column(column{title: w.say("Core age", "核心年龄"), head: w.say("Core", "核心"), about: w.say("largest age group", "占比最高的年龄段")}, coreAge),
		w.column(column{title: w.say("Median age", "年龄中位数"), head: w.say("Med", "中位"), about: w.say("median age", "年龄中位数")}, func(p portrait) string { return years(p.MedianYears) }),
		w.column(column{title: w.say("Under 18", "未成年人"), head: "<18"}, func(p portrait) string { return share(p.MinorShare) }),
		w.column(column{title: w.say("Top provinces", "主要省份"), head: w.say("Provinces", "主要省份")}, func(p portrait) string { return quoted(p.TopProvinces) }),
		w.column(column{title: w.say("Top interests", "主要兴趣"), head: w.say("Interests", "主要兴趣")}, func(p portrait) string { return quoted(p.TopInterests) }),
		w.column(column{title: w.say("First-tier cities, at least", "一线城市（至少）"), head: w.say("T1", "一线"), about: w.say("first-tier cities, at least", "一线城市，至少"), repeats: true}, func(p portrait) string { return share(p.Tier1CityShare) }),
		w.column(column{title: w.say("Overseas", "海外"), head: w.say("Over", "海外"), about: w.say("overseas", "")}, func(p portrait) string { return share(p.OverseasShare) }),
		w.column(column{title: w.say("Apple", "苹果"), head: w.say("Apple", "苹果"), repeats: true}, func(p portrait) string { return share(p.AppleShare) }),
		w.column(column{title: w.say("As of", "数据日期"), head: w.say("Date", "日期"), about: w.say("of the data", "数据日期")}, w.day),
	)
	columns = slices.DeleteFunc(columns, func(c column) bool { return !c.match && !c.known() })
	for _, c := range columns {
		c.fillGaps()
	}
	if w.inRows() {
		return withoutRepetition(columns)
	}
	return columns
}

// numbers is the column of the ranks, or, where sentences name a KOL by it, of
// the rows' numbers: they are the same where there are ranks.
func (w *comparisonWriter) numbers() column {
	c := w.column(column{title: w.say("Rank", "排名"), head: "#"}, func(p portrait) string { return rank(p.Rank) })
	for i := range c.cells {
		if w.inRows() {
			c.cells[i] = strconv.Itoa(i + 1)
		}
	}
	return c
}

// withoutRepetition leaves out a column whose figures those who match have too:
// where women are the target, who matches and who is a woman are the same.
func withoutRepetition(columns []column) []column {
	var kept []column
	for _, c := range columns {
		same := func(k column) bool { return k.match && slices.Equal(k.cells, c.cells) }
		if !c.repeats || !slices.ContainsFunc(kept, same) {
			kept = append(kept, c)
		}
	}
	return kept
}

// head is the head of a dimension's column where every space counts.
func (w *comparisonWriter) head(d schema.Dimension) string {
	heads := map[schema.Dimension]string{
		schema.DimensionGender: "Gend", schema.DimensionAgeGroups: "Age", schema.DimensionProvinces: "Prov",
		schema.DimensionCities: "City", schema.DimensionInterests: "Int", schema.DimensionDevices: "Dev",
	}
	return w.say(heads[d], audience.DimensionName(d, schema.Chinese))
}

// day is the day of the data, without hyphens where every space counts.
func (w *comparisonWriter) day(p portrait) string {
	if w.inRows() {
		return strings.ReplaceAll(p.AsOf, "-", "")
	}
	return p.AsOf
}

// column fills in the cells of c.
func (w *comparisonWriter) column(c column, cell func(portrait) string) column {
	for _, p := range w.comparison.Portraits {
		c.cells = append(c.cells, cell(p))
	}
	return c
}

// known tells whether any KOL has the figure.
func (c column) known() bool {
	return slices.ContainsFunc(c.cells, func(cell string) bool { return cell != "" })
}

// fillGaps marks what is not known.
func (c column) fillGaps() {
	for i, cell := range c.cells {
		if cell == "" {
			c.cells[i] = "?"
		}
	}
}

// fitted is the cell of a figure that a fit has.
func fitted(cell func(*schema.ComparedFit) string) func(portrait) string {
	return func(p portrait) string {
		if p.Fit == nil {
			return ""
		}
		return cell(p.Fit)
	}
}

func score(f *schema.ComparedFit) string {
	if f.Score == nil {
		return ""
	}
	return sign(f.ScoreLowerBound) + strconv.FormatFloat(*f.Score, 'f', 2, 64)
}

// matched writes a matched share, with a sign where it is a lower bound.
func matched(f *schema.ComparedFit, d schema.Dimension) string {
	matched, known := f.Matched[d]
	if !known {
		return ""
	}
	return sign(slices.Contains(f.NotListed, d)) + audience.Points(matched)
}

// reach writes who matches all dimensions: as though they were independent, and
// between which bounds.
func reach(f *schema.ComparedFit) string {
	if f.Reach == nil {
		return ""
	}
	independent := "?"
	if f.Reach.Independent != nil {
		independent = sign(len(f.NotListed) > 0) + audience.Points(*f.Reach.Independent)
	}
	least := "0"
	if f.Reach.AtLeast > 0 {
		least = audience.Points(f.Reach.AtLeast)
	}
	return fmt.Sprintf("%s (%s-%s)", independent, least, audience.Points(f.Reach.AtMost))
}

// sign stands before a lower bound.
func sign(lowerBound bool) string {
	if lowerBound {
		return "≥"
	}
	return ""
}

func coreAge(p portrait) string {
	if p.CoreAgeShare == nil {
		return ""
	}
	return audience.Quote(p.CoreAgeGroup) + " " + audience.Points(*p.CoreAgeShare)
}

func share(s *schema.RoughShare) string {
	if s == nil {
		return ""
	}
	return audience.Points(*s)
}

func years(y *float64) string {
	if y == nil {
		return ""
	}
	return strconv.FormatFloat(*y, 'f', 1, 64)
}

// rank is absent where there is no score to rank by.
func rank(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// quoted joins names with slashes in one cell, which none of them may contain or
// fill: the vendor's names may be long.
func quoted(names []string) string {
	const widest = 24
	words := make([]string, len(names))
	for i, name := range names {
		if runes := []rune(name); len(runes) > widest {
			name = string(runes[:widest]) + "…"
		}
		words[i] = audience.Quote(strings.ReplaceAll(name, "/", "|"))
	}
	return strings.Join(words, "/")
}

// aligned sets the cells of a table under one another, as wide as a terminal
// shows them, for which Chinese is twice as wide. Each column of sides is l,
// flush left, or r, flush right.
func aligned(table [][]string, gap, sides string) []string {
	widths := make([]int, len(sides))
	for _, row := range table {
		for i, cell := range row {
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	lines := make([]string, len(table))
	for i, row := range table {
		cells := make([]string, len(row))
		for j, cell := range row {
			padding := strings.Repeat(" ", widths[j]-uniseg.StringWidth(cell))
			if sides[j] == 'r' {
				cells[j] = padding + cell
			} else {
				cells[j] = cell + padding
			}
		}
		lines[i] = strings.TrimRight(strings.Join(cells, gap), " ")
	}
	return lines
}

package report

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// Sheet is what a caller's own table says of KOLs. It is carried into every form
// of a comparison.
type Sheet struct {
	Columns []string            // names of further columns, in their order
	Rows    map[string]SheetRow // by kolId
}

// SheetRow is one KOL of a Sheet.
type SheetRow struct {
	Followers, Price *float64 // nil where the table does not say
	Cells            []string // of Columns
}

// reach is a SheetRow's figures, and what they come to with the target share: how
// many followers are of the target audience, and what a thousand of those cost.
// What is not known, or would divide by 0, is absent.
type reach struct {
	Followers               *float64 `json:"followers,omitempty"`
	Price                   *float64 `json:"price,omitempty"`
	TargetFollowers         *float64 `json:"targetFollowers,omitempty"`
	TargetFollowersAtLeast  *float64 `json:"targetFollowersAtLeast,omitempty"`
	TargetFollowersAtMost   *float64 `json:"targetFollowersAtMost,omitempty"`
	PricePerThousand        *float64 `json:"pricePerThousand,omitempty"`
	PricePerThousandAtLeast *float64 `json:"pricePerThousandAtLeast,omitempty"`
	PricePerThousandAtMost  *float64 `json:"pricePerThousandAtMost,omitempty"`
}

func (r SheetRow) reach(f *schema.ComparedFit) *reach {
	out := &reach{Followers: r.Followers, Price: r.Price}
	if r.Followers == nil || f == nil || f.TargetShare == nil {
		return out
	}
	of := func(share schema.RoughShare) (people, perThousand *float64) {
		n := *r.Followers * float64(share)
		if r.Price != nil && n > 0 {
			perThousand = new(math.Round(*r.Price/n*1000*100) / 100)
		}
		return new(math.Round(n)), perThousand
	}
	if e := f.TargetShare.Estimate; e != nil {
		out.TargetFollowers, out.PricePerThousand = of(*e)
	}
	out.TargetFollowersAtLeast, out.PricePerThousandAtMost = of(f.TargetShare.AtLeast)
	out.TargetFollowersAtMost, out.PricePerThousandAtLeast = of(f.TargetShare.AtMost)
	return out
}

// line is one KOL as a JSON object, which is also a row of CSV.
type line struct {
	schema.ComparedPortrait
	*reach
	Columns map[string]string `json:"columns,omitempty"`
	Sample  bool              `json:"sample,omitempty"` // simulated data, so that no line passes for real
	Error   *schema.Error     `json:"error,omitempty"`
}

// lines are the KOLs in their order, and behind them those without a portrait.
func (c *Comparison) lines() []line {
	var lines []line
	for _, p := range c.Portraits {
		lines = append(lines, line{ComparedPortrait: p})
	}
	for _, f := range c.Failures {
		lines = append(lines, line{ComparedPortrait: schema.ComparedPortrait{KOLID: f.KOLID, Label: plain(f.Label)}, Error: f.Error})
	}
	for i, l := range lines {
		lines[i].Sample = c.Source.Sample
		if c.Sheet == nil {
			continue
		}
		row := c.Sheet.Rows[l.KOLID]
		lines[i].reach, lines[i].Columns = row.reach(l.Fit), map[string]string{}
		for at, cell := range row.Cells[:min(len(row.Cells), len(c.Sheet.Columns))] {
			lines[i].Columns[c.Sheet.Columns[at]] = visible(cell)
		}
	}
	return lines
}

// JSON writes the comparison, with the fields of the caller's own table in its
// portraits.
func (c *Comparison) JSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(struct {
		schema.Comparison

		Portraits []line `json:"portraits"`
	}{c.Comparison, c.lines()[:len(c.Portraits)]})
}

// Lines writes the KOLs as JSON, an object a line: the fields of the comparison's
// portraits and those of the caller's own table, failures with their error.
func (c *Comparison) Lines(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for _, l := range c.lines() {
		if err := out.Encode(l); err != nil {
			return fmt.Errorf("write the comparison as JSON lines: %w", err)
		}
	}
	return nil
}

// fields are CSV's columns, and where a line of JSON has their value if not under
// the same name.
var fields = [][2]string{
	{"rank"}, {"kolId"}, {"label"}, {"asOf"}, {"score", "fit.score"}, {"scoreAtMost", "fit.scoreAtMost"},
	{"targetShare", "fit.targetShare.estimate"}, {"targetShareAtLeast", "fit.targetShare.atLeast"}, {"targetShareAtMost", "fit.targetShare.atMost"},
	{"female"}, {"coreAgeGroup"}, {"coreAgeShare"}, {"medianYears"}, {"minorShare"}, {"topProvinces"}, {"topInterests"},
	{"tier1CityShare"}, {"overseasShare"}, {"appleShare"}, {"mostSimilar", "mostSimilar.kolId"}, {"similarity", "mostSimilar.similarity"},
	{"matchedGender", "fit.matched.gender"}, {"matchedAgeGroups", "fit.matched.ageGroups"}, {"matchedPlaces", "fit.matched.places"},
	{"matchedInterests", "fit.matched.interests"}, {"matchedDevices", "fit.matched.devices"}, {"notListed", "fit.notListed"}, {"error", "error.kind"},
}

var sheetFields = [][2]string{
	{"followers"}, {"price"}, {"targetFollowers"}, {"targetFollowersAtLeast"}, {"targetFollowersAtMost"},
	{"pricePerThousand"}, {"pricePerThousandAtLeast"}, {"pricePerThousandAtMost"},
}

// CSV writes the KOLs as a table, a row each, under the names that the fields have
// as data; shares are fractions, and what is not known is empty. Failures stand
// last, with their kind as error.
func (c *Comparison) CSV(w io.Writer) error {
	columns, carried := fields, []string{}
	if c.Sheet != nil {
		columns, carried = append(columns[:len(columns):len(columns)], sheetFields...), c.Sheet.Columns
	}
	if c.Source.Sample {
		columns = append(columns[:len(columns):len(columns)], [2]string{"sample"})
	}
	var header []string
	for _, column := range columns {
		header = append(header, column[0])
	}
	rows := [][]string{append(header, carried...)}
	for _, l := range c.lines() {
		raw, err := json.Marshal(l)
		if err != nil {
			return fmt.Errorf("write the comparison as CSV: %w", err)
		}
		var object map[string]any
		numbers := json.NewDecoder(bytes.NewReader(raw))
		numbers.UseNumber()
		if err := numbers.Decode(&object); err != nil {
			return fmt.Errorf("write the comparison as CSV: %w", err)
		}
		var row []string
		for _, column := range columns {
			row = append(row, cell(object, cmp.Or(column[1], column[0])))
		}
		for _, column := range carried {
			row = append(row, l.Columns[column])
		}
		rows = append(rows, row)
	}
	return writeCSV(w, byteOrderMark, rows)
}

// cell is the value at a path of an object, a list joined by slashes.
func cell(object map[string]any, path string) string {
	first, rest, deeper := strings.Cut(path, ".")
	switch v := object[first].(type) {
	case map[string]any:
		if deeper {
			return cell(v, rest)
		}
		return ""
	case []any:
		var words []string
		for _, word := range v {
			words = append(words, fmt.Sprint(word))
		}
		return strings.Join(words, "/")
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

// byteOrderMark lets spreadsheets read the UTF-8 of Chinese names.
const byteOrderMark = "\ufeff"

// writeCSV writes rows behind a mark. What a spreadsheet would run as a formula
// gets an apostrophe in front.
func writeCSV(w io.Writer, mark string, rows [][]string) error {
	for _, row := range rows {
		for i, cell := range row {
			if _, err := strconv.ParseFloat(cell, 64); err != nil && strings.IndexAny(cell, "=+-@＝＋－＠\t\r") == 0 {
				row[i] = "'" + cell
			}
		}
	}
	if _, err := io.WriteString(w, mark); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	if err := csv.NewWriter(w).WriteAll(rows); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// LongHeader writes the header of csv-long.
func LongHeader(w io.Writer) error {
	return writeCSV(w, byteOrderMark, [][]string{{"kolId", "label", "asOf", "dimension", "name", "displayName", "share", "tgi", "sample"}})
}

// Long writes one KOL for csv-long: a row for each row of the vendor's. name is the
// vendor's own, displayName the reader's, share a fraction.
func Long(w io.Writer, kolID, label, asOf string, x *audience.Audience, sample bool, lang schema.Language) error {
	var rows [][]string
	for _, of := range schema.Dimensions {
		for _, r := range x.List(of).Rows {
			share := strconv.FormatFloat(r.Share, 'f', -1, 64)
			tgi := optional(func(i schema.Index) string { return strconv.FormatFloat(float64(i), 'f', 1, 64) }, r.TGI)
			rows = append(rows, []string{kolID, plain(label), asOf, string(of), r.Name, r.In(lang), share, tgi, strconv.FormatBool(sample)})
		}
	}
	return writeCSV(w, "", rows)
}

// sheetTable is the caller's own figures and what they come to, a KOL a row under a
// header; nil where there are none.
func (c *Comparison) sheetTable() [][]string {
	if c.Sheet == nil || len(c.Portraits) == 0 {
		return nil
	}
	table := [][]string{append([]string{"#", c.say("Followers", "粉丝数"), c.say("Price", "报价"), c.say("Target followers (bounds)", "目标粉丝数（上下限）"),
		c.say("Price per 1,000 target followers (bounds)", "每千目标粉丝成本（上下限）")}, names(c.Sheet.Columns)...)}
	for i, l := range c.lines()[:len(c.Portraits)] {
		row := []string{c.number(i), c.figure(l.Followers), c.figure(l.Price),
			c.within(l.TargetFollowers, l.TargetFollowersAtLeast, l.TargetFollowersAtMost),
			c.within(l.PricePerThousand, l.PricePerThousandAtLeast, l.PricePerThousandAtMost)}
		for _, column := range c.Sheet.Columns {
			row = append(row, name(l.Columns[column]))
		}
		table = append(table, row)
	}
	return table
}

// figure writes a number with separators of thousands.
func (c *Comparison) figure(v *float64) string {
	text := optional(func(v float64) string { return message.NewPrinter(language.English).Sprintf("%.2f", v) }, v)
	return cmp.Or(strings.TrimSuffix(text, ".00"), c.unknown())
}

// within writes an estimate and its bounds: 9,300 (0-17,000).
func (c *Comparison) within(estimate, atLeast, atMost *float64) string {
	switch {
	case atLeast == nil && atMost == nil:
		return c.unknown()
	case atMost == nil:
		return c.say("%s (at least %s)", "%s（至少 %s）", c.figure(estimate), c.figure(atLeast))
	default:
		return fmt.Sprintf("%s (%s-%s)", c.figure(estimate), c.figure(atLeast), c.figure(atMost))
	}
}

package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
	"golang.org/x/text/width"

	utf "golang.org/x/text/encoding/unicode"

	"kol-portrait-mcp/report"
)

// kol is one of the KOLs that the caller names.
type kol struct {
	text  string // an id or an address, as it was given
	label string // the creator's name; empty where it is not given
	row   report.SheetRow
}

// uses say what the columns of a table are used for, by their names in lower case.
// Any other column is carried along.
var uses = map[string]string{
	"followers": "followers", "粉丝数": "followers",
	"price": "price", "报价": "price", "价格": "price",
	"name": "name", "昵称": "name", "达人": "name", "达人昵称": "name",
	"fans": "followers", "粉丝": "followers", "粉丝量": "followers",
}

// idNames are what people call the first column, in lower case.
var idNames = []string{
	"id", "kol", "kolid", "kol_id", "kol id", "userid", "user_id", "user id", "url", "link", "address", "profile", "creator", "account",
	"达人", "达人id", "用户id", "小红书id", "博主", "博主id", "账号", "主页", "主页链接", "主页地址", "链接",
}

// readSheet reads a list of ids or addresses, one a line, or a table whose first
// column they are. It also returns the names of the columns that are carried along.
func readSheet(r io.Reader) (kols []kol, carried []string, err error) {
	text, err := readText(r)
	if err != nil {
		return nil, nil, err
	}
	table := csv.NewReader(strings.NewReader(text))
	table.Comma, table.Comment = separator(text), '#'
	table.LazyQuotes, table.FieldsPerRecord = true, -1 // a row that is odd costs no other row
	rows, err := table.ReadAll()
	if err != nil {
		return nil, nil, err
	}
	for _, row := range rows {
		for i, cell := range row {
			row[i] = strings.TrimSpace(cell)
		}
	}
	rows = slices.DeleteFunc(rows, func(row []string) bool { return strings.Join(row, "") == "" })
	header := make([]string, 0)
	for _, row := range rows {
		header = append(header, make([]string, max(0, len(row)-len(header)))...)
	}
	if len(rows) > 0 && isHeader(rows[0]) {
		copy(header, rows[0])
		rows = rows[1:]
	}
	if len(rows) == 0 {
		return nil, nil, errors.New("it names no KOL")
	}
	used, carried := readHeader(header)
	for n, row := range rows {
		k, err := readKOL(used, row)
		if err != nil {
			return nil, nil, err
		}
		k.text = cmp.Or(k.text, fmt.Sprintf("row %d", n+1))
		kols = append(kols, k)
	}
	return kols, carried, nil
}

// isHeader reports whether a first row names columns: one of the others is known,
// or the first is what people call an id or an address.
func isHeader(row []string) bool {
	known := func(cell string) bool { return uses[strings.ToLower(cell)] != "" }
	return slices.ContainsFunc(row[1:], known) || slices.Contains(idNames, strings.ToLower(row[0]))
}

// readHeader returns what each column is used for, empty where it is carried along,
// and the names of the latter. Of two columns for one thing the first is used.
func readHeader(header []string) (used, carried []string) {
	used = make([]string, len(header))
	for i, name := range header[1:] {
		if use := uses[strings.ToLower(name)]; use != "" && !slices.Contains(used, use) {
			used[i+1] = use
		} else {
			carried = append(carried, cmp.Or(name, fmt.Sprintf("column %d", i+2)))
		}
	}
	return used, carried
}

// readKOL reads one row. The error names the KOL.
func readKOL(used, row []string) (k kol, err error) {
	k.text = row[0]
	for i, use := range used[1:] {
		cell := ""
		if i+1 < len(row) {
			cell = row[i+1]
		}
		switch use {
		case "name":
			k.label = cell
		case "followers":
			k.row.Followers, err = readNumber(cell)
		case "price":
			k.row.Price, err = readNumber(cell)
		default:
			k.row.Cells = append(k.row.Cells, cell)
		}
		if err != nil {
			return k, fmt.Errorf("%s of %s: %w", use, k.text, err)
		}
	}
	return k, nil
}

// number is a count or an amount of money, as people write it: 1,234,567, 12.3万,
// 12w, ¥8,000.
var number = regexp.MustCompile(`^(?:[¥$]|rmb|cny)? ?(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)? ?([万w千k亿]?) ?(?:元|rmb|cny)?$`)

// units are the factors that a number may end in.
var units = map[string]float64{"": 1, "千": 1e3, "k": 1e3, "万": 1e4, "w": 1e4, "亿": 1e8}

// readNumber reads a number, nil where a cell has no digit, such as 面议.
func readNumber(cell string) (*float64, error) {
	if !strings.ContainsFunc(cell, unicode.IsDigit) {
		return nil, nil
	}
	plain := strings.ToLower(width.Narrow.String(cell)) // ￥１２，０００ is 12,000
	parts := number.FindStringSubmatch(plain)
	if parts == nil {
		return nil, fmt.Errorf("%.40q is not a number; write it like 8000, 1,234,567, 12.3万, 12w or ¥8,000, or leave the cell empty", cell)
	}
	value, _ := strconv.ParseFloat(strings.ReplaceAll(parts[1], ",", "")+parts[2], 64) // digits and a point
	return new(value * units[parts[3]]), nil
}

// readText reads text in UTF-8, in UTF-16 with its mark, or in GBK, which Excel
// saves in China. Text that is not valid as UTF-8 is GBK.
func readText(r io.Reader) (string, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return "", fmt.Errorf("cannot read it: %w", err)
	}
	other := encoding.Encoding(utf.UTF8)
	if !utf8.Valid(raw) {
		other = simplifiedchinese.GB18030 // GBK and what was added to it
	}
	text, _, err := transform.Bytes(utf.BOMOverride(other.NewDecoder()), raw)
	if err != nil || bytes.ContainsAny(text, "\x00\ufffd") {
		return "", errors.New("it is not plain text; save the table as CSV (UTF-8)")
	}
	return string(text), nil
}

// firstLine is the first line of a table that is neither blank nor a comment.
var firstLine = regexp.MustCompile(`(?m)^[^#\s].*$`)

// separator returns what separates the cells of a table: tab, semicolon or comma,
// whichever the first line has most of.
func separator(text string) rune {
	line, best := firstLine.FindString(text), ','
	for _, r := range "\t;" {
		if strings.Count(line, string(r)) > strings.Count(line, string(best)) {
			best = r
		}
	}
	return best
}

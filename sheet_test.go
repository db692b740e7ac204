package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"
	utf "golang.org/x/text/encoding/unicode"

	"kol-portrait-mcp/report"
)

func carrying(cells ...string) report.SheetRow { return report.SheetRow{Cells: cells} }

func TestSheet(t *testing.T) {
	encoded := func(text string, err error) string {
		require.NoError(t, err)
		return text
	}
	chinese := "达人主页,昵称,粉丝数,报价,备注\na1,小鱼,12.3万,\"￥8,000\",护肤\n"
	ofChinese := []kol{{"a1", "小鱼", report.SheetRow{Followers: new(123000.0), Price: new(8000.0), Cells: []string{"护肤"}}}}
	for _, test := range []struct {
		name, text string
		columns    []string
		want       []kol
	}{
		{"one a line", "a1\nb2\r\n\n# no KOL\n  c3  \n", nil, []kol{{text: "a1"}, {text: "b2"}, {text: "c3"}}},
		{"a mark in front, no header", "\ufeffa1\nb2\n", nil, []kol{{text: "a1"}, {text: "b2"}}},
		{"a mark and a header", "\ufeffkolId\na1\n", nil, []kol{{text: "a1"}}},
		{"a header with a digit, told by a known name", "Link 1,Followers\na1,7\n", nil, []kol{{text: "a1", row: report.SheetRow{Followers: new(7.0)}}}},
		{"Chinese, UTF-8", chinese, []string{"备注"}, ofChinese},
		{"Chinese, GBK", encoded(simplifiedchinese.GBK.NewEncoder().String(chinese)), []string{"备注"}, ofChinese},
		{"Chinese, UTF-16 as Excel's Unicode text", encoded(utf.UTF16(utf.LittleEndian, utf.UseBOM).NewEncoder().String(chinese)), []string{"备注"}, ofChinese},
		{"tabs, one cell empty", "id\tname\tcity\na1\t\tHangzhou\n", []string{"city"}, []kol{{"a1", "", carrying("Hangzhou")}}},
		{"semicolons", "id;name;note\na1;Ann, of Ulm;x\n", []string{"note"}, []kol{{"a1", "Ann, of Ulm", carrying("x")}}},
		{"no header: further cells are carried", "a1,x,\nb2,y,z\n", []string{"column 2", "column 3"}, []kol{{"a1", "", carrying("x", "")}, {"b2", "", carrying("y", "z")}}},
		{"rows of nothing", "id,name\n , \na1,Ann\n,\n", nil, []kol{{text: "a1", label: "Ann"}}},
		{"the second of two prices is carried", "id,price,报价\na1,1,2\n", []string{"报价"}, []kol{{"a1", "", report.SheetRow{Price: new(1.0), Cells: []string{"2"}}}}},
		{"commas at the ends", "id,name,\na1,Ann,\n", []string{"column 3"}, []kol{{"a1", "Ann", carrying("")}}},
		{"a line break inside a cell", "id,note,name\na1,\"one\ntwo\",Ann\n", []string{"note"}, []kol{{"a1", "Ann", carrying("one\ntwo")}}},
		{"a row without a KOL keeps its place", "id,name\n,Ann\n", nil, []kol{{text: "row 1", label: "Ann"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			kols, columns, err := readSheet(strings.NewReader(test.text))
			require.NoError(t, err)
			assert.Equal(t, test.columns, columns)
			for i := range test.want { // no cells are no cells
				test.want[i].row.Cells = append([]string{}, test.want[i].row.Cells...)
				kols[i].row.Cells = append([]string{}, kols[i].row.Cells...)
			}
			assert.Equal(t, test.want, kols)
		})
	}
}

func TestASheetThatCannotBeReadSaysWhere(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"a number", "id,followers,报价\na1,7,8000\nb2,7,about 9\n", `price of b2: "about 9" is not a number; write it like 8000, 1,234,567, 12.3万, 12w or ¥8,000, or leave the cell empty`},
		{"a workbook", "PK\x03\x04\x14\x00\x06\x00", "it is not plain text; save the table as CSV (UTF-8)"},
		{"nothing", "# none\nid,name\n", "it names no KOL"},
	} {
		_, _, err := readSheet(strings.NewReader(test.text))
		assert.EqualError(t, err, test.want, test.name)
	}
}

func TestNumbersOfASheet(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "8000": 8000, "8000.5": 8000.5, "1,234,567": 1234567, "12.3万": 123000, "12w": 120000, "12 W": 120000, "3千": 3000, "3k": 3000,
		"1.2亿": 120000000, "¥8,000": 8000, "￥８，０００": 8000, "8000元": 8000, "1.2万元": 12000, "RMB 500": 500,
	} {
		got, err := readNumber(text)
		require.NoError(t, err, text)
		assert.InDelta(t, want, *got, 1e-6, text)
	}
	for _, text := range []string{"", "-", "—", "N/A", "暂无", "面议"} {
		got, err := readNumber(text)
		require.NoError(t, err, text)
		assert.Nil(t, got, text)
	}
	for _, text := range []string{"-5", "1,23", "8,000,00", "1.234.567", "12万+", "3-5万", "1e5", "5%"} {
		_, err := readNumber(text)
		assert.Error(t, err, text)
	}
}

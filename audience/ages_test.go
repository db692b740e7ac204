package audience

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"kol-portrait-mcp/schema"
)

func TestAgesAsPeopleWriteThem(t *testing.T) {
	for want, spellings := range map[string]string{
		"<18":                        "<18|< 18|＜18|under 18|below 18|<=17|≤17|17 and under|0-17|minors|underage|未成年|18岁以下|17岁及以下|18 or younger",
		"18-24":                      "18-24|18–24|18 — 24|18 to 24|18~24|18至24岁|18到24周岁|18 - 24 years old|aged 18-24|between 18 and 24|１８－２４",
		"25-34":                      "25-34岁|25-34歲",
		"35-44":                      "35 to 44 yrs",
		">44":                        ">44|＞44|45+|>=45|≥45|45 and over|over 44|over 45|45 or older|45 plus|45岁以上|44 岁以上|45岁及以上|45-99|45-100",
		"18-34: 18-24 25-34":         "18-34|18 to 34",
		"25-44: 25-34 35-44":         "25-44",
		"18+: 18-24 25-34 35-44 >44": "18+|adults|成年人|over 18|18-99",
		"25+: 25-34 35-44 >44":       "25岁以上|25+",
		"<25: <18 18-24":             "under 25|25岁以下|0-24",
		"<35: <18 18-24 25-34":       "under 35|<=34|up to 34|35 岁以下",
		"none":                       "0-99|0+|20-30|20-34|25-35|30|18|Gen Z|90后|-|18-|>45|<=18|44-35|99999999999999999999-3|-18-24|13-17|45-54",
	} {
		for _, spelling := range strings.Split(spellings, "|") {
			got := "none"
			if c := known().choice(schema.DimensionAgeGroups, spelling); c != nil {
				got = c.label.en
				if len(c.members) > 1 {
					got += ": " + keys(c.members)
				}
			}
			assert.Equal(t, want, got, spelling)
		}
	}
}

func TestAgeWords(t *testing.T) {
	for span, want := range map[string]label{
		"<18":   {"under 18", "18 岁以下"},
		"<35":   {"under 35", "35 岁以下"},
		"25-44": {"25-44", "25-44 岁"},
		"18+":   {"18 and over", "18 岁及以上"},
		">44":   {"45 and over", "45 岁及以上"},
	} {
		for _, lang := range []schema.Language{schema.English, schema.Chinese} {
			words := ageWords(span, lang)
			assert.Equal(t, want.in(lang), words)
			assert.Equal(t, span, known().choice(schema.DimensionAgeGroups, words).label.en, "the words mean the same ages")
		}
	}
}

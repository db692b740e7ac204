package audience

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"kol-portrait-mcp/schema"
)

// ageForm is one way to write the ages on one side of a number: what stands
// before and after it, and how much to add for the first age that is in (up) or
// out (not up). Whether "over 45" and 以上 take the number in is not agreed upon;
// since no two of the vendor's groups begin with neighbouring ages, either
// reading that meets a group is the one that was meant.
type ageForm struct {
	before, after string
	up            bool
	add           []int
}

func ageForms() []ageForm {
	forms := []ageForm{
		{"<=", "", false, []int{1}},
		{"≤", "", false, []int{1}},
		{"<", "", false, []int{0}},
		{">=", "", true, []int{0}},
		{"≥", "", true, []int{0}},
		{">", "", true, []int{1}},
		{"", "+", true, []int{0}},
		{"", "plus", true, []int{0}},
	}
	for _, word := range []string{"under", "below", "youngerthan", "lessthan", "upto", "不到", "未满", "不满", "小于"} {
		forms = append(forms, ageForm{word, "", false, []int{0, 1}})
	}
	for _, word := range []string{"andunder", "andbelow", "andyounger", "orunder", "orbelow", "oryounger", "及以下", "或以下", "以下"} {
		forms = append(forms, ageForm{"", word, false, []int{0, 1}})
	}
	for _, word := range []string{"over", "above", "olderthan", "morethan", "大于", "超过"} {
		forms = append(forms, ageForm{word, "", true, []int{0, 1}})
	}
	for _, word := range []string{"andover", "andabove", "andolder", "andup", "orover", "orabove", "orolder", "及以上", "或以上", "以上"} {
		forms = append(forms, ageForm{"", word, true, []int{0, 1}})
	}
	return forms
}

// ageRun returns the vendor's age groups that a caller's words for some ages
// make up: "25 to 44" are two of them. It is false where there are none, as for
// ages that cut a group in two.
func ageRun(words string) (run, bool) {
	ages := plainAges(words)
	switch ages {
	case "minor", "minors", "underage", "未成年", "未成年人":
		return run{first: 0, last: 0}, true
	case "adult", "adults", "成年", "成年人":
		return run{first: 1, last: len(schema.AgeGroups()) - 1}, true
	}
	if from, to, found := closedAges(ages); found {
		return groupsBetween(from, to+1)
	}
	for _, form := range ageForms() {
		number, found := form.number(ages)
		if !found {
			continue
		}
		for _, add := range form.add {
			if r, found := form.groups(number + add); found {
				return r, true
			}
		}
	}
	return run{}, false
}

// plainAges leaves out of some ages what does not tell them: spaces, "years",
// 岁; and writes every dash as a hyphen.
func plainAges(words string) string {
	words = strings.NewReplacer(
		"周岁", "", "岁", "", "之间", "",
		"–", "-", "—", "-", "−", "-", "‐", "-", "‑", "-", "‒", "-", "~", "-", "〜", "-",
	).Replace(strings.ToLower(norm.NFKC.String(words)))
	var kept []string
	for word := range strings.FieldsSeq(words) {
		switch word {
		case "years", "year", "yrs", "yo", "y/o", "old", "of", "aged", "ages", "age", "between":
		default:
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, "")
}

// closedAges reads a youngest and an oldest age.
func closedAges(ages string) (from, to int, found bool) {
	for _, between := range []string{"-", "to", "and", "至", "到"} {
		youngest, oldest, cut := strings.Cut(ages, between)
		from, errFrom := strconv.Atoi(youngest)
		to, errTo := strconv.Atoi(oldest)
		if cut && errFrom == nil && errTo == nil {
			return from, to, true
		}
	}
	return 0, 0, false
}

// number reads the number out of ages that are written in this form.
func (f ageForm) number(ages string) (int, bool) {
	ages, begins := strings.CutPrefix(ages, f.before)
	ages, ends := strings.CutSuffix(ages, f.after)
	number, err := strconv.Atoi(ages)
	return number, begins && ends && err == nil
}

func (f ageForm) groups(limit int) (run, bool) {
	if f.up {
		return groupsBetween(limit, endless)
	}
	return groupsBetween(0, limit)
}

// endless is the age that nobody reaches.
const endless = 1000

// groupsBetween returns the age groups that together hold the ages from one up
// to another, the latter not included.
func groupsBetween(from, to int) (run, bool) {
	starts := groupStarts()
	first := slices.Index(starts, from)
	end := slices.Index(starts, to)
	return run{first: first, last: end - 1}, first >= 0 && end > first
}

// groupStarts returns the youngest age of each age group, and the end of the
// last.
func groupStarts() []int {
	starts := []int{0}
	for _, group := range schema.AgeGroups()[:len(schema.AgeGroups())-1] {
		_, oldest, closed := strings.Cut(group, "-")
		if closed {
			last, _ := strconv.Atoi(oldest)
			starts = append(starts, last+1)
			continue
		}
		end, _ := strconv.Atoi(strings.TrimPrefix(group, "<"))
		starts = append(starts, end)
	}
	return append(starts, endless)
}

package tools

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// PortraitArguments are the arguments of get_kol_fans_portrait, understood.
type PortraitArguments struct {
	schema.PortraitArguments

	Target *audience.Target // TargetAudience, understood; nil where there is none
}

// ComparisonArguments are the arguments of compare_kol_fans_portraits, understood.
type ComparisonArguments struct {
	schema.ComparisonArguments // no Labels, or one for each of KOLIDs

	Target *audience.Target // TargetAudience, understood; nil where there is none
}

// How many different KOLs a call of compare_kol_fans_portraits may name, and how
// many characters a label may have.
const (
	fewestCompared = 2
	mostCompared   = 20
	longestLabel   = 60
)

// The values of arguments by the words for them.
var (
	details   = map[string]schema.Detail{"full": schema.DetailFull, "summary": schema.DetailSummary}
	languages = map[string]schema.Language{
		"en": schema.English, "english": schema.English, "英文": schema.English, "zh": schema.Chinese, "chinese": schema.Chinese, "中文": schema.Chinese,
	}
)

// ParsePortraitArguments understands raw, the arguments of a call of
// get_kol_fans_portrait as decoded JSON, and fills in the defaults. What callers
// get slightly wrong is repaired. The error is a *schema.Error of kind
// invalid_argument; the Language is understood even then.
func (t *Tools) ParsePortraitArguments(raw any) (args PortraitArguments, err error) {
	args.AcceptCache = true
	d := &decoder{}
	d.object("", raw, &args.PortraitArguments)
	args.Language = choose(d, "language", args.Language, languages, t.Language)
	args.Detail = choose(d, "detail", args.Detail, details, schema.DetailFull)
	args.Label = d.label("label", args.Label)
	args.Target, err = t.analyst.Target(args.TargetAudience)
	d.err = cmp.Or(d.err, err)
	args.KOLID, err = t.kolID("kolId", args.KOLID, args.Language)
	return args, cmp.Or(d.err, err)
}

// ParseComparisonArguments understands the arguments of a call of
// compare_kol_fans_portraits as ParsePortraitArguments does those of the other
// tool.
func (t *Tools) ParseComparisonArguments(raw any) (args ComparisonArguments, err error) {
	args.AcceptCache = true
	d := &decoder{}
	d.object("", raw, &args.ComparisonArguments)
	args.Language = choose(d, "language", args.Language, languages, t.Language)
	args.Target, err = t.analyst.Target(args.TargetAudience)
	d.err = cmp.Or(d.err, err)
	given, labels := args.KOLIDs, args.Labels
	args.KOLIDs, args.Labels = nil, nil
	if given == nil {
		d.fail("%s", say(args.Language, "kolIds is missing. Give the KOLs' user ids or the addresses of their profile pages.", "缺少 kolIds：请给出达人的用户 ID 或主页链接。"))
	}
	if labels != nil && len(labels) != len(given) {
		d.fail("labels: %d for %d kolIds. Give one for each, in their order (\"\" where there is none), or leave them out.", len(labels), len(given))
	}
	for i, text := range given {
		if text == "" || d.err != nil {
			continue
		}
		id, err := t.kolID(fmt.Sprintf("kolIds[%d]", i), text, args.Language)
		d.err = cmp.Or(d.err, err)
		args.KOLIDs = append(args.KOLIDs, id)
		if labels != nil {
			args.Labels = append(args.Labels, d.label(fmt.Sprintf("labels[%d]", i), labels[i]))
		}
	}
	if ids, _ := args.different(); len(ids) < fewestCompared || len(ids) > mostCompared {
		d.fail(say(args.Language, "kolIds has %d different KOLs. It takes %d to %d; for one there is %s.", "kolIds 有 %d 位不同的达人，应为 %d 到 %d 位；只有一位请用 %s。"),
			len(ids), fewestCompared, mostCompared, PortraitToolName)
	}
	return args, d.err
}

// choose returns which of several values a word is for. zh-CN and zh_CN are zh.
func choose[T ~string](d *decoder, name string, given T, values map[string]T, otherwise T) T {
	word, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(string(given)), "_", "-"), "-")
	if value, known := values[word]; known {
		return value
	}
	if given != "" {
		d.failOn(name, given)
	}
	return otherwise
}

// label returns the creator's name that is given in the argument of that name.
func (d *decoder) label(name, given string) string {
	label := Label(given)
	if n := utf8.RuneCountInString(label); n > longestLabel {
		d.fail("%s has %d characters. It takes %d at most.", name, n, longestLabel)
	}
	return label
}

// Label returns a creator's name on one line, without characters that show
// nothing.
func Label(name string) string {
	return strings.Join(strings.Fields(strings.Map(visible, name)), " ")
}

var (
	// profileAddress is the address of a profile page, also where another address
	// leads to it. Its last part is the id.
	profileAddress = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)(?:^|[^0-9a-z.-])(?:[0-9a-z-]+\.)*(?:xiaohongshu|rednote)\.com(?::\d+)?/(?:\S*?/)??(?:user/profile|blogger-detail)/([0-9A-Za-z_-]+)`)
	}) // compiled when it is first needed: that takes a twentieth of the start
	// unescaped is the text of an address that stands inside another.
	unescaped = strings.NewReplacer("%25", "%", "%2F", "/", "%2f", "/", "%3A", ":", "%3a", ":", "%3F", "?", "%3f", "?")
)

// KOLID returns the KOL id that text is, or that the address of a profile page
// in it has. The error is a *schema.Error of kind invalid_argument that says how to
// get the id.
func (t *Tools) KOLID(text string) (string, error) {
	return t.kolID("kolId", text, t.Language)
}

// kolID is KOLID for the argument of the given name.
func (t *Tools) kolID(name, given string, lang schema.Language) (string, error) {
	given = trimmed(given)
	if id, ok := t.id(strings.Trim(given, "<>")); ok {
		return id, nil
	}
	address := given
	for range 3 { // addresses inside addresses inside addresses
		address = unescaped.Replace(address)
	}
	var ids []string
	for _, found := range profileAddress().FindAllStringSubmatch(address, -1) {
		if id, ok := t.id(found[1]); ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	var problem string
	switch {
	case len(ids) == 1:
		return ids[0], nil
	case len(ids) > 1:
		problem = say(lang, "names several KOLs; give one", "包含多位达人，请只给一位")
	case given == "":
		problem = say(lang, "is missing", "缺失")
	case strings.Contains(address, "xhslink."):
		problem = say(lang, "is a short link, which only Xiaohongshu can follow: open it in a browser and copy the address of the profile page from there",
			"是短链接，只有小红书能解析：请在浏览器中打开，再复制主页地址")
	case strings.Contains(address, "/explore/"), strings.Contains(address, "/item/"), strings.Contains(address, "/search_result/"):
		problem = say(lang, "is the address of a note, not of its author: open the author's page from it", "是笔记链接，不是作者主页：请从笔记点进作者主页")
	case strings.Contains(address, "/"):
		problem = say(lang, "is no address of a profile page", "不是主页链接")
	default:
		problem = say(lang, "is a name or a Xiaohongshu number (小红书号), not a user id, which is 24 of 0-9 and a-f", "是昵称或小红书号，不是用户 ID（24 位 0-9、a-f）")
	}
	if given != "" {
		name += " " + quote(given)
	}
	return "", invalidArgument("%s %s", name, problem+say(lang,
		". The id is the last part of the profile page's address: https://www.xiaohongshu.com/user/profile/5d21ab6b000000001201567d.",
		"。用户 ID 是主页地址的最后一段：https://www.xiaohongshu.com/user/profile/5d21ab6b000000001201567d 。"))
}

const idChars = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-"

// id returns text where it is a KOL id: the vendor's own in lower case, since in
// capitals it is the same KOL, which must not be paid for twice.
func (t *Tools) id(text string) (id string, ok bool) {
	lower := strings.ToLower(text)
	if len(text) == 24 && strings.Trim(lower, "0123456789abcdef") == "" {
		return lower, true
	}
	return text, t.AnyID && text != "" && len(text) <= 64 && strings.Trim(text, idChars) == ""
}

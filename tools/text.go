package tools

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// Text renders p as one block of text with the same facts, but for regions in a
// text without distributions, which has no room for them: sentences first, then
// figures, one dimension to a line, then where they come from. Shares are
// percentages with one decimal; on a line that says % the sign is left out.
func (t *Tools) Text(p *schema.PortraitResult) string {
	w := portraitWriter{writer: writer{lang: p.Language}, portrait: p, analyst: t.analyst}
	w.heading()
	w.sentences()
	w.fit(p.Fit)
	w.change(p.Change)
	if p.Distributions != nil {
		w.distributions(p.Distributions)
		w.ranked(w.say("Regions %", "大区 %"), p.Summary.Regions)
	} else {
		w.topRows()
	}
	w.provenance()
	return w.text.String()
}

// portraitWriter writes one portrait.
type portraitWriter struct {
	writer

	portrait *schema.PortraitResult
	analyst  *audience.Analyst
}

func (w *portraitWriter) heading() {
	p := w.portrait
	if p.Source.Sample {
		w.line("%s", w.simulated())
	}
	asOf := w.say("an unknown day", "未知")
	if p.AsOf != "" {
		asOf = p.AsOf
	}
	w.line(w.say("KOL %s: followers as of %s (Xiaohongshu, Just One API %s)", "达人 %s 粉丝画像，数据日期：%s（小红书，Just One API %s）"),
		p.KOLID, asOf, w.endpoint())
}

func (w *portraitWriter) endpoint() string {
	name := "V1"
	if w.portrait.Source.Endpoint == schema.EndpointProfile {
		name = w.say("fans_profile, the successor of V1", "fans_profile，V1 的后继接口")
	}
	if w.portrait.Source.Deprecated {
		name += w.say(", deprecated", "，接口已弃用")
	}
	return name
}

func (w *portraitWriter) sentences() {
	s := w.portrait.Summary
	w.line("%s", s.Headline)
	if len(s.Insights) > 0 {
		w.line("%s", strings.Join(s.Insights, w.say(" ", "")))
	}
	w.careful(w.portrait.Warnings)
}

// distributions writes every row the upstream sent, one dimension to a line,
// and the index of those that the summary has one for.
func (w *portraitWriter) distributions(d *schema.Distributions) {
	s := w.portrait.Summary
	w.gender(d.Gender)
	var ages, interests, provinces, cities, devices rowList
	for _, row := range d.Ages {
		ages.add(row.Group, row.Percent)
	}
	for _, row := range d.Interests {
		interests.add(w.analyst.Name(schema.DimensionInterests, row.Name, w.lang), row.Percent)
	}
	for _, row := range d.Provinces {
		provinces.add(w.analyst.Name(schema.DimensionProvinces, row.Name, w.lang), row.Percent)
	}
	for _, row := range d.Cities {
		cities.add(w.analyst.Name(schema.DimensionCities, row.Name, w.lang), row.Percent)
	}
	for _, row := range d.Devices {
		devices.add(w.analyst.DeviceName(row, w.lang), row.Percent)
	}
	w.rows(w.say("Age %", "年龄 %"), ages)
	w.indexed(fmt.Sprintf(w.say("Interests %% (%s listed)", "兴趣 %%（所列合计 %s）"), audience.Points(interests.sum)), interests, s.TopInterests)
	w.indexed(w.say("Provinces %", "省份 %"), provinces, s.TopProvinces)
	w.indexed(fmt.Sprintf(w.say("Cities %% (largest only, %s listed)", "城市 %%（仅含占比最高者，合计 %s）"), audience.Points(cities.sum)), cities, s.TopCities)
	w.indexed(w.say("Devices %", "设备 %"), devices, s.TopDevices)
}

func (w *portraitWriter) gender(g *schema.GenderShares) {
	if g == nil {
		return
	}
	var rows rowList
	if g.Female != nil {
		rows.add(w.say("female", "女"), *g.Female)
	}
	if g.Male != nil {
		rows.add(w.say("male", "男"), *g.Male)
	}
	w.rows(w.say("Gender %", "性别 %"), rows)
}

// topRows writes the summary's figures that the sentences leave out, and the
// distributions would have.
func (w *portraitWriter) topRows() {
	s := w.portrait.Summary
	w.ranked(w.say("Top interests %", "主要兴趣 %"), s.TopInterests)
	w.ranked(w.say("Top provinces %", "主要省份 %"), s.TopProvinces)
	w.ranked(w.say("Top cities %", "主要城市 %"), s.TopCities)
	w.ranked(w.say("Top devices %", "主要设备 %"), s.TopDevices)
	var others rowList
	if s.Age != nil && s.Age.MinorShare != nil {
		others.add(w.say("minors", "未成年人"), float64(*s.Age.MinorShare))
	}
	if s.OverseasShare != nil {
		others.add(w.say("overseas", "海外"), float64(*s.OverseasShare))
	}
	w.rows(w.say("Also %", "另外 %"), others)
}

// ranked writes the rows of a summary.
func (w *portraitWriter) ranked(label string, rows []schema.RankedShare) {
	var list rowList
	for _, row := range rows {
		list.add(row.Name, float64(row.Share))
	}
	w.indexed(label, list, rows)
}

// indexed writes rows, with their indexes in brackets where top has them.
func (w *portraitWriter) indexed(label string, rows rowList, top []schema.RankedShare) {
	indexed := false
	for i, name := range rows.names {
		at := slices.IndexFunc(top, func(row schema.RankedShare) bool { return row.Name == name })
		if at < 0 || top[at].TGI == nil {
			continue
		}
		rows.items[i] += fmt.Sprintf(w.say(" (%s)", "（%s）"), audience.Round(*top[at].TGI))
		indexed = true
	}
	if indexed {
		label += w.say(" (TGI)", "（TGI）")
	}
	w.rows(label, rows)
}

// provenance says where this answer comes from, of when it is, and what it
// cost. The moment is the vendor's answer, not this one.
func (w *portraitWriter) provenance() {
	source := w.portrait.Source
	sentence := w.say("Fetched %s, one charged call.", "获取于 %s，计费 1 次。")
	switch {
	case source.FromStore:
		sentence = w.say("From the store, fetched %s; no charge.", "来自存储，获取于 %s，不计费。")
	case !source.Charged: // the vendor charges every portrait: to the call that asked for it
		sentence = w.say("Fetched %s by a collection that another call had begun; no charge to this one.", "获取于 %s，与先前调用共用一次采集，本次不计费。")
	case source.Sample:
		sentence = w.say("Fetched %s, one charged call (simulated: play money).", "获取于 %s，计费 1 次（模拟费用，不花真钱）。")
	}
	fmt.Fprintf(&w.text, sentence, w.moment(source.RetrievedAt))
}

// moment writes a time of day where the reader is: in Chinese, in Beijing. The
// zone is spelled out, since a container may have no time zone data.
func (w *portraitWriter) moment(t time.Time) string {
	const layout = "2006-01-02 15:04"
	if w.lang == schema.Chinese {
		return "北京时间 " + t.In(time.FixedZone("Asia/Shanghai", 8*60*60)).Format(layout)
	}
	return t.UTC().Format(layout) + " UTC"
}

func (w *portraitWriter) rows(label string, rows rowList) {
	if len(rows.items) == 0 {
		return
	}
	w.line("%s%s%s", label, w.say(": ", "："), strings.Join(rows.items, w.say(", ", "，")))
}

// rowList gathers the rows of one dimension as text, and their sum.
type rowList struct {
	names []string
	items []string // the names with their shares
	sum   float64
}

func (r *rowList) add(name string, share float64) {
	r.names = append(r.names, name)
	r.items = append(r.items, audience.Quote(name)+" "+audience.Points(share))
	r.sum += share
}

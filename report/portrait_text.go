package report

import (
	"cmp"
	"slices"
	"strings"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// section is one dimension's rows.
type section struct {
	title   string
	indexed bool       // whether some row has an index
	rows    [][]string // name, share in percentage points, index or nothing
}

// Text is the answer as one block for a model or a terminal: sentences first, then
// figures, one dimension to a line, then where they come from.
func (p *Portrait) Text() string {
	first, warnings := withoutSample(p.Warnings, p.Source.Sample)
	lines := append(slices.Clone(first), p.heading(), p.Summary.Headline)
	if insights := append(slices.Clone(p.Summary.Insights), nonEmpty(p.provinceInsight())...); len(insights) > 0 {
		lines = append(lines, sentences(insights, p.Language))
	}
	if len(warnings) > 0 {
		lines = append(lines, p.say("Warnings: ", "注意：")+sentences(warnings, p.Language))
	}
	lines = append(append(lines, p.fit()...), p.change()...)
	for _, s := range p.sections() {
		var line strings.Builder
		line.WriteString(s.title + in(p.Language, ": ", "："))
		for i, r := range s.rows {
			if i > 0 {
				line.WriteString(in(p.Language, ", ", "，"))
			}
			line.WriteString(r[0] + " " + r[1])
			if r[2] != "" {
				line.WriteString(in(p.Language, " (", "（") + r[2] + in(p.Language, ")", "）"))
			}
		}
		lines = append(lines, line.String())
	}
	return strings.Join(append(lines, p.source()), "\n")
}

// Markdown is the answer as a page of Markdown.
func (p *Portrait) Markdown() string {
	var b strings.Builder
	first, warnings := withoutSample(p.Warnings, p.Source.Sample)
	bullets(&b, "", first)
	b.WriteString("# " + markdown(p.heading()) + "\n\n**" + markdown(p.Summary.Headline) + "**\n\n")
	bullets(&b, "", append(slices.Clone(p.Summary.Insights), nonEmpty(p.provinceInsight())...))
	bullets(&b, p.say("Warnings", "注意"), warnings)
	bullets(&b, p.say("Fit", "人群匹配"), p.fit())
	bullets(&b, p.say("Change", "变化"), p.change())
	for _, s := range p.sections() {
		b.WriteString("## " + markdown(s.title) + "\n\n")
		rows := append([][]string{{p.say("Name", "名称"), "%", "TGI"}}, s.rows...)
		if !s.indexed {
			for i := range rows {
				rows[i] = rows[i][:2]
			}
		}
		table(&b, rows)
	}
	b.WriteString(markdown(p.source()) + "\n")
	return b.String()
}

func (p *Portrait) heading() string {
	who := p.KOLID
	if p.Label != "" {
		who = p.say("%s (%s)", "%s（%s）", quote(p.Label), p.KOLID)
	}
	return p.say("KOL %s: followers on Xiaohongshu as of %s", "达人 %s：小红书粉丝画像，数据日期：%s", who, cmp.Or(p.AsOf, p.say("an unknown day", "未知")))
}

// sections are the distributions, or of a summary what it has of them.
func (p *Portrait) sections() []section {
	s := p.Summary
	if p.Distributions == nil {
		var also []schema.RankedShare
		if s.Age != nil && s.Age.MinorShare != nil {
			also = append(also, schema.RankedShare{Name: p.say("minors", "未成年人"), Share: *s.Age.MinorShare})
		}
		if s.OverseasShare != nil {
			also = append(also, schema.RankedShare{Name: p.say("overseas", "海外"), Share: *s.OverseasShare})
		}
		return filled(
			p.top(p.say("Top interests, %% of interest", "主要兴趣（兴趣占比 %%）"), s.TopInterests),
			p.top(p.say("Top provinces %%", "主要省份 %%"), s.TopProvinces),
			p.top(p.say("Top cities %%", "主要城市 %%"), s.TopCities),
			p.top(p.say("Top devices %%", "主要设备 %%"), s.TopDevices),
			p.top(p.say("Also %%", "另外 %%"), also),
		)
	}
	interests, cities := p.Audience.List(schema.DimensionInterests), p.Audience.List(schema.DimensionCities)
	return filled(
		p.list(schema.DimensionGender, p.say("Gender %%", "性别 %%")),
		p.list(schema.DimensionAgeGroups, p.say("Age %%", "年龄 %%")),
		p.list(schema.DimensionProvinces, p.say("Provinces %%", "省份 %%")),
		p.list(schema.DimensionCities, p.say("Cities %% (largest only, together %s)", "城市 %%（仅含占比最高者，合计 %s）", points(cities.Sum))),
		p.list(schema.DimensionInterests, p.say("Interests, %% of interest, not of people (listed: %s)", "兴趣（兴趣占比 %%，不是人数占比；所列合计 %s）", points(interests.Sum))),
		p.list(schema.DimensionDevices, p.say("Devices %%", "设备 %%")),
		p.top(p.say("Regions %%", "大区 %%"), s.Regions),
	)
}

func filled(sections ...section) []section {
	return slices.DeleteFunc(sections, func(s section) bool { return len(s.rows) == 0 })
}

// list makes a section of every row of a dimension, in the vendor's order.
func (p *Portrait) list(of schema.Dimension, title string) section {
	list := p.Audience.List(of)
	s := section{title: title}
	for _, r := range list.Rows {
		s.add(p.rowName(list, r), r.Share, r.TGI)
	}
	if s.indexed {
		s.title += p.say(" (TGI against %s)", "（TGI，%s）", p.against(of))
	}
	return s
}

// rowName quotes names that nothing is known by: they are the vendor's alone.
func (p *Portrait) rowName(list *audience.List, r audience.Row) string {
	if slices.Contains(list.Unknown, r.Name) {
		return quote(r.In(p.Language))
	}
	return r.In(p.Language)
}

// top makes a section of rows of the summary.
func (p *Portrait) top(title string, rows []schema.RankedShare) section {
	s := section{title: title}
	for _, r := range rows {
		s.add(name(r.Name), float64(r.Share), r.TGI)
	}
	if s.indexed {
		s.title += p.say(" (TGI)", "（TGI）")
	}
	return s
}

func (s *section) add(name string, share float64, tgi *schema.Index) {
	row := []string{name, points(share), ""}
	if tgi != nil {
		row[2], s.indexed = whole(*tgi), true
	}
	s.rows = append(s.rows, row)
}

// source says where the answer comes from, when it was collected and what it cost.
func (p *Portrait) source() string {
	api := "Just One API V1"
	if p.Source.Endpoint == schema.EndpointProfile {
		api = "Just One API fans_profile"
	}
	if p.Source.Deprecated {
		api += p.say(" (deprecated endpoint)", "（接口已弃用）")
	}
	collected := p.say("Collected %s from %s", "获取时间：%s；来源：%s", moment(p.Source.RetrievedAt, p.Language), api)
	switch {
	case p.Source.FromStore:
		return p.say("From this server's store: no charge. %s.", "来自本地已存数据，不计费。%s。", collected)
	case !p.Source.Charged: // the vendor charges every portrait: to the call that asked for it
		return p.say("%s for another call at the same time: no charge to this one.", "%s。与同时进行的另一次调用共用，本次不计费。", collected)
	case p.Source.Sample:
		return p.say("%s: one charged call (simulated: play money).", "%s。计费 1 次（模拟费用，不花真钱）。", collected)
	default:
		return p.say("%s: one charged call.", "%s。计费 1 次。", collected)
	}
}

package tools

import (
	"fmt"
	"strings"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// change writes what moved since the older portrait, one line for all.
func (w *portraitWriter) change(c *schema.Change) {
	if c == nil {
		return
	}
	var moved []string
	for _, d := range []struct {
		of    schema.Dimension
		moves []schema.Move
	}{
		{schema.DimensionGender, c.Gender},
		{schema.DimensionAgeGroups, c.Ages},
		{schema.DimensionProvinces, c.Provinces},
		{schema.DimensionCities, c.Cities},
		{schema.DimensionInterests, c.Interests},
		{schema.DimensionDevices, c.Devices},
	} {
		if len(d.moves) == 0 {
			continue
		}
		var rows []string
		for _, m := range d.moves {
			atLeast := ""
			if m.AtLeast {
				atLeast = w.say("at least ", "至少 ")
			}
			rows = append(rows, fmt.Sprintf("%s %s%+.1f", audience.Quote(m.Name), atLeast, m.Points))
		}
		moved = append(moved, audience.DimensionName(d.of, w.lang)+" "+strings.Join(rows, w.say(", ", "，")))
	}
	if moved == nil {
		w.line(w.say("Since %s nothing is known to have moved by a point or more.", "与 %s 相比，未发现 1 个百分点及以上的变化。"), c.AsOf)
		return
	}
	w.line(w.say("Moved since %s, in points: %s", "较 %s 的变化（百分点）：%s"), c.AsOf, strings.Join(moved, w.say("; ", "；")))
}

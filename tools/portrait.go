package tools

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"kol-portrait-mcp/schema"
)

// PortraitToolName is the name under which clients call for one portrait.
const PortraitToolName = "get_kol_fans_portrait"

const portraitDescription = `Audience portrait of one Xiaohongshu (RED) creator (KOL): follower shares by age, gender, province, city, interest and device, with summary, insights, warnings and, for a targetAudience, how well they fit it.
Use it to judge who a KOL reaches before paying for a campaign. You need the user id or profile address; a display name will not do. To weigh several, use compare_kol_fans_portraits.
Cost: free while a recent one is stored (7 days unless set otherwise; with acceptCache=false, collected fresh within ten minutes). Otherwise one charged vendor call, usually seconds, at worst minutes. After a still_collecting error repeat the same call later: it answers without a second charge.
Shares are fractions 0..1 in structured content and percentages in text; absent is unknown, not 0. Dimensions are not crossed: fit.reach bounds who matches them all.`

func portraitTool() mcp.Tool {
	return newTool(PortraitToolName, "KOL fans portrait", portraitDescription, schema.PortraitArgumentsSchema(), schema.PortraitSchema())
}

// newTool describes a tool that, like all of this server, only reads, may be
// repeated, and reaches out to the vendor.
func newTool(name, title, description string, input, output json.RawMessage) mcp.Tool {
	return mcp.Tool{
		Name:            name,
		Title:           title,
		Description:     description,
		RawInputSchema:  input,
		RawOutputSchema: output,
		Annotations: mcp.ToolAnnotation{
			Title:           title,
			ReadOnlyHint:    new(true),
			DestructiveHint: new(false),
			IdempotentHint:  new(true),
			OpenWorldHint:   new(true),
		},
	}
}

// callPortrait answers a call of get_kol_fans_portrait.
func (t *Tools) callPortrait(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	args, err := t.ParsePortraitArguments(request.Params.Arguments)
	if err != nil {
		return nil, err
	}
	_, stop := t.reportProgress(ctx, request, 0, args.Language)
	defer stop()
	portrait, err := t.Portrait(ctx, args)
	if err != nil {
		return nil, err
	}
	return mcp.NewToolResultStructured(portrait, t.Text(portrait)), nil
}

// Portrait collects the portrait that args ask for and says what it amounts
// to. A failure is a *schema.Error.
func (t *Tools) Portrait(ctx context.Context, args schema.PortraitArguments) (*schema.PortraitResult, error) {
	target, err := t.analyst.Target(args.TargetAudience)
	if err != nil {
		return nil, err
	}
	collected, err := t.collectOne(ctx, args.KOLID, !args.AcceptCache)
	if err != nil {
		return nil, err
	}
	warnings := t.analyst.Warnings(&collected.Distributions, collected.AsOf, t.now(), args.Language)
	portrait := &schema.PortraitResult{
		KOLID:    collected.KOLID,
		AsOf:     collected.AsOf,
		Language: args.Language,
		Summary:  t.analyst.Summarize(&collected.Distributions, args.Language),
		Fit:      t.analyst.Fit(target, &collected.Distributions, args.Language),
		Change:   t.change(ctx, collected, args.Language),
		Source:   collected.Source(),
		Warnings: withProvenance(warnings, args.Language, collected),
	}
	if insight := t.analyst.ChangeInsight(portrait.Change, args.Language); insight != "" {
		portrait.Summary.Insights = append(portrait.Summary.Insights, insight)
	}
	if args.Detail != schema.DetailSummary {
		portrait.Distributions = &collected.Distributions
	}
	return portrait, nil
}

// withProvenance adds to the analyst's warnings that portraits are simulated,
// first, and that they will not outlive the process, last.
func withProvenance(warnings []string, lang schema.Language, portraits ...*schema.Collected) []string {
	w := writer{lang: lang}
	if portraits[0].Sample {
		warnings = slices.Insert(warnings, 0, w.simulated())
	}
	if slices.ContainsFunc(portraits, func(p *schema.Collected) bool { return p.OnlyHere }) {
		warnings = append(warnings, w.say(
			"Portraits are kept in this process's memory only, and paid for again after a restart: set PORTRAIT_STORE to a file that can be written.",
			"画像只保存在本进程的内存中，重启后需再次付费：请把 PORTRAIT_STORE 设为可写入的文件。"))
	}
	return warnings
}

// olderWithin is how long an answer waits for the portrait before it: a store
// that hangs must not make it so late that the client is no longer there.
const olderWithin = time.Second

// change is what moved since the portrait before, nil where there is none. An
// answer that was paid for does not fail for want of an older one.
func (t *Tools) change(ctx context.Context, now *schema.Collected, lang schema.Language) *schema.Change {
	within, cancel := context.WithTimeout(ctx, olderWithin)
	defer cancel()
	older, err := t.collector.Older(within, now)
	if ctx.Err() != nil { // the client has left: nothing is wrong with the store
		return nil
	}
	if err != nil {
		t.log.WarnContext(ctx, "the older portrait cannot be read, so the answer has no change", "kolId", now.KOLID, "error", err)
		return nil
	}
	if older == nil {
		return nil
	}
	return t.analyst.Change(&now.Distributions, &older.Distributions, older.AsOf, lang)
}

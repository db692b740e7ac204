package tools

import (
	"context"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"

	"kol-portrait-mcp/schema"
)

// PortraitToolName is the name under which clients call for one portrait.
const PortraitToolName = "get_kol_fans_portrait"

const portraitDescription = `Get the audience portrait of one Xiaohongshu (RED) creator: follower shares by age, gender, province, city, interest and device, with a summary, insights and warnings.
Use it to judge who a KOL reaches before paying for a campaign. You need the KOL's user id or profile address; a display name will not do.
Cost: portraits are kept and shared, and served free while recent (PORTRAIT_CACHE_TTL, 24 h unless set otherwise). Otherwise, and always with acceptCache=false, one charged vendor call collects anew, usually in seconds, at worst minutes. After a still_collecting error that goes on in the background: repeat the same call a little later, and it answers without a second charge.
Shares are fractions 0..1 in structured content and percentages in text; an absent value is unknown, not 0. Dimensions are not crossed: the shares of women and of an age group do not give the women of that age. Use detail=summary when screening many KOLs.`

func portraitTool() (mcp.Tool, error) {
	input, err := schema.InputSchema[schema.PortraitArguments]()
	if err != nil {
		return mcp.Tool{}, err
	}
	output, err := schema.OutputSchema[schema.Portrait]()
	if err != nil {
		return mcp.Tool{}, err
	}
	return newTool(PortraitToolName, "KOL fans portrait", portraitDescription, input, output), nil
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
			ReadOnlyHint:    mcp.ToBoolPtr(true),
			DestructiveHint: mcp.ToBoolPtr(false),
			IdempotentHint:  mcp.ToBoolPtr(true),
			OpenWorldHint:   mcp.ToBoolPtr(true),
		},
	}
}

// callPortrait answers a call of get_kol_fans_portrait.
func (t *Tools) callPortrait(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	args, err := t.ParsePortraitArguments(request.Params.Arguments)
	if err != nil {
		return nil, err
	}
	defer t.reportProgress(ctx, request, args.Language)()
	portrait, err := t.Portrait(ctx, args)
	if err != nil {
		return nil, err
	}
	return mcp.NewToolResultStructured(portrait, t.Text(portrait)), nil
}

// Portrait collects the portrait that args ask for and says what it amounts
// to. A failure is a *schema.Error.
func (t *Tools) Portrait(ctx context.Context, args schema.PortraitArguments) (*schema.Portrait, error) {
	collected, err := t.collector.Portrait(ctx, args.KOLID, !args.AcceptCache)
	if err != nil {
		return nil, err
	}
	portrait := &schema.Portrait{
		KOLID:    collected.KOLID,
		AsOf:     collected.AsOf,
		Language: args.Language,
		Summary:  t.analyst.Summarize(&collected.Distributions, args.Language),
		Source:   collected.Source,
		Warnings: t.analyst.Warnings(&collected.Distributions, collected.AsOf, t.now(), args.Language),
	}
	if args.Detail != schema.DetailSummary {
		portrait.Distributions = &collected.Distributions
	}
	return portrait, nil
}

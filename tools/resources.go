package tools

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// Where clients read what the store holds.
const (
	UsageURI         = "kol-portrait://usage"
	PortraitTemplate = portraitPrefix + "{" + portraitVariable + "}"

	portraitPrefix   = "kol-portrait://portraits/"
	portraitVariable = "kolId"
	mimeJSON         = "application/json"
)

func usageResource() mcp.Resource {
	return mcp.NewResource(UsageURI, "usage",
		mcp.WithResourceTitle("Today's usage"),
		mcp.WithResourceDescription("What today has cost: charged vendor calls (charged, those under way included), and the daily budget and what remains of it, "+
			"if there is one. The day is the vendor's, from 00:00 Asia/Shanghai to resetsAt."),
		mcp.WithMIMEType(mimeJSON))
}

func portraitTemplate() mcp.ResourceTemplate {
	return mcp.NewResourceTemplate(PortraitTemplate, "portrait",
		mcp.WithTemplateTitle("Stored portrait data"),
		mcp.WithTemplateDescription("The newest stored portrait of a KOL, however old, as the vendor sent it, byte for byte; _meta has asOf, retrievedAt, endpoint and sample. "+
			"Reading is free. "+PortraitToolName+" fetches portraits into the store, and explains them."),
		mcp.WithTemplateMIMEType(mimeJSON))
}

// readUsage answers a read of UsageURI.
func (t *Tools) readUsage(ctx context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	usage, err := t.collector.Usage(ctx)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(usage, "", "  ")
	if err != nil {
		return nil, err
	}
	return []mcp.ResourceContents{mcp.TextResourceContents{URI: request.Params.URI, MIMEType: mimeJSON, Text: string(text)}}, nil
}

// readPortrait answers a read of PortraitTemplate where refuseMissing has let
// it through.
func (t *Tools) readPortrait(ctx context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	collected, err := t.collector.Stored(ctx, strings.TrimPrefix(request.Params.URI, portraitPrefix))
	if err != nil {
		return nil, err
	}
	if collected == nil {
		return nil, mcpserver.ErrResourceNotFound // it was there a moment ago
	}
	meta := map[string]any{
		"retrievedAt": collected.RetrievedAt.UTC().Format(time.RFC3339Nano),
		"endpoint":    collected.Endpoint,
	}
	if collected.AsOf != "" {
		meta["asOf"] = collected.AsOf
	}
	if collected.Sample {
		meta["sample"] = true
	}
	return []mcp.ResourceContents{mcp.TextResourceContents{
		Meta: meta, URI: request.Params.URI, MIMEType: mimeJSON, Text: string(collected.Data),
	}}, nil
}

// refuseMissing has a read of a portrait that is not stored answered as one of
// a resource that does not exist. mcp-go makes an internal error of all that a
// handler returns, and knows only URIs that nobody handles as missing; so the
// URI becomes one of those, with the reason, which mcp-go repeats to the client.
//
// Its code for that depends on the protocol revision: -32602 since 2026-07-28,
// -32002 before. SEP-2164, which brought the former, has it for all of them, as
// a client of any revision must expect either.
func (t *Tools) refuseMissing(ctx context.Context, _ any, request *mcp.ReadResourceRequest) {
	if info := mcpserver.RequestProtocolInfoFromContext(ctx); info != nil {
		info.ProtocolVersion = mcp.ProtocolVersion20260728 // of this request alone
	}
	kolID, ok := strings.CutPrefix(request.Params.URI, portraitPrefix)
	if !ok {
		return
	}
	if !isKOLID(kolID) {
		request.Params.URI += " (its end is not a KOL id: 1 to 64 letters, digits, _ or -)"
		return
	}
	if collected, err := t.collector.Stored(ctx, kolID); collected == nil && err == nil {
		request.Params.URI += " (no portrait of this KOL is stored: call " + PortraitToolName + " first, which stores what it fetches)"
	}
}

// answerReadErrors logs what a read fails of, and leaves the details there.
func (t *Tools) answerReadErrors(next mcpserver.ResourceHandlerFunc) mcpserver.ResourceHandlerFunc {
	return func(ctx context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		contents, err := next(ctx, request)
		if err != nil {
			return nil, logFailure(ctx, t.log.With("resource", request.Params.URI), err).Error
		}
		return contents, nil
	}
}

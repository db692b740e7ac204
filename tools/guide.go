package tools

import (
	"context"
	_ "embed"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// GuideURI is where clients read what each figure means.
const GuideURI = "kol-portrait://guide"

const mimeMarkdown = "text/markdown"

// The guide, in both languages. Tests hold its worked figures against what the
// audience package makes of the documented response.
var (
	//go:embed guide.en.md
	guideEnglish string

	//go:embed guide.zh.md
	guideChinese string
)

func guideResource() mcp.Resource {
	return mcp.NewResource(GuideURI, "guide",
		mcp.WithResourceTitle("What the figures mean"),
		mcp.WithResourceDescription("How every figure is computed, with a worked example, and what it cannot tell: "+
			"median age, city tiers, TGI, matched shares, score, reach and its bounds, similarity, ranks, change, warnings."),
		mcp.WithMIMEType(mimeMarkdown))
}

// readGuide answers a read of GuideURI.
func (t *Tools) readGuide(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	text := t.say(guideEnglish, guideChinese)
	return []mcp.ResourceContents{mcp.TextResourceContents{URI: GuideURI, MIMEType: mimeMarkdown, Text: text}}, nil
}

// letGuideBeCached marks a read of the guide as one that clients may keep as
// long as the lists. What else is read changes.
func letGuideBeCached(ctx context.Context, _ any, request *mcp.ReadResourceRequest, result *mcp.ReadResourceResult) {
	if request.Params.URI == GuideURI && mcpserver.IsModernRequest(ctx) { // older revisions have no such marks
		result.SetCacheHints(listTTL.Milliseconds(), mcp.CacheScopePublic)
	}
}

package tools

import (
	"context"
	"encoding/json"
	"strings"
	"text/template"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/skills"
)

// Where clients read what the store holds, what the figures mean, and how to go from a
// brief to a shortlist.
const (
	UsageURI         = "kol-portrait://usage"
	GuideURI         = "kol-portrait://guide"
	SkillURI         = "kol-portrait://skill"
	PortraitTemplate = portraitPrefix + "{kolId}"

	portraitPrefix = "kol-portrait://portraits/"
	mimeJSON       = "application/json"
	mimeMarkdown   = "text/markdown"
)

// addResources adds the resources and the template, with their handlers.
func (t *Tools) addResources(server *mcpserver.MCPServer) {
	server.AddResource(mcp.Resource{
		URI: UsageURI, Name: "usage", Title: "Today's usage", MIMEType: mimeJSON,
		Description: "Today's charged vendor calls, those under way included, the daily budget and what is left of it. The day starts at 00:00 in Shanghai.",
	}, t.readUsage)
	server.AddResource(mcp.Resource{
		URI: GuideURI, Name: "guide", Title: "What the figures mean", MIMEType: mimeMarkdown,
		Description: "How every figure is computed, with a worked example, what it cannot tell, and every name that a target audience may have.",
	}, t.readGuide)
	server.AddResource(mcp.Resource{
		URI: SkillURI, Name: "skill", Title: "From a brief to a shortlist", MIMEType: mimeMarkdown,
		Description: "How an agent chooses creators for a brief with these tools: which call when, what costs money, how to read and report the figures, what not to conclude.",
	}, func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		return []mcp.ResourceContents{mcp.TextResourceContents{URI: SkillURI, MIMEType: mimeMarkdown, Text: skills.AudienceFit()}}, nil
	})
	server.AddResourceTemplate(mcp.NewResourceTemplate(PortraitTemplate, "portrait",
		mcp.WithTemplateTitle("Stored portrait data"), mcp.WithTemplateMIMEType(mimeJSON),
		mcp.WithTemplateDescription("The newest stored portrait of a KOL, however old, as the vendor sent it, byte for byte; free. "+PortraitToolName+" fetches and explains portraits."),
	), t.readPortrait)
}

// readUsage answers a read of UsageURI.
func (t *Tools) readUsage(ctx context.Context, _ mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	usage, err := t.Collector.Usage(ctx)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(usage, "", "  ")
	return []mcp.ResourceContents{mcp.TextResourceContents{URI: UsageURI, MIMEType: mimeJSON, Text: string(text)}}, err
}

// readPortrait answers a read of PortraitTemplate.
func (t *Tools) readPortrait(ctx context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	kolID := strings.TrimPrefix(request.Params.URI, portraitPrefix)
	stored, err := t.Collector.Stored(ctx, kolID)
	if err != nil {
		return nil, err
	}
	if stored == nil {
		return nil, invalidArgument(say(t.Language, "No portrait of %s is stored: call %s first.", "尚未存有 %s 的画像：请先调用 %s。"), quote(kolID), PortraitToolName)
	}
	meta := map[string]any{"retrievedAt": stored.RetrievedAt.UTC().Format(time.RFC3339Nano), "endpoint": stored.Endpoint, "sample": stored.Sample}
	return []mcp.ResourceContents{mcp.TextResourceContents{Meta: meta, URI: request.Params.URI, MIMEType: mimeJSON, Text: string(stored.Data)}}, nil
}

// fill returns the text of the first of several templates.
func fill(data any, paths ...string) (string, error) {
	var text strings.Builder
	err := template.Must(template.ParseFS(texts, paths...)).Execute(&text, data)
	return strings.TrimSpace(text.String()), err
}

// guideNames are what the guide's template has: the names that are accepted.
type guideNames struct{ language schema.Language }

// Names returns the accepted names of a dimension, as an enumeration.
func (g guideNames) Names(of schema.Dimension) string {
	return strings.Join(audience.Names(of, g.language), say(g.language, ", ", "、"))
}

// readGuide answers a read of GuideURI.
func (t *Tools) readGuide(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	text, err := fill(guideNames{t.Language}, "guide."+string(t.Language)+".md")
	return []mcp.ResourceContents{mcp.TextResourceContents{URI: GuideURI, MIMEType: mimeMarkdown, Text: text}}, err
}

// explainReadErrors makes the error of a read one that its client can act on.
func (t *Tools) explainReadErrors(next mcpserver.ResourceHandlerFunc) mcpserver.ResourceHandlerFunc {
	return func(ctx context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		contents, err := next(ctx, request)
		return contents, t.explained(ctx, "resource", request.Params.URI, err)
	}
}

// CompleteResourceArgument completes the kolId of PortraitTemplate with the KOLs
// that have a stored portrait.
func (t *Tools) CompleteResourceArgument(ctx context.Context, uri string, argument mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	if uri != PortraitTemplate || argument.Name != "kolId" {
		return &mcp.Completion{}, nil
	}
	ids, err := t.Collector.KOLs(ctx, argument.Value, 100) // as many values as the protocol lets a completion have
	return &mcp.Completion{Values: ids}, t.explained(ctx, "completion", uri, err)
}

package tools

import (
	"context"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"kol-portrait-mcp/report"
	"kol-portrait-mcp/ui"
)

// The page that hosts of MCP Apps (SEP-1865, 2026-01-26) show with the results of
// both tools.
const (
	PageURI     = "ui://kol-portrait/portrait.html"
	PageMIME    = "text/html;profile=mcp-app"
	UIExtension = "io.modelcontextprotocol/ui"
)

// pageOfTool tells hosts which page shows a tool's results. Some read the flat key
// alone, which is the older spelling, and some pass over a tool without visibility.
func pageOfTool() *mcp.Meta {
	return mcp.NewMetaFromMap(map[string]any{
		"ui":             map[string]any{"resourceUri": PageURI, "visibility": []string{"model", "app"}},
		"ui/resourceUri": PageURI,
	})
}

// pageMeta tells hosts that the page loads nothing and wants a border, and that it has
// a button which copies. Hosts read it off the list or off the contents.
func pageMeta() map[string]any {
	return map[string]any{"ui": map[string]any{
		"csp":           map[string]any{"connectDomains": []string{}, "resourceDomains": []string{}, "frameDomains": []string{}, "baseUriDomains": []string{}},
		"permissions":   map[string]any{"clipboardWrite": map[string]any{}},
		"prefersBorder": true,
	}}
}

// addPage adds the page, which is put together when it is first read.
func addPage(server *mcpserver.MCPServer) {
	server.AddResource(mcp.Resource{
		URI: PageURI, Name: "page", Title: "The page that shows a portrait or a comparison", MIMEType: PageMIME, Meta: mcp.NewMetaFromMap(pageMeta()),
		Description: "For hosts of MCP Apps, which show it with the results of both tools.",
	}, func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		return []mcp.ResourceContents{mcp.TextResourceContents{URI: PageURI, MIMEType: PageMIME, Text: ui.Page(), Meta: pageMeta()}}, nil
	})
}

// portraitResult returns a portrait as get_kol_fans_portrait answers, with the view for
// the page where that is wanted. To make a view's figures takes as long as the rest of
// the answer, so those of a portrait without target and change are kept.
func (t *Tools) portraitResult(p *report.Portrait, withView bool) *mcp.CallToolResult {
	result := mcp.NewToolResultStructured(&p.PortraitResult, p.Text())
	if !withView {
		return result
	}
	var view *report.PortraitView
	if figures, kept := t.figures.Get(p.Audience); kept && p.Target == nil && p.Change == nil {
		view = p.View(figures)
	} else if view = p.View(nil); p.Target == nil && p.Change == nil {
		t.figures.Add(p.Audience, view.Figures)
	}
	result.Meta = mcp.NewMetaFromMap(map[string]any{report.ViewKey: view})
	return result
}

// comparisonResult is portraitResult of a comparison.
func comparisonResult(c *report.Comparison, withView bool) *mcp.CallToolResult {
	result := mcp.NewToolResultStructured(&c.Comparison, c.Text())
	if withView {
		result.Meta = mcp.NewMetaFromMap(map[string]any{report.ViewKey: c.View()})
	}
	return result
}

// drawsPages reports whether the client that calls may draw pages: unless it has said
// what it can do, and that is not among it.
func drawsPages(ctx context.Context) bool {
	client, can := caller(ctx)
	if can == nil {
		return true
	}
	_, declared := can.Extensions[UIExtension]
	return declared || strings.HasPrefix(client.Name, "Visual Studio Code") // which draws pages and does not say so: microsoft/vscode issue 291432
}

// caller returns who calls and what it can do, nil where it has not said so. A client
// of 2026-07-28 says it in each request, an older one when its session begins; over
// Streamable HTTP, which has no sessions here, that is not known.
func caller(ctx context.Context) (client mcp.Implementation, can *mcp.ClientCapabilities) {
	if request := mcpserver.RequestProtocolInfoFromContext(ctx); request != nil && request.Modern {
		if request.ClientInfo != nil {
			client = *request.ClientInfo
		}
		return client, request.ClientCapabilities
	}
	session, _ := mcpserver.ClientSessionFromContext(ctx).(mcpserver.SessionWithClientInfo)
	if session == nil || session.GetClientInfo().Name == "" { // it has not begun
		return client, nil
	}
	return session.GetClientInfo(), new(session.GetClientCapabilities())
}

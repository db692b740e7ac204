// Package tools is the MCP side of the server: what a client may ask, how its
// arguments are understood, and how failures are told. One call travels
//
//	arguments -> collector -> audience -> report
//
// and the same road serves the command line.
package tools

import (
	"context"
	"embed"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/telemetry"
)

// The names under which clients call for portraits.
const (
	PortraitToolName   = "get_kol_fans_portrait"
	ComparisonToolName = "compare_kol_fans_portraits"
)

// Collector brings portraits, and keeps them. Its errors are, or wrap, *schema.Errors.
type Collector interface {
	// Portrait returns the portrait of a KOL, the stored one where that is recent
	// enough. fresh asks for one that was collected fresh within the last ten
	// minutes.
	Portrait(ctx context.Context, kolID string, fresh bool) (*schema.Collected, error)
	// Stored returns the newest stored portrait of a KOL, however old it is, or
	// nil where there is none.
	Stored(ctx context.Context, kolID string) (*schema.Collected, error)
	// Older returns what the KOL's newest portrait is compared with: the latest
	// stored one of an earlier day, nil where there is none. It collects nothing.
	Older(ctx context.Context, newest *schema.Collected) (*schema.Collected, error)
	// KOLs returns the ids that begin with prefix and have a stored portrait, in
	// alphabetical order, at most limit.
	KOLs(ctx context.Context, prefix string, limit int) ([]string, error)
	// Usage returns what the vendor's day has cost so far.
	Usage(ctx context.Context) (schema.Usage, error)
}

// Options are what Tools are made of.
type Options struct {
	Collector Collector
	Baseline  *audience.Baseline // the user's own; nil where there is none
	Language  schema.Language    // of answers to calls that name none
	Sample    bool               // whether the vendor is the simulated one
	AnyID     bool               // whether a KOL id may be other than the vendor's 24 hex digits
	Now       func() time.Time   // tells how old a portrait is
	Metrics   *telemetry.Metrics // nil: none
	Logger    *slog.Logger
}

// Tools answers calls of the tools, reads of the resources and requests for
// the prompts. It is safe for concurrent use.
type Tools struct {
	Options
	analyst   *audience.Analyst
	audiences *lru.Cache[string, *audience.Audience]          // by the portrait's ID
	figures   *lru.Cache[*audience.Audience, json.RawMessage] // of views without target and change
}

// New returns Tools made of o. Nothing is opened or asked before the first call.
func New(o Options) *Tools {
	audiences, _ := lru.New[string, *audience.Audience](256) // of some 20 KB each; a size above zero is no error
	figures, _ := lru.New[*audience.Audience, json.RawMessage](256)
	return &Tools{o, audience.New(o.Baseline), audiences, figures}
}

// texts are what a model reads: the descriptions of the server and its tools, and in
// both languages, as templates, the guide and the prompts, which share their parts.
//
//go:embed descriptions guide.en.md guide.zh.md prompts
var texts embed.FS

// description returns what clients tell their models about a tool, or in
// instructions about the server as a whole.
func description(of string) string {
	text, _ := texts.ReadFile("descriptions/" + of + ".md") // it is embedded
	return strings.TrimSpace(string(text))
}

// Server returns an MCP server that offers the tools, resources and prompts
// under the given version of the product.
func (t *Tools) Server(version string) *mcpserver.MCPServer {
	server := mcpserver.NewMCPServer("kol-portrait-mcp", version,
		mcpserver.WithTitle("KOL fans portrait"),
		mcpserver.WithDescription("Who follows a Xiaohongshu creator: audience portraits for agents."),
		mcpserver.WithInstructions(description("instructions")),
		mcpserver.WithToolCapabilities(false),
		mcpserver.WithResourceCapabilities(false, false),
		mcpserver.WithPromptCapabilities(false),
		mcpserver.WithCompletions(),
		mcpserver.WithExtensions(map[string]any{UIExtension: map[string]any{}}),
		mcpserver.WithResourceCompletionProvider(t),
		mcpserver.WithCacheHints(time.Hour.Milliseconds(), mcp.CacheScopePublic), // lists change only with the version
		mcpserver.WithMethodCacheHints(mcp.MethodResourcesRead, 0, mcp.CacheScopePrivate),
		// mcp-go checks nothing against the schemas: arguments are repaired, and the
		// tests hold every kind of result against them.
		mcpserver.WithToolHandlerMiddleware(t.answerErrors),
		mcpserver.WithRecovery(), // inside answerErrors, which turns a panic into an answer
		mcpserver.WithResourceHandlerMiddleware(t.explainReadErrors),
		mcpserver.WithResourceRecovery(),
	)
	var portrait, comparison mcp.Tool
	var both sync.WaitGroup // each takes half a millisecond of the start
	both.Go(func() {
		portrait = newTool[schema.PortraitArguments, schema.PortraitResult](PortraitToolName, "KOL fans portrait")
	})
	both.Go(func() {
		comparison = newTool[schema.ComparisonArguments, schema.Comparison](ComparisonToolName, "Compare KOL fans portraits")
	})
	both.Wait()
	server.AddTool(portrait, t.callPortrait)
	server.AddTool(comparison, t.callComparison)
	t.addResources(server)
	addPage(server)
	server.AddPrompts(t.prompts()...)
	return server
}

// newTool describes a tool that takes an In and gives an Out. Like all of this
// server, it only reads, may be repeated, and reaches out to the vendor.
func newTool[In, Out any](name, title string) mcp.Tool {
	return mcp.Tool{
		Name: name, Title: title, Description: description(name), Meta: pageOfTool(),
		RawInputSchema: schema.InputSchema[In](), RawOutputSchema: schema.OutputSchema[Out](),
		Annotations: mcp.ToolAnnotation{
			Title: title, ReadOnlyHint: new(true), DestructiveHint: new(false), IdempotentHint: new(true), OpenWorldHint: new(true),
		},
	}
}

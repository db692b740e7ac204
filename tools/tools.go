// Package tools is the MCP side of the server: what a client may ask, how its
// arguments are understood, and how the answer reads. One call travels
//
//	arguments -> Portrait -> collector -> audience -> structured result and text
//
// and the same road serves the command line.
package tools

import (
	"context"
	"log/slog"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
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
	// Older returns what the KOL's newest portrait is measured against: the latest
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
	Baseline  *audience.Baseline // the user's own, in place of the census; may be nil
	Language  schema.Language    // of answers to calls that name none
	Sample    bool               // whether the vendor is the simulated one
	Now       func() time.Time   // tells how old a portrait is
	Logger    *slog.Logger
}

// Tools answers calls of the tools, reads of the resources and requests for
// the prompts. It is safe for concurrent use.
type Tools struct {
	collector Collector
	analyst   *audience.Analyst
	language  schema.Language
	sample    bool
	now       func() time.Time
	log       *slog.Logger
}

// New returns Tools made of o. Nothing is opened or asked before the first call.
func New(o Options) *Tools {
	return &Tools{
		collector: o.Collector,
		analyst:   audience.New(o.Baseline),
		language:  o.Language,
		sample:    o.Sample,
		now:       o.Now,
		log:       o.Logger,
	}
}

// listTTL is how long a client may keep the lists of what this server offers:
// they change only with the server's version.
const listTTL = time.Hour

// instructions is what a client tells its model about the server as a whole.
const instructions = `Who follows a Xiaohongshu (RED) creator: the followers' age, gender, places, interests and devices, from Just One API's paid "fans portrait".
- get_kol_fans_portrait is for one KOL, compare_kol_fans_portraits for a shortlist. With a targetAudience both say how well the followers fit: the score ranks and is no probability, reach is a range.
- Collecting a portrait costs money. Portraits are kept and shared, and served from the store for free while they are recent. Leave acceptCache at true unless the user asks for newer data, and do not repeat a call whose answer you have.
- still_collecting means: not yet. The collection goes on in the background; repeat the same call after retryAfterSeconds, which gets the answer without a second charge.
- The resource kol-portrait://usage tells today's charged calls and what is left of the budget; kol-portrait://portraits/{kolId} is the stored data as the vendor sent it; kol-portrait://guide tells how each figure is computed.
- Shares are fractions from 0 to 1 in structured results and percentages in text. What is absent is unknown, not zero; the city list holds only the largest few, so sums over it are lower bounds.
- When an answer is marked as sample data, say so: it describes no real KOL.
- On any other error, read its advice. Repeat the call only where retryable is true, and only after retryAfterSeconds; where charged is true, ask the user first.`

// Server returns an MCP server that offers the tools, resources and prompts
// under the given version of the product.
func (t *Tools) Server(version string) *mcpserver.MCPServer {
	hooks := &mcpserver.Hooks{}
	hooks.AddBeforeReadResource(t.refuseMissing)
	hooks.AddAfterReadResource(letGuideBeCached)
	hooks.AddBeforeGetPrompt(t.refuseArguments)
	server := mcpserver.NewMCPServer("kol-portrait-mcp", version,
		mcpserver.WithTitle("KOL fans portrait"),
		mcpserver.WithDescription("Who follows a Xiaohongshu creator: compact, cost-aware audience portraits for agents."),
		mcpserver.WithInstructions(instructions),
		mcpserver.WithToolCapabilities(false),
		mcpserver.WithResourceCapabilities(false, false),
		mcpserver.WithPromptCapabilities(false),
		mcpserver.WithCompletions(),
		mcpserver.WithResourceCompletionProvider(completer{t}),
		mcpserver.WithPromptCompletionProvider(completer{t}),
		mcpserver.WithCacheHints(listTTL.Milliseconds(), mcp.CacheScopePublic),
		mcpserver.WithMethodCacheHints(mcp.MethodResourcesRead, 0, mcp.CacheScopePrivate),
		mcpserver.WithHooks(hooks),
		// Nothing is held against the schemas at run time: arguments are parsed,
		// which also repairs and explains them, and the tests hold every kind of
		// result, and the parser itself, against the schemas.
		mcpserver.WithToolHandlerMiddleware(t.answerErrors),
		mcpserver.WithRecovery(), // inside answerErrors, which turns a panic into an answer
		mcpserver.WithResourceHandlerMiddleware(t.answerReadErrors),
		mcpserver.WithResourceRecovery(),
	)
	server.AddTool(portraitTool(), t.callPortrait)
	server.AddTool(comparisonTool(), t.callComparison)
	server.AddResource(usageResource(), t.readUsage)
	server.AddResource(guideResource(), t.readGuide)
	server.AddResourceTemplate(portraitTemplate(), t.readPortrait)
	server.AddPrompts(t.prompts()...)
	return server
}

package tools

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// ComparisonToolName is the name under which clients call for several portraits
// side by side.
const ComparisonToolName = "compare_kol_fans_portraits"

const comparisonDescription = `Compare the audiences of 2 to 20 Xiaohongshu (RED) KOLs side by side, and how alike their profiles are; with a targetAudience also each KOL's fit, best first. Use it for a shortlist, and get_kol_fans_portrait for one KOL's details.
Cost: each KOL as there: free while stored, else one charged call. A KOL that fails is told in failures and does not fail the rest; repeat the same call for those still_collecting, without a second charge.
Similarity compares profiles; it says nothing about people who follow both.`

func comparisonTool() mcp.Tool {
	return newTool(ComparisonToolName, "Compare KOL fans portraits", comparisonDescription, schema.ComparisonArgumentsSchema(), schema.ComparisonSchema())
}

// callComparison answers a call of compare_kol_fans_portraits.
func (t *Tools) callComparison(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	args, err := t.ParseComparisonArguments(request.Params.Arguments)
	if err != nil {
		return nil, err
	}
	arrived, stop := t.reportProgress(ctx, request, len(args.KOLIDs), args.Language)
	defer stop()
	comparison, err := t.Compare(ctx, args, arrived)
	if err != nil {
		return nil, err
	}
	for _, failure := range comparison.Failures {
		logFailure(ctx, t.log.With("tool", ComparisonToolName, "kolId", failure.KOLID), failure.Error)
	}
	return mcp.NewToolResultStructured(comparison, t.ComparisonText(comparison)), nil
}

// Compare collects the portraits that args ask for, all at the same time, and
// sets them side by side. It calls arrived, from one goroutine at a time,
// whenever one more is there or has failed.
//
// A KOL that fails is among the comparison's failures. Where all do, that is
// the error, with which FailureOf tells each of them.
func (t *Tools) Compare(ctx context.Context, args schema.ComparisonArguments, arrived func()) (*schema.Comparison, error) {
	target, err := t.analyst.Target(args.TargetAudience)
	if err != nil {
		return nil, err
	}
	portraits, failures := t.collectAll(ctx, args.KOLIDs, !args.AcceptCache, arrived)
	if len(portraits) == 0 {
		return nil, allFailed(failures)
	}
	comparison := &schema.Comparison{
		Language: args.Language,
		Failures: failures,
		Source:   sourceOf(portraits, failures),
		Warnings: t.analyst.ComparisonWarnings(portraits, t.now(), args.Language),
	}
	if target != nil {
		comparison.Target = target.Words(args.Language)
	}
	comparison.Portraits, comparison.Similarity = t.analyst.Compare(portraits, target, args.Language)
	if warning := audience.UnlistedWarning(comparison.Portraits, args.Language); warning != "" {
		comparison.Warnings = append(comparison.Warnings, warning)
	}
	comparison.Warnings = withProvenance(comparison.Warnings, args.Language, portraits...)
	return comparison, nil
}

// collectAll collects the portraits of all KOLs at once: how many requests the
// vendor gets a second is for the upstream to limit. Portraits and failures are
// in the order of the KOLs.
func (t *Tools) collectAll(ctx context.Context, kolIDs []string, fresh bool, arrived func()) (portraits []*schema.Collected, failures []schema.FailedPortrait) {
	collected := make([]*schema.Collected, len(kolIDs))
	errs := make([]error, len(kolIDs))
	var arriving sync.Mutex
	var all sync.WaitGroup
	for i, kolID := range kolIDs {
		all.Go(func() {
			collected[i], errs[i] = t.collectOne(ctx, kolID, fresh)
			arriving.Lock()
			defer arriving.Unlock()
			arrived()
		})
	}
	all.Wait()

	for i, kolID := range kolIDs {
		if errs[i] != nil {
			failures = append(failures, schema.FailedPortrait{KOLID: kolID, Error: FailureOf(errs[i]).Error})
			continue
		}
		portraits = append(portraits, collected[i])
	}
	return portraits, failures
}

// collectOne is the collector's Portrait. A panic, which would take the process
// with it in a comparison, is an error of which the log has the details. A failure
// of the simulated vendor says that what it charges is no money.
func (t *Tools) collectOne(ctx context.Context, kolID string, fresh bool) (collected *schema.Collected, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("collecting panicked: %v", cause)
			t.log.ErrorContext(ctx, "collecting panicked", "kolId", kolID, "panic", cause, "stack", string(debug.Stack()))
		}
	}()
	collected, err = t.collector.Portrait(ctx, kolID, fresh)
	if failure, ok := errors.AsType[*schema.Error](err); ok && t.sample && failure.Charged {
		simulated := *failure
		simulated.Message += " The vendor is simulated: any charge is play money."
		err = &simulated
	}
	return collected, err
}

// sourceOf adds up where the portraits came from and what all of it cost.
func sourceOf(portraits []*schema.Collected, failures []schema.FailedPortrait) schema.ComparisonSource {
	source := schema.ComparisonSource{
		Environment: portraits[0].Environment,
		Sample:      portraits[0].Sample,
	}
	for _, p := range portraits {
		if p.FromStore {
			source.FromStore++
		}
		if p.Charged {
			source.Charged++
		}
	}
	source.Charged += mayBeCharged(failures)
	return source
}

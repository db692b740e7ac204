package tools

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"golang.org/x/sync/errgroup"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/report"
	"kol-portrait-mcp/schema"
)

// callPortrait answers a call of get_kol_fans_portrait.
func (t *Tools) callPortrait(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	args, err := t.ParsePortraitArguments(request.Params.Arguments)
	if err != nil {
		return nil, err
	}
	_, stop := reportProgress(ctx, request, 0, args.Language)
	defer stop()
	portrait, err := t.Portrait(ctx, args)
	if err != nil {
		return nil, err
	}
	return t.portraitResult(portrait, drawsPages(ctx)), nil
}

// Portrait collects the portrait that args ask for and says what it amounts
// to. FailureOf explains its error.
func (t *Tools) Portrait(ctx context.Context, args PortraitArguments) (*report.Portrait, error) {
	collected, now, err := t.collect(ctx, args.KOLID, !args.AcceptCache, args.Language)
	if err != nil {
		return nil, err
	}
	return t.portrait(ctx, collected, now, args), nil
}

// StoredPortrait is Portrait of the newest stored one, however old, so that it costs
// nothing. It is nil where there is none.
func (t *Tools) StoredPortrait(ctx context.Context, args PortraitArguments) (*report.Portrait, error) {
	stored, err := t.Collector.Stored(ctx, args.KOLID)
	if err != nil || stored == nil {
		return nil, err
	}
	return t.portrait(ctx, stored, t.audience(stored), args), nil
}

func (t *Tools) portrait(ctx context.Context, c *schema.Collected, x *audience.Audience, args PortraitArguments) *report.Portrait {
	older, olderAsOf := t.older(ctx, c)
	return report.NewPortrait(c, x, older, olderAsOf, args.Target, args.PortraitArguments, t.Now())
}

// older returns the audience of the portrait before, and its day; nil where there
// is none. An answer that was paid for does not fail, nor wait long, for want of it.
func (t *Tools) older(ctx context.Context, now *schema.Collected) (x *audience.Audience, asOf string) {
	within, cancel := context.WithTimeout(ctx, time.Second) // the store may hang
	defer cancel()
	older, err := t.Collector.Older(within, now)
	if err != nil && ctx.Err() == nil { // else the client has left, and nothing is wrong
		t.Logger.WarnContext(ctx, "the older portrait cannot be read, so the answer has no change", "kolId", now.KOLID, "error", err)
	}
	if err != nil || older == nil {
		return nil, ""
	}
	return t.audience(older), older.AsOf
}

// audience returns who the followers of a portrait are. A portrait never changes,
// so the last few hundred are kept.
func (t *Tools) audience(p *schema.Collected) *audience.Audience {
	if x, known := t.audiences.Get(p.ID); known {
		return x
	}
	x := t.analyst.Audience(&p.Distributions)
	t.audiences.Add(p.ID, x)
	return x
}

// collect is the collector's Portrait, with the audience that it has. The log has
// the details of an error that is no *schema.Error, also of a panic, which would take
// the process with it in a comparison. A failure of the simulated vendor says that
// what it charges is no money.
func (t *Tools) collect(ctx context.Context, kolID string, fresh bool, lang schema.Language) (collected *schema.Collected, x *audience.Audience, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
		failure, known := errors.AsType[*schema.Error](err)
		switch {
		case err != nil && !known:
			t.Logger.ErrorContext(ctx, "collecting failed", "kolId", kolID, "error", err)
		case err != nil && t.Sample && failure.Charged:
			simulated := *failure
			simulated.Message += say(lang, " The vendor is simulated: any charge is play money.", " 数据源是模拟的，计费也是模拟的。")
			err = &simulated
		}
	}()
	if collected, err = t.Collector.Portrait(ctx, kolID, fresh); err != nil {
		return nil, nil, err
	}
	return collected, t.audience(collected), nil
}

// callComparison answers a call of compare_kol_fans_portraits.
func (t *Tools) callComparison(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	args, err := t.ParseComparisonArguments(request.Params.Arguments)
	if err != nil {
		return nil, err
	}
	ids, _ := args.different()
	arrived, stop := reportProgress(ctx, request, len(ids), args.Language)
	defer stop()
	comparison, err := t.Compare(ctx, args, func(int) { arrived() })
	if err != nil {
		return nil, err
	}
	for _, f := range comparison.Failures {
		logFailure(ctx, t.Logger.With("tool", ComparisonToolName, "kolId", f.KOLID), f.Error, f.Error)
	}
	return comparisonResult(comparison, drawsPages(ctx)), nil
}

// Compare collects the portraits of any number of KOLs, twenty at the same time,
// and sets them side by side, by rank where there is a target audience. A KOL
// that is named twice is compared once. Of each, only what the comparison shows is
// kept. Whenever one more has arrived or failed, Compare calls arrived, one call at a
// time, with the vendor calls that were, or may have been, charged so far.
//
// A KOL that fails is among the comparison's failures. Where all do, that is the
// error, with which FailureOf tells each of them.
func (t *Tools) Compare(ctx context.Context, args ComparisonArguments, arrived func(charged int)) (*report.Comparison, error) {
	ids, labels := args.different()
	kols := make([]*audience.Compared, len(ids))      // nil for those that failed
	failed := make([]schema.FailedPortrait, len(ids)) // zero for those that did not
	source := schema.ComparisonSource{}
	onlyHere := false
	var mu sync.Mutex // of source and onlyHere; arrived is called under it
	var all errgroup.Group
	all.SetLimit(mostCompared)
	for i, id := range ids {
		all.Go(func() error {
			collected, x, err := t.collect(ctx, id, !args.AcceptCache, args.Language)
			if err != nil {
				failed[i] = schema.FailedPortrait{KOLID: id, Label: labels[i], Error: FailureOf(err, args.Language).Error}
				collected = &schema.Collected{Charged: failed[i].Error.Charged}
			} else {
				kols[i] = x.Compared(id, labels[i], collected.AsOf, args.Target, args.Language)
			}
			mu.Lock()
			defer mu.Unlock()
			source.Environment = cmp.Or(collected.Environment, source.Environment)
			source.Sample = source.Sample || collected.Sample
			onlyHere = onlyHere || collected.OnlyHere
			if collected.Charged {
				source.Charged++
			}
			if collected.FromStore {
				source.FromStore++
			}
			arrived(source.Charged)
			return nil
		})
	}
	_ = all.Wait() // a KOL that fails fails nobody else

	failures := slices.DeleteFunc(failed, func(f schema.FailedPortrait) bool { return f.Error == nil })
	kols = slices.DeleteFunc(kols, func(k *audience.Compared) bool { return k == nil })
	if len(kols) == 0 {
		return nil, noPortraits{together(failures, args.Language)}
	}
	similarity := audience.Rank(kols, args.Target != nil)
	return report.NewComparison(kols, similarity, failures, source, args.Target, len(args.KOLIDs)-len(ids), onlyHere, args.Language, t.Now()), nil
}

// different returns the KOLs, each once in its first place, and a label for each,
// empty where there is none.
func (a ComparisonArguments) different() (ids, labels []string) {
	for i, id := range a.KOLIDs {
		if !slices.Contains(ids, id) {
			label := ""
			if a.Labels != nil {
				label = a.Labels[i]
			}
			ids, labels = append(ids, id), append(labels, label)
		}
	}
	return ids, labels
}

// noPortraits is the error of a comparison all of whose KOLs failed.
type noPortraits struct{ failure Failure }

// Error returns that of all together.
func (n noPortraits) Error() string { return n.failure.Error.Error() }

// together returns several failures as one, of the kind of the first that is worth
// repeating.
func together(failures []schema.FailedPortrait, lang schema.Language) Failure {
	first := failures[max(0, slices.IndexFunc(failures, func(f schema.FailedPortrait) bool { return f.Error.Retryable }))].Error
	return Failure{lang: lang, Failures: failures, Error: &schema.Error{
		Kind: first.Kind, Retryable: first.Retryable, RetryAfterSeconds: first.RetryAfterSeconds,
		Charged: slices.ContainsFunc(failures, func(f schema.FailedPortrait) bool { return f.Error.Charged }),
		Message: fmt.Sprintf(say(lang, "There is no portrait of any of the %d KOLs.", "%d 位达人的画像均未取得。"), len(failures)),
	}}
}

package tools

import (
	"context"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"kol-portrait-mcp/schema"
)

// Failure is a failed call as a client sees it: its structured half.
type Failure struct {
	Error    *schema.Error           `json:"error"`
	Failures []schema.FailedPortrait `json:"failures,omitempty"` // KOL by KOL, where a comparison of several failed

	lang schema.Language
}

// FailureOf returns err as a client sees it, in the language of its call: the
// message says what happened, as the part that failed has worded it, and what to
// do. An error that is not a *schema.Error is a fault of this server, whose details
// stay in its log.
func FailureOf(err error, lang schema.Language) Failure {
	if none, ok := errors.AsType[noPortraits](err); ok {
		return none.failure
	}
	known, ok := errors.AsType[*schema.Error](err)
	if !ok { // whether it was charged nobody knows: a repetition is not invited
		known = &schema.Error{Kind: schema.Internal, Message: "The server failed on this call.", Charged: true}
	}
	seen := *known
	again := ""
	if seen.Charged && seen.Retryable && seen.Kind != schema.StillCollecting {
		again = say(lang, " That may be charged too: ask the user first.", "重复调用可能再次计费，请先征得用户同意。")
	}
	en, zh := advice(seen.Kind)
	seen.Message = say(lang, known.Message+" "+en+again, zh+again+"详情："+known.Message)
	return Failure{Error: &seen, lang: lang}
}

//go:embed advice.csv
var adviceTable string

// advice returns what to do about a failure of a kind. The Chinese says first what
// the kind means, since the message of a failure is English.
func advice(kind schema.Kind) (en, zh string) {
	rows, _ := csv.NewReader(strings.NewReader(adviceTable)).ReadAll() // the tests read it too
	i := slices.IndexFunc(rows, func(row []string) bool { return row[0] == string(kind) })
	return rows[i][1], rows[i][2]
}

// Text returns the failure as one block that a model can act on: what the
// message says, then the facts to decide by.
func (f Failure) Text() string {
	lines := []string{fmt.Sprintf(say(f.lang, "Error %s: %s", "错误 %s：%s"), f.Error.Kind, f.Error.Message), f.facts(f.Error)}
	if f.Error.RequestID != "" {
		lines[1] += say(f.lang, " Request id: ", "请求 ID：") + f.Error.RequestID
	}
	var reasons []string
	kols := map[string][]string{} // by reason: many KOLs often fail for the same one
	for _, failed := range f.Failures {
		reason := fmt.Sprintf("%s: %s %s", failed.Error.Kind, failed.Error.Message, f.facts(failed.Error))
		if kols[reason] == nil {
			reasons = append(reasons, reason)
		}
		kols[reason] = append(kols[reason], failed.KOLID)
	}
	for _, reason := range reasons {
		lines = append(lines, strings.Join(kols[reason], ", ")+": "+reason)
	}
	return strings.Join(lines, "\n")
}

// facts says whether to repeat a call, and whether it was charged.
func (f Failure) facts(e *schema.Error) string {
	retryable := say(f.lang, "no", "否")
	switch wait := time.Duration(e.RetryAfterSeconds) * time.Second; {
	case e.Retryable && wait == 0:
		retryable = say(f.lang, "yes", "是")
	case e.Retryable && wait < time.Hour:
		retryable = fmt.Sprintf(say(f.lang, "yes, after %d s", "是，%d 秒后"), e.RetryAfterSeconds)
	case e.Retryable:
		retryable = fmt.Sprintf(say(f.lang, "yes, after %.1f h", "是，%.1f 小时后"), wait.Hours())
	}
	charged := say(f.lang, "no", "否")
	switch {
	case e.Charged && e.Kind == schema.StillCollecting:
		charged = say(f.lang, "at most once, for the whole collection", "整个采集至多一次")
	case e.Charged:
		charged = say(f.lang, "assume yes", "按已计费处理")
	}
	return fmt.Sprintf(say(f.lang, "Retryable: %s. Charged: %s.", "可重试：%s。是否计费：%s。"), retryable, charged)
}

// answerErrors logs and counts each call, and turns its error into a result that the
// model can act on, instead of a protocol error that it never sees.
func (t *Tools) answerErrors(next mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
	return func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		start := t.Now()
		result, err := next(ctx, request)
		log := t.Logger.With("tool", request.Params.Name, "took", t.Now().Sub(start).Round(time.Millisecond))
		if caller := schema.CallerOf(ctx); caller != "" {
			log = log.With("caller", caller)
		}
		if err != nil {
			args, _ := t.ParsePortraitArguments(request.Params.Arguments) // both tools name the language alike
			failure := FailureOf(err, args.Language)
			logFailure(ctx, log.With("arguments", quote(request.Params.Arguments)), failure.Error, err)
			t.count(ctx, request.Params.Name, string(failure.Error.Kind), "none")
			result := mcp.NewToolResultStructured(failure, failure.Text())
			result.IsError = true
			return result, nil
		}
		source := "vendor"
		switch answer := result.StructuredContent.(type) {
		case *schema.PortraitResult:
			if answer.Source.FromStore {
				source = "store"
			}
			log = log.With("kolId", answer.KOLID, "fromStore", answer.Source.FromStore, "charged", answer.Source.Charged)
		case *schema.Comparison:
			log = log.With("portraits", len(answer.Portraits), "failures", len(answer.Failures), "fromStore", answer.Source.FromStore, "charged", answer.Source.Charged)
			switch answer.Source.FromStore {
			case 0:
			case len(answer.Portraits):
				source = "store"
			default:
				source = "mixed"
			}
		}
		t.count(ctx, request.Params.Name, "ok", source)
		log.InfoContext(ctx, "tool call answered")
		return result, nil
	}
}

// count counts a call, and says in its span how it ended.
func (t *Tools) count(ctx context.Context, tool, outcome, source string) {
	t.Metrics.Call(tool, outcome, source)
	trace.SpanFromContext(ctx).SetAttributes(attribute.String("kol_portrait.outcome", outcome), attribute.String("kol_portrait.source", source))
}

// logFailure logs a failure under the attributes of log: what a client sees of
// it, and of a fault of this server the error itself.
func logFailure(ctx context.Context, log *slog.Logger, seen *schema.Error, err error) {
	level, told := slog.LevelWarn, error(seen)
	if seen.Kind == schema.Internal {
		level, told = slog.LevelError, err
	} else if slices.Contains([]schema.Kind{schema.InvalidArgument, schema.NoPortrait, schema.StillCollecting, schema.BudgetExhausted}, seen.Kind) {
		level = slog.LevelInfo // nobody has to look into it
	}
	log.Log(ctx, level, "call failed", "charged", seen.Charged, "error", told)
}

// explained logs why a request for a prompt, a resource or a completion fails, and
// returns the error as its client is to see it, nil for none. What is wrong with the
// request itself is one plain sentence.
func (t *Tools) explained(ctx context.Context, what, name string, err error) error {
	if err == nil {
		return nil
	}
	failure := FailureOf(err, t.Language).Error
	logFailure(ctx, t.Logger.With(what, name), failure, err)
	if refused, ok := errors.AsType[*schema.Error](err); ok && refused.Kind == schema.InvalidArgument {
		return errors.New(refused.Message)
	}
	return failure
}

// say returns the sentence in a language.
func say(lang schema.Language, english, chinese string) string {
	if lang == schema.Chinese {
		return chinese
	}
	return english
}

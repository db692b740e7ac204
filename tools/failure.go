package tools

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"kol-portrait-mcp/schema"
)

// Failure is the structured half of a failed call.
type Failure struct {
	Error    *schema.Error           `json:"error"`
	Failures []schema.FailedPortrait `json:"failures,omitempty"` // KOL by KOL, where a comparison of several failed
}

// FailureOf returns err as every client sees it. An error that is not a
// *schema.Error is a fault of this server, whose details stay in its log.
func FailureOf(err error) Failure {
	if several, ok := errors.AsType[*comparisonFailure](err); ok {
		return Failure{Error: several.together, Failures: several.failures}
	}
	if known, ok := errors.AsType[*schema.Error](err); ok {
		return Failure{Error: known}
	}
	return Failure{Error: &schema.Error{
		Kind:    schema.Internal,
		Message: "The server failed on this call; its log has the details. Other calls are not affected.",
		Charged: true, // nobody knows: say so rather than invite a repetition
	}}
}

// Text returns the failure as one block that a model can act on: what the
// message says, then the facts to decide by.
func (f Failure) Text() string {
	text := fmt.Sprintf("Error %s: %s\nRetryable: %s. Charged: %s.", f.Error.Kind, f.Error.Message, retryable(f.Error), f.charged())
	if f.Error.RequestID != "" {
		text += " Request id: " + f.Error.RequestID
	}
	return text
}

func retryable(e *schema.Error) string {
	wait := time.Duration(e.RetryAfterSeconds) * time.Second
	switch {
	case !e.Retryable:
		return "no"
	case wait == 0:
		return "yes"
	case wait < time.Hour:
		return fmt.Sprintf("yes, after %d s", e.RetryAfterSeconds)
	default:
		return fmt.Sprintf("yes, after %.1f h", wait.Hours())
	}
}

func (f Failure) charged() string {
	if maybe := mayBeCharged(f.Failures); maybe > 1 {
		return fmt.Sprintf("up to %d calls", maybe)
	}
	return charged(f.Error, "at most once, for the whole collection")
}

// charged is no more certain than the error is, whose message may say more;
// once is what a collection that goes on costs.
func charged(e *schema.Error, once string) string {
	switch {
	case !e.Charged:
		return "no"
	case e.Kind == schema.StillCollecting:
		return once
	default:
		return "assume yes"
	}
}

func (f Failure) result() *mcp.CallToolResult {
	result := mcp.NewToolResultStructured(f, f.Text())
	result.IsError = true
	return result
}

// answerErrors logs each call and turns its error into a result that the
// model can act on, instead of a protocol error that it never sees.
func (t *Tools) answerErrors(next mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
	return func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		start := t.now()
		result, err := next(ctx, request)
		log := t.log.With("tool", request.Params.Name, "took", t.now().Sub(start).Round(time.Millisecond))
		if err != nil {
			return logFailure(ctx, log.With("arguments", quote(request.Params.Arguments)), err).result(), nil
		}
		switch answer := result.StructuredContent.(type) {
		case *schema.PortraitResult:
			log = log.With("kolId", answer.KOLID, "fromStore", answer.Source.FromStore, "charged", answer.Source.Charged)
		case *schema.Comparison:
			log = log.With("portraits", len(answer.Portraits), "failures", len(answer.Failures), "fromStore", answer.Source.FromStore, "charged", answer.Source.Charged)
		}
		log.InfoContext(ctx, "tool call answered")
		return result, nil
	}
}

// logFailure logs an error under the attributes of log, and returns it as the
// client is to see it.
func logFailure(ctx context.Context, log *slog.Logger, err error) Failure {
	failure := FailureOf(err)
	told := error(failure.Error)
	if failure.Error.Kind == schema.Internal {
		told = err
	}
	log.Log(ctx, logLevel(failure.Error.Kind), "call failed", "charged", failure.Error.Charged, "error", told)
	return failure
}

// logLevel tells what somebody should look into from what is as it should be.
func logLevel(kind schema.Kind) slog.Level {
	switch kind {
	case schema.Internal:
		return slog.LevelError
	case schema.InvalidArgument, schema.NoPortrait, schema.StillCollecting, schema.BudgetExhausted:
		return slog.LevelInfo
	default:
		return slog.LevelWarn
	}
}

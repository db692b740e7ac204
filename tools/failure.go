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
	Error *schema.Error `json:"error"`
}

// FailureOf returns err as every client sees it. An error that is not a
// *schema.Error is a fault of this server, whose details stay in its log.
func FailureOf(err error) Failure {
	var known *schema.Error
	if errors.As(err, &known) {
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
	text := fmt.Sprintf("Error %s: %s\nRetryable: %s. Charged: %s.", f.Error.Kind, f.Error.Message, f.retryable(), f.charged())
	if f.Error.RequestID != "" {
		text += " Request id: " + f.Error.RequestID
	}
	return text
}

func (f Failure) retryable() string {
	wait := time.Duration(f.Error.RetryAfterSeconds) * time.Second
	switch {
	case !f.Error.Retryable:
		return "no"
	case wait == 0:
		return "yes"
	case wait < time.Hour:
		return fmt.Sprintf("yes, after %d s", f.Error.RetryAfterSeconds)
	default:
		return fmt.Sprintf("yes, after %.1f h", wait.Hours())
	}
}

// charged is no more certain than the error is; its message may say more.
func (f Failure) charged() string {
	switch {
	case !f.Error.Charged:
		return "no"
	case f.Error.Kind == schema.StillCollecting:
		return "at most once, for the whole collection"
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
		log := t.log.With("tool", request.Params.Name, "kolId", request.GetString("kolId", ""), "took", t.now().Sub(start).Round(time.Millisecond))
		if err != nil {
			return logFailure(ctx, log, err).result(), nil
		}
		if portrait, ok := result.StructuredContent.(*schema.Portrait); ok {
			log = log.With("fromStore", portrait.Source.FromStore, "charged", portrait.Source.Charged)
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
	case schema.InvalidArgument, schema.StillCollecting, schema.BudgetExhausted:
		return slog.LevelInfo
	default:
		return slog.LevelWarn
	}
}

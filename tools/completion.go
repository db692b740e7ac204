package tools

import (
	"context"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"
)

// maxCompletions is the most values that the protocol lets one completion have.
const maxCompletions = 100

// completer completes the variables of resource templates and the arguments
// of prompts.
type completer struct{ *Tools }

// CompleteResourceArgument completes the kolId of PortraitTemplate with the
// KOLs that have a stored portrait. For all else it knows no values.
func (c completer) CompleteResourceArgument(ctx context.Context, uri string, argument mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	if uri != PortraitTemplate || argument.Name != portraitVariable {
		return &mcp.Completion{}, nil
	}
	return c.storedKOLs(ctx, uri, argument.Value)
}

// storedKOLs returns the KOLs that have a stored portrait and an id that begins
// with prefix. What is completed is for the log.
func (c completer) storedKOLs(ctx context.Context, completed, prefix string) (*mcp.Completion, error) {
	if prefix != "" && !isKOLID(prefix) {
		return &mcp.Completion{}, nil
	}
	ids, err := c.collector.KOLs(ctx, prefix, maxCompletions+1)
	if err != nil {
		return nil, logFailure(ctx, c.log.With("completion", completed), err).Error
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return !isKOLID(id) }) // others may write to the store
	if len(ids) > maxCompletions {
		return &mcp.Completion{Values: ids[:maxCompletions], HasMore: true}, nil // how many there are is not known
	}
	return &mcp.Completion{Values: ids, Total: len(ids)}, nil
}

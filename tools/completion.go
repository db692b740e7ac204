package tools

import (
	"context"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"
)

// maxCompletions is the most values that the protocol lets one completion have.
const maxCompletions = 100

// completer completes the variables of resource templates.
type completer struct{ *Tools }

// CompleteResourceArgument completes the kolId of PortraitTemplate with the
// KOLs that have a stored portrait. For all else it knows no values.
func (c completer) CompleteResourceArgument(ctx context.Context, uri string, argument mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	if uri != PortraitTemplate || argument.Name != portraitVariable || argument.Value != "" && !isKOLID(argument.Value) {
		return &mcp.Completion{}, nil
	}
	ids, err := c.collector.KOLs(ctx, argument.Value, maxCompletions+1)
	if err != nil {
		return nil, logFailure(ctx, c.log.With("completion", uri), err).Error
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return !isKOLID(id) }) // others may write to the store
	if len(ids) > maxCompletions {
		return &mcp.Completion{Values: ids[:maxCompletions], HasMore: true}, nil // how many there are is not known
	}
	return &mcp.Completion{Values: ids, Total: len(ids)}, nil
}

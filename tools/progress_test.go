package tools_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

// after is a Collector that answers for each KOL after a while, or when the call
// ends; for a KOL that is not among them after the hour.
type after map[string]time.Duration

func (a after) collector() tools.Collector {
	return collectorFunc(func(ctx context.Context, id string, _ bool) (*schema.Collected, error) {
		took, ok := a[id]
		if !ok {
			took = time.Hour
		}
		select {
		case <-time.After(took):
			return paid(), nil
		case <-ctx.Done():
			return nil, &schema.Error{Kind: schema.StillCollecting, Message: "The call has ended."}
		}
	})
}

// heard gathers the progress that a client hears of: how far, and in words.
type heard struct {
	mu       sync.Mutex
	progress []any
	words    []any
}

func (h *heard) listen(t *testing.T, c *client.Client) {
	t.Helper()
	c.OnNotification(func(n mcp.JSONRPCNotification) {
		h.mu.Lock()
		defer h.mu.Unlock()
		assert.Equal(t, "t-1", n.Params.AdditionalFields["progressToken"])
		h.progress = append(h.progress, n.Params.AdditionalFields["progress"])
		h.words = append(h.words, n.Params.AdditionalFields["message"])
	})
}

func callWithToken(ctx context.Context, c *client.Client, tool string, arguments map[string]any) error {
	_, err := c.CallTool(ctx, mcp.CallToolRequest{Params: mcp.CallToolParams{
		Name: tool, Arguments: arguments, Meta: &mcp.Meta{ProgressToken: "t-1"},
	}})
	return err
}

func TestAClientHearsHowItsCallComesAlong(t *testing.T) {
	const third = "5d21ab6b0000000012015aaa"
	several := map[string]any{"kolIds": []any{kolID, otherID, third}}
	for _, test := range []struct {
		name      string
		took      after
		tool      string
		arguments map[string]any
		progress  []any
		words     []any
	}{
		{
			"one KOL, every 5 s", after{kolID: 12 * time.Second}, tools.PortraitToolName, map[string]any{"kolId": kolID},
			[]any{5, 10}, []any{"Collecting the portrait: 5 s so far", "Collecting the portrait: 10 s so far"},
		},
		{
			"in the language of the call", after{kolID: 6 * time.Second}, tools.PortraitToolName, map[string]any{"kolId": kolID, "language": "zh"},
			[]any{5}, []any{"正在采集画像，已用 5 秒"},
		},
		{"not where the answer is quick", after{kolID: 4 * time.Second}, tools.PortraitToolName, map[string]any{"kolId": kolID}, nil, nil},
		{
			"several, as they arrive", after{kolID: 500 * time.Millisecond, otherID: 1500 * time.Millisecond, third: 2500 * time.Millisecond}, tools.ComparisonToolName, several,
			[]any{1.0, 2.0}, []any{"Collecting portraits: 1 of 3 done", "Collecting portraits: 2 of 3 done"},
		},
		{
			"those of one second at once", after{kolID: 0, otherID: 500 * time.Millisecond, third: 2500 * time.Millisecond}, tools.ComparisonToolName, several,
			[]any{2.0}, []any{"Collecting portraits: 2 of 3 done"},
		},
		{
			"and growing between", after{kolID: 500 * time.Millisecond, otherID: 8500 * time.Millisecond, third: 8500 * time.Millisecond}, tools.ComparisonToolName, several,
			[]any{1.0, 1.5}, []any{"Collecting portraits: 1 of 3 done", "Collecting portraits: 1 of 3 done"},
		},
		{"nothing right before the answer", after{kolID: 0, otherID: 0, third: 0}, tools.ComparisonToolName, several, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := connect(t, newTools(t, test.took.collector()))
				var heard heard
				heard.listen(t, c)
				require.NoError(t, callWithToken(t.Context(), c, test.tool, test.arguments))
				time.Sleep(time.Minute)
				heard.mu.Lock()
				defer heard.mu.Unlock()
				assert.Equal(t, test.progress, heard.progress)
				assert.Equal(t, test.words, heard.words)
			})
		})
	}
}

func TestACallThatEndsHearsNoMoreProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, newTools(t, after{}.collector()))
		var heard heard
		heard.listen(t, c)
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		_ = callWithToken(ctx, c, tools.PortraitToolName, map[string]any{"kolId": kolID}) // its answer is nobody's
		time.Sleep(time.Minute)
		heard.mu.Lock()
		defer heard.mu.Unlock()
		assert.Len(t, heard.progress, 1)
	})
}

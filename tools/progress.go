package tools

import (
	"context"
	"fmt"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"kol-portrait-mcp/schema"
)

// progressEvery is how often a client that asked for it hears that its call is
// still under way. Some clients give up on a call that is silent for a minute.
const progressEvery = 5 * time.Second

// reportProgress tells a client that sent a progress token, in the language of
// its call, how long the call has been waiting. The function it returns ends
// that: when it has returned, nothing more is sent.
func (t *Tools) reportProgress(ctx context.Context, request mcp.CallToolRequest, lang schema.Language) (stop func()) {
	server := mcpserver.ServerFromContext(ctx)
	meta := request.Params.Meta
	if server == nil || meta == nil || meta.ProgressToken == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		// Counted, not measured: what a client hears must grow each time.
		for waited := progressEvery; ; waited += progressEvery {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			err := server.SendNotificationToClient(ctx, string(mcp.MethodNotificationProgress), map[string]any{
				"progressToken": meta.ProgressToken,
				"progress":      waited.Seconds(),
				"message":       progressMessage(waited, lang),
			})
			if err != nil { // the call itself is worth finishing
				t.log.DebugContext(ctx, "progress could not be sent", "error", err)
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

func progressMessage(waited time.Duration, lang schema.Language) string {
	format := "Collecting the portrait: %.0f s so far"
	if lang == schema.Chinese {
		format = "正在采集画像，已用 %.0f 秒"
	}
	return fmt.Sprintf(format, waited.Seconds())
}

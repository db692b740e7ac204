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

// gatherFor is how long arrivals are gathered before a client hears of them. An
// answer must not come right behind a notification: clients made with the
// TypeScript SDKs take the answer first, and then complain of progress that
// belongs to no call. So the stored portraits, and the last one to arrive, are
// told by the answer alone.
const gatherFor = 100 * time.Millisecond

// progress tells a client how its call comes along. What a client hears must
// grow each time: for one portrait it is the seconds that it has waited, for
// several how many are done, and a fraction of one for each wait in between.
type progress struct {
	of       int // portraits, 0 for one that is asked for alone
	lang     schema.Language
	arrivals chan struct{}
	send     func(ctx context.Context, done float64, message string)
}

// reportProgress tells a client that sent a progress token, in the language of
// its call, how the call comes along. The first function that it returns is to
// be called, at most of times, when another of the portraits has arrived; the
// second ends the reports: when it has returned, nothing more is sent.
func (t *Tools) reportProgress(ctx context.Context, request mcp.CallToolRequest, of int, lang schema.Language) (arrived, stop func()) {
	server := mcpserver.ServerFromContext(ctx)
	meta := request.Params.Meta
	if server == nil || meta == nil || meta.ProgressToken == nil {
		return func() {}, func() {}
	}
	p := &progress{of: of, lang: lang, arrivals: make(chan struct{}, of)}
	p.send = func(ctx context.Context, done float64, message string) {
		params := map[string]any{"progressToken": meta.ProgressToken, "progress": done, "message": message}
		if of > 0 {
			params["total"] = of
		}
		if err := server.SendNotificationToClient(ctx, string(mcp.MethodNotificationProgress), params); err != nil { // the call itself is worth finishing
			t.log.DebugContext(ctx, "progress could not be sent", "error", err)
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.report(ctx)
	}()
	return func() { p.arrivals <- struct{}{} }, func() {
		close(p.arrivals)
		<-ended
	}
}

// report sends until there are no arrivals any more, or the call has ended.
func (p *progress) report(ctx context.Context) {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	var done, since int
	var waited time.Duration      // counted, not measured, so that it grows each time
	var gathered <-chan time.Time // nil where no arrivals are to be told
	for {
		select {
		case <-ctx.Done():
			return
		case _, more := <-p.arrivals:
			if !more {
				return
			}
			done, since = done+1, 0
			if done == p.of {
				gathered = nil
			} else if gathered == nil {
				gathered = time.After(gatherFor)
			}
			continue
		case <-gathered:
		case <-ticker.C:
			waited += progressEvery
			since++
		}
		gathered = nil
		if p.of == 0 {
			p.send(ctx, waited.Seconds(), p.waiting(waited))
		} else {
			p.send(ctx, float64(done)+float64(since)/float64(since+1), p.counting(done))
		}
	}
}

func (p *progress) waiting(waited time.Duration) string {
	format := "Collecting the portrait: %.0f s so far"
	if p.lang == schema.Chinese {
		format = "正在采集画像，已用 %.0f 秒"
	}
	return fmt.Sprintf(format, waited.Seconds())
}

func (p *progress) counting(done int) string {
	format := "Collecting portraits: %d of %d done"
	if p.lang == schema.Chinese {
		format = "正在采集画像，已完成 %d/%d"
	}
	return fmt.Sprintf(format, done, p.of)
}

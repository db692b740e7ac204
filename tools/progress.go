package tools

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"kol-portrait-mcp/schema"
)

// reportProgress tells a client that sent a progress token, in the language of its
// call, how the call comes along: for several portraits how many are done, for one
// (of is 0) the seconds that it has waited. arrived counts another portrait. When
// stop has returned, nothing more is sent.
//
// Something is sent every five seconds, since some clients give up on a call that is
// silent for a minute. Arrivals are told once a second, and the last one by the answer
// alone: clients made with the TypeScript SDKs take an answer that comes right behind
// a notification first, and then complain of progress that belongs to no call.
func reportProgress(ctx context.Context, request mcp.CallToolRequest, of int, lang schema.Language) (arrived, stop func()) {
	server, meta := mcpserver.ServerFromContext(ctx), request.Params.Meta
	if server == nil || meta == nil || meta.ProgressToken == nil {
		return func() {}, func() {}
	}
	var done atomic.Int64
	within, cancel := context.WithCancel(ctx)
	var sending sync.WaitGroup
	sending.Go(func() {
		second := time.Tick(time.Second)
		told, waits := 0, 0.0 // waits since the last arrival
		for seconds := 1; ; seconds++ {
			select {
			case <-within.Done():
				return
			case <-second:
			}
			params := map[string]any{"progressToken": meta.ProgressToken}
			now := int(done.Load())
			switch {
			case of > 0 && now > told && now < of:
				told, waits = now, 0
			case seconds%5 == 0:
				waits++
			default:
				continue
			}
			if of > 0 { // what a client hears must grow each time, so waits count as a fraction of a portrait
				params["progress"], params["total"] = float64(told)+waits/(waits+1), of
				params["message"] = fmt.Sprintf(say(lang, "Collecting portraits: %d of %d done", "正在采集画像，已完成 %d/%d"), told, of)
			} else {
				params["progress"] = seconds
				params["message"] = fmt.Sprintf(say(lang, "Collecting the portrait: %d s so far", "正在采集画像，已用 %d 秒"), seconds)
			}
			_ = server.SendNotificationToClient(ctx, string(mcp.MethodNotificationProgress), params) // the call itself is worth finishing
		}
	})
	return func() { done.Add(1) }, func() { cancel(); sending.Wait() }
}

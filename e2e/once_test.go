//go:build e2e

package e2e

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store/redis/redistest"
)

// stores are the stores that processes can share.
func stores() map[string]func(t *testing.T) string {
	return map[string]func(t *testing.T) string{
		"SQLite": sqliteFile,
		"Redis":  redisServer,
	}
}

func redisServer(t *testing.T) string {
	t.Helper()
	return redistest.Start(t).URL()
}

func TestManyCallsAreOneRequest(t *testing.T) {
	const calls = 300
	for name, store := range stores() {
		for _, processes := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s, processes: %d", name, processes), func(t *testing.T) {
				v := startVendor(t)
				e := against(t, v, store(t))
				servers := startMany(t, processes, e)
				v.holdBack()
				var charged, right atomic.Int64
				var all sync.WaitGroup
				for i := range calls {
					all.Go(func() {
						a := servers[i%processes].portraitOf(t, kol)
						if d := a.Structured.Distributions; d != nil && len(d.Provinces) == 36 {
							right.Add(1)
						}
						if a.Structured.Source.Charged {
							charged.Add(1)
						}
					})
				}
				<-v.arrived // the one request; the others have nothing to wait for but it
				v.release()
				all.Wait()
				assert.Equal(t, 1, v.Requests(kol))
				assert.Equal(t, 1, v.Charged())
				assert.EqualValues(t, calls, right.Load())
				assert.EqualValues(t, 1, charged.Load(), "answers that say that they were charged")
			})
		}
	}
}

func TestBudgetHoldsOverProcesses(t *testing.T) {
	const budget, kols, processes = 10, 100, 3
	for name, store := range stores() {
		t.Run(name, func(t *testing.T) {
			v := startVendor(t)
			servers := startMany(t, processes, against(t, v, store(t)).with("PORTRAIT_DAILY_BUDGET", strconv.Itoa(budget)))
			var charged, exhausted atomic.Int64
			var all sync.WaitGroup
			for i := range kols {
				all.Go(func() {
					a := call(t.Context(), t, servers[i%processes].Client, map[string]any{"kolId": fmt.Sprint("kol-", i)})
					switch {
					case !a.IsError:
						charged.Add(1)
					case a.Structured.Error.Kind == schema.BudgetExhausted:
						exhausted.Add(1)
					}
				})
			}
			all.Wait()
			assert.Equal(t, budget, v.Charged())
			assert.EqualValues(t, budget, charged.Load())
			assert.EqualValues(t, kols-budget, exhausted.Load())
		})
	}
}

// startMany starts servers at once, so that they meet where they create their
// store.
func startMany(t *testing.T, n int, e environment) []*server {
	t.Helper()
	servers := make([]*server, n)
	var all sync.WaitGroup
	for i := range servers {
		all.Go(func() { servers[i] = start(t, e) })
	}
	all.Wait()
	return servers
}

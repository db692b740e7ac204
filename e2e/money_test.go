//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/redis"
	"kol-portrait-mcp/store/sqlite"
)

// row is what callers do, and what it may cost.
type row struct {
	name     string
	settings []string                    // of the servers, names and values in turns
	lose     func(w http.ResponseWriter) // what becomes of the vendor's answers; nil: they arrive
	play     func(c *cluster) []*answer  // what each caller got, nil for nothing

	requests int    // that arrived at the vendor
	counted  int    // charges in kol-portrait://usage, which are those of the vendor
	told     int    // answers that say that they were charged
	got      string // outcomes of the calls in their order; of calls at once in the alphabet's
}

// TestMoney shows what calls cost, and that nothing is paid twice and no answer
// lost, over both stores that processes share, with one process and with three.
// The calls of a row go to the processes in turn.
func TestMoney(t *testing.T) {
	rows := []row{
		{
			name: "first call", play: calls(usual),
			requests: 1, counted: 1, told: 1, got: "portrait charged",
		},
		{
			name: "second call", play: calls(usual, usual),
			requests: 1, counted: 1, told: 1, got: "portrait charged, portrait",
		},
		{
			name: "300 calls at once", play: atOnce(300, func(int) string { return kol }),
			requests: 1, counted: 1, told: 1, got: "299 x portrait, portrait charged",
		},
		{
			name: "client gives up and comes back", play: giveUp,
			settings: []string{"PORTRAIT_ANSWER_WITHIN", "2s"},
			requests: 1, counted: 1, told: 1, got: "still_collecting charged, still_collecting, portrait",
		},
		{
			name: "client cancels and calls again", play: cancelled,
			requests: 1, counted: 1, told: 0, got: "nothing, portrait",
		},
		{
			name: "stdin closes under way", play: underWay((*server).closeInput),
			requests: 1, counted: 1, told: 1, got: "portrait charged, portrait",
		},
		{
			name: "SIGTERM under way", play: underWay((*server).terminate),
			requests: 1, counted: 1, told: 1, got: "portrait charged, portrait",
		},
		{
			// Nobody knows what became of the request: it stays counted, and the next
			// caller waits until the lease of the dead process has run out.
			name: "kill -9 before the answer", play: underWay((*server).kill),
			settings: []string{"JUSTONEAPI_TIMEOUT", "2s"},
			requests: 2, counted: 2, told: 1, got: "nothing, portrait charged",
		},
		{
			name: "kill -9 after the answer", play: killedAfterwards,
			requests: 1, counted: 1, told: 1, got: "portrait charged, portrait",
		},
		{
			// New rule: what was collected fresh within ten minutes is fresh.
			name: "fresh twice within ten minutes", play: calls(fresh, fresh),
			requests: 1, counted: 1, told: 1, got: "portrait charged, portrait",
		},
		{
			// The vendor may have answered the first from a cache of its own.
			name: "fresh after a usual call", play: calls(usual, fresh),
			requests: 2, counted: 2, told: 2, got: "2 x portrait charged",
		},
		{
			name: "fresh after ten minutes", play: elevenMinutesLater,
			requests: 1, counted: 1, told: 1, got: "old portrait, portrait charged",
		},
		{
			// New rule: a failure that may have been charged is told again, for nothing,
			// until trying again makes sense.
			name: "vendor hangs up, and the call is repeated", play: calls(usual, usual, usual, fresh),
			lose:     func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
			requests: 1, counted: 1, told: 1, got: "network charged, 3 x network",
		},
		{
			// New rule, as above.
			name: "gateway gives up, and the call is repeated", play: calls(usual, usual, usual, fresh),
			lose:     func(w http.ResponseWriter) { w.WriteHeader(http.StatusGatewayTimeout) },
			requests: 1, counted: 1, told: 1, got: "timeout charged, 3 x timeout",
		},
		{
			name: "budget of 10, 100 KOLs at once", play: atOnce(100, func(i int) string { return fmt.Sprint("kol-", i) }),
			settings: []string{"PORTRAIT_DAILY_BUDGET", "10"},
			requests: 10, counted: 10, told: 10, got: "90 x budget_exhausted, 10 x portrait charged",
		},
	}
	const atATime = 8 // some wait most of the time
	places := make(chan struct{}, atATime)
	var all sync.WaitGroup
	for _, r := range rows {
		for name, open := range stores() {
			for _, processes := range []int{1, 3} {
				places <- struct{}{}
				all.Go(func() {
					defer func() { <-places }()
					t.Run(fmt.Sprintf("%s/processes: %d/%s", name, processes, r.name), func(t *testing.T) {
						r.run(t, open(t), processes)
					})
				})
			}
		}
	}
	all.Wait()
}

// run plays a row with processes that share a store.
func (r *row) run(t *testing.T, store string, processes int) {
	t.Helper()
	v := startVendor(t)
	v.lose = r.lose
	c := &cluster{t: t, vendor: v, settings: against(t, v, store).with(r.settings...)}
	c.servers = startMany(t, processes, c.settings)

	answers := r.play(c)

	told := 0
	for _, a := range answers {
		if a.charged() {
			told++
		}
	}
	assert.Equal(t, r.got, outcomes(answers))
	assert.EqualValues(t, r.requests, v.total.Load(), "requests at the vendor")
	assert.Equal(t, r.counted, v.Charged(), "charged by the vendor")
	assert.Equal(t, r.counted, usage(t, c.servers[0].Client).Charged, "charges counted")
	assert.Equal(t, r.told, told, "charges told")
	for _, server := range c.servers {
		server.end(t)
	}
}

// cluster is a vendor and the servers that ask it and share a store.
type cluster struct {
	t        *testing.T
	vendor   *vendor
	settings environment
	servers  []*server // that take calls
	calls    int
}

// What a call accepts.
const (
	usual = true  // a stored portrait
	fresh = false // none that was collected more than ten minutes ago, or not fresh
)

// longest bounds what a row waits for.
const longest = 2 * time.Minute

// begin sends a call to the next server. The answer is nil where the caller
// gets none.
func (c *cluster) begin(ctx context.Context, kolID string, acceptCache bool) <-chan *answer {
	s := c.servers[c.calls%len(c.servers)]
	c.calls++
	answers := make(chan *answer, 1)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, longest)
		defer cancel()
		a, raw, err := ask(ctx, s.Client, map[string]any{"kolId": kolID, "acceptCache": acceptCache})
		assert.NotContains(c.t, string(raw), token)
		switch {
		case err != nil:
			answers <- nil
			return
		case a.IsError:
			assert.Positive(c.t, a.Structured.Error.RetryAfterSeconds)
		default:
			assert.Equal(c.t, kolID, a.Structured.KOLID)
			assert.NotEmpty(c.t, a.Structured.Distributions)
		}
		answers <- &a
	}()
	return answers
}

// call calls the next server and waits for the answer.
func (c *cluster) call(acceptCache bool) *answer { return <-c.begin(c.t.Context(), kol, acceptCache) }

// arrived waits until the vendor has a request.
func (c *cluster) arrived() {
	c.t.Helper()
	select {
	case <-c.vendor.arrived:
	case <-time.After(longest):
		require.Fail(c.t, "no request arrives at the vendor")
	}
}

// leave takes the first server out of the turn. Where it was the only one,
// another takes its place.
func (c *cluster) leave() *server {
	c.t.Helper()
	first := c.servers[0]
	if c.servers = c.servers[1:]; len(c.servers) == 0 {
		c.servers = startMany(c.t, 1, c.settings)
	}
	return first
}

// calls are calls for one KOL, one after the other.
func calls(acceptCache ...bool) func(c *cluster) []*answer {
	return func(c *cluster) (answers []*answer) {
		for _, accept := range acceptCache {
			answers = append(answers, c.call(accept))
		}
		return answers
	}
}

// atOnce are n calls at the same time. The vendor answers nothing before the
// last of them has begun.
func atOnce(n int, kolID func(i int) string) func(c *cluster) []*answer {
	return func(c *cluster) []*answer {
		c.vendor.holdBack()
		pending := make([]<-chan *answer, n)
		for i := range pending {
			pending[i] = c.begin(c.t.Context(), kolID(i), usual)
		}
		c.arrived()
		c.vendor.release()
		answers := make([]*answer, n)
		for i := range answers {
			answers[i] = <-pending[i]
		}
		slices.SortFunc(answers, func(a, b *answer) int { return cmp.Compare(a.outcome(), b.outcome()) })
		return answers
	}
}

// giveUp is a caller that comes back too early, and comes back again.
func giveUp(c *cluster) []*answer {
	c.vendor.holdBack()
	first, second := c.call(usual), c.call(usual)
	c.vendor.release()
	return []*answer{first, second, c.call(usual)}
}

// cancelled is a client that sends notifications/cancelled, and calls again
// while the vendor is still at work.
func cancelled(c *cluster) []*answer {
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	c.vendor.holdBack()
	first := c.begin(ctx, kol, usual)
	c.arrived()
	cancel()
	answers := []*answer{<-first}
	second := c.begin(c.t.Context(), kol, usual)
	c.vendor.release()
	return append(answers, <-second)
}

// underWay is a server that ends, in whatever way, while the vendor is at work.
// The call is repeated at another before the vendor has answered.
func underWay(end func(s *server, t *testing.T)) func(c *cluster) []*answer {
	return func(c *cluster) []*answer {
		c.vendor.holdBack()
		first := c.begin(c.t.Context(), kol, usual)
		c.arrived()
		end(c.leave(), c.t)
		second := c.begin(c.t.Context(), kol, usual)
		c.vendor.release()
		return []*answer{<-first, <-second}
	}
}

// closeInput closes the client's end.
func (s *server) closeInput(t *testing.T) {
	t.Helper()
	s.toEndWell(t)
	require.NoError(t, s.stdin.Close())
}

// terminate sends SIGTERM.
func (s *server) terminate(t *testing.T) {
	t.Helper()
	s.toEndWell(t)
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
}

// toEndWell fails the test unless the server has ended well by the test's end.
func (s *server) toEndWell(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { assert.NoError(t, <-s.exited, s.log.String()) })
}

// killedAfterwards is a server that is killed as soon as it has answered.
func killedAfterwards(c *cluster) []*answer {
	first := c.call(usual)
	c.leave().kill(c.t)
	return []*answer{first, c.call(usual)}
}

// elevenMinutesLater is what callers get when the stored portrait was collected
// fresh eleven minutes ago.
func elevenMinutesLater(c *cluster) []*answer {
	c.keep(&schema.Portrait{
		ID:          rand.Text(),
		KOLID:       kol,
		RetrievedAt: time.Now().Add(-11 * time.Minute).UTC().Truncate(time.Millisecond),
		Fresh:       true,
		Endpoint:    schema.EndpointPortrait,
		Environment: schema.EnvironmentGlobal,
		Data:        json.RawMessage(`{"gender":{"male":0.3,"female":0.7}}`),
	})
	return calls(usual, fresh)(c)
}

// keep puts a portrait into the store, among those of the servers' vendor.
func (c *cluster) keep(p *schema.Portrait) {
	c.t.Helper()
	scope := strings.TrimPrefix(c.vendor.url, "http://")
	var s store.Store
	var err error
	if path, isFile := strings.CutPrefix(c.settings["PORTRAIT_STORE"], "sqlite:"); isFile {
		s, err = sqlite.Open(c.t.Context(), sqlite.Options{Path: path, Scope: scope})
	} else {
		s, err = redis.New(c.settings["PORTRAIT_STORE"], scope)
	}
	require.NoError(c.t, err)
	require.NoError(c.t, s.Save(c.t.Context(), p, 0))
	require.NoError(c.t, s.Close())
}

// charged reports whether the caller is told that the call was charged.
func (a *answer) charged() bool {
	switch {
	case a == nil:
		return false
	case a.IsError:
		return a.Structured.Error.Charged
	default:
		return a.Structured.Source.Charged
	}
}

// outcome says what a caller got: a portrait, or the kind of the failure.
func (a *answer) outcome() string {
	what := "portrait"
	switch {
	case a == nil:
		what = "nothing"
	case a.IsError:
		what = string(a.Structured.Error.Kind)
	case time.Since(a.Structured.Source.RetrievedAt) > 10*time.Minute:
		what = "old portrait"
	}
	if a.charged() {
		what += " charged"
	}
	return what
}

// outcomes lists what callers got, equal neighbours as one.
func outcomes(answers []*answer) string {
	var list []string
	for i := 0; i < len(answers); {
		what, n := answers[i].outcome(), 1
		for i += 1; i < len(answers) && answers[i].outcome() == what; i++ {
			n++
		}
		if n > 1 {
			what = strconv.Itoa(n) + " x " + what
		}
		list = append(list, what)
	}
	return strings.Join(list, ", ")
}

//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store/sqlite"
)

// One client with many calls at once, of a server on stdio; the vendor
// switches its first endpoint off now and then.
func TestFaultsOverStdio(t *testing.T) {
	t.Parallel()
	seed := faultsSeed(t)
	v := startFaultyVendor(t, faulty(seed, append(requestFaults(), times(2, gone())...)))
	path := filepath.Join(t.TempDir(), "portraits.db")
	s := start(t, stormy(t, v, path))
	all := newStorm(t, v, overStdio(s.Client))
	run(all.lanes(seed, 25), 20)
	figures := s.settled(t, func() schema.Usage { return usage(t, s) })
	all.report(figures)
	all.judge(figures, path)
	s.end(t)
}

// The budget is used up in the middle of a storm: whatever goes wrong, the
// vendor charges no more than that.
func TestBudgetHoldsWithFaults(t *testing.T) {
	t.Parallel()
	const budget = 100
	seed := faultsSeed(t)
	v := startFaultyVendor(t, faulty(seed, requestFaults()))
	path := filepath.Join(t.TempDir(), "portraits.db")
	s, addr := serveHTTP(t, stormy(t, v, path).with("PORTRAIT_DAILY_BUDGET", strconv.Itoa(budget)))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}}
	all := newStorm(t, v, overHTTP(client, addr))
	all.budget = budget
	lanes := all.lanes(seed, 25)
	run(lanes, 20)
	figures := s.settled(t, func() schema.Usage { return httpUsage(t, client, addr) })
	all.report(figures)
	all.judge(figures, path)
	assert.Equal(t, budget, figures.Charged)
	assert.LessOrEqual(t, v.Charged(), budget)
	assert.Positive(t, all.errors[schema.BudgetExhausted])

	asked := v.count()
	run(lanes, 5)
	assert.Equal(t, asked, v.count(), "requests when the budget is used up")
	s.signal(t, os.Interrupt)
}

// A server ends in the middle of a storm, and another takes its place.
func TestServerEndsAmongFaults(t *testing.T) {
	t.Parallel() // what a killed server was at work on is waited for
	var both sync.WaitGroup
	for name, signal := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "terminated": syscall.SIGTERM} {
		both.Go(func() {
			t.Run(name, func(t *testing.T) { endAmongFaults(t, signal) })
		})
	}
	both.Wait()
}

// endAmongFaults ends a server by a signal, and has its callers call again.
// What was stored is not paid for again; and where the server was given time to
// end, that is all that had arrived.
func endAmongFaults(t *testing.T, signal syscall.Signal) {
	t.Helper()
	seed := faultsSeed(t)
	v := startFaultyVendor(t, faulty(seed, requestFaults()))
	path := filepath.Join(t.TempDir(), "portraits.db")
	e := stormy(t, v, path)
	s, addr := serveHTTP(t, e)
	at := 50 + draw(seed, "end by "+signal.String()).IntN(150)
	v.whenServed(func(n int) {
		if n == at {
			_ = s.cmd.Process.Signal(signal)
		}
	})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}}
	all := newStorm(t, v, overHTTP(client, addr))
	lanes := all.lanes(seed, 40)
	answered := untilTheEnd(t, lanes)
	_ = s.cmd.Process.Signal(signal) // where there were fewer requests
	err := <-s.exited
	if signal == syscall.SIGKILL {
		require.Error(t, err)
	} else {
		require.NoError(t, err, "an orderly end")
		assert.Empty(t, all.judgeStore(path), "what arrived before the end, and is not stored")
	}
	stored := all.storedIn(path)
	assert.Subset(t, stored, answered, "what was answered is stored")
	all.judgePortraits(path, stored)

	next, addr := serveHTTP(t, e)
	all.call = overHTTP(client, addr)
	var calling sync.WaitGroup
	for _, l := range lanes {
		for _, kolID := range stored {
			l.stored[kolID] = true // for which a request would be one too many
		}
		calling.Go(func() {
			for _, kolID := range l.own {
				l.portrait(kolID, false)
			}
		})
	}
	calling.Wait()
	figures := httpUsage(t, client, addr)
	t.Logf("ended at request %d, with %d portraits answered and %d stored", at, len(answered), len(stored))
	all.report(figures)
	assert.LessOrEqual(t, v.Charged(), figures.Charged, "charged and counted")
	next.signal(t, syscall.SIGTERM)
	assertWithoutToken(t, filepath.Dir(path))
}

// untilTheEnd has all lanes call for their KOLs until the server ends, and
// returns those whose portrait came.
func untilTheEnd(t *testing.T, lanes []*lane) (answered []string) {
	t.Helper()
	var mu sync.Mutex
	var calling sync.WaitGroup
	for _, l := range lanes {
		calling.Go(func() {
			for _, kolID := range l.own {
				raw, err := l.call(t.Context(), portraitTool, map[string]any{"kolId": kolID})
				if err != nil {
					return // the server has ended
				}
				var r result
				if assert.NoError(t, json.Unmarshal(raw, &r)) && !r.IsError {
					mu.Lock()
					answered = append(answered, kolID)
					mu.Unlock()
				}
			}
		})
	}
	calling.Wait()
	return answered
}

// storedIn returns the KOLs whose portrait a store has, whose process has
// ended.
func (s *storm) storedIn(path string) []string {
	s.t.Helper()
	shelf, err := sqlite.Open(s.t.Context(), sqlite.Options{Path: path, Scope: s.scope()})
	require.NoError(s.t, err)
	kolIDs, err := shelf.KOLs(s.t.Context(), "", 1<<20)
	require.NoError(s.t, err)
	require.NoError(s.t, shelf.Close())
	return kolIDs
}

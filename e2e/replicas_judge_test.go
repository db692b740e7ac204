//go:build e2e && linux

package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store/redis/redistest"
)

// judgeFailures looks whether only those calls failed that were under way at the
// replica that was killed. One that ends closes its port some microseconds after it
// has taken the last connection; where the machine lets it wait just then, the kernel
// resets those that came meanwhile.
func (m *team) judgeFailures() {
	m.t.Helper()
	m.t.Logf("answers by replica: %v; sent back by one and answered by another: %d; failed: %d", m.served, m.refused, len(m.failures))
	assert.NotEmpty(m.t, m.failures, "the replica that was killed was doing nothing")
	reset := 0
	for _, f := range m.failures {
		if f.replica == m.restarted {
			reset++
			continue
		}
		assert.Equal(m.t, m.killed, f.replica, f.what)
		assert.True(m.t, f.began.Before(m.killEnd) && f.ended.After(m.killBegan), "%s, from %v to %v; the replica was killed from %v to %v",
			f.what, f.began, f.ended, m.killBegan, m.killEnd)
	}
	assert.LessOrEqual(m.t, reset, 2, "calls that nobody took from the replica that was told to end")
	assert.Len(m.t, m.served, 3, "all replicas took calls")
	before := m.served[m.restarted]
	for began := time.Now(); m.served[m.restarted] == before && time.Since(began) < longest; {
		m.try(m.member(callers[0]), task{what: toolList})
	}
	assert.Greater(m.t, m.served[m.restarted], before, "the replica that was started anew takes calls")
}

// judgeCharges looks whether each KOL was paid for once. Only a KOL that was being
// collected at the replica that was killed may have been paid for twice: the
// answer was lost. It returns how many calls are counted.
func (m *team) judgeCharges() (counted int) {
	m.t.Helper()
	lost := map[string]bool{}
	for _, f := range slices.Concat(m.failures, m.passedOn) {
		for _, kolID := range f.kols {
			lost[kolID] = lost[kolID] || f.replica == m.killed && f.began.Before(m.killEnd)
		}
	}
	again := 0
	for kolID := range m.portraits {
		switch n := m.vendor.Requests(kolID); {
		case n == 2 && lost[kolID]:
			again++
		case n != 1:
			assert.Fail(m.t, "requests", "%s: %d; lost: %t", kolID, n, lost[kolID])
		}
		if !lost[kolID] {
			assert.Equal(m.t, 1, m.told[kolID], "%s: charges told", kolID)
		}
	}
	charged := m.vendor.Charged()
	figures, err := m.member(callers[0]).usage(m.t.Context())
	require.NoError(m.t, err)
	m.t.Logf("KOLs: %d; charged by the vendor: %d, of which %d once more after the kill; counted: %d", len(m.portraits), charged, again, figures.Charged)
	assert.Len(m.t, m.portraits, len(callers)*(storedKOLs+newKOLs))
	assert.Equal(m.t, len(m.portraits)+again, charged)
	assert.NotZero(m.t, again, "nothing was lost")
	// The killed replica may have counted requests that it did not come to send.
	assert.GreaterOrEqual(m.t, figures.Charged, charged)
	assert.LessOrEqual(m.t, figures.Charged, charged+len(lost))
	return figures.Charged
}

// spend has one caller use up its own budget, and then the others the day's.
func (m *team) spend(counted int) {
	m.t.Helper()
	before := m.vendor.Charged()
	own := func(caller string) int {
		figures, err := m.member(caller).usage(m.t.Context())
		require.NoError(m.t, err)
		require.Len(m.t, figures.Callers, 1)
		return figures.Callers[0].Charged
	}
	left := callerBudget - own("red")
	got := m.collect([]string{"red"}, 80)
	assert.Equal(m.t, map[string]int{"portrait charged": left, "budget_exhausted MCP_CALLER_DAILY_BUDGET": 80 - left}, got)
	assert.Equal(m.t, callerBudget, own("red"))

	got = m.collect([]string{"blue", "green", "amber"}, callerBudget)
	assert.Equal(m.t, dayBudget-counted-left, got["portrait charged"])
	assert.NotZero(m.t, got["budget_exhausted PORTRAIT_DAILY_BUDGET"])
	figures, err := m.member("blue").usage(m.t.Context())
	require.NoError(m.t, err)
	assert.Equal(m.t, dayBudget, figures.Charged)
	assert.Equal(m.t, dayBudget-counted, m.vendor.Charged()-before)
	for _, caller := range callers {
		assert.LessOrEqual(m.t, own(caller), callerBudget, caller)
	}
}

// collect has callers ask at once for n more KOLs each, and counts what they got.
func (m *team) collect(of []string, n int) map[string]int {
	var all sync.WaitGroup
	got := map[string]int{}
	for _, caller := range of {
		for i := range n {
			all.Go(func() {
				r, err := m.member(caller).call(m.t.Context(), "get_kol_fans_portrait", map[string]any{"kolId": newKOL(caller, newKOLs+i)})
				var a answer
				if err == nil {
					err = r.into(&a)
				}
				assert.NoError(m.t, err)
				outcome := a.outcome()
				if a.IsError {
					outcome += " " + regexp.MustCompile(`\w+_DAILY_BUDGET|$`).FindString(a.Structured.Error.Message)
				}
				m.mu.Lock()
				defer m.mu.Unlock()
				got[outcome]++
			})
		}
	}
	all.Wait()
	return got
}

// judgeRate looks whether the vendor was asked at most maxRPS times a second. The
// turns, which Redis gives by its own clock, are as far apart as they must be, and
// no request comes before its turn. How far behind its turn a request comes is up
// to the machine and the network: a tenth of a second is allowed for.
func (m *team) judgeRate(turns []time.Time) {
	m.t.Helper()
	arrivals := m.vendor.arrivals
	queued := 0
	for i := range len(turns) - 1 {
		pause := turns[i+1].Sub(turns[i])
		assert.GreaterOrEqual(m.t, pause, apart, "turn %d", i)
		if pause == apart {
			queued++
		}
	}
	assert.Greater(m.t, queued, maxRPS, "requests that had to wait")
	slices.SortFunc(arrivals, time.Time.Compare)
	var late time.Duration
	most := 0
	// Each request has the latest turn that it can have had.
	for i, turn := len(arrivals)-1, len(turns)-1; i >= 0; i, turn = i-1, turn-1 {
		for turn >= 0 && turns[turn].After(arrivals[i]) {
			turn--
		}
		require.GreaterOrEqual(m.t, turn, 0, "request %d comes before its turn", i)
		late = max(late, arrivals[i].Sub(turns[turn]))
		within, _ := slices.BinarySearchFunc(arrivals, arrivals[i].Add(time.Second), time.Time.Compare)
		most = max(most, within-i)
	}
	assert.LessOrEqual(m.t, most, max(maxRPS, int((time.Second+late)/apart)+1), "requests in a second, the latest %v behind its turn", late)
	m.t.Logf("requests: %d; in any second at most %d, of %d; behind their turns by up to %v", len(arrivals), most, maxRPS, late)
}

// watchTurns has Redis tell what it is made to do, and returns a function that
// returns the turns at the vendor that it has given until then.
func watchTurns(t *testing.T, redis *redistest.Server) func() []time.Time {
	t.Helper()
	commands := bufio.NewScanner(command(t, redis, "MONITOR"))
	commands.Buffer(nil, 1<<20) // a portrait is saved in one line
	for range 2 {
		require.True(t, commands.Scan())
	}
	require.Equal(t, "+OK", commands.Text(), "the answer to MONITOR, behind that to AUTH")
	all := make(chan []time.Time)
	go func() {
		var turns []time.Time
		next := regexp.MustCompile(` lua\] "SET" "[^"]*turn" "(\d+)"`) // when the turn after this one is
		for commands.Scan() && !strings.HasSuffix(commands.Text(), `"DBSIZE"`) {
			if match := next.FindStringSubmatch(commands.Text()); match != nil {
				microseconds, _ := strconv.ParseInt(match[1], 10, 64) // they are digits
				turns = append(turns, time.UnixMicro(microseconds).Add(-apart))
			}
		}
		all <- turns
	}()
	return func() []time.Time {
		command(t, redis, "DBSIZE") // which nobody else asks for
		return <-all
	}
}

// command gives Redis one command, and returns the connection.
func command(t *testing.T, redis *redistest.Server, name string) net.Conn {
	t.Helper()
	address, err := url.Parse(redis.URL())
	require.NoError(t, err)
	password, _ := address.User.Password()
	conn, err := net.Dial("tcp", redis.Address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n*1\r\n$%d\r\n%s\r\n", len(password), password, len(name), name)
	require.NoError(t, err)
	return conn
}

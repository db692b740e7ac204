//go:build e2e && linux

package e2e

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // to look into the store past the product

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store/sqlite"
)

const (
	callers = 64
	steps   = 160 // of each caller
	warming = 16  // of these
)

// Ten thousand calls by many callers at once, while a third of what the vendor
// answers is lost, late, or not what it should be. Every call is answered in
// time, with the KOL's own figures or with the error that fits; the charges add
// up; and nothing is left over, or lost.
func TestTenThousandCallsWithFaults(t *testing.T) {
	t.Parallel() // with those that wait most of the time
	seed := faultsSeed(t)
	began := time.Now()
	v := startFaultyVendor(t, faulty(seed, requestFaults()))
	path := filepath.Join(t.TempDir(), "portraits.db")
	e := stormy(t, v, path)
	s, addr := serveHTTP(t, e)
	connections := &http.Transport{MaxIdleConnsPerHost: callers}
	client := &http.Client{Transport: connections}
	all := newStorm(t, v, overHTTP(client, addr))
	lanes := all.lanes(seed, callers)
	quiet := func() state {
		return s.quiet(t, func() { lanes[0].portrait(calm, false) }, func() {
			v.hangUp()
			connections.CloseIdleConnections()
		})
	}

	run(lanes, warming)
	warm := quiet()
	run(lanes, steps-warming)
	figures := s.settled(t, func() schema.Usage { return httpUsage(t, client, addr) })
	after := quiet()

	t.Logf("took %v", time.Since(began).Round(time.Millisecond))
	all.report(figures)
	t.Logf("warm:  %v", warm)
	t.Logf("after: %v", after)
	tooLate := all.judge(figures, path)
	assert.GreaterOrEqual(t, all.calls, callers*steps)
	assert.LessOrEqual(t, all.leftAlone, all.calls/20, "the vendor was left alone for much of the storm, which shows little then")

	// The store opens a connection when it has need of one, and keeps it: five at most.
	const pooled = 5
	for kind, n := range after.files {
		most := warm.files[kind]
		if kind == "portraits.db" || kind == "portraits.db-wal" {
			most = pooled
		}
		assert.LessOrEqual(t, n, most, "descriptors of %s", kind)
	}
	assert.LessOrEqual(t, after.heap, warm.heap+8, "live heap, MB")
	assert.LessOrEqual(t, after.resident, warm.resident+64, "resident memory, MB")
	assert.LessOrEqual(t, after.peak, 400, "resident memory, MB") // a hundred answers of four megabytes
	assert.Equal(t, idleGoroutines(t), s.goroutines(t), "goroutines")
	assert.Equal(t, tooLate, all.judgeStore(path), "what the store does not have, when the process has ended at once")

	next, addr := serveHTTP(t, e)
	all.call = overHTTP(client, addr)
	run(lanes, 2)
	next.signal(t, syscall.SIGTERM)
	assert.LessOrEqual(t, sum(all.judgeStore(path)), sum(tooLate)+1)
	all.judgePortraits(path, slices.Collect(maps.Keys(all.stored(path))))
	assertWithoutToken(t, filepath.Dir(path))
	assertEmpty(t, e["TMPDIR"])
	assertEmpty(t, e["HOME"])
}

// httpUsage reads the day's figures.
func httpUsage(t *testing.T, client *http.Client, addr string) schema.Usage {
	t.Helper()
	raw, err := post(t.Context(), client, addr, "resources/read", map[string]any{"uri": "kol-portrait://usage"})
	require.NoError(t, err)
	var read struct{ Contents []struct{ Text string } }
	require.NoError(t, json.Unmarshal(raw, &read))
	require.Len(t, read.Contents, 1)
	var figures schema.Usage
	require.NoError(t, json.Unmarshal([]byte(read.Contents[0].Text), &figures))
	return figures
}

// state is what a process holds on to.
type state struct {
	files    map[string]int // descriptors, by what they are of
	heap     int            // MB that were live at the latest collection of garbage
	resident int            // MB
	peak     int            // of resident, MB
}

// String is the state in one line.
func (s state) String() string {
	return fmt.Sprintf("%d MB live, %d MB resident (at most %d MB), files %v", s.heap, s.resident, s.peak, s.files)
}

// quiet returns what a process holds on to when nothing is under way: when it
// has collected its garbage twice, for which it is given something to do, and
// has no connection left.
func (s *server) quiet(t *testing.T, work, disconnect func()) state {
	t.Helper()
	collected := len(s.heaps(t))
	for len(s.heaps(t)) < collected+2 {
		for range 20 {
			work()
		}
	}
	st := state{}
	require.Eventually(t, func() bool {
		disconnect()
		st.files = s.files(t)
		return st.files["socket"] == 1 // that it listens on
	}, time.Minute, 20*time.Millisecond, "connections are left over")
	heaps := s.heaps(t)
	st.heap = heaps[len(heaps)-1]
	st.resident, st.peak = s.status(t, "VmRSS"), s.status(t, "VmHWM")
	return st
}

// heaps returns how many MB were live after each collection of garbage, which
// gctrace=1 has the process tell.
func (s *server) heaps(t *testing.T) []int {
	t.Helper()
	var all []int
	told := regexp.MustCompile(`\d+->\d+->(\d+) MB, `)
	for line := range strings.Lines(s.log.String()) {
		if !strings.HasPrefix(line, "gc ") {
			continue
		}
		if match := told.FindStringSubmatch(line); match != nil { // else the log writes in between
			live, err := strconv.Atoi(match[1])
			require.NoError(t, err)
			all = append(all, live)
		}
	}
	return all
}

// files returns the process's descriptors by what they are of: a file's name,
// or socket, pipe and the like.
func (s *server) files(t *testing.T) map[string]int {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	open := make(map[string]int)
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(folder, entry.Name()))
		if err != nil {
			continue // closed meanwhile
		}
		kind, _, _ := strings.Cut(filepath.Base(target), ":[")
		open[kind]++
	}
	return open
}

// status returns a figure of the process's memory, in MB.
func (s *server) status(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	require.NoError(t, err)
	match := regexp.MustCompile(`(?m)^` + name + `:\s+(\d+) kB$`).FindSubmatch(text)
	require.NotNil(t, match)
	kilobytes, err := strconv.Atoi(string(match[1]))
	require.NoError(t, err)
	return kilobytes >> 10
}

// goroutines ends the process, and returns how many goroutines it had, by who
// had started them; but for the runtime's own, of which it has as it needs.
func (s *server) goroutines(t *testing.T) map[string]int {
	t.Helper()
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGQUIT))
	require.Error(t, <-s.exited)
	_, dump, quit := strings.Cut(s.log.String(), "SIGQUIT: quit")
	require.True(t, quit)
	running := make(map[string]int)
	created := regexp.MustCompile(`(?m)^created by (\S+)`)
	for one := range strings.SplitSeq(dump, "\n\n") {
		starter := created.FindStringSubmatch(one)
		if starter != nil && !strings.HasPrefix(starter[1], "runtime.") {
			running[starter[1]]++
		}
	}
	return running
}

// idleGoroutines are those of a process that has done its work once, and has
// nothing to do.
func idleGoroutines(t *testing.T) map[string]int {
	t.Helper()
	v := startFaultyVendor(t, plan{})
	s, addr := serveHTTP(t, stormy(t, v, filepath.Join(t.TempDir(), "portraits.db")))
	connections := &http.Transport{}
	all := newStorm(t, v, overHTTP(&http.Client{Transport: connections}, addr))
	one := all.lane(0, 0)
	s.quiet(t, func() { one.portrait(calm, false) }, func() {
		v.hangUp()
		connections.CloseIdleConnections()
	})
	return s.goroutines(t)
}

// report tells what the storm was like.
func (s *storm) report(figures schema.Usage) {
	s.t.Helper()
	byName, injected := s.vendor.faults()
	byKind := make(map[string]int)
	for name, n := range byName {
		kind, _, _ := strings.Cut(name, ":")
		byKind[kind] += n
	}
	s.t.Logf("%d calls, the longest %v; %d requests, %d faults in %d ways: %v", s.calls, s.longest.Round(time.Millisecond), s.vendor.count(), injected, len(byName), byKind)
	s.t.Logf("%d portraits; failures: %v, of which %d while the vendor was left alone, and the network's own %v", s.portraits, s.errors, s.leftAlone, s.unexplained)
	s.t.Logf("charged by the vendor: %d; counted: %d; told: %d", s.vendor.Charged(), figures.Charged, sum(s.told))
}

// judge looks whether the charges of all calls together are right, and whether
// all that arrived whole is in the store at path.
func (s *storm) judge(figures schema.Usage, path string) (tooLate map[string]int) {
	s.t.Helper()
	byName, _ := s.vendor.faults()
	broken := byName[idle]
	for _, f := range connectionFaults() {
		broken += byName[f.name]
	}
	starved := s.vendor.count() / 100 // requests that may have been too late, on a machine that does much else
	tooLate = s.judgeStore(path)
	assert.LessOrEqual(s.t, sum(tooLate), starved, "right answers that were too late: %v", tooLate)
	assert.LessOrEqual(s.t, sum(s.unexplained), broken+starved, "failures that are the network's own")
	s.judgeShared(tooLate)

	charged := 0
	for _, requests := range s.vendor.all() {
		charged += charges(requests)
	}
	assert.LessOrEqual(s.t, s.vendor.Charged(), charged, "charged by the vendor")
	assert.LessOrEqual(s.t, charged, figures.Charged, "what may have been charged is counted")
	assert.LessOrEqual(s.t, figures.Charged, charged+broken+starved, "what cannot have been charged is not")
	assert.LessOrEqual(s.t, figures.Charged, sum(s.told), "what is counted is told")
	return tooLate
}

// judgeShared looks whether KOLs for whom many call were charged for a reason.
func (s *storm) judgeShared(tooLate map[string]int) {
	s.t.Helper()
	all := s.vendor.all()
	for _, kolID := range s.shared {
		charged := charges(all[kolID])
		assert.LessOrEqual(s.t, charged, s.told[kolID], "%s: charges told", kolID)
		assert.LessOrEqual(s.t, charged, s.fresh[kolID]+1+lost(all[kolID])+tooLate[kolID], "%s: charged, though nobody asked for it", kolID)
	}
}

// settled reads the day's figures when nothing is under way any more, be it
// for callers who have an answer that somebody else was given: when all that is
// counted is in the log, which may lag behind, as charged.
func (s *server) settled(t *testing.T, read func() schema.Usage) (figures schema.Usage) {
	t.Helper()
	charged := regexp.MustCompile(`msg="(collected a portrait|a collection failed)" .*charged=true`)
	kept := regexp.MustCompile(`msg="a call that was not charged stays counted as charged today"`) // for want of a store that answers in time
	logged := 0
	assert.Eventually(t, func() bool {
		figures = read()
		log := s.log.String()
		logged = len(charged.FindAllString(log, -1)) + len(kept.FindAllString(log, -1))
		return figures.Charged == logged
	}, margin, 100*time.Millisecond)
	assert.Equal(t, figures.Charged, logged, "counted and logged")
	return figures
}

func sum[K comparable](counts map[K]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

// lost is how many requests were charged, or may have been, and brought
// nothing.
func lost(requests []served) int {
	n := 0
	for _, r := range requests {
		n += boolInt(r.fault.right.charged)
	}
	return n
}

// judgeStore looks whether the store is whole, and has no more than the vendor
// sent. It returns how much it does not have of that, by KOL: where a machine does much
// else, an answer may have come when the product no longer waited.
func (s *storm) judgeStore(path string) (tooLate map[string]int) {
	s.t.Helper()
	stored := s.stored(path)
	tooLate = make(map[string]int)
	for kolID, requests := range s.vendor.all() {
		arrived := 0
		for _, r := range requests {
			arrived += boolInt(r.fault.right.portrait)
		}
		assert.LessOrEqual(s.t, stored[kolID], arrived, "%s: stored", kolID)
		if arrived > stored[kolID] {
			tooLate[kolID] = arrived - stored[kolID]
		}
	}
	return tooLate
}

// stored returns how many portraits a file that is whole has of each KOL.
func (s *storm) stored(path string) map[string]int {
	s.t.Helper()
	file, err := sql.Open("sqlite", path)
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, file.Close()) }()
	var verdict string
	require.NoError(s.t, file.QueryRow("PRAGMA integrity_check").Scan(&verdict))
	require.Equal(s.t, "ok", verdict)
	rows, err := file.Query("SELECT kol_id, count(*) FROM portraits GROUP BY kol_id")
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, rows.Close()) }()
	stored := make(map[string]int)
	for rows.Next() {
		var kolID string
		var n int
		require.NoError(s.t, rows.Scan(&kolID, &n))
		stored[kolID] = n
	}
	require.NoError(s.t, rows.Err())
	return stored
}

// judgePortraits looks whether what is stored is what the vendor sent.
func (s *storm) judgePortraits(path string, kolIDs []string) {
	s.t.Helper()
	shelf, err := sqlite.Open(s.t.Context(), sqlite.Options{Path: path, Scope: s.scope()})
	require.NoError(s.t, err)
	for _, kolID := range kolIDs {
		newest, err := shelf.Newest(s.t.Context(), kolID)
		require.NoError(s.t, err)
		require.NotNil(s.t, newest, kolID)
		require.Equal(s.t, s.right.of(s.t, kolID).data, string(newest.Data), kolID)
	}
	require.NoError(s.t, shelf.Close())
}

// scope is whose portraits a store keeps, among others'.
func (s *storm) scope() string { return strings.TrimPrefix(s.vendor.url, "http://") }

// assertWithoutToken looks for the token in the bytes of a folder's files.
func assertWithoutToken(t *testing.T, folder string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.NotEmpty(t, entries)
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		require.NoError(t, err)
		assert.NotContains(t, string(text), token, entry.Name())
	}
}

func assertEmpty(t *testing.T, folder string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, entries, "files in %s", folder)
}

//go:build e2e && linux

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two thousand clients hold an event stream open on one process and say nothing,
// while two hundred others call. All calls are answered; a stream costs little;
// and when the clients have left, nothing of them is left over.
func TestStreams(t *testing.T) {
	t.Parallel()
	const (
		streams      = 2000
		active       = 200
		callsOfEach  = 20
		mostOfStream = 80 << 10 // bytes of memory; it takes some 40,000
		mostHeapMore = 8 << 20  // bytes, and with the streams it is some 60 MB more
	)
	needDescriptors(t, 2*streams)
	v := startVendor(t)
	s, addr := serveHTTP(t, against(t, v, sqliteFile(t)).ofTeam())
	idle, busy := &http.Transport{}, &http.Transport{MaxIdleConnsPerHost: active}
	newMember := func(i int, over *http.Transport) *member {
		return &member{caller: callers[i%len(callers)], url: "http://" + addr, http: &http.Client{Transport: over}}
	}
	first := newMember(0, busy)
	before, files := first.calm(t, busy), s.files(t)
	memory := s.memory(t)

	var all sync.WaitGroup
	left := make([]func() error, streams)
	for i := range streams {
		all.Go(func() {
			m := newMember(i, idle)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.url+"/sse", nil)
			assert.NoError(t, err)
			request.Header = m.header()
			response, err := m.http.Do(request)
			if !assert.NoError(t, err) {
				return
			}
			left[i] = response.Body.Close
			line, err := bufio.NewReader(response.Body).ReadString('\n')
			assert.NoError(t, err)
			assert.Equal(t, "event: endpoint", strings.TrimSpace(line))
		})
	}
	all.Wait()
	open := first.metrics(t)
	assert.EqualValues(t, streams, open["kol_portrait_streams"])
	perStream := (s.memory(t) - memory) / streams
	t.Logf("memory: %d KB, and %d bytes for each of %d streams", memory>>10, perStream, streams)
	assert.Less(t, perStream, mostOfStream)

	right := first.portrait(t)
	assertOriginal(t, kol, right)
	for i := range active {
		all.Go(func() {
			m := newMember(i, busy)
			for range callsOfEach {
				assert.True(t, bytes.Equal(right, m.portrait(t)), "other figures")
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, streams, first.metrics(t)["kol_portrait_streams"], "the streams are still open")

	for _, leave := range left {
		assert.NoError(t, leave())
	}
	idle.CloseIdleConnections()
	const goroutines, heap = "go_goroutines", "go_memstats_heap_inuse_bytes"
	after := first.calm(t, busy)
	for began := time.Now(); (after[goroutines] > before[goroutines] || after[heap] > before[heap]+mostHeapMore) && time.Since(began) < longest; {
		after = first.calm(t, busy) // connections are still being closed, or there is garbage
	}
	for _, of := range []string{goroutines, "process_open_fds", heap} {
		t.Logf("%s: %.0f before, %.0f with the streams, %.0f after", of, before[of], open[of], after[of])
	}
	assert.Zero(t, after["kol_portrait_streams"])
	assert.LessOrEqual(t, after[goroutines], before[goroutines], goroutines)
	assert.LessOrEqual(t, after[heap], before[heap]+mostHeapMore, heap)
	for kind, n := range s.files(t) {
		if !strings.HasPrefix(kind, "portraits.db") { // the store keeps the connections that it has needed
			assert.LessOrEqual(t, n, files[kind], "descriptors of %s", kind)
		}
	}
	s.stop(t)
	s.assertNoTokens(t)
}

// calm is what the server measures when it has answered calls until it has
// collected its garbage twice, and one client alone is connected to it.
func (m *member) calm(t *testing.T, over *http.Transport) (values map[string]float64) {
	t.Helper()
	for began := -1.0; values == nil || values["go_gc_duration_seconds_count"] < began+2; {
		for range 20 {
			m.portrait(t)
		}
		values = m.metrics(t)
		if began < 0 {
			began = values["go_gc_duration_seconds_count"]
		}
	}
	over.CloseIdleConnections()
	return m.metrics(t)
}

// portrait is the distributions of a stored portrait.
func (m *member) portrait(t *testing.T) json.RawMessage {
	t.Helper()
	var a answer
	r, err := m.call(t.Context(), "get_kol_fans_portrait", map[string]any{"kolId": kol})
	if err == nil {
		err = r.into(&a)
	}
	assert.NoError(t, err)
	assert.Equal(t, kol, a.Structured.KOLID)
	return a.Structured.Distributions
}

// memory is how much memory a server has, in bytes.
func (s *server) memory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	require.NoError(t, err)
	match := regexp.MustCompile(`VmRSS:\s*(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, match, "%s", status)
	kilobytes, err := strconv.Atoi(string(match[1]))
	require.NoError(t, err)
	return kilobytes << 10
}

// needDescriptors fails the test where a process may have no n descriptors. Go has
// raised the limit of this process as far as it may, and the server does the same.
func needDescriptors(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	require.GreaterOrEqual(t, limit.Cur, n, "this test needs more descriptors: ulimit -Hn %d", n)
}

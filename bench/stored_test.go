package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/collector"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/sqlite"
	"kol-portrait-mcp/upstream"
	"kol-portrait-mcp/upstream/sample"
)

// callsInTurn is how many calls one round makes, so that what a process uses
// to start does not count.
const callsInTurn = 1000

// BenchmarkStored measures a call for a stored portrait over stdio beside a
// call of a bare mcp-go server, turn by turn, and beside both what reading the
// portrait takes of that: all that the collector and its SQLite file do. It
// reports medians, the CPU time of the server's process for each call, and
// reading as a part of the bare call's CPU time.
func BenchmarkStored(b *testing.B) {
	dir := b.TempDir()
	file := filepath.Join(dir, "portraits.db")
	product := running{binary: build(b, dir, "kol-portrait-mcp"), env: []string{"JUSTONEAPI_ENV=sample", "PORTRAIT_STORE=sqlite:" + file},
		call: `"name":"get_kol_fans_portrait","arguments":{"kolId":"` + sample.DocumentedID + `"}`, answer: `"coreGroup":"35-44"`}
	bare := running{binary: build(b, dir, "kol-portrait-mcp/bench/peers/mcpgo"),
		call: `"name":"get_kol_fans_portrait","arguments":{"kolId":"x"}`, env: []string{"PEER_ANSWER=../testdata/documented-response.json"}, answer: `dateKey`}
	product.measure(b, 1) // so that the portrait is stored
	reader := newReader(b, file)

	var ours, theirs, readings []cost
	for b.Loop() {
		ours = append(ours, product.measure(b, callsInTurn))
		theirs = append(theirs, bare.measure(b, callsInTurn))
		readings = append(readings, reader.measure(b, callsInTurn))
	}
	b.ReportMetric(milliseconds(medianOf(ours, cost.wall)), "ms/product")
	b.ReportMetric(milliseconds(medianOf(theirs, cost.wall)), "ms/bare")
	b.ReportMetric(microseconds(medianOf(ours, cost.cpu)), "cpu-us/product")
	b.ReportMetric(microseconds(medianOf(theirs, cost.cpu)), "cpu-us/bare")
	b.ReportMetric(microseconds(medianOf(readings, cost.cpu)), "cpu-us/reading")
	b.ReportMetric(float64(medianOf(readings, cost.cpu))/float64(medianOf(theirs, cost.cpu)), "reading/bare")
}

// cost is what one call took.
type cost struct{ latency, processor time.Duration }

func (c cost) wall() time.Duration { return c.latency }
func (c cost) cpu() time.Duration  { return c.processor }

func medianOf(costs []cost, of func(cost) time.Duration) time.Duration {
	times := make([]time.Duration, len(costs))
	for i, c := range costs {
		times[i] = of(c)
	}
	return median(times)
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// running is a server that is started anew for each round.
type running struct {
	binary string
	env    []string
	call   string // name and arguments
	answer string // what must be in each answer
}

// measure makes calls one after the other, and returns the median latency and
// the CPU time of one, start and end of the process left out.
func (r running) measure(b *testing.B, calls int) cost {
	b.Helper()
	latencies, busy := r.run(b, calls)
	_, idle := r.run(b, 0)
	return cost{latency: median(append(latencies, 0)), processor: max(busy-idle, 0) / time.Duration(calls)}
}

func (r running) run(b *testing.B, calls int) (latencies []time.Duration, processor time.Duration) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), r.binary)
	cmd.Env = r.env
	stdin, err := cmd.StdinPipe()
	require.NoError(b, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	ask := func(line string) string {
		_, err := io.WriteString(stdin, line+"\n")
		require.NoError(b, err)
		require.True(b, lines.Scan())
		return lines.Text()
	}
	ask(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`)
	for i := range calls {
		start := time.Now()
		answer := ask(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{%s}}`, i+1, r.call))
		latencies = append(latencies, time.Since(start))
		require.Contains(b, answer, r.answer)
	}
	require.NoError(b, stdin.Close())
	for lines.Scan() { // whatever is left, so that Wait finds the pipe empty
	}
	require.NoError(b, cmd.Wait())
	return latencies, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// reader reads stored portraits as the product does.
type reader struct{ collector *collector.Collector }

func newReader(b *testing.B, file string) reader {
	b.Helper()
	c := collector.New(collector.Options{
		Upstream: nobody{},
		Store: func(ctx context.Context) (store.Store, error) {
			return sqlite.Open(ctx, sqlite.Options{Path: file, Scope: "sample", Logger: slog.New(slog.DiscardHandler)})
		},
		Environment:  schema.EnvironmentSample,
		CacheTTL:     24 * time.Hour,
		AnswerWithin: time.Minute,
		Deadline:     time.Minute,
		Now:          time.Now,
		Logger:       slog.New(slog.DiscardHandler),
	})
	b.Cleanup(func() { require.NoError(b, c.Close(context.WithoutCancel(b.Context()))) })
	return reader{c}
}

// nobody sells nothing: what is measured must be in the store.
type nobody struct{}

func (nobody) Portrait(context.Context, string, bool, upstream.Admit) (*schema.Collected, error) {
	return nil, &schema.Error{Kind: schema.Internal, Message: "the portrait is not in the store"}
}

// measure reads a thousand times as often as calls are made: it is that short.
func (r reader) measure(b *testing.B, calls int) cost {
	b.Helper()
	times := 1000 * calls
	start, before := time.Now(), processorTime(b)
	for range times {
		_, err := r.collector.Portrait(b.Context(), sample.DocumentedID, false)
		require.NoError(b, err)
	}
	return cost{latency: time.Since(start) / time.Duration(times), processor: (processorTime(b) - before) / time.Duration(times)}
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Package bench measures the product beside a bare mcp-go server, in turns
// within one run, so that what it reports are ratios and not a machine's speed.
package bench

import (
	"bufio"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkStart measures the time from starting a process to its answer to
// tools/list over stdio, for the product and for a bare mcp-go server, turn by
// turn. It reports both medians in milliseconds and their ratio.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	product := build(b, dir, "kol-portrait-mcp")
	bare := build(b, dir, "kol-portrait-mcp/bench/peers/mcpgo")
	var ours, theirs []time.Duration
	timeToList(b, product) // once each, so that both binaries are in the page cache
	timeToList(b, bare)
	for b.Loop() {
		ours = append(ours, timeToList(b, product))
		theirs = append(theirs, timeToList(b, bare))
	}
	report(b, ours, theirs)
}

func report(b *testing.B, ours, theirs []time.Duration) {
	b.Helper()
	b.ReportMetric(milliseconds(median(ours)), "ms/product")
	b.ReportMetric(milliseconds(median(theirs)), "ms/bare")
	b.ReportMetric(float64(median(ours))/float64(median(theirs)), "x-bare")
}

// build compiles a main package into dir and returns the binary's path.
func build(b *testing.B, dir, pkg string) string {
	b.Helper()
	binary := filepath.Join(dir, filepath.Base(pkg))
	out, err := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, pkg).CombinedOutput()
	require.NoError(b, err, "build %s: %s", pkg, out)
	return binary
}

// timeToList starts the server, shakes hands, lists the tools and returns the
// time until the list was there.
func timeToList(b *testing.B, binary string) time.Duration {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), binary)
	stdin, err := cmd.StdinPipe()
	require.NoError(b, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(b, err)
	start := time.Now()
	require.NoError(b, cmd.Start())
	_, err = fmt.Fprintln(stdin, strings.Join([]string{
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`,
	}, "\n"))
	require.NoError(b, err)
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	listed := false
	for !listed && lines.Scan() {
		listed = strings.Contains(lines.Text(), `"tools":[`)
	}
	took := time.Since(start)
	require.True(b, listed, "%s listed no tools", binary)
	require.NoError(b, stdin.Close())
	for lines.Scan() { // whatever is left, so that Wait finds the pipe empty
	}
	require.NoError(b, cmd.Wait())
	return took
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

func milliseconds(d time.Duration) float64 {
	return float64(d) / float64(time.Millisecond)
}

//go:build e2e && unix

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// batch is a folder in which the command is run, over the simulated vendor.
type batch struct {
	*testing.T
	folder string
}

func newBatch(t *testing.T) batch {
	b := batch{t, t.TempDir()}
	for _, n := range []int{500, 2000} {
		var table strings.Builder
		table.WriteString("kolId,name,followers,price\n")
		for i := range n {
			fmt.Fprintf(&table, "%024x,KOL %d,%d,\"¥%d,000\"\n", 0x5d21ab00+i, i, 10000+i, 1+i%9)
		}
		require.NoError(t, os.WriteFile(b.path(fmt.Sprintf("%d.csv", n)), []byte(table.String()), 0o600))
	}
	return b
}

func (b batch) path(name string) string { return filepath.Join(b.folder, name) }

// command is a command line, in an environment of its own. A killed process's
// leases run out soon.
func (b batch) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(b.Context(), "kol-portrait-mcp", append([]string{"--env", "sample"}, args...)...)
	cmd.Dir = b.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.folder, "JUSTONEAPI_MAX_RPS=200", "JUSTONEAPI_TIMEOUT=1s", "PORTRAIT_DAILY_BUDGET=0"}
	return cmd
}

// run returns what a command prints to stdout. It must end with the exit code.
func (b batch) run(code int, args ...string) string {
	b.Helper()
	var stdout, stderr bytes.Buffer
	cmd := b.command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // the exit code is what counts
	require.Equal(b, code, cmd.ProcessState.ExitCode(), "%v: %s", args, stderr.String())
	return stdout.String()
}

func (b batch) charged() int {
	b.Helper()
	var usage schema.Usage
	require.NoError(b, json.Unmarshal([]byte(b.run(exitSuccess, "usage", "--format", "json")), &usage))
	return usage.Charged
}

var forecast = regexp.MustCompile(`(?s)^KOLs: 500\nstored, at no charge: (\d+)\nnot stored, at most one charged call each: (\d+)\n`)

// forecast returns how many of the 500 KOLs are stored, as --dry-run says.
func (b batch) forecast() (stored int) {
	b.Helper()
	said := forecast.FindStringSubmatch(b.run(exitSuccess, "portrait", "--from", "500.csv", "--dry-run"))
	require.Len(b, said, 3)
	stored, _ = strconv.Atoi(said[1])
	missing, _ := strconv.Atoi(said[2])
	assert.Equal(b, 500, stored+missing)
	return stored
}

// table returns the columns of a CSV file by their names.
func (b batch) table(name string) map[string][]string {
	b.Helper()
	raw, err := os.ReadFile(b.path(name))
	require.NoError(b, err)
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff")))).ReadAll()
	require.NoError(b, err)
	columns := map[string][]string{}
	for _, row := range rows[1:] {
		for i, name := range rows[0] {
			columns[name] = append(columns[name], row[i])
		}
	}
	return columns
}

func TestABatchThatIsKilledGoesOnAndPaysNothingTwice(t *testing.T) {
	b := newBatch(t)
	ranked := []string{"portrait", "--from", "500.csv", "--gender", "female", "--ages", "25-34", "--format", "csv", "--output", "ranked.csv"}

	assert.Zero(t, b.forecast())
	b.run(exitPartial, append(ranked, "--max-charged", "40")...)
	assert.Equal(t, 40, b.charged())
	assert.Equal(t, 40, b.forecast())
	failures := 0
	for _, failure := range b.table("ranked.csv")["error"] {
		if strings.HasPrefix(failure, string(schema.BudgetExhausted)) {
			failures++
		}
	}
	assert.Equal(t, 460, failures)
	require.NoError(t, os.Remove(b.path("ranked.csv")))

	killed := b.command(ranked...)
	require.NoError(t, killed.Start())
	for b.charged() < 150 {
	}
	require.NoError(t, killed.Process.Kill())
	require.Error(t, killed.Wait())
	charged, stored := b.charged(), b.forecast()
	require.Less(t, stored, 500, "it was killed in the middle")
	assert.LessOrEqual(t, charged-stored, 20, "what was under way may be lost")
	assert.NoFileExists(t, b.path("ranked.csv"))

	b.run(exitSuccess, ranked...)
	assert.Equal(t, charged+500-stored, b.charged(), "nothing that was stored is paid for again")
	rows := b.table("ranked.csv")
	for i, rank := range rows["rank"] {
		require.Equal(t, strconv.Itoa(i+1), rank)
	}
	different := map[string]bool{}
	for _, id := range rows["kolId"] {
		different[id] = true
	}
	assert.Len(t, different, 500)
	assert.Len(t, rows["kolId"], 500)
	assert.NotContains(t, rows["pricePerThousand"], "")

	again := b.charged()
	b.run(exitSuccess, ranked...)
	assert.Equal(t, again, b.charged())
	assert.Equal(t, rows, b.table("ranked.csv"))
	left, err := filepath.Glob(b.path("*ranked.csv*"))
	require.NoError(t, err)
	assert.Len(t, left, 1, "no half files")
}

func TestMemoryDoesNotGrowWithTheBatch(t *testing.T) {
	b := newBatch(t)
	b.run(exitSuccess, "portrait", "--from", "2000.csv", "--format", "csv", "--output", "stored.csv")
	for _, format := range []string{"csv-long", "jsonl"} {
		peak := map[string]int64{}
		for _, n := range []string{"500", "2000"} {
			cmd := b.command("portrait", "--from", n+".csv", "--gender", "female", "--format", format, "--output", n)
			require.NoError(t, cmd.Run())
			peak[n] = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
		}
		t.Logf("%s: peak memory of 500 and 2000 KOLs: %v", format, peak)
		assert.Less(t, peak["2000"], peak["500"]*3/2, format)
	}
}

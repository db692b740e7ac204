package sqlite

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// A test of several processes starts this very binary. It waits for a line on
// its standard input, does what its environment says, and writes what it has
// done to its standard output.
const (
	doVariable   = "KOL_PORTRAIT_TEST_DO"
	pathVariable = "KOL_PORTRAIT_TEST_PATH"
	nameVariable = "KOL_PORTRAIT_TEST_NAME"
)

const (
	portraits = 200
	limit     = 10
	day       = "2026-11-23"
)

func TestMain(m *testing.M) {
	do := os.Getenv(doVariable)
	if do == "" {
		os.Exit(m.Run())
	}
	if err := child(do, os.Getenv(pathVariable), os.Getenv(nameVariable), os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is the other process.
func child(do, path, name string, out io.Writer) error {
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	ctx := context.Background()
	s, err := Open(ctx, Options{Path: path, Scope: "vendor", Logger: slog.New(slog.NewTextHandler(out, nil))})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // what it did is on the output
	for i := range portraits {
		var done any
		switch do {
		case "save":
			err, done = s.Save(ctx, numbered(name+kolOf(i), i), 0), i
		case "read":
			_, err = s.Newest(ctx, kolOf(i))
			done = i
		case "charge":
			done, err = s.Charge(ctx, store.Charge{ID: name + strconv.Itoa(i), Day: day, Caller: "own"}, store.Limits{Day: limit})
		}
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, done); err != nil {
			return err
		}
	}
	return nil
}

func kolOf(i int) string { return fmt.Sprint("kol-", i) }

// numbered returns the i-th portrait of a KOL, with data whose size and content
// follow from i.
func numbered(kolID string, i int) *schema.Portrait {
	random := rand.New(rand.NewPCG(uint64(i), 0))
	letters := make([]byte, 10+random.IntN(8_000))
	for at := range letters {
		letters[at] = byte('a' + random.IntN(26))
	}
	return &schema.Portrait{
		ID: fmt.Sprintf("%s/%d", kolID, i), KOLID: kolID, AsOf: "2026-03-08", RetrievedAt: time.Unix(int64(i), 0).UTC(),
		Endpoint: schema.EndpointPortrait, Environment: schema.EnvironmentGlobal, RequestID: "request", Data: json.RawMessage(letters),
	}
}

// process is another process.
type process struct {
	command *exec.Cmd
	in      io.Writer
	out     *bufio.Scanner
}

func start(t *testing.T, do, path, name string) *process {
	t.Helper()
	p := &process{command: exec.Command(os.Args[0])}
	p.command.Env = append(os.Environ(), doVariable+"="+do, pathVariable+"="+path, nameVariable+"="+name)
	p.command.Stderr = t.Output()
	var err error
	p.in, err = p.command.StdinPipe()
	require.NoError(t, err)
	out, err := p.command.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewScanner(out)
	require.NoError(t, p.command.Start())
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		_ = p.command.Wait()
	})
	return p
}

// begin ends the process's waiting.
func (p *process) begin(t *testing.T) {
	t.Helper()
	_, err := fmt.Fprintln(p.in)
	require.NoError(t, err)
}

// rest returns the lines that the process has yet to write.
func (p *process) rest() (lines []string) {
	for p.out.Scan() {
		lines = append(lines, p.out.Text())
	}
	return lines
}

// together has three processes do the same at once, and returns their lines.
func together(t *testing.T, do, path string) (lines []string) {
	t.Helper()
	var processes []*process
	for i := range 3 {
		processes = append(processes, start(t, do, path, fmt.Sprint("process-", i, "-")))
	}
	for _, p := range processes {
		p.begin(t)
	}
	for _, p := range processes {
		lines = append(lines, p.rest()...)
		require.NoError(t, p.command.Wait())
	}
	return lines
}

func TestThreeProcessesShareAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "by", "all", "portraits.db")
	require.Len(t, together(t, "save", path), 3*portraits, "and nothing in the log")
	counted := 0
	for _, line := range together(t, "charge", path) {
		if line == fmt.Sprint(store.NotRefused) {
			counted++
		}
	}
	assert.Equal(t, limit, counted)
	s, _ := open(t, path)
	for process := range 3 {
		for i := range portraits {
			require.True(t, has(t, s, fmt.Sprint("process-", process, "-", kolOf(i)), i))
		}
	}
}

// A process is killed at any moment while it saves, another saves on.
func TestKilledWhileSaving(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	for round := range 5 {
		moment := rand.IntN(portraits)
		t.Logf("round %d: killed after %d acknowledgements", round, moment)
		name := fmt.Sprint("round-", round, "-")
		victim, survivor := start(t, "save", path, name), start(t, "save", path, name+"survivor-")
		victim.begin(t)
		survivor.begin(t)
		for range moment {
			require.True(t, victim.out.Scan())
		}
		require.NoError(t, victim.command.Process.Kill())
		acknowledged := moment + len(victim.rest())
		require.Len(t, survivor.rest(), portraits)

		s, log := open(t, path)
		for i := range portraits {
			found := has(t, s, name+kolOf(i), i)
			require.True(t, found || i >= acknowledged, "portrait %d of %d acknowledged", i, acknowledged)
			require.True(t, has(t, s, name+"survivor-"+kolOf(i), i))
		}
		var found string
		require.NoError(t, s.file.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&found))
		require.Equal(t, "ok", found)
		require.NoError(t, s.Close())
		require.Empty(t, log.String())
	}
	assert.Equal(t, []string{"portraits.db", "portraits.db.lock"}, names(t, path), "nothing was put aside")
}

// Three processes find the damage at once, when they open the file or later.
func TestDamagedFileIsPutAsideOnce(t *testing.T) {
	for name, how := range map[string]func([]byte) []byte{"at open": garbage(0, 0.0001), "in use": garbage(0.2, 0.8)} {
		t.Run(name, func(t *testing.T) {
			for range 3 {
				path := damage(t, how)
				asides := 0
				for _, line := range together(t, "read", path) {
					if strings.Contains(line, "put aside") {
						asides++
					}
				}
				assert.Equal(t, 1, asides)
				aside, err := filepath.Glob(path + ".damaged-*Z")
				require.NoError(t, err)
				assert.Len(t, aside, 1)
				s, log := open(t, path)
				require.NoError(t, s.Save(t.Context(), numbered("after", 1), 0))
				assert.True(t, has(t, s, "after", 1))
				assert.Empty(t, log.String())
			}
		})
	}
}

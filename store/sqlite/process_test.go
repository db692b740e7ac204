package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// A test of several processes starts this very binary, which then does what it
// is asked on its standard input and answers on its standard output, one JSON
// object each.

const processVariable = "KOL_PORTRAIT_TEST_PROCESS"

func TestMain(m *testing.M) {
	if os.Getenv(processVariable) == "" {
		os.Exit(m.Run())
	}
	if err := serve(os.Stdin, os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type request struct {
	Do     string
	Path   string
	KOL    string
	From   int
	N      int
	Offset int64
	At     time.Time  // the clock of what is opened; the system's where it is zero
	Day    schema.Day // of charges; testDay where empty
}

type answer struct {
	N        int             // how many of what was asked for
	ID       string          // of the portrait that was found or saved
	Data     json.RawMessage // of the portrait that was found
	Err      string
	Unusable bool
	Warnings []string
}

const testDay schema.Day = "2026-11-23"

// farDay is one that processes with the real clock do not prune.
const farDay schema.Day = "2999-12-31"

// serve is the other process.
func serve(in io.Reader, out io.Writer) error {
	var warnings bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&warnings, &slog.HandlerOptions{Level: slog.LevelWarn}))
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	var s *Store
	for {
		var asked request
		if err := decoder.Decode(&asked); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		got, err := obey(&s, logger, encoder, asked)
		if err != nil {
			got.Err, got.Unusable = err.Error(), errors.Is(err, ErrUnusable)
		}
		if warnings.Len() > 0 {
			got.Warnings = strings.Split(strings.TrimSpace(warnings.String()), "\n")
			warnings.Reset()
		}
		if err := encoder.Encode(got); err != nil {
			return err
		}
	}
}

func obey(s **Store, logger *slog.Logger, out *json.Encoder, asked request) (answer, error) {
	ctx := context.Background()
	switch asked.Do {
	case "open":
		now := time.Now
		if !asked.At.IsZero() {
			now = func() time.Time { return asked.At }
		}
		opened, err := openAt(ctx, Options{Path: asked.Path, Scope: "vendor", Logger: logger}, now)
		if err == nil {
			*s = opened
		}
		return answer{}, err
	case "close":
		return answer{}, (*s).Close()
	case "newest":
		p, err := (*s).Newest(ctx, asked.KOL)
		if p == nil {
			return answer{}, err
		}
		return answer{N: 1, ID: p.ID, Data: p.Data}, nil
	case "save":
		for i := range asked.N {
			p := numbered(asked.KOL, asked.From+i)
			if err := (*s).Save(ctx, p); err != nil {
				return answer{}, err
			}
			if err := out.Encode(answer{ID: p.ID}); err != nil {
				return answer{}, err
			}
		}
		return answer{N: asked.N}, nil
	case "charge":
		var group sync.WaitGroup
		var counted atomic.Int32
		var failure atomic.Value
		for i := range asked.N {
			group.Go(func() {
				ok, err := (*s).Charge(ctx, store.Charge{ID: fmt.Sprintf("%s-%d", asked.KOL, i), KOLID: asked.KOL, Day: cmp.Or(asked.Day, testDay)}, 10)
				if err != nil {
					failure.Store(err)
				}
				if ok {
					counted.Add(1)
				}
			})
		}
		group.Wait()
		err, _ := failure.Load().(error)
		return answer{N: int(counted.Load())}, err
	case "acquire":
		l, err := (*s).Acquire(ctx, store.Claim{KOLID: asked.KOL, Holder: asked.Path}, time.Duration(asked.N)*time.Millisecond)
		return answer{ID: l.Holder}, err
	case "make":
		for i := range asked.N {
			if err := out.Encode(answer{N: i}); err != nil {
				return answer{}, err
			}
			made, err := Open(ctx, Options{Path: fmt.Sprint(asked.Path, i), Scope: "vendor", Logger: logger})
			if err != nil {
				return answer{}, err
			}
			if err := made.Close(); err != nil {
				return answer{}, err
			}
		}
		return answer{N: asked.N}, nil
	case "flip":
		return answer{}, flip(asked.Path, asked.Offset)
	default:
		return answer{}, fmt.Errorf("cannot %q", asked.Do)
	}
}

// flip changes every bit of one byte of a file. A test that holds the file open
// has another process do it: to close a file ends all of a process's locks on
// it.
func flip(path string, offset int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	one := make([]byte, 1)
	if _, err := f.ReadAt(one, offset); err != nil {
		return err
	}
	one[0] ^= 0xff
	if _, err := f.WriteAt(one, offset); err != nil {
		return err
	}
	return f.Close()
}

// numbered returns the i-th portrait of a series, each of a KOL of its own, with
// data whose size and content follow from its number.
func numbered(series string, i int) store.Portrait {
	id := fmt.Sprintf("%s-%d", series, i)
	random := rand.New(rand.NewPCG(uint64(i), 0))
	letters := make([]byte, 10+random.IntN(20_000))
	for at := range letters {
		letters[at] = byte('a' + random.IntN(26))
	}
	return store.Portrait{
		ID: id, KOLID: id, AsOf: "2026-03-08", RetrievedAt: time.Date(2026, 11, 23, 12, 0, 0, i*int(time.Millisecond), time.UTC),
		Endpoint: schema.EndpointPortrait, Environment: schema.EnvironmentGlobal, RequestID: "request-" + id,
		Data: json.RawMessage(fmt.Sprintf(`{"id":%q,"letters":"%s"}`, id, letters)),
	}
}

type process struct {
	cmd     *exec.Cmd
	in      *json.Encoder
	out     *json.Decoder
	stopped sync.Once
}

// start starts another process, which ends with the test.
func start(t *testing.T, prepare ...func(*exec.Cmd)) *process {
	t.Helper()
	binary, err := os.Executable()
	require.NoError(t, err)
	p := &process{cmd: exec.Command(binary)}
	p.cmd.Env = append(os.Environ(), processVariable+"=1")
	p.cmd.Stderr = t.Output()
	for _, f := range prepare {
		f(p.cmd)
	}
	in, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.in, p.out = json.NewEncoder(in), json.NewDecoder(out)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(p.kill)
	return p
}

func startThree(t *testing.T) []*process {
	t.Helper()
	return []*process{start(t), start(t), start(t)}
}

// kill ends the process at once, as kill -9 does.
func (p *process) kill() {
	p.stopped.Do(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
}

func (p *process) send(t *testing.T, r request) {
	t.Helper()
	require.NoError(t, p.in.Encode(r))
}

func (p *process) receive(t *testing.T) answer {
	t.Helper()
	var a answer
	require.NoError(t, p.out.Decode(&a))
	return a
}

// ask has the process do something that is to succeed.
func (p *process) ask(t *testing.T, r request) answer {
	t.Helper()
	p.send(t, r)
	a := p.receive(t)
	require.Empty(t, a.Err)
	return a
}

// save has the process save n portraits of a series.
func (p *process) save(t *testing.T, series string, n int) {
	t.Helper()
	p.send(t, request{Do: "save", KOL: series, N: n})
	p.saved(t, n)
}

// saved receives the answers to the saving of n portraits, and what was warned
// of meanwhile.
func (p *process) saved(t *testing.T, n int) []string {
	t.Helper()
	for range n {
		a := p.receive(t)
		require.Empty(t, a.Err)
	}
	a := p.receive(t)
	require.Empty(t, a.Err)
	return a.Warnings
}

// together has all processes do at once what is to succeed.
func together(t *testing.T, processes []*process, r request) []answer {
	t.Helper()
	for _, p := range processes {
		p.send(t, r)
	}
	answers := make([]answer, len(processes))
	for i, p := range processes {
		answers[i] = p.receive(t)
		require.Empty(t, answers[i].Err)
	}
	return answers
}

// holds asserts that a store has the portraits of a series up to n, byte for
// byte.
func holds(t *testing.T, s *Store, series string, n int) {
	t.Helper()
	for i := range n {
		want := numbered(series, i)
		got, err := s.Newest(t.Context(), want.KOLID)
		require.NoError(t, err)
		require.NotNil(t, got, "%s", want.ID)
		require.Equal(t, want, *got)
	}
}

func TestThreeProcessesMakeOneFileAtOnce(t *testing.T) {
	processes := startThree(t)
	for round := range 20 {
		path := filepath.Join(t.TempDir(), "made", "by", "all", "portraits.db")
		for _, a := range together(t, processes, request{Do: "open", Path: path}) {
			require.Empty(t, a.Warnings)
		}
		for i, p := range processes {
			p.send(t, request{Do: "save", KOL: fmt.Sprint("series", i), N: 2})
		}
		for _, p := range processes {
			require.Empty(t, p.saved(t, 2))
		}
		together(t, processes, request{Do: "close"})

		s := open(t, path)
		for i := range processes {
			holds(t, s, fmt.Sprint("series", i), 2)
		}
		require.NoError(t, s.Close())
		require.Equal(t, []string{"portraits.db", "portraits.db.lock"}, names(t, filepath.Dir(path)), "round %d", round)
	}
}

func TestThreeProcessesShareALimit(t *testing.T) {
	processes, path := startThree(t), filepath.Join(t.TempDir(), "portraits.db")
	together(t, processes, request{Do: "open", Path: path})
	for i, p := range processes {
		p.send(t, request{Do: "charge", KOL: fmt.Sprint("process", i), N: 40, Day: farDay})
	}
	counted := 0
	for _, p := range processes {
		a := p.receive(t)
		require.Empty(t, a.Err)
		counted += a.N
	}
	assert.Equal(t, 10, counted)

	s := open(t, path)
	counts, err := s.Counts(t.Context(), farDay)
	require.NoError(t, err)
	assert.Equal(t, store.Counts{Charged: 10}, counts)
	require.NoError(t, s.Close())
}

func TestThreeProcessesClaimOneKOL(t *testing.T) {
	processes, path := startThree(t), filepath.Join(t.TempDir(), "portraits.db")
	together(t, processes, request{Do: "open", Path: path})
	for round := range 20 {
		kol := fmt.Sprint("kol-", round)
		for i, p := range processes {
			p.send(t, request{Do: "acquire", KOL: kol, Path: fmt.Sprint("holder-", i), N: 60_000})
		}
		holder := processes[0].receive(t).ID
		require.NotEmpty(t, holder)
		for _, p := range processes[1:] {
			require.Equal(t, holder, p.receive(t).ID)
		}
	}
}

// TestKilledWhileSaving kills a process that saves after some of its
// acknowledgements, while another saves on, round after round on one file.
func TestKilledWhileSaving(t *testing.T) {
	const rounds, portraits = 12, 200
	const seed = 20261123
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "portraits.db")
	acknowledged := map[string]int{}

	for round := range rounds {
		series := fmt.Sprintf("round-%d", round)
		victim, survivor := start(t), start(t)
		moment := random.IntN(portraits)
		if round < 2 {
			moment = 0
		}
		t.Logf("round %d: killed after %d acknowledgements", round, moment)

		victim.send(t, request{Do: "open", Path: path})
		if moment > 0 {
			require.Empty(t, victim.receive(t).Err)
			assert.Equal(t, "victim", victim.ask(t, request{Do: "acquire", KOL: series, Path: "victim", N: 300}).ID)
			victim.send(t, request{Do: "save", KOL: series, N: portraits})
		}
		survivor.send(t, request{Do: "open", Path: path})
		survivor.send(t, request{Do: "save", KOL: series + "-survivor", N: portraits / 4})

		last := -1
		for range moment {
			require.Equal(t, numbered(series, last+1).ID, victim.receive(t).ID)
			last++
		}
		require.NoError(t, victim.cmd.Process.Kill())
		for moment > 0 { // what it still said before it was killed
			var a answer
			if victim.out.Decode(&a) != nil {
				break
			}
			if a.ID != "" {
				last++
			}
		}
		victim.kill()
		acknowledged[series] = last + 1

		require.Empty(t, survivor.receive(t).Err)
		require.Empty(t, survivor.saved(t, portraits/4))
		survivor.ask(t, request{Do: "close"})
		acknowledged[series+"-survivor"] = portraits / 4

		s := open(t, path)
		require.NoError(t, s.file.check(t.Context()))
		holds(t, s, series, acknowledged[series])
		for i := last + 1; i < portraits; i++ { // not acknowledged: whole or not there
			want := numbered(series, i)
			got, err := s.Newest(t.Context(), want.KOLID)
			require.NoError(t, err)
			if got != nil {
				require.Equal(t, want, *got)
			}
		}
		if moment > 0 {
			require.Eventually(t, func() bool {
				l, err := s.Acquire(t.Context(), store.Claim{KOLID: series, Holder: "next"}, time.Minute)
				return err == nil && l.Holder == "next"
			}, 10*time.Second, 10*time.Millisecond)
		}
		require.NoError(t, s.Close())
	}

	s := open(t, path)
	for series, n := range acknowledged {
		holds(t, s, series, n)
	}
	require.NoError(t, s.Close())
	assert.Equal(t, []string{"portraits.db", "portraits.db.lock"}, names(t, filepath.Dir(path)), "nothing was put aside")
}

// TestKilledWhileMaking kills a process that makes one file after another just
// after it has begun on one of them.
func TestKilledWhileMaking(t *testing.T) {
	const seed = 20261123
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 10 {
		path := filepath.Join(t.TempDir(), "portraits")
		victim, begun := start(t), 1+random.IntN(10)
		victim.send(t, request{Do: "make", Path: path, N: 20})
		for range begun {
			require.Empty(t, victim.receive(t).Err)
		}
		victim.kill()
		for i := range begun + 1 {
			s := open(t, fmt.Sprint(path, i))
			require.NoError(t, s.Save(t.Context(), numbered("after", 1)))
			require.NoError(t, s.Close())
		}
		for _, name := range names(t, filepath.Dir(path)) {
			assert.NotContains(t, name, "damaged")
		}
	}
}

// names returns what is in a folder.
func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

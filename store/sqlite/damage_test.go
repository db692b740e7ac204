package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// pageSize is SQLite's own.
const pageSize = 4096

// testNow is in testDay, and in the middle of it anywhere.
func testNow() time.Time { return time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC) }

// openOn opens a file on testDay for a scope.
func openOn(t *testing.T, path, scope string, log io.Writer) *Store {
	t.Helper()
	s, err := openAt(t.Context(), Options{Path: path, Scope: scope, Logger: slog.New(slog.NewTextHandler(log, nil))}, testNow)
	require.NoError(t, err)
	return s
}

// seeded makes a file with 20 portraits, 3 calls and a hit on testDay, and one
// of each of another scope; closed.
func seeded(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "portraits.db")
	s := openOn(t, path, "vendor", t.Output())
	for i := range 20 {
		require.NoError(t, s.Save(t.Context(), numbered("kol", i)))
	}
	_, err := s.Acquire(t.Context(), store.Claim{KOLID: "kol", Holder: "A"}, time.Hour)
	require.NoError(t, err)
	charge(t, s, 3)
	require.NoError(t, s.AddHits(t.Context(), testDay, 1))
	require.NoError(t, s.Close())

	s = openOn(t, path, "sample", t.Output())
	require.NoError(t, s.Save(t.Context(), numbered("sample", 0)))
	charge(t, s, 1)
	require.NoError(t, s.AddHits(t.Context(), testDay, 1))
	require.NoError(t, s.Close())
	return path
}

// charge counts n calls on testDay, and some of long ago.
func charge(t *testing.T, s *Store, n int) {
	t.Helper()
	for i := range n {
		for _, day := range []schema.Day{testDay, "2026-11-22", "2026-10-01"} {
			counted, err := s.Charge(t.Context(), store.Charge{ID: strconv.Itoa(i), KOLID: "kol", Day: day}, 0)
			require.NoError(t, err)
			require.True(t, counted)
		}
	}
}

// listening opens a file, and returns what is warned of.
func listening(t *testing.T, path string) (*Store, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	return openOn(t, path, "vendor", &log), &log
}

// place is where a test has a file, and what tests do to files there.
type place struct {
	t    *testing.T
	path string
}

func (p place) read() []byte { return read(p.t, p.path) }

func (p place) write(raw []byte) { write(p.t, p.path, raw) }

// cut leaves the first n bytes.
func (p place) cut(n int) { p.write(p.read()[:n]) }

func (p place) flip(offset int64) { require.NoError(p.t, flip(p.path, offset)) }

// set changes one byte.
func (p place) set(offset int64, to byte) {
	raw := p.read()
	raw[offset] = to
	p.write(raw)
}

func (p place) remove(suffixes ...string) {
	for _, suffix := range suffixes {
		require.NoError(p.t, os.Remove(p.path+suffix))
	}
}

// link makes the place a symbolic link.
func (p place) link(target string) { require.NoError(p.t, os.Symlink(target, p.path)) }

// run runs SQL on the file as another program would; it makes none.
func (p place) run(text string) {
	db, err := sql.Open("sqlite", dataSource(p.path, working()))
	require.NoError(p.t, err)
	_, err = db.ExecContext(p.t.Context(), text)
	require.NoError(p.t, err)
	require.NoError(p.t, db.Close())
}

// rootOf returns where in the file a table or an index begins.
func (p place) rootOf(name string) int64 {
	db, err := sql.Open("sqlite", dataSource(p.path, working()))
	require.NoError(p.t, err)
	var page int64
	require.NoError(p.t, db.QueryRowContext(p.t.Context(), "SELECT rootpage FROM sqlite_schema WHERE name = ?", name).Scan(&page))
	require.NoError(p.t, db.Close())
	return (page - 1) * pageSize
}

// inPortrait returns where in the file the data of a portrait is.
func (p place) inPortrait(want store.Portrait) int64 {
	at := bytes.Index(p.read(), want.Data[:30])
	require.Positive(p.t, at)
	return int64(at + 20)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return raw
}

func write(t *testing.T, path string, raw []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, raw, 0o600))
}

// putAside returns the main files that were put aside.
func putAside(t *testing.T, path string) []string {
	t.Helper()
	var aside []string
	for _, name := range names(t, filepath.Dir(path)) {
		if strings.Contains(name, ".damaged-") && !strings.HasSuffix(name, "-wal") && !strings.HasSuffix(name, "-shm") {
			aside = append(aside, filepath.Join(filepath.Dir(path), name))
		}
	}
	return aside
}

// TestDamageIsPutAside has every kind of damage, and what can be read of the file
// all the same.
func TestDamageIsPutAside(t *testing.T) {
	const all = 21 // with the other scope's
	for _, test := range []struct {
		name    string
		damage  func(p place)
		saved   int  // portraits
		counted bool // all charges are known
	}{
		{"not a database", func(p place) { p.write([]byte("Dear diary,\n")) }, 0, false},
		{"a long text", func(p place) { p.write(bytes.Repeat([]byte("Dear diary,\n"), 10_000)) }, 0, false},
		{"zeroes", func(p place) { p.write(make([]byte, 10*pageSize)) }, 0, false},
		{"a header alone", func(p place) { p.cut(100) }, 0, false},
		{"the first page alone", func(p place) { p.cut(pageSize) }, 0, false},
		{"half of it", func(p place) { p.cut(len(p.read()) / 2) }, 9, true},
		{"a page less", func(p place) { p.cut(len(p.read()) - pageSize) }, all - 1, true},
		{"a byte of the header", func(p place) { p.flip(5) }, 0, false},
		{"a byte of the schema's page", func(p place) { p.flip(100) }, 0, false},
		{"a table is missing", func(p place) { p.run("DROP TABLE leases") }, all, true},
		{"the table of charges is missing", func(p place) { p.run("DROP TABLE charges") }, all, false},
		{"the table of uncounted days is missing", func(p place) { p.run("DROP TABLE uncounted") }, all, false},
		{"a column is missing", func(p place) { p.run("ALTER TABLE portraits RENAME COLUMN data TO beta") }, 0, true},
		{"the table of portraits", func(p place) { p.flip(p.rootOf("portraits")) }, 0, true},
		{"the table of portraits, its cells", func(p place) { p.flip(p.rootOf("portraits") + 8) }, all - 2, true},
		{"the index of portraits", func(p place) { p.flip(p.rootOf("portraits_by_kol")) }, all, true},
		{"the index of portraits by day", func(p place) { p.flip(p.rootOf("portraits_by_day")) }, all, true},
		{"the table of portraits and an index", func(p place) {
			p.flip(p.rootOf("portraits") + 8)
			p.flip(p.rootOf("portraits_by_kol"))
		}, all - 2, true},
		{"the table of leases", func(p place) { p.flip(p.rootOf("leases")) }, all, true},
		{"the table of leases, and a byte of a portrait", func(p place) {
			p.flip(p.rootOf("leases"))
			p.flip(p.inPortrait(numbered("kol", 7)))
		}, all - 1, true},
		{"the tables of leases and charges", func(p place) {
			p.flip(p.rootOf("leases"))
			p.flip(p.rootOf("charges"))
		}, all, false},
		{"the table of leases, and the number of charges", func(p place) {
			p.flip(p.rootOf("leases"))
			p.set(p.rootOf("charges")+4, 5) // of 12: those are read without an error
		}, all, false},
		{"the table of leases, and the day of a charge", func(p place) {
			p.flip(p.rootOf("leases"))
			p.write(bytes.Replace(p.read(), []byte("2026-11-22"), []byte("2026-1\xff-22"), 1))
		}, all, false},
		{"a byte of a portrait", func(p place) { p.flip(p.inPortrait(numbered("kol", 7))) }, all - 1, true},
		{"the schema's text", func(p place) {
			p.write(bytes.Replace(p.read(), []byte("CREATE TABLE portraits"), []byte("CREATE FABLE portraits"), 1))
		}, 0, true},
		{"another kind of value", func(p place) {
			p.run(`PRAGMA writable_schema = ON;
				UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = 'portraits'`)
			p.run(`UPDATE portraits SET as_of = x'00', retrieved_at = 'soon' WHERE id = 'kol-7'`)
		}, all - 1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := seeded(t)
			test.damage(place{t, path})
			damaged := read(t, path)

			s, log := listening(t, path)
			for i := range 20 {
				_, err := s.Newest(t.Context(), numbered("kol", i).KOLID) // one of them meets it
				require.NoError(t, err)
			}
			require.NoError(t, s.Save(t.Context(), numbered("after", 0)))
			holdsAlone(t, s, test.saved)
			holds(t, s, "after", 1)
			require.NoError(t, s.Close())

			aside := putAside(t, path)
			require.Len(t, aside, 1)
			assert.True(t, bytes.Equal(damaged, read(t, aside[0])), "as it was")
			assert.Equal(t, []string{"portraits.db", filepath.Base(aside[0]), "portraits.db.lock"}, names(t, filepath.Dir(path)))
			assert.Equal(t, 2, strings.Count(log.String(), "level=WARN"), log)
			assert.Contains(t, log.String(), "putAside="+aside[0])
			assert.Contains(t, log.String(), fmt.Sprintf("portraits=%d ", test.saved))
			assert.Equal(t, test.counted, !strings.Contains(log.String(), "today's charged calls are not known"), log)

			s, log = listening(t, path)
			holds(t, s, "after", 1)
			countsOn(t, s, test.counted)
			require.NoError(t, s.Close())
			assert.Empty(t, log)
		})
	}
}

// holdsAlone asserts that a file has so many seeded portraits, of all scopes,
// and that each is either right or not there.
func holdsAlone(t *testing.T, s *Store, want int) {
	t.Helper()
	found := 0
	for scope, series := range map[string]string{"vendor": "kol", "sample": "sample"} {
		of := openOn(t, s.path, scope, t.Output())
		for i := range 20 {
			want := numbered(series, i)
			got, err := of.Newest(t.Context(), want.KOLID)
			require.NoError(t, err)
			if got != nil {
				found++
				assert.Equal(t, want, *got)
			}
		}
		require.NoError(t, of.Close())
	}
	assert.Equal(t, want, found)
}

// countsOn asserts that calls are counted on after those that were seeded; on
// testDay only without a limit, unless its calls are known.
func countsOn(t *testing.T, s *Store, known bool) {
	t.Helper()
	ctx := t.Context()
	if known {
		for day, want := range map[schema.Day]store.Counts{testDay: {Charged: 3, Hits: 1}, "2026-11-22": {Charged: 3}, "2026-10-01": {}} {
			counts, err := s.Counts(ctx, day)
			require.NoError(t, err)
			assert.Equal(t, want, counts, day)
		}
	}
	before, err := s.Counts(ctx, testDay)
	require.NoError(t, err)
	counted, err := s.Charge(ctx, store.Charge{ID: "limited", KOLID: "kol", Day: testDay}, 1000)
	assert.Equal(t, known, counted)
	if known {
		require.NoError(t, err)
		before.Charged++
	} else {
		require.ErrorIs(t, err, store.ErrUncounted)
	}
	counted, err = s.Charge(ctx, store.Charge{ID: "unlimited", KOLID: "kol", Day: testDay}, 0)
	require.NoError(t, err)
	assert.True(t, counted)
	after, err := s.Counts(ctx, testDay)
	require.NoError(t, err)
	assert.Equal(t, before.Charged+1, after.Charged)

	counted, err = s.Charge(ctx, store.Charge{ID: "tomorrow", KOLID: "kol", Day: "2026-11-24"}, 1)
	require.NoError(t, err)
	assert.True(t, counted)
}

// TestDamageFoundByEveryMethod damages what a method reads while the file is
// open.
func TestDamageFoundByEveryMethod(t *testing.T) {
	other := start(t)
	claim := store.Claim{KOLID: "kol", Holder: "A"}
	call := store.Charge{ID: "1", KOLID: "kol", Day: testDay}
	older := func(ctx context.Context, s *Store) error { _, err := s.Older(ctx, "kol-1", "9999-12-31"); return err }
	for _, test := range []struct {
		name    string
		damaged string
		method  func(ctx context.Context, s *Store) error
	}{
		{"Newest", "portraits", func(ctx context.Context, s *Store) error { _, err := s.Newest(ctx, "kol-1"); return err }},
		{"Newest", "portraits_by_kol", func(ctx context.Context, s *Store) error { _, err := s.Newest(ctx, "kol-1"); return err }},
		{"Older", "portraits", older},
		{"Older", "portraits_by_day", older},
		{"Save", "portraits", func(ctx context.Context, s *Store) error { return s.Save(ctx, numbered("kol", 50)) }},
		{"KOLs", "portraits_by_kol", func(ctx context.Context, s *Store) error { _, err := s.KOLs(ctx, "", 50); return err }},
		{"Acquire", "leases", func(ctx context.Context, s *Store) error { _, err := s.Acquire(ctx, claim, time.Hour); return err }},
		{"Lease", "leases", func(ctx context.Context, s *Store) error { _, err := s.Lease(ctx, "kol"); return err }},
		{"Release", "leases", func(ctx context.Context, s *Store) error { return s.Release(ctx, claim, nil) }},
		{"Charge", "charges", func(ctx context.Context, s *Store) error { _, err := s.Charge(ctx, call, 0); return err }},
		{"Refund", "charges", func(ctx context.Context, s *Store) error { return s.Refund(ctx, call) }},
		{"AddHits", "hits", func(ctx context.Context, s *Store) error { return s.AddHits(ctx, testDay, 1) }},
		{"Counts", "hits", func(ctx context.Context, s *Store) error { _, err := s.Counts(ctx, testDay); return err }},
	} {
		t.Run(test.name+" of "+test.damaged, func(t *testing.T) {
			path := seeded(t)
			root := place{t, path}.rootOf(test.damaged)
			s, log := listening(t, path)
			other.ask(t, request{Do: "flip", Path: path, Offset: root})
			require.Empty(t, putAside(t, path))

			require.NoError(t, test.method(t.Context(), s))
			assert.Len(t, putAside(t, path), 1)
			assert.Equal(t, 2, strings.Count(log.String(), "level=WARN"), log)
			require.NoError(t, test.method(t.Context(), s))
			require.NoError(t, s.Save(t.Context(), numbered("after", 1)))
			require.NoError(t, s.Close())

			s = open(t, path)
			got, err := s.Newest(t.Context(), "after-1")
			require.NoError(t, err)
			assert.Equal(t, numbered("after", 1), *got)
			require.NoError(t, s.Close())
			assert.Len(t, putAside(t, path), 1)
		})
	}
}

// TestLogCutOffWhileInUse has a log that ends before what SQLite remembers of
// it. It is found by another process, which remembers no pages.
func TestLogCutOffWhileInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	s, other := open(t, path), start(t)
	for i := range 20 {
		require.NoError(t, s.Save(t.Context(), numbered("kol", i)))
	}
	other.ask(t, request{Do: "open", Path: path})
	require.NoError(t, os.Truncate(path+"-wal", 1000))
	warned := other.ask(t, request{Do: "newest", KOL: "kol-7"})
	assert.Zero(t, warned.N)
	assert.Contains(t, fmt.Sprint(warned.Warnings), "putAside=")

	require.NoError(t, s.Save(t.Context(), numbered("after", 0)))
	assert.Equal(t, 1, other.ask(t, request{Do: "newest", KOL: "after-0"}).N)
	other.save(t, "after-too", 1)
	holds(t, s, "after-too", 1)
	require.NoError(t, s.Close())
	assert.Len(t, putAside(t, path), 1)
}

func TestThreeProcessesSalvageOnce(t *testing.T) {
	other, processes := start(t), startThree(t)
	for _, test := range []struct {
		name   string
		before func(path string) // they open it
		after  func(path string)
		saved  int // portraits
		limit  bool
	}{
		{"found at the start", func(path string) { write(t, path, []byte("Dear diary,\n")) }, nil, 0, false},
		{"found by SQLite", nil, func(path string) {
			other.ask(t, request{Do: "flip", Path: path, Offset: place{t, path}.rootOf("portraits_by_kol")})
		}, 21, true},
		{"found by the checksum", nil, func(path string) {
			other.ask(t, request{Do: "flip", Path: path, Offset: place{t, path}.inPortrait(numbered("kol", 7))})
		}, 20, true},
	} {
		for range 5 {
			path := seeded(t)
			if test.before != nil {
				test.before(path)
			}
			var warnings []string
			for _, a := range together(t, processes, request{Do: "open", Path: path, At: testNow()}) {
				warnings = append(warnings, a.Warnings...)
			}
			if test.after != nil {
				test.after(path)
			}
			for _, a := range together(t, processes, request{Do: "newest", KOL: "kol-7"}) {
				assert.Equal(t, test.saved == 21, a.N == 1, test.name)
				warnings = append(warnings, a.Warnings...)
			}
			for i, p := range processes {
				p.send(t, request{Do: "save", KOL: fmt.Sprintf("series-%d", i), N: 5})
			}
			for _, p := range processes {
				warnings = append(warnings, p.saved(t, 5)...)
			}
			for i := range processes {
				for _, a := range together(t, processes, request{Do: "newest", KOL: fmt.Sprintf("series-%d-4", i)}) {
					assert.Equal(t, numbered(fmt.Sprintf("series-%d", i), 4).Data, a.Data)
				}
			}
			for i, p := range processes {
				p.send(t, request{Do: "charge", KOL: fmt.Sprint("process", i), N: 20})
			}
			counted := 0
			for _, p := range processes {
				a := p.receive(t)
				assert.Equal(t, test.limit, a.Err == "", a.Err)
				counted += a.N
			}
			together(t, processes, request{Do: "close"})

			require.Len(t, putAside(t, path), 1, test.name)
			told, all := 0, strings.Join(warnings, "\n")
			for _, line := range []string{"putAside=", "was saved"} {
				told += strings.Count(all, line)
			}
			assert.Equal(t, 2, told, "%s: %s", test.name, all)
			s := openOn(t, path, "vendor", t.Output())
			holdsAlone(t, s, test.saved)
			for i := range processes {
				holds(t, s, fmt.Sprintf("series-%d", i), 5)
			}
			if test.limit {
				assert.Equal(t, 7, counted, "and 3 before")
			} else {
				assert.Zero(t, counted)
			}
			require.NoError(t, s.Close())
		}
	}
}

// TestDamageReportedTooLate: another process has put the file aside between the
// operation that met the damage and the lock.
func TestDamageReportedTooLate(t *testing.T) {
	for _, cleared := range []bool{false, true} {
		path := seeded(t)
		s, log := listening(t, path)
		damaged := s.file
		damaged.cleared = cleared
		other := open(t, path)
		require.NoError(t, other.putAside(t.Context(), errDamaged))
		require.NoError(t, other.Save(t.Context(), numbered("after", 0)))

		require.NoError(t, s.replace(t.Context(), damaged, errDamaged))
		holds(t, s, "after", 1)
		inUse := s.file
		require.NoError(t, s.replace(t.Context(), damaged, errDamaged))
		assert.Same(t, inUse, s.file, "replaced once, whoever else reports it")
		require.NoError(t, other.Close())
		require.NoError(t, s.Close())
		assert.Len(t, putAside(t, path), 1)
		assert.NotContains(t, log.String(), "putAside=")
	}
}

// TestManyMeetDamageAtOnce in one process.
func TestManyMeetDamageAtOnce(t *testing.T) {
	path := seeded(t)
	place{t, path}.flip(place{t, path}.rootOf("portraits"))
	s, log := listening(t, path)
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			if i%2 == 0 {
				_, err := s.Newest(t.Context(), numbered("kol", i%20).KOLID)
				assert.NoError(t, err)
				return
			}
			assert.NoError(t, s.Save(t.Context(), numbered("after", i)))
		})
	}
	group.Wait()
	for i := 1; i < 100; i += 2 {
		got, err := s.Newest(t.Context(), numbered("after", i).KOLID)
		require.NoError(t, err)
		assert.NotNil(t, got)
	}
	require.NoError(t, s.Close())
	assert.Len(t, putAside(t, path), 1)
	assert.Equal(t, 2, strings.Count(log.String(), "level=WARN"), log)
	assert.NotContains(t, names(t, filepath.Dir(path)), "portraits.db-wal", "nobody has it open any more")
}

func TestNothingThatWasPutAsideIsWrittenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	for i := range 5 {
		write(t, path, fmt.Appendf(nil, "Dear diary, this is day %d\n", i))
		require.NoError(t, open(t, path).Close())
	}
	days := map[string]bool{}
	for _, aside := range putAside(t, path) {
		days[string(read(t, aside))] = true
	}
	assert.Len(t, days, 5)
}

func TestWhatIsNotDamage(t *testing.T) {
	for name, prepare := range map[string]func(p place){
		"no file":       func(place) {},
		"an empty file": func(p place) { p.write(nil) },
		"a database without anything in it": func(p place) {
			p.write(nil)
			p.run("PRAGMA journal_mode = WAL; CREATE TABLE t (a); DROP TABLE t")
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "portraits.db")
			prepare(place{t, path})
			s, log := listening(t, path)
			require.NoError(t, s.Save(t.Context(), numbered("kol", 0)))
			holds(t, s, "kol", 1)
			require.NoError(t, s.Close())
			assert.Empty(t, log)
			assert.Empty(t, putAside(t, path))
		})
	}
}

// TestGarbageInTheLog: SQLite takes no part of a log that it did not write
// itself, and what is in the file is served.
func TestGarbageInTheLog(t *testing.T) {
	for name, garbage := range map[string][]byte{
		"text":   bytes.Repeat([]byte("Dear diary,\n"), 1000),
		"zeroes": make([]byte, 10_000),
		"short":  []byte("x"),
	} {
		t.Run(name, func(t *testing.T) {
			path := seeded(t)
			write(t, path+"-wal", garbage)
			write(t, path+"-shm", garbage)
			s, log := listening(t, path)
			holds(t, s, "kol", 20)
			require.NoError(t, s.Save(t.Context(), numbered("kol", 20)))
			holds(t, s, "kol", 21)
			require.NoError(t, s.Close())
			assert.Empty(t, log)
		})
	}
}

// TestDamageThatCannotBePutAside has a file whose name is so long that no other
// fits behind it.
func TestDamageThatCannotBePutAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 240))
	write(t, path, []byte("Dear diary,\n"))
	_, err := Open(t.Context(), Options{Path: path, Scope: "vendor"})
	require.ErrorIs(t, err, ErrUnusable)
	require.ErrorContains(t, err, "put the damaged file aside")
	assert.Equal(t, "Dear diary,\n", string(read(t, path)))
}

func TestFailureOfALeaseThatCannotBeRead(t *testing.T) {
	path := seeded(t)
	place{t, path}.run(`UPDATE leases SET failure = '{"kind":'`)
	s, log := listening(t, path)
	got, err := s.Lease(t.Context(), "kol")
	require.NoError(t, err)
	assert.Equal(t, store.Lease{}, got)
	assert.Contains(t, log.String(), "putAside")
	require.NoError(t, s.Close())
}

func TestChecksumIsOverEverything(t *testing.T) {
	p := numbered("kol", 1)
	sums := map[int64]string{checksum("vendor", &p): "as it is", checksum("sample", &p): "scope"}
	for name, change := range map[string]func(p *store.Portrait){
		"id":          func(p *store.Portrait) { p.ID += "x" },
		"KOL":         func(p *store.Portrait) { p.KOLID += "x" },
		"as of":       func(p *store.Portrait) { p.AsOf = "" },
		"retrieved":   func(p *store.Portrait) { p.RetrievedAt = p.RetrievedAt.Add(time.Millisecond) },
		"endpoint":    func(p *store.Portrait) { p.Endpoint = "profile" },
		"environment": func(p *store.Portrait) { p.Environment = "cn" },
		"sample":      func(p *store.Portrait) { p.Sample = true },
		"request":     func(p *store.Portrait) { p.RequestID = "" },
		"data":        func(p *store.Portrait) { p.Data = json.RawMessage(`{}`) },
	} {
		changed := p
		change(&changed)
		sums[checksum("vendor", &changed)] = name
	}
	assert.Len(t, sums, 11)
}

package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sqlite3 "modernc.org/sqlite/lib"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

func TestAnyPath(t *testing.T) {
	for _, name := range []string{
		"portraits.db", "no extension", "a?b", "a#b", "a%41b", "a%zz", "a&mode=memory", "a b", " ", "海外/画像.db", "e\u0301", "'", `"`, ";",
		"a+b", ":memory:", "file:x", "?mode=memory", "-wal", "a\nb", "a=b", "$HOME", "~", "{}", "|", "one/two/three/four",
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && strings.ContainsAny(name, "?:\"|\n") {
				name = "not a name on Windows"
			}
			folder := t.TempDir()
			path := filepath.Join(folder, name)
			s := open(t, path)
			require.NoError(t, s.Save(t.Context(), numbered("kol", 0)))
			require.NoError(t, s.Close())
			assert.NotEmpty(t, read(t, path))

			s = open(t, path)
			holds(t, s, "kol", 1)
			require.NoError(t, s.Close())
			var files []string
			require.NoError(t, filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
				if err == nil && !entry.IsDir() {
					files = append(files, path)
				}
				return err
			}))
			assert.Equal(t, []string{path, path + ".lock"}, files)
		})
	}
}

func TestURIOfAPath(t *testing.T) {
	for path, want := range map[string]string{
		"/home/u/portraits.db":        "file:///home/u/portraits.db?",
		"C:/Users/u/portraits.db":     "file:///C:/Users/u/portraits.db?",
		"C:/Users/Ü b/100%#?.db":      "file:///C:/Users/%C3%9C%20b/100%25%23%3F.db?",
		"//server/share/portraits.db": "file:////server/share/portraits.db?",
	} {
		got := dataSource(path, working())
		assert.True(t, strings.HasPrefix(got, want), "%s: %s", path, got)
	}
}

func TestARelativePathStaysWhereItWas(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	s := open(t, "portraits.db")
	t.Chdir(t.TempDir())
	require.NoError(t, s.Save(t.Context(), numbered("kol", 0)))
	require.NoError(t, s.Close())
	s = open(t, filepath.Join(folder, "portraits.db"))
	holds(t, s, "kol", 1)
	require.NoError(t, s.Close())
}

func TestTwoNamesOfOneFile(t *testing.T) {
	folder := t.TempDir()
	path, link := filepath.Join(folder, "portraits.db"), filepath.Join(t.TempDir(), "link.db")
	require.NoError(t, open(t, path).Close())
	if err := os.Symlink(path, link); err != nil {
		require.Equal(t, "windows", runtime.GOOS, "only there it takes a privilege")
		return
	}
	s, linked := open(t, path), open(t, link)
	require.NoError(t, linked.Save(t.Context(), numbered("kol", 0)))
	holds(t, s, "kol", 1)
	require.NoError(t, linked.Close())
	require.NoError(t, s.Close())

	write(t, path, []byte("Dear diary,\n"))
	require.NoError(t, open(t, link).Close())
	assert.Len(t, putAside(t, path), 1, "beside the file, not beside the link")
	assert.Equal(t, []string{"link.db"}, names(t, filepath.Dir(link)))
}

func TestDefaultPath(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("LocalAppData", cache)
	t.Setenv("HOME", cache)
	path, err := DefaultPath()
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(path, cache), path)
	assert.True(t, strings.HasSuffix(path, filepath.Join("kol-portrait-mcp", "portraits.db")), path)

	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("LocalAppData", "")
	t.Setenv("HOME", "")
	_, err = DefaultPath()
	require.Error(t, err)
}

// TestWhatCannotBeUsed is left as it is, and told as ErrUnusable.
func TestWhatCannotBeUsed(t *testing.T) {
	diary := []byte("Dear diary,\n")
	another := func(text string) func(p place) {
		return func(p place) {
			p.write(nil)
			p.run(text)
		}
	}
	ours := func(text string) func(p place) {
		return func(p place) {
			require.NoError(p.t, open(p.t, p.path).Close())
			p.run(text)
		}
	}
	for _, test := range []struct {
		name    string
		prepare func(p place)
		path    string // added to the place's
		told    string
	}{
		{"a folder", func(p place) { require.NoError(p.t, os.Mkdir(p.path, 0o700)) }, "", "not a regular file"},
		{"below a file", func(p place) { p.write(diary) }, "/portraits.db", "not a directory"},
		{"below a file, deeper", func(p place) { p.write(diary) }, "/folder/portraits.db", "not a directory"},
		{"a zero byte", func(place) {}, "\x00", "invalid argument"},
		{"a name too long", func(place) {}, strings.Repeat("x", 300), "too long"},
		{"no lock to be had", func(p place) { place{p.t, p.path + ".lock"}.link("nowhere/at/all") }, "", ".lock"},
		{"a link to nothing", func(p place) { p.link("nowhere/at/all") }, "", "leads nowhere"},
		{"a link to a file that is missing", func(p place) { p.link(p.path + "-elsewhere") }, "", "leads nowhere"},
		{"a link to itself", func(p place) { p.link(p.path) }, "", "too many"},
		{"another program's", another("CREATE TABLE moz_places (id)"), "", "another program"},
		{"another program's, with a log", another("PRAGMA journal_mode = WAL; CREATE TABLE moz_places (id)"), "", "another program"},
		{"another program's, marked", another("PRAGMA application_id = 77; CREATE TABLE places (id)"), "", "another program"},
		{"another program's, marked and without tables", another("PRAGMA application_id = 77"), "", "another program"},
		{"another program's, with a version alone", another("PRAGMA user_version = 1"), "", "another program"},
		{"another program's that crashed", func(p place) {
			p.crash("PRAGMA journal_mode = WAL; CREATE TABLE moz_places (id); INSERT INTO moz_places VALUES (1)")
		}, "", "another program"},
		{"another program's, with a schema that cannot be read", func(p place) {
			another("PRAGMA application_id = 77; CREATE TABLE places (id)")(p)
			p.write(bytes.Replace(p.read(), []byte("CREATE TABLE"), []byte("CREATE FABLE"), 1))
		}, "", "another program"},
		{"one with our tables and another's mark", ours("PRAGMA application_id = 77"), "", "another program"},
		{"a later version's", ours("PRAGMA user_version = 99"), "", "later version"},
		{"a version's that there cannot be", ours("PRAGMA user_version = -1"), "", "later version"},
		{"a later version's that crashed", func(p place) {
			p.crash(fmt.Sprintf("PRAGMA journal_mode = WAL; PRAGMA application_id = %d; PRAGMA user_version = 99", applicationID))
		}, "", "later version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "portraits.db")
			test.prepare(place{t, path})
			path += test.path
			before := contents(t, folder)
			for range 2 {
				_, err := Open(t.Context(), Options{Path: path, Scope: "vendor"})
				require.ErrorIs(t, err, ErrUnusable)
				require.ErrorContains(t, err, test.told)
			}
			after := contents(t, folder)
			for _, noContent := range []string{"portraits.db.lock", "portraits.db-shm"} {
				delete(after, noContent)
				delete(before, noContent)
			}
			assert.Equal(t, before, after)
		})
	}
}

// crash makes a file as a program leaves it that has run some SQL and died, with
// all of it in the log.
func (p place) crash(text string) {
	live := filepath.Join(p.t.TempDir(), "live.db")
	write(p.t, live, nil)
	db, err := sql.Open("sqlite", dataSource(live, working()))
	require.NoError(p.t, err)
	_, err = db.ExecContext(p.t.Context(), text)
	require.NoError(p.t, err)
	main, log := read(p.t, live), read(p.t, live+"-wal")
	require.NotEmpty(p.t, log)
	require.NoError(p.t, db.Close())
	write(p.t, p.path, main)
	write(p.t, p.path+"-wal", log)
}

// contents returns all files of a folder with what is in them.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range names(t, folder) {
		if info, err := os.Stat(filepath.Join(folder, name)); err == nil && info.Mode().IsRegular() {
			all[name] = string(read(t, filepath.Join(folder, name)))
		}
	}
	return all
}

func TestNoPath(t *testing.T) {
	_, err := Open(t.Context(), Options{Scope: "vendor"})
	require.ErrorIs(t, err, ErrUnusable)
	assert.ErrorContains(t, err, "no path")
}

// TestWhatPasses is told as an error that is not ErrUnusable, and bounded by ctx.
func TestWhatPasses(t *testing.T) {
	for _, test := range []struct {
		name   string
		hinder func(p place)
	}{
		{"another opens it for long", func(p place) {
			lock := flock.New(p.path + ".lock")
			require.NoError(p.t, lock.Lock())
			p.t.Cleanup(func() { assert.NoError(p.t, lock.Unlock()) })
		}},
		{"another writes for long", func(p place) {
			db, err := sql.Open("sqlite", dataSource(p.path, working()))
			require.NoError(p.t, err)
			tx, err := db.BeginTx(p.t.Context(), nil)
			require.NoError(p.t, err)
			p.t.Cleanup(func() {
				_ = tx.Rollback()
				assert.NoError(p.t, db.Close())
			})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "portraits.db")
			require.NoError(t, open(t, path).Close())
			test.hinder(place{t, path})
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err := Open(ctx, Options{Path: path, Scope: "vendor"})
			require.Error(t, err)
			require.NotErrorIs(t, err, ErrUnusable)
			assert.Empty(t, putAside(t, path))
		})
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "portraits.db")
	_, err := Open(ctx, Options{Path: path, Scope: "vendor"})
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ErrUnusable)
	s := open(t, path)
	require.ErrorIs(t, s.Save(ctx, numbered("kol", 0)), context.Canceled)
	require.NoError(t, s.Save(t.Context(), numbered("kol", 0)))
	require.NoError(t, s.Close())
}

func TestResultCodes(t *testing.T) {
	for code, passing := range map[int]bool{
		sqlite3.SQLITE_BUSY:             true,
		sqlite3.SQLITE_BUSY_RECOVERY:    true,
		sqlite3.SQLITE_LOCKED:           true,
		sqlite3.SQLITE_INTERRUPT:        true,
		sqlite3.SQLITE_FULL:             true,
		sqlite3.SQLITE_IOERR_READ:       true,
		sqlite3.SQLITE_IOERR_SHMSIZE:    true,
		sqlite3.SQLITE_IOERR_SHMMAP:     false,
		sqlite3.SQLITE_IOERR_LOCK:       false,
		sqlite3.SQLITE_CANTOPEN:         false,
		sqlite3.SQLITE_READONLY:         false,
		sqlite3.SQLITE_READONLY_DBMOVED: false,
		sqlite3.SQLITE_PERM:             false,
		sqlite3.SQLITE_CORRUPT:          false,
		sqlite3.SQLITE_ERROR:            false,
		sqlite3.SQLITE_OK:               false,
	} {
		assert.Equal(t, passing, isPassingCode(code), code)
	}
	for _, err := range []error{syscall.ENOSPC, syscall.EMFILE, context.DeadlineExceeded, errMoved} {
		require.NotErrorIs(t, openError("path", &os.PathError{Op: "open", Path: "path", Err: err}), ErrUnusable, err)
	}
	for _, err := range []error{syscall.EACCES, syscall.EROFS, syscall.ENOTDIR, errDamaged} {
		assert.ErrorIs(t, openError("path", &os.PathError{Op: "open", Path: "path", Err: err}), ErrUnusable, err)
	}
}

func TestScopesAreSeparate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	vendor := open(t, path)
	sample, err := Open(t.Context(), Options{Path: path, Scope: "sample"})
	require.NoError(t, err)
	ctx, p := t.Context(), numbered("kol", 0)
	claim := store.Claim{KOLID: p.KOLID, Holder: "A"}
	call := store.Charge{ID: "1", KOLID: p.KOLID, Day: testDay}

	require.NoError(t, sample.Save(ctx, p))
	_, err = sample.Acquire(ctx, claim, time.Hour)
	require.NoError(t, err)
	counted, err := sample.Charge(ctx, call, 1)
	require.NoError(t, err)
	assert.True(t, counted)
	require.NoError(t, sample.AddHits(ctx, testDay, 3))

	none, err := vendor.Newest(ctx, p.KOLID)
	require.NoError(t, err)
	assert.Nil(t, none)
	none, err = vendor.Older(ctx, p.KOLID, "9999-12-31")
	require.NoError(t, err)
	assert.Nil(t, none)
	ids, err := vendor.KOLs(ctx, "", 10)
	require.NoError(t, err)
	assert.Empty(t, ids)
	l, err := vendor.Lease(ctx, p.KOLID)
	require.NoError(t, err)
	assert.Equal(t, store.Lease{}, l)
	require.NoError(t, vendor.Release(ctx, claim, nil))
	require.NoError(t, vendor.Refund(ctx, call))
	counts, err := vendor.Counts(ctx, testDay)
	require.NoError(t, err)
	assert.Equal(t, store.Counts{}, counts)

	l, err = vendor.Acquire(ctx, store.Claim{KOLID: p.KOLID, Holder: "B"}, time.Hour)
	require.NoError(t, err)
	assert.Equal(t, "B", l.Holder)
	counted, err = vendor.Charge(ctx, call, 1)
	require.NoError(t, err)
	assert.True(t, counted)
	p.Data = []byte(`{"real":true}`)
	require.NoError(t, vendor.Save(ctx, p), "with the same id")

	l, err = sample.Lease(ctx, p.KOLID)
	require.NoError(t, err)
	assert.Equal(t, "A", l.Holder)
	counts, err = sample.Counts(ctx, testDay)
	require.NoError(t, err)
	assert.Equal(t, store.Counts{Charged: 1, Hits: 3}, counts)
	holds(t, sample, "kol", 1)
	got, err := vendor.Newest(ctx, p.KOLID)
	require.NoError(t, err)
	assert.Equal(t, p, *got)
	require.NoError(t, vendor.Close())
	require.NoError(t, sample.Close())
}

func TestFileIsOursAndUpToDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	s := open(t, path)
	for query, want := range map[string]string{
		"PRAGMA application_id": strconv.Itoa(0x4b4f4c50),
		"PRAGMA user_version":   "3",
		"PRAGMA journal_mode":   "wal",
		"PRAGMA synchronous":    "1",
		"PRAGMA busy_timeout":   "10000",
	} {
		var got string
		require.NoError(t, s.file.db.QueryRowContext(t.Context(), query).Scan(&got))
		assert.Equal(t, want, got, query)
	}
	require.NoError(t, s.Close())

	before := read(t, path)
	require.NoError(t, open(t, path).Close())
	assert.True(t, bytes.Equal(before, read(t, path)), "to open it changes nothing")
}

// TestHistoryIsKept: all that was ever saved is in the file, oldest to newest.
func TestHistoryIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	s := open(t, path)
	for i := range 10 {
		p := numbered("kol", i)
		p.KOLID = "kol"
		require.NoError(t, s.Save(t.Context(), p))
	}
	rows, err := s.file.db.QueryContext(t.Context(), "SELECT id FROM portraits WHERE kol_id = 'kol' ORDER BY retrieved_at")
	require.NoError(t, err)
	var ids []string
	for rows.Next() {
		var id string
		require.NoError(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	require.Len(t, ids, 10)
	for i, id := range ids {
		assert.Equal(t, numbered("kol", i).ID, id)
	}
	require.NoError(t, s.Close())
}

// TestIndexes: whatever there is, what is looked for is found by an index, in
// order, and what is listed is read from one alone.
func TestIndexes(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "portraits.db"))
	for _, test := range []struct {
		name, query string
		args        []any
		want        string
	}{
		{"Newest", newestSQL, []any{"vendor", "kol"}, "SEARCH portraits USING INDEX portraits_by_kol (scope=? AND kol_id=?)"},
		{"Older", olderSQL, []any{"vendor", "kol", "2026-03-08"}, "SEARCH portraits USING INDEX portraits_by_day (scope=? AND kol_id=? AND as_of>? AND as_of<?)"},
		{"KOLs", kolsSQL, []any{"vendor", "a", "a~", 10}, "SEARCH portraits USING COVERING INDEX portraits_by_kol (scope=? AND kol_id>? AND kol_id<?)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, []string{test.want}, plan(t, s, test.query, test.args...))
		})
	}
	require.NoError(t, s.Close())
}

// plan returns how SQLite goes about a query, step by step.
func plan(t *testing.T, s *Store, query string, args ...any) []string {
	t.Helper()
	rows, err := s.file.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	require.NoError(t, err)
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		steps = append(steps, detail)
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	return steps
}

// TestWhatIsForgotten: leases after a day, charges and hits after 90. Portraits
// never are.
func TestWhatIsForgotten(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "portraits.db")
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	day := schema.DayOf(now)
	s := open(t, path)
	s.now = func() time.Time { return now }
	require.NoError(t, s.Save(ctx, numbered("kol", 0)))
	released := store.Claim{KOLID: "released", Holder: "A"}
	for _, claim := range []store.Claim{released, {KOLID: "expired", Holder: "A"}} {
		_, err := s.Acquire(ctx, claim, time.Minute)
		require.NoError(t, err)
	}
	require.NoError(t, s.Release(ctx, released, nil))
	_, err := s.Charge(ctx, store.Charge{ID: "1", Day: day}, 0)
	require.NoError(t, err)
	require.NoError(t, s.AddHits(ctx, day, 1))
	_, err = s.file.db.ExecContext(ctx, markUncountedSQL, string(day))
	require.NoError(t, err)

	count := func(table string) int {
		var n int
		require.NoError(t, s.file.db.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n))
		return n
	}
	for _, test := range []struct {
		after                            time.Duration
		portraits, leases, charges, hits int
	}{
		{23 * time.Hour, 1, 2, 1, 1},
		{25 * time.Hour, 1, 0, 1, 1},
		{90 * 24 * time.Hour, 1, 0, 1, 1},
		{91 * 24 * time.Hour, 1, 0, 0, 0},
		{20 * 365 * 24 * time.Hour, 1, 0, 0, 0},
	} {
		s.now = func() time.Time { return now.Add(test.after) }
		require.NoError(t, s.prune(ctx, s.file.anchor))
		assert.Equal(t, test.portraits, count("portraits"), test.after)
		assert.Equal(t, test.leases, count("leases"), test.after)
		assert.Equal(t, test.charges, count("charges"), test.after)
		assert.Equal(t, test.hits, count("hits"), test.after)
		assert.Equal(t, test.hits, count("uncounted"), test.after)
	}
	require.NoError(t, s.Close())
}

// TestCloseWaits: what was under way ends well, what comes later does not begin,
// and nothing stays behind.
func TestCloseWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	s := open(t, path)
	saved := make([]bool, 200)
	var group sync.WaitGroup
	begun := make(chan struct{}, len(saved))
	for i := range saved {
		group.Go(func() {
			begun <- struct{}{}
			err := s.Save(t.Context(), numbered("kol", i))
			saved[i] = err == nil
			if err != nil {
				assert.ErrorIs(t, err, errClosed)
			}
		})
	}
	for range len(saved) / 2 {
		<-begun
	}
	assert.Contains(t, goroutines(), "database/sql", "what is looked for below")
	require.NoError(t, s.Close())
	group.Wait()
	require.ErrorIs(t, s.Ping(t.Context()), errClosed)
	require.NoError(t, s.Close())
	assert.Eventually(t, func() bool { return !strings.Contains(goroutines(), "database/sql") }, 10*time.Second, time.Millisecond)
	assert.Equal(t, []string{"portraits.db", "portraits.db.lock"}, names(t, filepath.Dir(path)))

	s = open(t, path)
	for i, kept := range saved {
		got, err := s.Newest(t.Context(), numbered("kol", i).KOLID)
		require.NoError(t, err)
		assert.Equal(t, kept, got != nil)
	}
	require.NoError(t, s.Close())
}

// goroutines returns what every goroutine is doing.
func goroutines() string {
	stacks := make([]byte, 1<<20)
	return string(stacks[:runtime.Stack(stacks, true)])
}

// TestFileHoldsWhatWasGiven: nothing of the environment gets into the file or its
// log, the vendor's token least of all.
func TestFileHoldsWhatWasGiven(t *testing.T) {
	const token = "jaT0ken-that-nobody-may-see"
	t.Setenv("JUSTONEAPI_TOKEN", token)
	path := filepath.Join(t.TempDir(), "portraits.db")
	s := open(t, path)
	require.NoError(t, s.Save(t.Context(), numbered("kol", 0)))
	host, err := os.Hostname()
	require.NoError(t, err)

	given := 0
	for _, raw := range contents(t, filepath.Dir(path)) {
		given += strings.Count(raw, string(numbered("kol", 0).Data[:50]))
		for _, secret := range []string{token, host, path, os.Getenv("HOME")} {
			if len(secret) > 5 {
				assert.NotContains(t, raw, secret)
			}
		}
	}
	assert.Equal(t, 1, given, "what was given is where it was looked for")
	require.NoError(t, s.Close())
}

package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store"
)

// open opens a file of a test, with a log to look into.
func open(t *testing.T, path string) (*Store, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	s, err := Open(t.Context(), Options{Path: path, Scope: "vendor", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s, &log
}

// has reports whether a store has the i-th portrait of a KOL as its newest.
func has(t *testing.T, s *Store, kolID string, i int) bool {
	t.Helper()
	p, err := s.Newest(t.Context(), kolID)
	require.NoError(t, err)
	if p == nil {
		return false
	}
	require.Equal(t, numbered(kolID, i), p)
	return true
}

// names returns what is in the folder of a file.
func names(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestDefaultPathDependsOnTheHomeFolderAlone(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	path, err := DefaultPath()
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(home, dataFolder(runtime.GOOS), "kol-portrait-mcp", "portraits.db"), path)

	assert.Equal(t, ".local/share", filepath.ToSlash(dataFolder("linux")))
	assert.Equal(t, "Library/Application Support", filepath.ToSlash(dataFolder("darwin")))
	assert.Equal(t, "AppData/Local", filepath.ToSlash(dataFolder("windows")))
	t.Setenv("HOME", "")
	t.Setenv("USERPROFILE", "")
	_, err = DefaultPath()
	require.Error(t, err)
}

func TestOnlyTheUserMayRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "here", "portraits.db")
	s, _ := open(t, path)
	require.NoError(t, s.Save(t.Context(), numbered("kol", 1), 0))
	assert.Equal(t, []string{"portraits.db", "portraits.db-shm", "portraits.db-wal", "portraits.db.lock"}, names(t, path))
	for _, name := range names(t, path) {
		info, err := os.Stat(filepath.Join(filepath.Dir(path), name))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	for _, folder := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		info, err := os.Stat(folder)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o700), info.Mode().Perm(), folder)
	}
	require.NoError(t, s.Close())
	assert.Equal(t, []string{"portraits.db", "portraits.db.lock"}, names(t, path))
	require.Error(t, s.Ping(t.Context()))
	require.NoError(t, s.Close(), "again")
}

func TestPathsWithOddCharacters(t *testing.T) {
	for _, name := range []string{"a b.db", "a%20b.db", "a?b#c.db", "库.db", "a'b.db"} {
		path := filepath.Join(t.TempDir(), name)
		s, _ := open(t, path)
		require.NoError(t, s.Close())
		assert.Equal(t, []string{name, name + ".lock"}, names(t, path))
	}
}

func TestFileThatCannotBeUsed(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	another := filepath.Join(folder, "another.db")
	db, err := sql.Open("sqlite", another)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "CREATE TABLE notes (text TEXT)")
	require.NoError(t, err)
	require.NoError(t, db.Close())

	for _, path := range []string{folder, filepath.Join(file, "portraits.db"), another, "/dev/null", "/proc/portraits.db"} {
		before, _ := os.ReadFile(path)
		s, err := Open(t.Context(), Options{Path: path, Scope: "vendor"})
		assert.Nil(t, s)
		require.ErrorIs(t, err, ErrUnusable, path)
		require.ErrorContains(t, err, path)
		after, _ := os.ReadFile(path)
		assert.Equal(t, before, after, path)
	}
}

func TestErrorsThatMayPass(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	first, _ := open(t, path)
	require.NoError(t, first.Close())
	<-ctx.Done()
	_, err := Open(ctx, Options{Path: path, Scope: "vendor"})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.NotErrorIs(t, err, ErrUnusable)
}

func TestFileOfAnotherVersionIsRefused(t *testing.T) {
	for _, version := range []int{3, 6} {
		path := filepath.Join(t.TempDir(), "portraits.db")
		s, _ := open(t, path)
		require.NoError(t, s.Save(t.Context(), numbered("kol", 1), 0))
		require.NoError(t, s.Close())
		db, err := connect(path)
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), fmt.Sprint("PRAGMA user_version = ", version))
		require.NoError(t, err)
		require.NoError(t, db.Close())
		before, err := os.ReadFile(path)
		require.NoError(t, err)

		_, err = Open(t.Context(), Options{Path: path, Scope: "vendor"})
		require.ErrorIs(t, err, ErrUnusable)
		require.ErrorContains(t, err, fmt.Sprintf("another version of this program: its schema is %d, and this one knows 5", version))
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(before, after), "the file is not touched")
		assert.Equal(t, []string{"portraits.db", "portraits.db.lock"}, names(t, path))
	}
}

func TestFileOfVersion4IsUpgraded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	old, _ := open(t, path)
	require.NoError(t, old.Save(t.Context(), numbered("kol", 1), 0))
	_, err := old.file.ExecContext(t.Context(), `ALTER TABLE charges DROP COLUMN caller;
		INSERT INTO charges (scope, day, id) VALUES ('vendor', '2026-11-23', 'old'); PRAGMA user_version = 4`)
	require.NoError(t, err)
	require.NoError(t, old.Close())

	for range 2 {
		s, _ := open(t, path)
		assert.True(t, has(t, s, "kol", 1))
		refusal, err := s.Charge(t.Context(), store.Charge{ID: "new", Day: "2026-11-23", Caller: "red"}, store.Limits{Day: 2})
		require.NoError(t, err)
		assert.Equal(t, store.NotRefused, refusal)
		charges, err := s.Charged(t.Context(), "2026-11-23")
		require.NoError(t, err)
		assert.Equal(t, store.Charges{All: 2, Callers: map[string]int{"red": 1}}, charges)
		require.NoError(t, s.Close())
	}
}

// damage makes a file of 50 KOLs and damages it.
func damage(t *testing.T, how func(content []byte) []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "portraits.db")
	s, _ := open(t, path)
	for i := range 50 {
		require.NoError(t, s.Save(t.Context(), numbered(kolOf(i), i), 0))
	}
	require.NoError(t, s.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, how(content), 0o600))
	return path
}

// garbage overwrites a part of a file, of which start and end are told as shares.
func garbage(from, to float64) func([]byte) []byte {
	return func(content []byte) []byte {
		size := float64(len(content))
		for i := int(from * size); i < int(to*size); i++ {
			content[i] = byte(i*7 + 13)
		}
		return content
	}
}

// Some damage shows when the file is opened, some when a portrait is looked for.
func TestDamagedFileIsPutAside(t *testing.T) {
	for name, how := range map[string]func([]byte) []byte{
		"no database":      func([]byte) []byte { return []byte(strings.Repeat("not a database ", 1_000)) },
		"header":           garbage(0, 0.0001),
		"first page":       func(content []byte) []byte { copy(content[100:], make([]byte, 3_000)); return content },
		"middle":           garbage(0.2, 0.8),
		"end":              garbage(0.5, 1),
		"zeroes":           func(content []byte) []byte { clear(content[8_192:]); return content },
		"truncated":        func(content []byte) []byte { return content[:len(content)/3] },
		"truncated header": func(content []byte) []byte { return content[:50] },
	} {
		t.Run(name, func(t *testing.T) {
			path := damage(t, how)
			damaged, err := os.ReadFile(path)
			require.NoError(t, err)
			s, log := open(t, path)
			another, _ := open(t, path)
			for i := range 50 {
				_, err := s.Newest(t.Context(), kolOf(i))
				require.NoError(t, err)
			}
			for i := range 50 {
				require.NoError(t, s.Save(t.Context(), numbered(kolOf(i), 100+i), 0))
			}
			for i := range 50 {
				assert.True(t, has(t, s, kolOf(i), 100+i))
			}
			require.NoError(t, another.Save(t.Context(), numbered("another", 1), 0))
			assert.True(t, has(t, s, "another", 1), "nobody saves in the file that was put aside")
			aside, err := filepath.Glob(path + ".damaged-*Z")
			require.NoError(t, err)
			require.Len(t, aside, 1, log)
			kept, err := os.ReadFile(aside[0])
			require.NoError(t, err)
			assert.True(t, bytes.Equal(damaged, kept), "as it was found")
			for _, told := range []string{aside[0], ".recover", "count of charged calls starts anew"} {
				assert.Contains(t, log.String(), told)
			}
		})
	}
}

func TestManyFindTheDamageAtOnce(t *testing.T) {
	for range 10 {
		path := damage(t, garbage(0.2, 0.8))
		s, log := open(t, path)
		var group sync.WaitGroup
		for i := range 50 {
			group.Go(func() {
				_, err := s.Newest(t.Context(), kolOf(i))
				assert.NoError(t, err)
				assert.NoError(t, s.Save(t.Context(), numbered(kolOf(i), 100+i), 0))
			})
		}
		group.Wait()
		assert.Equal(t, 1, strings.Count(log.String(), "put aside"))
	}
}

func TestDeletedFileIsMadeAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	s, _ := open(t, path)
	require.NoError(t, s.Save(t.Context(), numbered("kol", 1), 0))
	for _, name := range names(t, path) {
		require.NoError(t, os.Remove(filepath.Join(filepath.Dir(path), name)))
	}
	require.NoError(t, s.Save(t.Context(), numbered("kol", 2), 0))
	again, _ := open(t, path)
	assert.True(t, has(t, again, "kol", 2))
}

// Another process holds the write lock, as one does that was stopped in the
// middle of writing.
func TestWriteLockIsHeld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	s, _ := open(t, path)
	require.NoError(t, s.Save(t.Context(), numbered("kol", 1), 0))
	_, err := s.Acquire(t.Context(), "kol", "A", time.Hour)
	require.NoError(t, err)
	letGo := holdWriteLock(t, path)

	assert.True(t, has(t, s, "kol", 1))
	lease, err := s.Acquire(t.Context(), "kol", "B", time.Hour)
	require.NoError(t, err)
	assert.Equal(t, "A", lease.Holder, "what can only be refused needs no lock")

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	started := time.Now()
	for range 3 {
		require.ErrorIs(t, s.Save(ctx, numbered("kol", 2), 0), context.DeadlineExceeded)
	}
	assert.Less(t, time.Since(started), 5*time.Second)

	time.AfterFunc(50*time.Millisecond, letGo)
	require.NoError(t, s.Save(t.Context(), numbered("kol", 2), 0), "waits for the lock")
	assert.True(t, has(t, s, "kol", 2))
}

func TestLeaseLastsFromWhenItIsGranted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	s, _ := open(t, path)
	time.AfterFunc(time.Second, holdWriteLock(t, path))
	_, err := s.Acquire(t.Context(), "kol", "A", 10*time.Second)
	require.NoError(t, err)
	lease, err := s.Acquire(t.Context(), "kol", "B", 10*time.Second)
	require.NoError(t, err)
	assert.Greater(t, lease.Left, 9500*time.Millisecond, "not from when it was asked for")
}

func TestLeaseTakenUnderAClockThatWasAheadHasEnded(t *testing.T) {
	s, _ := open(t, filepath.Join(t.TempDir(), "portraits.db"))
	_, err := s.Acquire(t.Context(), "kol", "A", 10*365*24*time.Hour)
	require.NoError(t, err)
	lease, err := s.Acquire(t.Context(), "kol", "B", time.Minute)
	require.NoError(t, err)
	assert.Equal(t, "B", lease.Holder)
}

// holdWriteLock takes a file's write lock, as another process does.
func holdWriteLock(t *testing.T, path string) (letGo func()) {
	t.Helper()
	db, err := connect(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	return func() { _, _ = conn.ExecContext(context.Background(), "COMMIT") }
}

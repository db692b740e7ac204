package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store"
)

func (p place) rename(to string) { require.NoError(p.t, os.Rename(p.path, to)) }

// TestTakenAwayWhileInUse takes the file away in every way from under a Store
// and another process. What either saves then is what a third one finds.
func TestTakenAwayWhileInUse(t *testing.T) {
	other := start(t)
	for _, test := range []struct {
		name  string
		take  func(p place)
		keeps bool // what was saved before is still there
	}{
		{"deleted", func(p place) { p.remove("") }, false},
		{"deleted with all that belongs to it", func(p place) { p.remove("", "-wal", "-shm") }, false},
		{"deleted with the lock", func(p place) { p.remove("", "-wal", "-shm", ".lock") }, false},
		{"deleted with its folder", func(p place) { require.NoError(p.t, os.RemoveAll(filepath.Dir(p.path))) }, false},
		{"renamed", func(p place) { p.rename(p.path + ".old") }, false},
		{"replaced by another of ours", func(p place) {
			place{p.t, seeded(p.t)}.rename(p.path + ".new")
			p.remove("", "-wal", "-shm")
			place{p.t, p.path + ".new"}.rename(p.path)
		}, false},
		{"replaced by an empty one", func(p place) {
			p.remove("")
			p.write(nil)
		}, false},
		{"the lock alone deleted", func(p place) { p.remove(".lock") }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "folder", "portraits.db")
			s := open(t, path)
			other.ask(t, request{Do: "open", Path: path})
			require.NoError(t, s.Save(t.Context(), numbered("before", 0)))
			other.save(t, "before-too", 1)

			test.take(place{t, path})
			require.NoError(t, s.Save(t.Context(), numbered("after", 0)))
			other.save(t, "after-too", 1)
			assert.Equal(t, 1, other.ask(t, request{Do: "newest", KOL: "after-0"}).N)
			holds(t, s, "after-too", 1)

			third := start(t)
			third.ask(t, request{Do: "open", Path: path})
			for _, kol := range []string{"after-0", "after-too-0"} {
				assert.Equal(t, 1, third.ask(t, request{Do: "newest", KOL: kol}).N, kol)
			}
			kept := 0
			if test.keeps {
				kept = 1
			}
			assert.Equal(t, kept, third.ask(t, request{Do: "newest", KOL: "before-0"}).N)
			assert.Equal(t, kept, third.ask(t, request{Do: "newest", KOL: "before-too-0"}).N)

			require.NoError(t, s.Close())
			third.ask(t, request{Do: "close"})
			other.ask(t, request{Do: "close"})
			s = open(t, path)
			holds(t, s, "after", 1)
			holds(t, s, "after-too", 1)
			require.NoError(t, s.Close())
		})
	}
}

// TestLogTakenAwayWhileInUse: what is saved after SQLite's log has been deleted
// is in a log that others read.
func TestLogTakenAwayWhileInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	s := open(t, path)
	require.NoError(t, s.Save(t.Context(), numbered("kol", 0)))
	place{t, path}.remove("-wal", "-shm")
	require.NoError(t, s.Save(t.Context(), numbered("kol", 1)))

	other := start(t)
	other.ask(t, request{Do: "open", Path: path})
	assert.Equal(t, 1, other.ask(t, request{Do: "newest", KOL: "kol-0"}).N)
	assert.Equal(t, 1, other.ask(t, request{Do: "newest", KOL: "kol-1"}).N)
	require.NoError(t, s.Close())
}

// TestTakenAwayForGood: as long as no file can be there, each operation fails,
// and the first that succeeds is kept.
func TestTakenAwayForGood(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	s := open(t, path)
	place{t, path}.remove("", "-wal", "-shm")
	require.NoError(t, os.Mkdir(path, 0o700))

	for range 2 {
		require.ErrorIs(t, s.Save(t.Context(), numbered("kol", 0)), ErrUnusable)
		_, err := s.Newest(t.Context(), "kol-0")
		require.ErrorIs(t, err, ErrUnusable)
		require.Error(t, s.Ping(t.Context()))
	}
	require.NoError(t, os.Remove(path))
	require.NoError(t, s.Ping(t.Context()))
	require.NoError(t, s.Save(t.Context(), numbered("kol", 0)))
	holds(t, s, "kol", 1)
	require.NoError(t, s.Close())
}

// TestRestOfAFileThatIsGone: a log without its file is not taken for the new
// file's, nor deleted.
func TestRestOfAFileThatIsGone(t *testing.T) {
	for _, test := range []struct {
		name    string
		take    func(p place)
		counted bool // from 0 on, as somebody wanted it
	}{
		{"deleted", func(p place) { p.remove("") }, true},
		{"emptied", func(p place) { p.write(nil) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "portraits.db")
			victim := start(t)
			victim.ask(t, request{Do: "open", Path: path})
			victim.save(t, "kol", 3)
			victim.kill()
			log := read(t, path+"-wal")
			require.NotEmpty(t, log)
			test.take(place{t, path})

			s, warned := listening(t, path)
			got, err := s.Newest(t.Context(), "kol-0")
			require.NoError(t, err)
			assert.Nil(t, got)
			require.NoError(t, s.Save(t.Context(), numbered("after", 0)))
			counted, err := s.Charge(t.Context(), store.Charge{ID: "1", KOLID: "kol", Day: testDay}, 5)
			assert.Equal(t, test.counted, counted)
			assert.Equal(t, test.counted, err == nil, err)
			require.NoError(t, s.Close())
			assert.Contains(t, warned.String(), "its main file is missing")
			aside, err := filepath.Glob(path + ".damaged-*-wal")
			require.NoError(t, err)
			require.Len(t, aside, 1)
			assert.Equal(t, log, read(t, aside[0]))
		})
	}
}

// TestHitsAreCountedOnTheFileThatStays: what an operation did on a file that
// turns out to be gone is done again.
func TestHitsAreCountedOnTheFileThatStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portraits.db")
	s := open(t, path)
	require.NoError(t, s.AddHits(t.Context(), testDay, 1))
	require.NoError(t, os.Rename(path, path+".old"))
	require.NoError(t, s.AddHits(t.Context(), testDay, 1))
	counts, err := s.Counts(t.Context(), testDay)
	require.NoError(t, err)
	assert.Equal(t, store.Counts{Hits: 1}, counts)
	require.NoError(t, s.Close())
}

// TestConnectionsAreToOneFile: SQLite finds files by their names, so that a
// connection which is opened later might be to another.
func TestConnectionsAreToOneFile(t *testing.T) {
	for name, places := range map[string][]bool{
		"gone before":     {false},
		"gone meanwhile":  {true, false},
		"there all along": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			path := seeded(t)
			asked := 0
			c, err := newConnector(path, working(), func() bool {
				asked++
				return places[asked-1]
			})
			require.NoError(t, err)
			conn, err := c.Connect(t.Context())
			assert.Len(t, places, asked)
			if name == "there all along" {
				require.NoError(t, err)
				require.NoError(t, conn.Close())
				return
			}
			require.ErrorIs(t, err, errMoved)
			assert.Nil(t, conn)
		})
	}
}

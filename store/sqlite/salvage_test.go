package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store"
)

// small returns a portrait of which many fit on a page.
func small(i int) store.Portrait {
	p := numbered("small", i)
	p.Data = fmt.Appendf(nil, `{"id":%q,"of":"small size, and found by this text"}`, p.ID)
	return p
}

// TestBadPages: what is on other pages than the damaged ones is saved, wherever
// they are.
func TestBadPages(t *testing.T) {
	const n = 400
	for _, test := range []struct {
		name  string
		on    []int    // the portraits whose pages are damaged
		trees []string // the indexes that are damaged
	}{
		{"the first", []int{0}, nil},
		{"one in the middle", []int{200}, nil},
		{"the last", []int{n - 1}, nil},
		{"two", []int{100, 300}, nil},
		{"two, and an index", []int{100, 300}, []string{"portraits_by_kol"}},
		{"two, and all but one by KOL", []int{100, 300}, []string{"portraits_by_day", "sqlite_autoindex_portraits_1"}},
		{"two, and all but one by day", []int{100, 300}, []string{"portraits_by_kol", "sqlite_autoindex_portraits_1"}},
		{"two, and all but one by id", []int{100, 300}, []string{"portraits_by_kol", "portraits_by_day"}},
		{"one, and all indexes", []int{200}, []string{"portraits_by_kol", "portraits_by_day", "sqlite_autoindex_portraits_1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "portraits.db")
			s := openOn(t, path, "vendor", t.Output())
			for i := range n {
				require.NoError(t, s.Save(t.Context(), small(i)))
			}
			require.NoError(t, s.Close())
			p := place{t, path}
			p.run("VACUUM") // so that only the root may have what moved on from it
			raw := p.read()
			pageOf := func(i int) int64 { return int64(bytes.LastIndex(raw, small(i).Data[:30])) / pageSize }
			bad, lost := map[int64]bool{}, 0
			for _, i := range test.on {
				bad[pageOf(i)] = true
			}
			for i := range n {
				if bad[pageOf(i)] {
					lost++
				}
			}
			require.Less(t, lost, n/4)
			offsets := []int64{p.rootOf("leases")}
			for page := range bad {
				offsets = append(offsets, page*pageSize)
			}
			for _, tree := range test.trees {
				offsets = append(offsets, p.rootOf(tree))
			}
			for _, offset := range offsets {
				p.flip(offset)
			}

			s, log := listening(t, path)
			found := 0
			for i := range n {
				want := small(i)
				got, err := s.Newest(t.Context(), want.KOLID)
				require.NoError(t, err)
				if got != nil {
					found++
					assert.Equal(t, want, *got)
				}
			}
			assert.Equal(t, n-lost, found, log)
			require.NoError(t, s.Close())
		})
	}
}

// TestBadPageOfCharges: those before and behind it are saved, and that there may
// be more is known.
func TestBadPageOfCharges(t *testing.T) {
	const n = 1000
	path := filepath.Join(t.TempDir(), "portraits.db")
	s := openOn(t, path, "vendor", t.Output())
	for i := range n {
		_, err := s.Charge(t.Context(), store.Charge{ID: fmt.Sprintf("call-%04d", i), KOLID: "kol", Day: testDay}, 0)
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	p := place{t, path}
	p.run("VACUUM")
	p.flip(int64(bytes.LastIndex(p.read(), []byte("call-0500"))) / pageSize * pageSize)
	p.flip(p.rootOf("leases"))

	s, _ = listening(t, path)
	for _, id := range []string{"call-0000", "call-0999"} {
		var there bool
		require.NoError(t, s.file.db.QueryRowContext(t.Context(), "SELECT count(*) FROM charges WHERE id = ?", id).Scan(&there))
		assert.True(t, there, id)
	}
	counts, err := s.Counts(t.Context(), testDay)
	require.NoError(t, err)
	assert.Greater(t, counts.Charged, n*4/5)
	assert.Less(t, counts.Charged, n)
	countsOn(t, s, false)
	require.NoError(t, s.Close())
}

// TestLogIsSalvaged: a process that was killed has left much in the log alone.
// It is read, and left as it was.
func TestLogIsSalvaged(t *testing.T) {
	for name, before := range map[string]func(p place){
		"with its index":    func(place) {},
		"without its index": func(p place) { p.remove("-shm") },
	} {
		t.Run(name, func(t *testing.T) {
			path := seeded(t)
			victim := start(t)
			victim.ask(t, request{Do: "open", Path: path, At: testNow()})
			victim.save(t, "log", 3)
			assert.Equal(t, 7, victim.ask(t, request{Do: "charge", KOL: "log", N: 20}).N, "up to 10")
			victim.kill()
			p := place{t, path}
			assert.NotContains(t, string(p.read()), "log-2")
			p.flip(p.inPortrait(numbered("kol", 7)))
			before(p)
			main, wal := p.read(), read(t, path+"-wal")

			require.NoError(t, (&Store{path: path, now: testNow, logger: slog.New(slog.DiscardHandler)}).putAside(t.Context(), errDamaged))
			s, log := listening(t, path)
			holdsAlone(t, s, 20)
			holds(t, s, "log", 3)
			counted, err := s.Charge(t.Context(), store.Charge{ID: "11th", KOLID: "kol", Day: testDay}, 10)
			require.NoError(t, err)
			assert.False(t, counted)
			counts, err := s.Counts(t.Context(), testDay)
			require.NoError(t, err)
			assert.Equal(t, store.Counts{Charged: 10, Hits: 1}, counts)
			require.NoError(t, s.Close())

			aside := putAside(t, path)
			require.Len(t, aside, 1, log)
			assert.True(t, bytes.Equal(main, read(t, aside[0])))
			assert.True(t, bytes.Equal(wal, read(t, aside[0]+"-wal")))
		})
	}
}

// TestLostDaysStayLost through damage after damage.
func TestLostDaysStayLost(t *testing.T) {
	path := seeded(t)
	p := place{t, path}
	p.write([]byte("Dear diary,\n"))
	for i := range 3 {
		s, log := listening(t, path)
		_, err := s.Charge(t.Context(), store.Charge{ID: "1", KOLID: "kol", Day: testDay}, 5)
		require.ErrorIs(t, err, store.ErrUncounted)
		require.NoError(t, s.Close())
		assert.Equal(t, i == 0, strings.Contains(log.String(), "not known"), "all there was in the later ones was read")
		p.flip(p.rootOf("leases"))
	}
	assert.Len(t, putAside(t, path), 3)
}

// TestSalvageAfterAnEnd: a process has ended between putting the file aside and
// salvaging it.
func TestSalvageAfterAnEnd(t *testing.T) {
	path := seeded(t)
	s := openOn(t, path, "vendor", t.Output())
	require.NoError(t, s.putAside(t.Context(), errDamaged))
	require.NoError(t, s.file.close())

	s, log := listening(t, path)
	holdsAlone(t, s, 21)
	countsOn(t, s, true)
	require.NoError(t, s.Close())
	assert.Contains(t, log.String(), "portraits=21")

	place{t, path}.remove("")
	s, log = listening(t, path)
	holdsAlone(t, s, 0)
	require.NoError(t, s.Close())
	assert.Empty(t, log, "once is enough")
}

// TestNoteOfNothing: a process has ended before it put the file aside, or
// somebody has taken that away.
func TestNoteOfNothing(t *testing.T) {
	path := seeded(t)
	write(t, path+noteSuffix, []byte(".damaged-never\n"))
	s, log := listening(t, path)
	holdsAlone(t, s, 21)
	require.NoError(t, s.Close())
	assert.Empty(t, log)
	assert.Equal(t, []string{"portraits.db", "portraits.db.lock"}, names(t, filepath.Dir(path)))
}

// TestSalvageThatFails keeps nobody from using the new file.
func TestSalvageThatFails(t *testing.T) {
	for name, fail := range map[string]func(ctx context.Context, s *Store, aside string) error{
		"writing": func(ctx context.Context, s *Store, _ string) error {
			_, err := s.file.db.ExecContext(ctx, `CREATE TRIGGER full BEFORE INSERT ON portraits BEGIN SELECT RAISE(ABORT, 'full'); END`)
			require.NoError(t, err)
			defer func() {
				_, err := s.file.db.ExecContext(ctx, `DROP TRIGGER full`)
				require.NoError(t, err)
			}()
			return s.salvage(ctx, s.file)
		},
		"time": func(ctx context.Context, s *Store, aside string) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			place{t, s.path}.remove(noteSuffix)
			return s.salvageFrom(ctx, s.file, aside)
		},
	} {
		t.Run(name, func(t *testing.T) {
			aside := seeded(t)
			path := filepath.Join(filepath.Dir(aside), "new.db")
			s, log := listening(t, path)
			write(t, path+".damaged-1", read(t, aside))
			write(t, path+noteSuffix, []byte(".damaged-1\n"))
			require.NoError(t, fail(t.Context(), s, path+".damaged-1"))
			holdsAlone(t, s, 0)
			countsOn(t, s, false)
			require.NoError(t, s.Close())
			assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"), log)
			assert.Contains(t, log.String(), "portraits=0 chargedCalls=0")
		})
	}
}

// versionOne makes a file as the first version of the tables has it.
func versionOne(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "portraits.db")
	write(t, path, nil)
	db, err := sql.Open("sqlite", dataSource(path, working()))
	require.NoError(t, err)
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	require.NoError(t, apply(t.Context(), conn, "migrations/0001_portraits.sql", 1))
	for i := range 20 {
		p := numbered("kol", i)
		_, err := conn.ExecContext(t.Context(), saveSQL, values("vendor", &p)...)
		require.NoError(t, err)
	}
	for i := range 3 {
		for _, day := range []string{string(testDay), "2026-11-22"} {
			_, err := conn.ExecContext(t.Context(), `INSERT INTO charges VALUES ('vendor', ?, ?, 'kol', 0)`, day, i)
			require.NoError(t, err)
		}
	}
	_, err = conn.ExecContext(t.Context(), `INSERT INTO hits VALUES ('vendor', ?, 1)`, string(testDay))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NoError(t, db.Close())
	return path
}

// TestVersionOne is brought up to date, and salvaged.
func TestVersionOne(t *testing.T) {
	for name, test := range map[string]struct {
		damage func(p place)
		warned int
	}{
		"sound":   {func(place) {}, 0},
		"damaged": {func(p place) { p.flip(p.rootOf("leases")) }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			path := versionOne(t)
			test.damage(place{t, path})
			s, log := listening(t, path)
			holdsAlone(t, s, 20)
			countsOn(t, s, true)
			version, err := s.file.version(t.Context())
			require.NoError(t, err)
			assert.Equal(t, 3, version)
			older, err := s.Older(t.Context(), numbered("kol", 7).KOLID, "9999-12-31")
			require.NoError(t, err)
			assert.Equal(t, numbered("kol", 7), *older)
			require.NoError(t, s.Close())
			assert.Equal(t, test.warned, strings.Count(log.String(), "level=WARN"), log)
		})
	}
}

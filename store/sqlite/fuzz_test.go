package sqlite

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// FuzzFile opens a file in which bytes were changed, and behind which some were
// lost: size bytes are left of it, and every three bytes of changes are the place
// of a byte and what it becomes. What is then read is a portrait that was saved,
// byte for byte, or none; and what is saved from then on is there.
func FuzzFile(f *testing.F) {
	image := imageOf(f)
	f.Add([]byte{}, uint16(len(image)))
	f.Add([]byte{0, 0, 'X'}, uint16(len(image)))                   // its magic number
	f.Add([]byte{0, 68, 0, 0, 60, 9}, uint16(len(image)))          // whose it is, and its version
	f.Add([]byte{0, 100, 0, 16, 0, 0, 32, 0, 0}, uint16(pageSize)) // page headers, and all but a page lost
	f.Add([]byte{}, uint16(0))
	for at := 0; at < len(image); at += pageSize {
		f.Add([]byte{byte(at >> 8), 3, 200, byte(at >> 8), 8, 0}, uint16(len(image)))
	}
	f.Fuzz(func(t *testing.T, changes []byte, size uint16) {
		raw := slices.Clone(image)
		for change := range slices.Chunk(changes[:min(len(changes), 48)], 3) {
			if len(change) == 3 {
				raw[(int(change[0])<<8|int(change[1]))%len(raw)] = change[2]
			}
		}
		raw = raw[:min(int(size), len(raw))]
		path := filepath.Join(t.TempDir(), "portraits.db")
		require.NoError(t, os.WriteFile(path, raw, 0o600))
		s, err := openAt(t.Context(), Options{Path: path, Scope: "vendor"}, testNow)
		if err != nil {
			require.ErrorIs(t, err, ErrUnusable)
			left, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, raw, left, "what is not ours is left as it is")
			return
		}
		defer func() { require.NoError(t, s.Close()) }()
		for _, kolID := range []string{"kol", "another", "never"} {
			newest, err := s.Newest(t.Context(), kolID)
			require.NoError(t, err)
			requireSaved(t, kolID, newest)
			older, err := s.Older(t.Context(), kolID, "2026-03-10")
			require.NoError(t, err)
			requireSaved(t, kolID, older)
		}
		fresh := portraitNumber("kol", 50)
		require.NoError(t, s.Save(t.Context(), fresh))
		newest, err := s.Newest(t.Context(), "kol")
		require.NoError(t, err)
		require.Equal(t, &fresh, newest)
	})
}

// portraitNumber is a portrait that a file of FuzzFile has, or with a higher
// number would have.
func portraitNumber(kolID string, n int) store.Portrait {
	return store.Portrait{
		ID: kolID + "-" + string(rune('A'+n)), KOLID: kolID, AsOf: "2026-03-0" + string(rune('1'+n%8)),
		RetrievedAt: time.Date(2026, 11, 23, 5, n, 0, 0, time.UTC),
		Endpoint:    schema.EndpointPortrait, Environment: schema.EnvironmentGlobal, RequestID: "r-1",
		Data: []byte(`{"cities":[{"name":"` + kolID + `","percent":0.1}]}`),
	}
}

// requireSaved checks that p is none or one of those that imageOf has.
func requireSaved(t *testing.T, kolID string, p *store.Portrait) {
	t.Helper()
	if p == nil {
		return
	}
	require.NotEqual(t, "never", kolID)
	for n := range 3 {
		if saved := portraitNumber(kolID, n); saved.ID == p.ID {
			require.Equal(t, &saved, p)
			return
		}
	}
	require.Failf(t, "nobody saved it", "%+v", p)
}

// imageOf returns the bytes of a file with three portraits of two KOLs each, a
// lease, and three calls.
func imageOf(f *testing.F) []byte {
	f.Helper()
	path := filepath.Join(f.TempDir(), "portraits.db")
	s, err := openAt(f.Context(), Options{Path: path, Scope: "vendor"}, testNow)
	require.NoError(f, err)
	for n := range 3 {
		require.NoError(f, s.Save(f.Context(), portraitNumber("kol", n)))
		require.NoError(f, s.Save(f.Context(), portraitNumber("another", n)))
		counted, err := s.Charge(f.Context(), store.Charge{ID: string(rune('A' + n)), KOLID: "kol", Day: testDay}, 0)
		require.NoError(f, err)
		require.True(f, counted)
	}
	_, err = s.Acquire(f.Context(), store.Claim{KOLID: "kol", Holder: "A"}, time.Hour)
	require.NoError(f, err)
	require.NoError(f, s.Close())
	image, err := os.ReadFile(path)
	require.NoError(f, err)
	return image
}

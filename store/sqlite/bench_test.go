package sqlite

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

func openForBenchmark(b *testing.B) *Store {
	b.Helper()
	s, err := Open(b.Context(), Options{Path: filepath.Join(b.TempDir(), "portraits.db"), Scope: "vendor"})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	return s
}

// sized returns a portrait of the size that the vendor's have.
func sized(kolID string, i int) *schema.Portrait {
	return &schema.Portrait{
		ID: fmt.Sprintf("%s/%d", kolID, i), KOLID: kolID, AsOf: "2026-03-08", RetrievedAt: time.Now(),
		Endpoint: schema.EndpointPortrait, Environment: schema.EnvironmentGlobal, RequestID: "request",
		Data: json.RawMessage(`{"ages":"` + strings.Repeat("x", 6_000) + `"}`),
	}
}

// BenchmarkNewest reads one of 100 KOLs with 3 portraits each.
func BenchmarkNewest(b *testing.B) {
	s := openForBenchmark(b)
	for i := range 300 {
		require.NoError(b, s.Save(b.Context(), sized(fmt.Sprint("kol-", i%100), i), 0))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if p, err := s.Newest(b.Context(), fmt.Sprint("kol-", i%100)); err != nil || p == nil {
			b.Fatal(p, err)
		}
	}
}

func BenchmarkSave(b *testing.B) {
	s := openForBenchmark(b)
	for i := 0; b.Loop(); i++ {
		require.NoError(b, s.Save(b.Context(), sized("kol", i), 0))
	}
}

func BenchmarkAcquireHeld(b *testing.B) {
	s := openForBenchmark(b)
	_, err := s.Acquire(b.Context(), "kol", "A", time.Hour)
	require.NoError(b, err)
	for b.Loop() {
		_, err := s.Acquire(b.Context(), "kol", "B", time.Hour)
		require.NoError(b, err)
	}
}

func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "portraits.db")
	for b.Loop() {
		s, err := Open(b.Context(), Options{Path: path, Scope: "vendor"})
		require.NoError(b, err)
		require.NoError(b, s.Close())
	}
}

package sqlite

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// realistic returns a portrait with the data that the vendor documents.
func realistic(b *testing.B) store.Portrait {
	b.Helper()
	raw, err := os.ReadFile("../../testdata/documented-response.json")
	require.NoError(b, err)
	var documented struct{ Data json.RawMessage }
	require.NoError(b, json.Unmarshal(raw, &documented))
	return store.Portrait{
		ID: "collection", KOLID: "5d21ab6b000000001201567d", AsOf: "2026-03-08", RetrievedAt: time.Now(),
		Endpoint: schema.EndpointPortrait, Environment: schema.EnvironmentGlobal, RequestID: "request", Data: documented.Data,
	}
}

func openForBenchmark(b *testing.B) *Store {
	b.Helper()
	s, err := Open(b.Context(), Options{Path: filepath.Join(b.TempDir(), "portraits.db"), Scope: "vendor"})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	return s
}

// BenchmarkNewest reads one of 100 KOLs with 3 portraits each.
func BenchmarkNewest(b *testing.B) {
	s, p := openForBenchmark(b), realistic(b)
	for kol := range 100 {
		for i := range 3 {
			p.ID, p.KOLID = fmt.Sprintf("%d/%d", kol, i), fmt.Sprintf("kol-%d", kol)
			require.NoError(b, s.Save(b.Context(), p))
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		got, err := s.Newest(b.Context(), fmt.Sprintf("kol-%d", i%100))
		if err != nil || got == nil {
			b.Fatal(got, err)
		}
	}
}

// BenchmarkOlder looks through as many portraits of a KOL as there are.
func BenchmarkOlder(b *testing.B) {
	for _, portraits := range []int{1, 365} {
		b.Run(strconv.Itoa(portraits), func(b *testing.B) {
			s, p := openForBenchmark(b), realistic(b)
			for i := range portraits {
				p.ID = strconv.Itoa(i)
				require.NoError(b, s.Save(b.Context(), p))
			}
			b.ReportAllocs()
			for b.Loop() {
				if got, err := s.Older(b.Context(), p.KOLID, "9999-12-31"); err != nil || got == nil {
					b.Fatal(got, err)
				}
			}
		})
	}
}

func BenchmarkSave(b *testing.B) {
	s, p := openForBenchmark(b), realistic(b)
	i := 0
	for b.Loop() {
		i++
		p.ID = strconv.Itoa(i)
		if err := s.Save(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAcquireChargeSaveRelease is what one collection costs.
func BenchmarkAcquireChargeSaveRelease(b *testing.B) {
	s, p := openForBenchmark(b), realistic(b)
	ctx, day := b.Context(), schema.DayOf(time.Now())
	i := 0
	for b.Loop() {
		i++
		p.ID = strconv.Itoa(i)
		claim := store.Claim{KOLID: p.KOLID, Holder: p.ID}
		if l, err := s.Acquire(ctx, claim, time.Minute); err != nil || l.Holder != p.ID {
			b.Fatal(l, err)
		}
		if counted, err := s.Charge(ctx, store.Charge{ID: p.ID, KOLID: p.KOLID, Day: day}, 0); err != nil || !counted {
			b.Fatal(err)
		}
		if err := s.Save(ctx, p); err != nil {
			b.Fatal(err)
		}
		if err := s.Release(ctx, claim, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenNew(b *testing.B) { benchmarkOpen(b, strconv.Itoa) }

func BenchmarkOpen(b *testing.B) { benchmarkOpen(b, func(int) string { return "portraits.db" }) }

func benchmarkOpen(b *testing.B, name func(i int) string) {
	b.Helper()
	folder := b.TempDir()
	i := 0
	for b.Loop() {
		i++
		s, err := Open(b.Context(), Options{Path: filepath.Join(folder, name(i)), Scope: "vendor"})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

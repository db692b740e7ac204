//go:build e2e

package redis_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/redis/redistest"
)

func BenchmarkNewest(b *testing.B) {
	s := open(b, redistest.Start(b).URL())
	p := portrait("one", time.UnixMilli(1))
	p.Data = data()
	require.NoError(b, s.Save(b.Context(), p))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Newest(b.Context(), kol); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOlder has as many portraits as a KOL that is collected once, once a
// week for a year, once a day for a year, and so for three.
func BenchmarkOlder(b *testing.B) {
	for _, portraits := range []int{1, 52, 365, 1095} {
		b.Run(strconv.Itoa(portraits), func(b *testing.B) {
			s := open(b, redistest.Start(b).URL())
			for i := range portraits {
				p := portrait(strconv.Itoa(i), time.UnixMilli(int64(i)))
				p.Data = data()
				require.NoError(b, s.Save(b.Context(), p))
			}
			for b.Loop() {
				if p, err := s.Older(b.Context(), kol, string(day)); err != nil || p == nil {
					b.Fatal(p, err)
				}
			}
		})
	}
}

// BenchmarkCollection is what one charged collection asks of the store. The
// server has every step on disk before it answers.
func BenchmarkCollection(b *testing.B) {
	s := open(b, redistest.Start(b).URL())
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id := strconv.Itoa(i)
		claim := store.Claim{KOLID: kol, Holder: id}
		p := portrait(id, time.UnixMilli(int64(i)))
		p.Data = data()
		_, err := s.Acquire(b.Context(), claim, time.Minute)
		require.NoError(b, err)
		_, err = s.Charge(b.Context(), store.Charge{ID: id, KOLID: kol, Day: day}, 0)
		require.NoError(b, err)
		require.NoError(b, s.Save(b.Context(), p))
		require.NoError(b, s.Release(b.Context(), claim, nil))
	}
}

func BenchmarkAcquireHeld(b *testing.B) {
	s := open(b, redistest.Start(b).URL())
	_, err := s.Acquire(b.Context(), store.Claim{KOLID: kol, Holder: "one"}, time.Hour)
	require.NoError(b, err)
	for b.Loop() {
		if _, err := s.Acquire(b.Context(), store.Claim{KOLID: kol, Holder: "two"}, time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}

// data is about as long as what the vendor sends.
func data() json.RawMessage {
	return json.RawMessage(`{"a":"` + strings.Repeat("x", 10_000) + `"}`)
}

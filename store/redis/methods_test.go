package redis_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/redis"
)

const (
	kol = "5d21ab6b000000001201567d"
	day = schema.Day("2026-11-23")
)

// open returns a store at url that is closed with the test.
func open(tb testing.TB, url string) *redis.Store {
	tb.Helper()
	s, err := redis.New(url, "test")
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// methods are all calls that ask the server.
func methods(s store.Store) map[string]func(context.Context) error {
	claim := store.Claim{KOLID: kol, Holder: "one"}
	charge := store.Charge{ID: "one", KOLID: kol, Day: day}
	return map[string]func(context.Context) error{
		"Newest":  func(ctx context.Context) error { _, err := s.Newest(ctx, kol); return err },
		"Older":   func(ctx context.Context) error { _, err := s.Older(ctx, kol, string(day)); return err },
		"Save":    func(ctx context.Context) error { return s.Save(ctx, portrait("one", time.UnixMilli(1))) },
		"KOLs":    func(ctx context.Context) error { _, err := s.KOLs(ctx, "5d", 10); return err },
		"Acquire": func(ctx context.Context) error { _, err := s.Acquire(ctx, claim, time.Minute); return err },
		"Lease":   func(ctx context.Context) error { _, err := s.Lease(ctx, kol); return err },
		"Release": func(ctx context.Context) error { return s.Release(ctx, claim, nil) },
		"Charge":  func(ctx context.Context) error { _, err := s.Charge(ctx, charge, 0); return err },
		"Refund":  func(ctx context.Context) error { return s.Refund(ctx, charge) },
		"AddHits": func(ctx context.Context) error { return s.AddHits(ctx, day, 1) },
		"Counts":  func(ctx context.Context) error { _, err := s.Counts(ctx, day); return err },
		"Ping":    func(ctx context.Context) error { return s.Ping(ctx) },
	}
}

func portrait(id string, at time.Time) store.Portrait {
	return store.Portrait{
		ID: id, KOLID: kol, AsOf: "2026-11-22", RetrievedAt: at.UTC(),
		Endpoint: schema.EndpointPortrait, Environment: schema.EnvironmentGlobal, RequestID: "r-" + id,
		Data: json.RawMessage(`{"kolId":"` + kol + `"}`),
	}
}

// Package memory keeps portraits, leases and charges for as long as the process
// lives.
package memory

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// Store is a store.Store in memory. Its methods do not wait, and fail only
// where their context is done.
type Store struct {
	mu      sync.Mutex
	history map[string][]*schema.Portrait    // by KOL, in the order of storing
	leases  map[string]lease                 // by KOL
	charges map[schema.Day]map[string]string // the callers, by the charge's ID
}

type lease struct {
	holder  string
	failure *schema.Error
	ends    time.Time
}

var _ store.Store = (*Store)(nil)

// New returns an empty Store.
func New() *Store {
	return &Store{
		history: map[string][]*schema.Portrait{},
		leases:  map[string]lease{},
		charges: map[schema.Day]map[string]string{},
	}
}

// Newest implements store.Store.
func (s *Store) Newest(ctx context.Context, kolID string) (newest *schema.Portrait, err error) {
	err = s.locked(ctx, func() {
		if history := s.history[kolID]; len(history) > 0 {
			newest = history[len(history)-1]
		}
	})
	return newest, err
}

// Older implements store.Store.
func (s *Store) Older(ctx context.Context, kolID, asOf string) (older *schema.Portrait, err error) {
	err = s.locked(ctx, func() {
		for _, p := range s.history[kolID] {
			if p.AsOf != "" && p.AsOf < asOf && (older == nil || p.AsOf >= older.AsOf) {
				older = p
			}
		}
	})
	return older, err
}

// Save implements store.Store, but that the portrait ends with the process.
func (s *Store) Save(ctx context.Context, p *schema.Portrait, keep time.Duration) error {
	kept := *p
	kept.RetrievedAt = p.RetrievedAt.UTC().Truncate(time.Millisecond)
	return s.locked(ctx, func() {
		history := s.history[p.KOLID]
		if slices.ContainsFunc(history, func(old *schema.Portrait) bool { return old.ID == p.ID }) {
			return
		}
		if keep > 0 {
			oldest := kept.RetrievedAt.Add(-keep)
			history = slices.DeleteFunc(history, func(old *schema.Portrait) bool { return old.RetrievedAt.Before(oldest) })
		}
		s.history[p.KOLID] = append(history, &kept)
	})
}

// KOLs implements store.Store.
func (s *Store) KOLs(ctx context.Context, prefix string, limit int) (ids []string, err error) {
	err = s.locked(ctx, func() { ids = slices.Sorted(maps.Keys(s.history)) })
	ids = slices.DeleteFunc(ids, func(id string) bool { return !strings.HasPrefix(id, prefix) })
	return ids[:min(len(ids), limit)], err
}

// Acquire implements store.Store.
func (s *Store) Acquire(ctx context.Context, kolID, holder string, lasts time.Duration) (inForce store.Lease, err error) {
	err = s.locked(ctx, func() {
		now := time.Now()
		l := s.leases[kolID]
		if !now.Before(l.ends) || l.holder == holder && l.failure == nil {
			l = lease{holder: holder, ends: now.Add(lasts)}
			s.leases[kolID] = l
		}
		inForce = store.Lease{Holder: l.holder, Left: l.ends.Sub(now)}
		if l.failure != nil {
			inForce.Failure = new(*l.failure) // the caller's own
		}
	})
	return inForce, err
}

// Release implements store.Store.
func (s *Store) Release(ctx context.Context, kolID, holder string) error {
	return s.locked(ctx, func() {
		if s.leases[kolID].holder == holder {
			delete(s.leases, kolID)
		}
	})
}

// Fail implements store.Store.
func (s *Store) Fail(ctx context.Context, kolID, holder string, failure *schema.Error, lasts time.Duration) error {
	return s.locked(ctx, func() {
		now := time.Now()
		if l := s.leases[kolID]; l.holder == holder && now.Before(l.ends) {
			s.leases[kolID] = lease{holder: holder, failure: new(*failure), ends: now.Add(lasts)}
		}
	})
}

// Charge implements store.Store.
func (s *Store) Charge(ctx context.Context, c store.Charge, limits store.Limits) (refusal store.Refusal, err error) {
	err = s.locked(ctx, func() {
		if _, counted := s.charges[c.Day][c.ID]; counted {
			return
		}
		charges := s.charged(c.Day)
		switch {
		case limits.Day > 0 && charges.All >= limits.Day:
			refusal = store.DayFull
			return
		case limits.Caller > 0 && charges.Callers[c.Caller] >= limits.Caller:
			refusal = store.CallerFull
			return
		}
		if s.charges[c.Day] == nil {
			s.charges[c.Day] = map[string]string{}
		}
		s.charges[c.Day][c.ID] = c.Caller
	})
	return refusal, err
}

// Refund implements store.Store.
func (s *Store) Refund(ctx context.Context, c store.Charge) error {
	return s.locked(ctx, func() { delete(s.charges[c.Day], c.ID) })
}

// Charged implements store.Store.
func (s *Store) Charged(ctx context.Context, day schema.Day) (charges store.Charges, err error) {
	err = s.locked(ctx, func() { charges = s.charged(day) })
	return charges, err
}

// charged counts the charges of a day.
func (s *Store) charged(day schema.Day) store.Charges {
	charges := store.Charges{All: len(s.charges[day]), Callers: map[string]int{}}
	for _, caller := range s.charges[day] {
		if caller != "" {
			charges.Callers[caller]++
		}
	}
	return charges
}

// Turn implements store.Store: no other process shares what is in memory.
func (s *Store) Turn(ctx context.Context, _ time.Duration) (time.Duration, error) {
	return 0, ctx.Err()
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error { return ctx.Err() }

// Kind implements store.Store.
func (s *Store) Kind() string { return "memory" }

// Close implements store.Store. What is kept stays for as long as the Store is
// referred to.
func (s *Store) Close() error { return nil }

// locked calls do while nobody else looks at the store, unless ctx is done.
func (s *Store) locked(ctx context.Context, do func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	return nil
}

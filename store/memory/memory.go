// Package memory keeps portraits, leases and charges for as long as the process
// lives.
package memory

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// Store is a store.Store in memory. Its methods do not wait and do not fail.
type Store struct {
	mu      sync.RWMutex
	saved   map[string]bool             // by id of the portrait
	history map[string][]store.Portrait // by KOL, in the order of retrieval
	leases  map[string]lease            // by KOL; latest alone
	charges map[schema.Day]map[string]bool
	hits    map[schema.Day]int
}

type lease struct {
	store.Lease
	expires time.Time // where it is not released
}

var _ store.Store = (*Store)(nil)

// New returns an empty Store.
func New() *Store {
	return &Store{
		saved:   map[string]bool{},
		history: map[string][]store.Portrait{},
		leases:  map[string]lease{},
		charges: map[schema.Day]map[string]bool{},
		hits:    map[schema.Day]int{},
	}
}

// Newest implements store.Store.
func (s *Store) Newest(_ context.Context, kolID string) (*store.Portrait, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	history := s.history[kolID]
	if len(history) == 0 {
		return nil, nil
	}
	return new(history[len(history)-1]), nil
}

// Older implements store.Store.
func (s *Store) Older(_ context.Context, kolID, asOf string) (*store.Portrait, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var older store.Portrait
	for _, p := range s.history[kolID] {
		if p.AsOf != "" && p.AsOf < asOf && p.AsOf >= older.AsOf {
			older = p
		}
	}
	if older.AsOf == "" {
		return nil, nil
	}
	return &older, nil
}

// Save implements store.Store, but that the portrait ends with the process.
func (s *Store) Save(_ context.Context, p store.Portrait) error {
	p.RetrievedAt = time.UnixMilli(p.RetrievedAt.UnixMilli()).UTC()
	p.Data = bytes.Clone(p.Data)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saved[p.ID] {
		return nil
	}
	s.saved[p.ID] = true
	history := s.history[p.KOLID]
	at := len(history)
	for at > 0 && history[at-1].RetrievedAt.After(p.RetrievedAt) {
		at--
	}
	s.history[p.KOLID] = slices.Insert(history, at, p)
	return nil
}

// KOLs implements store.Store.
func (s *Store) KOLs(_ context.Context, prefix string, limit int) ([]string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var ids []string
	for id := range s.history {
		if strings.HasPrefix(id, prefix) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[:min(len(ids), max(limit, 0))], nil
}

// Acquire implements store.Store.
func (s *Store) Acquire(_ context.Context, c store.Claim, lasts time.Duration) (store.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if l := s.leases[c.KOLID]; l.inForce(now) && l.Holder != c.Holder {
		return l.Lease, nil
	}
	granted := store.Lease{Holder: c.Holder, Fresh: c.Fresh}
	s.leases[c.KOLID] = lease{Lease: granted, expires: now.Add(lasts)}
	return granted, nil
}

// Lease implements store.Store. A released lease is told until the next one.
func (s *Store) Lease(_ context.Context, kolID string) (store.Lease, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	l := s.leases[kolID]
	if !l.Released && !l.inForce(time.Now()) {
		return store.Lease{}, nil
	}
	return l.told(), nil
}

// Release implements store.Store.
func (s *Store) Release(_ context.Context, c store.Claim, failure *schema.Error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.leases[c.KOLID]
	if l.Holder != c.Holder || !l.inForce(time.Now()) {
		return nil
	}
	l.Released, l.Failure = true, failure
	l.Lease = l.told()
	s.leases[c.KOLID] = l
	return nil
}

func (l lease) inForce(now time.Time) bool {
	return l.Holder != "" && !l.Released && now.Before(l.expires)
}

// told is the lease with a failure of its own, so that nobody shares one.
func (l lease) told() store.Lease {
	if l.Failure != nil {
		l.Failure = new(*l.Failure)
	}
	return l.Lease
}

// Charge implements store.Store.
func (s *Store) Charge(_ context.Context, c store.Charge, limit int) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	counted := s.charges[c.Day]
	if counted[c.ID] {
		return true, nil
	}
	if limit > 0 && len(counted) >= limit {
		return false, nil
	}
	if counted == nil {
		counted = map[string]bool{}
		s.charges[c.Day] = counted
	}
	counted[c.ID] = true
	return true, nil
}

// Refund implements store.Store.
func (s *Store) Refund(_ context.Context, c store.Charge) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.charges[c.Day], c.ID)
	return nil
}

// AddHits implements store.Store.
func (s *Store) AddHits(_ context.Context, day schema.Day, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hits[day] += n
	return nil
}

// Counts implements store.Store.
func (s *Store) Counts(_ context.Context, day schema.Day) (store.Counts, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return store.Counts{Charged: len(s.charges[day]), Hits: s.hits[day]}, nil
}

// Ping implements store.Store.
func (s *Store) Ping(context.Context) error { return nil }

// Kind implements store.Store.
func (s *Store) Kind() string { return "memory" }

// Close implements store.Store. The portraits stay for as long as the Store is
// referred to.
func (s *Store) Close() error { return nil }

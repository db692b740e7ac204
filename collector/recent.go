package collector

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/upstream"
)

const (
	// mostRecent is how many portraits of each kind, newest and older, a process
	// holds decoded, of some 20 KB each.
	mostRecent = 256
	// recheck is how long a decoded portrait stands for the store's newest.
	// So long may another process's newer one go unnoticed.
	recheck = time.Second
)

// recent holds the stored portraits that were asked for last, decoded: reading
// one again costs a fraction of what the call around it does.
type recent struct {
	portraits *lru.Cache[string, *kept] // by KOL
	earlier   *lru.Cache[day, earlier]
	saves     atomic.Int64 // how often this process has saved a portrait, or tried to
}

func newRecent() *recent {
	return &recent{portraits: newCache[string, *kept](), earlier: newCache[day, earlier]()}
}

func newCache[K comparable, V any]() *lru.Cache[K, V] {
	cache, err := lru.New[K, V](mostRecent)
	if err != nil {
		panic(err) // cannot be: the size is above zero
	}
	return cache
}

// kept is a stored portrait, decoded. It does not change but for checked.
type kept struct {
	id        string
	collected schema.Collected
	checked   atomic.Int64 // when it was last known to be the store's newest, in Unix nanoseconds
}

// answer is the portrait as the answer to one call.
func (k *kept) answer() *schema.Collected {
	collected := k.collected
	return &collected
}

// newest returns the KOL's newest stored portrait, or nil where there is none
// that can be read. It may be a moment behind other processes.
func (c *Collector) newest(ctx context.Context, kolID string) (*kept, error) {
	k, ok := c.recent.portraits.Get(kolID)
	if ok && c.Now().UnixNano()-k.checked.Load() < int64(recheck) {
		return k, nil
	}
	return c.reread(ctx, kolID)
}

// reread is newest as the store has it now.
func (c *Collector) reread(ctx context.Context, kolID string) (*kept, error) {
	s, err := c.storage(ctx)
	if err != nil {
		return nil, err
	}
	now := c.Now()
	p, err := s.Newest(ctx, kolID)
	if err != nil {
		return nil, c.unavailable(ctx, "read the stored portrait", err)
	}
	if p == nil {
		return nil, nil
	}
	if k, ok := c.recent.portraits.Get(kolID); ok && k.id == p.ID {
		k.checked.Store(now.UnixNano())
		return k, nil
	}
	distributions, ok := c.decode(ctx, p)
	if !ok {
		return nil, nil
	}
	return c.remember(p, distributions), nil
}

// decode reads a stored portrait, and logs where it cannot.
func (c *Collector) decode(ctx context.Context, p *store.Portrait) (schema.Distributions, bool) {
	distributions, err := read(p)
	if err != nil {
		c.Logger.WarnContext(ctx, "a stored portrait cannot be read, so it counts as none", "kolId", p.KOLID, "error", err)
	}
	return distributions, err == nil
}

// read decodes a stored portrait. Others may be able to write to the store, so
// it is looked at as closely as what comes from the upstream: a model gets to
// see all of it.
func read(p *store.Portrait) (schema.Distributions, error) {
	switch {
	case p.AsOf != "" && !isDate(p.AsOf):
		return schema.Distributions{}, errors.New("its asOf is no date")
	case p.Endpoint != schema.EndpointPortrait && p.Endpoint != schema.EndpointProfile:
		return schema.Distributions{}, errors.New("its endpoint is not known")
	case p.Environment != schema.EnvironmentGlobal && p.Environment != schema.EnvironmentCN && p.Environment != schema.EnvironmentSample:
		return schema.Distributions{}, errors.New("its environment is not known")
	case p.RetrievedAt.Year() < 1970 || p.RetrievedAt.Year() > 9999: // JSON has no form for what is beyond
		return schema.Distributions{}, errors.New("its time is no time")
	case len(p.RequestID) > mostRequestID || strings.ContainsFunc(p.RequestID, func(r rune) bool { return r <= ' ' || r > '~' }):
		return schema.Distributions{}, errors.New("its request id is none")
	case len(p.Data) > mostData:
		return schema.Distributions{}, errors.New("it is too large")
	}
	return upstream.Distributions(p.Data)
}

// What the upstream package lets through at most, in bytes.
const (
	mostRequestID = 128
	mostData      = 4 << 20
)

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// remember holds a stored portrait ready.
func (c *Collector) remember(p *store.Portrait, distributions schema.Distributions) *kept {
	k := &kept{id: p.ID, collected: collected(p, distributions)}
	k.checked.Store(c.Now().UnixNano())
	c.recent.portraits.Add(p.KOLID, k)
	return k
}

// collected is a stored portrait as it is answered.
func collected(p *store.Portrait, distributions schema.Distributions) schema.Collected {
	return schema.Collected{
		KOLID:         p.KOLID,
		AsOf:          p.AsOf,
		Data:          p.Data,
		Distributions: distributions,
		Source: schema.Source{
			Endpoint:    p.Endpoint,
			Deprecated:  p.Endpoint.Deprecated(),
			Environment: p.Environment,
			RetrievedAt: p.RetrievedAt,
			FromStore:   true,
			Sample:      p.Sample,
			RequestID:   p.RequestID,
		},
	}
}

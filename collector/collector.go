package collector

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/upstream"
)

// Upstream sells portraits. An error is a *schema.Error.
type Upstream interface {
	// Portrait collects one, from the upstream's own cache unless it is to be
	// fresh, and asks admit before each request that may be charged.
	Portrait(ctx context.Context, kolID string, fresh bool, admit upstream.Admit) (*schema.Collected, error)
}

// Options are what a Collector is made of.
type Options struct {
	Upstream     Upstream
	Store        store.Opener       // asked when a store is first needed
	Environment  schema.Environment // of the upstream; in sample, charges are simulated
	CacheTTL     time.Duration      // how old a stored portrait may be and still be the answer; 0: every call collects
	AnswerWithin time.Duration      // how long a call waits before it is told still_collecting
	Deadline     time.Duration      // how long one collection may take, with all its attempts and waits
	DailyBudget  int                // most charged calls a day of the vendor; 0: no limit
	Now          func() time.Time
	Logger       *slog.Logger
}

// Collector brings portraits. It is safe for concurrent use.
type Collector struct {
	Options
	recent *recent
	hits   atomic.Int64 // not in the store yet

	opening singleflight.Group
	opened  atomic.Pointer[store.Store] // nil until it was first needed

	counting sync.Mutex // one request is counted at a time

	mu      sync.Mutex
	latest  map[string]*flight   // by KOL, the one under way that was started last
	debts   map[call][]*owed     // what callers are yet to get, by what they called for, the latest last
	swept   time.Time            // when debts were last looked through
	flights map[*flight]struct{} // all that are under way or have an answer to save
	open    int                  // requests that are counted and not settled
	settled chan struct{}        // closed when one is
	spent   spending             // what this process knows of the day by itself
	unsaved int                  // flights whose answer the store has not taken yet
	lost    int                  // answers that were paid for and could not be stored
	hitsAt  time.Time            // when hits were last brought to the store
	closed  bool
	running sync.WaitGroup // flights, and what else goes on behind the callers
	giveUp  chan struct{}  // closed when answers that cannot be saved are given up
}

// New returns a Collector. It opens nothing and asks nothing.
func New(o Options) *Collector {
	return &Collector{
		Options: o,
		recent:  newRecent(),
		latest:  make(map[string]*flight),
		debts:   make(map[call][]*owed),
		flights: make(map[*flight]struct{}),
		hitsAt:  o.Now(),
		settled: make(chan struct{}),
		giveUp:  make(chan struct{}),
	}
}

// Portrait returns the portrait of a KOL: the stored one where it is younger
// than the TTL and need not be fresh, else what such a call is owed, else the
// answer of the one collection that is, or gets, under way. Of those who share a
// collection only the call that started it is told that it was charged, so that
// charges add up.
//
// The error is, or wraps, a *schema.Error. A call that has waited for AnswerWithin, or
// whose ctx ends, is told still_collecting: the collection goes on, and the
// next call has its answer without another charge, a fresh one too. Owe does
// the same for an answer that came in time, but may not reach the client.
func (c *Collector) Portrait(ctx context.Context, kolID string, fresh bool) (*schema.Collected, error) {
	if !fresh {
		answer, err := c.atHand(ctx, kolID)
		if err != nil {
			return nil, err
		}
		if answer != nil {
			if c.settle(call{kolID, fresh}) {
				answer.Source.FromStore, answer.Source.Charged = false, true
				return answer, nil
			}
			c.countHit(ctx)
			return answer, nil
		}
	}
	f, started, err := c.join(ctx, kolID, fresh)
	if err != nil {
		return nil, err
	}
	return f.wait(ctx, started)
}

// Stored returns the newest stored portrait of a KOL, however old it is, or
// nil where there is none. The error is a *schema.Error.
func (c *Collector) Stored(ctx context.Context, kolID string) (*schema.Collected, error) {
	kept, err := c.newest(ctx, kolID)
	if err != nil || kept == nil {
		return nil, err
	}
	return kept.answer(), nil
}

// KOLs returns the ids that begin with prefix and have a stored portrait, in
// alphabetical order, at most limit. The error is a *schema.Error.
func (c *Collector) KOLs(ctx context.Context, prefix string, limit int) ([]string, error) {
	s, err := c.storage(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := s.KOLs(ctx, prefix, limit)
	if err != nil {
		return nil, c.unavailable(ctx, "list the stored portraits", err)
	}
	return ids, nil
}

// Ready reports why no portrait can be kept; nil where the store answers. What
// exactly is wrong is for the log.
func (c *Collector) Ready(ctx context.Context) error {
	s, err := c.storage(ctx)
	if err == nil {
		if err = s.Ping(ctx); err != nil {
			err = c.unavailable(ctx, "reach the store", err)
		}
	}
	if err != nil {
		return errors.New("the portrait store does not answer")
	}
	return nil
}

// atHand returns a portrait that is young enough to be the answer to a call that
// need not be fresh: one that the store has, or does not have yet. It is nil
// where there is none.
func (c *Collector) atHand(ctx context.Context, kolID string) (*schema.Collected, error) {
	if answer := c.unsavedOf(kolID); answer != nil {
		return answer, nil
	}
	kept, err := c.newest(ctx, kolID)
	if err != nil || kept == nil || !c.young(&kept.collected) {
		return nil, err
	}
	return kept.answer(), nil
}

// join returns the flight for a call: one that has landed and is owed to it, or
// the one under way, where its answer will do, or a new one, which the call then
// has started. started is also true where the call takes over the charge from who
// did.
func (c *Collector) join(ctx context.Context, kolID string, fresh bool) (f *flight, started bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f = c.owedTo(call{kolID, fresh}); f != nil {
		return f, f.takesOver(), nil
	}
	if f = c.latest[kolID]; f != nil && (f.fresh || !fresh) {
		f.left = max(f.left-1, 0) // this may well be who left before
		return f, f.takesOver(), nil
	}
	if c.closed {
		return nil, false, closing()
	}
	f = c.newFlight(ctx, kolID, fresh)
	c.latest[kolID] = f
	c.flights[f] = struct{}{}
	c.running.Go(f.run)
	return f, true, nil
}

// storage returns the store, and opens it where that has not been done. All who
// come meanwhile wait for the same attempt, none longer than a caller would.
func (c *Collector) storage(ctx context.Context) (store.Store, error) {
	if s := c.opened.Load(); s != nil {
		return *s, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.AnswerWithin)
	defer cancel()
	attempt := c.opening.DoChan("", func() (any, error) {
		if c.opened.Load() != nil { // since this caller looked
			return nil, nil
		}
		s, err := c.Store(context.WithoutCancel(ctx))
		if err != nil {
			return nil, c.unavailable(context.WithoutCancel(ctx), "open the store", err)
		}
		c.opened.Store(&s)
		return s, nil
	})
	select {
	case result := <-attempt:
		if result.Err != nil {
			return nil, result.Err
		}
		return *c.opened.Load(), nil
	case <-ctx.Done():
		return nil, c.unavailable(ctx, "open the store in time", ctx.Err())
	}
}

// young reports whether a portrait may be the answer although it is not
// collected anew. One from the future, which a clock that was set back leaves
// behind, is as good as new.
func (c *Collector) young(p *schema.Collected) bool { return c.youngAt(c.Now(), p) }

// youngAt reports whether a portrait is, or will be, young at a time.
func (c *Collector) youngAt(at time.Time, p *schema.Collected) bool {
	return c.CacheTTL > 0 && at.Sub(p.Source.RetrievedAt) < c.CacheTTL
}

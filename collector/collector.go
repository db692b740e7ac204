// Package collector brings the portrait of a KOL and never pays twice for it.
//
// A call is answered from the store where a portrait there is young enough.
// Else it joins the flight that collects this KOL, or starts it. A flight takes
// the KOL's lease, looks again, counts the charge, asks the upstream, saves the
// answer, and releases the lease.
//
// A flight belongs to no caller: the one that starts it gives it no more than its
// name, for the budget and the log. It runs on its own deadline, so an answer that
// was paid for lands in the store even where every caller has given up on it.
// Processes that share a store agree through it: a lease on the KOL lets one of
// them collect while the others wait, every call that may be charged waits there
// for its turn, and is counted there before it is sent.
package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/telemetry"
	"kol-portrait-mcp/upstream"
)

const (
	// freshFor is how long what was collected fresh answers calls for fresh data,
	// since the vendor's data carries a day, not a minute. Any other portrait is
	// served at least as long, so that a caller that comes back finds its answer.
	freshFor = 10 * time.Minute
	// clockSkew is how far in the future another machine's clock may have set a
	// portrait that still counts as young.
	clockSkew = 10 * time.Minute
)

// Upstream sells portraits. Its error is a *schema.Error, or the error of admit.
type Upstream interface {
	// Portrait collects one, past the vendor's own cache where it is to be fresh,
	// and asks admit right before each request that may be charged.
	Portrait(ctx context.Context, kolID string, fresh bool, admit upstream.Admit) (*schema.Portrait, error)
}

// Options are what a Collector is made of.
type Options struct {
	Upstream     Upstream
	Store        store.Opener       // asked when the store is first needed
	Environment  schema.Environment // of the upstream
	CacheTTL     time.Duration      // how old a stored portrait may be and still be the answer; at least ten minutes
	AnswerWithin time.Duration      // how long a call waits before it is told still_collecting
	Deadline     time.Duration      // how long one collection may take, with all its attempts and waits
	LeaseLasts   time.Duration      // how long a lease lasts that covers one attempt: its timeout and a margin
	DailyBudget  int                // most charged calls a day of the vendor; 0: no limit
	CallerBudget int                // most charged calls a day of one caller that has a name; 0: no limit
	Keep         time.Duration      // how long a portrait is kept beside a KOL's newest; 0: for good
	MaxRPS       float64            // requests a second to the vendor, of all processes that share the store; 0: no limit
	Metrics      *telemetry.Metrics // nil: none
	MaxCharged   int                // most charged calls of this Collector; negative: no limit; 0: none at all
	Now          func() time.Time
	Logger       *slog.Logger
}

// Collector brings portraits. It is safe for concurrent use.
type Collector struct {
	Options
	opening chan struct{}                         // holds one that looks at opened
	opened  store.Store                           // nil until it was first needed
	decoded *lru.Cache[string, upstream.Reading]  // by the portrait's ID: a portrait never changes
	older   *lru.Cache[string, *schema.Collected] // by the ID of the portrait that was stored after it, nil where there is none
	givenUp context.Context                       // done once Close waits no longer
	giveUp  context.CancelFunc                    // ends givenUp
	running sync.WaitGroup                        // the flights
	lost    atomic.Int64                          // answers that were paid for and could not be stored

	mu           sync.Mutex
	flights      flights
	spent        int        // requests of this Collector that were, or may have been, charged
	lastDay      schema.Day // the last day on which it has sent one
	spentThatDay int        // how many of them on that day
	closed       bool       // no new request may be sent
}

// New returns a Collector. It opens nothing and asks nothing.
func New(o Options) *Collector {
	const most = 512 // of some 20 KB each; a size above zero is no error
	decoded, _ := lru.New[string, upstream.Reading](most)
	older, _ := lru.New[string, *schema.Collected](most)
	o.CacheTTL = max(o.CacheTTL, freshFor)
	givenUp, giveUp := context.WithCancel(context.Background())
	return &Collector{Options: o, opening: make(chan struct{}, 1), decoded: decoded, older: older, flights: make(flights), givenUp: givenUp, giveUp: giveUp}
}

// Portrait returns the portrait of a KOL: the stored one where it is young
// enough, else the answer of the one collection that is, or gets, under way.
// With fresh, a stored one is young enough for ten minutes, and only if it was
// collected fresh. Of the callers that share a collection only the one that
// started it is told that it was charged, so that charges add up.
//
// The error is a *schema.Error. A call that has waited for AnswerWithin, or
// whose ctx ends, is told still_collecting: the collection goes on, and its
// answer is in the store for the next call.
//
// A collection is on the budget of the caller that started it. A caller that
// shares one which that budget has refused starts another on its own.
func (c *Collector) Portrait(ctx context.Context, kolID string, fresh bool) (*schema.Collected, error) {
	ctx, stop := context.WithTimeout(ctx, c.AnswerWithin)
	defer stop()
	for {
		collected, again, err := c.portrait(ctx, kolID, fresh)
		if again {
			continue
		}
		failure, failed := errors.AsType[*schema.Error](err)
		switch {
		case !failed:
			c.Metrics.Portrait(collected.FromStore)
		case failure.Kind == schema.StillCollecting:
			c.Metrics.StillCollecting()
		}
		return collected, err
	}
}

// portrait is Portrait, once: again tells to try again.
func (c *Collector) portrait(ctx context.Context, kolID string, fresh bool) (collected *schema.Collected, again bool, err error) {
	c.mu.Lock()
	f, started := c.flights.find(kolID, fresh), false
	c.mu.Unlock()
	if f == nil {
		stored, err := c.youngPortrait(ctx, kolID, fresh)
		if stored != nil || err != nil {
			return stored, false, err
		}
		if f, started, err = c.join(ctx, kolID, fresh); err != nil {
			return nil, false, err
		}
	}
	collected, err = f.wait(ctx, started)
	return collected, !started && f.refusedTo(schema.CallerOf(ctx), err), err
}

// Held reports whether Portrait would answer from the store, at no charge, with a
// portrait or with the vendor's answer that it has none. It asks nothing of the
// vendor. The error is a *schema.Error.
func (c *Collector) Held(ctx context.Context, kolID string, fresh bool) (bool, error) {
	stored, err := c.young(ctx, kolID, fresh)
	return stored != nil, err
}

// Stored returns the newest stored portrait of a KOL, however old it is and
// whatever can be read of it, or nil where there is none. The error is a
// *schema.Error.
func (c *Collector) Stored(ctx context.Context, kolID string) (*schema.Collected, error) {
	return query(ctx, c, "read the stored portrait", func(s store.Store) (*schema.Collected, error) {
		p, err := s.Newest(ctx, kolID)
		return c.fromStore(s, p), err
	})
}

// Older returns what a portrait is measured against: of the KOL's stored
// portraits of an earlier day the one of the latest. It returns nil where there is
// none that can be read, or the portrait has no day. The error is a *schema.Error.
//
// What it finds for a portrait stays so: a portrait that is stored later is the
// KOL's newest from then on.
func (c *Collector) Older(ctx context.Context, newest *schema.Collected) (*schema.Collected, error) {
	if older, known := c.older.Get(newest.ID); known {
		return older, nil
	}
	older, err := query(ctx, c, "read an older portrait", func(s store.Store) (*schema.Collected, error) {
		p, err := s.Older(ctx, newest.KOLID, newest.AsOf)
		return c.fromStore(s, p), err
	})
	if err != nil {
		return nil, err
	}
	if older != nil && older.Distributions.IsEmpty() {
		older = nil
	}
	c.older.Add(newest.ID, older)
	return older, nil
}

// KOLs returns the ids that begin with prefix and have a stored portrait, in
// alphabetical order, at most limit. The error is a *schema.Error.
func (c *Collector) KOLs(ctx context.Context, prefix string, limit int) ([]string, error) {
	return query(ctx, c, "list the stored portraits", func(s store.Store) ([]string, error) {
		return s.KOLs(ctx, prefix, limit)
	})
}

// Usage returns the figures of the vendor's day, of all processes that share
// the store, and those of the caller, or of all where the caller has no name. The
// error is a *schema.Error.
func (c *Collector) Usage(ctx context.Context) (schema.Usage, error) {
	return query(ctx, c, "read the day's figures", func(s store.Store) (schema.Usage, error) {
		now := c.Now()
		charges, err := s.Charged(ctx, schema.DayOf(now))
		usage := schema.Usage{
			Day:      schema.DayOf(now),
			Charged:  charges.All,
			Budget:   c.DailyBudget,
			ResetsAt: schema.NextDay(now),
			Store:    s.Kind(),
			Sample:   c.Environment == schema.EnvironmentSample,
		}
		if c.DailyBudget > 0 {
			usage.Remaining = new(max(c.DailyBudget-charges.All, 0))
		}
		names := slices.Sorted(maps.Keys(charges.Callers))
		if caller := schema.CallerOf(ctx); caller != "" {
			names = []string{caller}
		}
		for _, name := range names {
			used := schema.CallerUsage{Name: name, Charged: charges.Callers[name], Budget: c.CallerBudget}
			if c.CallerBudget > 0 {
				used.Remaining = new(max(c.CallerBudget-used.Charged, 0))
			}
			usage.Callers = append(usage.Callers, used)
		}
		return usage, err
	})
}

// Flights returns how many collections are under way.
func (c *Collector) Flights() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.flights)
}

// Ready reports why no portrait can be kept; nil where the store answers.
func (c *Collector) Ready(ctx context.Context) error {
	_, err := query(ctx, c, "reach the store", func(s store.Store) (bool, error) { return true, s.Ping(ctx) })
	return err
}

// Shut lets no further collection begin, and ends those for which no request
// that may be charged is under way: their callers are told to call again. It
// returns how many go on because they are, or may be, paid for. Stored
// portraits are still served.
func (c *Collector) Shut() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	goOn := 0
	for _, f := range c.flights {
		if f.paying {
			goOn++
		} else {
			f.cancel()
		}
	}
	return goOn
}

// Close does what Shut does, waits for the collections that are paid for until
// their answers are stored, and closes the store. When ctx ends before that, it
// gives them up. The error says how many answers that were paid for are lost.
func (c *Collector) Close(ctx context.Context) error {
	c.Shut()
	defer c.giveUp()
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		c.running.Wait()
	}()
	select {
	case <-idle:
	case <-ctx.Done():
		c.Logger.WarnContext(ctx, "collections under way are given up: they outlast the shutdown")
		c.giveUp()
		<-idle
	}
	var err error
	if lost := c.lost.Load(); lost > 0 { // nothing runs any more
		err = fmt.Errorf("answers that were paid for could not be stored: %d", lost)
	}
	c.opening <- struct{}{} // no flight opens it any more
	defer func() { <-c.opening }()
	if c.opened != nil {
		err = errors.Join(err, c.opened.Close())
	}
	return err
}

// store returns the store, and opens it where that has not been done. Callers
// that come meanwhile wait for their turn, as long as their ctx allows.
func (c *Collector) store(ctx context.Context) (store.Store, error) {
	select {
	case c.opening <- struct{}{}:
		defer func() { <-c.opening }()
	case <-ctx.Done():
		return nil, c.unavailable(ctx, "open the store in time", ctx.Err())
	}
	if c.opened != nil {
		return c.opened, nil
	}
	s, err := c.Store(ctx)
	if err != nil {
		return nil, c.unavailable(ctx, "open the store", err)
	}
	c.opened = s
	return s, nil
}

// query asks the store. doing completes "could not ..." in the error.
func query[T any](ctx context.Context, c *Collector, doing string, ask func(store.Store) (T, error)) (none T, err error) {
	s, err := c.store(ctx)
	if err != nil {
		return none, err
	}
	answer, err := ask(s)
	if err != nil {
		return none, c.unavailable(ctx, doing, err)
	}
	return answer, nil
}

// youngPortrait returns what young does. Where that holds no portrait, the error
// says so.
func (c *Collector) youngPortrait(ctx context.Context, kolID string, fresh bool) (*schema.Collected, error) {
	stored, err := c.young(ctx, kolID, fresh)
	if err != nil || stored == nil {
		return nil, err
	}
	if err := c.noPortraitIn(stored, false); err != nil {
		return nil, err
	}
	return stored, nil
}

// young returns the vendor's newest stored answer on a KOL where it is young
// enough to be the answer to a call, else nil. One from the future, which a clock
// that was wrong leaves behind, is not: it would stay young for too long.
func (c *Collector) young(ctx context.Context, kolID string, fresh bool) (*schema.Collected, error) {
	stored, err := c.Stored(ctx, kolID)
	if err != nil || stored == nil {
		return nil, err
	}
	age, most := c.Now().Sub(stored.RetrievedAt), c.CacheTTL
	if fresh {
		most = freshFor
	}
	if age < -clockSkew || age >= most || fresh && !stored.Fresh {
		return nil, nil
	}
	return stored, nil
}

// fromStore makes an answer of a stored portrait, nil of nil.
func (c *Collector) fromStore(s store.Store, p *schema.Portrait) *schema.Collected {
	if p == nil {
		return nil
	}
	return &schema.Collected{Portrait: *p, Distributions: c.read(p).Distributions, FromStore: true, OnlyHere: s.Kind() == "memory"}
}

// read reads the data of a portrait, once for each.
func (c *Collector) read(p *schema.Portrait) upstream.Reading {
	if reading, ok := c.decoded.Get(p.ID); ok {
		return reading
	}
	reading := upstream.Read(p.Data)
	c.decoded.Add(p.ID, reading)
	return reading
}

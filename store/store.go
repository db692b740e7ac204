// Package store says what is kept: every portrait that was paid for, byte for
// byte and as a history; which KOL is being collected by whom; and how many
// calls the vendor's day has cost. The packages below it keep that in a SQLite
// file, in Redis, or in memory.
//
// A store may be shared by several processes at once, and is where they agree
// not to pay twice. It never holds the vendor's token.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"kol-portrait-mcp/schema"
)

// Store keeps portraits, leases and charges. It is safe for concurrent use,
// also by several processes where it is shared.
//
// An error means that the store could not be reached or could not do what was
// asked; the call may then have had its effect or not. Every method may be
// called again with the same arguments without a second effect, but for
// AddHits.
type Store interface {
	// Newest returns the portrait of a KOL that was retrieved last, or nil where
	// there is none. What it points to must not be changed.
	Newest(ctx context.Context, kolID string) (*Portrait, error)
	// Older returns, of the KOL's portraits whose AsOf is not empty and before
	// asOf (YYYY-MM-DD), the one with the latest AsOf, and of several with that the
	// one retrieved last; or nil where there is none. What it points to must not be
	// changed.
	Older(ctx context.Context, kolID, asOf string) (*Portrait, error)
	// Save keeps a portrait beside those that are there. One with an ID that is
	// there already is left as it is. When Save has returned without an error,
	// the portrait outlives the process (but for the memory store).
	Save(ctx context.Context, p Portrait) error
	// KOLs returns the ids that begin with prefix and have a portrait, in
	// alphabetical order, at most limit.
	KOLs(ctx context.Context, prefix string, limit int) ([]string, error)

	// Acquire takes the lease on a KOL for the time that it lasts, unless another
	// holder has one that has neither ended nor expired, and returns the lease
	// that then is in force: where its Holder is the claim's, the claim is granted.
	// Who holds a lease and acquires it again prolongs it.
	Acquire(ctx context.Context, c Claim, lasts time.Duration) (Lease, error)
	// Lease returns the latest lease on a KOL. It is the zero Lease where there is
	// none, or where the latest expired before it was released. A released one
	// is told for at least a minute.
	Lease(ctx context.Context, kolID string) (Lease, error)
	// Release ends the claim's lease; failure is why it brought no portrait, nil
	// where it did. It does nothing where the claim's holder has no lease.
	Release(ctx context.Context, c Claim, failure *schema.Error) error

	// Charge counts one call on its day, unless the day has limit calls already;
	// a limit of 0 is none. It returns whether the call is counted. Where the calls
	// of the day were lost, and there is a limit, the error is ErrUncounted.
	Charge(ctx context.Context, c Charge, limit int) (bool, error)
	// Refund takes back a call that turned out not to be charged.
	Refund(ctx context.Context, c Charge) error
	// AddHits adds to the number of answers from the store on a day.
	AddHits(ctx context.Context, day schema.Day, n int) error
	// Counts returns the figures of a day.
	Counts(ctx context.Context, day schema.Day) (Counts, error)

	// Ping reports whether the store can be reached.
	Ping(ctx context.Context) error
	// Kind is sqlite, redis or memory.
	Kind() string
	// Close lets go of the store. Nothing may be called after it.
	Close() error
}

// ErrUncounted says that a limit cannot be kept on a day, because how many
// calls it has had is not known: the file that they were counted in is damaged.
var ErrUncounted = errors.New("the day's charged calls were lost with a damaged store")

// Opener opens a store when it is first needed. It is called again after an
// error.
type Opener func(ctx context.Context) (Store, error)

// Portrait is a portrait as it is kept.
type Portrait struct {
	ID          string    // of the collection that brought it
	KOLID       string    // 1 to 64 of A-Z a-z 0-9 _ -
	AsOf        string    // the upstream's dateKey, YYYY-MM-DD; empty where it gave none
	RetrievedAt time.Time // UTC, to the millisecond
	Endpoint    schema.Endpoint
	Environment schema.Environment
	Sample      bool
	RequestID   string          // the vendor's; empty where it gave none
	Data        json.RawMessage // the upstream's data, byte for byte
}

// Claim asks for the right to collect the portrait of a KOL while nobody else
// does.
type Claim struct {
	KOLID  string
	Holder string // the collection that asks, unique among all there ever are
	Fresh  bool   // whether it collects afresh, which is what some others wait for
}

// Lease is a Claim that was granted. The zero Lease is nobody's.
type Lease struct {
	Holder   string
	Fresh    bool
	Released bool          // the collection has ended
	Failure  *schema.Error // why it brought no portrait; nil where it did, or is under way
}

// Charge is one call that the vendor may charge.
type Charge struct {
	ID    string // unique among all there ever are
	KOLID string
	Day   schema.Day
}

// Counts are the figures of a day.
type Counts struct {
	Charged int // calls that were counted and not refunded
	Hits    int // answers from the store
}

// Package store says what is kept: every portrait that was paid for, byte for
// byte and as a history; who collects which KOL; and how many charged calls the
// vendor's day has had. The packages below it keep that in a SQLite file, in
// Redis, or in memory; the tests of this package are what all of them are held to.
//
// A store may be shared by several processes at once, and is where they agree
// not to pay twice. It never holds the vendor's token.
package store

import (
	"context"
	"time"

	"kol-portrait-mcp/schema"
)

// Store keeps portraits, leases and charges. It is safe for concurrent use,
// also by several processes where it is shared.
//
// An error means that the store could not be reached or could not do what was
// asked; the call may then have had its effect or not. Every method but Close and Turn may
// be called again with the same arguments without a second effect; the time that
// a lease or a failure lasts then counts from the last call.
type Store interface {
	// Newest returns the portrait of a KOL that was stored last, whatever its
	// RetrievedAt; nil where there is none.
	Newest(ctx context.Context, kolID string) (*schema.Portrait, error)
	// Older returns the portrait of a KOL with the latest AsOf before asOf
	// (YYYY-MM-DD); of several of that day the one stored last; nil where there is
	// none. A portrait without AsOf is not looked at.
	Older(ctx context.Context, kolID, asOf string) (*schema.Portrait, error)
	// Save keeps a portrait beside those that are there. It does nothing where one
	// with its ID is there already. Once Save has returned without an error, the
	// portrait outlives the process, but for the memory store.
	//
	// It also lets go of the KOL's portraits that were stored before p and retrieved
	// more than keep before it; with a keep of 0 it lets go of none. The newest
	// portrait of a KOL always stays.
	Save(ctx context.Context, p *schema.Portrait, keep time.Duration) error
	// KOLs returns the ids that begin with prefix and have a portrait, in the
	// order of their bytes, at most limit.
	KOLs(ctx context.Context, prefix string, limit int) ([]string, error)

	// Acquire grants the lease on a KOL to holder, to last from now on, unless
	// another holder's is in force. It returns the lease that is then in force: it
	// was granted where Failure is nil and Holder is the caller. A holder that acquires its lease again
	// renews it. A lease with a failure is granted to nobody until it has run out,
	// not even to its holder.
	Acquire(ctx context.Context, kolID, holder string, lasts time.Duration) (Lease, error)
	// Release ends the holder's lease. It does nothing where the holder has none.
	Release(ctx context.Context, kolID, holder string) error
	// Fail puts a failure on the holder's lease, which then lasts from now on.
	// Every Acquire gets the failure until then. It does nothing where the holder
	// has no lease in force.
	Fail(ctx context.Context, kolID, holder string, failure *schema.Error, lasts time.Duration) error

	// Charge counts one call on its day and for its caller, unless one of the limits
	// is reached: then it counts nothing. A call that is counted already is not
	// refused, and counted once.
	Charge(ctx context.Context, c Charge, limits Limits) (Refusal, error)
	// Refund takes back a call that turned out not to be charged, from its day and
	// from its caller.
	Refund(ctx context.Context, c Charge) error
	// Charged returns how many calls are counted on a day.
	Charged(ctx context.Context, day schema.Day) (Charges, error)

	// Turn reserves the next request to the vendor among all processes that share
	// the store, and returns how long to wait for it. Two requests are at least
	// every apart; a pause lets nobody send more afterwards. Where ctx ends before
	// the turn would come, no turn is taken, and the wait is returned all the same: those
	// behind it would wait for nothing.
	//
	// A turn that is not used is lost: the requests behind it do not move up. Turn
	// may be called again, but takes another turn then. A store that only the
	// processes of one machine can share returns 0: there each process has its own limit.
	Turn(ctx context.Context, every time.Duration) (wait time.Duration, err error)

	// Ping reports whether the store can be reached.
	Ping(ctx context.Context) error
	// Kind is sqlite, redis or memory.
	Kind() string
	// Close lets go of the store. Nothing may be called after it.
	Close() error
}

// Opener opens a store when it is first needed. It is called again after an
// error.
type Opener func(ctx context.Context) (Store, error)

// Lease is the right to collect the portrait of a KOL while nobody else does.
type Lease struct {
	Holder  string        // the collection that has it; an id that is never used again
	Failure *schema.Error // why that brought no portrait, where trying again makes no sense yet; else nil
	Left    time.Duration // until the lease runs out
}

// Charge is one call that the vendor may charge.
type Charge struct {
	ID     string // never used again
	Day    schema.Day
	Caller string // who started it; empty where callers have no names
}

// Limits are how many calls may be counted; 0 means no limit.
type Limits struct {
	Day    int // on one day
	Caller int // on one day for one caller that has a name
}

// Refusal is the limit that keeps a call from being counted.
type Refusal int

// The refusals. A call that both limits refuse is refused for the day's.
const (
	NotRefused Refusal = iota // the call is counted
	DayFull
	CallerFull
)

// Charges are the calls that are counted on a day.
type Charges struct {
	All     int            // those of callers without a name included
	Callers map[string]int // by the caller's name; a caller without a call, or without a name, is absent
}

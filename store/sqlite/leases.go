package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// lease is a row of the leases; the zero one is none.
type lease struct {
	store.Lease
	expires time.Time
}

func (l lease) inForce(now time.Time) bool {
	return l.Holder != "" && !l.Released && now.Before(l.expires)
}

const leaseSQL = `
SELECT holder, fresh, expires_at, released_at, failure
FROM leases
WHERE scope = ? AND kol_id = ?`

// scanLease reads what leaseSQL selects.
func scanLease(selected *sql.Row) (lease, error) {
	var holder, failure textColumn
	var fresh, expiresAt, releasedAt integerColumn
	err := selected.Scan(&holder, &fresh, &expiresAt, &releasedAt, &failure)
	if errors.Is(err, sql.ErrNoRows) {
		return lease{}, nil
	}
	if err != nil {
		return lease{}, err
	}
	l := lease{
		Lease:   store.Lease{Holder: string(holder), Fresh: fresh != 0, Released: releasedAt != 0},
		expires: time.UnixMilli(int64(expiresAt)),
	}
	if failure == "" {
		return l, nil
	}
	if err := json.Unmarshal([]byte(failure), &l.Failure); err != nil {
		return lease{}, fmt.Errorf("%w: the failure of a lease: %w", errDamaged, err)
	}
	return l, nil
}

// grantSQL is one statement, and so one transaction: nobody else can be granted
// the lease between the look at it and the row.
const grantSQL = `
INSERT INTO leases (scope, kol_id, holder, fresh, expires_at, released_at, failure)
VALUES (?1, ?2, ?3, ?4, ?5, 0, '')
ON CONFLICT (scope, kol_id) DO UPDATE
SET holder = excluded.holder, fresh = excluded.fresh, expires_at = excluded.expires_at, released_at = 0, failure = ''
WHERE holder = excluded.holder OR released_at <> 0 OR expires_at <= ?6`

// Acquire implements store.Store.
func (s *Store) Acquire(ctx context.Context, c store.Claim, lasts time.Duration) (store.Lease, error) {
	var inForce store.Lease
	err := s.write(ctx, "acquire a lease", func(f *file) error {
		var err error
		inForce, err = s.acquire(ctx, f, c, lasts)
		return err
	})
	if err != nil {
		return store.Lease{}, err
	}
	return inForce, nil
}

func (s *Store) acquire(ctx context.Context, f *file, c store.Claim, lasts time.Duration) (store.Lease, error) {
	for {
		now := s.now()
		result, err := f.grant.ExecContext(ctx, s.scope, c.KOLID, c.Holder, c.Fresh, now.Add(lasts).UnixMilli(), now.UnixMilli())
		if err != nil {
			return store.Lease{}, err
		}
		granted, err := result.RowsAffected()
		if err != nil {
			return store.Lease{}, err
		}
		if granted > 0 {
			return store.Lease{Holder: c.Holder, Fresh: c.Fresh}, nil
		}
		// It may have ended since.
		l, err := scanLease(f.lease.QueryRowContext(ctx, s.scope, c.KOLID))
		if err != nil || l.inForce(now) {
			return l.Lease, err
		}
	}
}

// Lease implements store.Store. A released lease is told until the next one,
// for a day at least.
func (s *Store) Lease(ctx context.Context, kolID string) (store.Lease, error) {
	var latest lease
	err := s.read(ctx, "look for a lease", func(f *file) error {
		var err error
		latest, err = scanLease(f.lease.QueryRowContext(ctx, s.scope, kolID))
		return err
	})
	if err != nil || !latest.Released && !latest.inForce(s.now()) {
		return store.Lease{}, err
	}
	return latest.Lease, nil
}

const releaseSQL = `
UPDATE leases
SET released_at = ?, failure = ?
WHERE scope = ? AND kol_id = ? AND holder = ? AND released_at = 0 AND expires_at > ?`

// Release implements store.Store.
func (s *Store) Release(ctx context.Context, c store.Claim, failure *schema.Error) error {
	var told []byte
	if failure != nil {
		var err error
		if told, err = json.Marshal(failure); err != nil {
			return fmt.Errorf("release a lease: %w", err)
		}
	}
	return s.write(ctx, "release a lease", func(f *file) error {
		now := s.now().UnixMilli()
		_, err := f.release.ExecContext(ctx, now, string(told), s.scope, c.KOLID, c.Holder, now)
		return err
	})
}

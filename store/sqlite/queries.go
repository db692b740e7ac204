package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// Queries that find one portrait, by an index and the order of storing.
const (
	portraitSQL = `
SELECT id, kol_id, as_of, retrieved_at, fresh, endpoint, environment, sample, request_id, data
FROM portraits
WHERE scope = ? AND kol_id = ?`

	newestSQL = portraitSQL + ` ORDER BY seq DESC LIMIT 1`
	olderSQL  = portraitSQL + ` AND as_of > '' AND as_of < ? ORDER BY as_of DESC, seq DESC LIMIT 1`
)

const saveSQL = `
INSERT INTO portraits (scope, id, kol_id, as_of, retrieved_at, fresh, endpoint, environment, sample, request_id, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING`

// dropSQL looks only at portraits that were stored before the saved one: that
// one, or one behind it, is the newest.
const dropSQL = `
DELETE FROM portraits
WHERE scope = ?1 AND kol_id = ?2 AND retrieved_at < ?4
	AND seq < (SELECT seq FROM portraits WHERE scope = ?1 AND id = ?3)`

const kolsSQL = `
SELECT DISTINCT kol_id
FROM portraits
WHERE scope = ? AND kol_id >= ? AND kol_id < ?
ORDER BY kol_id
LIMIT ?`

// nowSQL is the time in milliseconds, taken where a statement needs it: one that
// writes has waited for the lock by then, so no lease is shorter for it.
const nowSQL = `CAST(unixepoch('subsec') * 1000 AS INTEGER)`

// latestSQL is the latest moment at which a lease can end. One that ends after it
// was taken under a clock that was ahead, and counts as ended.
const latestSQL = nowSQL + ` + 24 * 60 * 60 * 1000`

// A lease is in force until the moment ends_at.
const (
	leaseSQL = `
SELECT holder, failure, ends_at - ` + nowSQL + `
FROM leases
WHERE scope = ? AND kol_id = ? AND ends_at BETWEEN ` + nowSQL + ` + 1 AND ` + latestSQL

	grantSQL = `
INSERT INTO leases (scope, kol_id, holder, failure, ends_at)
VALUES (?, ?, ?, '', ` + nowSQL + ` + ?)
ON CONFLICT DO UPDATE SET holder = excluded.holder, failure = '', ends_at = excluded.ends_at
WHERE ends_at NOT BETWEEN ` + nowSQL + ` + 1 AND ` + latestSQL + ` OR holder = excluded.holder AND failure = ''`

	releaseSQL = `DELETE FROM leases WHERE scope = ? AND kol_id = ? AND holder = ?`

	failSQL = `
UPDATE leases SET failure = ?, ends_at = ` + nowSQL + ` + ?
WHERE scope = ? AND kol_id = ? AND holder = ? AND ends_at > ` + nowSQL
)

const (
	// refusalSQL is the limit that keeps a call from being counted, 0 where none does.
	refusalSQL = `
SELECT CASE
	WHEN EXISTS (SELECT 1 FROM charges WHERE scope = ?1 AND day = ?2 AND id = ?3) THEN 0
	WHEN ?5 > 0 AND (SELECT count(*) FROM charges WHERE scope = ?1 AND day = ?2) >= ?5 THEN 1
	WHEN ?6 > 0 AND ?4 <> '' AND (SELECT count(*) FROM charges WHERE scope = ?1 AND day = ?2 AND caller = ?4) >= ?6 THEN 2
	ELSE 0
END`

	// A call that is counted already is written again, and so counted once.
	chargeSQL = `
INSERT INTO charges (scope, day, id, caller)
SELECT ?1, ?2, ?3, ?4
WHERE (` + refusalSQL + `) = 0
ON CONFLICT DO UPDATE SET id = id`

	chargedSQL = `SELECT caller, count(*) FROM charges WHERE scope = ? AND day = ? GROUP BY caller`
	refundSQL  = `DELETE FROM charges WHERE scope = ? AND day = ? AND id = ?`
)

// statements are prepared when the file is opened.
var statements = []string{
	newestSQL, olderSQL, saveSQL, dropSQL, kolsSQL, leaseSQL, grantSQL, releaseSQL, failSQL,
	chargeSQL, refusalSQL, chargedSQL, refundSQL,
}

// Newest implements store.Store.
func (s *Store) Newest(ctx context.Context, kolID string) (*schema.Portrait, error) {
	return s.find(ctx, "look up a portrait", newestSQL, s.scope, kolID)
}

// Older implements store.Store.
func (s *Store) Older(ctx context.Context, kolID, asOf string) (*schema.Portrait, error) {
	return s.find(ctx, "look up an older portrait", olderSQL, s.scope, kolID, asOf)
}

// find returns the portrait that a query finds, nil where there is none.
func (s *Store) find(ctx context.Context, attempted, query string, args ...any) (*schema.Portrait, error) {
	var p schema.Portrait
	var retrievedAt int64
	err := s.do(ctx, attempted, func(f *file) error {
		// One row of an index is read at once: to watch ctx meanwhile would cost as
		// much again.
		return f.prepared[query].QueryRowContext(context.WithoutCancel(ctx), args...).Scan(&p.ID, &p.KOLID, &p.AsOf, &retrievedAt,
			&p.Fresh, &p.Endpoint, &p.Environment, &p.Sample, &p.RequestID, (*[]byte)(&p.Data))
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p.RetrievedAt = time.UnixMilli(retrievedAt).UTC()
	return &p, nil
}

// Save implements store.Store.
func (s *Store) Save(ctx context.Context, p *schema.Portrait, keep time.Duration) error {
	_, err := s.write(ctx, "save a portrait", saveSQL, s.scope, p.ID, p.KOLID, p.AsOf, p.RetrievedAt.UnixMilli(),
		p.Fresh, p.Endpoint, p.Environment, p.Sample, p.RequestID, []byte(p.Data))
	if err != nil || keep <= 0 {
		return err
	}
	_, err = s.write(ctx, "let go of old portraits", dropSQL, s.scope, p.KOLID, p.ID, p.RetrievedAt.Add(-keep).UnixMilli())
	return err
}

// write runs a statement, one at a time, and returns how many rows it wrote.
func (s *Store) write(ctx context.Context, attempted, statement string, args ...any) (rows int64, err error) {
	err = s.do(ctx, attempted, func(f *file) error {
		select {
		case s.writing <- struct{}{}:
			defer func() { <-s.writing }()
		case <-ctx.Done():
			return ctx.Err()
		}
		result, err := f.prepared[statement].ExecContext(ctx, args...)
		if err != nil {
			return err
		}
		rows, err = result.RowsAffected()
		return err
	})
	return rows, err
}

// KOLs implements store.Store.
func (s *Store) KOLs(ctx context.Context, prefix string, limit int) (ids []string, err error) {
	err = s.do(ctx, "list the KOLs", func(f *file) error {
		ids = nil
		// A tilde is behind every character that an id may have.
		rows, err := f.prepared[kolsSQL].QueryContext(ctx, s.scope, prefix, prefix+"~", limit)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err has told what there is to tell
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	return ids, err
}

// Acquire implements store.Store. It writes only where it can expect to be
// granted the lease: many may ask again and again for one that another holds.
func (s *Store) Acquire(ctx context.Context, kolID, holder string, lasts time.Duration) (store.Lease, error) {
	for {
		lease, err := s.lease(ctx, kolID)
		if err != nil || lease.Failure != nil || lease.Holder != "" && lease.Holder != holder {
			return lease, err
		}
		granted, err := s.write(ctx, "acquire a lease", grantSQL, s.scope, kolID, holder, lasts.Milliseconds())
		if err != nil {
			return store.Lease{}, err
		}
		if granted > 0 {
			return store.Lease{Holder: holder, Left: lasts}, nil
		}
	}
}

// lease returns the lease that is in force, without a holder where none is.
func (s *Store) lease(ctx context.Context, kolID string) (lease store.Lease, err error) {
	var failure string
	var left int64
	err = s.do(ctx, "look up a lease", func(f *file) error {
		return f.prepared[leaseSQL].QueryRowContext(ctx, s.scope, kolID).Scan(&lease.Holder, &failure, &left)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return store.Lease{}, nil
	}
	if err == nil && failure != "" {
		err = json.Unmarshal([]byte(failure), &lease.Failure)
	}
	lease.Left = time.Duration(left) * time.Millisecond
	return lease, err
}

// Release implements store.Store.
func (s *Store) Release(ctx context.Context, kolID, holder string) error {
	_, err := s.write(ctx, "release a lease", releaseSQL, s.scope, kolID, holder)
	return err
}

// Fail implements store.Store.
func (s *Store) Fail(ctx context.Context, kolID, holder string, failure *schema.Error, lasts time.Duration) error {
	text, err := json.Marshal(failure)
	if err != nil {
		return err
	}
	_, err = s.write(ctx, "leave a failure", failSQL, string(text), lasts.Milliseconds(), s.scope, kolID, holder)
	return err
}

// Charge implements store.Store.
func (s *Store) Charge(ctx context.Context, c store.Charge, limits store.Limits) (store.Refusal, error) {
	args := []any{s.scope, c.Day, c.ID, c.Caller, limits.Day, limits.Caller}
	for {
		written, err := s.write(ctx, "count a charged call", chargeSQL, args...)
		if err != nil || written > 0 {
			return store.NotRefused, err
		}
		var refusal store.Refusal
		err = s.do(ctx, "look up a limit", func(f *file) error {
			return f.prepared[refusalSQL].QueryRowContext(ctx, args...).Scan(&refusal)
		})
		if err != nil || refusal != store.NotRefused { // else a refund has come between
			return refusal, err
		}
	}
}

// Refund implements store.Store.
func (s *Store) Refund(ctx context.Context, c store.Charge) error {
	_, err := s.write(ctx, "take back a charged call", refundSQL, s.scope, c.Day, c.ID)
	return err
}

// Charged implements store.Store.
func (s *Store) Charged(ctx context.Context, day schema.Day) (charges store.Charges, err error) {
	err = s.do(ctx, "count the charged calls", func(f *file) error {
		charges = store.Charges{Callers: map[string]int{}}
		rows, err := f.prepared[chargedSQL].QueryContext(ctx, s.scope, day)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // Err has told what there is to tell
		for rows.Next() {
			var caller string
			var n int
			if err := rows.Scan(&caller, &n); err != nil {
				return err
			}
			charges.All += n
			if caller != "" {
				charges.Callers[caller] = n
			}
		}
		return rows.Err()
	})
	return charges, err
}

// Turn implements store.Store: each process has its own limit.
func (s *Store) Turn(ctx context.Context, _ time.Duration) (time.Duration, error) {
	return 0, ctx.Err()
}

package sqlite

import (
	"context"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// chargeSQL is one statement, and so one transaction: no other call can be
// counted between the look at the day and the row. A day that is not wholly
// counted takes none where there is a limit.
const chargeSQL = `
INSERT INTO charges (scope, day, id, kol_id, charged_at)
SELECT ?1, ?2, ?3, ?4, ?5
WHERE ?6 = 0 OR (
	NOT EXISTS (SELECT 1 FROM uncounted WHERE day = ?2)
	AND (SELECT count(*) FROM charges WHERE scope = ?1 AND day = ?2) < ?6
)
ON CONFLICT DO NOTHING`

const chargedSQL = `
SELECT
	EXISTS (SELECT 1 FROM charges WHERE scope = ?1 AND day = ?2 AND id = ?3),
	EXISTS (SELECT 1 FROM uncounted WHERE day = ?2)`

// Charge implements store.Store.
func (s *Store) Charge(ctx context.Context, c store.Charge, limit int) (bool, error) {
	var counted, uncounted bool
	err := s.write(ctx, "count a call", func(f *file) error {
		result, err := f.charge.ExecContext(ctx, s.scope, string(c.Day), c.ID, c.KOLID, s.now().UnixMilli(), limit)
		if err != nil {
			return err
		}
		if rows, err := result.RowsAffected(); err != nil || rows > 0 {
			counted = rows > 0
			return err
		}
		// It may have been counted before, on a day that is full by now.
		err = f.charged.QueryRowContext(ctx, s.scope, string(c.Day), c.ID).Scan(&counted, &uncounted)
		if err == nil && uncounted && limit > 0 {
			return store.ErrUncounted
		}
		return err
	})
	return counted && err == nil, err
}

const refundSQL = `DELETE FROM charges WHERE scope = ? AND day = ? AND id = ?`

// Refund implements store.Store.
func (s *Store) Refund(ctx context.Context, c store.Charge) error {
	return s.write(ctx, "take back a call", func(f *file) error {
		_, err := f.refund.ExecContext(ctx, s.scope, string(c.Day), c.ID)
		return err
	})
}

const addHitsSQL = `
INSERT INTO hits (scope, day, n)
VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET n = n + excluded.n`

// AddHits implements store.Store.
func (s *Store) AddHits(ctx context.Context, day schema.Day, n int) error {
	return s.write(ctx, "count answers", func(f *file) error {
		_, err := f.addHits.ExecContext(ctx, s.scope, string(day), n)
		return err
	})
}

const countsSQL = `
SELECT
	(SELECT count(*) FROM charges WHERE scope = ?1 AND day = ?2),
	(SELECT ifnull(sum(n), 0) FROM hits WHERE scope = ?1 AND day = ?2)`

// Counts implements store.Store.
func (s *Store) Counts(ctx context.Context, day schema.Day) (store.Counts, error) {
	var charged, hits integerColumn
	err := s.read(ctx, "read the figures of a day", func(f *file) error {
		return f.counts.QueryRowContext(ctx, s.scope, string(day)).Scan(&charged, &hits)
	})
	if err != nil {
		return store.Counts{}, err
	}
	return store.Counts{Charged: int(charged), Hits: int(hits)}, nil
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

// portraitColumns are what a portraitRow is read from.
const portraitColumns = `id, retrieved_at, as_of, endpoint, environment, sample, request_id, checksum, data`

const newestSQL = `
SELECT ` + portraitColumns + `
FROM portraits
WHERE scope = ? AND kol_id = ?
ORDER BY retrieved_at DESC
LIMIT 1`

const olderSQL = `
SELECT ` + portraitColumns + `
FROM portraits
WHERE scope = ? AND kol_id = ? AND as_of > '' AND as_of < ?
ORDER BY as_of DESC, retrieved_at DESC
LIMIT 1`

// Newest implements store.Store.
func (s *Store) Newest(ctx context.Context, kolID string) (*store.Portrait, error) {
	return s.find(ctx, "look for a portrait", func(f *file) *sql.Stmt { return f.newest }, kolID)
}

// Older implements store.Store.
func (s *Store) Older(ctx context.Context, kolID, asOf string) (*store.Portrait, error) {
	return s.find(ctx, "look for an older portrait", func(f *file) *sql.Stmt { return f.older }, kolID, asOf)
}

// find returns the portrait of a KOL that a statement finds, nil where there is
// none.
func (s *Store) find(ctx context.Context, what string, statement func(*file) *sql.Stmt, kolID string, further ...any) (*store.Portrait, error) {
	var found *store.Portrait
	err := s.read(ctx, what, func(f *file) error {
		var err error
		found, err = s.row(ctx, statement(f), kolID, further...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (s *Store) row(ctx context.Context, statement *sql.Stmt, kolID string, further ...any) (*store.Portrait, error) {
	var row portraitRow
	args := append([]any{s.scope, kolID}, further...)
	// One row of an index is read before anybody could stop it: to watch ctx
	// meanwhile would cost as much again.
	err := statement.QueryRowContext(context.WithoutCancel(ctx), args...).Scan(row.columns()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return row.portrait(s.scope, kolID)
}

// portraitRow is a portrait as it is read.
type portraitRow struct {
	id, asOf, endpoint, environment, requestID textColumn
	retrievedAt, sample, sum                   integerColumn
	data                                       blobColumn
}

// columns returns where portraitColumns go.
func (r *portraitRow) columns() []any {
	return []any{&r.id, &r.retrievedAt, &r.asOf, &r.endpoint, &r.environment, &r.sample, &r.requestID, &r.sum, &r.data}
}

// portrait returns the portrait, if it is what was saved for a scope and a KOL.
func (r *portraitRow) portrait(scope, kolID string) (*store.Portrait, error) {
	p := &store.Portrait{
		ID:          string(r.id),
		KOLID:       kolID,
		AsOf:        string(r.asOf),
		RetrievedAt: time.UnixMilli(int64(r.retrievedAt)).UTC(),
		Endpoint:    schema.Endpoint(r.endpoint),
		Environment: schema.Environment(r.environment),
		Sample:      r.sample != 0,
		RequestID:   string(r.requestID),
		Data:        []byte(r.data),
	}
	if checksum(scope, p) != int64(r.sum) {
		return nil, fmt.Errorf("%w: the checksum of a portrait is wrong", errDamaged)
	}
	return p, nil
}

const saveSQL = `
INSERT INTO portraits (scope, id, kol_id, retrieved_at, as_of, endpoint, environment, sample, request_id, checksum, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING`

// Save implements store.Store.
func (s *Store) Save(ctx context.Context, p store.Portrait) error {
	return s.write(ctx, "save a portrait", func(f *file) error {
		_, err := f.save.ExecContext(ctx, values(s.scope, &p)...)
		return err
	})
}

// values returns what saveSQL saves.
func values(scope string, p *store.Portrait) []any {
	return []any{
		scope, p.ID, p.KOLID, p.RetrievedAt.UnixMilli(), p.AsOf,
		string(p.Endpoint), string(p.Environment), p.Sample, p.RequestID, checksum(scope, p), []byte(p.Data),
	}
}

// checksum returns the sum over all that a row holds of a portrait.
func checksum(scope string, p *store.Portrait) int64 {
	row := strings.Join([]string{
		scope, p.ID, p.KOLID, strconv.FormatInt(p.RetrievedAt.UnixMilli(), 10), p.AsOf,
		string(p.Endpoint), string(p.Environment), strconv.FormatBool(p.Sample), p.RequestID,
	}, "\x00")
	table := crc32.MakeTable(crc32.Castagnoli)
	return int64(crc32.Update(crc32.Checksum([]byte(row), table), table, p.Data))
}

const kolsSQL = `
SELECT DISTINCT kol_id
FROM portraits
WHERE scope = ? AND kol_id >= ? AND kol_id < ?
ORDER BY kol_id
LIMIT ?`

// KOLs implements store.Store.
func (s *Store) KOLs(ctx context.Context, prefix string, limit int) ([]string, error) {
	var ids []string
	err := s.read(ctx, "list the portraits", func(f *file) error {
		var err error
		ids, err = s.kols(ctx, f, prefix, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

func (s *Store) kols(ctx context.Context, f *file, prefix string, limit int) ([]string, error) {
	// A tilde is behind every character that an id may have.
	rows, err := f.kols.QueryContext(ctx, s.scope, prefix, prefix+"~", max(limit, 0))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err has told what there is to tell
	var ids []string
	for rows.Next() {
		var id textColumn
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, string(id))
	}
	return ids, rows.Err()
}

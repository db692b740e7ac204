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

const newestSQL = `
SELECT id, retrieved_at, as_of, endpoint, environment, sample, request_id, checksum, data
FROM portraits
WHERE scope = ? AND kol_id = ?
ORDER BY retrieved_at DESC
LIMIT 1`

// Newest implements store.Store.
func (s *Store) Newest(ctx context.Context, kolID string) (*store.Portrait, error) {
	var newest *store.Portrait
	err := s.read(ctx, "look for a portrait", func(f *file) error {
		var err error
		newest, err = s.newest(ctx, f, kolID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return newest, nil
}

func (s *Store) newest(ctx context.Context, f *file, kolID string) (*store.Portrait, error) {
	var id, asOf, endpoint, environment, requestID textColumn
	var retrievedAt, sample, sum integerColumn
	var data blobColumn
	// One row of an index is read before anybody could stop it: to watch ctx
	// meanwhile would cost as much again.
	err := f.newest.QueryRowContext(context.WithoutCancel(ctx), s.scope, kolID).
		Scan(&id, &retrievedAt, &asOf, &endpoint, &environment, &sample, &requestID, &sum, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := &store.Portrait{
		ID:          string(id),
		KOLID:       kolID,
		AsOf:        string(asOf),
		RetrievedAt: time.UnixMilli(int64(retrievedAt)).UTC(),
		Endpoint:    schema.Endpoint(endpoint),
		Environment: schema.Environment(environment),
		Sample:      sample != 0,
		RequestID:   string(requestID),
		Data:        []byte(data),
	}
	if s.checksum(p) != int64(sum) {
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
		_, err := f.save.ExecContext(ctx, s.scope, p.ID, p.KOLID, p.RetrievedAt.UnixMilli(), p.AsOf,
			string(p.Endpoint), string(p.Environment), p.Sample, p.RequestID, s.checksum(&p), []byte(p.Data))
		return err
	})
}

// checksum returns the sum over all that a row holds of a portrait.
func (s *Store) checksum(p *store.Portrait) int64 {
	row := strings.Join([]string{
		s.scope, p.ID, p.KOLID, strconv.FormatInt(p.RetrievedAt.UnixMilli(), 10), p.AsOf,
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

package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"kol-portrait-mcp/schema"
)

// migrations are applied in the order of their names, once each. One that has
// been released is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrationNames returns the names of the migrations, in order.
func migrationNames() ([]string, error) { return fs.Glob(migrations, "migrations/*.sql") }

// migrate brings a file of a version up to date, each step in one transaction.
func migrate(ctx context.Context, conn *sql.Conn, version int) error {
	names, err := migrationNames()
	if err != nil {
		return err
	}
	for i, name := range names[version:] {
		if err := apply(ctx, conn, name, version+i+1); err != nil {
			return fmt.Errorf("bring the tables up to date with %s: %w", name, err)
		}
	}
	return nil
}

// uncountedSince is the version that the days without all their charges are kept
// from.
const uncountedSince = 2

func apply(ctx context.Context, conn *sql.Conn, name string, version int) error {
	text, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	return inTransaction(ctx, conn, func(tx *sql.Tx) error {
		for _, statement := range []string{
			string(text),
			fmt.Sprintf("PRAGMA application_id = %d", applicationID),
			fmt.Sprintf("PRAGMA user_version = %d", version),
		} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

func inTransaction(ctx context.Context, conn *sql.Conn, work func(tx *sql.Tx) error) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect after Commit
	if err := work(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// asDamage tells that a file which says that it is ours and up to date does not
// have our tables.
func asDamage(err error) error {
	if code(err) == sqlite3.SQLITE_ERROR {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return err
}

// How long is kept what is not a portrait.
const (
	leasesStay  = 24 * time.Hour
	chargesStay = 90 * 24 * time.Hour
)

// prune deletes what nobody asks for any more of the Store's scope. It never
// deletes a portrait. Where there is nothing to delete it still takes the write
// lock, which shows that the file can be written before anybody relies on it.
func (s *Store) prune(ctx context.Context, conn *sql.Conn) error {
	now := s.now()
	oldLeases, oldDays := now.Add(-leasesStay).UnixMilli(), string(schema.DayOf(now.Add(-chargesStay)))
	return inTransaction(ctx, conn, func(tx *sql.Tx) error {
		for _, statement := range []struct {
			text string
			args []any
		}{
			{"DELETE FROM leases WHERE scope = ? AND max(expires_at, released_at) < ?", []any{s.scope, oldLeases}},
			{"DELETE FROM charges WHERE scope = ? AND day < ?", []any{s.scope, oldDays}},
			{"DELETE FROM hits WHERE scope = ? AND day < ?", []any{s.scope, oldDays}},
			{"DELETE FROM uncounted WHERE day < ?", []any{oldDays}},
		} {
			if _, err := tx.ExecContext(ctx, statement.text, statement.args...); err != nil {
				return err
			}
		}
		return nil
	})
}

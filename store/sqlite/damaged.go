package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"math"
	"os"
	"time"

	"modernc.org/sqlite"

	"kol-portrait-mcp/schema"
)

// errEmpty is why an empty file is not opened: SQLite would delete the log that
// is beside it.
var errEmpty = errors.New("the file is empty")

// openDamaged opens a file that was put aside, to be read. It makes nothing
// beside one that has nothing beside it.
func openDamaged(name string) (*sql.DB, error) {
	size, err := sizeOf(name)
	if err != nil {
		return nil, err
	}
	if size == 0 {
		return nil, errEmpty
	}
	beside, err := sizeBeside(name)
	if err != nil {
		return nil, err
	}
	connector, err := sqlite.NewConnector(dataSource(name, salvaging(beside == 0)))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// sizeBeside returns how much there is of the logs of a file.
func sizeBeside(name string) (int64, error) {
	log, err := sizeOf(name + "-wal")
	if err != nil {
		return 0, err
	}
	journal, err := sizeOf(name + "-journal")
	return log + journal, err
}

// sizeOf returns 0 for a file that is missing.
func sizeOf(name string) (int64, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// salvaged is what was copied from a damaged file.
type salvaged struct {
	portraits int
	charges   int
	counted   bool // there were no other charges in it
}

// copier copies from a damaged file into a new one. What it cannot read it
// leaves out; an error is one of writing.
type copier struct {
	from  *sql.DB
	to    *sql.Tx
	file  *file
	since schema.Day // the first day whose charges and hits are wanted
	saved salvaged
}

// copy copies until ctx ends, what matters most first.
func (c *copier) copy(ctx context.Context) (salvaged, error) {
	c.saved.counted = true
	for _, step := range []func(context.Context) error{c.uncounted, c.charges, c.hits, c.portraits} {
		if err := step(ctx); err != nil {
			return salvaged{}, err
		}
	}
	return c.saved, nil
}

// each calls visit for every row that a query finds, as far as that can be read,
// and returns whether it can to the end. A visit that cannot make sense of a row
// is to tell by errDamaged; any other error ends it all.
func (c *copier) each(ctx context.Context, visit func(*sql.Rows) error, query string, args ...any) (whole bool, err error) {
	rows, err := c.from.QueryContext(ctx, query, args...)
	if err != nil {
		return false, nil
	}
	defer func() { _ = rows.Close() }() // nothing was written
	whole = true
	for rows.Next() {
		err := visit(rows)
		if errors.Is(err, errDamaged) {
			whole = false
			continue
		}
		if err != nil {
			return false, err
		}
	}
	return whole && rows.Err() == nil, nil
}

// write runs a statement and returns how many rows it added or changed. It is
// not bounded by the time for reading.
func (c *copier) write(ctx context.Context, statement *sql.Stmt, args ...any) (int, error) {
	ctx = context.WithoutCancel(ctx)
	result, err := c.to.StmtContext(ctx, statement).ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// uncounted copies the days whose charges were lost before: those of the file
// are not all there were.
func (c *copier) uncounted(ctx context.Context) error {
	var version int
	if err := c.from.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		c.saved.counted = false
		return nil //nolint:nilerr // told by counted
	}
	if version < uncountedSince {
		return nil
	}
	whole, err := c.each(ctx, func(rows *sql.Rows) error {
		var day dayColumn
		if err := rows.Scan(&day); err != nil {
			return err
		}
		return markUncounted(context.WithoutCancel(ctx), c.to, []schema.Day{schema.Day(day)})
	}, "SELECT day FROM uncounted")
	c.saved.counted = c.saved.counted && whole && c.sound(ctx, "uncounted")
	return err
}

const (
	allChargesSQL = `SELECT scope, day, id, kol_id, charged_at FROM charges ORDER BY scope, day, id`
	// From the other end, up to where it is damaged.
	allChargesBackwardsSQL = `SELECT scope, day, id, kol_id, charged_at FROM charges ORDER BY scope DESC, day DESC, id DESC`
)

// charges reads all of them, of whatever day: a day is known by the order of
// the whole.
func (c *copier) charges(ctx context.Context) error {
	whole, err := c.each(ctx, func(rows *sql.Rows) error { return c.charge(ctx, rows) }, allChargesSQL)
	if err != nil {
		return err
	}
	if whole && c.sound(ctx, "charges") {
		return nil
	}
	c.saved.counted = false
	_, err = c.each(ctx, func(rows *sql.Rows) error { return c.charge(ctx, rows) }, allChargesBackwardsSQL)
	return err
}

func (c *copier) charge(ctx context.Context, rows *sql.Rows) error {
	var scope, id, kolID textColumn
	var day dayColumn
	var at integerColumn
	if err := rows.Scan(&scope, &day, &id, &kolID, &at); err != nil {
		return err
	}
	if schema.Day(day) < c.since {
		return nil
	}
	n, err := c.write(ctx, c.file.charge, string(scope), string(day), string(id), string(kolID), int64(at), 0)
	c.saved.charges += n
	return err
}

// sound reports whether SQLite finds a table in order. A table that can be read
// to its end need not be: rows may be missing in the middle.
func (c *copier) sound(ctx context.Context, table string) bool {
	var found string
	err := c.from.QueryRowContext(ctx, "PRAGMA integrity_check("+table+")").Scan(&found)
	return err == nil && found == "ok"
}

func (c *copier) hits(ctx context.Context) error {
	_, err := c.each(ctx, func(rows *sql.Rows) error {
		var scope textColumn
		var day dayColumn
		var n integerColumn
		if err := rows.Scan(&scope, &day, &n); err != nil || schema.Day(day) < c.since {
			return err
		}
		_, err := c.write(ctx, c.file.addHits, string(scope), string(day), int64(n))
		return err
	}, "SELECT scope, day, n FROM hits")
	return err
}

const (
	portraitsSQL          = `SELECT rowid, scope, kol_id, ` + portraitColumns + ` FROM portraits NOT INDEXED `
	portraitsForwardsSQL  = portraitsSQL + `ORDER BY rowid`
	portraitsBackwardsSQL = portraitsSQL + `WHERE rowid > ? ORDER BY rowid DESC`
	onePortraitSQL        = portraitsSQL + `WHERE rowid = ?`
	// Without the table, of which the rows may be what cannot be read.
	rowsByKOLSQL = `SELECT rowid FROM portraits INDEXED BY portraits_by_kol WHERE rowid > ? AND rowid < ?`
	rowsByDaySQL = `SELECT rowid FROM portraits INDEXED BY portraits_by_day WHERE rowid > ? AND rowid < ?` // not in a file of version 1 or 2
	rowsByIDSQL  = `SELECT rowid FROM portraits INDEXED BY sqlite_autoindex_portraits_1 WHERE rowid > ? AND rowid < ?`
)

// portraits copies those that are whole: from the first to where the table is
// damaged, from the last back to there, and what is in between one by one.
func (c *copier) portraits(ctx context.Context) error {
	first, last := int64(math.MinInt64), int64(math.MaxInt64)
	read := func(reached *int64) func(*sql.Rows) error {
		return func(rows *sql.Rows) error { return c.portrait(ctx, rows, reached) }
	}
	whole, err := c.each(ctx, read(&first), portraitsForwardsSQL)
	if err != nil || whole {
		return err
	}
	if _, err := c.each(ctx, read(&last), portraitsBackwardsSQL, first); err != nil {
		return err
	}
	for _, index := range []string{rowsByKOLSQL, rowsByDaySQL, rowsByIDSQL} {
		_, err := c.each(ctx, func(rows *sql.Rows) error {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			_, err := c.each(ctx, read(&id), onePortraitSQL, id)
			return err
		}, index, first, last)
		if err != nil {
			return err
		}
	}
	return nil
}

// portrait copies the portrait of a row where it is right, and tells which row it
// was.
func (c *copier) portrait(ctx context.Context, rows *sql.Rows, reached *int64) error {
	var id int64
	var scope, kolID textColumn
	var row portraitRow
	if err := rows.Scan(append([]any{&id, &scope, &kolID}, row.columns()...)...); err != nil {
		return err
	}
	p, err := row.portrait(string(scope), string(kolID))
	if err != nil {
		return err
	}
	*reached = id
	n, err := c.write(ctx, c.file.save, values(string(scope), p)...)
	c.saved.portraits += n
	return err
}

// dayColumn is a schema.Day.
type dayColumn schema.Day

// Scan implements sql.Scanner. Anything but a day is damage.
func (c *dayColumn) Scan(value any) error {
	var text textColumn
	if err := text.Scan(value); err != nil {
		return err
	}
	if _, err := time.Parse(time.DateOnly, string(text)); err != nil {
		return errors.Join(errDamaged, err)
	}
	*c = dayColumn(text)
	return nil
}

package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed schema.sql
var schemaSQL string

const (
	applicationID = 'K'<<24 | 'O'<<16 | 'L'<<8 | 'P' // as schema.sql marks a file
	schemaVersion = 5
	connections   = 4
	lockWithin    = 10 * time.Second // the lock that is held while a file is made or put aside
)

// upgradeSQL makes version 5 of a file of version 4. Processes of that version that
// have it open can go on using it.
const upgradeSQL = `
BEGIN IMMEDIATE;
ALTER TABLE charges ADD COLUMN caller TEXT NOT NULL DEFAULT '';
PRAGMA user_version = 5;
COMMIT;`

// errMoved is found where another process has put the file aside, or somebody
// has deleted it.
var errMoved = errors.New("the file is not at its path any more")

// file is a file that is open.
type file struct {
	*sql.DB
	info     os.FileInfo          // tells it from the file that takes its place
	prepared map[string]*sql.Stmt // by their text
	fault    error                // why it is closed: damage, or errMoved; nil while it is in use
}

// isAt reports whether a path still leads to the file.
func (f *file) isAt(path string) bool {
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, f.info)
}

// mayPass are the errors of a file that may be usable later: it is locked, or the
// disk is full or fails. What is in it is paid for, so nothing takes its place.
var mayPass = map[int]bool{sqlite3.SQLITE_BUSY: true, sqlite3.SQLITE_FULL: true, sqlite3.SQLITE_IOERR: true, sqlite3.SQLITE_NOMEM: true}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// open opens the file, or the one that takes the place of old. The error is
// ErrUnusable unless it may pass.
func (s *Store) open(ctx context.Context, old *file) (*file, error) {
	f, err := s.openLocked(ctx, old)
	switch {
	case err == nil:
		return f, nil
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), mayPass[codeOf(err)] && isRegular(s.path):
		return nil, fmt.Errorf("open the portrait store %s: %w", s.path, err)
	default:
		return nil, fmt.Errorf("the file %s %w: %w", s.path, ErrUnusable, err)
	}
}

// openLocked opens the file under a lock, so that one process alone makes it, or
// puts it aside where it is damaged.
func (s *Store) openLocked(ctx context.Context, old *file) (*file, error) {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(s.path + ".lock")
	waiting, cancel := context.WithTimeout(ctx, lockWithin)
	defer cancel()
	if _, err := lock.TryLockContext(waiting, 2*time.Millisecond); err != nil {
		return nil, fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	defer func() { _ = lock.Unlock() }() // it ends with the process at the latest

	if old != nil && isDamage(old.fault) && old.isAt(s.path) {
		if err := s.putAside(ctx, old.fault); err != nil {
			return nil, err
		}
	}
	f, err := openFile(ctx, s.path)
	if isDamage(err) {
		if err := s.putAside(ctx, err); err != nil {
			return nil, err
		}
		f, err = openFile(ctx, s.path)
	}
	return f, err
}

// openFile opens a file, or makes it. Only the user may read a file that it
// makes; what SQLite makes beside it gets the same mode.
func openFile(ctx context.Context, path string) (*file, error) {
	made, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the path is the user's to choose
	if err == nil {
		err = made.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) { // one that exists is not touched: to close it would drop SQLite's locks on it
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	db, err := connect(path)
	if err != nil {
		return nil, err
	}
	f := &file{DB: db, info: info, prepared: map[string]*sql.Stmt{}}
	if err := f.prepare(ctx); err != nil {
		_ = f.Close() // as it was found
		return nil, err
	}
	return f, nil
}

// connect returns connections to a file that is there.
func connect(path string) (*sql.DB, error) {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive's letter
	}
	settings := url.Values{
		"mode":    {"rw"},
		"_pragma": {"busy_timeout(10000)", "synchronous(NORMAL)", "cell_size_check(ON)"},
	}
	connector, err := sqlite.NewConnector((&url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// prepare makes the tables in a file that is new, upgrades one of version 4,
// refuses one that is not of this version of this program, and prepares the
// statements.
func (f *file) prepare(ctx context.Context) error {
	var application, version, tables int
	err := f.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)`).Scan(&application, &version, &tables)
	switch {
	case err != nil:
		return err
	case application == 0 && version == 0 && tables == 0:
		if _, err := f.ExecContext(ctx, "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE;"+schemaSQL+"COMMIT;"); err != nil {
			return err
		}
	case application != applicationID:
		return errors.New("it is a database of another program")
	case version == 4:
		if _, err := f.ExecContext(ctx, upgradeSQL); err != nil {
			return err
		}
	case version != schemaVersion:
		return fmt.Errorf("it is of another version of this program: its schema is %d, and this one knows %d", version, schemaVersion)
	}
	for _, text := range statements {
		if f.prepared[text], err = f.PrepareContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// putAside renames the file and what SQLite keeps beside it.
func (s *Store) putAside(ctx context.Context, damage error) error {
	aside := s.path + ".damaged-" + time.Now().UTC().Format("20060102T150405.000000Z")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(s.path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("put the file aside: %w, because: %w", err, damage)
		}
	}
	s.logger.WarnContext(ctx, "the portrait store is damaged: it was put aside, and a new one begun; the day's count of charged calls starts anew",
		"path", s.path, "aside", aside, "cause", damage, "recover", fmt.Sprintf("sqlite3 %q .recover", aside))
	return nil
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"runtime"
	"slices"
)

// applicationID marks our files, in the place that SQLite has for it.
const applicationID = 'K'<<24 | 'O'<<16 | 'L'<<8 | 'P'

// connections is how many operations run at once, and one for the anchor.
const connections = 5

// open opens the file, which it makes where there is none and puts aside where
// it is damaged, and salvages what was put aside. The lock must be held.
func (s *Store) open(ctx context.Context) (*file, error) {
	var err error
	for range mostReplacements {
		var f *file
		f, err = s.openThis(ctx)
		switch {
		case err == nil:
			if err := s.salvage(ctx, f); err != nil {
				_ = f.close()
				return nil, err
			}
			return f, nil
		case isDamage(err):
			if err := s.putAside(ctx, err); err != nil {
				return nil, err
			}
		case !errors.Is(err, errMoved):
			return nil, err
		}
	}
	return nil, err
}

// openThis opens the file that is there, or a new one.
func (s *Store) openThis(ctx context.Context) (*file, error) {
	if err := s.ensure(ctx); err != nil {
		return nil, err
	}
	f := &file{path: s.path, writing: make(chan struct{}, 1)}
	var err error
	if f.identity, err = identify(s.path); errors.Is(err, fs.ErrNotExist) {
		return nil, errMoved
	}
	if err != nil {
		return nil, err
	}
	version, err := s.inspect(ctx, f)
	if err != nil {
		return nil, err
	}
	if f.db, err = s.connect(f, working()); err != nil {
		return nil, err
	}
	if err := s.begin(ctx, f, version); err != nil {
		_ = f.close()
		return nil, err
	}
	return f, nil
}

func (s *Store) connect(f *file, settings url.Values) (*sql.DB, error) {
	c, err := newConnector(s.path, settings, f.inPlace)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// inspect returns the version of a file of ours, and an error for others, before
// anything in it is changed. A file with a log is only read, because who writes
// and closes it last brings the log into the file.
func (s *Store) inspect(ctx context.Context, f *file) (version int, err error) {
	db, err := s.connect(f, inspecting(s.anyBeside("-wal")))
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }() // nothing was written
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }() // as above
	return ownVersion(ctx, conn)
}

// ensure sees to it that there is a regular file, if an empty one, and that
// nothing beside it belonged to another: SQLite would take it for the new file's,
// or delete it.
func (s *Store) ensure(ctx context.Context) error {
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", s.path)
	case info.Size() > 0 || !s.anyBeside("-wal", "-shm"):
		return nil
	}
	if s.anyBeside(beside()...) {
		if err := s.putAside(ctx, errors.New("its main file is missing")); err != nil {
			return err
		}
	}
	return create(s.path)
}

// anyBeside reports whether any file with one of the suffixes is there.
func (s *Store) anyBeside(suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(suffix string) bool {
		_, err := os.Lstat(s.path + suffix)
		return err == nil
	})
}

// create makes an empty file that only the user may read. What SQLite makes
// beside it later gets its mode.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the path is the user's to choose
	if err != nil {
		return err
	}
	return f.Close()
}

// begin does on the first connection what is to be done before any other: it
// brings the file up to date.
func (s *Store) begin(ctx context.Context, f *file, version int) error {
	var err error
	if f.anchor, err = f.db.Conn(ctx); err != nil {
		return err
	}
	if err := s.tighten(ctx); err != nil {
		return err
	}
	if err := migrate(ctx, f.anchor, version); err != nil {
		return err
	}
	if f.wal, err = useWAL(ctx, f); err != nil {
		return err
	}
	if err := f.prepare(ctx); err != nil {
		return asDamage(err)
	}
	if err := s.prune(ctx, f.anchor); err != nil {
		return err
	}
	if !f.wholeInPlace() {
		return errMoved
	}
	return nil
}

// ownVersion returns the version of a file of ours, 0 for a new one. Another
// program's is an error, and so is one of a later version.
func ownVersion(ctx context.Context, conn *sql.Conn) (int, error) {
	var application, version, objects int
	for _, figure := range []struct {
		query string
		value *int
	}{
		{"PRAGMA application_id", &application},
		{"PRAGMA user_version", &version},
		{"SELECT count(*) FROM sqlite_schema", &objects},
	} {
		if err := conn.QueryRowContext(ctx, figure.query).Scan(figure.value); err != nil {
			return 0, err
		}
		// Judged as early as may be: what we cannot read of another's file is not
		// damage.
		if isAnothers(application, version, objects) {
			return 0, errors.New("it is a database of another program")
		}
	}
	names, err := migrationNames()
	if err == nil && (version < 0 || version > len(names)) {
		err = fmt.Errorf("it is of a later version of this program (%d, this one knows %d)", version, len(names))
	}
	return version, err
}

// isAnothers judges by the mark, and where there is none by whether the file is
// anybody's.
func isAnothers(application, version, objects int) bool {
	if application == 0 {
		return version != 0 || objects != 0
	}
	return application != applicationID
}

// tighten keeps others from reading a file of ours.
func (s *Store) tighten(ctx context.Context) error {
	if runtime.GOOS == "windows" {
		return nil // where the mode says nothing about others
	}
	for _, suffix := range append([]string{""}, beside()...) {
		info, err := os.Stat(s.path + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err := os.Chmod(s.path+suffix, 0o600); err != nil {
			s.logger.WarnContext(ctx, "others may be able to read the portrait store", "path", s.path+suffix, "cause", err)
		}
	}
	return nil
}

// useWAL turns on the write-ahead log, which lets others read while one writes,
// and returns its identity; nil where the file system does not allow it, on
// which SQLite works as well without.
func useWAL(ctx context.Context, f *file) (os.FileInfo, error) {
	var mode string
	if err := f.anchor.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return nil, err
	}
	if mode != "wal" {
		return nil, nil
	}
	// The log is made when the file is first read.
	var objects int
	if err := f.anchor.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&objects); err != nil {
		return nil, err
	}
	info, err := identify(f.path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errMoved
	}
	return info, err
}

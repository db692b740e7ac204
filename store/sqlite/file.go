package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// file is a file that is open.
type file struct {
	path     string
	identity os.FileInfo
	wal      os.FileInfo // of the write-ahead log; nil where the file system allows none
	db       *sql.DB
	anchor   *sql.Conn // stays open, so that nobody else gets the identity of file and log
	writing  chan struct{}
	cleared  bool // damage was reported before, and not found
	statements
}

// statements are prepared once. That they can be shows that the tables are as
// this program knows them.
type statements struct {
	newest, older, save, kols        *sql.Stmt
	grant, lease, release            *sql.Stmt
	charge, charged, refund, addHits *sql.Stmt
	counts                           *sql.Stmt
}

func (f *file) prepare(ctx context.Context) error {
	for _, statement := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&f.newest, newestSQL},
		{&f.older, olderSQL},
		{&f.save, saveSQL},
		{&f.kols, kolsSQL},
		{&f.grant, grantSQL},
		{&f.lease, leaseSQL},
		{&f.release, releaseSQL},
		{&f.charge, chargeSQL},
		{&f.charged, chargedSQL},
		{&f.refund, refundSQL},
		{&f.addHits, addHitsSQL},
		{&f.counts, countsSQL},
	} {
		var err error
		if *statement.stmt, err = f.db.PrepareContext(ctx, statement.text); err != nil {
			return err
		}
	}
	return nil
}

// inPlace reports whether the file is still found under its path.
func (f *file) inPlace() bool {
	info, err := os.Stat(f.path)
	return err == nil && os.SameFile(info, f.identity)
}

// wholeInPlace reports whether the file and its write-ahead log are still where
// other processes find them.
func (f *file) wholeInPlace() bool {
	if !f.inPlace() {
		return false
	}
	if f.wal == nil {
		return true
	}
	info, err := os.Stat(f.path + "-wal")
	return err == nil && os.SameFile(info, f.wal)
}

// identify returns what os.SameFile compares, read at once: on Windows it
// would be read when it is compared, of whatever is there then.
func identify(path string) (os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	os.SameFile(info, info)
	return info, nil
}

// version returns the number of the last migration that the file has had.
func (f *file) version(ctx context.Context) (int, error) {
	var version int
	err := f.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	return version, err
}

// check reads all of the file; its error is damage where it finds any.
func (f *file) check(ctx context.Context) error {
	var found string
	if err := f.anchor.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, found)
	}
	return nil
}

// close lets go of the file. The last of all processes to do so brings what is
// in the write-ahead log into the file and deletes the log, unless the file has
// been moved.
func (f *file) close() error {
	var errs []error
	if f.anchor != nil {
		errs = append(errs, f.anchor.Close())
	}
	return errors.Join(append(errs, f.db.Close())...)
}

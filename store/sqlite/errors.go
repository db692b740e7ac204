package sqlite

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrUnusable marks the errors of a file that cannot be used as it is and will
// not become usable by waiting: it is another program's, of a later version of
// this one, not a file, not readable or not writable.
var ErrUnusable = errors.New("the file cannot be used as a portrait store")

// errDamaged marks what SQLite does not notice: content that is not what was
// written.
var errDamaged = errors.New("the content is not what was written")

// errMoved is the end of a file that is no longer where it was opened.
var errMoved = errors.New("the file was moved or deleted while in use")

// isDamage reports whether err says that the file is damaged, or its log ends
// where there should be more of it.
func isDamage(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	case sqlite3.SQLITE_IOERR:
		return extendedCode(err) == sqlite3.SQLITE_IOERR_SHORT_READ
	default:
		return errors.Is(err, errDamaged)
	}
}

// code returns SQLite's primary result code, or 0 where err is not SQLite's.
func code(err error) int { return extendedCode(err) & 0xff }

func extendedCode(err error) int {
	if e := (*sqlite.Error)(nil); errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// openError tells that a file could not be opened, and whether it is worth
// trying again.
func openError(path string, err error) error {
	if isPassing(err) {
		return fmt.Errorf("open the portrait store %s: %w", path, err)
	}
	return fmt.Errorf("open the portrait store %s: %w: %w", path, ErrUnusable, err)
}

// isPassing reports whether err may be gone the next time.
func isPassing(err error) bool {
	for _, passing := range []error{
		context.Canceled, context.DeadlineExceeded, errMoved,
		syscall.EMFILE, syscall.ENFILE, syscall.ENOSPC, syscall.EINTR, syscall.EAGAIN, syscall.ENOMEM, syscall.EIO, syscall.EBUSY,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return isPassingCode(extendedCode(err))
}

// isPassingCode judges SQLite's result codes.
func isPassingCode(code int) bool {
	switch code {
	case sqlite3.SQLITE_IOERR_LOCK, sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMLOCK, sqlite3.SQLITE_IOERR_SHMMAP:
		return false // the file system lacks what several processes need
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT,
		sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_SCHEMA:
		return true
	default:
		return false
	}
}

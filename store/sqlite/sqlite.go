// Package sqlite keeps portraits, leases and charges in a SQLite file that
// several processes may share.
//
// A file that turns out to be damaged is put aside under another name, never
// deleted, and a new one takes its place.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"kol-portrait-mcp/store"
)

// ErrUnusable marks the errors of a file or folder that cannot be used and will
// not become usable by waiting: it is not readable or writable, another
// program's, or of another version of this one.
var ErrUnusable = errors.New("cannot be used as a portrait store")

// Options tell which file a Store keeps, and for whom.
type Options struct {
	// Path is the file. It and its folder are made where they are missing, for
	// nobody but the user to read. Beside it are one with .lock added to its name
	// and, while it is open, two more of SQLite's.
	Path   string
	Scope  string       // whose portraits, leases and charges these are, such as vendor or sample; those of other scopes are not seen
	Logger *slog.Logger // hears of files that are put aside; nil discards
}

// DefaultPath returns where portraits are kept unless told otherwise: in a folder
// for data that is found from the user's home folder alone, so that every
// program that starts the server finds the same. It fails where there is no home
// folder.
func DefaultPath() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the home folder: %w", err)
	}
	return filepath.Join(home, dataFolder(runtime.GOOS), "kol-portrait-mcp", "portraits.db"), nil
}

// dataFolder is where an operating system has programs keep data, below the
// home folder.
func dataFolder(system string) string {
	switch system {
	case "darwin":
		return "Library/Application Support"
	case "windows":
		return "AppData/Local" // %LocalAppData%
	default:
		return ".local/share"
	}
}

// Store is a store.Store in a SQLite file.
type Store struct {
	path   string
	scope  string
	logger *slog.Logger

	writing chan struct{} // holds the one write under way: others queue here rather than at SQLite's lock

	mu   sync.RWMutex // read-locked by operations, so that the file is not closed under them
	file *file
}

var _ store.Store = (*Store)(nil)

// Open opens the file, and makes it where there is none. An error that is
// ErrUnusable will not go away by itself; another one, such as that ctx is done
// or the file is locked for long, may.
func Open(ctx context.Context, o Options) (*Store, error) {
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("find the portrait store %s: %w: %w", o.Path, ErrUnusable, err)
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // so that a damaged file is put aside, not the link to it
	}
	s := &Store{path: path, scope: o.Scope, logger: o.Logger, writing: make(chan struct{}, 1)}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	if s.file, err = s.open(ctx, nil); err != nil {
		return nil, err
	}
	return s, nil
}

// Kind implements store.Store.
func (s *Store) Kind() string { return "sqlite" }

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	return s.do(ctx, "reach the portrait store", func(f *file) error {
		_, err := f.ExecContext(ctx, "PRAGMA schema_version")
		return err
	})
}

// Close implements store.Store. It waits for the operations under way.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.file.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.path, err)
	}
	return nil
}

// do runs an operation on the file. Where the file cannot be used any more, the
// operation runs once more, on the file that takes its place.
func (s *Store) do(ctx context.Context, attempted string, operation func(*file) error) error {
	f, err := s.try(ctx, operation)
	if isDamage(err) || errors.Is(err, errMoved) {
		if err = s.replace(ctx, f, err); err == nil {
			_, err = s.try(ctx, operation)
		}
	}
	if err != nil {
		return fmt.Errorf("%s in %s: %w", attempted, s.path, err)
	}
	return nil
}

// try runs an operation on the file, unless the file is closed or moved: what
// would be saved in a file that was put aside would not be found again.
func (s *Store) try(ctx context.Context, operation func(*file) error) (*file, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch f := s.file; {
	case ctx.Err() != nil:
		return f, ctx.Err()
	case f.fault != nil:
		return f, f.fault
	case !f.isAt(s.path):
		return f, errMoved
	default:
		return f, operation(f)
	}
}

// replace opens the file that takes the place of f, unless another operation
// has done so. It waits for the operations on f.
func (s *Store) replace(ctx context.Context, f *file, fault error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != f {
		return nil
	}
	f.fault = fault
	_ = f.Close() // what it could not do is lost with the file
	next, err := s.open(ctx, f)
	if err != nil {
		return err
	}
	s.file = next
	return nil
}

// isDamage reports whether err says that the file is damaged.
func isDamage(err error) bool {
	code := codeOf(err)
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

// codeOf returns SQLite's primary result code, or 0 where err is not SQLite's.
func codeOf(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// Package sqlite keeps portraits, leases and charges in a SQLite file that
// several processes may share.
//
// A file that turns out to be damaged, at the start or in the middle, is put
// aside under another name, and a new one takes its place, into which is copied
// what can be read of it; it is never deleted. Where the day's charges cannot be
// read to the last, the new file says so, and takes none within a limit.
// The same goes on where somebody takes the file away while it is in use: what
// has been saved is always in the file that the next process opens.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/semaphore"

	"kol-portrait-mcp/store"
)

// Options tell which file a Store keeps, and for whom.
type Options struct {
	// Path is the file. It and its folder are made where they are missing, for
	// nobody but the user to read. Beside it are a file with .lock added to its
	// name and, while it is open, two more of SQLite's.
	Path string
	// Scope is whose portraits, leases and charges these are, such as vendor or
	// sample. A Store sees nothing of another scope in the same file.
	Scope string
	// Logger hears of files that are put aside. Nil discards.
	Logger *slog.Logger
}

// DefaultPath returns where portraits are kept unless told otherwise: in the
// user's folder for caches. It fails where the environment names none.
func DefaultPath() (string, error) {
	folder, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the folder for caches: %w", err)
	}
	return filepath.Join(folder, "kol-portrait-mcp", "portraits.db"), nil
}

// Store is a store.Store in a SQLite file.
type Store struct {
	path   string
	scope  string
	logger *slog.Logger
	now    func() time.Time

	// users is taken once by each operation and as a whole by who replaces file
	// or closes it.
	users  *semaphore.Weighted
	file   *file // nil after it could not be replaced: the next operation tries again
	closed bool
}

var _ store.Store = (*Store)(nil)

// allUsers is more than there are operations at once.
const allUsers = 1 << 30

// patience is how long work is waited for that other processes, or other
// operations, have begun on the file as a whole.
const patience = 30 * time.Second

var errClosed = errors.New("the store is closed")

// Open opens the file, makes it where there is none, and brings it up to date.
// An error that is ErrUnusable will not go away by itself; another one, such as
// that the file is locked for long or ctx has ended, may.
func Open(ctx context.Context, o Options) (*Store, error) { return openAt(ctx, o, time.Now) }

// openAt is Open by a clock.
func openAt(ctx context.Context, o Options, now func() time.Time) (*Store, error) {
	path, err := locate(o.Path)
	if err != nil {
		return nil, openError(o.Path, err)
	}
	s := &Store{path: path, scope: o.Scope, logger: o.Logger, now: now, users: semaphore.NewWeighted(allUsers)}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, openError(path, err)
	}
	defer unlock()
	if s.file, err = s.open(ctx); err != nil {
		return nil, openError(path, err)
	}
	return s, nil
}

// locate returns the path that all who mean the same file agree on, and makes
// its folder.
func locate(path string) (string, error) {
	if path == "" {
		return "", errors.New("no path")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err == nil {
		return resolved, nil
	}
	// Not just a file that is missing, or was until now, but perhaps a link to a
	// disk that is.
	if info, there := os.Lstat(path); there == nil && info.Mode()&os.ModeSymlink != 0 {
		return "", fmt.Errorf("%s leads nowhere: %w", path, err)
	}
	folder, name := filepath.Dir(path), filepath.Base(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	if resolved, err := filepath.EvalSymlinks(folder); err == nil {
		folder = resolved
	}
	return filepath.Join(folder, name), nil
}

// Kind implements store.Store.
func (s *Store) Kind() string { return "sqlite" }

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, "reach the file", func(f *file) error {
		_, err := f.version(ctx)
		return err
	})
}

// Close implements store.Store. It waits for the operations under way. The last
// process to close leaves all there is in the one file.
func (s *Store) Close() error {
	ctx := context.Background()
	if err := s.users.Acquire(ctx, allUsers); err != nil {
		return err
	}
	defer s.users.Release(allUsers)
	s.closed = true
	if s.file == nil {
		return nil
	}
	defer func() { s.file = nil }()
	// Under the lock, since the last to close deletes what SQLite keeps beside
	// the file, by name: it should be sure whose they are.
	if unlock, err := s.lock(ctx); err == nil {
		defer unlock()
	}
	if err := s.file.close(); err != nil {
		return fmt.Errorf("close %s: %w", s.path, err)
	}
	return nil
}

// read runs an operation that changes nothing; see do.
func (s *Store) read(ctx context.Context, what string, operation func(f *file) error) error {
	return s.do(ctx, what, (*file).inPlace, operation)
}

// write runs an operation that changes something, one at a time; see do.
func (s *Store) write(ctx context.Context, what string, operation func(f *file) error) error {
	return s.do(ctx, what, (*file).wholeInPlace, func(f *file) error {
		select {
		case f.writing <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		defer func() { <-f.writing }()
		return operation(f)
	})
}

// mostReplacements is how often one operation sees the file replaced before it
// gives up. A file that is damaged may take two: one to open it anew, one to
// put it aside.
const mostReplacements = 5

// do runs an operation on the file. Every method goes through here, since this
// is where a file is replaced. The operation counts only if the file that it ran
// on is still in its place afterwards, so that whatever has been saved is where
// the next process looks; else, and where the file turned out to be damaged, it
// runs again on the one that takes its place.
func (s *Store) do(ctx context.Context, what string, inPlace func(*file) bool, operation func(f *file) error) error {
	var cause error
	for range mostReplacements {
		f, err := s.use(ctx)
		if err != nil {
			return fmt.Errorf("%s in %s: %w", what, s.path, err)
		}
		if f != nil {
			cause = operation(f)
			moved := ctx.Err() == nil && !inPlace(f)
			s.users.Release(1)
			switch {
			case moved:
				cause = errMoved
			case cause == nil:
				return nil
			case !isDamage(cause):
				return fmt.Errorf("%s in %s: %w", what, s.path, cause)
			}
		}
		if err := s.replace(ctx, f, cause); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return fmt.Errorf("%s: %s was replaced again and again, at last because: %w", what, s.path, cause)
}

// use returns the file for an operation that is to release its place among the
// users when it is done; or nil, and no place, where there is none at present.
func (s *Store) use(ctx context.Context) (*file, error) {
	if err := s.users.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	if s.closed {
		s.users.Release(1)
		return nil, errClosed
	}
	f := s.file
	if f == nil {
		s.users.Release(1)
	}
	return f, nil
}

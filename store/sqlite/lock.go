package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lock keeps other processes, and other Stores in this one, from opening,
// making or putting aside the file. It is the system's lock on a file beside it
// and ends with the process. The file of the lock stays, because another process
// may be about to lock it. A wait of more than patience fails.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return nil, err // it may have been deleted while the file was in use
	}
	lock := flock.New(s.path + ".lock")
	locked, err := lock.TryLockContext(ctx, 2*time.Millisecond)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	if !locked {
		return nil, errors.New("lock " + lock.Path() + ": refused")
	}
	return func() { _ = lock.Unlock() }, nil
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// replace closes a file that an operation could not use, and opens the one that
// is now in its place. Where f is still there and the cause is damage, it is put
// aside first. Nothing happens where another operation has replaced f already,
// and where another process has, its file is used.
func (s *Store) replace(ctx context.Context, f *file, cause error) error {
	// Others gain from it too, so it does not end with who came first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := s.users.Acquire(ctx, allUsers); err != nil {
		return openError(s.path, err)
	}
	defer s.users.Release(allUsers)
	if s.file != f || s.closed {
		return nil
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return openError(s.path, err)
	}
	defer unlock()
	if err := s.replaceLocked(ctx, f, cause); err != nil {
		return openError(s.path, err)
	}
	return nil
}

func (s *Store) replaceLocked(ctx context.Context, f *file, cause error) error {
	doubted := false
	if f != nil {
		// Asked before f is closed: as long as it is open, no other file can have
		// its identity.
		doubted = f.inPlace() && isDamage(cause)
		if !f.inPlace() {
			s.logger.WarnContext(ctx, "the portrait store was moved or deleted while in use; going on with what is in its place", "path", s.path)
		}
		_ = f.close() // what it could not do matters to nobody any more
		s.file = nil
	}
	if doubted && f.cleared {
		if err := s.putAside(ctx, cause); err != nil {
			return err
		}
		doubted = false
	}
	opened, err := s.open(ctx)
	if err != nil {
		return err
	}
	if !doubted {
		s.file = opened
		return nil
	}
	return s.examine(ctx, opened)
}

// examine looks for the damage that an operation has reported in all of a file
// that was just opened, and puts it aside where there is any. A file that seems
// sound may be used on: the damage may have been in what a connection
// remembered. The next report of damage counts without another look, because
// there is damage that SQLite does not see.
func (s *Store) examine(ctx context.Context, f *file) error {
	err := f.check(ctx)
	if err == nil {
		f.cleared = true
		s.file = f
		return nil
	}
	_ = f.close()
	if !isDamage(err) {
		return err
	}
	if err := s.putAside(ctx, err); err != nil {
		return err
	}
	s.file, err = s.open(ctx)
	return err
}

// beside are what SQLite adds to a file's name for those that belong to it.
func beside() []string { return []string{"-wal", "-shm", "-journal"} }

// putAside renames the file and what belongs to it. The lock must be held.
func (s *Store) putAside(ctx context.Context, cause error) error {
	name, err := s.freeName()
	if err != nil {
		return fmt.Errorf("put the damaged file aside: %w", err)
	}
	if err := s.note(name); err != nil {
		return fmt.Errorf("note the damaged file to be salvaged: %w", err)
	}
	moved := 0
	for _, suffix := range append([]string{""}, beside()...) {
		err := os.Rename(s.path+suffix, name+suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("put the damaged file aside: %w", err)
		}
		moved++
	}
	if moved > 0 {
		s.logger.WarnContext(ctx, "the portrait store is damaged and was put aside; a new one takes its place",
			"path", s.path, "putAside", name, "cause", cause)
	}
	return nil
}

// freeName returns a name for a file that is put aside which neither it nor any
// file that belongs to it has had before.
func (s *Store) freeName() (string, error) {
	stamped := s.path + ".damaged-" + s.now().UTC().Format("20060102T150405Z")
	name := stamped
	for i := 2; ; i++ {
		free, err := isFree(name)
		if free || err != nil {
			return name, err
		}
		name = fmt.Sprintf("%s-%d", stamped, i)
	}
}

func isFree(name string) (bool, error) {
	for _, suffix := range append([]string{""}, beside()...) {
		_, err := os.Lstat(name + suffix)
		if err == nil {
			return false, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return true, nil
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"kol-portrait-mcp/schema"
)

// salvageTime is how long may be read in files that were put aside. Others wait
// for it, though for no longer than their patience.
const salvageTime = 10 * time.Second

// noteSuffix is added to the name of the file for the note of what was put aside
// and has not been salvaged. It is there from before the one until after the
// other, so that no process that ends in between, or cannot make the new file,
// leaves it undone.
const noteSuffix = ".salvage"

// note adds to the note the name that the file will have when it is put aside.
// One that is missing was deleted by somebody, and so was what it counted; one
// that has no content had none to lose.
func (s *Store) note(name string) error {
	if _, err := os.Lstat(s.path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	size, err := sizeOf(s.path)
	if err != nil {
		return err
	}
	logs, err := sizeBeside(s.path)
	if err != nil || size+logs == 0 {
		return err
	}
	f, err := os.OpenFile(s.path+noteSuffix, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	// Without the path, which may have line breaks in it.
	_, err = f.WriteString(strings.TrimPrefix(name, s.path) + "\n")
	return errors.Join(err, f.Close())
}

// noted returns the names of the files that are to be salvaged.
func (s *Store) noted() ([]string, error) {
	text, err := os.ReadFile(s.path + noteSuffix)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	var names []string
	for suffix := range strings.Lines(string(text)) {
		names = append(names, s.path+strings.TrimSuffix(suffix, "\n"))
	}
	return names, nil
}

// salvage copies into a new file what can be read of those that were put aside,
// whatever its scope, before anybody uses it. It fails only where the new file
// cannot even be told that the day's calls are not known. The lock must be held.
func (s *Store) salvage(ctx context.Context, f *file) error {
	names, err := s.noted()
	if err != nil {
		return fmt.Errorf("read which files are to be salvaged: %w", err)
	}
	if len(names) == 0 {
		return nil
	}
	// All gain from it, so that it does not end with who came first.
	ctx = context.WithoutCancel(ctx)
	reading, cancel := context.WithTimeout(ctx, salvageTime)
	defer cancel()
	for _, name := range names {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			continue // it was noted and then not put aside, or somebody has taken it away
		}
		if err := s.salvageFrom(reading, f, name); err != nil {
			return fmt.Errorf("salvage %s: %w", name, err)
		}
	}
	if err := os.Remove(s.path + noteSuffix); err != nil {
		s.logger.WarnContext(ctx, "the damaged portrait store will be salvaged once more", "path", s.path, "cause", err)
	}
	return nil
}

// salvageFrom salvages one file, and tells what came of it. The end of ctx ends
// the reading alone: what was read until then is kept.
func (s *Store) salvageFrom(ctx context.Context, f *file, name string) error {
	writing, facts := context.WithoutCancel(ctx), []any{"path", s.path, "from", name}
	saved, err := s.copyFrom(ctx, f, name)
	if err != nil {
		saved = salvaged{} // it was one transaction
		facts = append(facts, "cause", err)
		err := inTransaction(writing, f.anchor, func(tx *sql.Tx) error { return markUncounted(writing, tx, s.recentDays()) })
		if err != nil {
			return err
		}
	}
	told := "what could be read of the damaged portrait store was saved"
	if !saved.counted {
		told += "; today's charged calls are not known, so that no daily limit can be kept before tomorrow"
	}
	s.logger.WarnContext(ctx, told, append(facts, "portraits", saved.portraits, "chargedCalls", saved.charges)...)
	return nil
}

func (s *Store) copyFrom(ctx context.Context, f *file, name string) (salvaged, error) {
	from, err := openDamaged(name)
	if err != nil {
		return salvaged{}, err
	}
	defer func() { _ = from.Close() }() // nothing was written
	var saved salvaged
	writing, days := context.WithoutCancel(ctx), s.recentDays()
	err = inTransaction(writing, f.anchor, func(tx *sql.Tx) error {
		c := &copier{from: from, to: tx, file: f, since: days[0]}
		if saved, err = c.copy(ctx); err != nil || saved.counted {
			return err
		}
		return markUncounted(writing, tx, days)
	})
	return saved, err
}

// recentDays are those whose charges and hits are salvaged: today, and the day
// before for calls that began before midnight.
func (s *Store) recentDays() []schema.Day {
	now := s.now()
	return []schema.Day{schema.DayOf(now.Add(-24 * time.Hour)), schema.DayOf(now)}
}

const markUncountedSQL = `INSERT INTO uncounted (day) VALUES (?) ON CONFLICT DO NOTHING`

// markUncounted remembers that charges of these days are missing.
func markUncounted(ctx context.Context, tx *sql.Tx, days []schema.Day) error {
	for _, day := range days {
		if _, err := tx.ExecContext(ctx, markUncountedSQL, string(day)); err != nil {
			return err
		}
	}
	return nil
}

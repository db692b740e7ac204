package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"syscall"
	"time"

	"kol-portrait-mcp/collector"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/sqlite"
	"kol-portrait-mcp/upstream"
	"kol-portrait-mcp/upstream/sample"
)

// readings are how often a portrait is read in one round: it takes far less
// than a call.
const readings = 100_000

// takeReading measures what reading a stored portrait costs by itself: all that
// the collector and its SQLite file do in a stored call.
func (r *results) takeReading(ctx context.Context, rounds int, dir string) error {
	c := collector.New(collector.Options{
		Upstream: nobody{},
		Store: func(ctx context.Context) (store.Store, error) {
			return sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "stored.db"), Scope: "sample", Logger: slog.New(slog.DiscardHandler)})
		},
		Environment:  schema.EnvironmentSample,
		CacheTTL:     24 * time.Hour,
		AnswerWithin: time.Minute,
		Deadline:     time.Minute,
		Now:          time.Now,
		Logger:       slog.New(slog.DiscardHandler),
	})
	for range rounds {
		before, err := processorTime()
		if err != nil {
			return err
		}
		for range readings {
			if _, err := c.Portrait(ctx, sample.DocumentedID, false); err != nil {
				return err
			}
		}
		after, err := processorTime()
		if err != nil {
			return err
		}
		r.addTo(readingProcessor, ours, microseconds(after-before)/readings)
	}
	return c.Close(ctx)
}

// nobody sells nothing: what is measured must be in the store.
type nobody struct{}

// Portrait always fails.
func (nobody) Portrait(context.Context, string, bool, upstream.Admit) (*schema.Collected, error) {
	return nil, &schema.Error{Kind: schema.Internal, Message: "the portrait is not in the store"}
}

// processorTime is what this process has used so far.
func processorTime() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("read the processor time: %w", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

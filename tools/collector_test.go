package tools_test

import (
	"context"
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

// Stored finds nothing: a collectorFunc keeps nothing.
func (collectorFunc) Stored(context.Context, string) (*schema.Collected, error) { return nil, nil }

// Owe owes nothing.
func (collectorFunc) Owe(context.Context, *schema.Collected, bool) (paid func()) { return func() {} }

// OweFailure owes nothing.
func (collectorFunc) OweFailure(context.Context, string, error, bool) (paid func()) {
	return func() {}
}

// Older finds nothing.
func (collectorFunc) Older(context.Context, string, string) (*schema.Collected, error) {
	return nil, nil
}

// KOLs lists nothing.
func (collectorFunc) KOLs(context.Context, string, int) ([]string, error) { return nil, nil }

// Usage is that of an idle day.
func (collectorFunc) Usage(context.Context) (schema.Usage, error) { return schema.Usage{}, nil }

// shelf is a Collector that has what is stored, and collects nothing.
type shelf struct {
	collectorFunc

	portraits map[string]*schema.Collected
	older     map[string]*schema.Collected // by KOL
	usage     schema.Usage
	err       error  // what all else fails of, where it is set
	panics    string // what it panics with, where it is set
}

func (s shelf) fail() error {
	if s.panics != "" {
		panic(s.panics)
	}
	return s.err
}

func (s shelf) Stored(_ context.Context, kolID string) (*schema.Collected, error) {
	return s.portraits[kolID], s.fail()
}

func (s shelf) Older(_ context.Context, kolID, asOf string) (*schema.Collected, error) {
	older := s.older[kolID]
	if older == nil || older.AsOf >= asOf {
		return nil, s.fail()
	}
	return older, s.fail()
}

func (s shelf) KOLs(_ context.Context, prefix string, limit int) ([]string, error) {
	var ids []string
	for id := range s.portraits {
		if strings.HasPrefix(id, prefix) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[:min(limit, len(ids))], s.fail()
}

func (s shelf) Usage(context.Context) (schema.Usage, error) { return s.usage, s.fail() }

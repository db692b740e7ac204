package tools_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
	"kol-portrait-mcp/tools"
	"kol-portrait-mcp/upstream"
	"kol-portrait-mcp/upstream/sample"
)

// collectorFunc is a Collector made of a function.
type collectorFunc func(ctx context.Context, kolID string, fresh bool) (*schema.Collected, error)

func (f collectorFunc) Portrait(ctx context.Context, kolID string, fresh bool) (*schema.Collected, error) {
	return f(ctx, kolID, fresh)
}

// sampleVendor is a Collector that asks the simulated vendor each time.
func sampleVendor(t *testing.T) tools.Collector {
	t.Helper()
	client := upstream.New(upstream.Config{
		Environment: schema.EnvironmentSample, BaseURL: sample.Address, Token: secret.New(sample.Token), Transport: sample.New().Transport(),
		MaxAttempts: 1, MaxRPS: 1e6,
	})
	everything := func(context.Context) (func(bool), error) { return func(bool) {}, nil }
	return collectorFunc(func(ctx context.Context, id string, fresh bool) (*schema.Collected, error) {
		p, err := client.Portrait(ctx, id, fresh, everything)
		if err != nil {
			return nil, err
		}
		read := upstream.Read(p.Data)
		p.ID, p.AsOf, p.RetrievedAt, p.RequestID = "portrait of "+id, read.AsOf, today(), "sample-0e3e900709ceda97"
		return &schema.Collected{Portrait: *p, Distributions: read.Distributions, Charged: true}, nil
	})
}

// paid is a small portrait that was charged.
func paid() *schema.Collected {
	return &schema.Collected{
		Portrait: schema.Portrait{
			ID: "paid", KOLID: kolID, AsOf: "2026-11-20", RetrievedAt: today(),
			Endpoint: schema.EndpointPortrait, Environment: schema.EnvironmentGlobal,
			Data: json.RawMessage(`{"gender":{"female":0.6,"male":0.4},"dateKey":"2026-11-20"}`),
		},
		Distributions: schema.Distributions{Rows: map[schema.Dimension][]schema.Row{schema.DimensionGender: {{Name: "female", Share: 0.6}, {Name: "male", Share: 0.4}}}},
		Charged:       true,
	}
}

// Stored finds nothing: a collectorFunc keeps nothing.
func (collectorFunc) Stored(context.Context, string) (*schema.Collected, error) { return nil, nil }

// Older finds nothing.
func (collectorFunc) Older(context.Context, *schema.Collected) (*schema.Collected, error) {
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

func (s shelf) Older(_ context.Context, newest *schema.Collected) (*schema.Collected, error) {
	older := s.older[newest.KOLID]
	if older == nil || older.AsOf >= newest.AsOf {
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

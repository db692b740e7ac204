package store

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/telemetry"
)

// Observe returns s with a span around each operation, within the span of its ctx, and
// a count of those that fail. A caller that leaves is no failure of the store's.
func Observe(s Store, m *telemetry.Metrics) Store { return &observed{s, m} }

type observed struct {
	Store
	metrics *telemetry.Metrics
}

// watch does an operation under its name.
func watch[T any](ctx context.Context, o *observed, name string, do func(ctx context.Context) (T, error)) (T, error) {
	ctx, span := telemetry.StartClient(ctx, "store "+name, attribute.String("db.system.name", o.Kind()), attribute.String("db.operation.name", name))
	defer span.End()
	result, err := do(ctx)
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		o.metrics.StoreError(name)
		span.SetStatus(codes.Error, "") // the text is in the log
	}
	return result, err
}

// watchErr is watch for an operation without a result.
func watchErr(ctx context.Context, o *observed, name string, do func(ctx context.Context) error) error {
	_, err := watch(ctx, o, name, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx) })
	return err
}

// Newest implements Store.
func (o *observed) Newest(ctx context.Context, kolID string) (*schema.Portrait, error) {
	return watch(ctx, o, "Newest", func(ctx context.Context) (*schema.Portrait, error) { return o.Store.Newest(ctx, kolID) })
}

// Older implements Store.
func (o *observed) Older(ctx context.Context, kolID, asOf string) (*schema.Portrait, error) {
	return watch(ctx, o, "Older", func(ctx context.Context) (*schema.Portrait, error) { return o.Store.Older(ctx, kolID, asOf) })
}

// Save implements Store.
func (o *observed) Save(ctx context.Context, p *schema.Portrait, keep time.Duration) error {
	return watchErr(ctx, o, "Save", func(ctx context.Context) error { return o.Store.Save(ctx, p, keep) })
}

// KOLs implements Store.
func (o *observed) KOLs(ctx context.Context, prefix string, limit int) ([]string, error) {
	return watch(ctx, o, "KOLs", func(ctx context.Context) ([]string, error) { return o.Store.KOLs(ctx, prefix, limit) })
}

// Acquire implements Store.
func (o *observed) Acquire(ctx context.Context, kolID, holder string, lasts time.Duration) (Lease, error) {
	return watch(ctx, o, "Acquire", func(ctx context.Context) (Lease, error) { return o.Store.Acquire(ctx, kolID, holder, lasts) })
}

// Release implements Store.
func (o *observed) Release(ctx context.Context, kolID, holder string) error {
	return watchErr(ctx, o, "Release", func(ctx context.Context) error { return o.Store.Release(ctx, kolID, holder) })
}

// Fail implements Store.
func (o *observed) Fail(ctx context.Context, kolID, holder string, failure *schema.Error, lasts time.Duration) error {
	return watchErr(ctx, o, "Fail", func(ctx context.Context) error { return o.Store.Fail(ctx, kolID, holder, failure, lasts) })
}

// Charge implements Store.
func (o *observed) Charge(ctx context.Context, c Charge, limits Limits) (Refusal, error) {
	return watch(ctx, o, "Charge", func(ctx context.Context) (Refusal, error) { return o.Store.Charge(ctx, c, limits) })
}

// Refund implements Store.
func (o *observed) Refund(ctx context.Context, c Charge) error {
	return watchErr(ctx, o, "Refund", func(ctx context.Context) error { return o.Store.Refund(ctx, c) })
}

// Charged implements Store.
func (o *observed) Charged(ctx context.Context, day schema.Day) (Charges, error) {
	return watch(ctx, o, "Charged", func(ctx context.Context) (Charges, error) { return o.Store.Charged(ctx, day) })
}

// Turn implements Store.
func (o *observed) Turn(ctx context.Context, every time.Duration) (time.Duration, error) {
	return watch(ctx, o, "Turn", func(ctx context.Context) (time.Duration, error) { return o.Store.Turn(ctx, every) })
}

// Ping implements Store.
func (o *observed) Ping(ctx context.Context) error {
	return watchErr(ctx, o, "Ping", func(ctx context.Context) error { return o.Store.Ping(ctx) })
}

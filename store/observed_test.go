package store_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/memory"
	"kol-portrait-mcp/telemetry"
)

// A store that is observed does as it would alone.
func TestObserved(t *testing.T) {
	testStore(t, "memory", func(*testing.T) opener {
		scopes := map[string]store.Store{}
		return func(scope string) store.Store {
			if scopes[scope] == nil {
				scopes[scope] = store.Observe(memory.New(), nil)
			}
			return scopes[scope]
		}
	})
}

// away is a store that cannot be reached.
type away struct {
	store.Store
	err error
}

func (a away) Kind() string                                                    { return "redis" }
func (a away) Newest(context.Context, string) (*schema.Portrait, error)        { return nil, a.err }
func (a away) Older(context.Context, string, string) (*schema.Portrait, error) { return nil, a.err }
func (a away) Save(context.Context, *schema.Portrait, time.Duration) error     { return a.err }
func (a away) KOLs(context.Context, string, int) ([]string, error)             { return nil, a.err }
func (a away) Release(context.Context, string, string) error                   { return a.err }
func (a away) Refund(context.Context, store.Charge) error                      { return a.err }
func (a away) Turn(context.Context, time.Duration) (time.Duration, error)      { return 0, a.err }
func (a away) Ping(context.Context) error                                      { return a.err }
func (a away) Acquire(context.Context, string, string, time.Duration) (store.Lease, error) {
	return store.Lease{}, a.err
}
func (a away) Fail(context.Context, string, string, *schema.Error, time.Duration) error { return a.err }
func (a away) Charge(context.Context, store.Charge, store.Limits) (store.Refusal, error) {
	return 0, a.err
}
func (a away) Charged(context.Context, schema.Day) (store.Charges, error) {
	return store.Charges{}, a.err
}

// each calls each operation of a store, and returns their names.
func each(ctx context.Context, t *testing.T, s store.Store, want error) (names []string) {
	t.Helper()
	for i := range reflect.TypeFor[store.Store]().NumMethod() {
		name := reflect.TypeFor[store.Store]().Method(i).Name
		if name == "Kind" || name == "Close" {
			continue
		}
		method := reflect.ValueOf(s).MethodByName(name)
		in := []reflect.Value{reflect.ValueOf(ctx)}
		for i := 1; i < method.Type().NumIn(); i++ {
			in = append(in, reflect.Zero(method.Type().In(i)))
		}
		out := method.Call(in)
		err, _ := out[len(out)-1].Interface().(error)
		require.ErrorIs(t, err, want, name)
		names = append(names, name)
	}
	return names
}

func metricsOf(m *telemetry.Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestEachOperationIsObserved(t *testing.T) {
	recorder, m := tracetest.NewSpanRecorder(), telemetry.NewMetrics(telemetry.Build{})
	ctx, parent := telemetry.Tracer(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))).Start(t.Context(), "collect")
	gone := errors.New("dial redis://user:password@host")
	names := each(ctx, t, store.Observe(away{err: gone}, m), gone)
	require.Len(t, recorder.Ended(), len(names))
	for i, span := range recorder.Ended() {
		assert.Equal(t, "store "+names[i], span.Name())
		assert.Equal(t, trace.SpanKindClient, span.SpanKind())
		assert.Equal(t, parent.SpanContext().SpanID(), span.Parent().SpanID())
		assert.Equal(t, "redis", span.Attributes()[0].Value.AsString())
		assert.Equal(t, sdktrace.Status{Code: codes.Error}, span.Status())
		assert.Contains(t, metricsOf(m), `kol_portrait_store_errors_total{operation="`+names[i]+`"} 1`)
	}
	each(t.Context(), t, store.Observe(away{err: gone}, nil), gone)
	assert.Len(t, recorder.Ended(), len(names), "without a trace there are no spans")
}

// What is no fault of the store's is none in its figures.
func TestNoFaultOfTheStore(t *testing.T) {
	left, leave := context.WithCancel(t.Context())
	leave()
	m := telemetry.NewMetrics(telemetry.Build{})
	each(left, t, store.Observe(away{err: context.Canceled}, m), context.Canceled)
	assert.NotRegexp(t, `store_errors_total\{.*\} [1-9]`, metricsOf(m))

	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	each(late, t, store.Observe(away{err: context.DeadlineExceeded}, m), context.DeadlineExceeded)
	assert.Regexp(t, `store_errors_total\{operation="Turn"\} 1`, metricsOf(m))
}

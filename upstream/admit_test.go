package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream/sample"
)

// ledger is an Admit that keeps account: a budget, where there is one, and
// every admission with what it was settled with.
type ledger struct {
	limit int // 0: none

	mu      sync.Mutex
	spent   int // admitted, and not settled as free
	entries [][]bool
}

func (l *ledger) admit(context.Context) (func(bool), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limit > 0 && l.spent >= l.limit {
		return nil, exhausted()
	}
	l.spent++
	n := len(l.entries)
	l.entries = append(l.entries, nil)
	return func(charged bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.entries[n] = append(l.entries[n], charged)
		if !charged {
			l.spent--
		}
	}, nil
}

// settled is what each admission was settled with, in order.
func (l *ledger) settled(t *testing.T) []bool {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	all := []bool{}
	for _, entry := range l.entries {
		require.Len(t, entry, 1, "settled exactly once")
		all = append(all, entry[0])
	}
	return all
}

// open is how many admissions are not settled yet.
func (l *ledger) open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	open := 0
	for _, entry := range l.entries {
		if len(entry) == 0 {
			open++
		}
	}
	return open
}

func exhausted() *schema.Error {
	return &schema.Error{Kind: schema.BudgetExhausted, Message: "The budget is used up.", Retryable: true, RetryAfterSeconds: 60}
}

// What each admission is settled with, whatever the environment.
func TestEveryAdmissionIsSettledOnce(t *testing.T) {
	tests := []struct {
		name    string
		id      string
		policy  schema.EndpointPolicy
		settled []bool
	}{
		{"success", someID, schema.PolicyPortrait, []bool{true}},
		{"success of the successor", someID, schema.PolicyProfile, []bool{true}},
		{"refusal", "sample-code-601", schema.PolicyPortrait, []bool{false}},
		{"refusals and a success", "sample-code-301-twice", schema.PolicyPortrait, []bool{false, false, true}},
		{"failures", "sample-http-503", schema.PolicyPortrait, []bool{false, false, false}},
		{"redirect", "sample-redirect", schema.PolicyPortrait, []bool{false}},
		{"a gateway's timeout", "sample-http-504", schema.PolicyPortrait, []bool{true}},
		{"no answer", "sample-stall", schema.PolicyPortrait, []bool{true}},
		{"an answer that breaks off", "sample-cut-off", schema.PolicyPortrait, []bool{true}},
		{"charged for nothing", "sample-empty-data", schema.PolicyPortrait, []bool{true}},
		{"no answer of the vendor's", "sample-not-json", schema.PolicyPortrait, []bool{true}},
		{"V1 gone, and its successor", "sample-v1-removed", schema.PolicyAuto, []bool{false, true}},
		{"V1 failing, and its successor", "sample-v1-fails", schema.PolicyAuto, []bool{false, false, false, true}},
		{"both gone", "sample-code-300", schema.PolicyAuto, []bool{false, false}},
		{"both failing", "sample-code-301", schema.PolicyAuto, []bool{false, false, false, false}},
	}
	for _, test := range tests {
		for _, environment := range []schema.Environment{schema.EnvironmentGlobal, schema.EnvironmentSample} {
			t.Run(fmt.Sprintf("%s, %s", test.name, environment), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, _ := sampleClient(t, func(cfg *Config) { cfg.Endpoint, cfg.Environment = test.policy, environment })
					book := &ledger{}
					_, err := client.Portrait(t.Context(), test.id, false, book.admit)
					assert.Equal(t, test.settled, book.settled(t))
					if told := (*schema.Error)(nil); errors.As(err, &told) {
						last := test.settled[len(test.settled)-1]
						assert.Equal(t, last && environment == schema.EnvironmentGlobal, told.Charged, "told as it was settled, but for samples")
					}
				})
			})
		}
	}
}

// What happens below HTTP.
func TestAdmissionsOfRequestsThatGoWrong(t *testing.T) {
	var taken atomic.Int32
	hangsUp := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		taken.Add(1)
		panic(http.ErrAbortHandler)
	}))
	defer hangsUp.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	tests := map[string]struct {
		address string
		settled []bool
	}{
		"cannot be dialled":     {"http://" + listener.Addr().String(), []bool{false, false, false}},
		"reset after the write": {hangsUp.URL, []bool{true}},
		"no address":            {"nowhere", []bool{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(newTransport())
			cfg.BaseURL = test.address
			book := &ledger{}
			_, err := New(cfg).Portrait(t.Context(), someID, false, book.admit)
			require.Error(t, err)
			assert.Equal(t, test.settled, book.settled(t))
		})
	}
	assert.EqualValues(t, 1, taken.Load())
}

func TestTransportThatPanics(t *testing.T) {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, good) }))
	defer vendor.Close()
	inner := newTransport()
	defer inner.CloseIdleConnections()
	tests := map[string]struct {
		transport roundTrip
		charged   bool
	}{
		"before it writes": {func(*http.Request) (*http.Response, error) { panic("oops") }, false},
		"after it wrote": {func(req *http.Request) (*http.Response, error) {
			resp, err := inner.RoundTrip(req)
			assert.NoError(t, err)
			assert.NoError(t, resp.Body.Close())
			panic("oops")
		}, true},
		"while the answer is read": {func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: panickingBody{}}, nil
		}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(test.transport)
			cfg.BaseURL = vendor.URL
			book := &ledger{}
			assert.PanicsWithValue(t, "oops", func() { _, _ = New(cfg).Portrait(t.Context(), someID, false, book.admit) })
			assert.Equal(t, []bool{test.charged}, book.settled(t))
		})
	}
}

// panickingBody is a body that cannot be read.
type panickingBody struct{}

func (panickingBody) Read([]byte) (int, error) { panic("oops") }

func (panickingBody) Close() error { return nil }

func TestAdmissionAndTheEndOfTheCall(t *testing.T) {
	t.Run("before it began", func(t *testing.T) {
		client, _ := sampleClient(t, nil)
		book := &ledger{}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 { // whether the limiter notices is chance
			_, err := client.Portrait(ctx, someID, false, book.admit)
			require.Error(t, err)
		}
		assert.Empty(t, book.settled(t), "not admitted")
	})
	t.Run("while waiting for the limiter", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, _ := sampleClient(t, func(cfg *Config) { cfg.MaxRPS = 0.001 })
			_, err := client.Portrait(t.Context(), "first", false, nil)
			require.NoError(t, err)
			book := &ledger{}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err = client.Portrait(ctx, "second", false, book.admit)
			require.Error(t, err)
			assert.Empty(t, book.settled(t), "not admitted")
		})
	})
	t.Run("while it is admitted", func(t *testing.T) {
		client, vendor := sampleClient(t, nil)
		book := &ledger{}
		ctx, cancel := context.WithCancel(t.Context())
		_, err := client.Portrait(ctx, someID, false, func(ctx context.Context) (func(bool), error) {
			cancel()
			return book.admit(ctx)
		})
		require.Error(t, err)
		assert.Equal(t, []bool{false}, book.settled(t))
		assert.Zero(t, vendor.Requests(someID))
	})
	t.Run("while the vendor works", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, _ := sampleClient(t, nil)
			book := &ledger{}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := client.Portrait(ctx, "sample-stall", false, book.admit)
			require.Error(t, err)
			assert.Equal(t, []bool{true}, book.settled(t))
		})
	})
	t.Run("just as the answer comes", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := New(testConfig(roundTrip(func(req *http.Request) (*http.Response, error) {
			cancel()
			return answering(200, good)(req)
		})))
		book := &ledger{}
		_, err := client.Portrait(ctx, someID, false, book.admit)
		require.NoError(t, err)
		assert.Equal(t, []bool{true}, book.settled(t))
	})
}

func TestWaitingHoldsNoAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(coded(503))
		cfg.MaxRPS, cfg.Backoff = 0.01, 10*time.Second
		client, book := New(cfg), &ledger{}
		for range 3 {
			go func() {
				_, err := client.Portrait(t.Context(), someID, false, book.admit)
				assert.Error(t, err)
			}()
		}
		for range 100 {
			time.Sleep(7 * time.Second) // in the bubble's time
			synctest.Wait()
			assert.Zero(t, book.open())
		}
		time.Sleep(time.Hour)
		assert.Len(t, book.settled(t), 9)
	})
}

func TestRequestsThatAreNotAdmitted(t *testing.T) {
	const code301 = `The vendor could not collect this KOL's portrait (code 301): "Collection failed. Please retry."`
	tests := []struct {
		name    string
		id      string
		limit   int // of admissions, refunded or not
		asked   [2]int
		message string
		asItIs  bool
	}{
		{"the first", someID, 0, [2]int{0, 0}, "The budget is used up.", true},
		{"a retry", "sample-code-301", 2, [2]int{2, 0}, "The budget is used up. Before that, 2 attempts failed, the latest so: " + code301 + ".", false},
		{"the second chance", "sample-code-301", 3, [2]int{3, 0}, "The budget is used up. Before that, 3 attempts failed, the latest so: " + code301 + ".", false},
		{"the successor for good", "sample-v1-removed", 1, [2]int{1, 0},
			"The budget is used up. Before that, 1 attempt failed, the latest so: The vendor no longer serves this endpoint (code 300).", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, vendor := sampleClient(t, func(cfg *Config) { cfg.Endpoint = schema.PolicyAuto })
			refused, admitted := exhausted(), 0
			collected, err := client.Portrait(t.Context(), test.id, false, func(context.Context) (func(bool), error) {
				if admitted == test.limit {
					return nil, refused
				}
				admitted++
				return func(bool) {}, nil
			})
			assert.Nil(t, collected)
			told := (*schema.Error)(nil)
			require.ErrorAs(t, err, &told)
			if test.asItIs {
				assert.Same(t, refused, told)
			}
			assert.Equal(t, exhausted(), refused, "the caller's own is not touched")
			assert.Equal(t, schema.Error{Kind: schema.BudgetExhausted, Message: test.message, Retryable: true, RetryAfterSeconds: 60}, *told)
			assert.Equal(t, test.asked, requestsTo(vendor, test.id))
		})
	}
}

func TestAdmissionThatFailsOtherwise(t *testing.T) {
	client, vendor := sampleClient(t, nil)
	_, err := client.Portrait(t.Context(), someID, false, func(context.Context) (func(bool), error) {
		return nil, errors.New("details for the log")
	})
	told := (*schema.Error)(nil)
	require.ErrorAs(t, err, &told)
	assert.Equal(t, schema.Internal, told.Kind)
	assert.NotContains(t, told.Message, "details")
	assert.False(t, told.Charged)
	assert.Zero(t, vendor.Requests(someID))
}

// Many calls, a small budget, and a vendor of whose answers every third is a
// success: what is not charged is given back, and the budget is spent to the
// end, and never passed.
func TestBudgetIsNeverPassed(t *testing.T) {
	const limit, callers = 3, 60
	var served, requests atomic.Int32
	flapping := roundTrip(func(req *http.Request) (*http.Response, error) {
		switch requests.Add(1) % 6 {
		case 0, 3:
			served.Add(1)
			return answering(200, good)(req)
		case 1:
			return coded(301)(req)
		case 2:
			return unreachable(req)
		case 4:
			return coded(300)(req)
		default:
			return coded(601)(req)
		}
	})
	cfg := autoConfig(flapping)
	cfg.BreakAfter = 1000
	client, book := New(cfg), &ledger{limit: limit}
	var portraits atomic.Int32
	var done sync.WaitGroup
	for n := range callers {
		done.Go(func() {
			if _, err := client.Portrait(t.Context(), fmt.Sprintf("kol-%d", n), false, book.admit); err == nil {
				portraits.Add(1)
			}
		})
	}
	done.Wait()
	assert.LessOrEqual(t, served.Load(), int32(limit))
	assert.Equal(t, served.Load(), portraits.Load())
	charged := strings.Count(fmt.Sprint(book.settled(t)), "true")
	assert.EqualValues(t, served.Load(), charged)
	for range 100 { // calls that come later spend what is left, and no more
		_, _ = client.Portrait(t.Context(), sample.DocumentedID, false, book.admit)
	}
	assert.EqualValues(t, limit, served.Load())
}

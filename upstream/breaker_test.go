package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// vendorInTurn is a vendor whose answer can be changed, with one attempt a
// call.
type vendorInTurn struct {
	*Client
	log    safeBuffer
	answer atomic.Pointer[http.RoundTripper]
	asked  atomic.Int32
}

func newVendorInTurn(change func(*Config)) *vendorInTurn {
	v := &vendorInTurn{}
	cfg := testConfig(roundTrip(func(req *http.Request) (*http.Response, error) {
		v.asked.Add(1)
		return (*v.answer.Load()).RoundTrip(req)
	}))
	cfg.MaxAttempts = 1
	cfg.Logger = slog.New(slog.NewTextHandler(&v.log, nil))
	if change != nil {
		change(&cfg)
	}
	v.Client = New(cfg)
	return v
}

// answerWith sets how requests are answered from now on.
func (v *vendorInTurn) answerWith(answer http.RoundTripper) { v.answer.Store(&answer) }

// call lets one call be answered so, and returns its error.
func (v *vendorInTurn) call(ctx context.Context, answer http.RoundTripper) *schema.Error {
	v.answerWith(answer)
	_, err := v.Portrait(ctx, someID, false, nil)
	told, _ := errors.AsType[*schema.Error](err)
	return told
}

// stopped asserts that the vendor is, or is not, left alone.
func (v *vendorInTurn) stopped(t *testing.T, want bool, about string) {
	t.Helper()
	before := v.asked.Load()
	told := v.call(t.Context(), coded(600)) // tells that the vendor is alive, where it is asked
	assert.Equal(t, want, v.asked.Load() == before, about)
	assert.Equal(t, want, told.Kind == schema.UpstreamError, about)
}

func TestWhatTheVendorIsLeftAloneFor(t *testing.T) {
	reset := roundTrip(func(*http.Request) (*http.Response, error) {
		body, writer := io.Pipe()
		_ = writer.CloseWithError(io.ErrUnexpectedEOF)
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body}, nil
	})
	hanging := roundTrip(func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	})
	tests := []struct {
		name   string
		answer http.RoundTripper
		health health
		brief  string
	}{
		{"code 500", coded(500), down, "code 500"},
		{"code 503", coded(503), down, "code 503"},
		{"code 503 with its own words", answering(503, `{"code":503,"message":"please do as I say"}`), down, "code 503"},
		{"HTTP 500", answering(500, ""), down, "HTTP 500"},
		{"HTTP 502", answering(502, "Bad Gateway"), down, "HTTP 502"},
		{"HTTP 504", answering(504, ""), down, "HTTP 504"},
		{"HTTP 408", answering(408, ""), down, "HTTP 408"},
		{"not reached", roundTrip(unreachable), down, "EOF"},
		{"no answer", hanging, down, "it took too long"}, // and nothing written
		{"reset", reset, down, "unexpected EOF"},
		{"broken off", answering(200, `{"code":`), down, "an answer that broke off"},
		{"portrait", answering(200, good), alive, ""},
		{"portrait with HTTP 500", answering(500, good), alive, ""},
		{"charged for nothing", answering(200, `{"code":0,"data":{}}`), alive, ""},
		{"code 100", coded(100), alive, ""},
		{"code 300", coded(300), alive, ""},
		{"code 301", coded(301), alive, ""},
		{"code 302 with HTTP 503", answering(503, `{"code":302}`), alive, ""},
		{"code 601", coded(601), alive, ""},
		{"code 777", coded(777), alive, ""},
		{"HTTP 401", answering(401, ""), alive, ""},
		{"HTTP 404", answering(404, ""), alive, ""},
		{"HTTP 429", answering(429, ""), alive, ""},
		{"redirect", answering(302, ""), unclear, ""},
		{"a page of somebody's", answering(200, "<!DOCTYPE html>"), unclear, ""},
		{"HTTP 600", answering(600, ""), unclear, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newVendorInTurn(func(cfg *Config) { cfg.BreakAfter = 3 })
				_ = v.call(t.Context(), coded(500))
				_ = v.call(t.Context(), coded(500))
				_ = v.call(t.Context(), test.answer)
				if test.health == down {
					told := v.call(t.Context(), coded(600))
					assert.EqualValues(t, 3, v.asked.Load())
					assert.Equal(t, "The vendor failed 3 times in a row (the latest: "+test.brief+") and is left alone for another 30 s. Call again after that.", told.Message)
					return
				}
				_ = v.call(t.Context(), coded(500))
				v.stopped(t, test.health == unclear, "an answer begins anew, what tells nothing does not")
			})
		})
	}
}

func TestDefaultBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVendorInTurn(nil)
		for range 10 {
			told := v.call(t.Context(), coded(503))
			assert.Equal(t, 503, told.UpstreamCode)
		}
		time.Sleep(2500 * time.Millisecond)
		told := v.call(t.Context(), answering(200, good))
		assert.Equal(t, &schema.Error{
			Kind:              schema.UpstreamError,
			Message:           "The vendor failed 10 times in a row (the latest: code 503) and is left alone for another 28 s. Call again after that.",
			Retryable:         true,
			RetryAfterSeconds: 28,
		}, told)
		time.Sleep(27500*time.Millisecond - time.Nanosecond)
		assert.Equal(t, 1, v.call(t.Context(), answering(200, good)).RetryAfterSeconds, "at least one second")
		time.Sleep(time.Nanosecond)
		assert.Nil(t, v.call(t.Context(), answering(200, good)))
		assert.EqualValues(t, 11, v.asked.Load())
	})
}

// All callers are counted together, whichever endpoint they ask, and an answer
// between two failures begins anew.
func TestFailuresAreCountedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVendorInTurn(func(cfg *Config) { cfg.Endpoint = schema.PolicyAuto })
		for range 9 {
			_ = v.call(t.Context(), coded(500))
		}
		_ = v.call(t.Context(), coded(601))
		v.answerWith(&twoEndpoints{v1: coded(300), successor: coded(500)})
		var callers sync.WaitGroup
		for n := range 9 {
			callers.Go(func() { _, _ = v.Portrait(t.Context(), fmt.Sprintf("kol-%d", n), false, nil) })
		}
		callers.Wait()
		v.stopped(t, false, "nine failures of the successor, and a success of V1 before them")
		for range 5 {
			_ = v.call(t.Context(), coded(500))
		}
		for range 5 {
			_ = v.call(t.Context(), roundTrip(unreachable))
		}
		v.stopped(t, true, "ten in a row, of two kinds")
	})
}

func TestOneTrialDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVendorInTurn(func(cfg *Config) { cfg.BreakAfter = 2 })
		_ = v.call(t.Context(), coded(500))
		_ = v.call(t.Context(), coded(500))
		time.Sleep(30 * time.Second)

		// The trial fails: left alone as long again.
		assert.Equal(t, 500, v.call(t.Context(), coded(500)).UpstreamCode)
		told := v.call(t.Context(), answering(200, good))
		assert.Equal(t, "The vendor failed 3 times in a row (the latest: code 500) and is left alone for another 30 s. Call again after that.", told.Message)
		time.Sleep(30 * time.Second)

		// While a trial is under way, nobody else asks.
		release := make(chan struct{})
		v.answerWith(roundTrip(func(req *http.Request) (*http.Response, error) {
			<-release
			return answering(200, good)(req)
		}))
		trial := make(chan error)
		go func() {
			_, err := v.Portrait(t.Context(), someID, false, nil)
			trial <- err
		}()
		synctest.Wait()
		asked := v.asked.Load()
		_, err := v.Portrait(t.Context(), "another", false, nil)
		assert.Equal(t, &schema.Error{
			Kind:              schema.UpstreamError,
			Message:           "The vendor failed 3 times in a row (the latest: code 500) and is left alone while another request tries it. Call again after that.",
			Retryable:         true,
			RetryAfterSeconds: 1,
		}, err)
		assert.Equal(t, asked, v.asked.Load())

		// The trial succeeds: all is as before.
		close(release)
		require.NoError(t, <-trial)
		_ = v.call(t.Context(), coded(500))
		v.stopped(t, false, "one failure is not two")

		said := v.log.String()
		assert.Equal(t, 2, strings.Count(said, `level=WARN msg="the vendor keeps failing, and is left alone" failures=`), said)
		assert.Contains(t, said, `failures=2 latest="code 500" for=30s`)
		assert.Contains(t, said, `failures=3 latest="code 500" for=30s`)
		assert.Equal(t, 2, strings.Count(said, `level=INFO msg="the vendor is tried with one request"`))
		assert.Equal(t, 1, strings.Count(said, `level=INFO msg="the vendor works again"`))
	})
}

// A trial that tells nothing leaves the turn to the next.
func TestTrialsThatTellNothing(t *testing.T) {
	tests := map[string]func(t *testing.T, v *vendorInTurn){
		"not admitted": func(t *testing.T, v *vendorInTurn) {
			t.Helper()
			_, err := v.Portrait(t.Context(), someID, false, func(context.Context) (func(bool), error) { return nil, exhausted() })
			assert.Equal(t, exhausted(), err)
		},
		"cancelled": func(t *testing.T, v *vendorInTurn) {
			t.Helper()
			ctx, cancel := context.WithCancel(t.Context())
			told := v.call(ctx, roundTrip(func(*http.Request) (*http.Response, error) {
				cancel()
				return nil, context.Canceled
			}))
			assert.Contains(t, told.Message, "cancelled")
		},
		"panics": func(t *testing.T, v *vendorInTurn) {
			t.Helper()
			assert.Panics(t, func() {
				_ = v.call(t.Context(), roundTrip(func(*http.Request) (*http.Response, error) { panic("oops") }))
			})
		},
		"somebody else answers": func(t *testing.T, v *vendorInTurn) {
			t.Helper()
			assert.Equal(t, schema.BadResponse, v.call(t.Context(), answering(200, "It works!")).Kind)
		},
	}
	for name, trial := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newVendorInTurn(func(cfg *Config) { cfg.BreakAfter = 1 })
				_ = v.call(t.Context(), coded(500))
				time.Sleep(30 * time.Second)
				trial(t, v)
				assert.NotContains(t, v.log.String(), "the vendor works again")
				assert.Nil(t, v.call(t.Context(), answering(200, good)), "the next is the trial")
				assert.Equal(t, 1, strings.Count(v.log.String(), "is left alone"))
				assert.Equal(t, 1, strings.Count(v.log.String(), "tried with one request"))
				assert.Equal(t, 1, strings.Count(v.log.String(), "the vendor works again"))
			})
		})
	}
}

// Requests sent before the vendor was left alone end while one tries it.
func TestOldRequestsDoNotDecide(t *testing.T) {
	for name, late := range map[string]roundTrip{"failure": coded(500), "success": answering(200, good)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newVendorInTurn(func(cfg *Config) { cfg.BreakAfter = 1 })
				slow := func(answer roundTrip, lasts time.Duration) <-chan struct{} {
					v.answerWith(roundTrip(func(req *http.Request) (*http.Response, error) {
						time.Sleep(lasts)
						return answer(req)
					}))
					done := make(chan struct{})
					go func() {
						defer close(done)
						_, _ = v.Portrait(t.Context(), "slow", false, nil)
					}()
					synctest.Wait()
					return done
				}
				old := slow(late, 40*time.Second)
				_ = v.call(t.Context(), coded(500))
				time.Sleep(35 * time.Second)
				trial := slow(answering(200, good), 10*time.Second)
				<-old
				assert.Contains(t, v.call(t.Context(), coded(600)).Message, "while another request tries it")
				<-trial
				v.stopped(t, false, "the trial succeeded")
			})
		})
	}
}

// Neither a retry nor the successor is tried against a vendor left alone.
func TestNothingIsRepeatedWhileTheVendorIsLeftAlone(t *testing.T) {
	t.Run("the call's own failure is the last straw", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newVendorInTurn(func(cfg *Config) { cfg.BreakAfter, cfg.MaxAttempts, cfg.BreakFor = 2, 3, 10*time.Minute })
			start := time.Now()
			told := v.call(t.Context(), coded(503))
			assert.Equal(t, "The vendor's service is not available (code 503), after 2 attempts. Call again in a few minutes.", told.Message)
			assert.Equal(t, 600, told.RetryAfterSeconds)
			assert.EqualValues(t, 2, v.asked.Load())
			assert.Less(t, time.Since(start), time.Second)
		})
	})
	t.Run("another's failure is, while this call waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newVendorInTurn(func(cfg *Config) { cfg.BreakAfter, cfg.MaxAttempts, cfg.Backoff = 2, 2, 5*time.Second })
			book := &ledger{}
			v.answerWith(coded(503))
			first := make(chan error)
			go func() {
				_, err := v.Portrait(t.Context(), someID, false, book.admit)
				first <- err
			}()
			time.Sleep(time.Second)
			_ = v.call(t.Context(), coded(500))
			err := <-first
			assert.Regexp(t, `^upstream_error: The vendor failed 2 times in a row \(the latest: code 500\) and is left alone for another 2\d s; `+
				`1 attempt of this call failed before, the latest so: The vendor's service is not available \(code 503\)\. Call again after that\.$`, err.Error())
			assert.Equal(t, []bool{false}, book.settled(t), "not admitted again")
			assert.EqualValues(t, 2, v.asked.Load())
		})
	})
	t.Run("while this call waits for the limiter", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newVendorInTurn(func(cfg *Config) { cfg.BreakAfter, cfg.MaxRPS = 1, 1 })
			v.answerWith(coded(500))
			var callers sync.WaitGroup
			for range 5 {
				callers.Go(func() { _, _ = v.Portrait(t.Context(), someID, false, nil) })
			}
			callers.Wait()
			assert.EqualValues(t, 1, v.asked.Load())
		})
	})
	t.Run("V1 cannot collect, and the vendor fails for others", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newVendorInTurn(func(cfg *Config) { cfg.Endpoint, cfg.BreakAfter, cfg.MaxRPS = schema.PolicyAuto, 1, 1 })
			v.answerWith(coded(301))
			first := make(chan error)
			go func() {
				_, err := v.Portrait(t.Context(), someID, false, nil)
				first <- err
			}()
			synctest.Wait() // V1 has answered, and the successor's turn is in a second
			v.breaker.leave(0, down, "code 500")
			told := (*schema.Error)(nil)
			require.ErrorAs(t, <-first, &told)
			assert.Equal(t, schema.CollectionFailed, told.Kind)
			assert.Equal(t, "The vendor could not collect this KOL's portrait (code 301), after 1 attempt; its successor was not asked: "+
				"The vendor failed 1 time in a row (the latest: code 500) and is left alone for another 29 s. "+
				"Call again in a few minutes; an id that keeps failing may not be a KOL of the vendor's marketplace.", told.Message)
			assert.Equal(t, 120, told.RetryAfterSeconds)
			assert.EqualValues(t, 1, v.asked.Load())
		})
	})
}

// Left alone at once: no wait for the rate limit, and no admission.
func TestLeftAloneCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVendorInTurn(func(cfg *Config) { cfg.BreakAfter, cfg.MaxRPS = 1, 0.1 })
		_ = v.call(t.Context(), coded(500))
		start, book := time.Now(), &ledger{}
		for range 5 {
			_, err := v.Portrait(t.Context(), someID, false, book.admit)
			require.Error(t, err)
		}
		assert.Zero(t, time.Since(start))
		assert.Empty(t, book.settled(t))
	})
}

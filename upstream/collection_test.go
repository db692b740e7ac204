package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// hanging never answers a request that was sent.
func hanging(*http.Request) (*http.Response, error) {
	reader, _ := io.Pipe() // nobody writes
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: reader}, nil
}

func TestEveryAdmissionIsSettledOnce(t *testing.T) {
	portrait := answering(200, good)
	for _, test := range []struct {
		name          string
		v1, successor []transport
		settled       []bool
	}{
		{"success", []transport{portrait}, nil, []bool{true}},
		{"refusal", []transport{coded(601)}, nil, []bool{false}},
		{"refusals and a success", []transport{coded(301), unreachable, portrait}, nil, []bool{false, false, true}},
		{"failures", []transport{coded(500)}, nil, []bool{false, false, false}},
		{"a gateway's timeout at last", []transport{coded(302), answering(504, "")}, nil, []bool{false, true}},
		{"no answer", []transport{hanging}, nil, []bool{true}},
		{"V1 gone", []transport{coded(300)}, []transport{portrait}, []bool{false, true}},
		{"V1 failing", []transport{coded(301)}, []transport{portrait}, []bool{false, false, false, true}},
		{"both gone", []transport{coded(300)}, []transport{coded(404)}, []bool{false, false}},
		{"both failing", []transport{coded(301)}, []transport{coded(301)}, []bool{false, false, false, false}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				book := &ledger{}
				_, err := testClient(&inTurn{v1: test.v1, successor: test.successor}, auto).Portrait(t.Context(), someID, false, book.admit)
				settled := book.settled(t)
				assert.Equal(t, test.settled, settled)
				if told, ok := errors.AsType[*schema.Error](err); ok {
					assert.Equal(t, settled[len(settled)-1], told.Charged, "told as it was settled")
				}
			})
		})
	}
}

// panics is a body that cannot be read.
type panics struct{ io.ReadCloser }

func (panics) Read([]byte) (int, error) { panic("oops") }
func (panics) Close() error             { return nil }

// Nobody knows what the vendor has of a request whose transport panicked.
func TestTransportThatPanics(t *testing.T) {
	for _, transport := range []transport{
		func(*http.Request) (*http.Response, error) { panic("oops") },
		func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: panics{}}, nil
		},
	} {
		book := &ledger{}
		assert.PanicsWithValue(t, "oops", func() { _, _ = testClient(transport).Portrait(t.Context(), someID, false, book.admit) })
		assert.Equal(t, []bool{true}, book.settled(t))
	}
}

func TestAdmissionThatFailsEndsTheCollection(t *testing.T) {
	private := fmt.Errorf("budget: %w", errors.New("used up"))
	for admitted, want := range [][2]int{{0, 0}, {1, 0}, {2, 0}, {3, 0}, {3, 1}} {
		vendor := &inTurn{v1: []transport{coded(301)}, successor: []transport{coded(301)}}
		left := admitted
		got, err := testClient(vendor, auto).Portrait(t.Context(), someID, false, func(context.Context) (func(bool), error) {
			if left == 0 {
				return nil, private
			}
			left--
			return func(bool) {}, nil
		})
		assert.Nil(t, got)
		if admitted == 4 {
			require.NotErrorIs(t, err, private)
		} else {
			assert.True(t, err == private, "unchanged") //nolint:errorlint,testifylint // the very value
		}
		assert.Equal(t, want, vendor.asked)
	}
}

func TestTheEndOfTheCall(t *testing.T) {
	for _, test := range []struct {
		name    string
		answer  transport
		change  func(*Config)
		kind    schema.Kind
		charged bool
		asked   int
		message string
	}{
		{"while the vendor works", hanging, nil, schema.Timeout, true, 1, "The call ended before the vendor answered. The vendor may still"},
		{"between two attempts", coded(301), func(cfg *Config) { cfg.Backoff = time.Hour }, schema.CollectionFailed, false, 1, "(code 301), after 1 attempt."},
		{"while waiting for the limiter", coded(301), func(cfg *Config) { cfg.MaxRPS = 0.001 }, schema.Timeout, false, 1, "The call ended"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				got, asked := refusal(ctx, t, testClient(test.answer, func(cfg *Config) {
					if test.change != nil {
						test.change(cfg)
					}
				}))
				assert.Equal(t, test.kind, got.Kind)
				assert.Equal(t, test.charged, got.Charged)
				assert.Equal(t, test.asked, asked)
				assert.Contains(t, got.Message, test.message)
				assert.True(t, got.Retryable)
			})
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, asked := refusal(ctx, t, testClient(coded(600)))
	assert.Contains(t, got.Message, "The call ended before")
	assert.Zero(t, asked, "before it began")
}

// The answer has been paid for: it is not dropped because the caller's time is
// up just as it arrives.
func TestAnswerAtTheLastMoment(t *testing.T) {
	for _, body := range []string{good, `{"code":600}`} {
		ctx, cancel := context.WithCancel(t.Context())
		got, err := testClient(transport(func(req *http.Request) (*http.Response, error) {
			cancel()
			return answering(200, body)(req)
		})).Portrait(ctx, someID, false, admitAll)
		if body == good {
			require.NoError(t, err)
			assert.Equal(t, someID, got.KOLID)
			continue
		}
		require.ErrorContains(t, err, "permission_denied")
	}
}

func TestAttemptThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		got, asked := refusal(t.Context(), t, testClient(transport(hanging)))
		assert.Equal(t, schema.Timeout, got.Kind)
		assert.True(t, got.Charged)
		assert.Equal(t, 180, got.RetryAfterSeconds)
		assert.Contains(t, got.Message, "The vendor did not answer within 1m0s. The vendor may still complete this call")
		assert.Equal(t, 1, asked)
		assert.Equal(t, time.Minute, time.Since(start))
	})
}

// When an attempt follows which.
func TestWaitsBetweenAttempts(t *testing.T) {
	for _, test := range []struct {
		retryAfter string
		least      []time.Duration // before each further attempt; a quarter of the backoff more at most
		told       int             // seconds
	}{
		{"", []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 8 * time.Second}, 120},
		{"nonsense", []time.Duration{500 * time.Millisecond, time.Second}, 120},
		{"-5", []time.Duration{500 * time.Millisecond, time.Second}, 120},
		{"7", []time.Duration{7 * time.Second, 7 * time.Second}, 7},
		{"60", []time.Duration{time.Minute}, 60},
		{"61", nil, 61},
		{"99999999999", nil, 86400},
		{"Sat, 01 Jan 2000 00:00:10 GMT", []time.Duration{500 * time.Millisecond}, 120},
	} {
		t.Run(test.retryAfter, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var at []time.Time
				c := testClient(transport(func(req *http.Request) (*http.Response, error) {
					at = append(at, time.Now())
					return answering(200, `{"code":302}`, "Retry-After", test.retryAfter)(req)
				}), func(cfg *Config) { cfg.Backoff, cfg.MaxAttempts = 0, len(test.least)+1 })
				got, asked := refusal(t.Context(), t, c)
				assert.Equal(t, test.told, got.RetryAfterSeconds)
				require.Equal(t, len(test.least)+1, asked)
				for i, least := range test.least {
					wait := at[i+1].Sub(at[i])
					assert.GreaterOrEqual(t, wait, least)
					assert.LessOrEqual(t, wait, least+2*time.Second+time.Millisecond)
				}
			})
		})
	}
}

func TestCallersShareTheRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testClient(answering(200, good), func(cfg *Config) { cfg.MaxRPS = 0 })
		start := time.Now()
		var callers sync.WaitGroup
		for n := range 11 {
			callers.Go(func() {
				_, err := c.Portrait(t.Context(), fmt.Sprintf("kol-%d", n), false, admitAll)
				assert.NoError(t, err)
			})
		}
		callers.Wait()
		assert.Equal(t, 2*time.Second, time.Since(start).Round(10*time.Millisecond), "five a second")
	})
}

// Nothing is admitted that still has to wait.
func TestWaitingHoldsNoAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var admitted time.Time
		c := testClient(transport(func(req *http.Request) (*http.Response, error) {
			assert.Equal(t, admitted, time.Now())
			return coded(302)(req)
		}), func(cfg *Config) { cfg.MaxRPS, cfg.Backoff = 0.1, 3*time.Second })
		_, err := c.Portrait(t.Context(), someID, false, func(context.Context) (func(bool), error) {
			admitted = time.Now()
			return func(bool) { assert.Equal(t, admitted, time.Now()) }, nil
		})
		require.Error(t, err)
	})
}

func TestEndpoints(t *testing.T) {
	portrait := answering(200, good)
	for _, test := range []struct {
		name          string
		policy        schema.EndpointPolicy
		v1, successor transport
		endpoint      schema.Endpoint // that answers; empty: none
		kind          schema.Kind     // then
		charged       bool
		asked         [2]int
		moved         bool
	}{
		{"V1 alone", schema.PolicyPortrait, portrait, nil, schema.EndpointPortrait, "", true, [2]int{1, 0}, false},
		{"V1 alone, gone", schema.PolicyPortrait, coded(300), portrait, "", schema.EndpointRemoved, false, [2]int{1, 0}, false},
		{"V1 alone, failing", schema.PolicyPortrait, coded(301), portrait, "", schema.CollectionFailed, false, [2]int{3, 0}, false},
		{"the successor alone", schema.PolicyProfile, nil, portrait, schema.EndpointProfile, "", true, [2]int{0, 1}, false},
		{"the successor alone, failing", schema.PolicyProfile, nil, coded(301), "", schema.CollectionFailed, false, [2]int{0, 3}, false},
		{"V1 works", schema.PolicyAuto, portrait, nil, schema.EndpointPortrait, "", true, [2]int{1, 0}, false},
		{"V1 gone", schema.PolicyAuto, coded(300), portrait, schema.EndpointProfile, "", true, [2]int{1, 1}, true},
		{"V1 gone, by status", "", answering(410, ""), portrait, schema.EndpointProfile, "", true, [2]int{1, 1}, true},
		{"V1 gone, successor refuses", schema.PolicyAuto, coded(404), coded(601), "", schema.InsufficientBalance, false, [2]int{1, 1}, false},
		{"V1 gone, successor fails", schema.PolicyAuto, coded(404), answering(503, ""), "", schema.UpstreamError, false, [2]int{1, 3}, false},
		{"V1 gone, successor unclear", schema.PolicyAuto, coded(300), answering(504, ""), "", schema.Timeout, true, [2]int{1, 1}, false},
		{"both gone", schema.PolicyAuto, answering(404, ""), coded(300), "", schema.EndpointRemoved, false, [2]int{1, 1}, false},
		{"V1 cannot collect", schema.PolicyAuto, coded(301), portrait, schema.EndpointProfile, "", true, [2]int{3, 1}, false},
		{"neither can collect", schema.PolicyAuto, coded(301), coded(301), "", schema.CollectionFailed, false, [2]int{3, 1}, false},
		{"V1 cannot collect, successor refuses", schema.PolicyAuto, coded(301), coded(600), "", schema.CollectionFailed, false, [2]int{3, 1}, false},
		{"V1 cannot collect, successor unclear", schema.PolicyAuto, coded(301), answering(524, ""), "", schema.Timeout, true, [2]int{3, 1}, false},
		{"V1 refuses", schema.PolicyAuto, coded(601), portrait, "", schema.InsufficientBalance, false, [2]int{1, 0}, false},
		{"V1 unclear", schema.PolicyAuto, answering(504, ""), portrait, "", schema.Timeout, true, [2]int{1, 0}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			vendor := &inTurn{v1: []transport{test.v1}, successor: []transport{test.successor}}
			c := testClient(vendor, func(cfg *Config) { cfg.Endpoint = test.policy })
			if test.endpoint != "" {
				got, err := c.Portrait(t.Context(), someID, false, admitAll)
				require.NoError(t, err)
				assert.Equal(t, test.endpoint, got.Endpoint)
			} else {
				got, _ := refusal(t.Context(), t, c)
				assert.Equal(t, test.kind, got.Kind)
				assert.Equal(t, test.charged, got.Charged)
				if test.kind == schema.EndpointRemoved || test.kind == schema.CollectionFailed {
					assert.Equal(t, test.asked[1] == 1, strings.Contains(got.Message, "); its successor: The "))
				}
			}
			assert.Equal(t, test.asked, vendor.asked)
			_, _ = c.Portrait(t.Context(), "another", false, admitAll)
			assert.Equal(t, test.moved || test.policy == schema.PolicyProfile, vendor.asked[0] == test.asked[0], "once V1 is known to be gone, nobody asks it")
		})
	}
}

// breaking is a Client whose calls are answered one after the other.
type breaking struct {
	*Client
	t     *testing.T
	asked int
}

// call lets one call be answered so, and returns the message of its error.
func (b *breaking) call(answer transport) string {
	b.t.Helper()
	b.config.Transport = transport(func(req *http.Request) (*http.Response, error) {
		b.asked++
		return answer(req)
	})
	_, err := b.Portrait(b.t.Context(), someID, false, admitAll)
	if err == nil {
		return ""
	}
	return err.Error()
}

func breakAfter(t *testing.T, n int) *breaking {
	t.Helper()
	return &breaking{t: t, Client: testClient(nil, func(cfg *Config) { cfg.BreakAfter, cfg.MaxAttempts = n, 1 })}
}

const leftAlone = "times in a row and is left alone"

func TestWhatTheVendorIsLeftAloneFor(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer transport
		tells  string // of the vendor
	}{
		{"code 500", coded(500), "down"}, {"code 503", coded(503), "down"}, {"HTTP 500", answering(500, ""), "down"},
		{"HTTP 502", answering(502, ""), "down"}, {"HTTP 504", answering(504, ""), "down"}, {"not reached", unreachable, "down"},
		{"no answer", hanging, "down"}, {"broken off", answering(200, `{"code":`), "down"},
		{"portrait", answering(200, good), "alive"}, {"paid, and damaged", answering(500, `{"code":0,"data":oops`), "alive"},
		{"code 100", coded(100), "alive"}, {"code 300", coded(300), "alive"}, {"code 301", coded(301), "alive"},
		{"code 302 with HTTP 503", answering(503, `{"code":302}`), "alive"}, {"HTTP 401", answering(401, ""), "alive"}, {"HTTP 429", answering(429, ""), "alive"},
		{"redirect", answering(302, ""), "unclear"}, {"somebody's page", answering(200, "<!DOCTYPE html>"), "unclear"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := breakAfter(t, 3)
				b.call(coded(500))
				b.call(coded(500))
				b.call(test.answer)
				stopped := test.tells == "down"
				assert.Equal(t, stopped, strings.Contains(b.call(coded(500)), leftAlone))
				assert.Equal(t, test.tells != "alive", strings.Contains(b.call(coded(600)), leftAlone), "an answer begins anew, what tells nothing does not")
			})
		})
	}
}

func TestVendorIsLeftAloneUntilItAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breakAfter(t, 0)
		var log bytes.Buffer
		b.breaker.logger = slog.New(slog.NewTextHandler(&log, nil))
		for range 10 {
			assert.Contains(t, b.call(coded(503)), "(code 503)")
		}
		time.Sleep(2500 * time.Millisecond)
		got, asked := refusal(t.Context(), t, b.Client)
		assert.Equal(t, &schema.Error{
			Kind: schema.UpstreamError,
			Message: "The vendor failed 10 times in a row and is left alone for another 28 s; the latest failure: " +
				"The vendor's service is not available (code 503).",
			Retryable: true, RetryAfterSeconds: 28,
		}, got)
		assert.Zero(t, asked, "not admitted")

		time.Sleep(27500 * time.Millisecond)
		assert.Contains(t, b.call(coded(500)), "(code 500)", "a request that tries it, and fails")
		assert.Contains(t, b.call(coded(600)), "11 times in a row and is left alone for another 30 s")
		time.Sleep(30 * time.Second)
		assert.Contains(t, b.call(answering(200, "It works!")), "cannot be trusted", "one that tells nothing")
		assert.Contains(t, b.call(coded(600)), leftAlone)
		time.Sleep(30 * time.Second)
		assert.Empty(t, b.call(answering(200, good)))
		assert.NotContains(t, b.call(coded(500)), leftAlone)
		assert.NotContains(t, b.call(coded(600)), leftAlone)
		assert.Equal(t, 1, strings.Count(log.String(), "the vendor keeps failing"))
		assert.Equal(t, 1, strings.Count(log.String(), "the vendor works again"))
	})
}

// While one request tries the vendor nobody else asks.
func TestOneRequestTriesTheVendor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c := testClient(transport(func(req *http.Request) (*http.Response, error) {
			asked++
			time.Sleep(10 * time.Second)
			return coded(500)(req)
		}), func(cfg *Config) { cfg.BreakAfter, cfg.MaxAttempts = 1, 1 })
		call := func(i int) { _, _ = c.Portrait(t.Context(), fmt.Sprint(i), false, admitAll) }
		call(0)
		time.Sleep(30 * time.Second)
		var callers sync.WaitGroup
		for i := range 20 {
			callers.Go(func() { call(i) })
		}
		callers.Wait()
		assert.Equal(t, 2, asked)
	})
}

func TestNothingIsRepeatedWhileTheVendorIsLeftAlone(t *testing.T) {
	for name, vendor := range map[string]*inTurn{
		"a retry":           {v1: []transport{coded(500)}},
		"the second chance": {v1: []transport{coded(301), coded(301), coded(301)}, successor: []transport{coded(500)}},
	} {
		c := testClient(vendor, auto, func(cfg *Config) { cfg.BreakAfter = 1 })
		got, _ := refusal(t.Context(), t, c)
		assert.NotContains(t, got.Message, leftAlone, name)
		asked := vendor.asked
		got, _ = refusal(t.Context(), t, c)
		assert.Contains(t, got.Message, leftAlone, name)
		assert.Equal(t, asked, vendor.asked)
		assert.Equal(t, 1, max(asked[1], asked[0]%3))
	}
}

func TestLog(t *testing.T) {
	var log bytes.Buffer
	c := testClient(&inTurn{v1: []transport{coded(301), answering(200, good)}}, func(cfg *Config) {
		cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	_, err := c.Portrait(t.Context(), someID, false, admitAll)
	require.NoError(t, err)
	for i, want := range []string{
		`level=DEBUG msg="asked the vendor" kolId=5f3c1a2b0000000001009abc endpoint=portrait attempt=1 duration=`,
		`level=WARN msg="asking the vendor again" kolId=5f3c1a2b0000000001009abc endpoint=portrait attempt=1 kind=collection_failed code=301 delay=`,
		`level=DEBUG msg="asked the vendor" kolId=5f3c1a2b0000000001009abc endpoint=portrait attempt=2 duration=`,
	} {
		assert.Contains(t, strings.Split(log.String(), "\n")[i], want)
	}
}

package upstream

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// Everything here that takes time runs in a synctest bubble, where a clock of
// its own jumps from one event to the next.

const good = `{"code":0,"data":{"gender":{"female":0.5}}}`

func TestFailingTwiceThenSucceeding(t *testing.T) {
	client, vendor := sampleClient(t, nil)
	got, err := client.Portrait(t.Context(), "sample-code-301-twice", false, nil)
	require.NoError(t, err)
	assert.True(t, got.Source.Charged)
	assert.Equal(t, 3, vendor.Requests("sample-code-301-twice"))
	assert.Equal(t, 1, vendor.Charged())

	client, vendor = sampleClient(t, func(cfg *Config) { cfg.MaxAttempts = 2 })
	told := refusal(t.Context(), t, client, "sample-code-301-twice")
	assert.Contains(t, told.Message, "after 2 attempts")
	assert.Equal(t, 2, vendor.Requests("sample-code-301-twice"))

	client, vendor = sampleClient(t, func(cfg *Config) { cfg.MaxAttempts = 1 })
	told = refusal(t.Context(), t, client, "sample-code-301-twice")
	assert.Contains(t, told.Message, "after 1 attempt.")
	assert.Equal(t, 1, vendor.Requests("sample-code-301-twice"))
}

// between asserts on the bubble's clock, so exactly up to the jitter.
func between(t *testing.T, least, most, got time.Duration) {
	t.Helper()
	assert.Truef(t, least <= got && got <= most, "%v is not between %v and %v", got, least, most)
}

func TestWaitsGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Time
		cfg := testConfig(roundTrip(func(req *http.Request) (*http.Response, error) {
			times = append(times, time.Now())
			return answering(503, "")(req)
		}))
		cfg.Backoff, cfg.MaxAttempts = 0, 8
		assert.Contains(t, refusal(t.Context(), t, New(cfg), someID).Message, "after 8 attempts")
		require.Len(t, times, 8)
		for i, seconds := range []float64{0.5, 1, 2, 4, 8, 8, 8} {
			want := time.Duration(seconds * float64(time.Second))
			between(t, want*8/10, want*12/10, times[i+1].Sub(times[i]))
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, vendor := sampleClient(t, nil)
		start := time.Now()
		_, err := client.Portrait(t.Context(), "sample-retry-after", false, nil)
		require.NoError(t, err)
		between(t, time.Second, 1500*time.Millisecond, time.Since(start))
		assert.Equal(t, 2, vendor.Requests("sample-retry-after"))
	})
}

func TestJitterNeverComesTooEarly(t *testing.T) {
	asked := &collection{last: &failure{wait: 4 * time.Second}}
	assert.Equal(t, 5*time.Second, asked.askedWait(), "a fifth less is what was asked")
	assert.Equal(t, time.Duration(-1), (&collection{last: &failure{}}).askedWait(), "as usual")
}

// demanding answers as given with a Retry-After, and counts.
func demanding(status int, body, retryAfter string, attempts *int) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		*attempts++
		resp, err := answering(status, body)(req)
		resp.Header.Set("Retry-After", retryAfter)
		return resp, err
	}
}

// An agent repeats a call when it is told to, and at once where it is not told
// when.
func TestWhenToCallAgain(t *testing.T) {
	tests := map[string]struct {
		transport http.RoundTripper
		seconds   int
	}{
		"nothing was charged":           {coded(500), 120},
		"it may have been charged":      {answering(504, ""), 180},
		"it was charged, and broke off": {answering(200, `{"code":0,"da`), 180},
		"it is of no use":               {coded(601), 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := refusal(t.Context(), t, New(testConfig(test.transport)), someID)
				assert.Equal(t, test.seconds, got.RetryAfterSeconds)
				assert.Equal(t, test.seconds > 0, got.Retryable)
			})
		})
	}
}

func TestRetryAfterThatIsTooLong(t *testing.T) {
	tests := []struct {
		name, value string
		attempts    int
		seconds     int
	}{
		{"within the bound", "60", 3, 60},
		{"beyond the bound", "61", 1, 61},
		{"a day", "86400", 1, 86400},
		{"more than a day", "86401", 1, 86400},
		{"beyond all bounds", "99999999999999999999", 1, 86400},
		{"a date within the bound", "Sat, 01 Jan 2000 00:00:30 GMT", 3, 120}, // past when the last attempt is over
		{"a date beyond the bound", "Sat, 01 Jan 2000 02:00:00 GMT", 1, 7200},
		{"a date far ahead", "Fri, 31 Dec 9999 23:59:59 GMT", 1, 86400},
		{"a date gone by", "Fri, 31 Dec 1999 00:00:00 GMT", 3, 120},
		{"nonsense", "soon", 3, 120},
		{"negative", "-5", 3, 120},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // whose clock starts at 2000-01-01 00:00:00 UTC
				attempts := 0
				got := refusal(t.Context(), t, New(testConfig(demanding(429, "", test.value, &attempts))), someID)
				assert.Equal(t, test.attempts, attempts)
				assert.Equal(t, test.seconds, got.RetryAfterSeconds)
				assert.Equal(t, schema.RateLimited, got.Kind)
			})
		})
	}
}

func TestRetryAfterWithACode(t *testing.T) {
	for _, body := range []string{`{"code":301}`, `{"code":302}`, `{"code":503}`} {
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			got := refusal(t.Context(), t, New(testConfig(demanding(200, body, "3600", &attempts))), someID)
			assert.Equal(t, 1, attempts, body)
			assert.Equal(t, 3600, got.RetryAfterSeconds, body)
		})
	}
}

func TestDailyQuotaEndsWithTheVendorsDay(t *testing.T) {
	tests := map[string]int{ // now: seconds left
		"2026-11-23T00:00:00Z":      16 * 3600,
		"2026-11-23T15:59:59Z":      1,
		"2026-11-23T15:59:59.5Z":    1,
		"2026-11-23T16:00:00Z":      24 * 3600,
		"2026-12-31T17:00:00Z":      23 * 3600,
		"2026-11-23T07:00:00-08:00": 3600,
	}
	for now, want := range tests {
		at, err := time.Parse(time.RFC3339, now)
		require.NoError(t, err)
		assert.Equal(t, want, wholeSeconds(schema.NextDay(at).Sub(at)), now)
	}
	synctest.Test(t, func(t *testing.T) { // 2000-01-01 08:00 in Shanghai
		got := refusal(t.Context(), t, New(testConfig(answering(200, `{"code":303}`))), someID)
		assert.Equal(t, 16*3600, got.RetryAfterSeconds)
		assert.True(t, got.Retryable)
	})
}

func TestOneRateForAllCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arrivals := make(chan time.Duration, 6)
		start := time.Now()
		cfg := testConfig(roundTrip(func(req *http.Request) (*http.Response, error) {
			arrivals <- time.Since(start)
			return answering(200, good)(req)
		}))
		cfg.MaxRPS = 2
		client := New(cfg)
		for range cap(arrivals) {
			go func() {
				_, err := client.Portrait(t.Context(), someID, false, nil)
				assert.NoError(t, err)
			}()
		}
		for i := range cap(arrivals) {
			assert.Equal(t, time.Duration(i)*500*time.Millisecond, <-arrivals)
		}
	})
}

func TestRetriesPassTheLimiterToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(answering(503, ""))
		cfg.MaxRPS = 0.1
		start := time.Now()
		assert.Equal(t, schema.UpstreamError, refusal(t.Context(), t, New(cfg), someID).Kind)
		assert.Equal(t, 20*time.Second, time.Since(start))
	})
}

func TestNoAnswerInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, vendor := sampleClient(t, nil)
		start := time.Now()
		got := refusal(t.Context(), t, client, "sample-stall")
		assert.Equal(t, time.Minute, time.Since(start))
		assert.Equal(t, schema.Timeout, got.Kind)
		assert.True(t, got.Retryable)
		assert.True(t, got.Charged)
		assert.Contains(t, got.Message, "The vendor did not answer within 1m0s. The vendor may still complete this call, and may have charged it.")
		assert.Equal(t, 1, vendor.Requests("sample-stall"), "not asked again")
	})
}

func TestSlowAnswers(t *testing.T) {
	tests := map[string]bool{"sample-slow-1s": true, "sample-slow-10s": true, "sample-slow-90s": false}
	for id, inTime := range tests {
		synctest.Test(t, func(t *testing.T) {
			client, vendor := sampleClient(t, nil)
			_, err := client.Portrait(t.Context(), id, false, nil)
			assert.Equal(t, inTime, err == nil, "%s: %v", id, err)
			assert.Equal(t, 1, vendor.Requests(id))
		})
	}
}

func TestContextEnds(t *testing.T) {
	tests := []struct {
		name     string
		id       string
		cancel   bool // by the caller, else by deadline
		kind     schema.Kind
		charged  bool
		attempts int
		message  string
	}{
		{"deadline while the vendor works", "sample-stall", false, schema.Timeout, true, 1,
			"The call's deadline passed before the vendor answered. The vendor may still complete this call, and may have charged it. " + adviseWait},
		{"cancelled while the vendor works", "sample-stall", true, schema.Network, true, 1,
			"The call was cancelled before the vendor answered. The vendor may still complete this call, and may have charged it. " + adviseWait},
		{"deadline between attempts", "sample-code-301", false, schema.Timeout, false, 1,
			"The call's deadline passed before the vendor answered; the latest attempt: The vendor could not collect this KOL's portrait (code 301): \"Collection failed. Please retry.\". "},
		{"cancelled between attempts", "sample-code-301", true, schema.Network, false, 1,
			"The call was cancelled before the vendor answered; the latest attempt: The vendor could not"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, vendor := sampleClient(t, func(cfg *Config) { cfg.Backoff = time.Hour })
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if test.cancel {
					time.AfterFunc(5*time.Second, cancel)
				}
				got := refusal(ctx, t, client, test.id)
				assert.Equal(t, test.kind, got.Kind)
				assert.Equal(t, test.charged, got.Charged)
				assert.True(t, got.Retryable)
				assert.Contains(t, got.Message, test.message)
				assert.Equal(t, test.attempts, vendor.Requests(test.id))
			})
		})
	}
}

func TestContextEndsWhileWaitingForTheLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, vendor := sampleClient(t, func(cfg *Config) { cfg.MaxRPS = 0.001 })
		_, err := client.Portrait(t.Context(), "first", false, nil)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		got := refusal(ctx, t, client, "second")
		assert.Equal(t, schema.Timeout, got.Kind)
		assert.False(t, got.Charged)
		assert.Zero(t, vendor.Requests("second"))
	})
}

func TestContextThatHasEndedAsksNothing(t *testing.T) {
	client, vendor := sampleClient(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := refusal(ctx, t, client, someID)
	assert.Equal(t, schema.Network, got.Kind)
	assert.False(t, got.Charged)
	assert.Zero(t, vendor.Requests(someID))
}

// The answer has been paid for: it is not dropped because the caller's time is
// up just as it arrives.
func TestAnswerAtTheLastMomentIsKept(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := New(testConfig(roundTrip(func(req *http.Request) (*http.Response, error) {
		cancel()
		return answering(200, good)(req)
	})))
	got, err := client.Portrait(ctx, someID, false, nil)
	require.NoError(t, err)
	assert.Equal(t, someID, got.KOLID)
}

func TestRefusalAtTheLastMomentIsTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := New(testConfig(roundTrip(func(req *http.Request) (*http.Response, error) {
		cancel()
		return answering(200, `{"code":600}`)(req)
	})))
	assert.Equal(t, schema.PermissionDenied, refusal(ctx, t, client, someID).Kind)
}

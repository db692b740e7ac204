package upstream

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"kol-portrait-mcp/schema"
)

const (
	maxBackoff    = 8 * time.Second
	maxRetryAfter = time.Minute    // a vendor that asks for more is not waited for
	maxToldWait   = 24 * time.Hour // nobody plans further ahead
	jitter        = 0.2            // how far a wait strays to either side, so that callers do not come back in step
)

// newLimiter lets rps requests a second through, evenly, and lets the rest
// wait as long as their contexts allow.
func newLimiter(rps float64) ratelimiter.RateLimiter[*schema.Collected] {
	interval := max(time.Duration(float64(time.Second)/rps), 1)
	return ratelimiter.NewSmoothWithMaxRate[*schema.Collected](interval)
}

// retries is the policy by which an endpoint is asked again: up to most
// attempts, and none once the vendor is left alone.
func (c *collection) retries(ctx context.Context, most int) retrypolicy.RetryPolicy[*schema.Collected] {
	return retrypolicy.NewBuilder[*schema.Collected]().
		HandleIf(func(_ *schema.Collected, err error) bool {
			fail := (*failure)(nil)
			return errors.As(err, &fail) && fail.retry && fail.wait <= maxRetryAfter && c.client.breaker.left() == 0
		}).
		WithMaxAttempts(most).
		ReturnLastFailure().
		WithBackoff(c.client.backoff, max(maxBackoff, c.client.backoff)).
		WithDelayFunc(func(failsafe.ExecutionAttempt[*schema.Collected]) time.Duration { return c.askedWait() }).
		WithJitterFactor(jitter).
		OnRetryScheduled(func(event failsafe.ExecutionScheduledEvent[*schema.Collected]) {
			c.client.logger.WarnContext(ctx, "asking the vendor again", "kolId", c.kolID, "endpoint", c.endpoint.name, "attempt", c.attempts,
				"kind", c.last.err.Kind, "code", c.last.err.UpstreamCode, "delay", event.Delay)
		}).
		Build()
}

// askedWait is the wait that the vendor asked for, or -1 to back off as usual.
// It is stretched so that the jitter, which goes both ways, never brings it
// below what was asked.
func (c *collection) askedWait() time.Duration {
	if c.last.wait == 0 {
		return -1
	}
	return time.Duration(float64(c.last.wait) / (1 - jitter))
}

// retryAfter reads a Retry-After header, which is a number of seconds or a
// date (RFC 9110, section 10.2.3). It is 0 where there is none to be read, and
// at most maxToldWait.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	// 31 bits of seconds fit a Duration; ParseUint gives the largest for more.
	seconds, err := strconv.ParseUint(value, 10, 31)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return min(time.Duration(seconds)*time.Second, maxToldWait)
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), maxToldWait)
}

// wholeSeconds rounds a wait up, so that who waits that long does not come too
// early.
func wholeSeconds(d time.Duration) int {
	return int((d + time.Second - 1) / time.Second)
}

// ended is the failure of a call whose own context ended; written tells
// whether the vendor was working on a request then.
func ended(ctx context.Context, written bool) *failure {
	fail := &failure{
		err:    schema.Error{Kind: schema.Timeout, Message: "The call's deadline passed before the vendor answered", Retryable: true, Charged: written},
		advice: "Call again with more time.",
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		fail.err.Kind = schema.Network
		fail.err.Message = "The call was cancelled before the vendor answered"
		fail.advice = "Call again if the portrait is still wanted."
	}
	if written {
		fail.advice = adviseWait
	}
	return fail
}

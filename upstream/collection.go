package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/telemetry"
)

const (
	maxBackoff = 8 * time.Second
	maxWait    = time.Minute // a vendor that asks for more is not waited for
	maxBody    = 4 << 20     // bytes of an answer, after decompression; the documented one has five thousand
)

// collection is one call of Client.Portrait.
type collection struct {
	client *Client
	kolID  string
	fresh  bool
	admit  Admit
	sent   int // requests so far, to both endpoints
}

// run asks the endpoints that may be asked. Under auto that is V1, and its
// successor where V1 is gone, for good, or, once, where V1 cannot collect this
// KOL: neither refusal is charged.
func (c *collection) run(ctx context.Context) (*schema.Portrait, error) {
	policy, most, v1Gone := c.client.config.Endpoint, c.client.config.MaxAttempts, &c.client.v1Gone
	if policy == schema.PolicyProfile || v1Gone.Load() {
		return c.ask(ctx, schema.EndpointProfile, most)
	}
	portrait, err := c.ask(ctx, schema.EndpointPortrait, most)
	first, failed := errors.AsType[*failure](err)
	if !failed || policy == schema.PolicyPortrait || first.kind != schema.EndpointRemoved && first.kind != schema.CollectionFailed {
		return portrait, err
	}
	gone := first.kind == schema.EndpointRemoved
	if !gone {
		most = 1
	}
	portrait, err = c.ask(ctx, schema.EndpointProfile, most)
	second, failed := errors.AsType[*failure](err)
	// V1's failure is the one to tell, unless the successor may have charged, or
	// failed for a reason of its own where V1 is gone.
	if failed && !second.outcome.charged() && (!gone || second.kind == schema.EndpointRemoved) {
		first.what += "; its successor: " + second.what
		return nil, first
	}
	if gone && err == nil && v1Gone.CompareAndSwap(false, true) {
		c.client.config.Logger.WarnContext(ctx, "the vendor no longer serves V1 of the portrait endpoint: its successor is asked from now on",
			"kolId", c.kolID, "reason", first)
	}
	return portrait, err
}

// ask sends up to most requests to one endpoint, until one brings a portrait or
// another makes no sense. Where ctx ends before there is another, the latest
// failure stands.
func (c *collection) ask(ctx context.Context, e schema.Endpoint, most int) (*schema.Portrait, error) {
	backoff := c.client.config.Backoff
	for n := 1; ; n++ {
		portrait, err := c.attempt(ctx, e)
		fail, failed := errors.AsType[*failure](err)
		if !failed || fail.outcome != again || n >= most || fail.wait > maxWait || c.client.breaker.refusal(false) != nil {
			return portrait, err
		}
		// Callers that were refused together had better not come back together.
		delay := max(backoff, fail.wait) + rand.N(backoff/4+1) //nolint:gosec // nobody gains by guessing it
		c.client.config.Logger.WarnContext(ctx, "asking the vendor again", "kolId", c.kolID, "endpoint", e, "attempt", c.sent,
			"kind", fail.kind, "code", fail.code, "delay", delay)
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, fail
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// attempt sends one request when its turn has come, unless the vendor is left
// alone or the request is not admitted. The breaker is asked before the wait,
// so as to fail at once, and after it, since much may have happened meanwhile.
func (c *collection) attempt(ctx context.Context, e schema.Endpoint) (*schema.Portrait, error) {
	req, err := c.client.newRequest(ctx, e, c.kolID, c.fresh)
	if err != nil {
		return nil, &failure{rule: rule{schema.Internal, refused, "The vendor cannot be asked: " + err.Error()}}
	}
	if fail := c.client.breaker.refusal(false); fail != nil {
		return nil, fail
	}
	if c.client.limiter.Wait(ctx) != nil {
		return nil, &failure{rule: notSent}
	}
	if fail := c.client.breaker.refusal(true); fail != nil {
		return nil, fail
	}
	settle, err := c.admit(ctx)
	if err != nil {
		return nil, err
	}
	charged := true // also where the transport panics
	defer func() { settle(charged) }()
	c.sent++
	start, outcome := time.Now(), "success"
	end := c.observe(ctx, e, req)
	portrait, fail := c.client.exchange(req)
	if fail != nil {
		charged, outcome = fail.outcome.charged(), string(fail.kind)
	}
	end(fail, charged)
	if ctx.Err() == nil { // a call that we have ended says nothing of the vendor
		c.client.breaker.note(ctx, fail)
	}
	c.client.config.Logger.DebugContext(ctx, "asked the vendor", "kolId", c.kolID, "endpoint", e, "attempt", c.sent,
		"duration", time.Since(start), "outcome", outcome)
	if fail != nil {
		return nil, fail
	}
	portrait.KOLID, portrait.Fresh, portrait.Endpoint = c.kolID, c.fresh, e
	return portrait, nil
}

// observe begins a span around one request, and returns what ends it and counts the
// request. The span is made by hand: what net/http's own would record is the address,
// and with it the token. The request does not carry the trace to the vendor.
func (c *collection) observe(ctx context.Context, e schema.Endpoint, req *http.Request) (end func(fail *failure, charged bool)) {
	start := time.Now()
	_, span := telemetry.StartClient(ctx, "upstream attempt",
		attribute.String("http.request.method", req.Method),
		attribute.String("server.address", req.URL.Hostname()),
		attribute.String("kol_portrait.endpoint", string(e)),
		attribute.Int("kol_portrait.attempt", c.sent))
	return func(fail *failure, charged bool) {
		code := "0"
		if fail != nil {
			code = fail.label()
			span.SetStatus(otelcodes.Error, c.client.config.Token.Hide(fail.what))
			span.SetAttributes(attribute.String("error.type", string(fail.kind)))
		}
		span.SetAttributes(attribute.String("kol_portrait.code", code), attribute.Bool("kol_portrait.charged", charged))
		span.End()
		c.client.config.Metrics.Attempt(code, time.Since(start))
	}
}

// exchange sends one request and judges its answer. Once the vendor may have the
// request, a failure may have been charged.
func (c *Client) exchange(req *http.Request) (*schema.Portrait, *failure) {
	ctx, cancel := context.WithTimeout(req.Context(), c.config.Timeout)
	defer cancel()
	var written atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }}
	// A RoundTripper, not an http.Client: it follows no redirect, and its
	// errors do not quote the URL.
	resp, err := c.config.Transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err != nil {
		return nil, c.unanswered(req.Context(), ctx, err, written.Load())
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols { // reading from a connection that is handed over would wait for good
		return c.judge(resp, nil)
	}
	// Reading ends with the attempt even where the transport does not see to it.
	defer context.AfterFunc(ctx, func() { _ = resp.Body.Close() })()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		if env, damage := readEnvelope(body); damage != nil && (env.code != 0 || !env.whole) {
			return nil, c.unanswered(req.Context(), ctx, err, true)
		} // else the connection broke behind what matters
	}
	return c.judge(resp, body)
}

// unanswered is the failure of a request that brought no whole answer, because
// of err, or since the time of the call or of the attempt was up. Before the
// request was written the vendor cannot have charged it, so it may be sent
// again; after that nobody knows.
func (c *Client) unanswered(call, attempt context.Context, err error, written bool) *failure {
	why := c.config.Token.Hide(cause(err))
	switch {
	case call.Err() != nil && !written:
		return &failure{rule: notSent}
	case call.Err() != nil:
		return &failure{rule: rule{schema.Timeout, unsettled, notSent.what}}
	case !written:
		return &failure{rule: rule{schema.Network, again, "The vendor cannot be reached: " + why}}
	case attempt.Err() != nil:
		return &failure{rule: rule{schema.Timeout, unsettled, fmt.Sprintf("The vendor did not answer within %v", c.config.Timeout)}}
	default:
		return &failure{rule: rule{schema.Network, unsettled, "The connection failed before the whole answer was there: " + why}}
	}
}

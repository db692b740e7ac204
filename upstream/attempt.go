package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"kol-portrait-mcp/schema"
)

// maxBody is how many bytes of an answer are read, after decompression. The
// documented response has five thousand.
const maxBody = 4 << 20

// adviseWait is what to do where the vendor may still be at work.
const adviseWait = "Wait some minutes before calling again: that may be charged a second time."

// answer is what came back for one request.
type answer struct {
	endpoint endpoint
	kolID    string
	status   int
	header   http.Header
	body     []byte
}

// exchange sends one request, which was admitted, and judges what comes back.
// It returns either a portrait or a failure, and settles the admission however
// it ends: with true where the vendor charged the request or may have.
func (c *Client) exchange(ctx context.Context, req *http.Request, a answer, settle func(charged bool)) (collected *schema.Collected, fail *failure) {
	var written atomic.Bool
	defer func() {
		switch {
		case collected != nil:
			settle(true)
		case fail != nil:
			settle(fail.err.Charged)
		default: // the transport panicked
			settle(written.Load())
		}
	}()
	attemptCtx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	trace := &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }}
	// A RoundTripper, not an http.Client: it follows no redirect, and its
	// errors do not quote the URL.
	resp, err := c.transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(attemptCtx, trace)))
	if err != nil {
		return nil, c.unanswered(ctx, attemptCtx, err, written.Load())
	}
	written.Store(true)
	defer func() { _ = resp.Body.Close() }()
	a.status, a.header = resp.StatusCode, resp.Header
	if a.status < 200 {
		// 101 hands the connection over: reading from it would wait for good.
		return nil, c.refusedByStatus(a)
	}
	// Reading ends with the attempt even where the transport does not see to it.
	defer context.AfterFunc(attemptCtx, func() { _ = resp.Body.Close() })()
	a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, c.unanswered(ctx, attemptCtx, err, true)
	}
	return c.judge(a)
}

func misconfigured(err error) *failure {
	return &failure{
		err:    schema.Error{Kind: schema.Internal, Message: "The vendor cannot be asked: " + err.Error()},
		advice: "Check the vendor's address that this server is configured with (JUSTONEAPI_BASE_URL).",
	}
}

// unanswered is the failure of a request that brought no whole answer. Before
// the request was written the vendor cannot have charged it, so it may be sent
// again; after that nobody knows.
func (c *Client) unanswered(ctx, attemptCtx context.Context, err error, written bool) *failure {
	if ctx.Err() != nil {
		return ended(ctx, written)
	}
	fail := &failure{
		err:    schema.Error{Kind: schema.Network, Retryable: true, Charged: written},
		advice: adviseWait,
		health: down,
		brief:  c.token.quote(cause(err)),
	}
	switch {
	case written && attemptCtx.Err() != nil:
		fail.err.Kind = schema.Timeout
		fail.err.Message = fmt.Sprintf("The vendor did not answer within %v", c.timeout)
		fail.brief = fmt.Sprintf("no answer within %v", c.timeout)
	case written:
		fail.err.Message = "The connection failed before the whole answer was there: " + fail.brief
	default:
		fail.err.Message = "The vendor cannot be reached: " + fail.brief
		fail.advice = "Check this server's network and proxy settings, then call again."
		fail.retry = true
	}
	return fail
}

// judge tells what an answer means: by the code in its envelope where it has
// one, whatever the HTTP status, and else by the status. What began as an
// envelope and is damaged may have been charged, whatever the status as well.
func (c *Client) judge(a answer) (*schema.Collected, *failure) {
	env, err := decodeEnvelope(a.body)
	switch {
	case len(a.body) > maxBody && (err == nil || errors.Is(err, errIncomplete)):
		return nil, c.untrusted(fmt.Errorf("it is larger than %d MiB", maxBody>>20), env)
	case err == nil && env.code == 0:
		return c.collect(a, env)
	case err == nil:
		return nil, c.refused(a, env)
	case errors.Is(err, errIncomplete):
		return nil, brokenOff(env)
	case env.damaged || a.status < 300:
		return nil, c.untrusted(err, env)
	default:
		return nil, c.refusedByStatus(a)
	}
}

// collect makes a portrait of a charged answer.
func (c *Client) collect(a answer, env envelope) (*schema.Collected, *failure) {
	if c.token.in(env.data) {
		return nil, c.untrusted(errors.New("data holds the token"), env)
	}
	p, err := decodePortrait(env.data)
	if err != nil {
		return nil, c.untrusted(err, env)
	}
	return &schema.Collected{
		KOLID:         a.kolID,
		AsOf:          p.asOf,
		Data:          env.data,
		Distributions: p.distributions,
		Source: schema.Source{
			Endpoint:    a.endpoint.name,
			Deprecated:  a.endpoint.name.Deprecated(),
			Environment: c.environment,
			RetrievedAt: time.Now().UTC().Truncate(time.Millisecond),
			Charged:     c.environment != schema.EnvironmentSample,
			Sample:      c.environment == schema.EnvironmentSample || strings.EqualFold(a.header.Get("X-Sample-Data"), "true"),
			RequestID:   c.requestID(env),
		},
	}, nil
}

// brokenOff is the failure of an answer that stops before its end.
func brokenOff(env envelope) *failure {
	return &failure{
		err:    schema.Error{Kind: schema.Network, Message: "The vendor's answer broke off", Retryable: true, Charged: true},
		paid:   env.code == 0,
		advice: adviseWait,
		health: down,
		brief:  "an answer that broke off",
	}
}

// untrusted is the failure of an answer that is not what it should be. It was
// charged where it said so, even if it is good for nothing; else nobody knows.
func (c *Client) untrusted(err error, env envelope) *failure {
	fail := &failure{
		err: schema.Error{
			Kind:      schema.BadResponse,
			Message:   "The vendor's answer cannot be trusted: " + c.token.quote(err.Error()),
			RequestID: c.requestID(env),
			Charged:   true,
		},
		paid:   env.code == 0,
		advice: "The same call may bring the same answer, and be charged; tell the vendor's support.",
	}
	if fail.paid {
		fail.health = alive
	}
	return fail
}

// refused is the failure of an answer with another code than 0.
func (c *Client) refused(a answer, env envelope) *failure {
	rule, now := codeRule(env.code), time.Now()
	fail := rule.failure(fmt.Sprintf("code %d", env.code), retryAfter(a.header, now))
	fail.health = codeHealth(env.code)
	if message := c.token.quote(env.message); message != "" {
		fail.err.Message += fmt.Sprintf(": %q", message)
	}
	fail.err.UpstreamCode = env.code
	fail.err.RequestID = c.requestID(env)
	if rule.kind == schema.DailyQuotaExceeded {
		fail.err.RetryAfterSeconds = wholeSeconds(schema.NextDay(now).Sub(now))
	}
	return fail
}

// refusedByStatus is the failure of an answer without an envelope and with
// another HTTP status than 2xx. Nothing of its body or Location is quoted: it
// comes from anywhere between here and the vendor.
func (c *Client) refusedByStatus(a answer) *failure {
	rule := statusRule(a.status)
	fail := rule.failure(fmt.Sprintf("HTTP %d", a.status), retryAfter(a.header, time.Now()))
	fail.err.Charged = rule.outcome.charged()
	fail.health = statusHealth(a.status)
	return fail
}

func (r rule) failure(where string, wait time.Duration) *failure {
	fail := &failure{
		err:    schema.Error{Kind: r.kind, Message: fmt.Sprintf("%s (%s)", r.what, where), Retryable: r.outcome.retryable()},
		advice: r.advice,
		brief:  where,
		retry:  r.outcome == again,
	}
	if r.outcome == again {
		fail.wait = wait
	}
	return fail
}

// requestID is the vendor's id of a request where it looks like one, so that
// it can be printed anywhere.
func (c *Client) requestID(env envelope) string {
	const longest = 128
	id := c.token.hider.Hide(env.requestID)
	strange := func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-", r)
	}
	if len(id) > longest || strings.ContainsFunc(id, strange) {
		return ""
	}
	return id
}

package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go"

	"kol-portrait-mcp/schema"
)

// collection is one call of Portrait: what is asked, and how far it got.
type collection struct {
	client *Client
	kolID  string
	fresh  bool
	admit  Admit

	endpoint  endpoint // that is being asked
	attempts  int      // requests sent, to both endpoints
	collected *schema.Collected
	last      *failure // of the latest attempt, whichever endpoint it asked
	stopped   *failure // what the endpoint's latest try ended with, be it an attempt or not
}

// run asks the endpoints that may be asked, in order.
func (c *collection) run(ctx context.Context) (*schema.Collected, *failure) {
	switch c.client.policy {
	case schema.PolicyPortrait:
		return c.only(ctx, portraitEndpoint())
	case schema.PolicyProfile:
		return c.only(ctx, profileEndpoint())
	default:
		return c.auto(ctx)
	}
}

// only asks one endpoint, whatever it says.
func (c *collection) only(ctx context.Context, e endpoint) (*schema.Collected, *failure) {
	collected, fail := c.ask(ctx, e, c.client.maxAttempts)
	return collected, c.removed(fail)
}

// auto asks V1, and its successor where V1 is gone, for good, or cannot
// collect this KOL. Neither refusal is charged; after anything that may have
// been, the successor is not asked.
func (c *collection) auto(ctx context.Context) (*schema.Collected, *failure) {
	if c.client.moved.Load() {
		return c.only(ctx, profileEndpoint())
	}
	collected, fail := c.ask(ctx, portraitEndpoint(), c.client.maxAttempts)
	switch {
	case fail == nil:
		return collected, nil
	case fail.err.Kind == schema.EndpointRemoved:
		return c.successor(ctx, fail)
	case fail.err.Kind == schema.CollectionFailed:
		return c.secondChance(ctx, fail)
	default:
		return nil, fail
	}
}

// successor asks the successor where V1 is gone, which v1 says, and stays with
// it for good once it has shown that it is there: else a gateway that knows
// neither for a moment would leave the process with the wrong one.
func (c *collection) successor(ctx context.Context, v1 *failure) (*schema.Collected, *failure) {
	collected, fail := c.only(ctx, profileEndpoint())
	if fail == nil || fail.err.UpstreamCode != 0 && fail.err.Kind != schema.EndpointRemoved {
		c.move(ctx, v1)
	}
	return collected, fail
}

// move makes the successor the endpoint of all calls from now on.
func (c *collection) move(ctx context.Context, fail *failure) {
	if c.client.moved.CompareAndSwap(false, true) {
		c.client.logger.WarnContext(ctx, "the vendor no longer serves V1 of the portrait endpoint: its successor is asked from now on",
			"kolId", c.kolID, "reason", fail.err.Message)
	}
}

// secondChance asks the successor once for a KOL that V1 could not collect,
// which V1's failure v1 says. That stays the answer where the successor brings
// nothing, unless what the successor did may have been charged.
func (c *collection) secondChance(ctx context.Context, v1 *failure) (*schema.Collected, *failure) {
	c.client.logger.InfoContext(ctx, "V1 cannot collect this KOL: its successor is asked once", "kolId", c.kolID)
	collected, fail := c.ask(ctx, profileEndpoint(), 1)
	switch {
	case fail == nil:
		return collected, nil
	case fail.err.Charged, fail.own != nil:
		return nil, fail
	case c.attempts > v1.attempts && fail.err.Kind == v1.err.Kind:
		v1.also = "; its successor, asked once, could not either"
	case c.attempts > v1.attempts:
		v1.also = "; its successor, asked once: " + fail.err.Message
	case ctx.Err() != nil:
		v1.also = "; its successor was not asked: " + ended(ctx, false).err.Message
	default:
		v1.also = "; its successor was not asked: " + fail.err.Message
	}
	return nil, v1
}

// removed adds to the failure of an endpoint that is gone what can be done
// about it. Other failures, and nil, stay as they are.
func (c *collection) removed(fail *failure) *failure {
	if fail == nil || fail.err.Kind != schema.EndpointRemoved {
		return fail
	}
	const elsewhere = "Check JUSTONEAPI_BASE_URL if it is set. Else: "
	switch c.client.policy {
	case schema.PolicyPortrait:
		fail.advice = "Set JUSTONEAPI_ENDPOINT=auto or profile, so that the successor of this endpoint is asked."
	case schema.PolicyProfile:
		fail.advice = "Set JUSTONEAPI_ENDPOINT=auto or portrait, so that the other endpoint is asked; if that one is gone too, update this server."
	default:
		fail.err.Message = "The vendor serves neither V1 of the portrait endpoint nor its successor, fans_profile; the latest attempt: " + fail.err.Message
		fail.advice = elsewhere + "Update this server."
		return fail
	}
	if fail.err.UpstreamCode == 0 { // whoever answered is perhaps not the vendor
		fail.advice = elsewhere + fail.advice
	}
	return fail
}

// ask makes up to most attempts at one endpoint, until one brings a portrait
// or no other is worth it. It looks at what the tries brought before what the
// executor says: where ctx ends just as an answer arrives, the executor reports
// the end of ctx, but the answer has been paid for.
func (c *collection) ask(ctx context.Context, e endpoint, most int) (*schema.Collected, *failure) {
	c.endpoint, c.stopped = e, nil
	_, err := failsafe.With(c.retries(ctx, most)).WithContext(ctx).Get(func() (*schema.Collected, error) {
		return c.try(ctx)
	})
	if c.collected != nil {
		return c.collected, nil
	}
	if fail := (*failure)(nil); errors.As(err, &fail) {
		return nil, fail
	}
	if c.stopped != nil && !c.stopped.retry {
		return nil, c.stopped
	}
	return nil, c.interrupted(ctx)
}

// try is attempt as the executor takes it.
func (c *collection) try(ctx context.Context) (*schema.Collected, error) {
	c.collected, c.stopped = c.attempt(ctx)
	if c.stopped != nil {
		return nil, c.stopped
	}
	return c.collected, nil
}

// attempt sends one request when its turn has come, unless the vendor is left
// alone or the request is not admitted. The breaker is asked before the wait,
// so as to fail at once, and after it, since much may have happened meanwhile.
func (c *collection) attempt(ctx context.Context) (collected *schema.Collected, fail *failure) {
	client := c.client
	if fail := client.breaker.refusal(); fail != nil {
		return nil, c.leftAlone(fail)
	}
	if client.limiter.AcquirePermit(ctx) != nil || ctx.Err() != nil {
		return nil, c.interrupted(ctx)
	}
	leave, refusal := client.breaker.enter()
	if refusal != nil {
		return nil, c.leftAlone(refusal)
	}
	defer func() {
		switch {
		case collected != nil:
			leave(alive, "")
		case fail != nil:
			leave(fail.health, fail.brief)
		default: // a panic
			leave(unclear, "")
		}
	}()
	req, err := client.newRequest(ctx, c.endpoint, c.kolID, c.fresh)
	if err != nil {
		return nil, misconfigured(err)
	}
	settle, err := c.admit(ctx)
	if err != nil {
		return nil, c.unadmitted(ctx, err)
	}
	if ctx.Err() != nil {
		settle(false)
		return nil, c.interrupted(ctx)
	}
	return c.send(ctx, req, settle)
}

// send is the part of an attempt that is counted, timed and logged.
func (c *collection) send(ctx context.Context, req *http.Request, settle func(charged bool)) (*schema.Collected, *failure) {
	c.attempts++
	start := time.Now()
	collected, fail := c.client.exchange(ctx, req, answer{endpoint: c.endpoint, kolID: c.kolID}, settle)
	outcome := "success"
	if fail != nil {
		fail.attempts = c.attempts
		c.last = fail
		outcome = string(fail.err.Kind)
	}
	c.client.logger.DebugContext(ctx, "asked the vendor", "kolId", c.kolID, "endpoint", c.endpoint.name, "attempt", c.attempts,
		"duration", time.Since(start), "outcome", outcome)
	return collected, fail
}

// interrupted is the failure of a call whose ctx ended between two attempts,
// or before the first.
func (c *collection) interrupted(ctx context.Context) *failure {
	fail := ended(ctx, false)
	if c.last != nil {
		fail.attempts = c.attempts
		fail.err.Message += "; the latest attempt: " + c.last.err.Message
		fail.err.UpstreamCode, fail.err.RequestID = c.last.err.UpstreamCode, c.last.err.RequestID
	}
	return fail
}

// leftAlone is the breaker's refusal, which says as well what became of the
// requests that this call sent before.
func (c *collection) leftAlone(refusal *failure) *failure {
	if c.last != nil {
		refusal.also = fmt.Sprintf("; %s of this call failed before, the latest so: %s", count(c.attempts, "attempt"), c.last.err.Message)
	}
	return refusal
}

// unadmitted is the failure of a request that was not admitted: err as it is,
// or where the vendor refused requests of this call before, a copy that tells
// of them. They have cost nothing, else there would be no other.
func (c *collection) unadmitted(ctx context.Context, err error) *failure {
	refusal, ok := errors.AsType[*schema.Error](err)
	if !ok {
		c.client.logger.ErrorContext(ctx, "cannot tell whether a request may be sent", "kolId", c.kolID, "error", err)
		refusal = &schema.Error{Kind: schema.Internal, Message: "This server cannot tell whether the vendor may be asked; its log says why."}
	}
	if c.last != nil {
		told := *refusal
		told.Message += fmt.Sprintf(" Before that, %s failed, the latest so: %s.", count(c.attempts, "attempt"), c.last.err.Message)
		refusal = &told
	}
	return &failure{err: *refusal, own: refusal}
}

package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/ratelimiter"

	"kol-portrait-mcp/schema"
)

// Config tells a Client whom to ask and how hard to try. It never prints its
// token.
type Config struct {
	Environment schema.Environment // what Source.Environment says; sample means that nothing is ever charged
	BaseURL     string             // scheme and host, with a path in front of the vendor's if need be; empty: Address(Environment)
	Token       string             `json:"-"` // the vendor's token; empty: every call answers missing_token
	Timeout     time.Duration      // of one attempt, from the dial to the last byte; 0: 60 s, the least that the vendor advises
	MaxAttempts int                // at one portrait, the first included; 0: 3
	MaxRPS      float64            // requests a second, all callers together; 0: 5
	Backoff     time.Duration      // before the second attempt, doubling up to 8 s; 0: 500 ms
	UserAgent   string             // such as kol-portrait-mcp/1.2.3
	Transport   http.RoundTripper  // sees URLs that hold the token; nil: the Client's own, with proxies from the environment
	Logger      *slog.Logger       // nil: discards
}

// Address returns where the vendor answers in an environment: scheme, host and
// port, as the vendor's own page gives them. It is empty for the sample
// environment, which is no place, and for one that is not known. The cn
// address is plain HTTP, so that the token crosses the network unencrypted.
func Address(environment schema.Environment) string {
	switch environment {
	case schema.EnvironmentGlobal:
		return "https://api.justoneapi.com"
	case schema.EnvironmentCN:
		return "http://47.117.133.51:30015"
	default:
		return ""
	}
}

// String describes the configuration without the token.
func (c Config) String() string {
	return fmt.Sprintf("upstream %s, timeout %v, %d attempts, %g requests/s", c.Environment, c.Timeout, c.MaxAttempts, c.MaxRPS)
}

// Format prints String whatever the verb, so that %#v cannot show the token.
func (c Config) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(c.String())) }

// LogValue logs String.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Client asks the vendor for portraits. It is safe for concurrent use, and all
// its callers share one rate limit.
type Client struct {
	environment schema.Environment
	baseURL     string
	token       *secret
	timeout     time.Duration
	maxAttempts int
	backoff     time.Duration
	userAgent   string
	transport   http.RoundTripper
	limiter     ratelimiter.RateLimiter[*schema.Collected]
	logger      *slog.Logger
}

// New returns a Client. It opens and dials nothing; a configuration that
// cannot work shows at the first call.
func New(cfg Config) *Client {
	c := &Client{
		environment: cfg.Environment,
		baseURL:     or(cfg.BaseURL, Address(cfg.Environment)),
		token:       newSecret(cfg.Token),
		timeout:     or(cfg.Timeout, 60*time.Second),
		maxAttempts: or(cfg.MaxAttempts, 3),
		backoff:     or(cfg.Backoff, 500*time.Millisecond),
		userAgent:   cfg.UserAgent,
		transport:   cfg.Transport,
		limiter:     newLimiter(or(cfg.MaxRPS, 5)),
		logger:      cfg.Logger,
	}
	if c.transport == nil {
		c.transport = newTransport()
	}
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// or returns value, or fallback where value is not above zero: a negative
// number makes no more sense here than none.
func or[T int | float64 | string | time.Duration](value, fallback T) T {
	var zero T
	if value > zero {
		return value
	}
	return fallback
}

// String describes the Client without the token.
func (c *Client) String() string { return fmt.Sprintf("upstream %s", c.environment) }

// Format prints String whatever the verb.
func (c *Client) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(c.String())) }

// LogValue logs String.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Admit is asked before each request that the vendor may charge. It returns
// what to call once the outcome is known, with whether the request was charged
// or may have been (in the sample environment: would have been). An error, which
// is a *schema.Error, keeps the request from being sent and ends the collection.
type Admit func(ctx context.Context) (settle func(charged bool), err error)

// Portrait asks the vendor for the audience portrait of kolID. With fresh the
// vendor is told not to answer from its own cache. The call lasts as long as
// ctx allows: up to MaxAttempts attempts of Timeout each, the waits between
// them, and the wait for the rate limit.
//
// The error is always a *schema.Error, and says whether the vendor charged the
// call or may have. Portrait tries again only where the vendor did not charge:
// never after a request that was sent and not answered.
func (c *Client) Portrait(ctx context.Context, kolID string, fresh bool) (*schema.Collected, error) {
	if c.token.value == "" {
		return nil, &schema.Error{
			Kind: schema.MissingToken,
			Message: "No Just One API token is configured. Set JUSTONEAPI_TOKEN or JUSTONEAPI_TOKEN_FILE where this server starts, " +
				"or JUSTONEAPI_ENV=sample to try it with simulated data.",
		}
	}
	collection := &collection{client: c, endpoint: portraitEndpoint(), kolID: kolID, fresh: fresh}
	collected, fail := collection.run(ctx)
	if fail != nil {
		return nil, fail.told(collection.attempts)
	}
	return collected, nil
}

// collection is one call of Portrait: what is asked, and how far it got.
type collection struct {
	client   *Client
	endpoint endpoint
	kolID    string
	fresh    bool

	attempts  int
	collected *schema.Collected
	last      *failure // of the latest attempt
}

// run makes attempts until one brings a portrait or no other is worth it. It
// looks at what the attempts brought before what the executor says: where ctx
// ends just as an answer arrives, the executor reports the end of ctx, but the
// answer has been paid for.
func (c *collection) run(ctx context.Context) (*schema.Collected, *failure) {
	policies := failsafe.With(c.retries(ctx), c.client.limiter)
	_, err := policies.WithContext(ctx).GetWithExecution(func(failsafe.Execution[*schema.Collected]) (*schema.Collected, error) {
		return c.try(ctx)
	})
	if c.collected != nil {
		return c.collected, nil
	}
	if fail := (*failure)(nil); errors.As(err, &fail) {
		return nil, fail
	}
	if c.last != nil && !c.last.retry {
		return nil, c.last
	}
	return nil, c.interrupted(ctx)
}

// interrupted is the failure of a call whose ctx ended between two attempts,
// or before the first.
func (c *collection) interrupted(ctx context.Context) *failure {
	fail := ended(ctx, false)
	if c.last != nil {
		fail.err.Message += "; the latest attempt: " + c.last.err.Message
		fail.err.UpstreamCode, fail.err.RequestID = c.last.err.UpstreamCode, c.last.err.RequestID
	}
	return fail
}

// try is one attempt, counted, timed and logged.
func (c *collection) try(ctx context.Context) (*schema.Collected, error) {
	c.attempts++
	start := time.Now()
	collected, fail := c.client.attempt(ctx, c.endpoint, c.kolID, c.fresh)
	c.collected, c.last = collected, fail
	outcome := "success"
	if fail != nil {
		outcome = string(fail.err.Kind)
	}
	c.client.logger.DebugContext(ctx, "asked the vendor", "kolId", c.kolID, "attempt", c.attempts,
		"duration", time.Since(start), "outcome", outcome)
	if fail != nil {
		return nil, fail
	}
	return collected, nil
}

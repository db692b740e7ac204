package upstream

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/ratelimiter"

	"kol-portrait-mcp/schema"
)

// Config tells a Client whom to ask and how hard to try. It never prints its
// token.
type Config struct {
	Environment schema.Environment    // what Source.Environment says; sample means that nothing is ever charged
	Endpoint    schema.EndpointPolicy // which of the vendor's endpoints may be asked; empty: auto
	BaseURL     string                // scheme and host, with a path in front of the vendor's if need be; empty: Address(Environment)
	Token       string                `json:"-"` // the vendor's token; empty: every call answers missing_token
	Timeout     time.Duration         // of one attempt, from the dial to the last byte; 0: 60 s, the least that the vendor advises
	MaxAttempts int                   // at one portrait, the first included; 0: 3
	MaxRPS      float64               // requests a second, all callers together; 0: 5
	Backoff     time.Duration         // before the second attempt, doubling up to 8 s; 0: 500 ms
	BreakAfter  int                   // failures of the vendor in a row, all callers together, after which it is left alone; 0: 10
	BreakFor    time.Duration         // how long; then one request tries it; 0: 30 s
	UserAgent   string                // such as kol-portrait-mcp/1.2.3
	Transport   http.RoundTripper     // sees URLs that hold the token; nil: the Client's own, with proxies from the environment
	Logger      *slog.Logger          // nil: discards
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
// its callers share one rate limit, one breaker, and what is known of V1.
type Client struct {
	environment schema.Environment
	policy      schema.EndpointPolicy
	moved       atomic.Bool // under auto: V1 is gone, and is not asked again
	baseURL     string
	token       *secret
	timeout     time.Duration
	maxAttempts int
	backoff     time.Duration
	userAgent   string
	transport   http.RoundTripper
	limiter     ratelimiter.RateLimiter[*schema.Collected]
	breaker     *breaker
	logger      *slog.Logger
}

// New returns a Client. It opens and dials nothing; a configuration that
// cannot work shows at the first call.
func New(cfg Config) *Client {
	c := &Client{
		environment: cfg.Environment,
		policy:      cfg.Endpoint,
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
	c.breaker = newBreaker(or(cfg.BreakAfter, 10), or(cfg.BreakFor, 30*time.Second), c.logger)
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
// or may have been (in the sample environment: would have been), and which is
// not nil. An error, which is a *schema.Error, keeps the request from being sent
// and ends the collection.
type Admit func(ctx context.Context) (settle func(charged bool), err error)

// admitAll is what a nil Admit stands for.
func admitAll(context.Context) (func(bool), error) { return func(bool) {}, nil }

// Portrait asks the vendor for the audience portrait of kolID. With fresh the
// vendor is told not to answer from its own cache, which only V1 can be told.
// The call lasts as long as ctx allows: up to MaxAttempts attempts of Timeout
// each at an endpoint, the waits between them, and the wait for the rate limit.
//
// Each request is admitted right before it is sent, when all waiting is over,
// and is settled exactly once, before anything else is asked; a nil admit
// admits all. Where admit refuses, its error is the call's; if requests were
// sent and refused by the vendor before, a copy tells of them as well.
//
// The error is always a *schema.Error, and says whether the vendor charged the
// call or may have. Portrait asks again, be it the same endpoint or the other
// one, only where the vendor did not charge: never after a request that was
// sent and not answered. While the vendor is left alone nothing is sent, and
// the error says for how long.
func (c *Client) Portrait(ctx context.Context, kolID string, fresh bool, admit Admit) (*schema.Collected, error) {
	if c.token.value == "" {
		return nil, &schema.Error{
			Kind: schema.MissingToken,
			Message: "No Just One API token is configured. Set JUSTONEAPI_TOKEN or JUSTONEAPI_TOKEN_FILE where this server starts, " +
				"or JUSTONEAPI_ENV=sample to try it with simulated data.",
		}
	}
	if admit == nil {
		admit = admitAll
	}
	collection := &collection{client: c, kolID: kolID, fresh: fresh, admit: admit}
	collected, fail := collection.run(ctx)
	if fail != nil {
		return nil, c.told(fail)
	}
	return collected, nil
}

// told is a failure as the caller sees it: in the sample environment nothing
// is ever charged, and while the vendor is left alone calling again at once is
// of no use.
func (c *Client) told(fail *failure) *schema.Error {
	if c.environment == schema.EnvironmentSample {
		fail.err.Charged = false
	}
	told := fail.told()
	if fail.own == nil && told.Retryable && !told.Charged {
		told.RetryAfterSeconds = max(told.RetryAfterSeconds, wholeSeconds(c.breaker.left()))
	}
	return told
}

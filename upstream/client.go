// Package upstream asks Just One API for portraits of KOL audiences.
//
// Every request may cost money. So a request is admitted by the caller right
// before it is sent and settled once its outcome is known, none is repeated
// that may have been charged, and every answer with code 0 is handed on as it
// came, readable or not. [Read] makes of it what can be made.
//
// The vendor takes its token as a query parameter, so every URL is a secret
// here: this package follows no redirect, writes no URL anywhere, and takes the
// token out of all text and data that it hands on.
package upstream

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
	"kol-portrait-mcp/telemetry"
)

// Config tells a Client whom to ask and how hard to try.
type Config struct {
	Environment schema.Environment    // what portraits say that they are from
	Endpoint    schema.EndpointPolicy // which of the vendor's endpoints may be asked; empty: auto
	BaseURL     string                // scheme and host, with a path in front of the vendor's if need be; empty: Address(Environment)
	Token       secret.Secret         // the vendor's token; without one every call answers missing_token
	Timeout     time.Duration         // of one attempt, from the dial to the last byte; 0: 60 s, the least that the vendor advises
	MaxAttempts int                   // at one endpoint in one collection; 0: 3
	MaxRPS      float64               // requests a second, all callers together; 0: 5
	Backoff     time.Duration         // before the second attempt, doubling up to 8 s; 0: 500 ms
	BreakAfter  int                   // failures of the vendor in a row, all callers together, after which it is left alone for 30 s; 0: 10
	UserAgent   string                // such as kol-portrait-mcp/1.2.3
	Transport   http.RoundTripper     // sees URLs that hold the token; nil: the Client's own, with proxies from the environment
	Metrics     *telemetry.Metrics    // nil: none
	Logger      *slog.Logger          // nil: discards
}

// Address returns where the vendor answers in an environment: scheme, host and
// port, as the vendor's own page gives them. It is empty for the sample
// environment. The cn address is plain HTTP: the token crosses the network
// unencrypted.
func Address(environment schema.Environment) string {
	return map[schema.Environment]string{
		schema.EnvironmentGlobal: "https://api.justoneapi.com",
		schema.EnvironmentCN:     "http://47.117.133.51:30015",
	}[environment]
}

// Client asks the vendor for portraits. It is safe for concurrent use, and all
// its callers share one rate limit, one breaker, and what is known of V1.
type Client struct {
	config  Config
	limiter *rate.Limiter
	breaker *breaker
	v1Gone  atomic.Bool // under auto: V1 is gone, and is not asked again
}

// New returns a Client. It opens and dials nothing; a configuration that
// cannot work shows at the first call.
func New(cfg Config) *Client {
	cfg.BaseURL = cmp.Or(cfg.BaseURL, Address(cfg.Environment))
	cfg.Timeout = cmp.Or(cfg.Timeout, 60*time.Second)
	cfg.MaxAttempts = cmp.Or(cfg.MaxAttempts, 3)
	cfg.Backoff = cmp.Or(cfg.Backoff, 500*time.Millisecond)
	if cfg.Transport == nil {
		cfg.Transport = newTransport()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Client{
		config:  cfg,
		limiter: rate.NewLimiter(rate.Limit(cmp.Or(cfg.MaxRPS, 5)), 1),
		breaker: &breaker{after: cmp.Or(cfg.BreakAfter, 10), logger: cfg.Logger},
	}
}

// Admit is asked right before each request. It may itself wait, for the request's turn
// among all processes. It returns what to call once the outcome is known, with
// whether the request was charged or may have been. An error keeps the request from
// being sent and ends the collection.
type Admit func(ctx context.Context) (settle func(charged bool), err error)

// Portrait asks the vendor for the audience portrait of kolID, and returns what
// came with code 0, without ID and AsOf, which are the caller's to set. With
// fresh the vendor is told not to answer from its own cache, which only V1 can
// be told. It may take MaxAttempts attempts of Timeout each at each endpoint,
// with waits between them, unless ctx ends before.
//
// Each request is admitted and settled exactly once. An error of admit is
// returned as it is; every other is a *schema.Error, which says whether the
// vendor charged the call or may have.
func (c *Client) Portrait(ctx context.Context, kolID string, fresh bool, admit Admit) (*schema.Portrait, error) {
	if !c.config.Token.IsSet() {
		return nil, &schema.Error{Kind: schema.MissingToken, Message: "No Just One API token is configured."}
	}
	collection := &collection{client: c, kolID: kolID, fresh: fresh, admit: admit}
	portrait, err := collection.run(ctx)
	if fail, ok := errors.AsType[*failure](err); ok {
		return nil, fail.public(collection.sent)
	}
	return portrait, err
}

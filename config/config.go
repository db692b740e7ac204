package config

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"

	"kol-portrait-mcp/schema"
)

// Config is everything that can be set from outside. Its fields stand in the
// order of Variables.
type Config struct {
	// Token is the vendor's token, from JUSTONEAPI_TOKEN or from the file that
	// JUSTONEAPI_TOKEN_FILE names. It is empty where none is set and where
	// Environment is the sample one, which needs none.
	Token Secret `env:"JUSTONEAPI_TOKEN"`
	// TokenFile is the path of the file that holds the token; empty where none
	// is named.
	TokenFile string `env:"JUSTONEAPI_TOKEN_FILE"`
	// Environment is the upstream to talk to.
	Environment schema.Environment `env:"JUSTONEAPI_ENV,default=global"`
	// BaseURL replaces the environment's address: http or https, with a host,
	// perhaps a path, no slash at the end. Empty where it is not replaced.
	BaseURL string `env:"JUSTONEAPI_BASE_URL"`
	// Endpoint tells which of the vendor's endpoints may be asked.
	Endpoint schema.EndpointPolicy `env:"JUSTONEAPI_ENDPOINT,default=auto"`
	// Timeout is the time that one attempt may take, 100 ms to 10 minutes.
	Timeout time.Duration `env:"JUSTONEAPI_TIMEOUT,default=60s"`
	// MaxAttempts is the number of attempts at one collection, 1 to 10.
	MaxAttempts int `env:"JUSTONEAPI_MAX_ATTEMPTS,default=3"`
	// MaxRPS is the number of upstream requests a second, all together, 0.001
	// to 1000.
	MaxRPS float64 `env:"JUSTONEAPI_MAX_RPS,default=5"`

	// AnswerWithin is the time after which a tool call answers that the
	// portrait is still being collected, 100 ms to 10 minutes.
	AnswerWithin time.Duration `env:"PORTRAIT_ANSWER_WITHIN,default=50s"`
	// Store is where portraits are kept. It decodes the empty value too, so
	// that its kind is always one of the three.
	Store Store `env:"PORTRAIT_STORE,decodeunset"`
	// CacheTTL is how old a stored portrait may be and still be served, 0 to
	// 8760 hours; with 0 every call collects anew.
	CacheTTL time.Duration `env:"PORTRAIT_CACHE_TTL,default=24h"`
	// DailyBudget is the number of charged calls a day that are allowed, all
	// replicas together; 0 for no limit.
	DailyBudget int `env:"PORTRAIT_DAILY_BUDGET,default=0"`
	// Language is the language of an answer to a call that names none.
	Language schema.Language `env:"PORTRAIT_LANGUAGE,default=en"`
	// BaselineFile is the path of the file that holds the user's own baseline for
	// indexes; empty where none is named.
	BaselineFile string `env:"PORTRAIT_BASELINE_FILE"`

	// Transport is how clients reach the server.
	Transport Transport `env:"MCP_TRANSPORT,default=stdio"`
	// Addr is the listen address of the sse and http transports, host:port. An
	// empty host is every interface, port 0 a free port.
	Addr string `env:"MCP_ADDR,default=127.0.0.1:8080"`
	// AuthTokens are the bearer tokens that clients may present; nil for none.
	AuthTokens []Secret `env:"MCP_AUTH_TOKENS"`
	// AllowUnauthenticated lets the server listen beyond loopback without
	// bearer tokens.
	AllowUnauthenticated bool `env:"MCP_ALLOW_UNAUTHENTICATED,default=false"`
	// AllowedHosts are the Host headers to accept, in lower case, with or
	// without a port; nil for those of loopback.
	AllowedHosts []string `env:"MCP_ALLOWED_HOSTS"`
	// AllowedOrigins are the Origin headers to accept, in lower case,
	// scheme://host or scheme://host:port; nil for those of loopback.
	AllowedOrigins []string `env:"MCP_ALLOWED_ORIGINS"`

	// LogLevel is the least severe level that is logged: one of slog's four.
	LogLevel slog.Level `env:"LOG_LEVEL,default=info"`
	// LogFormat is the form of a log line.
	LogFormat LogFormat `env:"LOG_FORMAT,default=text"`
}

// Transport is how clients reach the server.
type Transport string

// The transports.
const (
	TransportStdio Transport = "stdio" // standard input and output of this process
	TransportSSE   Transport = "sse"   // the HTTP+SSE transport of protocol revision 2024-11-05
	TransportHTTP  Transport = "http"  // Streamable HTTP, with HTTP+SSE beside it
)

// LogFormat is the form of a log line.
type LogFormat string

// The log formats.
const (
	LogText LogFormat = "text" // key=value, for people
	LogJSON LogFormat = "json" // one object a line, for machines
)

// Load reads and checks the variables that lookup knows. To let flags override
// the environment, layer them with envconfig.MultiLookuper.
//
// The error is one line that names every wrong variable in the order of
// Variables, each with its value and with what it takes. It holds no secret.
func Load(ctx context.Context, lookup envconfig.Lookuper) (*Config, error) {
	s := newSieve(lookup)
	c := new(Config)
	if err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: c, Lookuper: s}); err != nil {
		return nil, fmt.Errorf("read the environment: %w", err)
	}
	s.settleToken(c)
	s.settleBaseURL(c)
	if lines := s.complaints(); len(lines) > 0 {
		return nil, errors.New(strings.Join(lines, "; "))
	}
	return c, nil
}

// settleBaseURL refuses an address for an upstream that has none: whoever sets
// both would believe that calls go there.
func (s *sieve) settleBaseURL(c *Config) {
	if c.Environment != schema.EnvironmentSample || s.raw(baseURLName) == "" {
		return
	}
	s.complain(baseURLName, "%s is set, but JUSTONEAPI_ENV=sample calls no address: drop %[1]s, or set JUSTONEAPI_ENV to global or cn", baseURLName)
}

// Package config reads the environment into one struct and checks it once, so
// that no other part of the server looks at a variable (but for Go's and
// OpenTelemetry's own) or doubts a setting.
//
// What a client's settings page or a Compose file leaves behind counts as not
// set: an empty value, white space, and a placeholder that nobody replaced,
// such as ${user_config.token}, %TOKEN% or YOUR_TOKEN.
package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
)

// Config is everything that can be set from outside. Its tags describe the
// variables: env is the name and the default, desc the meaning, takes or oneof
// what a value may be (the types of this package say that themselves). The
// value of a variable with the tag secret is never shown.
type Config struct {
	// Token comes first: the error about any later variable must not show it.
	// It is the vendor's token, be it from JUSTONEAPI_TOKEN or from the file, and
	// not set where there is none, or in the sample environment.
	Token       secret.Secret         `env:"JUSTONEAPI_TOKEN" secret:"yes" takes:"the token alone, without white space inside" desc:"the vendor's token; without one the server starts and lists its tools, but cannot collect"`
	TokenFile   Path                  `env:"JUSTONEAPI_TOKEN_FILE" secret:"yes" desc:"a file that holds the vendor's token, instead of JUSTONEAPI_TOKEN"`
	Environment schema.Environment    `env:"JUSTONEAPI_ENV,default=global" oneof:"global, cn, sample" desc:"the vendor's address: global, cn (mainland China, plain HTTP), or sample (simulated data, no network, no token)"`
	BaseURL     Address               `env:"JUSTONEAPI_BASE_URL" desc:"an address to call instead of the vendor's"`
	Endpoint    schema.EndpointPolicy `env:"JUSTONEAPI_ENDPOINT,default=auto" oneof:"portrait, profile, auto" desc:"portrait (V1), profile (its successor), or auto (V1, and the successor where V1 is gone or cannot collect)"`
	Timeout     time.Duration         `env:"JUSTONEAPI_TIMEOUT,default=60s" takes:"a duration such as 60s, from 100ms to 10m" desc:"how long one attempt may take"`
	MaxAttempts int                   `env:"JUSTONEAPI_MAX_ATTEMPTS,default=3" takes:"a whole number from 1 to 10" desc:"attempts at one endpoint in one collection"`
	MaxRPS      float64               `env:"JUSTONEAPI_MAX_RPS,default=5" takes:"a number from 0.001 to 1000" desc:"requests a second to the vendor, of one process, or of all that share a Redis"`

	AnswerWithin time.Duration   `env:"PORTRAIT_ANSWER_WITHIN,default=50s" takes:"a duration such as 50s, from 100ms to 10m" desc:"how long a tool call waits before it answers that the portrait is still being collected"`
	Store        Store           `env:"PORTRAIT_STORE,decodeunset" desc:"where portraits are kept: sqlite:PATH, memory:, or redis://... (Cluster: redis://HOST:PORT?addr=HOST:PORT&addr=...; Sentinel: redis://HOST:PORT?master_name=NAME&addr=...; rediss:// for TLS); without it a file in your data folder"`
	CacheTTL     time.Duration   `env:"PORTRAIT_CACHE_TTL,default=168h" takes:"a duration such as 168h or 30m" desc:"how old a stored portrait may be and still be served; less than 10m counts as 10m"`
	Keep         time.Duration   `env:"PORTRAIT_KEEP,default=9600h" takes:"a duration such as 9600h, or 0 to keep all" desc:"how long a stored portrait is kept to compare later ones with; a KOL's newest stays; 0 keeps all"`
	DailyBudget  int             `env:"PORTRAIT_DAILY_BUDGET,default=200" takes:"a whole number, or 0 for no limit" desc:"most charged calls a day, which starts at 00:00 Asia/Shanghai; 0 sets no limit"`
	Language     schema.Language `env:"PORTRAIT_LANGUAGE,default=en" oneof:"en, zh" desc:"language of an answer to a call that names none: en or zh"`
	BaselineFile Path            `env:"PORTRAIT_BASELINE_FILE" desc:"a JSON file, shaped like the distributions of an answer, whose dimensions replace the built-in baseline of the index (TGI)"`

	Transport Transport `env:"MCP_TRANSPORT,default=stdio" oneof:"stdio, sse, http" desc:"how clients reach the server: stdio, sse or http; the other MCP_ variables but MCP_METRICS_ADDR are for sse and http"`
	Addr      HostPort  `env:"MCP_ADDR,default=127.0.0.1:8080" desc:"listen address; beyond loopback, callers must be authenticated"`
	PublicURL Address   `env:"MCP_PUBLIC_URL" desc:"the address under which clients reach the server, such as that of a proxy in front of it, without /mcp; needed with MCP_OAUTH_ISSUER"`

	AuthTokens     Tokens `env:"MCP_AUTH_TOKENS" secret:"yes" desc:"bearer tokens of callers, NAME=TOKEN or TOKEN, separated by commas or lines"`
	AuthTokensFile Path   `env:"MCP_AUTH_TOKENS_FILE" secret:"yes" desc:"a file with bearer tokens of callers; it is read again when it changes"`
	// FileTokens are what AuthTokensFile held at the start.
	FileTokens           Tokens
	OAuthIssuer          SecureURL `env:"MCP_OAUTH_ISSUER" desc:"authorization server whose JWTs are accepted, written as in their iss"`
	OAuthAudience        string    `env:"MCP_OAUTH_AUDIENCE" desc:"the aud that JWTs must have; without it MCP_PUBLIC_URL with /mcp or /sse behind it"`
	OAuthScopes          Scopes    `env:"MCP_OAUTH_SCOPES" desc:"scopes that JWTs must have, all of them, separated by spaces or commas"`
	OAuthJWKSURL         SecureURL `env:"MCP_OAUTH_JWKS_URL" desc:"address of the issuer's key set; without it the issuer's metadata tell"`
	AllowUnauthenticated bool      `env:"MCP_ALLOW_UNAUTHENTICATED,default=false" takes:"true or false" desc:"true listens beyond loopback without authentication: whoever reaches the address can spend your money"`

	TLSCert           Path     `env:"MCP_TLS_CERT" desc:"PEM file of the certificate to serve TLS with, chain included; with MCP_TLS_KEY; both are read again when they change"`
	TLSKey            Path     `env:"MCP_TLS_KEY" secret:"yes" desc:"PEM file of the certificate's key"`
	MetricsAddr       HostPort `env:"MCP_METRICS_ADDR" desc:"listen address of its own for /metrics, which anyone may read there, on stdio too; without it /metrics is beside /mcp, for callers"`
	MaxCalls          int      `env:"MCP_MAX_CALLS,default=1000" takes:"a whole number from 1 to 100000" desc:"messages that one process serves at a time, all callers together"`
	CallerRPS         float64  `env:"MCP_CALLER_RPS,default=0" takes:"a number from 0.001 to 100000, or 0 for no limit" desc:"messages a second of one caller, in one process; 0 sets no limit"`
	CallerDailyBudget int      `env:"MCP_CALLER_DAILY_BUDGET,default=0" takes:"a whole number, or 0 for no limit" desc:"most charged calls a day of one authenticated caller; 0 sets no limit"`
	AllowedHosts      Hosts    `env:"MCP_ALLOWED_HOSTS" desc:"Host headers to accept beside that of MCP_PUBLIC_URL, separated by commas; without it those of loopback"`
	AllowedOrigins    Origins  `env:"MCP_ALLOWED_ORIGINS" desc:"Origin headers to accept beside that of MCP_PUBLIC_URL, separated by commas; without it those of loopback"`

	LogLevel  slog.Level `env:"LOG_LEVEL,default=info" oneof:"debug, info, warn, error" desc:"least severe messages to log: debug, info, warn or error"`
	LogFormat LogFormat  `env:"LOG_FORMAT,default=text" oneof:"text, json" desc:"form of the log on stderr: text, or json for machines"`
}

// Variable describes one variable of the environment for a reader.
type Variable struct {
	Name    string
	Default string   // the value that holds where none is set; empty for none
	Meaning string   // what it sets, in a few words of plain text
	Secret  bool     // its value is never shown
	OneOf   []string // the words that it takes; none where it takes other values

	takes string // ends the sentence "it takes ..."
}

// Variables returns every variable that Load reads, in the order in which a
// reader wants them. Help texts and documentation are made from it.
func Variables() []Variable {
	var variables []Variable
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		tag := field.Tag
		name, options, _ := strings.Cut(tag.Get("env"), ",")
		if name == "" {
			continue
		}
		v := Variable{Name: name, Meaning: tag.Get("desc"), Secret: tag.Get("secret") != "", takes: tag.Get("takes")}
		_, v.Default, _ = strings.Cut(options, "default=")
		if words := tag.Get("oneof"); words != "" {
			v.takes, v.OneOf = "one of "+words, strings.Split(words, ", ")
		}
		variables = append(variables, v)
	}
	return variables
}

// Unknown returns the names that begin as those of this program do and are none of
// them, of variables given as NAME=VALUE: misspelt settings, which have no effect.
func Unknown(environ []string) []string {
	var names []string
	variables := Variables()
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		ours := strings.HasPrefix(name, "JUSTONEAPI_") || strings.HasPrefix(name, "PORTRAIT_") || strings.HasPrefix(name, "MCP_")
		if ours && !slices.ContainsFunc(variables, func(v Variable) bool { return v.Name == name }) {
			names = append(names, name)
		}
	}
	return names
}

// Load reads and checks the variables that lookup knows. To let flags override
// the environment, layer them with envconfig.MultiLookuper.
//
// The error is one line that names a wrong variable, its value and what it
// takes. It holds no secret.
func Load(ctx context.Context, lookup envconfig.Lookuper) (*Config, error) {
	c, r := new(Config), &reader{source: lookup, variables: Variables()}
	err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: c, Lookuper: r, Mutators: []envconfig.Mutator{envconfig.MutatorFunc(r.word)}})
	if err != nil {
		// What envconfig itself says is meant for programmers.
		reason, _ := errors.AsType[refusal](err)
		return nil, r.refuse(c, r.last, string(reason))
	}
	if name, reason := c.validate(); name != "" {
		return nil, r.refuse(c, name, reason)
	}
	return c, nil
}

// reader is what envconfig looks variables up in.
type reader struct {
	source    envconfig.Lookuper
	variables []Variable
	last      string // the variable that was looked up last: envconfig's errors do not name it
}

// Lookup implements envconfig.Lookuper.
func (r *reader) Lookup(name string) (string, bool) {
	r.last = name
	value, _ := r.source.Lookup(name)
	value = strings.TrimSpace(value)
	if name == "JUSTONEAPI_TOKEN" {
		value = bareToken(value)
	}
	if IsPlaceholder(value) {
		value = ""
	}
	return value, value != ""
}

// meant are the words that people type into a form, in place of those that a variable
// takes.
var meant = map[string]string{
	"中文": "zh", "chinese": "zh", "英文": "en", "english": "en",
	"示例": "sample", "模拟": "sample", "国内": "cn", "国际": "global",
}

// word implements envconfig.Mutator. A variable that takes certain words takes
// them in any case, in Chinese, and a language with a region (zh-CN, en_US).
func (r *reader) word(_ context.Context, name, _, _, value string) (string, bool, error) {
	words := r.variable(name).OneOf
	if len(words) == 0 {
		return value, false, nil
	}
	value = strings.ToLower(value)
	if name == "PORTRAIT_LANGUAGE" {
		value, _, _ = strings.Cut(strings.ReplaceAll(value, "_", "-"), "-")
	}
	if word := meant[value]; slices.Contains(words, word) {
		value = word
	}
	if !slices.Contains(words, value) {
		return "", true, errors.New("not one of the words")
	}
	return value, false, nil
}

func (r *reader) variable(name string) Variable {
	return r.variables[slices.IndexFunc(r.variables, func(v Variable) bool { return v.Name == name })]
}

// refuse returns the error about a variable. Where no reason is given, it says
// what the variable takes.
func (r *reader) refuse(c *Config, name, reason string) error {
	v := r.variable(name)
	value, _ := r.Lookup(name)
	shown := fmt.Sprintf("%.100q", value)
	// A value with @ or ? may be an address with a password in it.
	if v.Secret || strings.ContainsAny(value, "@?") || c.Hide(value) != value {
		shown = secret.Hidden
	}
	return fmt.Errorf("%s is %s: %s", name, shown, cmp.Or(reason, "it takes "+v.takes))
}

// validate reads the files of tokens and checks what the types do not: bounds, and
// variables that exclude one another. It returns the first variable that is
// wrong, with the reason where that is more than what the variable takes.
func (c *Config) validate() (variable, reason string) {
	switch {
	case c.Timeout < 100*time.Millisecond || c.Timeout > 10*time.Minute:
		return "JUSTONEAPI_TIMEOUT", ""
	case c.MaxAttempts < 1 || c.MaxAttempts > 10:
		return "JUSTONEAPI_MAX_ATTEMPTS", ""
	case math.IsNaN(c.MaxRPS) || c.MaxRPS < 0.001 || c.MaxRPS > 1000:
		return "JUSTONEAPI_MAX_RPS", ""
	case c.AnswerWithin < 100*time.Millisecond || c.AnswerWithin > 10*time.Minute:
		return "PORTRAIT_ANSWER_WITHIN", ""
	case c.CacheTTL < 0:
		return "PORTRAIT_CACHE_TTL", ""
	case c.Keep < 0:
		return "PORTRAIT_KEEP", ""
	case c.DailyBudget < 0:
		return "PORTRAIT_DAILY_BUDGET", ""
	case c.MaxCalls < 1 || c.MaxCalls > 100_000:
		return "MCP_MAX_CALLS", ""
	case c.CallerRPS != 0 && !(c.CallerRPS >= 0.001 && c.CallerRPS <= 100_000): // which NaN is not
		return "MCP_CALLER_RPS", ""
	case c.CallerDailyBudget < 0:
		return "MCP_CALLER_DAILY_BUDGET", ""
	}
	if c.Transport != TransportStdio {
		if variable, reason = c.validateHTTP(); variable != "" {
			return variable, reason
		}
	}
	switch {
	case c.Environment != schema.EnvironmentSample:
		return c.readToken()
	case c.BaseURL != "":
		return "JUSTONEAPI_BASE_URL", "JUSTONEAPI_ENV=sample calls no address: drop one of the two"
	}
	c.Token = secret.Secret{} // one that is set for another time is let be
	return "", ""
}

// validateHTTP reads the file of the bearer tokens and checks what matters where
// HTTP is served. Settings that rely on one that is missing are refused: whoever
// made them believes that they protect something.
func (c *Config) validateHTTP() (variable, reason string) {
	const issuer = "it needs MCP_OAUTH_ISSUER beside it"
	switch {
	case c.PublicURL != "" && !isSecure(string(c.PublicURL)):
		return "MCP_PUBLIC_URL", "it takes an https address, such as https://portraits.example.com (http for loopback alone)"
	case strings.HasSuffix(string(c.PublicURL), "/mcp") || strings.HasSuffix(string(c.PublicURL), "/sse"):
		return "MCP_PUBLIC_URL", "it takes the address in front of /mcp and /sse, without them"
	case c.OAuthIssuer != "" && c.PublicURL == "":
		return "MCP_OAUTH_ISSUER", "it needs MCP_PUBLIC_URL beside it, the address that clients ask tokens for"
	case c.OAuthIssuer == "" && c.OAuthAudience != "":
		return "MCP_OAUTH_AUDIENCE", issuer
	case c.OAuthIssuer == "" && len(c.OAuthScopes) > 0:
		return "MCP_OAUTH_SCOPES", issuer
	case c.OAuthIssuer == "" && c.OAuthJWKSURL != "":
		return "MCP_OAUTH_JWKS_URL", issuer
	case c.TLSCert != "" && c.TLSKey == "":
		return "MCP_TLS_CERT", "it needs MCP_TLS_KEY beside it"
	case c.TLSKey != "" && c.TLSCert == "":
		return "MCP_TLS_KEY", "it needs MCP_TLS_CERT beside it"
	case c.PublicURL != "" && !c.PublicURL.isLoopback() && !c.Authenticates() && !c.AllowUnauthenticated:
		return "MCP_PUBLIC_URL", "a server that is reached from outside takes authentication: set MCP_AUTH_TOKENS, MCP_AUTH_TOKENS_FILE or MCP_OAUTH_ISSUER, or MCP_ALLOW_UNAUTHENTICATED=true where whoever reaches it may spend your money"
	case !c.Addr.IsLoopback() && !c.Authenticates() && !c.AllowUnauthenticated:
		return "MCP_ADDR", "beyond loopback it takes authentication: set MCP_AUTH_TOKENS, MCP_AUTH_TOKENS_FILE or MCP_OAUTH_ISSUER, or MCP_ALLOW_UNAUTHENTICATED=true where whoever reaches the address may spend your money"
	case c.AuthTokensFile == "":
		return "", ""
	}
	content, err := ReadFile(string(c.AuthTokensFile), 64<<10)
	if err != nil {
		return "MCP_AUTH_TOKENS_FILE", err.Error() + "; it takes the path of a file, and tokens themselves go into MCP_AUTH_TOKENS"
	}
	if err := c.FileTokens.EnvDecode(string(content)); err != nil {
		return "MCP_AUTH_TOKENS_FILE", "in the file, " + err.Error()
	}
	if len(c.FileTokens) == 0 {
		return "MCP_AUTH_TOKENS_FILE", "the file holds no token"
	}
	return "", ""
}

// Authenticates reports whether callers over HTTP are asked who they are.
func (c *Config) Authenticates() bool {
	return len(c.AuthTokens) > 0 || c.AuthTokensFile != "" || c.OAuthIssuer != ""
}

// readToken checks the token, after it has read it from its file where it is in
// one.
func (c *Config) readToken() (variable, reason string) {
	switch {
	case c.TokenFile == "" && !c.Token.IsSet():
		return "", ""
	case c.TokenFile == "":
		if reason = tokenFault(c.Token.Reveal()); reason != "" {
			return "JUSTONEAPI_TOKEN", reason
		}
		return "", ""
	case c.Token.IsSet():
		return "JUSTONEAPI_TOKEN", "JUSTONEAPI_TOKEN_FILE is set too: drop one of them"
	}
	content, err := ReadFile(string(c.TokenFile), 64<<10)
	if err != nil {
		return "JUSTONEAPI_TOKEN_FILE", err.Error() + "; it takes the path of a file, and a token itself goes into JUSTONEAPI_TOKEN"
	}
	const mark = "\ufeff" // what Windows' editors may put before it
	token := bareToken(strings.TrimPrefix(string(content), mark))
	if reason = tokenFault(token); reason != "" {
		return "JUSTONEAPI_TOKEN_FILE", "in the file, " + reason
	}
	c.Token = secret.New(token)
	return "", ""
}

// bareToken takes off what is copied or typed around a token: white space, quotation
// marks, and the word Bearer before it.
func bareToken(text string) string {
	const around = "\"'“”‘’ \t\r\n"
	text = strings.Trim(text, around)
	if len(text) > 7 && strings.EqualFold(text[:7], "Bearer ") {
		text = strings.Trim(text[7:], around)
	}
	return text
}

// tokenFault says why text cannot be the vendor's token, and nothing where it can.
// White space and odd characters come from copying.
func tokenFault(text string) string {
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f }
	switch {
	case strings.Contains(text, "${") || strings.Contains(text, "{{") || strings.HasPrefix(text, "<") || placeholderWithin.MatchString(text):
		return "it looks like a placeholder: write the token itself in its place"
	case text == "" || strings.ContainsFunc(text, odd):
		return "it takes the token alone, without white space inside"
	}
	return ""
}

// Hide returns text with *** in place of every secret of c.
func (c *Config) Hide(text string) string {
	for _, s := range []secret.Secret{c.Store.URL, c.Token} {
		text = s.Hide(text)
	}
	for _, token := range slices.Concat(c.AuthTokens, c.FileTokens) {
		text = token.Hide(text)
	}
	return text
}

// ReadFile returns what a regular file holds, most bytes of it at most. A pipe
// is refused: it might never say anything, or be the client's. The errors leave
// the path out.
func ReadFile(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	if err == nil && info.Size() > most {
		return nil, fmt.Errorf("it is larger than %d KiB", most>>10)
	}
	content, err := os.ReadFile(path) //nolint:gosec // the operator says which file
	if pathError, ok := errors.AsType[*os.PathError](err); ok {
		err = pathError.Err
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read it: %w", err)
	}
	return content, nil
}

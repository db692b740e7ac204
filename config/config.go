// Package config reads the environment into one struct and checks it once, so
// that no other part of the server looks at a variable or doubts a setting.
//
// What a client's settings page or a Compose file leaves behind counts as not
// set: an empty value, white space, and a placeholder that nobody replaced,
// such as ${user_config.token} or %TOKEN%.
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
	Token       secret.Secret         `env:"JUSTONEAPI_TOKEN" secret:"yes" takes:"the token alone, without quotation marks, white space inside, or a placeholder that should have been replaced" desc:"the vendor's token; without one the server starts and lists its tools, but cannot collect"`
	TokenFile   Path                  `env:"JUSTONEAPI_TOKEN_FILE" secret:"yes" desc:"a file that holds the vendor's token, instead of JUSTONEAPI_TOKEN"`
	Environment schema.Environment    `env:"JUSTONEAPI_ENV,default=global" oneof:"global, cn, sample" desc:"the vendor's address: global, cn (mainland China, plain HTTP), or sample (simulated data, no network, no token)"`
	BaseURL     Address               `env:"JUSTONEAPI_BASE_URL" desc:"an address to call instead of the vendor's"`
	Endpoint    schema.EndpointPolicy `env:"JUSTONEAPI_ENDPOINT,default=auto" oneof:"portrait, profile, auto" desc:"portrait (V1), profile (its successor), or auto (V1, and the successor where V1 is gone or cannot collect)"`
	Timeout     time.Duration         `env:"JUSTONEAPI_TIMEOUT,default=60s" takes:"a duration such as 60s, from 100ms to 10m" desc:"how long one attempt may take"`
	MaxAttempts int                   `env:"JUSTONEAPI_MAX_ATTEMPTS,default=3" takes:"a whole number from 1 to 10" desc:"attempts at one endpoint in one collection"`
	MaxRPS      float64               `env:"JUSTONEAPI_MAX_RPS,default=5" takes:"a number from 0.001 to 1000" desc:"requests a second to the vendor, all together"`

	AnswerWithin time.Duration   `env:"PORTRAIT_ANSWER_WITHIN,default=50s" takes:"a duration such as 50s, from 100ms to 10m" desc:"how long a tool call waits before it answers that the portrait is still being collected"`
	Store        Store           `env:"PORTRAIT_STORE,decodeunset" desc:"where portraits are kept: sqlite:PATH, memory:, or redis://...; without it a file in your data folder"`
	CacheTTL     time.Duration   `env:"PORTRAIT_CACHE_TTL,default=168h" takes:"a duration such as 168h or 30m" desc:"how old a stored portrait may be and still be served; less than 10m counts as 10m"`
	DailyBudget  int             `env:"PORTRAIT_DAILY_BUDGET,default=200" takes:"a whole number, or 0 for no limit" desc:"most charged calls a day, which starts at 00:00 Asia/Shanghai; 0 sets no limit"`
	Language     schema.Language `env:"PORTRAIT_LANGUAGE,default=en" oneof:"en, zh" desc:"language of an answer to a call that names none: en or zh"`
	BaselineFile Path            `env:"PORTRAIT_BASELINE_FILE" desc:"a JSON file, shaped like the distributions of an answer, whose dimensions replace the built-in baseline of the index (TGI)"`

	Transport      Transport     `env:"MCP_TRANSPORT,default=stdio" oneof:"stdio, sse, http" desc:"how clients reach the server: stdio, sse or http"`
	Addr           HostPort      `env:"MCP_ADDR,default=127.0.0.1:8080" desc:"listen address of sse and http; this version serves loopback addresses only"`
	AuthTokens     secret.Secret `env:"MCP_AUTH_TOKENS" secret:"yes" desc:"bearer tokens that clients may present; this version checks none, and refuses to serve sse and http where they are set"`
	AllowedHosts   Hosts         `env:"MCP_ALLOWED_HOSTS" desc:"Host headers to accept, separated by commas; without it those of loopback"`
	AllowedOrigins Origins       `env:"MCP_ALLOWED_ORIGINS" desc:"Origin headers to accept, separated by commas; without it those of loopback"`

	LogLevel  slog.Level `env:"LOG_LEVEL,default=info" oneof:"debug, info, warn, error" desc:"least severe messages to log: debug, info, warn or error"`
	LogFormat LogFormat  `env:"LOG_FORMAT,default=text" oneof:"text, json" desc:"form of the log on stderr: text, or json for machines"`
}

// Variable describes one variable of the environment for a reader.
type Variable struct {
	Name    string
	Default string // the value that holds where none is set; empty for none
	Meaning string // what it sets, in a few words of plain text

	secret bool
	takes  string   // ends the sentence "it takes ..."
	oneOf  []string // the words that it takes; none where it takes other values
}

// Variables returns every variable that Load reads, in the order in which a
// reader wants them. Help texts and documentation are made from it.
func Variables() []Variable {
	var variables []Variable
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		tag := field.Tag
		name, options, _ := strings.Cut(tag.Get("env"), ",")
		v := Variable{Name: name, Meaning: tag.Get("desc"), secret: tag.Get("secret") != "", takes: tag.Get("takes")}
		_, v.Default, _ = strings.Cut(options, "default=")
		if words := tag.Get("oneof"); words != "" {
			v.takes, v.oneOf = "one of "+words, strings.Split(words, ", ")
		}
		variables = append(variables, v)
	}
	return variables
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
	if placeholder.MatchString(value) {
		value = ""
	}
	return value, value != ""
}

// word implements envconfig.Mutator. A variable that takes certain words takes
// them in any case, and nothing else.
func (r *reader) word(_ context.Context, name, _, _, value string) (string, bool, error) {
	words := r.variable(name).oneOf
	if len(words) == 0 {
		return value, false, nil
	}
	value = strings.ToLower(value)
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
	if v.secret || strings.ContainsAny(value, "@?") || c.Hide(value) != value {
		shown = secret.Hidden
	}
	return fmt.Errorf("%s is %s: %s", name, shown, cmp.Or(reason, "it takes "+v.takes))
}

// validate reads the token's file and checks what the types do not: bounds, and
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
	case c.DailyBudget < 0:
		return "PORTRAIT_DAILY_BUDGET", ""
	case c.Transport != TransportStdio && c.AuthTokens.IsSet(): // the user relies on it
		return "MCP_AUTH_TOKENS", "this version checks no bearer tokens: unset it, and serve loopback only"
	case c.Transport != TransportStdio && !c.Addr.isLoopback():
		return "MCP_ADDR", "this version serves loopback addresses only, such as 127.0.0.1:8080"
	case c.Environment != schema.EnvironmentSample:
		return c.readToken()
	case c.BaseURL != "":
		return "JUSTONEAPI_BASE_URL", "JUSTONEAPI_ENV=sample calls no address: drop one of the two"
	}
	c.Token = secret.Secret{} // one that is set for another time is let be
	return "", ""
}

// readToken checks the token, after it has read it from its file where it is in
// one.
func (c *Config) readToken() (variable, reason string) {
	switch {
	case c.TokenFile == "" && c.Token.IsSet() && !isToken(c.Token.Reveal()):
		return "JUSTONEAPI_TOKEN", ""
	case c.TokenFile == "":
		return "", ""
	case c.Token.IsSet():
		return "JUSTONEAPI_TOKEN", "JUSTONEAPI_TOKEN_FILE is set too: drop one of them"
	}
	content, err := ReadFile(string(c.TokenFile), 64<<10)
	if err != nil {
		return "JUSTONEAPI_TOKEN_FILE", err.Error() + "; it takes the path of a file, and a token itself goes into JUSTONEAPI_TOKEN"
	}
	const mark = "\ufeff" // what Windows' editors may put before it
	token := strings.TrimSpace(strings.TrimPrefix(string(content), mark))
	if !isToken(token) {
		return "JUSTONEAPI_TOKEN_FILE", "the file is to hold the token alone, without quotation marks, white space inside, or a placeholder that should have been replaced"
	}
	c.Token = secret.New(token)
	return "", ""
}

// isToken reports whether text may be the vendor's token. Quotation marks come
// from a file that is no shell's, white space and odd characters from copying.
func isToken(text string) bool {
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f }
	return text != "" && !strings.ContainsFunc(text, odd) && strings.Trim(text, `"'`) == text && !placeholderWithin.MatchString(text)
}

// Hide returns text with *** in place of every secret of c.
func (c *Config) Hide(text string) string {
	for _, s := range []secret.Secret{c.Store.URL, c.AuthTokens, c.Token} {
		text = s.Hide(text)
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

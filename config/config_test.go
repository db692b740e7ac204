package config_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
)

type env map[string]string

func load(t *testing.T, e env) *config.Config {
	t.Helper()
	c, err := config.Load(t.Context(), envconfig.MapLookuper(e))
	require.NoError(t, err)
	return c
}

func refusal(t *testing.T, e env) string {
	t.Helper()
	c, err := config.Load(t.Context(), envconfig.MapLookuper(e))
	require.Error(t, err)
	assert.Nil(t, c)
	return err.Error()
}

// everyVariable sets each variable to what it makes of its name.
func everyVariable(value func(i int, v config.Variable) string) env {
	e := env{}
	for i, v := range config.Variables() {
		e[v.Name] = value(i, v)
	}
	return e
}

func TestDefaults(t *testing.T) {
	want := &config.Config{
		Environment:  schema.EnvironmentGlobal,
		Endpoint:     schema.PolicyAuto,
		Timeout:      60 * time.Second,
		MaxAttempts:  3,
		MaxRPS:       5,
		AnswerWithin: 50 * time.Second,
		Store:        config.Store{Kind: config.StoreSQLite},
		CacheTTL:     168 * time.Hour,
		Keep:         9600 * time.Hour,
		DailyBudget:  200,
		Language:     schema.English,
		Transport:    config.TransportStdio,
		Addr:         "127.0.0.1:8080",
		MaxCalls:     1000,
		LogLevel:     slog.LevelInfo,
		LogFormat:    config.LogText,
	}
	for name, e := range map[string]env{
		"nothing is set":                        {},
		"what a settings page leaves behind":    everyVariable(func(i int, _ config.Variable) string { return strings.Repeat(" ", i%2) }),
		"${X} that nobody replaced":             everyVariable(func(_ int, v config.Variable) string { return "${" + v.Name + "}" }),
		"${user_config.x} that nobody replaced": everyVariable(func(int, config.Variable) string { return " ${user_config.x}\n" }),
		"YOUR_TOKEN that nobody replaced":       everyVariable(func(int, config.Variable) string { return "YOUR_TOKEN" }),
		"%X% that nobody replaced":              everyVariable(func(_ int, v config.Variable) string { return "%" + v.Name + "%" }),
		"the defaults themselves":               everyVariable(func(_ int, v config.Variable) string { return v.Default }),
	} {
		assert.Equal(t, want, load(t, e), name)
	}
}

func TestVariablesAreDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range config.Variables() {
		assert.NotEmpty(t, v.Name)
		assert.False(t, seen[v.Name], "%s is listed twice", v.Name)
		seen[v.Name] = true
		assert.NotEmpty(t, v.Meaning, v.Name)
		assert.False(t, strings.HasSuffix(v.Meaning, "."), "%s: a meaning is no sentence", v.Name)
	}
	assert.Len(t, seen, 35)
}

// TestValues says what each variable makes of a value: what stands in the
// field of Config, or what is wrong with it.
func TestValues(t *testing.T) {
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	here, err := os.Getwd()
	require.NoError(t, err)
	const (
		address  = "it takes an http or https address without user name, query or fragment, such as https://api.example.com"
		secure   = "it takes an https URL, such as https://id.example.com (http for loopback alone)"
		scopes   = "it takes scopes separated by spaces or commas, such as portraits:read"
		limit    = "it takes a number from 0.001 to 100000, or 0 for no limit"
		calls    = "it takes a whole number from 1 to 100000"
		keep     = "it takes a duration such as 9600h, or 0 to keep all"
		storage  = "it takes sqlite:PATH, memory: or redis://HOST:PORT/DB (rediss:// for TLS)"
		unfilled = "it holds a placeholder that was not replaced, such as ${HOME} or %APPDATA%: write the path out, or begin it with ~/ for the home folder"
		listen   = "it takes host:port, such as 127.0.0.1:8080"
		hosts    = "it takes host names, with or without a port, separated by commas, such as portraits.example.com"
		origins  = "it takes origins without a path, separated by commas, such as https://app.example.com"
		alone    = "it takes the token alone, without white space inside"
		holder   = "it looks like a placeholder: write the token itself in its place"
		attempt  = "it takes a duration such as 60s, from 100ms to 10m"
		age      = "it takes a duration such as 168h or 30m"
		attempts = "it takes a whole number from 1 to 10"
		rate     = "it takes a number from 0.001 to 1000"
		budget   = "it takes a whole number, or 0 for no limit"
	)
	token := func(c *config.Config) any { return c.Token.Reveal() }
	baseURL := func(c *config.Config) any { return string(c.BaseURL) }
	store := func(c *config.Config) any {
		return string(c.Store.Kind) + " " + c.Store.Path + c.Store.URL.Reveal()
	}
	baseline := func(c *config.Config) any { return string(c.BaselineFile) }
	for _, variable := range []struct {
		name   string
		field  func(*config.Config) any
		taken  map[string]any
		wrong  map[string]string
		hidden map[string]string // wrong, and not shown
	}{
		{"JUSTONEAPI_TOKEN", token, map[string]any{
			"  abc-123\n": "abc-123", `"abc-123"`: "abc-123", "“abc-123”": "abc-123", "‘abc-123’": "abc-123", "Bearer abc-123": "abc-123", "'bearer  abc-123 '": "abc-123",
			`""`: "", `"${user_config.token}"`: "", "Bearer YOUR_TOKEN": "",
		}, nil, map[string]string{
			"abc def": alone, "abc\ndef": alone, "abc\x00def": alone, "abcédef": alone, "x${TOKEN}": holder, "$TOKEN": holder,
			"${user_config.token": holder, "{{token}}": holder, "<token>": holder,
		}},
		{"JUSTONEAPI_ENV", func(c *config.Config) any { return c.Environment }, map[string]any{
			"CN": schema.EnvironmentCN, "sample": schema.EnvironmentSample, "示例": schema.EnvironmentSample, "模拟": schema.EnvironmentSample, "国内": schema.EnvironmentCN, "国际": schema.EnvironmentGlobal,
		}, map[string]string{
			"中文": "it takes one of global, cn, sample", "china": "it takes one of global, cn, sample", "cn\nglobal": "it takes one of global, cn, sample", strings.Repeat("x", 200): "it takes one of global, cn, sample",
		}, nil},
		{"JUSTONEAPI_BASE_URL", baseURL, map[string]any{"HTTPS://proxy.example.com/justone/": "https://proxy.example.com/justone", "http://[::1]:80": "http://[::1]:80"}, map[string]string{
			"api.example.com": address, "/api": address, "ftp://api.example.com": address, "https://": address, "https://:443": address, "https://a b": address,
			"https://api.example.com/#top": address, "https://${HOST}/": address,
		}, map[string]string{"https://api.example.com?token=abc": address, "https://user:pass@api.example.com": address}},
		{"JUSTONEAPI_ENDPOINT", func(c *config.Config) any { return c.Endpoint }, map[string]any{"Profile": schema.PolicyProfile}, map[string]string{"v1": "it takes one of portrait, profile, auto"}, nil},
		{"JUSTONEAPI_TIMEOUT", func(c *config.Config) any { return c.Timeout }, map[string]any{" 1m30s ": 90 * time.Second, "100ms": 100 * time.Millisecond, "10m": 10 * time.Minute}, map[string]string{
			"60": attempt, "0": attempt, "99ms": attempt, "11m": attempt, "-60s": attempt,
		}, nil},
		{"JUSTONEAPI_MAX_ATTEMPTS", func(c *config.Config) any { return c.MaxAttempts }, map[string]any{"1": 1, "10": 10}, map[string]string{
			"0": attempts, "11": attempts, "three": attempts, "2.5": attempts,
		}, nil},
		{"JUSTONEAPI_MAX_RPS", func(c *config.Config) any { return c.MaxRPS }, map[string]any{"0.5": 0.5}, map[string]string{
			"0": rate, "-1": rate, "1001": rate, "1e-300": rate, "NaN": rate, "Inf": rate, "0,5": rate,
		}, nil},
		{"PORTRAIT_ANSWER_WITHIN", func(c *config.Config) any { return c.AnswerWithin }, map[string]any{"100ms": 100 * time.Millisecond}, map[string]string{
			"50 s": "it takes a duration such as 50s, from 100ms to 10m", "1h": "it takes a duration such as 50s, from 100ms to 10m",
		}, nil},
		{"PORTRAIT_STORE", store, map[string]any{
			"sqlite:portraits.db":    "sqlite " + filepath.Join(here, "portraits.db"),
			"SQLite:/data/p.db":      "sqlite /data/p.db",
			"sqlite:~/p.db":          "sqlite " + filepath.Join(home, "p.db"),
			"memory:":                "memory ",
			"redis://localhost":      "redis redis://localhost",
			"rediss://u:p@h:6380/2?": "redis rediss://u:p@h:6380/2?",
		}, map[string]string{
			"postgres": storage, "/data/portraits.db": storage, ":": storage, "sqlite:": storage, "sqlite://portraits.db": storage, "sqlite::memory:": storage, "memory:big": storage, "redis:6379": storage,
			"sqlite:${HOME}/p.db": unfilled, `sqlite:%APPDATA%\p.db`: unfilled, "sqlite:$HOME/p.db": unfilled, "sqlite:${user_config.store}": unfilled,
		}, map[string]string{"redis//:pass@cache": storage, "mysql://user:pass@db/portraits": storage}},
		{"PORTRAIT_CACHE_TTL", func(c *config.Config) any { return c.CacheTTL }, map[string]any{"0": time.Duration(0), "24h": 24 * time.Hour}, map[string]string{
			"1d": age, "-1h": age,
		}, nil},
		{"PORTRAIT_KEEP", func(c *config.Config) any { return c.Keep }, map[string]any{"0": time.Duration(0), "24h": 24 * time.Hour}, map[string]string{
			"400d": keep, "-1h": keep,
		}, nil},
		{"PORTRAIT_DAILY_BUDGET", func(c *config.Config) any { return c.DailyBudget }, map[string]any{"0": 0, "10": 10}, map[string]string{
			"-1": budget, "none": budget, "99999999999999999999": budget,
		}, nil},
		{"PORTRAIT_LANGUAGE", func(c *config.Config) any { return c.Language }, map[string]any{
			"ZH": schema.Chinese, "中文": schema.Chinese, "Chinese": schema.Chinese, "zh-CN": schema.Chinese, "zh_CN": schema.Chinese, "zh-Hans-CN": schema.Chinese,
			"英文": schema.English, "English": schema.English, "en-US": schema.English, "en_GB.UTF-8": schema.English,
		}, map[string]string{"fr": "it takes one of en, zh", "国内": "it takes one of en, zh"}, nil},
		{"PORTRAIT_BASELINE_FILE", baseline, map[string]any{" /etc/My baseline.json ": "/etc/My baseline.json", "~/b.json": filepath.Join(home, "b.json")}, map[string]string{"${X}/b.json": unfilled}, nil},
		{"MCP_TRANSPORT", func(c *config.Config) any { return c.Transport }, map[string]any{"HTTP": config.TransportHTTP, "sse": config.TransportSSE}, map[string]string{"streamable-http": "it takes one of stdio, sse, http"}, nil},
		{"MCP_ADDR", func(c *config.Config) any { return string(c.Addr) }, map[string]any{":9090": ":9090", "[::1]:0": "[::1]:0"}, map[string]string{
			"8080": listen, "localhost": listen, "localhost:": listen, "localhost:http": listen, "localhost:65536": listen, "::1:8080": listen, "http://localhost:8080": listen,
		}, nil},
		{"MCP_PUBLIC_URL", func(c *config.Config) any { return string(c.PublicURL) }, map[string]any{"https://Portraits.example.com/team/": "https://portraits.example.com/team"}, map[string]string{"portraits.example.com": address}, nil},
		{"MCP_AUTH_TOKENS", func(c *config.Config) any { return named(c.AuthTokens) }, map[string]any{
			"ci=0123456789abcdef, team-a=fedcba9876543210\n# a comment\nci=0123456789ABCDEF": "ci=0123456789abcdef team-a=fedcba9876543210 ci=0123456789ABCDEF",
		}, nil, map[string]string{
			"ci=short":                    "line 1: a secret has at least 16 visible ASCII characters, and no white space",
			"a=0123456789abcdef\nb=short": "line 2: a secret has at least 16 visible ASCII characters, and no white space",
		}},
		{"MCP_AUTH_TOKENS_FILE", func(c *config.Config) any { return string(c.AuthTokensFile) }, map[string]any{"~/tokens": filepath.Join(home, "tokens")}, nil, map[string]string{"${X}/tokens": unfilled}},
		{"MCP_OAUTH_ISSUER", func(c *config.Config) any { return string(c.OAuthIssuer) }, map[string]any{
			"https://tenant.eu.auth0.com/": "https://tenant.eu.auth0.com/", "http://localhost:9000/realms/a": "http://localhost:9000/realms/a",
		}, map[string]string{"http://id.example.com": secure, "id.example.com": secure, "https:///realms/a": secure, "https://id.example.com/#a": secure}, map[string]string{"https://user:pass@id.example.com": secure}},
		{"MCP_OAUTH_AUDIENCE", func(c *config.Config) any { return c.OAuthAudience }, map[string]any{"api://portraits": "api://portraits"}, nil, nil},
		{"MCP_OAUTH_SCOPES", func(c *config.Config) any { return strings.Join(c.OAuthScopes, "|") }, map[string]any{"portraits:read, Usage  x": "portraits:read|Usage|x"}, map[string]string{`a "b"`: scopes, `a\b`: scopes, "é": scopes}, nil},
		{"MCP_OAUTH_JWKS_URL", func(c *config.Config) any { return string(c.OAuthJWKSURL) }, map[string]any{"https://id.example.com/keys?p=b2c": "https://id.example.com/keys?p=b2c"}, map[string]string{"http://10.0.0.1/keys": secure}, nil},
		{"MCP_ALLOW_UNAUTHENTICATED", func(c *config.Config) any { return c.AllowUnauthenticated }, map[string]any{"true": true, "0": false}, map[string]string{"yes": "it takes true or false"}, nil},
		{"MCP_TLS_CERT", func(c *config.Config) any { return string(c.TLSCert) }, map[string]any{"/etc/tls/tls.crt": "/etc/tls/tls.crt"}, map[string]string{"$HOME/tls.crt": unfilled}, nil},
		{"MCP_TLS_KEY", func(c *config.Config) any { return string(c.TLSKey) }, map[string]any{"/etc/tls/tls.key": "/etc/tls/tls.key"}, nil, map[string]string{"-----BEGIN KEY-----\n${X}": unfilled}},
		{"MCP_METRICS_ADDR", func(c *config.Config) any { return string(c.MetricsAddr) }, map[string]any{":9090": ":9090"}, map[string]string{"9090": listen}, nil},
		{"MCP_MAX_CALLS", func(c *config.Config) any { return c.MaxCalls }, map[string]any{"1": 1}, map[string]string{"0": calls, "100001": calls, "many": calls}, nil},
		{"MCP_CALLER_RPS", func(c *config.Config) any { return c.CallerRPS }, map[string]any{"0": 0.0, "0.5": 0.5}, map[string]string{"-1": limit, "NaN": limit, "Inf": limit, "1e-9": limit, "2/s": limit}, nil},
		{"MCP_CALLER_DAILY_BUDGET", func(c *config.Config) any { return c.CallerDailyBudget }, map[string]any{"20": 20}, map[string]string{"-1": budget}, nil},
		{"MCP_ALLOWED_HOSTS", func(c *config.Config) any { return strings.Join(c.AllowedHosts, " ") }, map[string]any{
			"Portraits.example.com, h:8443,, [::1]:80, [::1], 10.0.0.7": "portraits.example.com h:8443 [::1]:80 [::1] 10.0.0.7",
		}, map[string]string{"*": hosts, "*.example.com": hosts, "a.example.com, https://b.example.com": hosts, "a.example.com:": hosts, "a:b": hosts, "a/b": hosts, "fe80::1%eth0": hosts}, nil},
		{"MCP_ALLOWED_ORIGINS", func(c *config.Config) any { return strings.Join(c.AllowedOrigins, " ") }, map[string]any{
			"https://App.example.com, http://localhost:6274, vscode-webview://abc": "https://app.example.com http://localhost:6274 vscode-webview://abc",
		}, map[string]string{"*": origins, "null": origins, "app.example.com": origins, "https://app.example.com/": origins, "https://*.example.com": origins, "https://app.example.com:port": origins}, nil},
		{"LOG_LEVEL", func(c *config.Config) any { return c.LogLevel }, map[string]any{"WARN": slog.LevelWarn, "debug": slog.LevelDebug}, map[string]string{
			"verbose": "it takes one of debug, info, warn, error", "info+2": "it takes one of debug, info, warn, error",
		}, nil},
		{"LOG_FORMAT", func(c *config.Config) any { return c.LogFormat }, map[string]any{"JSON": config.LogJSON}, map[string]string{"xml": "it takes one of text, json"}, nil},
	} {
		t.Run(variable.name, func(t *testing.T) {
			for value, want := range variable.taken {
				assert.Equal(t, want, variable.field(load(t, env{variable.name: value})), "%q", value)
			}
			for value, want := range variable.wrong {
				assert.Equal(t, fmt.Sprintf("%s is %.100q: %s", variable.name, value, want), refusal(t, env{variable.name: value}))
			}
			for value, want := range variable.hidden {
				assert.Equal(t, variable.name+" is ***: "+want, refusal(t, env{variable.name: value}))
			}
		})
	}
}

func TestAPathNeedsAHomeFolderOnlyForATilde(t *testing.T) {
	t.Setenv("HOME", "")
	t.Setenv("USERPROFILE", "")
	assert.Equal(t, `PORTRAIT_STORE is "sqlite:~/p.db": it begins with ~/, but the home folder is not known: write the path out`, refusal(t, env{"PORTRAIT_STORE": "sqlite:~/p.db"}))
	assert.Equal(t, "/data/p.db", load(t, env{"PORTRAIT_STORE": "sqlite:/data/p.db"}).Store.Path)
}

func TestFlagsOverrideTheEnvironment(t *testing.T) {
	flags, environment := env{"JUSTONEAPI_ENV": "sample"}, env{"JUSTONEAPI_ENV": "mars", "MCP_TRANSPORT": "sse"}
	c, err := config.Load(t.Context(), envconfig.MultiLookuper(envconfig.MapLookuper(flags), envconfig.MapLookuper(environment)))
	require.NoError(t, err)
	assert.Equal(t, schema.EnvironmentSample, c.Environment)
	assert.Equal(t, config.TransportSSE, c.Transport)
}

func TestOneThatIsWrongIsSaidInOneLine(t *testing.T) {
	assert.Equal(t, `PORTRAIT_STORE is "files": it takes sqlite:PATH, memory: or redis://HOST:PORT/DB (rediss:// for TLS)`,
		refusal(t, env{"LOG_FORMAT": "xml", "PORTRAIT_STORE": "files", "JUSTONEAPI_MAX_ATTEMPTS": "11"}))
}

// named is tokens as they are written in a variable.
func named(tokens []secret.Named) string {
	var all []string
	for _, token := range tokens {
		all = append(all, token.Name+"="+token.Reveal())
	}
	return strings.Join(all, " ")
}

func TestVariablesThatExcludeOrNeedOneAnother(t *testing.T) {
	const (
		beyond = "beyond loopback it takes authentication: set MCP_AUTH_TOKENS, MCP_AUTH_TOKENS_FILE or MCP_OAUTH_ISSUER, or MCP_ALLOW_UNAUTHENTICATED=true where whoever reaches the address may spend your money"
		issuer = "it needs MCP_OAUTH_ISSUER beside it"
		id     = "https://id.example.com"
	)
	for want, e := range map[string]env{
		"JUSTONEAPI_TOKEN is ***: JUSTONEAPI_TOKEN_FILE is set too: drop one of them":                                                                        {"JUSTONEAPI_TOKEN": "abc-123", "JUSTONEAPI_TOKEN_FILE": "/run/secrets/token"},
		`JUSTONEAPI_BASE_URL is "https://api.example.com": JUSTONEAPI_ENV=sample calls no address: drop one of the two`:                                      {"JUSTONEAPI_ENV": "sample", "JUSTONEAPI_BASE_URL": "https://api.example.com"},
		`MCP_ADDR is "0.0.0.0:8080": ` + beyond:                                                                                                              {"MCP_ADDR": "0.0.0.0:8080", "MCP_TRANSPORT": "sse"},
		`MCP_ADDR is ":8080": ` + beyond:                                                                                                                     {"MCP_ADDR": ":8080", "MCP_TRANSPORT": "http"},
		`MCP_ADDR is "portraits.example.com:80": ` + beyond:                                                                                                  {"MCP_ADDR": "portraits.example.com:80", "MCP_TRANSPORT": "http"},
		`MCP_OAUTH_ISSUER is "https://id.example.com": it needs MCP_PUBLIC_URL beside it, the address that clients ask tokens for`:                           {"MCP_OAUTH_ISSUER": id, "MCP_TRANSPORT": "http"},
		`MCP_PUBLIC_URL is "http://portraits.example.com": it takes an https address, such as https://portraits.example.com (http for loopback alone)`:       {"MCP_PUBLIC_URL": "http://portraits.example.com", "MCP_TRANSPORT": "http"},
		`MCP_OAUTH_AUDIENCE is "portraits": ` + issuer:                                                                                                       {"MCP_OAUTH_AUDIENCE": "portraits", "MCP_TRANSPORT": "http"},
		`MCP_OAUTH_SCOPES is "a b": ` + issuer:                                                                                                               {"MCP_OAUTH_SCOPES": "a b", "MCP_TRANSPORT": "http"},
		`MCP_OAUTH_JWKS_URL is "https://id.example.com": ` + issuer:                                                                                          {"MCP_OAUTH_JWKS_URL": id, "MCP_TRANSPORT": "http"},
		`MCP_TLS_CERT is "tls.crt": it needs MCP_TLS_KEY beside it`:                                                                                          {"MCP_TLS_CERT": "tls.crt", "MCP_TRANSPORT": "http"},
		"MCP_TLS_KEY is ***: it needs MCP_TLS_CERT beside it":                                                                                                {"MCP_TLS_KEY": "tls.key", "MCP_TRANSPORT": "http"},
		"MCP_AUTH_TOKENS_FILE is ***: cannot read it: no such file or directory; it takes the path of a file, and tokens themselves go into MCP_AUTH_TOKENS": {"MCP_AUTH_TOKENS_FILE": "0123456789abcdef", "MCP_TRANSPORT": "http"},
	} {
		assert.Equal(t, want, refusal(t, e))
		if e["MCP_TRANSPORT"] != "" { // stdio has use for none of them
			e["MCP_TRANSPORT"] = "stdio"
			load(t, e)
		}
	}
	for _, e := range []env{
		{"MCP_ADDR": "localhost:0"}, {"MCP_ADDR": "127.0.0.2:80"}, {"MCP_ADDR": "[::1]:8080"},
		{"MCP_ADDR": ":80", "MCP_AUTH_TOKENS": "0123456789abcdef"},
		{"MCP_ADDR": ":80", "MCP_AUTH_TOKENS_FILE": file(t, "0123456789abcdef")},
		{"MCP_ADDR": ":80", "MCP_OAUTH_ISSUER": id, "MCP_PUBLIC_URL": "https://portraits.example.com"},
		{"MCP_ADDR": ":80", "MCP_ALLOW_UNAUTHENTICATED": "true"},
		{"MCP_TLS_CERT": "tls.crt", "MCP_TLS_KEY": "tls.key", "MCP_PUBLIC_URL": "http://127.0.0.1:8080"},
	} {
		e["MCP_TRANSPORT"] = "http"
		load(t, e)
	}
}

// file returns the path of a file with content.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens.txt")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestAuthTokensFile(t *testing.T) {
	with := func(content string) env {
		return env{"MCP_TRANSPORT": "http", "MCP_AUTH_TOKENS": "ci=0123456789abcdef", "MCP_AUTH_TOKENS_FILE": file(t, content)}
	}
	c := load(t, with("\ufeff# two teams\r\nteam-a=a123456789abcdef\r\n\r\nteam-b=b123456789abcdef\r\n"))
	assert.Equal(t, "ci=0123456789abcdef", named(c.AuthTokens))
	assert.Equal(t, "team-a=a123456789abcdef team-b=b123456789abcdef", named(c.FileTokens))
	for content, want := range map[string]string{
		"# nobody yet\n":            "the file holds no token",
		"\n\nteam a=x":              "in the file, line 3: a name has 1 to 64 of A-Z a-z 0-9 . _ -",
		strings.Repeat("x", 70_000): "it is larger than 64 KiB; it takes the path of a file, and tokens themselves go into MCP_AUTH_TOKENS",
	} {
		assert.Equal(t, "MCP_AUTH_TOKENS_FILE is ***: "+want, refusal(t, with(content)))
	}
}

func TestTheSampleNeedsNoToken(t *testing.T) {
	for _, e := range []env{{"JUSTONEAPI_TOKEN": "a b"}, {"JUSTONEAPI_TOKEN": "abc-123", "JUSTONEAPI_TOKEN_FILE": "/not/there"}} {
		e["JUSTONEAPI_ENV"] = "sample"
		assert.False(t, load(t, e).Token.IsSet())
	}
}

func TestTokenFile(t *testing.T) {
	for _, content := range []string{"abc-123", "\t abc-123 \r\n\r\n", "\ufeffabc-123\r\n", "'abc-123'\n"} {
		assert.Equal(t, "abc-123", load(t, env{"JUSTONEAPI_TOKEN_FILE": file(t, content)}).Token.Reveal())
	}

	// The value of the variable is never shown: it may be the token itself.
	const takes = "; it takes the path of a file, and a token itself goes into JUSTONEAPI_TOKEN"
	const alone = "in the file, it takes the token alone, without white space inside"
	for _, wrong := range []struct{ path, want string }{
		{file(t, " \n"), alone},
		{file(t, "abc-123\ndef-456\n"), alone},
		{file(t, "${TOKEN}\n"), "in the file, it looks like a placeholder: write the token itself in its place"},
		{file(t, strings.Repeat("\n", 64<<10+1)), "it is larger than 64 KiB" + takes},
		{"/not/there", "cannot read it: no such file or directory" + takes},
		{t.TempDir(), "it is not a regular file" + takes},
		{"0123456789abcdef0123", "cannot read it: no such file or directory" + takes},
		{"c2VjcmV0/dG9rZW4.x==", "cannot read it: no such file or directory" + takes},
		{strings.Repeat("x", 4096), "cannot read it: file name too long" + takes},
	} {
		assert.Equal(t, "JUSTONEAPI_TOKEN_FILE is ***: "+wrong.want, refusal(t, env{"JUSTONEAPI_TOKEN_FILE": wrong.path}))
	}
}

func TestASecretInTheWrongVariableIsNotShown(t *testing.T) {
	for _, e := range []env{
		{"JUSTONEAPI_TOKEN": "my-secret", "JUSTONEAPI_ENV": "my-secret"},
		{"JUSTONEAPI_TOKEN": "my secret", "JUSTONEAPI_ENV": "my secret"},
		{"JUSTONEAPI_TOKEN": "my-secret", "JUSTONEAPI_ENV": "Bearer my-secret"},
	} {
		assert.Contains(t, refusal(t, e), "JUSTONEAPI_ENV is ***: it takes one of global, cn, sample")
	}
}

func TestHideTakesEverySecretOut(t *testing.T) {
	c := load(t, env{"JUSTONEAPI_TOKEN": "vendor-secret", "PORTRAIT_STORE": "redis://:store-secret@localhost/0", "MCP_TRANSPORT": "http",
		"MCP_AUTH_TOKENS": "ci=first-bearer-secret,second-bearer-secret", "MCP_AUTH_TOKENS_FILE": file(t, "third-bearer-secret")})
	assert.Equal(t, "a *** b *** c *** d *** e *** f", c.Hide("a vendor-secret b redis://:store-secret@localhost/0 c first-bearer-secret d second-bearer-secret e third-bearer-secret f"))
}

// FuzzLoad sets one variable beside the token. What is refused is told in one
// line that names the variable; what is taken is the same with white space
// around it; and neither shows the token, wherever it was put.
func FuzzLoad(f *testing.F) {
	variables := config.Variables()
	for i, v := range variables {
		for _, value := range []string{v.Default, "x", "\n", ",", ":", "\u2028", "0x1p-2", "redis://:p@h:1/0", "https://h/?q#f", "[::1]:80", "${X}", "~/x", strings.Repeat("9", 200)} {
			f.Add(uint8(i), value)
		}
	}
	const token = "a-made-up-token"
	f.Fuzz(func(t *testing.T, i uint8, value string) {
		name := variables[int(i)%len(variables)].Name
		for _, value := range []string{value, token + value, value + token + value} {
			e := env{"JUSTONEAPI_TOKEN": token}
			e[name] = value // the file of the token stands beside it, so that none is read
			c, err := config.Load(t.Context(), envconfig.MapLookuper(e))
			if err != nil {
				require.Nil(t, c)
				require.NotContains(t, err.Error(), token)
				require.NotContains(t, err.Error(), "\n")
				require.Contains(t, err.Error(), name)
				continue
			}
			require.NotContains(t, fmt.Sprintf("%v %+v %#v %x", c.Token, c.AuthTokens, c.Store.URL, c.Token), token)
			e[name] = " \t" + value + "\r\n"
			require.Equal(t, revealed(c), revealed(load(t, e)))
		}
	})
}

// revealed is c as text, with its secrets.
func revealed(c *config.Config) string {
	return fmt.Sprintf("%+v", *c) + c.Token.Reveal() + c.Store.URL.Reveal() + named(c.AuthTokens)
}

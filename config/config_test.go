package config_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
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

func TestDefaults(t *testing.T) {
	want := &config.Config{
		Environment:  schema.EnvironmentGlobal,
		Endpoint:     schema.PolicyAuto,
		Timeout:      60 * time.Second,
		MaxAttempts:  3,
		MaxRPS:       5,
		AnswerWithin: 50 * time.Second,
		Store:        config.Store{Kind: config.StoreSQLite},
		CacheTTL:     24 * time.Hour,
		DailyBudget:  0,
		Language:     schema.English,
		Transport:    config.TransportStdio,
		Addr:         "127.0.0.1:8080",
		LogLevel:     slog.LevelInfo,
		LogFormat:    config.LogText,
	}
	assert.Equal(t, want, load(t, env{}), "nothing is set")

	empty := env{}
	for i, v := range config.Variables() {
		empty[v.Name] = strings.Repeat(" ", i%2) // "" and " "
	}
	assert.Equal(t, want, load(t, empty), "everything is set, to nothing")
}

func TestEveryVariableIsRead(t *testing.T) {
	c := load(t, env{
		"JUSTONEAPI_TOKEN":          "  abc-123\n",
		"JUSTONEAPI_ENV":            "CN",
		"JUSTONEAPI_BASE_URL":       "HTTPS://proxy.example.com/justone/",
		"JUSTONEAPI_ENDPOINT":       "Profile",
		"JUSTONEAPI_TIMEOUT":        " 1m30s ",
		"JUSTONEAPI_MAX_ATTEMPTS":   "010",
		"JUSTONEAPI_MAX_RPS":        "0.5",
		"PORTRAIT_ANSWER_WITHIN":    "100ms",
		"PORTRAIT_STORE":            "sqlite:/data/portraits.db",
		"PORTRAIT_CACHE_TTL":        "0",
		"PORTRAIT_DAILY_BUDGET":     "200",
		"PORTRAIT_LANGUAGE":         "ZH",
		"PORTRAIT_BASELINE_FILE":    " /etc/My baseline.json ",
		"MCP_TRANSPORT":             "HTTP",
		"MCP_ADDR":                  ":9090",
		"MCP_AUTH_TOKENS":           "first, second,,",
		"MCP_ALLOW_UNAUTHENTICATED": "TRUE",
		"MCP_ALLOWED_HOSTS":         "Portraits.example.com, portraits.example.com:8443, [::1]:80, [::1], 2001:DB8::7, 10.0.0.7",
		"MCP_ALLOWED_ORIGINS":       "https://App.example.com, http://localhost:6274, vscode-webview://abc",
		"LOG_LEVEL":                 "WARN",
		"LOG_FORMAT":                "JSON",
	})
	assert.Equal(t, "abc-123", c.Token.Reveal())
	assert.Equal(t, schema.EnvironmentCN, c.Environment)
	assert.Equal(t, "https://proxy.example.com/justone", c.BaseURL)
	assert.Equal(t, schema.PolicyProfile, c.Endpoint)
	assert.Equal(t, 90*time.Second, c.Timeout)
	assert.Equal(t, 10, c.MaxAttempts, "a leading zero makes no octal number")
	assert.InDelta(t, 0.5, c.MaxRPS, 0)
	assert.Equal(t, 100*time.Millisecond, c.AnswerWithin)
	assert.Equal(t, config.Store{Kind: config.StoreSQLite, Path: "/data/portraits.db"}, c.Store)
	assert.Zero(t, c.CacheTTL)
	assert.Equal(t, 200, c.DailyBudget)
	assert.Equal(t, schema.Chinese, c.Language)
	assert.Equal(t, "/etc/My baseline.json", c.BaselineFile)
	assert.Equal(t, config.TransportHTTP, c.Transport)
	assert.Equal(t, ":9090", c.Addr)
	require.Len(t, c.AuthTokens, 2)
	assert.Equal(t, "first", c.AuthTokens[0].Reveal())
	assert.Equal(t, "second", c.AuthTokens[1].Reveal())
	assert.True(t, c.AllowUnauthenticated)
	assert.Equal(t, []string{"portraits.example.com", "portraits.example.com:8443", "[::1]:80", "[::1]", "[2001:db8::7]", "10.0.0.7"}, c.AllowedHosts)
	assert.Equal(t, []string{"https://app.example.com", "http://localhost:6274", "vscode-webview://abc"}, c.AllowedOrigins)
	assert.Equal(t, slog.LevelWarn, c.LogLevel)
	assert.Equal(t, config.LogJSON, c.LogFormat)
}

func TestEveryWordIsTaken(t *testing.T) {
	words := map[string]string{
		"JUSTONEAPI_ENV":            "global cn sample",
		"JUSTONEAPI_ENDPOINT":       "portrait profile auto",
		"PORTRAIT_LANGUAGE":         "en zh",
		"MCP_TRANSPORT":             "stdio sse http",
		"MCP_ALLOW_UNAUTHENTICATED": "true false 1 0",
		"LOG_LEVEL":                 "debug info warn error",
		"LOG_FORMAT":                "text json",
	}
	for name, taken := range words {
		for word := range strings.FieldsSeq(taken) {
			load(t, env{name: word})
			load(t, env{name: strings.ToUpper(word)})
		}
	}
}

func TestFlagsOverrideTheEnvironment(t *testing.T) {
	flags := env{"JUSTONEAPI_ENV": "sample", "MCP_ADDR": "127.0.0.1:0"}
	environment := env{"JUSTONEAPI_ENV": "cn", "MCP_ADDR": "0.0.0.0:80", "MCP_TRANSPORT": "sse"}
	c, err := config.Load(t.Context(), envconfig.MultiLookuper(envconfig.MapLookuper(flags), envconfig.MapLookuper(environment)))
	require.NoError(t, err)
	assert.Equal(t, schema.EnvironmentSample, c.Environment)
	assert.Equal(t, "127.0.0.1:0", c.Addr)
	assert.Equal(t, config.TransportSSE, c.Transport)
}

func TestStores(t *testing.T) {
	tests := []struct {
		value string
		kind  config.StoreKind
		path  string
		url   string
	}{
		{"", config.StoreSQLite, "", ""},
		{"sqlite:portraits.db", config.StoreSQLite, "portraits.db", ""},
		{"SQLite:/data/p.db", config.StoreSQLite, "/data/p.db", ""},
		{`sqlite:C:\data\p.db`, config.StoreSQLite, `C:\data\p.db`, ""},
		{"memory:", config.StoreMemory, "", ""},
		{"redis://localhost", config.StoreRedis, "", "redis://localhost"},
		{"redis://:pass@cache:6379/2", config.StoreRedis, "", "redis://:pass@cache:6379/2"},
		{"rediss://user:pass@cache.example.com:6380/", config.StoreRedis, "", "rediss://user:pass@cache.example.com:6380/"},
	}
	for _, tt := range tests {
		store := load(t, env{"PORTRAIT_STORE": tt.value}).Store
		assert.Equal(t, tt.kind, store.Kind, tt.value)
		assert.Equal(t, tt.path, store.Path, tt.value)
		assert.Equal(t, tt.url, store.URL.Reveal(), tt.value)
	}
}

func TestWrongValues(t *testing.T) {
	const (
		attempt  = "it takes a duration such as 60s, from 100ms to 10m"
		wait     = "it takes a duration such as 50s, from 100ms to 10m"
		age      = "it takes a duration such as 24h, from 0s to 8760h"
		attempts = "it takes a whole number from 1 to 10"
		rate     = "it takes a number from 0.001 to 1000, such as 5 or 0.5"
		budget   = "it takes a whole number from 0 to 1000000000"
		address  = "it takes an http or https address without user name, query or fragment, such as https://api.example.com"
		storage  = "it takes sqlite:PATH, memory: or redis://HOST:PORT/DB (rediss:// for TLS)"
		listen   = "it takes host:port, such as 127.0.0.1:8080"
		tokens   = "it takes tokens separated by commas, each of printable ASCII characters without spaces"
		hosts    = "it takes host names, with or without a port, separated by commas, such as portraits.example.com"
		origins  = "it takes origins without a path, separated by commas, such as https://app.example.com"
	)
	tests := []struct{ name, value, want string }{
		{"JUSTONEAPI_ENV", "china", `is "china": it takes global, cn or sample`},
		{"JUSTONEAPI_ENV", "cn\nglobal", `is "cn\nglobal": it takes global, cn or sample`},
		{"JUSTONEAPI_ENV", strings.Repeat("x", 200), `is "` + strings.Repeat("x", 100) + `": it takes global, cn or sample`},

		{"JUSTONEAPI_BASE_URL", "api.example.com", `is "api.example.com": ` + address},
		{"JUSTONEAPI_BASE_URL", "/api", `is "/api": ` + address},
		{"JUSTONEAPI_BASE_URL", "ftp://api.example.com", `is "ftp://api.example.com": ` + address},
		{"JUSTONEAPI_BASE_URL", "https:api.example.com", `is "https:api.example.com": ` + address},
		{"JUSTONEAPI_BASE_URL", "https://", `is "https://": ` + address},
		{"JUSTONEAPI_BASE_URL", "https://:443", `is "https://:443": ` + address},
		{"JUSTONEAPI_BASE_URL", "https://api.example.com:99999", `is "https://api.example.com:99999": ` + address},
		{"JUSTONEAPI_BASE_URL", "https://a b", `is "https://a b": ` + address},
		{"JUSTONEAPI_BASE_URL", "https://api.example.com/#top", `is "https://api.example.com/#top": ` + address},
		{"JUSTONEAPI_BASE_URL", "https://api.example.com?token=abc", `is ***: ` + address},
		{"JUSTONEAPI_BASE_URL", "https://user:pass@api.example.com", `is ***: ` + address},
		{"JUSTONEAPI_BASE_URL", "user:pass@api.example.com", `is ***: ` + address},

		{"JUSTONEAPI_ENDPOINT", "v1", `is "v1": it takes portrait, profile or auto`},
		{"JUSTONEAPI_TIMEOUT", "60", `is "60": ` + attempt},
		{"JUSTONEAPI_TIMEOUT", "0", `is "0": ` + attempt},
		{"JUSTONEAPI_TIMEOUT", "99ms", `is "99ms": ` + attempt},
		{"JUSTONEAPI_TIMEOUT", "11m", `is "11m": ` + attempt},
		{"JUSTONEAPI_TIMEOUT", "-60s", `is "-60s": ` + attempt},
		{"JUSTONEAPI_MAX_ATTEMPTS", "0", `is "0": ` + attempts},
		{"JUSTONEAPI_MAX_ATTEMPTS", "11", `is "11": ` + attempts},
		{"JUSTONEAPI_MAX_ATTEMPTS", "three", `is "three": ` + attempts},
		{"JUSTONEAPI_MAX_ATTEMPTS", "2.5", `is "2.5": ` + attempts},
		{"JUSTONEAPI_MAX_RPS", "0", `is "0": ` + rate},
		{"JUSTONEAPI_MAX_RPS", "-1", `is "-1": ` + rate},
		{"JUSTONEAPI_MAX_RPS", "1001", `is "1001": ` + rate},
		{"JUSTONEAPI_MAX_RPS", "1e-300", `is "1e-300": ` + rate},
		{"JUSTONEAPI_MAX_RPS", "NaN", `is "NaN": ` + rate},
		{"JUSTONEAPI_MAX_RPS", "Inf", `is "Inf": ` + rate},
		{"JUSTONEAPI_MAX_RPS", "0,5", `is "0,5": ` + rate},

		{"PORTRAIT_ANSWER_WITHIN", "50 s", `is "50 s": ` + wait},
		{"PORTRAIT_ANSWER_WITHIN", "50ms", `is "50ms": ` + wait},
		{"PORTRAIT_ANSWER_WITHIN", "1h", `is "1h": ` + wait},
		{"PORTRAIT_STORE", "postgres", `is "postgres": ` + storage},
		{"PORTRAIT_STORE", "/data/portraits.db", `is "/data/portraits.db": ` + storage},
		{"PORTRAIT_STORE", "sqlite:", `is "sqlite:": ` + storage},
		{"PORTRAIT_STORE", "sqlite://portraits.db", `is "sqlite://portraits.db": ` + storage},
		{"PORTRAIT_STORE", "sqlite::memory:", `is "sqlite::memory:": ` + storage},
		{"PORTRAIT_STORE", "memory:big", `is "memory:big": ` + storage},
		{"PORTRAIT_STORE", "redis://", `is "redis://": ` + storage},
		{"PORTRAIT_STORE", "redis://cache:70000", `is "redis://cache:70000": ` + storage},
		{"PORTRAIT_STORE", "redis://cache:6379/portraits", `is "redis://cache:6379/portraits": ` + storage},
		{"PORTRAIT_STORE", "redis//:pass@cache", `is ***: ` + storage},
		{"PORTRAIT_STORE", "mysql://user:pass@db/portraits", `is ***: ` + storage},
		{"PORTRAIT_CACHE_TTL", "1d", `is "1d": ` + age},
		{"PORTRAIT_CACHE_TTL", "-1h", `is "-1h": ` + age},
		{"PORTRAIT_CACHE_TTL", "8761h", `is "8761h": ` + age},
		{"PORTRAIT_DAILY_BUDGET", "-1", `is "-1": ` + budget},
		{"PORTRAIT_DAILY_BUDGET", "none", `is "none": ` + budget},
		{"PORTRAIT_DAILY_BUDGET", "99999999999999999999", `is "99999999999999999999": ` + budget},
		{"PORTRAIT_LANGUAGE", "en-US", `is "en-US": it takes en or zh`},

		{"MCP_TRANSPORT", "streamable-http", `is "streamable-http": it takes stdio, sse or http`},
		{"MCP_ADDR", "8080", `is "8080": ` + listen},
		{"MCP_ADDR", "localhost", `is "localhost": ` + listen},
		{"MCP_ADDR", "localhost:", `is "localhost:": ` + listen},
		{"MCP_ADDR", "localhost:http", `is "localhost:http": ` + listen},
		{"MCP_ADDR", "localhost:65536", `is "localhost:65536": ` + listen},
		{"MCP_ADDR", "*:8080", `is "*:8080": ` + listen},
		{"MCP_ADDR", "::1:8080", `is "::1:8080": ` + listen},
		{"MCP_ADDR", "http://localhost:8080", `is "http://localhost:8080": ` + listen},
		{"MCP_AUTH_TOKENS", "first, sec ond", `is ***: ` + tokens},
		{"MCP_AUTH_TOKENS", "schlüssel", `is ***: ` + tokens},
		{"MCP_ALLOW_UNAUTHENTICATED", "yes", `is "yes": it takes true or false`},
		{"MCP_ALLOWED_HOSTS", "*", `is "*": ` + hosts},
		{"MCP_ALLOWED_HOSTS", "a.example.com, https://b.example.com", `is "a.example.com, https://b.example.com": ` + hosts},
		{"MCP_ALLOWED_HOSTS", "a.example.com:", `is "a.example.com:": ` + hosts},
		{"MCP_ALLOWED_HOSTS", "[a.example.com]", `is "[a.example.com]": ` + hosts},
		{"MCP_ALLOWED_HOSTS", "[a.example.com]:80", `is "[a.example.com]:80": ` + hosts},
		{"MCP_ALLOWED_HOSTS", "[10.0.0.7]:80", `is "[10.0.0.7]:80": ` + hosts},
		{"MCP_ALLOWED_HOSTS", "[fe80::1%eth0]:80", `is "[fe80::1%eth0]:80": ` + hosts},
		{"MCP_ALLOWED_HOSTS", "fe80::1%eth0", `is "fe80::1%eth0": ` + hosts},
		{"MCP_ALLOWED_ORIGINS", "*", `is "*": ` + origins},
		{"MCP_ALLOWED_ORIGINS", "null", `is "null": ` + origins},
		{"MCP_ALLOWED_ORIGINS", "app.example.com", `is "app.example.com": ` + origins},
		{"MCP_ALLOWED_ORIGINS", "https://app.example.com/", `is "https://app.example.com/": ` + origins},
		{"MCP_ALLOWED_ORIGINS", "https://*.example.com", `is "https://*.example.com": ` + origins},
		{"MCP_ALLOWED_ORIGINS", "https://app.example.com:port", `is "https://app.example.com:port": ` + origins},

		{"LOG_LEVEL", "verbose", `is "verbose": it takes debug, info, warn or error`},
		{"LOG_LEVEL", "info+2", `is "info+2": it takes debug, info, warn or error`},
		{"LOG_FORMAT", "xml", `is "xml": it takes text or json`},

		{"JUSTONEAPI_TOKEN", "abc def", `holds white space: it takes one token without spaces or line breaks`},
		{"JUSTONEAPI_TOKEN", "abc\ndef", `holds white space: it takes one token without spaces or line breaks`},
		{"JUSTONEAPI_TOKEN", "abc\x00def", `holds a character that is not printable ASCII: copy the token again`},
		{"JUSTONEAPI_TOKEN", "abcédef", `holds a character that is not printable ASCII: copy the token again`},
		{"JUSTONEAPI_TOKEN", `"abcdef"`, `stands in quotation marks: leave them out`},
		{"JUSTONEAPI_TOKEN", "YOUR_API_KEY", `is still the placeholder from the documentation: put your own token in its place`},
		{"JUSTONEAPI_TOKEN", "your-token", `is still the placeholder from the documentation: put your own token in its place`},
		{"JUSTONEAPI_TOKEN", "<your token>", `is still the placeholder from the documentation: put your own token in its place`},
		{"JUSTONEAPI_TOKEN", "${JUSTONEAPI_TOKEN}", `is still the placeholder from the documentation: put your own token in its place`},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s=%.30q", tt.name, tt.value), func(t *testing.T) {
			assert.Equal(t, tt.name+" "+tt.want, refusal(t, env{tt.name: tt.value}))
		})
	}
}

func TestContradictions(t *testing.T) {
	assert.Equal(t,
		"JUSTONEAPI_BASE_URL is set, but JUSTONEAPI_ENV=sample calls no address: drop JUSTONEAPI_BASE_URL, or set JUSTONEAPI_ENV to global or cn",
		refusal(t, env{"JUSTONEAPI_ENV": "sample", "JUSTONEAPI_BASE_URL": "https://api.example.com"}))
	assert.Equal(t,
		"JUSTONEAPI_TOKEN and JUSTONEAPI_TOKEN_FILE are both set: drop one of them",
		refusal(t, env{"JUSTONEAPI_TOKEN": "abc-123", "JUSTONEAPI_TOKEN_FILE": "/run/secrets/token"}))
}

func TestAllThatIsWrongIsSaidAtOnceInOrder(t *testing.T) {
	assert.Equal(t,
		"JUSTONEAPI_TOKEN holds white space: it takes one token without spaces or line breaks; "+
			`JUSTONEAPI_MAX_ATTEMPTS is "none": it takes a whole number from 1 to 10; `+
			`LOG_FORMAT is "xml": it takes text or json`,
		refusal(t, env{"LOG_FORMAT": "xml", "JUSTONEAPI_MAX_ATTEMPTS": "none", "JUSTONEAPI_TOKEN": "a b"}))
}

func TestASecretInTheWrongVariableIsNotShown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("filed-secret"), 0o600))
	for _, e := range []env{
		{"JUSTONEAPI_TOKEN": "my-secret", "JUSTONEAPI_ENV": "my-secret"},
		{"MCP_AUTH_TOKENS": "a-secret, my-secret", "JUSTONEAPI_ENV": "Bearer my-secret"},
		{"JUSTONEAPI_TOKEN_FILE": file, "JUSTONEAPI_ENV": "filed-secret"},
	} {
		assert.Equal(t, "JUSTONEAPI_ENV is ***: it takes global, cn or sample", refusal(t, e))
	}
}

func TestTokenFile(t *testing.T) {
	write := func(t *testing.T, content string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "token.txt")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}

	t.Run("holds the token", func(t *testing.T) {
		for _, content := range []string{"abc-123", "abc-123\n", "\t abc-123 \r\n\r\n", "abc-123" + strings.Repeat("\n", 64<<10-7)} {
			path := write(t, content)
			c := load(t, env{"JUSTONEAPI_TOKEN_FILE": path})
			assert.Equal(t, "abc-123", c.Token.Reveal())
			assert.Equal(t, path, c.TokenFile)
		}
	})

	wrong := []struct{ name, content, want string }{
		{"empty", "", "the file is empty; it takes a file that holds the token"},
		{"blank", " \n", "the file is empty; it takes a file that holds the token"},
		{"two lines", "abc-123\ndef-456\n", "the token in it holds white space: it takes one token without spaces or line breaks"},
		{"not ASCII", "abc-é\n", "the token in it holds a character that is not printable ASCII: copy the token again"},
		{"placeholder", "YOUR_TOKEN\n", "the token in it is still the placeholder from the documentation: put your own token in its place"},
		{"large", strings.Repeat("\n", 64<<10+1), "cannot read it: it is larger than 64 KiB"},
	}
	for _, tt := range wrong {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, tt.content)
			assert.Equal(t, fmt.Sprintf("JUSTONEAPI_TOKEN_FILE is %.100q: %s", path, tt.want), refusal(t, env{"JUSTONEAPI_TOKEN_FILE": path}))
		})
	}

	t.Run("is not there", func(t *testing.T) {
		assert.Equal(t,
			`JUSTONEAPI_TOKEN_FILE is "/not/there": cannot read it: no such file or directory`,
			refusal(t, env{"JUSTONEAPI_TOKEN_FILE": "/not/there"}))
	})
	t.Run("is a folder", func(t *testing.T) {
		assert.Equal(t,
			`JUSTONEAPI_TOKEN_FILE is "/": cannot read it: is a directory`,
			refusal(t, env{"JUSTONEAPI_TOKEN_FILE": "/"}))
	})
	t.Run("is the token itself", func(t *testing.T) {
		assert.Equal(t,
			"JUSTONEAPI_TOKEN_FILE names no file that can be read: it takes a path; a token itself goes into JUSTONEAPI_TOKEN",
			refusal(t, env{"JUSTONEAPI_TOKEN_FILE": "0123456789abcdef0123"}))
	})
}

func TestTheSampleNeedsNoToken(t *testing.T) {
	for _, e := range []env{
		{"JUSTONEAPI_TOKEN": "YOUR_API_KEY"},
		{"JUSTONEAPI_TOKEN": "abc-123", "JUSTONEAPI_TOKEN_FILE": "/not/there"},
	} {
		e["JUSTONEAPI_ENV"] = "sample"
		assert.Empty(t, load(t, e).Token.Reveal())
	}
}

// FuzzLoad sets one variable beside the token. What is taken is within the
// bounds that Config states, and the same with white space around it; what is
// refused is told in one line that names the variable; and neither shows a token,
// wherever it was put.
func FuzzLoad(f *testing.F) {
	variables := config.Variables()
	for i, v := range variables {
		for _, value := range []string{v.Default, "x", "\n", ",", ":", "é", "\u2028", "0x1p-2", "redis://:p@h:1/0", "https://h/?q#f", "[::1]:80", strings.Repeat("9", 200)} {
			f.Add(uint8(i), value)
		}
	}
	const token = "a-made-up-token"
	f.Fuzz(func(t *testing.T, i uint8, value string) {
		name := variables[int(i)%len(variables)].Name
		for _, value := range []string{value, token + value, value + token + value} {
			e := env{"JUSTONEAPI_TOKEN": token}
			e[name] = value // for the token itself, in its place; for its file, beside it, so that none is read
			c, err := config.Load(context.Background(), envconfig.MapLookuper(e))
			if err != nil {
				require.Nil(t, c)
				require.NotContains(t, err.Error(), token)
				require.NotContains(t, err.Error(), "\n")
				require.Contains(t, err.Error(), name)
				continue
			}
			require.NotContains(t, fmt.Sprintf("%v %+v %#v %x", c.Token, c.AuthTokens, c.Store.URL, c.Token), token)
			requireBounded(t, c)
			e[name] = " \t" + value + "\r\n"
			same, err := config.Load(context.Background(), envconfig.MapLookuper(e))
			require.NoError(t, err)
			require.Equal(t, revealed(c), revealed(same))
		}
		if name == "JUSTONEAPI_TOKEN" && strings.TrimSpace(value) != "" {
			requireSameFromFile(t, value)
		}
	})
}

// requireBounded checks what Config says of its fields.
func requireBounded(t *testing.T, c *config.Config) {
	t.Helper()
	within := func(what string, least, is, most float64) {
		t.Helper()
		require.True(t, least <= is && is <= most, "%s is %v, which is not from %v to %v", what, is, least, most)
	}
	within("Timeout", 0.1, c.Timeout.Seconds(), 600)
	within("MaxAttempts", 1, float64(c.MaxAttempts), 10)
	within("MaxRPS", 0.001, c.MaxRPS, 1000)
	within("AnswerWithin", 0.1, c.AnswerWithin.Seconds(), 600)
	within("CacheTTL", 0, c.CacheTTL.Hours(), 8760)
	within("DailyBudget", 0, float64(c.DailyBudget), 1e9)
	require.Contains(t, []schema.Environment{schema.EnvironmentGlobal, schema.EnvironmentCN, schema.EnvironmentSample}, c.Environment)
	require.Contains(t, []config.StoreKind{config.StoreSQLite, config.StoreMemory, config.StoreRedis}, c.Store.Kind)
	require.Equal(t, c.Store.Kind == config.StoreRedis, c.Store.URL.Reveal() != "")
	require.True(t, c.Store.Path == "" || c.Store.Kind == config.StoreSQLite)
	require.False(t, strings.HasSuffix(c.BaseURL, "/"), "%q", c.BaseURL)
	for _, value := range slices.Concat(c.AllowedHosts, c.AllowedOrigins) {
		require.NotEmpty(t, value)
		require.Equal(t, strings.ToLower(value), value)
	}
	for _, token := range c.AuthTokens {
		require.NotEmpty(t, token.Reveal())
		require.NotContains(t, token.Reveal(), " ")
	}
}

// revealed is c as text, with its secrets.
func revealed(c *config.Config) string {
	secrets := []string{c.Token.Reveal(), c.Store.URL.Reveal()}
	for _, token := range c.AuthTokens {
		secrets = append(secrets, token.Reveal())
	}
	return fmt.Sprintf("%+v %q", *c, secrets)
}

// requireSameFromFile checks that a token is taken from a file, or refused, as
// from the environment.
func requireSameFromFile(t *testing.T, token string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(path, []byte(token+"\n"), 0o600))
	want, refused := config.Load(context.Background(), envconfig.MapLookuper(env{"JUSTONEAPI_TOKEN": token}))
	c, err := config.Load(context.Background(), envconfig.MapLookuper(env{"JUSTONEAPI_TOKEN_FILE": path}))
	require.Equal(t, refused == nil, err == nil, "%v, and from the file: %v", refused, err)
	if err == nil {
		require.Equal(t, want.Token.Reveal(), c.Token.Reveal())
	}
}

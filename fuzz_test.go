package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/server"
	"kol-portrait-mcp/store/redis"
	"kol-portrait-mcp/tools"
	"kol-portrait-mcp/upstream"
)

// FuzzSettings holds config against the parts that it is for: what it takes of an
// address, a store, or the hosts and origins of clients, they take as well, and
// mean the same by it.
func FuzzSettings(f *testing.F) {
	for i, seeds := range [][]string{
		{"https://api.example.com/", "HTTP://[::1]:8080/a%2Fb", "http://h:", "https://h/a?b", "https://u:p@h"},
		{"redis://:p%40@h:1/0?pool_size=5&max_retries=2", "rediss://h", "REDIS://h/1", "redis://h/2147483648", "redis://h:0", "memory:", "sqlite:a"},
		{"mcp.example.com,[2001:DB8::1]:80", "a_b:1", "::1", "A."},
		{"https://app.example.com,http://a:80", "chrome-extension://abc", "https://[::1]", "x://a:"},
	} {
		for _, seed := range seeds {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, value string) {
		checks := []struct {
			variable string
			check    func(*testing.T, *config.Config)
		}{
			{"JUSTONEAPI_BASE_URL", checkBaseURL},
			{"PORTRAIT_STORE", checkStore},
			{"MCP_ALLOWED_HOSTS", checkServed},
			{"MCP_ALLOWED_ORIGINS", checkServed},
		}
		set := checks[int(i)%len(checks)]
		cfg, err := config.Load(t.Context(), envconfig.MapLookuper(map[string]string{set.variable: value}))
		if err == nil {
			set.check(t, cfg)
		}
	})
}

// checkBaseURL checks that the vendor is asked there, and there alone.
func checkBaseURL(t *testing.T, cfg *config.Config) {
	t.Helper()
	require.NotEmpty(t, scope(cfg))
	var asked *url.URL
	client := upstream.New(upstream.Config{
		BaseURL: cfg.BaseURL, Environment: cfg.Environment, Endpoint: schema.PolicyPortrait, Token: "a&b", MaxRPS: 1e6, MaxAttempts: 1,
		Transport: vendorFunc(func(r *http.Request) (*http.Response, error) {
			asked = r.URL
			return nil, errors.New("nobody is there")
		}),
	})
	_, err := client.Portrait(t.Context(), "kol", false, nil)
	require.Error(t, err)
	require.NotNil(t, asked, "%q: %v", cfg.BaseURL, err)
	if cfg.BaseURL == "" {
		return
	}
	base, err := url.Parse(cfg.BaseURL)
	require.NoError(t, err)
	require.Equal(t, base.Scheme, asked.Scheme)
	require.Equal(t, strings.TrimSuffix(base.Host, ":"), asked.Host)
	require.Nil(t, asked.User)
	require.Equal(t, url.Values{"kolId": {"kol"}, "acceptCache": {"true"}, "token": {"a&b"}}, asked.Query())
	require.True(t, strings.HasSuffix(asked.Path, "/get-kol-fans-portrait/v1"), "%s", asked)
}

// vendorFunc is an http.RoundTripper in one function.
type vendorFunc func(*http.Request) (*http.Response, error)

func (f vendorFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// checkStore checks that a Redis address is one, or is refused without being
// repeated: of its options, config knows nothing.
func checkStore(t *testing.T, cfg *config.Config) {
	t.Helper()
	if cfg.Store.Kind != config.StoreRedis {
		return
	}
	address := cfg.Store.URL.Reveal()
	s, err := redis.New(address, "vendor")
	if err != nil {
		require.ErrorContains(t, err, "redis://")
		require.True(t, strings.ContainsAny(address, "?#"), "%q: %v", address, err)
		return
	}
	require.NoError(t, s.Close())
}

// checkServed checks that the server has nothing against the hosts and origins:
// only against where it is told to listen.
func checkServed(t *testing.T, cfg *config.Config) {
	t.Helper()
	o := server.HTTPOptions{
		Addr: "127.0.0.1:none", AllowedHosts: cfg.AllowedHosts, AllowedOrigins: cfg.AllowedOrigins, Logger: slog.New(slog.DiscardHandler),
	}
	err := server.ListenHTTP(t.Context(), tools.New(tools.Options{}).Server("test"), o)
	require.ErrorContains(t, err, "listen for MCP over HTTP", "%q %q", cfg.AllowedHosts, cfg.AllowedOrigins)
}

// FuzzCommandLine asks for portraits at the command line, without a token. What
// the tools understand fails of that alone, and what they do not is wrong usage,
// in their words; nothing else is said, and nothing on stdout but what was asked
// for.
func FuzzCommandLine(f *testing.F) {
	for _, seed := range [][4]string{
		{"5d21ab6b000000001201567d", "--gender=female", "--ages=25-34,35-44", ""},
		{"kol-a\nkol-b\nkol-c", "--provinces=广东,Zhejiang", "--weights=provinces=2", "--json"},
		{"kol-a", "--detail=summary", "--language=zh", "--fresh=false"},
		{"https://www.xiaohongshu.com/user/profile/a", "--cities=tier1", "--devices", "Apple"},
		{"-", "--", "--gender=", "--interests= "},
		{"a", "--env=cn", "-h", "--no-such"},
		{"a\na", "--detail=full", "--json=maybe", "--env=x"},
		{"{\"kolId\":1}", "--weights=gender=NaN", "--gender=x", "--json"},
		{"", "", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	parser := tools.New(tools.Options{Language: schema.English})
	f.Fuzz(func(t *testing.T, ids, one, two, three string) {
		args := slices.Concat([]string{"portrait"}, strings.Split(ids, "\n"), []string{one, two, three})
		args = slices.DeleteFunc(args, func(arg string) bool { return arg == "" })
		if strings.Contains(strings.Join(args, " "), "sample") {
			return // there it needs no token
		}
		var stdout, stderr bytes.Buffer
		env := envconfig.MapLookuper(map[string]string{"PORTRAIT_STORE": "memory:"})
		code := run(t.Context(), process{env: env, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}, args)
		switch code {
		case exitSuccess:
			require.True(t, slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-") && strings.Contains(arg, "h") }), "%q", args)
			require.Empty(t, stderr.String())
			require.Contains(t, stdout.String(), "Usage:")
			return
		case exitFailure:
			require.Contains(t, stderr.String(), "No Just One API token is configured", "%q", args)
		default:
			require.Equal(t, exitUsage, code)
			require.NotEmpty(t, stderr.String())
			require.NotContains(t, stderr.String(), "No Just One API token", "%q", args)
		}
		if stdout.Len() > 0 {
			var failure tools.Failure
			require.NoError(t, json.Unmarshal(stdout.Bytes(), &failure), "%q", args)
			require.Equal(t, code == exitUsage, failure.Error.Kind == schema.InvalidArgument)
		}
		checkAsTool(t, parser, args, code, stderr.String())
	})
}

// checkAsTool checks that a command line of ids alone means what the same does
// to the tools.
func checkAsTool(t *testing.T, parser *tools.Tools, args []string, code int, stderr string) {
	t.Helper()
	ids := args[1:]
	if len(ids) == 0 || slices.ContainsFunc(ids, func(id string) bool { return strings.HasPrefix(id, "-") }) {
		return
	}
	var err error
	if len(ids) == 1 {
		_, err = parser.ParsePortraitArguments(map[string]any{"kolId": ids[0]})
	} else {
		_, err = parser.ParseComparisonArguments(map[string]any{"kolIds": anyOf(ids)})
	}
	require.Equal(t, err != nil, code == exitUsage, "%q: %v", args, err)
	if err != nil {
		require.Contains(t, stderr, tools.FailureOf(err).Error.Message)
	}
}

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
)

// A server for a team: who may call it, what its operator sees of it, and what doctor
// looks at.

const designToken = "a-made-up-bearer-token"

// get returns status and body, the header Authorization being set where there is a token.
func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func TestCallersAreKnownByTheirTokens(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	read, stderr := io.Pipe()
	var log bytes.Buffer
	exit := start(ctx, process{stdout: io.Discard, stderr: io.MultiWriter(&log, stderr), env: envconfig.MapLookuper(map[string]string{
		"JUSTONEAPI_ENV": "sample", "PORTRAIT_STORE": "memory:", "MCP_AUTH_TOKENS": "design=" + designToken, "MCP_CALLER_DAILY_BUDGET": "1",
	})}, "--transport", "http", "--addr", "127.0.0.1:0")
	base := "http://" + servedAddress(t, read)

	status, _ := get(t, base+"/metrics", "")
	assert.Equal(t, http.StatusUnauthorized, status)
	status, _ = get(t, base+"/readyz", "")
	assert.Equal(t, http.StatusOK, status)

	c, err := client.NewStreamableHttpClient(base+"/mcp", transport.WithHTTPHeaders(map[string]string{"Authorization": "Bearer " + designToken}))
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context()))
	callPortrait(t, c)
	second, err := c.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "get_kol_fans_portrait", Arguments: map[string]any{"kolId": "kol-b"}}})
	require.NoError(t, err)
	assert.True(t, second.IsError)
	assert.Contains(t, fmt.Sprint(second.Content), "MCP_CALLER_DAILY_BUDGET")
	usage, err := c.ReadResource(t.Context(), mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: "kol-portrait://usage"}})
	require.NoError(t, err)
	assert.Contains(t, strings.Join(strings.Fields(usage.Contents[0].(mcp.TextResourceContents).Text), ""), `"callers":[{"name":"design","charged":1,"budget":1,"remaining":0}]`)

	_, metrics := get(t, base+"/metrics", designToken)
	for _, line := range []string{"kol_portrait_charged_calls_total 1\n", "kol_portrait_budget_remaining 199\n", "kol_portrait_flights 0\n"} {
		assert.Contains(t, metrics, line)
	}
	stop()
	assert.Equal(t, exitSuccess, <-exit)
	assert.Contains(t, log.String(), `callers="bearer tokens of design"`)
	assert.NotContains(t, log.String()+metrics, designToken)
}

func TestMetricsAreServedBesideStdio(t *testing.T) {
	log, stderr := io.Pipe()
	c := overStdioWith(t, envconfig.MapLookuper(map[string]string{"JUSTONEAPI_ENV": "sample", "PORTRAIT_STORE": "memory:", "MCP_METRICS_ADDR": "127.0.0.1:0"}), stderr)
	address := servedAddress(t, log)
	callPortrait(t, c)
	_, metrics := get(t, "http://"+address+"/metrics", "")
	assert.Contains(t, metrics, "kol_portrait_charged_calls_total 1\n")
}

func TestTracesAreSentBeforeTheEnd(t *testing.T) {
	var sent atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if n, _ := io.Copy(io.Discard, r.Body); r.URL.Path == "/v1/traces" {
			sent.Add(n)
		}
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Run("a call and the end", func(t *testing.T) { callPortrait(t, overStdio(t, io.Discard)) })
	assert.Positive(t, sent.Load())

	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318")
	var stderr strings.Builder
	assert.Equal(t, exitUsage, run(t.Context(), process{env: sampleEnvironment(), stdin: strings.NewReader(""), stdout: io.Discard, stderr: &stderr}, []string{}))
	assert.Contains(t, stderr.String(), "OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https address")
}

func TestTheLogSaysWhoMayCallAndWhatIsRisky(t *testing.T) {
	const (
		money = "whoever reaches this server can spend the vendor account's money"
		plain = "callers' tokens cross the network unencrypted"
	)
	const id, public = "https://id.example.com/", "https://portraits.example.com"
	for _, test := range []struct {
		env     map[string]string
		callers string
		warning string // empty: none
	}{
		{map[string]string{}, `"not authenticated"`, ""},
		{map[string]string{"MCP_ADDR": ":80", "MCP_ALLOW_UNAUTHENTICATED": "true"}, `"not authenticated"`, money},
		{map[string]string{"MCP_AUTH_TOKENS": designToken}, `"bearer tokens of token-701f67ee"`, ""},
		{map[string]string{"MCP_ADDR": ":80", "MCP_AUTH_TOKENS": "b=" + designToken + ",a=another-made-up-token,b=a-third-made-up-token"}, `"bearer tokens of a, b"`, plain},
		{map[string]string{"MCP_ADDR": ":80", "MCP_OAUTH_ISSUER": id, "MCP_PUBLIC_URL": "http://localhost"}, `"JWTs of https://id.example.com/"`, plain},
		{map[string]string{"MCP_ADDR": ":80", "MCP_OAUTH_ISSUER": id, "MCP_PUBLIC_URL": public, "MCP_AUTH_TOKENS": "a=" + designToken}, `"bearer tokens of a; JWTs of https://id.example.com/"`, ""},
		{map[string]string{"MCP_ADDR": ":80", "MCP_AUTH_TOKENS": "a=" + designToken, "MCP_TLS_CERT": "c", "MCP_TLS_KEY": "k"}, `"bearer tokens of a"`, ""},
	} {
		test.env["MCP_TRANSPORT"], test.env["JUSTONEAPI_ENV"] = "http", "sample"
		cfg, err := config.Load(t.Context(), envconfig.MapLookuper(test.env))
		require.NoError(t, err)
		var written bytes.Buffer
		prog := &program{config: cfg, log: cfg.NewLog(&written)}
		prog.introduce()
		prog.log.Close(t.Context())
		assert.Contains(t, written.String(), " callers="+test.callers+" ", test.env)
		assert.NotContains(t, written.String(), designToken)
		for _, warning := range []string{money, plain} {
			assert.Equal(t, warning == test.warning, strings.Contains(written.String(), warning), "%v: %s", test.env, written.String())
		}
	}
}

func TestUsageTellsWhatEachCallerHasCost(t *testing.T) {
	left := func(n int) *int { return &n }
	text := usageText(schema.Usage{Day: "2026-11-28", Charged: 12, Budget: 200, Remaining: left(188), ResetsAt: time.Date(2026, 11, 28, 16, 0, 0, 0, time.UTC), Callers: []schema.CallerUsage{
		{Name: "design", Charged: 7, Budget: 10, Remaining: left(3)}, {Name: "media", Charged: 4},
	}}, "redis")
	assert.Equal(t, "Charged calls on 2026-11-28 (Shanghai): 12 of 200; 188 left.\nThe next day starts at 2026-11-28 16:00 UTC.\nStore: redis.\nCallers:\n  design: 7 of 10; 3 left\n  media: 4", text)
}

func TestDoctorLooksAtWhatATeamsServerNeeds(t *testing.T) {
	issuer := httptest.NewServer(nil)
	defer issuer.Close()
	issuer.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/oauth-authorization-server":
			_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, issuer.URL, issuer.URL+"/keys")
		case "/keys":
			_, _ = io.WriteString(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a","use":"sig","alg":"EdDSA"}]}`)
		default:
			http.NotFound(w, r)
		}
	})
	tomorrow := time.Now().Add(24 * time.Hour)
	cert, key := certificateFiles(t, tomorrow)
	env := map[string]string{
		"JUSTONEAPI_ENV": "sample", "PORTRAIT_STORE": "memory:", "MCP_TRANSPORT": "http", "MCP_ADDR": ":443", "MCP_AUTH_TOKENS": "design=" + designToken,
		"MCP_PUBLIC_URL": "https://portraits.example.com", "MCP_OAUTH_ISSUER": issuer.URL, "MCP_TLS_CERT": cert, "MCP_TLS_KEY": key,
	}
	doctor := func(name, value string) (int, string) {
		var stdout, stderr strings.Builder
		code := run(t.Context(), process{stdout: &stdout, stderr: &stderr,
			env: envconfig.MultiLookuper(envconfig.MapLookuper(map[string]string{name: value}), envconfig.MapLookuper(env))}, []string{"doctor"})
		assert.NotContains(t, stdout.String()+stderr.String(), designToken)
		return code, stdout.String()
	}

	code, found := doctor("", "")
	assert.Equal(t, exitSuccess, code)
	assert.Contains(t, found, "callers   ok       bearer tokens of design; JWTs of "+issuer.URL+"\n")
	assert.Contains(t, found, "issuer    ok       "+issuer.URL+" has keys: 1\n")
	assert.Contains(t, found, "TLS       ok       the certificate is valid until "+tomorrow.UTC().Format(time.DateTime)+" UTC\n")

	old, oldKey := certificateFiles(t, time.Now().Add(-time.Hour))
	env["MCP_TLS_KEY"] = oldKey
	for _, wrong := range []struct{ variable, value, want string }{
		{"MCP_TLS_CERT", cert, "TLS       problem  MCP_TLS_CERT is \"" + cert + "\": with MCP_TLS_KEY it is no certificate to serve with: tls: private key does not match public key\n"},
		{"MCP_TLS_CERT", old, "TLS       problem  the certificate in " + old + " has expired: it was valid until "},
		{"MCP_OAUTH_ISSUER", issuer.URL + "/realms/a", "issuer    problem  the keys of " + issuer.URL + "/realms/a cannot be fetched: "},
		{"MCP_AUTH_TOKENS_FILE", "missing", "settings  problem  MCP_AUTH_TOKENS_FILE is ***: cannot read it: "},
	} {
		code, found := doctor(wrong.variable, wrong.value)
		assert.Equal(t, exitFailure, code)
		assert.Contains(t, found, wrong.want)
	}
}

// certificateFiles makes a certificate that is valid until then, and returns its file
// and that of its key.
func certificateFiles(t *testing.T, until time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: until.Add(-48 * time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	folder := t.TempDir()
	cert, key = filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return cert, key
}

//go:build e2e && linux

package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	stdlog "log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/upstream/sample"
)

// vendorSays is what the vendor says before it says the token.
const vendorSays = "You sent"

// leak is an answer of the vendor that holds the token.
type leak struct {
	name string // the KOL that it is about
	send func(c *net.TCPConn, right string)
}

// leaks are answers of every kind. Those after which the vendor's older endpoint
// is asked no more come last.
func leaks(elsewhere string) []leak {
	said := strings.Join([]string{vendorSays, vendorToken, url.QueryEscape(vendorToken)}, " ")
	inJSON, _ := json.Marshal(said)
	said += " " + url.PathEscape(vendorToken)
	echo, token := string(inJSON), string(inJSON[len(vendorSays)+2:])
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(said)
	rightBut := func(old, new string) func(*net.TCPConn, string) {
		return func(c *net.TCPConn, right string) { page(200, strings.Replace(right, old, new, 1))(c, right) }
	}
	all := []leak{
		{"no-answer", say("")}, {"reset", reset}, {"hang", hang("HTTP/1.1 200 OK\r\n\r\n" + `{"message":` + echo)}, {"cut", cut},
		{"another-protocol", say(vendorToken + "\r\n\r\n")}, {"status-line", say("HTTP/1.1 " + vendorToken + " OK\r\n\r\n")}, {"header-line", say("HTTP/1.1 200 OK\r\n" + vendorToken + "\r\n\r\n")},
		{"length", say("HTTP/1.1 200 OK\r\nContent-Length: " + vendorToken + "\r\n\r\n")}, {"encoding", say("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + vendorToken + "\r\n\r\n")},
		{"chunks", say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + vendorToken + "\r\n")}, {"gzip", say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + vendorToken)},
		{"garbage", page(200, said)}, {"list", page(200, "["+echo+"]")}, {"text-for-code", page(200, `{"code":`+echo+`,"message":`+plain.String()+`}`)}, {"damaged", page(200, `{"message":`+echo+` "code":`+token)},
		{"text-for-data", envelope(0, echo)}, {"list-for-data", envelope(0, "["+plain.String()+"]")}, {"broken-off", say("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + `{"code":0,"data":{"ages":[{"group":` + echo)},
		{"name", rightBut(`"美食"`, plain.String())}, {"day", rightBut(`"2026-03-08"`, echo)}, {"figure", rightBut(`"percent":`, `"percent":`+echo+`,"was":`)}, {"field", rightBut(`"data":{`, `"data":{`+echo+":"+plain.String()+",")},
	}
	for _, status := range []int{301, 302, 307, 308} {
		all = append(all, leak{fmt.Sprint("status-", status), say(fmt.Sprintf("HTTP/1.1 %d Moved\r\nLocation: %s/?token=%s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", status, elsewhere, url.QueryEscape(vendorToken)))})
	}
	for _, status := range []int{204, 400, 401, 403, 408, 418, 429, 500, 502, 503, 504, 520, 404, 410} {
		all = append(all, leak{fmt.Sprint("status-", status), page(status, said)})
	}
	for _, code := range []int{0, 100, 101, 202, 301, 302, 303, 400, 500, 503, 600, 601, 602, 777, 300, 404} {
		all = append(all, leak{fmt.Sprint("code-", code), page(200, fmt.Sprintf(`{"code":%d,"message":%s,"data":null,"requestId":%s}`, code, echo, plain.String()))})
	}
	last := []string{"status-404", "status-410", "code-300", "code-404"}
	slices.SortStableFunc(all, func(a, b leak) int { return slices.Index(last, a.name) - slices.Index(last, b.name) })
	return all
}

// leakyVendor is the simulated vendor, which answers for KOLs that are named after
// a leak with that. Whoever asks without the token is none that a test expects.
type leakyVendor struct {
	*sample.Vendor
	url   string
	leaks []leak

	mu   sync.Mutex
	kols []string
}

func startLeakyVendor(t *testing.T) *leakyVendor {
	t.Helper()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a redirect is followed to %s", r.URL) }))
	t.Cleanup(elsewhere.Close)
	v := &leakyVendor{Vendor: sample.New(), leaks: leaks(elsewhere.URL)}
	v.Token = vendorToken
	server := httptest.NewServer(v)
	v.url = server.URL
	t.Cleanup(server.Close)
	return v
}

func (v *leakyVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	kolID := query.Get("kolId") + query.Get("userId")
	if query.Get("token") == vendorToken {
		v.mu.Lock()
		v.kols = append(v.kols, kolID)
		v.mu.Unlock()
	}
	right := httptest.NewRecorder()
	v.Vendor.ServeHTTP(right, r)
	i := slices.IndexFunc(v.leaks, func(l leak) bool { return l.name == kolID || strings.HasPrefix(kolID, l.name+"-") })
	if i < 0 {
		_, _ = w.Write(right.Body.Bytes())
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer func() { _ = conn.Close() }()
	v.leaks[i].send(conn.(*net.TCPConn), right.Body.String())
}

// asked are the KOLs that somebody with the token has asked for.
func (v *leakyVendor) asked() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.kols)
}

// startsFail starts servers and commands with what cannot work, beginning with
// settings that are wrong, which must be said of the variable.
func (r *run) startsFail() {
	file := filepath.Join(r.t.TempDir(), "tokens")
	require.NoError(r.t, os.WriteFile(file, []byte("a name with spaces="+fileToken+"\n"), 0o600))
	with := func(password string) string { return url.UserPassword("user", password).String() }
	for _, wrong := range [][]string{
		{"JUSTONEAPI_TOKEN", vendorToken + " " + vendorToken}, {"JUSTONEAPI_ENV", vendorToken}, {"JUSTONEAPI_BASE_URL", "http://" + with(vendorToken) + "@127.0.0.1/"},
		{"JUSTONEAPI_BASE_URL", "http://127.0.0.1/?token=" + url.QueryEscape(vendorToken)}, {"JUSTONEAPI_TOKEN_FILE", vendorToken, "JUSTONEAPI_TOKEN", ""}, {"JUSTONEAPI_TIMEOUT", vendorToken},
		{"PORTRAIT_STORE", vendorToken}, {"PORTRAIT_STORE", "redis://" + with(unknownToken) + "@127.0.0.1:port"}, {"PORTRAIT_STORE", "redis://127.0.0.1:1?password=" + unknownToken},
		{"PORTRAIT_BASELINE_FILE", vendorToken}, {"PORTRAIT_BASELINE_FILE", file}, {"MCP_AUTH_TOKENS", "team=" + teamToken + ",other=" + teamToken}, {"MCP_AUTH_TOKENS", "a name=" + teamToken},
		{"MCP_AUTH_TOKENS_FILE", file}, {"MCP_AUTH_TOKENS_FILE", fileToken}, {"MCP_ADDR", vendorToken}, {"MCP_TRANSPORT", vendorToken}, {"MCP_OAUTH_ISSUER", "https://" + with(teamToken) + "@127.0.0.1"},
		{"MCP_OAUTH_JWKS_URL", "https://" + with(teamToken) + "@127.0.0.1/"}, {"MCP_PUBLIC_URL", "http://" + with(teamToken) + "@127.0.0.1"}, {"MCP_TLS_CERT", file, "MCP_TLS_KEY", file},
		{"MCP_ALLOWED_HOSTS", teamToken}, {"LOG_LEVEL", teamToken}, {"OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://" + with(tracesToken) + "@127.0.0.1"},
	} {
		exit, said := r.command(wrong)
		assert.NotZero(r.t, exit, wrong[0])
		r.search(strings.Join(wrong[:1], " "), said, wrong[0])
	}
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = stdlog.New(io.Discard, "", 0) // each handshake
	untrusted.StartTLS()
	defer untrusted.Close()
	oldRedis := startOldRedis(r.t)
	for _, away := range [][]string{
		{"JUSTONEAPI_BASE_URL", "http://127.0.0.1:1"}, {"JUSTONEAPI_BASE_URL", untrusted.URL}, {"JUSTONEAPI_BASE_URL", r.vendor.url + "/nowhere"},
		{"PORTRAIT_STORE", "sqlite:/dev/null/portraits.db"}, {"PORTRAIT_STORE", "redis://" + with(unknownToken) + "@127.0.0.1:1"},
		{"PORTRAIT_STORE", "redis://" + with(unknownToken) + "@" + oldRedis}, {"PORTRAIT_STORE", "redis://" + with(unknownToken) + "@" + strings.TrimPrefix(r.vendor.url, "http://")},
	} {
		for _, command := range [][]string{{"portrait", "fine-0"}, {"doctor", "--upstream"}, {"usage"}} {
			_, said := r.command(away, command...)
			r.search(strings.Join(append(command, away[0]), " "), said, map[string]string{"portrait": "fine-0", "doctor": "store", "usage": ""}[command[0]])
		}
	}
}

// command runs the product with other settings to its end, as a server unless
// told otherwise, and returns all that it says.
func (r *run) command(settings []string, args ...string) (exit int, said []byte) {
	e := r.environment.with("MCP_TRANSPORT", "http", "MCP_ADDR", "127.0.0.1:0", "JUSTONEAPI_MAX_ATTEMPTS", "1", "OTEL_EXPORTER_OTLP_HEADERS", "")
	cmd := exec.CommandContext(r.t.Context(), binary, args...)
	cmd.Env = e.with(settings...).list()
	end := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() }) // a server that serves all the same
	defer end.Stop()
	said, _ = cmd.CombinedOutput()
	return cmd.ProcessState.ExitCode(), said
}

// startOldRedis is a server that knows no command, and says what it was sent, as
// Redis did before its version 6.
func startOldRedis(t *testing.T) (address string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				left, words := 0, []string(nil)
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					line := lines.Text()
					if left == 0 {
						_, _ = fmt.Sscanf(line, "*%d", &left)
						words = nil
					} else if !regexp.MustCompile(`^\$\d+$`).MatchString(line) {
						words = append(words, line)
						if left--; left == 0 {
							_, _ = fmt.Fprintf(conn, "-ERR unknown command `%s`, with args beginning with: `%s`\r\n", words[0], strings.Join(words[1:], "`, `"))
						}
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// handshakesFail has clients come that speak no TLS, or do not trust the
// certificate.
func (r *run) handshakesFail() {
	plain := strings.Replace(r.address, "https://", "http://", 1)
	for _, address := range []string{plain, r.address} {
		request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, address+"/mcp", strings.NewReader(portraitCall("fine-0")))
		require.NoError(r.t, err)
		request.Header.Set("Authorization", "Bearer "+teamToken)
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			assert.Equal(r.t, http.StatusBadRequest, response.StatusCode)
			_ = response.Body.Close()
		}
	}
	conn, err := new(net.Dialer).DialContext(r.t.Context(), "tcp", strings.TrimPrefix(plain, "http://"))
	require.NoError(r.t, err)
	_, _ = io.WriteString(conn, "Bearer "+teamToken+"\r\n\r\n")
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
	r.server.log.find(r.t, regexp.MustCompile(`TLS handshake error.*first record does not look like`))
	r.server.log.find(r.t, regexp.MustCompile(`TLS handshake error.*(certificate|EOF|reset)`))
}

// withTLS adds a certificate for 127.0.0.1 and its key.
func withTLS(t *testing.T, e environment) environment {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS() // which has net/http/httptest's own certificate
	defer server.Close()
	certificate := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	require.NoError(t, err)
	files := map[string]*pem.Block{"MCP_TLS_CERT": {Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}, "MCP_TLS_KEY": {Type: "PRIVATE KEY", Bytes: key}}
	folder := t.TempDir()
	for variable, block := range files {
		e[variable] = filepath.Join(folder, variable)
		require.NoError(t, os.WriteFile(e[variable], pem.EncodeToMemory(block), 0o600))
	}
	return e
}

func clientThatTrusts(t *testing.T, certificate string) *http.Client {
	t.Helper()
	trusted := x509.NewCertPool()
	text, err := os.ReadFile(certificate)
	require.NoError(t, err)
	require.True(t, trusted.AppendCertsFromPEM(text))
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
}

// tracesCollector keeps what it is sent, and refuses every third request.
type tracesCollector struct {
	url string

	mu       sync.Mutex
	requests int
	all      bytes.Buffer
}

func startTracesCollector(t *testing.T) *tracesCollector {
	t.Helper()
	c := &tracesCollector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			zipped, err := gzip.NewReader(body)
			if !assert.NoError(t, err) {
				return
			}
			body = zipped
		}
		_, err := c.all.ReadFrom(body)
		assert.NoError(t, err)
		assert.Equal(t, "Bearer "+tracesToken, r.Header.Get("Authorization"))
		if c.requests++; c.requests%3 == 1 {
			http.Error(w, "not now", http.StatusUnauthorized)
		}
	}))
	c.url = server.URL
	t.Cleanup(server.Close)
	return c
}

func (c *tracesCollector) bodies() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.all.Bytes())
}

// testIssuer signs JWTs.
type testIssuer struct {
	address string
	key     *ecdsa.PrivateKey
}

func startTestIssuer(t *testing.T) *testIssuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	i := &testIssuer{key: key}
	point, err := key.PublicKey.Bytes()
	require.NoError(t, err)
	base64url := base64.RawURLEncoding.EncodeToString
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": i.address, "jwks_uri": i.address + "/keys"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []map[string]string{{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1", "x": base64url(point[1:33]), "y": base64url(point[33:])}}})
	})
	server := httptest.NewServer(mux)
	i.address = server.URL
	t.Cleanup(server.Close)
	return i
}

// jwt returns a good token with other claims; those that are nil are left out.
func (r *run) jwt(others jwt.MapClaims) string {
	return r.signed(jwt.SigningMethodES256, r.issuer.key, "1", others)
}

func (r *run) signed(method jwt.SigningMethod, key any, keyID string, others jwt.MapClaims) string {
	claims := jwt.MapClaims{"iss": r.issuer.address, "aud": "e2e", "sub": "somebody", "scope": scope, "exp": time.Now().Add(time.Hour).Unix(), "jti": rand.Text()}
	maps.Copy(claims, others)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = keyID
	text, err := token.SignedString(key)
	require.NoError(r.t, err)
	r.secrets["JWT "+claims["jti"].(string)] = strings.Split(text, ".")[1]
	return text
}

// wrongJWTs are tokens that let nobody in.
func (r *run) wrongJWTs() map[string]string {
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(r.t, err)
	public, err := x509.MarshalPKIXPublicKey(&r.issuer.key.PublicKey)
	require.NoError(r.t, err)
	return map[string]string{
		"signature": r.signed(jwt.SigningMethodES256, stranger, "1", nil), "key": r.signed(jwt.SigningMethodES256, stranger, "2", nil),
		"HMAC": r.signed(jwt.SigningMethodHS256, public, "1", nil), "none": r.signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "1", nil),
		"issuer": r.jwt(jwt.MapClaims{"iss": "https://elsewhere.example"}), "audience": r.jwt(jwt.MapClaims{"aud": "elsewhere"}),
		"expired": r.jwt(jwt.MapClaims{"exp": time.Now().Add(-time.Hour).Unix()}), "no expiry": r.jwt(jwt.MapClaims{"exp": nil}), "no scope": r.jwt(jwt.MapClaims{"scope": "other"}),
		"garbage": "Garbage-that-is-no-JWT.Payload-that-nobody-may-see.x", "nobody": r.jwt(jwt.MapClaims{"sub": nil}),
	}
}

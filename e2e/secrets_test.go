//go:build e2e && linux

package e2e

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store/redis/redistest"
)

// The secrets. Every way of escaping leaves the letters in the middle as they
// are, and changes what is around them.
const (
	vendorToken  = `v/+&<"VendorTokenThatNobodyMaySee">=1`
	teamToken    = `t/+&<"TeamTokenThatNobodyMaySee">=2`
	oldToken     = `o/+&<"OldTokenThatNobodyMaySee">=3`
	fileToken    = `f/+&<"FileTokenThatNobodyMaySee">=3` // that comes after it
	unknownToken = `u/+&<"UnknownTokenThatNobodyMaySee">=4`
	tracesToken  = `TracesTokenThatNobodyMaySee`
)

// Neither the vendor's token nor those of callers are in what the server logs,
// traces, measures, answers and stores, whatever goes wrong.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	t.Run("text log, Redis", func(t *testing.T) {
		t.Parallel()
		store := redistest.Start(t)
		r := newRun(t, environment{"PORTRAIT_STORE": store.URL(), "LOG_FORMAT": "text"})
		r.secrets["Redis password"] = "hunter2secret"
		r.everythingGoesWrong()
		store.Kill()
		r.callForPortrait("away")
		r.get("/readyz", "Bearer "+teamToken)
		store.Restart()
		r.end()
		r.search("Redis", readRedis(t, store), vendorSays, "fine-0")
	})
	t.Run("JSON log, SQLite, TLS", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		r := newRun(t, withTLS(t, environment{"PORTRAIT_STORE": "sqlite:" + filepath.Join(folder, "portraits.db"), "LOG_FORMAT": "json"}))
		r.everythingGoesWrong()
		r.handshakesFail()
		r.search("SQLite, in use", readFolder(t, folder), vendorSays, "fine-0")
		r.end()
		r.search("SQLite", readFolder(t, folder), vendorSays, "fine-0")
	})
}

// The search finds a secret in every spelling: it can fail.
func TestSearchFindsSecrets(t *testing.T) {
	t.Parallel()
	all := secrets{"vendor": vendorToken}
	once, err := json.Marshal(vendorToken)
	require.NoError(t, err)
	twice, err := json.Marshal(string(once))
	require.NoError(t, err)
	for name, spelling := range map[string]string{
		"as it is": vendorToken, "query": url.QueryEscape(vendorToken), "path": url.PathEscape(vendorToken), "JSON": string(once), "JSON in JSON": string(twice), "Go": strconv.Quote(vendorToken),
		"base64": base64.StdEncoding.EncodeToString([]byte(vendorToken)), "base64 in base64url": base64.URLEncoding.EncodeToString([]byte("x:" + vendorToken)),
		"one more letter in base64": base64.RawStdEncoding.EncodeToString([]byte("x" + vendorToken + "y")),
	} {
		assert.Len(t, all.in([]byte("before "+spelling+" after")), 1, name)
	}
	assert.Empty(t, all.in([]byte("VendorToken ***")))
}

// secrets are what must not be seen, by a name that may be.
type secrets map[string]string

// letters are the part of a secret that no escaping changes: the longest
// without odd characters.
func letters(secret string) (longest string) {
	for _, part := range regexp.MustCompile(`[A-Za-z0-9_-]+`).FindAllString(secret, -1) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

// in returns the secrets that are in data, in any spelling, with what is around
// them.
func (s secrets) in(data []byte) (found []string) {
	for name, secret := range s {
		part := letters(secret)
		spellings := []string{part}
		for before := range 3 { // base64 depends on the place
			encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), part...))
			whole := (before + len(part)) * 8 / 6 // characters that nothing behind the part changes
			spellings = append(spellings, encoded[(before*8+5)/6:whole])
		}
		for _, spelling := range spellings {
			if i := bytes.Index(data, []byte(spelling)); i >= 0 {
				found = append(found, fmt.Sprintf("%s: %q", name, data[max(0, i-200):min(len(data), i+100)]))
			}
		}
	}
	return found
}

// run is a server to which everything happens.
type run struct {
	t           *testing.T
	secrets     secrets
	environment environment
	vendor      *leakyVendor
	traces      *tracesCollector
	issuer      *testIssuer
	server      *server
	client      *http.Client
	address     string

	mu      sync.Mutex
	results bytes.Buffer // all that callers were answered, headers too
}

func newRun(t *testing.T, settings environment) *run {
	t.Helper()
	r := &run{t: t, vendor: startLeakyVendor(t), traces: startTracesCollector(t), issuer: startTestIssuer(t), client: &http.Client{}}
	r.secrets = secrets{"vendor": vendorToken, "team": teamToken, "old": oldToken, "file": fileToken, "unknown": unknownToken, "traces": tracesToken, "garbage": "Payload-that-nobody-may-see"}
	file := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(file, []byte("ops="+oldToken+"\n"), 0o600))
	r.environment = environment{
		"JUSTONEAPI_TOKEN": vendorToken, "JUSTONEAPI_BASE_URL": r.vendor.url, "JUSTONEAPI_MAX_RPS": "1000",
		"JUSTONEAPI_TIMEOUT": "500ms", "JUSTONEAPI_MAX_ATTEMPTS": "2", "PORTRAIT_DAILY_BUDGET": "0",
		"MCP_AUTH_TOKENS": "team=" + teamToken, "MCP_AUTH_TOKENS_FILE": file,
		"MCP_OAUTH_ISSUER": r.issuer.address, "MCP_OAUTH_AUDIENCE": "e2e", "MCP_OAUTH_SCOPES": scope, "MCP_PUBLIC_URL": "http://127.0.0.1:1",
		"OTEL_EXPORTER_OTLP_ENDPOINT": r.traces.url, "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20" + tracesToken, "OTEL_BSP_SCHEDULE_DELAY": "100",
		"HOME": t.TempDir(), "LOG_LEVEL": "debug",
	}
	for name, value := range settings {
		r.environment[name] = value
	}
	scheme := "http://"
	if settings["MCP_TLS_CERT"] != "" {
		scheme, r.client = "https://", clientThatTrusts(t, settings["MCP_TLS_CERT"])
	}
	r.server, _, _ = spawn(t, r.environment.with("MCP_TRANSPORT", "http", "MCP_ADDR", "127.0.0.1:0"))
	r.address = scheme + r.server.log.find(t, regexp.MustCompile(`serving MCP over HTTP",? ?"?addr"?[=:]"?([0-9.:]+)`))
	return r
}

// search checks that data holds no secret, and as a sign that it is what was
// to be searched, that it holds the words.
func (r *run) search(where string, data []byte, words ...string) {
	r.t.Helper()
	assert.Empty(r.t, r.secrets.in(data), where)
	for _, word := range words {
		assert.True(r.t, bytes.Contains(data, []byte(word)), "%s: %q is not in %d bytes", where, word, len(data))
	}
}

// everythingGoesWrong has the vendor, callers and whoever starts a server do
// what they should not.
func (r *run) everythingGoesWrong() {
	for name, token := range map[string]string{"old": oldToken, "JWT": r.jwt(nil)} {
		assert.Equal(r.t, http.StatusOK, r.call("/mcp", "Bearer "+token, portraitCall("fine-0")), name)
	}
	require.NoError(r.t, os.WriteFile(r.environment["MCP_AUTH_TOKENS_FILE"], []byte("operators="+fileToken+"\n"), 0o600))
	require.Eventually(r.t, func() bool { // the file is read again
		return r.call("/mcp", "Bearer "+fileToken, portraitCall("fine-0")) == http.StatusOK
	}, time.Minute, 50*time.Millisecond)
	r.vendorFails()
	r.callersFail()
	r.startsFail()
}

// vendorFails has every request to the vendor go wrong, one after the other.
// Between two of them one goes well, or the server would leave the vendor alone.
func (r *run) vendorFails() {
	for i, leak := range r.vendor.leaks {
		r.callForPortrait(leak.name)
		r.callForPortrait(fmt.Sprint("fine-", i))
	}
	for i := range 12 {
		r.callForPortrait(fmt.Sprint("reset-", i))
	}
	for _, leak := range r.vendor.leaks {
		assert.Contains(r.t, r.vendor.asked(), leak.name, "the vendor was not asked with its token")
	}
}

// callersFail has callers send tokens that are no good, and good ones where they
// do not belong, wherever there is a door.
func (r *run) callersFail() {
	wrong := r.wrongJWTs()
	for _, path := range []string{"/mcp", "/sse", "/message", "/metrics"} {
		for name, token := range wrong {
			want := http.StatusUnauthorized
			if name == "no scope" {
				want = http.StatusForbidden
			}
			assert.Equal(r.t, want, r.call(path, "Bearer "+token, portraitCall("fine-0")), "%s: %s", path, name)
		}
		for _, header := range []string{
			"", "Bearer " + unknownToken, "Bearer " + oldToken, "Bearer", "Bearer " + teamToken + " " + teamToken, teamToken, "Token " + teamToken, "Bearer x" + teamToken,
			"Basic " + base64.StdEncoding.EncodeToString([]byte("team:"+teamToken)),
		} {
			assert.Equal(r.t, http.StatusUnauthorized, r.call(path, header, portraitCall("fine-0")), "%s: %q", path, header)
		}
		assert.Equal(r.t, http.StatusBadRequest, r.call(path+"?access_token="+url.QueryEscape(fileToken), "", portraitCall("fine-0")), path)
		for _, place := range []string{"?token=", "/", "?sessionId="} {
			r.call(path+place+url.QueryEscape(fileToken), "", portraitCall("fine-0"))
			r.call(path+place+url.QueryEscape(fileToken), "Bearer "+teamToken, portraitCall("fine-0"))
		}
	}
	deep := strings.Repeat(`{"a":`, 20_000)
	for _, body := range []string{
		"", "null", "[]", "[[]]", "{", `"` + "\xff\x00", deep, strings.Repeat("[", 200_000), `{"jsonrpc":"2.0","id":` + deep + `}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":7}`, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_kol_fans_portrait","arguments":` + deep,
		`{"jsonrpc":"2.0","id":1,"method":"\u0000","params":null}`, `{"jsonrpc":"2.0","id":1e999,"method":"tools/list"}`,
		portraitCall(strings.Repeat("9", 2<<20)), portraitCall("\ufffd\u202e"),
	} {
		r.call("/mcp", "Bearer "+teamToken, body)
	}
	r.stream("Bearer "+teamToken, portraitCall("fine-0"))
}

// end ends the server and searches all that it said.
func (r *run) end() {
	r.get("/metrics", "Bearer "+teamToken)
	r.server.stop(r.t)
	r.search("log", []byte(r.server.log.String()), "serving MCP over HTTP", "a request is not let in", "is left alone", "caller", "team", "operators", "oauth:somebody", "send spans")
	r.search("results", r.results.Bytes(), vendorSays, "***", "Www-Authenticate: Bearer", r.kind("timeout"), "kol_portrait_upstream_attempts_total", `code="302"`)
	r.search("traces", r.traces.bodies(), "tools/call get_kol_fans_portrait", "upstream attempt", "collect")
}

// kind is how a result says of which kind its error is.
func (r *run) kind(kind string) string { return `"kind":"` + kind + `"` }

// portraitCall is the message of a call for a portrait.
func portraitCall(kolID string) string {
	quoted, _ := json.Marshal(kolID)
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_kol_fans_portrait","arguments":{"kolId":` + string(quoted) + `}}}`
}

func (r *run) callForPortrait(kolID string) {
	assert.Equal(r.t, http.StatusOK, r.call("/mcp", "Bearer "+teamToken, portraitCall(kolID)), kolID)
}

// call posts a message and returns the status of the answer.
func (r *run) call(path, authorization, message string) int {
	return r.request(http.MethodPost, path, authorization, message)
}

func (r *run) get(path, authorization string) {
	r.request(http.MethodGet, path, authorization, "")
}

// request sends a request and keeps what is answered.
func (r *run) request(method, path, authorization, body string) int {
	response := r.send(method, path, authorization, body)
	defer func() { _ = response.Body.Close() }()
	all, err := httputil.DumpResponse(response, true)
	require.NoError(r.t, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.results.Write(append(all, '\n'))
	return response.StatusCode
}

func (r *run) send(method, path, authorization, body string) *http.Response {
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.address+path, strings.NewReader(body))
	require.NoError(r.t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := r.client.Do(request)
	require.NoError(r.t, err)
	return response
}

// stream sends a message over SSE, once as a caller who has not opened the
// stream, and keeps what comes until it is answered.
func (r *run) stream(authorization, message string) {
	response := r.send(http.MethodGet, "/sse", authorization, "")
	defer func() { _ = response.Body.Close() }()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		line := lines.Text()
		_, _ = fmt.Fprintln(&r.results, line)
		if u, err := url.Parse(strings.TrimPrefix(line, "data: ")); err == nil && strings.HasSuffix(u.Path, "/message") {
			assert.Equal(r.t, http.StatusForbidden, r.call(u.RequestURI(), "Bearer "+fileToken, message))
			assert.Equal(r.t, http.StatusAccepted, r.call(u.RequestURI(), authorization, message))
		}
		if strings.Contains(line, `"jsonrpc"`) {
			return
		}
	}
	assert.Fail(r.t, "no answer on the event stream")
}

// readRedis returns every key of a server with all that is in it.
func readRedis(t *testing.T, server *redistest.Server) []byte {
	t.Helper()
	options, err := goredis.ParseURL(server.URL())
	require.NoError(t, err)
	client := goredis.NewClient(options)
	defer func() { _ = client.Close() }()
	var all bytes.Buffer
	keys := client.Scan(t.Context(), 0, "*", 1000).Iterator()
	for keys.Next(t.Context()) {
		key := keys.Val()
		kind, err := client.Type(t.Context(), key).Result()
		require.NoError(t, err)
		read := map[string][]any{
			"string": {"GET", key}, "hash": {"HGETALL", key}, "zset": {"ZRANGE", key, 0, -1}, "set": {"SMEMBERS", key}, "list": {"LRANGE", key, 0, -1},
		}[kind]
		require.NotNil(t, read, kind)
		value, err := client.Do(t.Context(), read...).Result()
		require.NoError(t, err)
		_, _ = fmt.Fprintln(&all, key, value)
	}
	require.NoError(t, keys.Err())
	return all.Bytes()
}

// readFolder returns all bytes of all files.
func readFolder(t *testing.T, folder string) []byte {
	t.Helper()
	var all []byte
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all = append(append(all, path...), content...)
		return err
	}))
	return all
}

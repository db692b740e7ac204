package server

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
	"kol-portrait-mcp/telemetry"
)

const (
	aliceToken = "token-of-aliceToken-0123456789"
	bobToken   = "token-of-bobToken-0123456789"
	publicAddr = "https://mcp.example.com"
)

// guarded is a guard in front of endpoints that answer with the caller's name.
type guarded struct {
	t       *testing.T
	guard   *guard
	handler http.Handler
	log     *logText
}

// logText is what the guard logs; a JSON object a line.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func guardWith(t *testing.T, o Auth) *guarded {
	t.Helper()
	g := &guarded{t: t, log: new(logText)}
	var err error
	g.guard, err = newGuard(t.Context(), o, []string{"/mcp", "/sse"}, publicAddr, slog.New(slog.NewJSONHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug})), nil)
	require.NoError(t, err)
	routes := http.NewServeMux()
	g.guard.metadata(routes)
	routes.Handle("/", newAccess(HTTPOptions{}).check(g.guard.check(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Values("Authorization"))
		_, _ = fmt.Fprint(w, schema.CallerOf(r.Context()))
	}))))
	g.handler = routes
	return g
}

// whole puts the guard where it stands in the server.
func (g *guarded) whole() *guarded {
	o := HTTPOptions{Streamable: true, Logger: quiet(), Metrics: telemetry.NewMetrics(telemetry.Build{})}
	g.handler = newHandler(g.t.Context(), newDouble(g.t).MCPServer, g.guard, newCalls(1000, nil), newCalls(1000, nil), o)
	return g
}

// ask sends a request, with headers given as name, value, ...
func (g *guarded) ask(method, target string, headers ...string) reply {
	g.t.Helper()
	r := httptest.NewRequestWithContext(g.t.Context(), method, target, strings.NewReader(ping(1)))
	r.Host = "localhost"
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.String()}
}

// with sends a bearer token to /mcp.
func (g *guarded) with(token string) reply {
	g.t.Helper()
	return g.ask(http.MethodPost, "/mcp", "Authorization", "Bearer "+token)
}

func named(t *testing.T, text string) []secret.Named {
	t.Helper()
	named, err := secret.ParseNamed(text)
	require.NoError(t, err)
	return named
}

func TestKnownTokensAreLetIn(t *testing.T) {
	g := guardWith(t, Auth{Tokens: named(t, "alice="+aliceToken+",bob="+bobToken+",bob=bobs-next-token-0123456789")})
	for header, caller := range map[string]string{
		"Bearer " + aliceToken:              "alice",
		"Bearer " + bobToken:                "bob",
		"Bearer bobs-next-token-0123456789": "bob",
		"bearer  " + aliceToken + " ":       "alice",
	} {
		for _, target := range []string{"/mcp", "/mcp/", "/sse", "/message?sessionId=1", "/metrics"} {
			answer := g.ask(http.MethodPost, target, "Authorization", header)
			assert.Equal(t, http.StatusOK, answer.status)
			assert.Equal(t, caller, answer.text)
			assert.Empty(t, answer.header.Values("WWW-Authenticate"))
		}
	}
	assert.Empty(t, g.log.String())
}

func TestOthersAreAskedForAToken(t *testing.T) {
	const invalid = `Bearer realm="kol-portrait-mcp", error="invalid_token", error_description="The token is unknown, has expired, or is not for this server."`
	g := guardWith(t, Auth{Tokens: named(t, aliceToken)}).whole()
	for _, test := range []struct {
		name, header, query string
		status              int
		challenge           string
	}{
		{"none", "", "", 401, `Bearer realm="kol-portrait-mcp"`},
		{"wrong scheme", "Basic " + aliceToken, "", 401, `Bearer realm="kol-portrait-mcp"`},
		{"no scheme", aliceToken, "", 401, `Bearer realm="kol-portrait-mcp"`},
		{"scheme alone", "Bearer ", "", 401, `Bearer realm="kol-portrait-mcp"`},
		{"unknown", "Bearer " + bobToken, "", 401, invalid},
		{"the beginning of one", "Bearer " + aliceToken[:20], "", 401, invalid},
		{"the sum of one", "Bearer " + fmt.Sprintf("%x", g.guard.tokens.all[0].sum), "", 401, invalid},
		{"in the query", "", "access_token=" + aliceToken, 400, `Bearer realm="kol-portrait-mcp", error="invalid_request", error_description="Send the token in the header Authorization, not in the query."`},
	} {
		for _, path := range []string{"/mcp", "/sse", "/message", "/metrics"} {
			headers := []string{}
			if test.header != "" {
				headers = []string{"Authorization", test.header}
			}
			answer := g.ask(http.MethodPost, path+"?"+test.query, headers...)
			assert.Equal(t, test.status, answer.status, "%s: %s", path, test.name)
			assert.Equal(t, []string{test.challenge}, answer.header.Values("WWW-Authenticate"), "%s: %s", path, test.name)
		}
	}
	assert.Contains(t, g.log.String(), `"level":"INFO","msg":"a request is not let in","path":"/mcp","status":401,"reason":"the token is not known"`)
	assert.NotContains(t, g.log.String(), "token-of")
}

func TestNobodyIsAskedWithoutAuthentication(t *testing.T) {
	g := guardWith(t, Auth{})
	assert.Nil(t, g.guard)
	assert.Equal(t, http.StatusOK, g.ask(http.MethodPost, "/mcp").status)
}

func TestAPreflightNeedsNoToken(t *testing.T) {
	g := guardWith(t, Auth{Tokens: named(t, aliceToken)}).whole()
	for _, path := range []string{"/mcp", "/sse", "/message"} {
		answer := g.ask(http.MethodOptions, path, "Origin", "http://localhost:6274", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization")
		assert.Equal(t, http.StatusNoContent, answer.status)
		assert.Equal(t, "authorization", answer.header.Get("Access-Control-Allow-Headers"))
	}
}

func TestTheFileOfTokensIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "tokens")
		written := time.Now()
		write := func(text string) { // at the same time, as tar and cp -p do
			t.Helper()
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			require.NoError(t, os.Chtimes(path, written, written))
		}
		write("alice=" + aliceToken)
		g := guardWith(t, Auth{Tokens: named(t, "fixed=token-of-the-variable"), TokensFile: path})
		check := func(when string, valid ...string) {
			t.Helper()
			for _, token := range []string{aliceToken, bobToken, "token-of-the-variable"} {
				want := http.StatusUnauthorized
				for _, one := range valid {
					if one == token {
						want = http.StatusOK
					}
				}
				assert.Equal(t, want, g.with(token).status, "%s: %s", when, token)
			}
		}
		check("at the start", aliceToken, "token-of-the-variable")
		write("bob=" + bobToken + "\nalice=" + aliceToken)
		check("within a second", aliceToken, "token-of-the-variable")
		time.Sleep(lookEvery)
		check("after it", aliceToken, bobToken, "token-of-the-variable")
		write("bob=" + bobToken)
		time.Sleep(lookEvery)
		check("one is taken away", bobToken, "token-of-the-variable")

		for name, damage := range map[string]func(){
			"broken": func() { write("alice=" + aliceToken + "\ncarol=short") },
			"empty":  func() { write("# none") },
			"gone":   func() { require.NoError(t, os.Remove(path)) },
		} {
			before := strings.Count(g.log.String(), "stay valid")
			damage()
			for range 3 {
				time.Sleep(lookEvery)
				check(name, bobToken, "token-of-the-variable")
			}
			assert.Equal(t, before+1, strings.Count(g.log.String(), "stay valid"), "%s: logged once", name)
		}
		write("alice=" + aliceToken)
		time.Sleep(lookEvery)
		check("whole again", aliceToken, "token-of-the-variable")
		assert.NotContains(t, g.log.String(), "token-of")
	})
}

func TestAWrongFileOfTokensEndsTheStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	start := func() error {
		_, err := newGuard(t.Context(), Auth{TokensFile: path}, nil, "", quiet(), nil)
		return err
	}
	require.ErrorIs(t, start(), os.ErrNotExist)
	for text, want := range map[string]string{
		"":            "it holds none",
		"alice=short": "line 1: a secret has at least 16 visible ASCII characters, and no white space",
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.EqualError(t, start(), "read the bearer tokens in "+path+": "+want)
	}
}

//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scope is what a token must have.
const scope = "portraits:read"

// bearer is the token of a caller who has one of his own.
const bearer = "e2e-bearer-token-of-the-team"

// The clients' own OAuth: they find the authorization server by what the 401
// says, register, log in, and get a token for this server.
func TestOAuth(t *testing.T) {
	t.Parallel()
	v := startVendor(t)
	authorization := startAuthorizationServer(t, "0")
	proxy, reach := startProxy(t)
	s, addr := serveHTTP(t, against(t, v, sqliteFile(t)).with("MCP_OAUTH_ISSUER", authorization.address, "MCP_OAUTH_SCOPES", scope, "MCP_PUBLIC_URL", proxy))
	reach(addr)

	t.Run("clients", func(t *testing.T) {
		for _, client := range clients[:2] { // those for Node bring OAuth along
			for path, transport := range map[string]string{"/mcp": "http", "/sse": "sse"} {
				as := func(user string) endpoint {
					return endpoint{transport: transport, revision: revision2025November, url: proxy + path, user: user}
				}
				t.Run(client.name+", "+path, func(t *testing.T) {
					t.Parallel()
					c, _, err := client.connect(t, as("member"))
					require.NoError(t, err, s.log)
					assertServed(t, c)
					c.close(t)
				})
				t.Run(client.name+", "+path+", without the scope", func(t *testing.T) {
					t.Parallel()
					_, _, err := client.connect(t, as("guest"))
					require.ErrorContains(t, err, map[string]string{
						"/mcp": "asked once more for " + scope, // to which the 403 leads
						"/sse": "403",
					}[path])
				})
			}
		}
	})
	assert.Equal(t, 1, v.Charged())
	assert.Contains(t, s.log.String(), `caller=oauth:member`)
	assert.Contains(t, s.log.String(), `the token of oauth:guest lacks the scope`)

	t.Run("new keys", func(t *testing.T) {
		authorization.stop()
		startAuthorizationServer(t, authorization.port())
		for began := time.Now(); ; { // the server asks for keys once in five seconds at most
			c, _, err := clients[0].connect(t, endpoint{transport: "http", revision: revision2026, url: proxy + "/mcp", user: "member"})
			if err == nil {
				assertServed(t, c)
				c.close(t)
				return
			}
			require.Less(t, time.Since(began), time.Minute, "%v\n%s", err, s.log)
		}
	})
}

// The Inspector gets in with a token that somebody gave its user, and is told
// what it needs without one.
func TestInspectorWithBearerToken(t *testing.T) {
	t.Parallel()
	s, addr := serveHTTP(t, against(t, startVendor(t), sqliteFile(t)).with("MCP_AUTH_TOKENS", "team="+bearer))
	for _, path := range []string{"/mcp", "/sse"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			connection := []string{"--server-url", "http://" + addr + path, "--protocol-era", "legacy"}
			portrait := inspection{
				name: "call", args: callTool("get_kol_fans_portrait", `{"kolId": "`+kol+`"}`), shows: []string{`"kolId":"` + kol + `"`},
			}
			portrait.run(t, append(connection, "--header", "Authorization: Bearer "+bearer))
			refused := inspection{name: "without a token", args: portrait.args, exit: 3, fails: `"auth_required"`}
			refused.run(t, connection)
			refused = inspection{name: "wrong token", args: portrait.args, exit: 3, fails: `"auth_required"`}
			refused.run(t, append(connection, "--header", "Authorization: Bearer "+bearer+"x"))
			assert.Contains(t, s.log.String(), "path="+path+" status=401")
		})
	}
}

// assertServed checks that a client sees the tools and gets a portrait.
func assertServed(t *testing.T, c sdk) {
	t.Helper()
	raw, err := c.ask(t.Context(), "tools/list", map[string]any{}, nil)
	require.NoError(t, err)
	assert.Contains(t, string(raw), "get_kol_fans_portrait")
	raw, err = c.ask(t.Context(), "tools/call", map[string]any{"name": "get_kol_fans_portrait", "arguments": map[string]any{"kolId": kol}}, nil)
	require.NoError(t, err)
	var a answer
	require.NoError(t, json.Unmarshal(raw, &a))
	assert.Equal(t, kol, a.Structured.KOLID)
}

// authorizationServer is a process of clients/authorization-server.mjs.
type authorizationServer struct {
	address string
	stop    func()
}

// startAuthorizationServer starts one on a port, 0 being a free one.
func startAuthorizationServer(t *testing.T, port string) authorizationServer {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), node(t), filepath.Join("clients", "authorization-server.mjs"), port, scope)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr = []string{"HOME=" + t.TempDir()}, &stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	stop := func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed, which is no news
	}
	t.Cleanup(stop)
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		stop()
		require.NoError(t, err, stderr.String())
	}
	return authorizationServer{strings.TrimSpace(address), stop}
}

func (a authorizationServer) port() string {
	u, _ := url.Parse(a.address)
	return u.Port()
}

// startProxy starts what clients reach a server through, and returns its address
// and what tells it where the server listens.
func startProxy(t *testing.T) (address string, reach func(addr string)) {
	t.Helper()
	target := &url.URL{Scheme: "http"}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Transport: &http.Transport{}, // the other, which all share, is closed by every server of httptest that ends
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
	})
	t.Cleanup(proxy.Close)
	return proxy.URL, func(addr string) { target.Host = addr }
}

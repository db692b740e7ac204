package server

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// authority is an OAuth issuer of the test's own. It answers what answers says, by
// path, and 404 to anything else.
type authority struct {
	t   *testing.T
	url string

	mu      sync.Mutex
	answers map[string]any // as JSON, or an http.HandlerFunc
	asked   []string
}

const (
	oauthMetadata  = "/.well-known/oauth-authorization-server"
	openIDMetadata = "/.well-known/openid-configuration"
)

// newAuthority returns an issuer that publishes keys by their ids.
func newAuthority(t *testing.T, keys map[string]crypto.Signer) *authority {
	t.Helper()
	a := &authority{t: t, answers: map[string]any{}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.url = server.URL
	a.answer(oauthMetadata, map[string]string{"issuer": a.url, "jwks_uri": a.url + "/jwks"})
	a.answer("/jwks", keySet(t, keys))
	return a
}

func (a *authority) answer(path string, with any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers[path] = with
}

func (a *authority) askedFor(path string) (times int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, asked := range a.asked {
		if asked == path {
			times++
		}
	}
	return times
}

func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked = append(a.asked, r.URL.Path)
	answer := a.answers[r.URL.Path]
	a.mu.Unlock()
	switch answer := answer.(type) {
	case nil:
		http.NotFound(w, r)
	case http.HandlerFunc:
		answer(w, r)
	default:
		assert.NoError(a.t, json.NewEncoder(w).Encode(answer))
	}
}

func keySet(t *testing.T, keys map[string]crypto.Signer) jwkset.JWKSMarshal {
	t.Helper()
	var set jwkset.JWKSMarshal
	for id, key := range keys {
		jwk, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: id}})
		require.NoError(t, err)
		set.Keys = append(set.Keys, jwk.Marshal())
	}
	return set
}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return key
}

// token signs a good token, changed by what is given: header fields, and claims. A nil
// takes one out.
func (a *authority) token(method jwt.SigningMethod, key any, header, changed map[string]any) string {
	a.t.Helper()
	claims := jwt.MapClaims{
		"iss": a.url, "aud": publicAddr + "/mcp", "sub": "carol", "scope": "openid portraits:read portraits:compare",
		"exp": time.Now().Add(time.Hour).Unix(),
	}
	token := jwt.NewWithClaims(method, claims)
	token.Header = map[string]any{"alg": method.Alg(), "kid": "1", "typ": "at+jwt"}
	maps.Copy(token.Header, header)
	maps.Copy(claims, changed)
	for _, fields := range []map[string]any{token.Header, claims} {
		maps.DeleteFunc(fields, func(_ string, value any) bool { return value == nil })
	}
	signed, err := token.SignedString(key)
	require.NoError(a.t, err)
	return signed
}

type fields = map[string]any

func TestBadTokensOfAnIssuer(t *testing.T) {
	key := rsaKey(t)
	a := newAuthority(t, map[string]crypto.Signer{"1": key})
	g := guardWith(t, Auth{Tokens: named(t, aliceToken), Issuer: a.url, Scopes: []string{"portraits:read", "portraits:compare"}}).whole()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	publicKey := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	rs256 := func(header, changed fields) string { return a.token(jwt.SigningMethodRS256, key, header, changed) }
	good := rs256(nil, nil)
	dot := strings.LastIndex(good, ".")
	payload, signature := good[:dot], good[dot+1:]
	other := strings.Map(func(char rune) rune { return 'A' + (char+1)%26 }, signature[:9])

	const (
		toGetOne = `resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource{path}", scope="portraits:read portraits:compare"`
		none     = `Bearer ` + toGetOne
		invalid  = `Bearer error="invalid_token", error_description="The token is unknown, has expired, or is not for this server.", ` + toGetOne
		inQuery  = `Bearer error="invalid_request", error_description="Send the token in the header Authorization, not in the query.", ` + toGetOne
		lacking  = `Bearer error="insufficient_scope", error_description="The token lacks a scope that is needed here.", ` + toGetOne
	)
	for _, test := range []struct {
		name, header, query string
		status              int
		challenge, reason   string // what the client is told, and what the log says
	}{
		{"none", "", "", 401, none, "no bearer token was sent"},
		{"wrong scheme", "DPoP " + good, "", 401, none, "no bearer token was sent"},
		{"in the query", "", "access_token=" + good, 400, inQuery, "the token is in the query"},
		{"in both", "Bearer " + good, "access_token=" + good, 400, inQuery, "the token is in the query"},
		{"unknown", "Bearer " + bobToken, "", 401, invalid, "invalid number of segments"},
		{"no JWT", "Bearer a.b.c", "", 401, invalid, "token is malformed"},
		{"bad signature", "Bearer " + payload + "." + other + signature[9:], "", 401, invalid, "verification error"},
		{"no signature", "Bearer " + payload + ".", "", 401, invalid, "verification error"},
		{"another's signature", "Bearer " + a.token(jwt.SigningMethodRS256, rsaKey(t), nil, nil), "", 401, invalid, "verification error"},
		{"alg none", "Bearer " + a.token(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil), "", 401, invalid, "signing method none is invalid"},
		{"HS256 with the public key", "Bearer " + a.token(jwt.SigningMethodHS256, publicKey, nil, nil), "", 401, invalid, "signing method HS256 is invalid"},
		{"ES256 with a key for RS256", "Bearer " + a.token(jwt.SigningMethodES256, ecKey(t), nil, nil), "", 401, invalid, "key is of invalid type"},
		{"wrong issuer", "Bearer " + rs256(nil, fields{"iss": a.url + "/"}), "", 401, invalid, "token has invalid issuer"},
		{"no issuer", "Bearer " + rs256(nil, fields{"iss": nil}), "", 401, invalid, "iss claim is required"},
		{"wrong audience", "Bearer " + rs256(nil, fields{"aud": publicAddr}), "", 401, invalid, "token has invalid audience"},
		{"no audience", "Bearer " + rs256(nil, fields{"aud": nil}), "", 401, invalid, "aud claim is required"},
		{"issuer in another spelling", "Bearer " + rs256(nil, fields{"iss": "https://evil.example", "ISS": a.url}), "", 401, invalid, "token has invalid issuer"},
		{"expired", "Bearer " + rs256(nil, fields{"exp": ago(61 * time.Second)}), "", 401, invalid, "token is expired"},
		{"no expiry", "Bearer " + rs256(nil, fields{"exp": nil}), "", 401, invalid, "exp claim is required"},
		{"not valid yet", "Bearer " + rs256(nil, fields{"nbf": ago(-2 * time.Minute)}), "", 401, invalid, "token is not valid yet"},
		{"unknown key", "Bearer " + rs256(fields{"kid": "2"}, nil), "", 401, invalid, "key not found"},
		{"an ID token of the logout kind", "Bearer " + rs256(fields{"typ": "logout+jwt"}, nil), "", 401, invalid, `of the type \"logout+jwt\"`},
		{"unknown extension", "Bearer " + rs256(fields{"crit": []string{"b64"}}, nil), "", 401, invalid, "extension (crit)"},
		{"nobody's", "Bearer " + rs256(nil, fields{"sub": "\n"}), "", 401, invalid, "names nobody"},
		{"missing scope", "Bearer " + rs256(nil, fields{"scope": "portraits:read"}), "", 403, lacking, `lacks the scope \"portraits:compare\"`},
		{"no scope", "Bearer " + rs256(nil, fields{"scope": nil}), "", 403, lacking, `the token of oauth:carol lacks the scope \"portraits:read\"`},
	} {
		for path, document := range map[string]string{"/mcp": "/mcp", "/mcp/": "/mcp", "/sse": "/sse", "/message": "/sse", "/metrics": ""} {
			headers := []string{}
			if test.header != "" {
				headers = []string{"Authorization", test.header}
			}
			before := len(g.log.String())
			answer := g.ask(http.MethodPost, path+"?"+test.query, headers...)
			assert.Equal(t, test.status, answer.status, "%s: %s", path, test.name)
			assert.Equal(t, []string{strings.ReplaceAll(test.challenge, "{path}", document)}, answer.header.Values("WWW-Authenticate"), "%s: %s", path, test.name)
			assert.Contains(t, g.log.String()[before:], test.reason, "%s: %s", path, test.name)
		}
	}
	assert.NotContains(t, g.log.String(), "eyJ", "the beginning of every token")
	assert.NotContains(t, g.log.String(), signature[20:])
	assert.Equal(t, http.StatusOK, g.with(good).status)
	assert.Equal(t, http.StatusOK, g.with(aliceToken).status, "both kinds at once")
	assert.LessOrEqual(t, a.askedFor("/jwks"), 2, "tokens with unknown keys do not make the issuer be asked each time")
}

func TestGoodTokensOfAnIssuer(t *testing.T) {
	rsaKey, p256 := rsaKey(t), ecKey(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	a := newAuthority(t, map[string]crypto.Signer{"1": p256, "rsa": rsaKey, "p384": p384, "ed": ed})
	g := guardWith(t, Auth{Issuer: a.url, Scopes: []string{"portraits:read"}})
	es256 := func(header, changed fields) string { return a.token(jwt.SigningMethodES256, p256, header, changed) }
	sum := func(name string) string { return fmt.Sprintf("%.4x", sha256.Sum256([]byte(name))) }
	for name, test := range map[string]struct{ token, caller string }{
		"ES256":                       {es256(nil, nil), "oauth:carol"},
		"ES384":                       {a.token(jwt.SigningMethodES384, p384, fields{"kid": "p384"}, nil), "oauth:carol"},
		"EdDSA":                       {a.token(jwt.SigningMethodEdDSA, ed, fields{"kid": "ed"}, nil), "oauth:carol"},
		"RS512":                       {a.token(jwt.SigningMethodRS512, rsaKey, fields{"kid": "rsa"}, nil), "oauth:carol"},
		"PS256":                       {a.token(jwt.SigningMethodPS256, rsaKey, fields{"kid": "rsa"}, nil), "oauth:carol"},
		"no key id":                   {es256(fields{"kid": nil}, nil), "oauth:carol"},
		"type JWT":                    {es256(fields{"typ": "JWT"}, nil), "oauth:carol"},
		"type with its prefix":        {es256(fields{"typ": "application/AT+JWT"}, nil), "oauth:carol"},
		"no type":                     {es256(fields{"typ": nil}, nil), "oauth:carol"},
		"the other endpoint's":        {es256(nil, fields{"aud": publicAddr + "/sse"}), "oauth:carol"},
		"several audiences":           {es256(nil, fields{"aud": []string{"account", publicAddr + "/mcp"}}), "oauth:carol"},
		"expired within the leeway":   {es256(nil, fields{"exp": time.Now().Add(-30 * time.Second).Unix()}), "oauth:carol"},
		"valid in half a minute":      {es256(nil, fields{"nbf": time.Now().Add(30 * time.Second).Unix()}), "oauth:carol"},
		"scp, an array":               {es256(nil, fields{"scope": nil, "scp": []string{"x", "portraits:read"}}), "oauth:carol"},
		"scp, a text":                 {es256(nil, fields{"scope": nil, "scp": "x portraits:read"}), "oauth:carol"},
		"a program, by its client_id": {es256(nil, fields{"sub": nil, "client_id": "agent", "azp": "other"}), "oauth-client:agent"},
		"a program, by its azp":       {es256(nil, fields{"sub": nil, "azp": "agent"}), "oauth-client:agent"},
		"a name with a line break":    {es256(nil, fields{"sub": "ca\nrol 王"}), "oauth:carol 王-" + sum("ca\nrol 王")},
		"a long name":                 {es256(nil, fields{"sub": strings.Repeat("王", 200)}), "oauth:" + strings.Repeat("王", 80) + "-" + sum(strings.Repeat("王", 200))},
	} {
		answer := g.with(test.token)
		assert.Equal(t, http.StatusOK, answer.status, name)
		assert.Equal(t, test.caller, answer.text, name)
	}

	g = guardWith(t, Auth{Issuer: a.url, Audience: "portraits"})
	assert.Equal(t, http.StatusOK, g.with(es256(nil, fields{"aud": "portraits", "scope": nil})).status, "an audience of one's own, no scopes")
	assert.Equal(t, http.StatusUnauthorized, g.with(es256(nil, nil)).status)
}

// The bubble's clock stands still while the issuer is asked, and jumps ahead with Sleep.
func TestKeysAreTakenWhenTheyChange(t *testing.T) {
	older, newer := ecKey(t), ecKey(t)
	a := newAuthority(t, map[string]crypto.Signer{"1": older})
	synctest.Test(t, func(t *testing.T) {
		g := guardWith(t, Auth{Issuer: a.url})
		before := a.token(jwt.SigningMethodES256, older, nil, fields{"exp": time.Now().Add(24 * time.Hour).Unix()})
		after := a.token(jwt.SigningMethodES256, newer, fields{"kid": "2"}, fields{"exp": time.Now().Add(24 * time.Hour).Unix()})
		assert.Equal(t, http.StatusOK, g.with(before).status)
		assert.Equal(t, http.StatusUnauthorized, g.with(after).status)

		a.answer("/jwks", keySet(t, map[string]crypto.Signer{"1": older, "2": newer}))
		time.Sleep(refreshEvery)
		assert.Equal(t, http.StatusOK, g.with(after).status, "the token's key makes the keys be fetched")
		assert.Equal(t, http.StatusOK, g.with(before).status)

		asked := a.askedFor("/jwks")
		a.answer("/jwks", nil)
		time.Sleep(refreshEvery)
		unknown := a.token(jwt.SigningMethodES256, newer, fields{"kid": "3"}, nil)
		for range 3 {
			answer := g.with(unknown)
			assert.Equal(t, http.StatusServiceUnavailable, answer.status, "the issuer is down: it may be a new key's")
			assert.Equal(t, http.StatusOK, g.with(after).status)
		}
		assert.Equal(t, asked+1, a.askedFor("/jwks"))

		a.answer("/jwks", keySet(t, map[string]crypto.Signer{"2": newer}))
		time.Sleep(refreshAtLeast)
		synctest.Wait()
		assert.Equal(t, http.StatusUnauthorized, g.with(before).status, "a key is withdrawn")
		assert.Equal(t, http.StatusOK, g.with(after).status)
	})
}

func TestTheIssuerMayBeDownAtTheStart(t *testing.T) {
	key := ecKey(t)
	a := newAuthority(t, map[string]crypto.Signer{"1": key})
	metadata := a.answers[oauthMetadata]
	a.answer(oauthMetadata, nil)
	synctest.Test(t, func(t *testing.T) {
		g := guardWith(t, Auth{Tokens: named(t, aliceToken), Issuer: a.url})
		token := a.token(jwt.SigningMethodES256, key, nil, nil)
		for _, sent := range []string{token, a.token(jwt.SigningMethodES256, key, fields{"kid": nil}, nil)} {
			answer := g.with(sent)
			assert.Equal(t, http.StatusServiceUnavailable, answer.status)
			assert.Equal(t, "5", answer.header.Get("Retry-After"))
			assert.Empty(t, answer.header.Values("WWW-Authenticate"))
		}
		assert.Equal(t, http.StatusOK, g.with(aliceToken).status)
		assert.Equal(t, http.StatusUnauthorized, g.ask(http.MethodPost, "/mcp").status)
		time.Sleep(10 * refreshEvery)
		assert.Equal(t, 1, strings.Count(g.log.String(), `"level":"WARN"`), "logged once")

		a.answer(oauthMetadata, metadata)
		time.Sleep(refreshEvery)
		synctest.Wait()
		assert.Equal(t, 1, strings.Count(g.log.String(), "keys were fetched"), "without any request")
		assert.Equal(t, http.StatusOK, g.with(token).status)
	})
}

func TestKeysAreFound(t *testing.T) {
	key := ecKey(t)
	keys := keySet(t, map[string]crypto.Signer{"1": key})
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	for _, test := range []struct {
		name, path string // path of the issuer
		explicit   string // path of the keys that is set
		answers    func(base, issuer string) map[string]any
		found      bool
	}{
		{"RFC 8414", "", "", func(base, issuer string) map[string]any {
			return fields{oauthMetadata: fields{"issuer": issuer, "jwks_uri": base + "/k"}, "/k": keys}
		}, true},
		{"RFC 8414 with a path", "/realms/a", "", func(base, issuer string) map[string]any {
			return fields{oauthMetadata + "/realms/a": fields{"issuer": issuer, "jwks_uri": base + "/k"}, "/k": keys}
		}, true},
		{"OpenID Connect with a path", "/realms/a", "", func(base, issuer string) map[string]any {
			return fields{"/realms/a" + openIDMetadata: fields{"issuer": issuer, "jwks_uri": base + "/k"}, "/k": keys}
		}, true},
		{"an issuer with a slash at the end", "/", "", func(base, issuer string) map[string]any {
			return fields{openIDMetadata: fields{"issuer": issuer, "jwks_uri": base + "/k"}, "/k": keys}
		}, true},
		{"RFC 8414 is wrong, OpenID Connect right", "", "", func(base, issuer string) map[string]any {
			return fields{oauthMetadata: fields{"issuer": issuer + "/other", "jwks_uri": base + "/x"}, openIDMetadata: fields{"issuer": issuer, "jwks_uri": base + "/k"}, "/k": keys}
		}, true},
		{"an address that is set", "", "/k", func(string, string) map[string]any { return fields{"/k": keys} }, true},
		{"a redirect", "", "/k", func(base, _ string) map[string]any { return fields{"/k": redirect(base + "/l"), "/l": keys} }, true},
		{"redirects without an end", "", "/k", func(string, string) map[string]any { return fields{"/k": redirect("/k")} }, false},
		{"beside keys of a kind that is not known", "", "/k", func(string, string) map[string]any {
			return fields{"/k": fields{"keys": []any{fields{"kty": "new", "kid": "x"}, keys.Keys[0]}}}
		}, true},
		{"no keys", "", "/k", func(string, string) map[string]any { return fields{"/k": fields{"keys": []any{}}} }, false},
		{"metadata of another issuer", "", "", func(base, _ string) map[string]any {
			return fields{oauthMetadata: fields{"issuer": "https://evil.example", "jwks_uri": base + "/k"}, "/k": keys}
		}, false},
		{"metadata without keys", "", "", func(_, issuer string) map[string]any { return fields{oauthMetadata: fields{"issuer": issuer}} }, false},
		{"keys at no address of the web", "", "", func(_, issuer string) map[string]any {
			return fields{oauthMetadata: fields{"issuer": issuer, "jwks_uri": "file:///etc/passwd"}}
		}, false},
		{"an answer that is too large", "", "/k", func(string, string) map[string]any {
			return fields{"/k": fields{"padding": strings.Repeat(" ", issuerAnswer), "keys": keys.Keys}}
		}, false},
		{"an answer of another kind", "", "/k", func(string, string) map[string]any { return fields{"/k": "<html>"} }, false},
	} {
		a := newAuthority(t, nil)
		a.answers = test.answers(a.url, a.url+test.path)
		o := Auth{Issuer: a.url + test.path}
		if test.explicit != "" {
			o.JWKSURL = a.url + test.explicit
		}
		want := http.StatusServiceUnavailable
		if test.found {
			want = http.StatusOK
		}
		token := a.token(jwt.SigningMethodES256, key, nil, fields{"iss": o.Issuer})
		assert.Equal(t, want, guardWith(t, o).with(token).status, test.name)
	}
}

func TestNoRedirectLeadsOutOfTLS(t *testing.T) {
	from := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://id.example.com/jwks", nil)
	for to, followed := range map[string]bool{"https://keys.example.com/jwks": true, "http://id.example.com/jwks": false} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, to, nil)
		assert.Equal(t, followed, issuerClient().CheckRedirect(r, []*http.Request{from}) == nil, to)
	}
}

func TestDocumentsTellWhereToGetAToken(t *testing.T) {
	a := newAuthority(t, nil)
	g := guardWith(t, Auth{Issuer: a.url, Scopes: []string{"portraits:read"}}).whole()
	for path, resource := range map[string]string{"": "/mcp", "/mcp": "/mcp", "/sse": "/sse"} {
		answer := g.ask(http.MethodGet, metadataPath+path, "Origin", "https://inspector.example.com")
		assert.Equal(t, http.StatusOK, answer.status)
		assert.Equal(t, "*", answer.header.Get("Access-Control-Allow-Origin"))
		assert.JSONEq(t, `{"resource":"`+publicAddr+resource+`","authorization_servers":["`+a.url+`"],
			"scopes_supported":["portraits:read"],"bearer_methods_supported":["header"],"resource_name":"KOL portraits"}`, answer.text)
	}
	static := guardWith(t, Auth{Tokens: named(t, aliceToken)}).whole()
	assert.Equal(t, http.StatusNotFound, static.ask(http.MethodGet, metadataPath).status, "there is none with bearer tokens alone")
	assert.Equal(t, http.StatusNotFound, g.ask(http.MethodGet, oauthMetadata).status, "where clients of 2025-03-26 look")
}

func TestAPublicAddressIsNeeded(t *testing.T) {
	_, err := newGuard(t.Context(), Auth{Issuer: "https://id.example.com"}, []string{"/mcp"}, "", quiet(), nil)
	require.EqualError(t, err, "clients that are to get a token of MCP_OAUTH_ISSUER need to know MCP_PUBLIC_URL")
}

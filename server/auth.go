package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	mcpserver "github.com/mark3labs/mcp-go/server"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
	"kol-portrait-mcp/telemetry"
)

// Auth says who may call: those with one of the tokens, and those with a JWT of the
// issuer. Its zero value lets everybody in.
type Auth struct {
	Tokens     []secret.Named // bearer tokens; several may have one name
	TokensFile string         // a file with more of them, read again when it changes; empty: none

	Issuer   string   // whose JWTs are accepted, to the letter; empty: none
	Audience string   // that they must be made for; empty: PublicURL + /mcp (and /sse)
	Scopes   []string // that they must all have
	JWKSURL  string   // address of the issuer's keys; empty: discovered
}

// realm names this server to a client that is asked for a token.
const realm = "kol-portrait-mcp"

// metadataPath is where RFC 9728 puts what a client needs to know to get a token.
const metadataPath = mcpserver.WellKnownProtectedResourcePath

// guard lets only known callers in.
type guard struct {
	tokens    *tokens
	issuer    *issuer // nil without OAuth
	scopes    []string
	endpoints []string
	publicURL string
	log       *slog.Logger
	metrics   *telemetry.Metrics
}

// newGuard returns nil where o asks nobody. endpoints are the paths of what is
// guarded, the first being the one that clients are sent to when they ask for none.
// Until ctx is done, the keys of the issuer are fetched again from time to time.
func newGuard(ctx context.Context, o Auth, endpoints []string, publicURL string, log *slog.Logger, metrics *telemetry.Metrics) (*guard, error) {
	if len(o.Tokens) == 0 && o.TokensFile == "" && o.Issuer == "" {
		return nil, nil
	}
	tokens, err := newTokens(o, log)
	if err != nil {
		return nil, err
	}
	g := &guard{tokens: tokens, scopes: o.Scopes, endpoints: endpoints, log: log, metrics: metrics}
	if o.Issuer == "" {
		return g, nil
	}
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return nil, errors.New("clients that are to get a token of MCP_OAUTH_ISSUER need to know MCP_PUBLIC_URL")
	}
	u.Host = strings.ToLower(u.Host) // as the canonical URI of a resource has it; Parse does so to the scheme
	g.publicURL = strings.TrimSuffix(u.String(), "/")
	audiences := []string{o.Audience}
	if o.Audience == "" {
		audiences = nil
		for _, path := range endpoints {
			audiences = append(audiences, g.publicURL+path)
		}
	}
	g.issuer = newIssuer(ctx, o, audiences, log)
	return g, nil
}

// metadata mounts the documents that tell clients where to get a token. Clients that
// look where there is none are told so, and not asked for a token once more.
func (g *guard) metadata(routes *http.ServeMux) {
	if g == nil {
		return
	}
	routes.Handle("/.well-known/", http.NotFoundHandler())
	if g.issuer == nil {
		return
	}
	for i, path := range g.endpoints {
		document := mcpserver.NewProtectedResourceMetadataHandler(mcpserver.ProtectedResourceMetadataConfig{
			Resource:               g.publicURL + path,
			AuthorizationServers:   []string{g.issuer.name},
			ScopesSupported:        g.scopes,
			BearerMethodsSupported: []string{"header"},
			ResourceName:           "KOL portraits",
		})
		routes.Handle(metadataPath+path, document)
		if i == 0 { // for clients that know no path form
			routes.Handle(metadataPath, document)
		}
	}
}

// refusal says why a request is not let in.
type refusal struct {
	status      int
	code        string // error code of RFC 6750; empty where no token was looked at
	description string // for the client; it does not tell what is wrong with a token
	reason      string // for the log; holds no token
}

var (
	noToken      = &refusal{http.StatusUnauthorized, "", "Send a token: Authorization: Bearer TOKEN.", "no bearer token was sent"}
	tokenInQuery = &refusal{http.StatusBadRequest, "invalid_request", "Send the token in the header Authorization, not in the query.", "the token is in the query"}
)

func invalidToken(reason string) *refusal {
	return &refusal{http.StatusUnauthorized, "invalid_token", "The token is unknown, has expired, or is not for this server.", reason}
}

// check lets only known callers in, with the caller's name in the context and
// without the header Authorization. A nil guard lets everybody in.
func (g *guard) check(next http.Handler) http.Handler {
	if g == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, refused := g.caller(r)
		if refused != nil {
			g.refuse(w, r, refused)
			return
		}
		r = r.WithContext(schema.WithCaller(r.Context(), caller))
		r.Header.Del("Authorization")
		next.ServeHTTP(w, r)
	})
}

// caller returns the name of whoever sent the request, or why it is refused.
func (g *guard) caller(r *http.Request) (string, *refusal) {
	if r.URL.Query().Has("access_token") {
		return "", tokenInQuery
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", noToken
	}
	if name, ok := g.tokens.find(token); ok {
		return name, nil
	}
	if g.issuer == nil {
		return "", invalidToken("the token is not known")
	}
	return g.issuer.caller(token)
}

// refuse answers a request that is not let in.
func (g *guard) refuse(w http.ResponseWriter, r *http.Request, why *refusal) {
	level := slog.LevelInfo
	if why == noToken || why.status == http.StatusServiceUnavailable { // every OAuth client begins so; keys logs once
		level = slog.LevelDebug
	}
	path := strings.TrimSuffix(r.URL.Path, "/")
	if !slices.Contains([]string{"/mcp", "/sse", "/message", "/metrics"}, path) {
		path = telemetry.Other // some clients put their token into it
	}
	g.log.Log(r.Context(), level, "a request is not let in", "path", path, "status", why.status, "reason", fmt.Sprintf("%.300s", why.reason),
		"from", r.RemoteAddr, "forwardedFor", fmt.Sprintf("%.100s", r.Header.Get("X-Forwarded-For")))
	switch why.status {
	case http.StatusServiceUnavailable:
		g.metrics.Refused("issuer")
		w.Header().Set("Retry-After", fmt.Sprint(int(refreshEvery.Seconds())))
	case http.StatusForbidden:
		g.metrics.Refused("forbidden")
		w.Header().Set("WWW-Authenticate", g.challenge(r.URL.Path, why))
	default:
		g.metrics.Refused("unauthorized")
		w.Header().Set("WWW-Authenticate", g.challenge(r.URL.Path, why))
	}
	http.Error(w, why.description, why.status)
}

// challenge is the field WWW-Authenticate of RFC 6750, with RFC 9728's address of the
// document about the endpoint that was asked.
func (g *guard) challenge(path string, why *refusal) string {
	var fields []string
	if g.issuer == nil {
		fields = append(fields, fmt.Sprintf("realm=%q", realm))
	}
	if why.code != "" {
		fields = append(fields, fmt.Sprintf("error=%q, error_description=%q", why.code, why.description))
	}
	if g.issuer != nil {
		endpoint := strings.TrimSuffix(path, "/")
		if endpoint == "/message" {
			endpoint = "/sse" // whose messages it takes
		}
		if !slices.Contains(g.endpoints, endpoint) {
			endpoint = ""
		}
		fields = append(fields, fmt.Sprintf("resource_metadata=%q", g.publicURL+metadataPath+endpoint))
	}
	if g.issuer != nil && len(g.scopes) > 0 {
		fields = append(fields, fmt.Sprintf("scope=%q", strings.Join(g.scopes, " ")))
	}
	return "Bearer " + strings.Join(fields, ", ")
}

// lookEvery is how often the file of tokens is read, at most.
const lookEvery = time.Second

// tokens are the bearer tokens that are known, in a form that gives none away.
type tokens struct {
	fixed []token // that no file holds
	file  string  // empty: none
	log   *slog.Logger

	mu     sync.Mutex
	looked time.Time // when the file was read last
	text   string    // SHA-256 sum of what it held; no secret
	failed string    // why it could not be taken then
	all    []token
}

type token struct {
	name string
	sum  [sha256.Size]byte
}

func newTokens(o Auth, log *slog.Logger) (*tokens, error) {
	t := &tokens{fixed: sums(o.Tokens), file: o.TokensFile, log: log}
	t.all = t.fixed
	if t.file == "" {
		return t, nil
	}
	t.looked = time.Now()
	return t, t.read()
}

// find returns the name of a token. It compares the token's sum with that of every
// known one, in a time that tells nothing about them.
func (t *tokens) find(sent string) (name string, ok bool) {
	sum := sha256.Sum256([]byte(sent))
	for _, known := range t.current() {
		if subtle.ConstantTimeCompare(sum[:], known.sum[:]) == 1 {
			name, ok = known.name, true
		}
	}
	return name, ok
}

// current reads the file again, and takes what has changed in it. The old tokens hold
// on where that fails: the file may be about to be replaced.
func (t *tokens) current() []token {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == "" || time.Since(t.looked) < lookEvery {
		return t.all
	}
	t.looked = time.Now()
	before, failed := t.text, t.failed
	t.failed = ""
	if err := t.read(); err != nil {
		t.failed = err.Error()
		if t.failed != failed { // else it is in the log already
			t.log.Warn("the old bearer tokens stay valid: their file cannot be read again", "error", err)
		}
	} else if t.text != before {
		t.log.Info("the file of bearer tokens was read again", "tokens", len(t.all)-len(t.fixed))
	}
	return t.all
}

// read compares the text of the file, since its time and size may stay the same.
func (t *tokens) read() error {
	text, err := os.ReadFile(t.file)
	if err != nil {
		return fmt.Errorf("read the bearer tokens: %w", err)
	}
	sum := sha256.Sum256(text)
	if t.text == string(sum[:]) {
		return nil
	}
	named, err := secret.ParseNamed(string(text))
	if err == nil && len(named) == 0 {
		err = errors.New("it holds none")
	}
	if err != nil {
		return fmt.Errorf("read the bearer tokens in %s: %w", t.file, err)
	}
	t.text, t.all = string(sum[:]), append(slices.Clip(t.fixed), sums(named)...)
	return nil
}

func sums(named []secret.Named) []token {
	var tokens []token
	for _, n := range named {
		tokens = append(tokens, token{n.Name, sha256.Sum256([]byte(n.Reveal()))})
	}
	return tokens
}

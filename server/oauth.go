package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	exactjson "github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"
)

const (
	// leeway is how far the issuer's clock may be off.
	leeway = time.Minute

	// The keys are fetched anew once an hour, which is how long a key that the issuer
	// has withdrawn is still trusted.
	refreshAtLeast = time.Hour

	// refreshEvery is how often the keys are fetched at most: when a token names a key
	// that is not known, and while the issuer is down. Anyone can make up such tokens,
	// and a request in five seconds does not burden an issuer; a new key, and an issuer
	// that is back, are taken within that time.
	refreshEvery = 5 * time.Second

	issuerTimeout = 5 * time.Second // for each request to the issuer
	issuerAnswer  = 1 << 20         // bytes of its answers
	callerLength  = 80              // characters of a caller's name, but for its kind and sum
)

// algorithms are those that sign with a private key. The others, HMAC and none, would
// let everybody sign who knows the public key, or nothing.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// errNoKeys says that a token may be right, but that nothing is there to check it with.
var errNoKeys = errors.New("the issuer's keys cannot be fetched")

// issuer accepts the JWTs of one OAuth issuer.
type issuer struct {
	name   string
	scopes []string
	parser *jwt.Parser
	keys   *keys
}

// newIssuer begins to fetch the issuer's keys, until ctx is done. It returns at once,
// since the issuer may be down.
func newIssuer(ctx context.Context, o Auth, audiences []string, log *slog.Logger) *issuer {
	k := &keys{issuer: o.Issuer, address: o.JWKSURL, client: issuerClient(), log: log, ctx: ctx, storage: jwkset.NewMemoryStorage()}
	k.lookup, _ = keyfunc.New(keyfunc.Options{Storage: k.storage}) // only a missing storage is an error
	go k.keepFresh()
	return &issuer{
		name:   o.Issuer,
		scopes: o.Scopes,
		keys:   k,
		parser: jwt.NewParser(jwt.WithValidMethods(algorithms), jwt.WithIssuer(o.Issuer), jwt.WithAudience(audiences...),
			jwt.WithExpirationRequired(), jwt.WithLeeway(leeway)),
	}
}

// CheckIssuer fetches the issuer's keys once, and returns how many can be used.
func CheckIssuer(ctx context.Context, o Auth) (int, error) {
	k := &keys{issuer: o.Issuer, address: o.JWKSURL, client: issuerClient(), ctx: ctx}
	fetched, err := k.fetch()
	return len(fetched), err
}

// claims are what a token says, besides the names that RFC 7519 registers.
type claims struct {
	jwt.RegisteredClaims
	ClientID        string `json:"client_id"`
	AuthorizedParty string `json:"azp"`
	Scope           words  `json:"scope"`
	SCP             words  `json:"scp"` // what Microsoft and Okta call the scope
}

// words are a JSON array of texts, or one text with spaces between them.
type words []string

// UnmarshalJSON implements json.Unmarshaler.
func (w *words) UnmarshalJSON(text []byte) error {
	var spaced string
	if json.Unmarshal(text, &spaced) == nil {
		*w = strings.Fields(spaced)
		return nil
	}
	return json.Unmarshal(text, (*[]string)(w))
}

// UnmarshalJSON takes claims as they are spelled: an issuer may let others choose the
// names of more claims, such as ISS.
func (c *claims) UnmarshalJSON(text []byte) error {
	type plain claims
	return exactjson.Unmarshal(text, (*plain)(c))
}

// caller returns "" where the token names nobody. A name that is shortened, or has
// characters that show nothing, ends in a part of its sum, so that no two are one.
func (c *claims) caller() string {
	kind, name := "oauth:", c.Subject
	if name == "" {
		kind, name = "oauth-client:", cmp.Or(c.ClientID, c.AuthorizedParty)
	}
	shown := strings.Map(func(char rune) rune {
		if !unicode.IsPrint(char) {
			return -1
		}
		return char
	}, name)
	chars := []rune(shown)
	switch {
	case shown == "":
		return ""
	case shown == name && len(chars) <= callerLength:
		return kind + name
	}
	return fmt.Sprintf("%s%s-%.4x", kind, string(chars[:min(callerLength, len(chars))]), sha256.Sum256([]byte(name)))
}

// caller returns the name of whoever a token was made for, or why it is refused.
func (i *issuer) caller(token string) (string, *refusal) {
	var c claims
	parsed, err := i.parser.ParseWithClaims(token, &c, i.keys.find)
	if err == nil {
		err = checkHeader(parsed.Header)
	}
	switch name := c.caller(); {
	case errors.Is(err, errNoKeys):
		return "", &refusal{http.StatusServiceUnavailable, "", "Tokens cannot be checked now. Try again shortly.", err.Error()}
	case err != nil:
		return "", invalidToken(err.Error())
	case name == "":
		return "", invalidToken("the token names nobody: it has no sub, client_id or azp")
	default:
		for _, scope := range i.scopes {
			if !slices.Contains(c.Scope, scope) && !slices.Contains(c.SCP, scope) {
				return "", &refusal{http.StatusForbidden, "insufficient_scope", "The token lacks a scope that is needed here.",
					fmt.Sprintf("the token of %s lacks the scope %q", name, scope)}
			}
		}
		return name, nil
	}
}

// checkHeader refuses JWTs that are no access tokens (RFC 9068, and those before it
// that say JWT), and what RFC 7515 tells those to refuse who know no extension.
func checkHeader(header map[string]any) error {
	if _, ok := header["crit"]; ok {
		return errors.New("the token asks for an extension (crit)")
	}
	kind, ok := header["typ"]
	if !ok {
		return nil
	}
	name, _ := kind.(string)
	switch strings.TrimPrefix(strings.ToLower(name), "application/") {
	case "at+jwt", "jwt":
		return nil
	}
	return fmt.Errorf("the token is no access token, but of the type %q", name)
}

// keys are the issuer's public keys.
type keys struct {
	issuer  string
	address string // empty: discovered
	client  *http.Client
	log     *slog.Logger
	ctx     context.Context // of the server, not of the request that makes the keys be fetched
	storage jwkset.Storage
	lookup  keyfunc.Keyfunc

	mu    sync.Mutex // whoever waits for it has the use of what is being fetched
	tried time.Time  // when the keys were fetched last, or should have been
	err   error      // of the last try
}

// keepFresh fetches the keys, again and again.
func (k *keys) keepFresh() {
	for k.ctx.Err() == nil {
		wait := refreshAtLeast
		if k.refresh() != nil {
			wait = refreshEvery
		}
		select {
		case <-k.ctx.Done():
		case <-time.After(wait):
		}
	}
}

// find returns the key that a token must be signed with, or all keys where the token
// names none. It is a jwt.Keyfunc.
func (k *keys) find(token *jwt.Token) (any, error) {
	key, err := k.lookup.Keyfunc(token)
	set, isSet := key.(jwt.VerificationKeySet)
	unknown := errors.Is(err, jwkset.ErrKeyNotFound) || isSet && len(set.Keys) == 0
	if !unknown {
		return key, err
	}
	if err := k.refresh(); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoKeys, err)
	}
	return k.lookup.Keyfunc(token)
}

// refresh fetches the keys anew, unless that was tried a moment ago. The error is that
// of the last try, and the old keys stay.
func (k *keys) refresh() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.tried) < refreshEvery {
		return k.err
	}
	fetched, err := k.fetch()
	if err == nil {
		err = k.storage.KeyReplaceAll(k.ctx, fetched)
	}
	switch {
	case k.ctx.Err() != nil: // nobody waits for them
	case err != nil && k.err == nil:
		k.log.Warn("the OAuth issuer's keys cannot be fetched; this is tried again every few seconds", "issuer", k.issuer, "error", err)
	case err == nil && (k.err != nil || k.tried.IsZero()):
		k.log.Info("the OAuth issuer's keys were fetched", "issuer", k.issuer, "keys", len(fetched))
	}
	k.tried, k.err = time.Now(), err
	return err
}

func (k *keys) fetch() ([]jwkset.JWK, error) {
	address := k.address
	if address == "" {
		var err error
		if address, err = k.discover(); err != nil {
			return nil, err
		}
	}
	var set jwkset.JWKSMarshal
	if err := k.get(address, &set); err != nil {
		return nil, err
	}
	var usable []jwkset.JWK
	unusable := errors.New("it holds none")
	for _, one := range set.Keys { // what one of them is does not matter to the others
		key, err := jwkset.NewJWKFromMarshal(one, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err != nil {
			unusable = err
			continue
		}
		usable = append(usable, key)
	}
	if len(usable) == 0 {
		return nil, fmt.Errorf("find a usable key at %s: %w", address, unusable)
	}
	return usable, nil
}

// discover returns the address of the issuer's keys: from its metadata of RFC 8414, or
// else of OpenID Connect Discovery.
func (k *keys) discover() (string, error) {
	base, err := url.Parse(k.issuer)
	if err != nil {
		return "", fmt.Errorf("read the address of the OAuth issuer: %w", err)
	}
	origin, path := base.Scheme+"://"+base.Host, strings.TrimSuffix(base.EscapedPath(), "/")
	var failed []error
	for _, address := range []string{
		origin + "/.well-known/oauth-authorization-server" + path,
		origin + path + "/.well-known/openid-configuration",
	} {
		var metadata struct {
			Issuer string `json:"issuer"`
			Keys   string `json:"jwks_uri"`
		}
		err := k.get(address, &metadata)
		switch keys, _ := url.Parse(metadata.Keys); {
		case err != nil:
		case metadata.Issuer != k.issuer:
			err = fmt.Errorf("%s is about the issuer %q, not %q", address, metadata.Issuer, k.issuer)
		case keys == nil || keys.Host == "" || keys.Scheme != "https" && keys.Scheme != base.Scheme:
			err = fmt.Errorf("%s has no usable jwks_uri, but %q", address, metadata.Keys)
		default:
			return metadata.Keys, nil
		}
		failed = append(failed, err)
	}
	return "", errors.Join(failed...)
}

// get reads a JSON document of the issuer's.
func (k *keys) get(address string, into any) error {
	r, err := http.NewRequestWithContext(k.ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("ask the OAuth issuer: %w", err)
	}
	r.Header.Set("Accept", "application/json")
	response, err := k.client.Do(r)
	if err != nil {
		return fmt.Errorf("ask the OAuth issuer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the OAuth issuer: %s answers %s", address, response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, issuerAnswer)).Decode(into); err != nil {
		return fmt.Errorf("read the OAuth issuer's answer from %s: %w", address, err)
	}
	return nil
}

// issuerClient returns a client for a few requests an hour. It follows no redirect from
// https to http, where anyone on the way could put in keys.
func issuerClient() *http.Client {
	return &http.Client{
		Timeout:   issuerTimeout,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > 3 || r.URL.Scheme != via[0].URL.Scheme {
				return fmt.Errorf("a redirect to %s is not followed", r.URL.Redacted())
			}
			return nil
		},
	}
}

package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// preflightAge is how long, in seconds, a browser may remember what a
// preflight allowed; browsers keep to less.
const preflightAge = "7200"

// origins are the web pages that may talk to this server from a browser, as
// scheme://host[:port]; where there are none, all pages served from loopback.
type origins map[string]bool

func newOrigins(entries []string) (origins, error) {
	allowed := make(origins)
	for _, entry := range entries {
		origin, ok := parseOrigin(entry)
		if !ok {
			return nil, fmt.Errorf("MCP_ALLOWED_ORIGINS %q is not an origin; it takes scheme://host or scheme://host:port, such as https://app.example.com", entry)
		}
		allowed[origin.String()] = true
	}
	return allowed, nil
}

func (o origins) allow(header string) bool {
	origin, ok := parseOrigin(header)
	if !ok {
		return false
	}
	if len(o) == 0 {
		return (origin.Scheme == "http" || origin.Scheme == "https") && isLoopback(origin.Hostname())
	}
	return o[origin.String()]
}

// check answers requests from pages of other origins with 403, and tells the
// browser about those that are allowed (CORS). Requests without an Origin come
// from no page, or from one that cannot read the answer; where the browser says
// that its site is another, it could still open streams, and is refused too.
func (o origins) check(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		if reason := o.refuse(r); reason != "" {
			http.Error(w, "Forbidden: "+reason, http.StatusForbidden)
			return
		}
		origin := r.Header.Get("Origin")
		if origin == "" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", origin)
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			allowPreflight(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse says why r is not to be served, or "".
func (o origins) refuse(r *http.Request) string {
	named := r.Header.Values("Origin")
	switch {
	case len(named) == 0 && r.Header.Get("Sec-Fetch-Site") == "cross-site":
		return "a web page of another site (Sec-Fetch-Site: cross-site) is not allowed without an Origin."
	case len(named) > 1:
		return "more than one Origin is not allowed."
	case len(named) == 1 && !o.allow(named[0]):
		return fmt.Sprintf("the Origin %q is not allowed; MCP_ALLOWED_ORIGINS names those that are.", named[0])
	}
	return ""
}

// allowPreflight allows every header that is asked for: the page is trusted
// already, and the protocol's own headers (Mcp-Param-*) are an open set.
func allowPreflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
	h.Set("Access-Control-Max-Age", preflightAge)
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	w.WriteHeader(http.StatusNoContent)
}

// parseOrigin returns an origin in the one form that browsers send: lower
// case, and no port where it is the scheme's own.
func parseOrigin(s string) (*url.URL, bool) {
	u, err := url.Parse(strings.ToLower(strings.TrimSuffix(s, "/")))
	if err != nil || u.Scheme == "" || u.Hostname() == "" || strings.Contains(u.Host, "*") {
		return nil, false
	}
	origin := &url.URL{Scheme: u.Scheme, Host: u.Host}
	if u.String() != origin.String() {
		return nil, false // a path, a query, a user
	}
	switch u.Scheme + ":" + u.Port() {
	case "http:80", "https:443":
		origin.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	}
	return origin, true
}

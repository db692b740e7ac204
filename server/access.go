package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"kol-portrait-mcp/telemetry"
)

// access tells by the headers Host and Origin which requests are served. Where a
// list is empty, it is all names and pages of loopback, and those of the public address.
//
// The check of the Host defeats DNS rebinding: a page whose own name is made to
// resolve to 127.0.0.1 reaches this server, but still says its own name. The
// check of the Origin keeps out the pages of other sites.
type access struct {
	hosts   []string // host, with any port, or host:port; in lower case
	origins []string // scheme://host[:port]; in lower case
	public  url.URL  // under which clients reach the server, in lower case; its Host may be empty
	metrics *telemetry.Metrics
}

func newAccess(o HTTPOptions) access {
	a := access{hosts: o.AllowedHosts, origins: o.AllowedOrigins, metrics: o.Metrics}
	if public, err := url.Parse(strings.ToLower(o.PublicURL)); err == nil {
		a.public = *public
	}
	return a
}

func (a access) allowsHost(header string) bool {
	u := url.URL{Host: strings.ToLower(header)}
	name := strings.TrimSuffix(u.Host, ":"+u.Port())
	switch {
	case a.public.Host != "" && u.Hostname() == a.public.Hostname():
		return true
	case len(a.hosts) == 0:
		return isLoopback(name)
	}
	return slices.Contains(a.hosts, name) || slices.Contains(a.hosts, u.Host)
}

func (a access) allowsOrigin(header string) bool {
	header = strings.ToLower(header)
	switch {
	case a.public.Host != "" && header == a.public.Scheme+"://"+a.public.Host:
		return true
	case len(a.origins) > 0:
		return slices.Contains(a.origins, header)
	}
	origin, err := url.Parse(header)
	return err == nil && (origin.Scheme == "http" || origin.Scheme == "https") && isLoopback(origin.Hostname())
}

// refuse answers a request that is not served, and counts it.
func (a access) refuse(w http.ResponseWriter, format, value string) {
	a.metrics.Refused("forbidden")
	http.Error(w, fmt.Sprintf("Forbidden: "+format, value), http.StatusForbidden)
}

// check answers what is not served with 403, and tells browsers what is (CORS).
func (a access) check(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		w.Header().Set("Vary", "Origin")
		switch {
		case !a.allowsHost(r.Host):
			a.refuse(w, "the Host %q is not allowed; MCP_PUBLIC_URL or MCP_ALLOWED_HOSTS names those that are.", r.Host)
			return
		case origin != "" && !a.allowsOrigin(origin):
			a.refuse(w, "the Origin %q is not allowed; MCP_ALLOWED_ORIGINS names those that are.", origin)
			return
		case origin != "":
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
		}
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		// A preflight is allowed every header that it asks for: the page is trusted
		// already, and the protocol's own headers (Mcp-Param-*) are an open set.
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
		w.Header().Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
		w.Header().Set("Access-Control-Max-Age", "7200") // seconds; browsers keep to less
		w.WriteHeader(http.StatusNoContent)
	})
}

// isLoopback reports whether host, without a port, names this very machine. No
// name but localhost is trusted: a name can be made to mean anything.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && ip.Zone() == "" && ip.IsLoopback()
}

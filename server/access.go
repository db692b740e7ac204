package server

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// access tells by the headers Host and Origin which requests are served. Where a
// list is empty, it is all names and pages of loopback.
//
// The check of the Host defeats DNS rebinding: a page whose own name is made to
// resolve to 127.0.0.1 reaches this server, but still says its own name. The
// check of the Origin keeps out the pages of other sites.
type access struct {
	hosts   []string // host, with any port, or host:port; in lower case
	origins []string // scheme://host[:port]; in lower case
}

func (a access) allowsHost(header string) bool {
	host := strings.ToLower(header)
	u := url.URL{Host: host}
	name := strings.TrimSuffix(host, ":"+u.Port())
	if len(a.hosts) == 0 {
		return isLoopback(name)
	}
	return slices.Contains(a.hosts, name) || slices.Contains(a.hosts, host)
}

func (a access) allowsOrigin(header string) bool {
	if len(a.origins) > 0 {
		return slices.Contains(a.origins, strings.ToLower(header))
	}
	origin, err := url.Parse(header)
	return err == nil && (origin.Scheme == "http" || origin.Scheme == "https") && isLoopback(origin.Hostname())
}

// check answers what is not served with 403, and tells browsers what is (CORS).
func (a access) check(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		w.Header().Set("Vary", "Origin")
		switch {
		case !a.allowsHost(r.Host):
			http.Error(w, fmt.Sprintf("Forbidden: the Host %q is not allowed; MCP_ALLOWED_HOSTS names those that are.", r.Host), http.StatusForbidden)
			return
		case origin != "" && !a.allowsOrigin(origin):
			http.Error(w, fmt.Sprintf("Forbidden: the Origin %q is not allowed; MCP_ALLOWED_ORIGINS names those that are.", origin), http.StatusForbidden)
			return
		case origin != "":
			w.Header().Set("Access-Control-Allow-Origin", origin)
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

// checkLoopback refuses a listen address that others than this machine can
// reach, since there is no authentication yet.
func checkLoopback(addr string) error {
	if host, _, err := net.SplitHostPort(addr); err != nil || !isLoopback(host) {
		return fmt.Errorf("MCP_ADDR %q is not a loopback address; this version serves loopback only, such as 127.0.0.1:8080", addr)
	}
	return nil
}

// isLoopback reports whether host, without a port, names this very machine. No
// name but localhost is trusted: a name can be made to mean anything.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.Zone() == "" && ip.IsLoopback()
}

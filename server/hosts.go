package server

import (
	"fmt"
	"net"
	"net/http"
	"strings"
)

// hosts are the values that the Host header may have, as "host" (any port) or
// "host:port"; where there are none, all names of loopback.
//
// The check defeats DNS rebinding: a page whose own name is made to resolve to
// 127.0.0.1 reaches this server, but still says its own name.
type hosts map[string]bool

func newHosts(entries []string) (hosts, error) {
	allowed := make(hosts)
	for _, entry := range entries {
		host, port := splitHost(entry)
		if host == "" || strings.ContainsAny(entry, "/*@ ") {
			return nil, fmt.Errorf("MCP_ALLOWED_HOSTS %q is not a host; it takes host or host:port, such as mcp.example.com", entry)
		}
		allowed[joinHost(host, port)] = true
	}
	return allowed, nil
}

func (h hosts) allow(header string) bool {
	host, port := splitHost(header)
	if len(h) == 0 {
		return isLoopback(host)
	}
	return h[host] || h[joinHost(host, port)]
}

// check answers requests for other hosts with 403.
func (h hosts) check(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.allow(r.Host) {
			http.Error(w, fmt.Sprintf("Forbidden: the Host %q is not allowed; MCP_ALLOWED_HOSTS names those that are.", r.Host), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// splitHost returns a host in lower case and without brackets, and its port or
// "".
func splitHost(s string) (host, port string) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), ""
	}
	return strings.ToLower(host), port
}

func joinHost(host, port string) string {
	if port == "" {
		return host
	}
	return net.JoinHostPort(host, port)
}

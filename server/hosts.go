package server

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
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
		host, port, ok := splitHost(entry)
		if !ok || host == "" || strings.ContainsAny(entry, "/*@ ") {
			return nil, fmt.Errorf("MCP_ALLOWED_HOSTS %q is not a host; it takes host or host:port, such as mcp.example.com", entry)
		}
		allowed[joinHost(host, port)] = true
	}
	return allowed, nil
}

func (h hosts) allow(header string) bool {
	host, port, ok := splitHost(header)
	if !ok {
		return false
	}
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
// "". It reports false where the port is no number, or what is in brackets no
// IPv6 address.
func splitHost(s string) (host, port string, ok bool) {
	host = strings.ToLower(s)
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host, port = host[:colon], host[colon+1:]
	}
	if strings.Trim(port, "0123456789") != "" {
		return "", "", false
	}
	if literal, bracketed := strings.CutPrefix(host, "["); bracketed {
		literal, closed := strings.CutSuffix(literal, "]")
		return literal, port, closed && isIPv6(literal)
	}
	return host, port, !strings.ContainsAny(host, ":[]")
}

// isIPv6 refuses zones, which mean something on one machine only.
func isIPv6(s string) bool {
	ip, err := netip.ParseAddr(s)
	return err == nil && ip.Is6() && ip.Zone() == ""
}

func joinHost(host, port string) string {
	if port == "" {
		return host
	}
	return net.JoinHostPort(host, port)
}

package server

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// checkLoopback refuses a listen address that others than this machine can
// reach, since there is no authentication yet.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("MCP_ADDR %q is not host:port, such as 127.0.0.1:8080: %w", addr, err)
	}
	if !isLoopback(host) {
		return fmt.Errorf("MCP_ADDR %q is not a loopback address; this version serves loopback only, such as 127.0.0.1:8080", addr)
	}
	return nil
}

// isLoopback reports whether host, without port or brackets, names this very
// machine. No name but localhost is trusted: a name can be made to mean
// anything. Addresses with a zone are not: no browser sends them.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.IsLoopback()
}

package server

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHosts(t *testing.T) {
	tests := map[string]struct {
		allowed []string
		yes, no []string
	}{
		"loopback by default": {
			yes: []string{"localhost", "LocalHost:8080", "127.0.0.1:1", "127.1.2.3", "[::1]", "[::1]:8080", "localhost:"},
			no:  []string{"", "evil.example", "evil.example:8080", "localhost.evil.example", "10.0.0.1", "127.0.0.1.nip.io:8080", "[::2]:8080"},
		},
		"only what a Host can be": {
			no: []string{
				"localhost:evil", "localhost:80evil", "localhost:-1", "localhost:80:80", "[::1]:evil", "[::1]evil", "[::1", "::1", "[::1]]",
				"[localhost]", "[localhost]:80", "[127.0.0.1]", "[]", "[::1%25x]", "[::1%x]:80", "127.0.0.1%x",
			},
		},
		"a host with any port": {
			allowed: []string{"MCP.example.com"},
			yes:     []string{"mcp.example.com", "mcp.example.com:8080", "Mcp.Example.Com"},
			no:      []string{"example.com", "x.mcp.example.com", "localhost", "127.0.0.1:8080"},
		},
		"a host with its port": {
			allowed: []string{"mcp.example.com:8443", "[2001:db8::1]:80"},
			yes:     []string{"mcp.example.com:8443", "[2001:DB8::1]:80"},
			no:      []string{"mcp.example.com", "mcp.example.com:443", "[2001:db8::1]"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h, err := newHosts(test.allowed)
			require.NoError(t, err)
			for _, host := range test.yes {
				assert.True(t, h.allow(host), host)
			}
			for _, host := range test.no {
				assert.False(t, h.allow(host), host)
			}
		})
	}
}

func TestHostsThatAreNone(t *testing.T) {
	for _, entry := range []string{"", ":8080", "*", "https://mcp.example.com", "mcp.example.com/mcp", "mcp.example.com:http", "[mcp.example.com]", "::1"} {
		err := ListenHTTP(t.Context(), newDouble(t).MCPServer, HTTPOptions{Addr: "127.0.0.1:0", AllowedHosts: []string{entry}, Logger: quiet()})
		require.ErrorContains(t, err, "MCP_ALLOWED_HOSTS", entry)
	}
}

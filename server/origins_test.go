package server

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOrigins(t *testing.T) {
	tests := map[string]struct {
		allowed []string
		yes, no []string
	}{
		"loopback by default": {
			yes: []string{"http://localhost:6274", "https://localhost", "http://127.0.0.1:80", "http://[::1]:3000"},
			no: []string{
				"null", "*", "https://evil.example", "http://localhost.evil.example", "http://127.0.0.1.nip.io",
				"http://localhost@evil.example", "ftp://localhost", "localhost:6274", "http://localhost/path", "http://", "http://localhost:evil", "http://[localhost]", "http://[::1%25x]",
			},
		},
		"those named": {
			allowed: []string{"https://App.example.com/", "http://dev.example.com:8080", "https://b.example.com:443", "chrome-extension://abc"},
			yes:     []string{"https://app.example.com", "https://app.example.com:443", "http://dev.example.com:8080", "https://b.example.com", "chrome-extension://abc"},
			no:      []string{"http://app.example.com", "https://x.app.example.com", "http://dev.example.com", "https://app.example.com:8443", "http://localhost:6274"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o, err := newOrigins(test.allowed)
			require.NoError(t, err)
			for _, origin := range test.yes {
				assert.True(t, o.allow(origin), origin)
			}
			for _, origin := range test.no {
				assert.False(t, o.allow(origin), origin)
			}
		})
	}
}

func TestOriginsThatAreNone(t *testing.T) {
	for _, entry := range []string{"", "*", "null", "app.example.com", "https://", "https://*.example.com", "https://app.example.com/path", "https://user@app.example.com"} {
		err := ListenHTTP(t.Context(), newDouble(t).MCPServer, HTTPOptions{Addr: "127.0.0.1:0", AllowedOrigins: []string{entry}, Logger: quiet()})
		require.ErrorContains(t, err, "MCP_ALLOWED_ORIGINS", entry)
	}
}

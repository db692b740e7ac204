package server

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyLoopbackIsListenedOn(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "127.8.9.10:8080", "localhost:8080", "LOCALHOST:http", "[::1]:8080"} {
		require.NoError(t, checkLoopback(addr), addr)
	}

	tests := map[string]string{
		"0.0.0.0:8080":         `MCP_ADDR "0.0.0.0:8080" is not a loopback address; this version serves loopback only, such as 127.0.0.1:8080`,
		":8080":                `MCP_ADDR ":8080" is not a loopback address`,
		"[::]:8080":            `MCP_ADDR "[::]:8080" is not a loopback address`,
		"192.168.1.2:8080":     `MCP_ADDR "192.168.1.2:8080" is not a loopback address`,
		"example.com:8080":     `MCP_ADDR "example.com:8080" is not a loopback address`,
		"localhost.evil.com:1": `MCP_ADDR "localhost.evil.com:1" is not a loopback address`,
		"127.0.0.1":            `MCP_ADDR "127.0.0.1" is not host:port, such as 127.0.0.1:8080`,
		"":                     `MCP_ADDR "" is not host:port`,
	}
	for addr, want := range tests {
		t.Run(addr, func(t *testing.T) {
			err := ListenHTTP(t.Context(), newDouble(t).MCPServer, HTTPOptions{Addr: addr, Logger: quiet()})
			require.ErrorContains(t, err, want)
		})
	}
}

package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/assert"
)

// TestHealthAsksTheServerOfItsEnvironment starts a server and runs the image's health
// check beside it, with the server's settings, as a container does.
func TestHealthAsksTheServerOfItsEnvironment(t *testing.T) {
	cert, key := certificateFiles(t, time.Now().Add(time.Hour)) // of a name that is not this machine's
	for name, settings := range map[string]map[string]string{
		"HTTP": {},
		"TLS":  {"MCP_TLS_CERT": cert, "MCP_TLS_KEY": key},
		"SSE":  {"MCP_TRANSPORT": "sse"},
		"every interface, a name of its own, and a proxy that does not answer": {
			"MCP_ADDR": "0.0.0.0:0", "MCP_AUTH_TOKENS": designToken, "MCP_ALLOWED_HOSTS": "portraits.example.com", "HTTP_PROXY": "http://127.0.0.1:1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			environment := map[string]string{"JUSTONEAPI_ENV": "sample", "PORTRAIT_STORE": "memory:", "MCP_TRANSPORT": "http", "MCP_ADDR": "127.0.0.1:0"}
			for variable, value := range settings {
				environment[variable] = value
			}
			if proxy := environment["HTTP_PROXY"]; proxy != "" {
				t.Setenv("HTTP_PROXY", proxy)
			}
			ctx, stop := context.WithCancel(t.Context())
			read, stderr := io.Pipe()
			exit := start(ctx, process{stdout: io.Discard, stderr: stderr, env: envconfig.MapLookuper(environment)})
			address := servedAddress(t, read)
			environment["MCP_ADDR"] = environment["MCP_ADDR"][:strings.LastIndex(environment["MCP_ADDR"], ":")] + address[strings.LastIndex(address, ":"):]

			var said bytes.Buffer
			health := process{stdout: &said, stderr: &said, env: envconfig.MapLookuper(environment)}
			assert.Equal(t, exitSuccess, run(t.Context(), health, []string{"health"}), said.String())
			assert.Empty(t, said.String())
			stop()
			assert.Equal(t, exitSuccess, <-exit)
			assert.Equal(t, exitFailure, run(t.Context(), health, []string{"health"}))
			assert.Contains(t, said.String(), "the server does not answer at MCP_ADDR")

			environment["MCP_TRANSPORT"] = "stdio"
			said.Reset()
			assert.Equal(t, exitSuccess, run(t.Context(), health, []string{"health"}))
			assert.Equal(t, "stdio: nothing was asked\n", said.String())
		})
	}
}

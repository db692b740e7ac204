//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nginx with a plain proxy_pass passes on what the server sends when it is sent:
// a caller hears of one portrait while the vendor is at work on the other.
func TestBehindNginx(t *testing.T) {
	t.Parallel()
	for path, transport := range map[string]string{"/mcp": "http", "/sse": "sse"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			v := startVendor(t)
			_, addr := serveHTTP(t, against(t, v, sqliteFile(t)))
			proxy := startNginx(t, addr)
			client, _, err := connectMCPGo(t, endpoint{transport: transport, revision: revision2025November, url: "http://" + proxy + path})
			require.NoError(t, err)
			c := &conversation{client: client, vendor: v}
			asked[toolResult](t, c, "tools/call", map[string]any{"name": "get_kol_fans_portrait", "arguments": map[string]any{"kolId": kol}})
			began := time.Now()
			v.holdBackOnly("kol-late")
			_, err = client.ask(t.Context(), "tools/call", map[string]any{
				"name": "compare_kol_fans_portraits", "arguments": map[string]any{"kolIds": []any{"kol-late", kol}},
			}, func(progress) { v.release() })
			require.NoError(t, err)
			assert.Less(t, time.Since(began), 20*time.Second, "the server gives up on the late one after 50")
			client.close(t)
		})
	}
}

// startNginx starts nginx before the server at addr, and returns its address.
func startNginx(t *testing.T, addr string) string {
	t.Helper()
	return runNginx(t, "", fmt.Sprintf("location / { proxy_pass http://%s; }", addr))
}

// runNginx starts nginx with its servers and what it does for its clients, both in
// its own language, and returns its address.
func runNginx(t *testing.T, upstreams, server string) string {
	t.Helper()
	binary, err := exec.LookPath("nginx")
	if err != nil {
		binary = "/usr/sbin/nginx" // which is not on everybody's PATH
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	proxy := listener.Addr().String()
	require.NoError(t, listener.Close())
	folder := t.TempDir()
	config := filepath.Join(folder, "nginx.conf")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
daemon off; master_process off; pid nginx.pid; error_log stderr;
events { worker_connections 2000; }
http {
	access_log off;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
	%s
	server {
		listen %s;
		%s
	}
}`, upstreams, proxy, server), 0o600))
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, "-p", folder, "-c", config)
	output := newLog()
	cmd.Stdout, cmd.Stderr = output, output
	require.NoError(t, cmd.Start(), "this test needs nginx: apt-get install nginx-light")
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", proxy)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}, 30*time.Second, 20*time.Millisecond, output)
	return proxy
}

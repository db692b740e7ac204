//go:build e2e

package deploy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// replica stands for a server behind nginx. It says what it was asked, and can be full.
type replica struct {
	*httptest.Server
	full   atomic.Bool
	breaks atomic.Bool // after it has read the request
	asked  atomic.Int64
}

func startReplica(t *testing.T, name string) *replica {
	r := new(replica)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.asked.Add(1)
		body, _ := io.ReadAll(req.Body)
		switch {
		case r.full.Load():
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.breaks.Load():
			panic(http.ErrAbortHandler)
		default:
			_, _ = fmt.Fprintf(w, "%s %s %s %s %s %s", name, req.Method, req.Host, req.Header.Get("X-Forwarded-For"), req.URL.Path, body)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// proxy is nginx with deploy/nginx.conf, whose addresses and files alone are others.
type proxy struct {
	addr   string
	client *http.Client
}

func startNginx(t *testing.T, one, two *replica) proxy {
	t.Helper()
	binary, err := exec.LookPath("nginx")
	if err != nil {
		binary = "/usr/sbin/nginx" // which is not on everybody's PATH
	}
	folder := t.TempDir()
	cert, key := writeCertificate(t, folder)
	plain, secure := freeAddress(t), freeAddress(t)
	content, err := os.ReadFile("nginx.conf")
	require.NoError(t, err)
	text := string(content)
	for _, change := range [][2]string{
		{"server-1:8080", one.Listener.Addr().String()},
		{"server-2:8080", two.Listener.Addr().String()},
		{"listen 80;", "listen " + plain + ";"},
		{"listen 443 ", "listen " + secure + " "},
		{"/etc/nginx/tls/tls.crt", cert},
		{"/etc/nginx/tls/tls.key", key},
		{"/dev/stdout", "access.log"},
		{"http {", "http {\n client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;"},
		{"worker_processes auto;", "worker_processes 1; pid nginx.pid;"},
	} {
		require.Contains(t, text, change[0])
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	config := filepath.Join(folder, "nginx.conf")
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	output, err := exec.CommandContext(t.Context(), binary, "-t", "-p", folder, "-c", config).CombinedOutput()
	require.NoError(t, err, "nginx -t (this test needs nginx: apt-get install nginx-light): %s", output)
	assert.NotContains(t, string(output), "[warn]")

	cmd := exec.Command(binary, "-p", folder, "-c", config, "-g", "daemon off; master_process off;")
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", secure)
		return err == nil && conn.Close() == nil
	}, 30*time.Second, 20*time.Millisecond)
	trust := x509.NewCertPool()
	pemCert, err := os.ReadFile(cert)
	require.NoError(t, err)
	require.True(t, trust.AppendCertsFromPEM(pemCert))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust, ServerName: "mcp.example.com"}}
	t.Cleanup(transport.CloseIdleConnections)
	return proxy{secure, &http.Client{Transport: transport}}
}

func (p proxy) ask(t *testing.T, method, path, token string) (status int, body string, header http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://"+p.addr+path, strings.NewReader("body"))
	require.NoError(t, err)
	req.Host = "mcp.example.com"
	req.Header.Set("X-Forwarded-For", "192.0.2.1") // which no server is to believe
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := p.client.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	content, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(content), res.Header
}

func TestNginx(t *testing.T) {
	t.Parallel()
	one, two := startReplica(t, "one"), startReplica(t, "two")
	p := startNginx(t, one, two)

	t.Run("calls go to both replicas, as they came", func(t *testing.T) {
		seen := map[string]int{}
		for range 10 {
			_, body, _ := p.ask(t, http.MethodPost, "/mcp", "alice")
			seen[body]++
		}
		assert.Equal(t, map[string]int{"one POST mcp.example.com 127.0.0.1 /mcp body": 5, "two POST mcp.example.com 127.0.0.1 /mcp body": 5}, seen)
	})
	t.Run("a stream and its messages go to the same", func(t *testing.T) {
		streams := map[string]bool{}
		for i := range 20 {
			token := fmt.Sprint("token-", i)
			_, stream, _ := p.ask(t, http.MethodGet, "/sse", token)
			streams[stream[:3]] = true
			for range 3 {
				_, message, _ := p.ask(t, http.MethodPost, "/message?sessionId=1", token)
				assert.Equal(t, stream[:3], message[:3])
			}
		}
		assert.Len(t, streams, 2, "callers are spread over both")
	})
	t.Run("what is not for clients is not passed on", func(t *testing.T) {
		for _, path := range []string{"/metrics", "/readyz", "/", "/mcpx"} {
			status, _, _ := p.ask(t, http.MethodGet, path, "")
			assert.Equal(t, http.StatusNotFound, status, path)
		}
		for _, path := range []string{"/healthz", "/.well-known/oauth-protected-resource/mcp"} {
			status, _, _ := p.ask(t, http.MethodGet, path, "")
			assert.Equal(t, http.StatusOK, status, path)
		}
	})
	t.Run("a full replica's calls go to the other", func(t *testing.T) {
		one.full.Store(true)
		for range 6 {
			status, body, _ := p.ask(t, http.MethodPost, "/mcp", "alice")
			assert.Equal(t, http.StatusOK, status)
			assert.Equal(t, "two POST mcp.example.com 127.0.0.1 /mcp body", body)
		}
		two.full.Store(true)
		status, _, header := p.ask(t, http.MethodPost, "/mcp", "alice")
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.Equal(t, "1", header.Get("Retry-After"))
		one.full.Store(false)
		two.full.Store(false)
	})
	t.Run("a call that breaks off is not repeated", func(t *testing.T) {
		one.breaks.Store(true)
		two.breaks.Store(true)
		before := one.asked.Load() + two.asked.Load()
		status, _, _ := p.ask(t, http.MethodPost, "/mcp", "alice")
		assert.Equal(t, http.StatusBadGateway, status)
		assert.Equal(t, before+1, one.asked.Load()+two.asked.Load())
		one.breaks.Store(false)
		two.breaks.Store(false)
	})
	t.Run("a replica that is down costs no call", func(t *testing.T) {
		one.CloseClientConnections()
		one.Close()
		for range 10 {
			status, _, _ := p.ask(t, http.MethodPost, "/mcp", "alice")
			assert.Equal(t, http.StatusOK, status)
		}
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// writeCertificate writes a certificate for mcp.example.com, signed by itself.
func writeCertificate(t *testing.T, folder string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"mcp.example.com"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	return cert, key
}

package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// keyPair is a certificate and its key, in files.
type keyPair struct {
	t         *testing.T
	cert, key string
	written   time.Time
}

func newKeyPair(t *testing.T, serial int64) *keyPair {
	t.Helper()
	k := &keyPair{t: t, cert: filepath.Join(t.TempDir(), "tls.crt"), key: filepath.Join(t.TempDir(), "tls.key"), written: time.Now()}
	cert, key := issue(t, serial)
	k.write(k.cert, cert)
	k.write(k.key, key)
	return k
}

// issue makes a certificate for loopback, which is told apart by its serial number.
func issue(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: "test"},
		NotAfter:     time.Now().AddDate(10, 0, 0),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// write writes a file later than the last one.
func (k *keyPair) write(path string, content []byte) {
	k.t.Helper()
	require.NoError(k.t, os.WriteFile(path, content, 0o600))
	k.written = k.written.Add(time.Second)
	require.NoError(k.t, os.Chtimes(path, k.written, k.written))
}

// tlsClient is a client that trusts anyone. It speaks HTTP/2 where h2 is set.
func tlsClient(h2 bool) *http.Client {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2: h2,
	}
	return &http.Client{Transport: transport}
}

func TestACertificateIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files, log := newKeyPair(t, 1), new(logText)
		c, err := newCertificate(files.cert, files.key, slog.New(slog.NewJSONHandler(log, nil)))
		require.NoError(t, err)
		serves := func(serial int64, when string) {
			t.Helper()
			current, err := c.get(nil)
			require.NoError(t, err)
			assert.Equal(t, serial, current.Leaf.SerialNumber.Int64(), when)
		}
		cert, key := issue(t, 2)
		files.write(files.cert, cert)
		serves(1, "within a second")
		for range 3 {
			time.Sleep(time.Second)
			serves(1, "the key is still the old one")
		}
		assert.Equal(t, 1, strings.Count(log.String(), "the old one stays"), "logged once")
		files.write(files.key, key)
		serves(1, "within a second")
		time.Sleep(time.Second)
		serves(2, "both are new")

		require.NoError(t, os.Remove(files.cert))
		for range 3 {
			time.Sleep(time.Second)
			serves(2, "one is missing")
		}
		assert.Equal(t, 2, strings.Count(log.String(), "the old one stays"), "logged once")
		files.write(files.cert, cert)
		time.Sleep(time.Second)
		serves(2, "it is back")
		assert.Equal(t, 1, strings.Count(log.String(), "was read again"))
		assert.NotContains(t, log.String(), "PRIVATE")
	})
}

func TestTLS(t *testing.T) {
	d, files := newDouble(t), newKeyPair(t, 1)
	s := listenHTTP(t, d, HTTPOptions{Streamable: true, TLSCert: files.cert, TLSKey: files.key, keepAlive: time.Millisecond})
	assert.Contains(t, s.log.String(), `"scheme":"https"`)
	var streams []*events
	var endpoints []string
	for proto, client := range map[string]*http.Client{"HTTP/1.1": tlsClient(false), "HTTP/2.0": tlsClient(true)} {
		s.client = client
		response := s.open(http.MethodPost, "/mcp", strings.NewReader(ping(1)))
		assert.Equal(t, proto, response.Proto)
		assert.Equal(t, http.StatusOK, response.StatusCode)
		_, err := io.Copy(io.Discard, response.Body) // so that its connection is used again
		require.NoError(t, err)

		e, endpoint := s.session()
		assert.Equal(t, "keep-alive", e.next(": "))
		assert.Equal(t, http.StatusAccepted, s.do(http.MethodPost, endpoint, ping(2)).status)
		assert.Contains(t, e.data(), `"id":2`)
		assert.Equal(t, http.StatusRequestEntityTooLarge, s.post(strings.Repeat(" ", maxBody+1)).status)
		streams, endpoints = append(streams, e), append(endpoints, endpoint)
	}

	cert, key := issue(t, 2)
	files.write(files.cert, cert)
	files.write(files.key, key)
	assert.Eventually(t, func() bool {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{InsecureSkipVerify: true})
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64() == 2
	}, time.Minute, time.Millisecond)
	for _, endpoint := range endpoints {
		assert.Equal(t, http.StatusAccepted, s.do(http.MethodPost, endpoint, call(3, "slow")).status)
	}
	_, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	require.ErrorContains(t, err, "protocol version")

	d.await(len(streams))
	s.stop()
	close(d.release)
	for _, e := range streams {
		assert.Contains(t, e.data(), `"text":"done"`, "the stream has outlived its certificate")
		assert.Empty(t, e.data(), "the stream ends")
	}
	require.NoError(t, <-s.returned)
}

func TestACallMayTakeLongOverHTTP2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		d, p, ended, files := newDouble(t), make(pipes), make(chan error), newKeyPair(t, 1)
		pair, err := tls.LoadX509KeyPair(files.cert, files.key)
		require.NoError(t, err)
		go func() {
			ended <- serveHTTP(ctx, p, &tls.Config{Certificates: []tls.Certificate{pair}}, nil, d.MCPServer, HTTPOptions{Streamable: true, Grace: time.Minute, Logger: quiet()})
		}()
		client := tlsClient(true)
		client.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) { return p.dial(), nil }
		s := &httpServer{t: t, url: "https://localhost", client: client}
		answer := s.postLater(call(1, "slow"))
		d.await(1)
		time.Sleep(time.Hour)
		d.release <- struct{}{}
		assert.Contains(t, (<-answer).text, "done")
		client.CloseIdleConnections()
		stop()
		require.NoError(t, <-ended)
	})
}

package upstream

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
)

// What happens at the wire, and what it may have cost.
func TestFaultsOfTheNetwork(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	sends := func(text string) string {
		return listen(t, func(conn net.Conn, _ *http.Request) {
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		})
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	selfSigned := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(selfSigned.Close)
	selfSigned.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	for _, test := range []struct {
		name, address string
		kind          schema.Kind
		charged       bool
		asked         int
		message       string
	}{
		{"nobody listens", nobody, schema.Network, false, 3, "connection refused, after 3 attempts."},
		{"no TLS", "https" + strings.TrimPrefix(plain.URL, "http"), schema.Network, false, 3, "does not speak HTTP and TLS"},
		{"a certificate of nobody", selfSigned.URL, schema.Network, false, 3, "signed by an authority that is not known here"},
		{"hangs up", sends(""), schema.Network, true, 1, "The connection failed before the whole answer was there: "},
		{"speaks something else", sends("SSH-2.0-OpenSSH_9.2 token\r\n"), schema.Network, true, 1, "does not speak HTTP"},
		{"breaks off in the head", sends("HTTP/1.1 200 OK\r\nContent-Le"), schema.Network, true, 1, "the connection broke"},
		{"breaks off in the body", sends("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + good[:60]), schema.Network, true, 1, "the connection was closed"},
		{"breaks off in a chunk", sends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" + good[:20]), schema.Network, true, 1, "the connection was closed"},
		{"speaks another protocol", sends("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n"), schema.BadResponse, true, 1, "(HTTP 101)"},
		{"redirects", sends("HTTP/1.1 307 Temporary Redirect\r\nLocation: " + nobody + "/secret-place\r\nContent-Length: 0\r\n\r\n"), schema.UpstreamError, false, 1, "(HTTP 307)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, asked := refusal(t.Context(), t, dialling(test.address))
			assert.Equal(t, test.kind, got.Kind)
			assert.Equal(t, test.charged, got.Charged)
			assert.Equal(t, test.asked, asked)
			assert.Contains(t, got.Message, test.message)
			assert.NotContains(t, got.Message, "secret-place")
			assert.NotContains(t, got.Message, "OpenSSH")
		})
	}
	// What broke behind an answer that is whole costs nobody that answer.
	for _, length := range []string{"Content-Length: 1000\r\n\r\n", fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", len(good))} {
		got, err := dialling(sends("HTTP/1.1 200 OK\r\n"+length+good)).Portrait(t.Context(), someID, false, admitAll)
		require.NoError(t, err)
		assert.JSONEq(t, `{"gender":{"male":0.4,"female":0.6},"dateKey":"2026-03-08"}`, string(got.Data))
	}
	// So is a tail that is missing behind the data.
	got, err := dialling(sends("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"+good[:len(good)-10])).Portrait(t.Context(), someID, false, admitAll)
	require.NoError(t, err)
	assert.JSONEq(t, `{"gender":{"male":0.4,"female":0.6},"dateKey":"2026-03-08"}`, string(got.Data))
	// Without a length, and broken off, the body is as whole as can be known.
	got, err = dialling(sends("HTTP/1.1 200 OK\r\n\r\n"+good[:60])).Portrait(t.Context(), someID, false, admitAll)
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(good[:60], string(got.Data)) && strings.HasPrefix(string(got.Data), `{"gender":`), "%s", got.Data)
}

func TestDialThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		defer close(over)
		got, asked := refusal(t.Context(), t, testClient(&http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			<-over
			return nil, net.ErrClosed
		}}))
		assert.False(t, got.Charged)
		assert.Contains(t, got.Message, "The vendor cannot be reached: it took too long")
		assert.Equal(t, 3, asked, "nothing was sent, so it is safe to try again")
	})
}

// net/http would send a plain GET once more by itself when a connection that
// it had kept alive breaks before the answer. The vendor could charge twice.
func TestRequestOnAKeptConnectionIsNotReplayed(t *testing.T) {
	var requests atomic.Int32
	heads := make(chan *http.Request, 10)
	c := dialling(listen(t, func(conn net.Conn, req *http.Request) {
		heads <- req
		if requests.Add(1) == 1 {
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(good), good)
			return
		}
		_ = conn.Close()
	}))
	_, err := c.Portrait(t.Context(), someID, false, admitAll)
	require.NoError(t, err)
	got, _ := refusal(t.Context(), t, c)
	assert.True(t, got.Charged)
	assert.EqualValues(t, 2, requests.Load(), "one request each")
	head := <-heads
	assert.Zero(t, head.ContentLength, "no body on the wire")
	assert.Empty(t, head.TransferEncoding)
}

// A few kilobytes on the wire that would fill memory.
func TestCompressedAnswersAreBoundedToo(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zipped := gzip.NewWriter(w)
		_, _ = zipped.Write(bytes.Repeat([]byte(" "), 64<<20))
		_ = zipped.Close()
	}))
	defer server.Close()
	got, _ := refusal(t.Context(), t, dialling(server.URL))
	assert.Contains(t, got.Message, "it is larger than 4 MiB")
}

func assertSecret(t *testing.T, text string) {
	t.Helper()
	inJSON, err := json.Marshal(token)
	require.NoError(t, err)
	for _, spelling := range []string{token, url.QueryEscape(token), url.PathEscape(token), strings.Trim(string(inJSON), `"`), strings.Trim(fmt.Sprintf("%q", token), `"`)} {
		assert.NotContains(t, text, spelling)
	}
}

// Every way to fail, and to succeed, with a vendor and a network that repeat
// the token wherever they can.
func TestTokenIsNowhere(t *testing.T) {
	said, err := json.Marshal(token + " " + url.QueryEscape(token))
	require.NoError(t, err)
	ways := map[string]http.RoundTripper{
		"transport error": transport(func(req *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: req.URL.String(), Err: errors.New("no route for " + req.URL.RawQuery + token)}
		}),
		"network error": transport(func(req *http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New(req.URL.String())}
		}),
		"redirect": transport(func(req *http.Request) (*http.Response, error) {
			return answering(302, "", "Location", req.URL.String())(req)
		}),
	}
	for _, body := range []string{
		`{"code":400,"message":%s}`, `{"code":301,"message":%s,"requestId":%[1]s}`, `{"code":0,"requestId":%s,"data":{}}`, `{"code":0,"data":{"x":[{%s:%[1]s}]}}`,
		`{"code":0,"data":%s`, `{"code":0,"data":{"cities":[{"name":%s,"percent":0.5}],"dateKey":%[1]s}}`, `%s`, `{"code":%s}`, `{%s`,
	} {
		for _, status := range []int{200, 400, 500} {
			ways[fmt.Sprintf("HTTP %d %s", status, body)] = answering(status, fmt.Sprintf(body, said))
		}
	}
	for name, transport := range ways {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			ctx, spans, metrics := observing(t)
			c := testClient(transport, auto, func(cfg *Config) {
				cfg.Metrics = metrics
				cfg.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				cfg.Logger.Info("starts", "config", *cfg)
			})
			portrait, err := c.Portrait(ctx, someID, false, admitAll)
			assertSecret(t, fmt.Sprintf("%+v %s", tracetest.SpanStubsFromReadOnlySpans(spans.Ended()), scrape(metrics)))
			if portrait != nil {
				assertSecret(t, fmt.Sprintf("%+v %s", *portrait, portrait.Data))
			}
			assertSecret(t, fmt.Sprintf("%v %+v %#v", err, err, err))
			assertSecret(t, fmt.Sprintf("%+v %#v", c.config, c))
			assert.Contains(t, log.String(), `"kolId":`)
			assertSecret(t, log.String())
		})
	}
}

// A short token occurs in data by chance, a long one does not.
func TestTokenIsTakenOutOfDataFromEightBytesOn(t *testing.T) {
	for token, want := range map[string]string{"12345678": `{"a":"***","b":"1234567"}`, "1234567": `{"a":"12345678","b":"1234567"}`} {
		c := testClient(answering(200, `{"code":0,"data":{"a":"12345678","b":"1234567"}}`), func(cfg *Config) { cfg.Token = secret.New(token) })
		got, err := c.Portrait(t.Context(), someID, false, admitAll)
		require.NoError(t, err)
		assert.Equal(t, want, string(got.Data))
	}
}

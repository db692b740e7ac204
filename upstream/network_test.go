package upstream

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

func TestConnectionRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())

	var dials atomic.Int32
	cfg := testConfig(&http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		dials.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}})
	cfg.BaseURL = "http://" + address
	got := refusal(t.Context(), t, New(cfg), someID)
	assert.Equal(t, schema.Network, got.Kind)
	assert.True(t, got.Retryable)
	assert.False(t, got.Charged)
	assert.EqualValues(t, 3, dials.Load())
	assert.Contains(t, got.Message, "The vendor cannot be reached: ")
	assert.Contains(t, got.Message, "connection refused, after 3 attempts. Check this server's network")
}

func TestDialThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		defer close(over)
		var dials atomic.Int32
		client := New(testConfig(&http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			dials.Add(1)
			<-over // net/http does not end a dial with the request that it was for
			return nil, net.ErrClosed
		}}))
		got := refusal(t.Context(), t, client, someID)
		assert.Equal(t, schema.Network, got.Kind)
		assert.False(t, got.Charged)
		assert.EqualValues(t, 3, dials.Load(), "nothing was sent, so it is safe to try again")
	})
}

// A server that takes a request and hangs up.
func TestConnectionLostAfterTheRequest(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		requests.Add(1)
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	cfg := testConfig(nil)
	cfg.BaseURL = server.URL
	got := refusal(t.Context(), t, New(cfg), someID)
	assert.Equal(t, schema.Network, got.Kind)
	assert.True(t, got.Charged)
	assert.True(t, got.Retryable)
	assert.Contains(t, got.Message, "The connection failed before the whole answer was there: EOF. The vendor may still complete this call, and may have charged it. ")
	assert.EqualValues(t, 1, requests.Load())
}

func TestAnswerThatBreaksOff(t *testing.T) {
	client, vendor := sampleClient(t, nil)
	got := refusal(t.Context(), t, client, "sample-cut-off")
	assert.Equal(t, schema.Network, got.Kind)
	assert.True(t, got.Charged)
	assert.True(t, got.Retryable)
	assert.Contains(t, got.Message, "The connection failed before the whole answer was there: unexpected EOF. ")
	assert.Equal(t, 1, vendor.Requests("sample-cut-off"))

	const (
		charged    = "The vendor charged this call. "
		mayHave    = "The vendor may still complete this call, and may have charged it. "
		adviceHere = "Wait some minutes before calling again: that may be charged a second time."
	)
	tests := map[string]string{ // body: what it cost
		`{`: mayHave, ` {"message":tru`: mayHave, `{"code":`: mayHave, `{"code":301,"mess`: mayHave, `{"code":0,"code":301`: mayHave,
		`{"code":0,"data":{"ag`: charged, `{"code":0,"data":{}`: charged, "\ufeff{\"code\":0,": charged,
	}
	for body, cost := range tests {
		for _, status := range []int{200, 206, 301, 401, 404, 429, 500, 502, 503, 504, 600} {
			attempts := 0
			got := refusal(t.Context(), t, New(testConfig(counted(&attempts, answering(status, body)))), someID)
			assert.Equal(t, schema.Network, got.Kind, body)
			assert.True(t, got.Charged, body)
			assert.True(t, got.Retryable, body)
			assert.Equal(t, "The vendor's answer broke off. "+cost+adviceHere, got.Message, body)
			assert.Equal(t, 1, attempts, "%s under HTTP %d is not asked for again", body, status)
		}
	}
}

// vendorSocket is a vendor down at the wire: it answers the first request on a
// connection and hangs up upon the second.
type vendorSocket struct {
	net.Listener
	requests    atomic.Int32
	connections atomic.Int32
	heads       chan string
}

func listenAsVendor(t *testing.T) *vendorSocket {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	v := &vendorSocket{Listener: listener, heads: make(chan string, 100)}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			v.connections.Add(1)
			go v.serve(conn)
		}
	}()
	return v
}

func (v *vendorSocket) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	if !v.read(reader) {
		return
	}
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(good), good)
	v.read(reader)
}

func (v *vendorSocket) read(reader *bufio.Reader) bool {
	var head strings.Builder
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return false
		}
		head.WriteString(line)
		if line == "\r\n" {
			v.requests.Add(1)
			v.heads <- head.String()
			return true
		}
	}
}

// net/http would send a plain GET once more by itself when a connection that
// it had kept alive breaks before the answer. The vendor could charge twice.
func TestRequestOnAKeptConnectionIsNotReplayed(t *testing.T) {
	vendor := listenAsVendor(t)
	cfg := testConfig(nil)
	cfg.BaseURL = "http://" + vendor.Addr().String()
	client := New(cfg)

	_, err := client.Portrait(t.Context(), "first", false, nil)
	require.NoError(t, err)
	got := refusal(t.Context(), t, client, "second")

	assert.Equal(t, schema.Network, got.Kind)
	assert.True(t, got.Charged)
	assert.EqualValues(t, 2, vendor.requests.Load(), "one request each")
	assert.EqualValues(t, 1, vendor.connections.Load(), "the connection was kept alive")
}

func TestRequestHasNoBodyOnTheWire(t *testing.T) {
	vendor := listenAsVendor(t)
	cfg := testConfig(nil)
	cfg.BaseURL = "http://" + vendor.Addr().String()
	_, err := New(cfg).Portrait(t.Context(), someID, false, nil)
	require.NoError(t, err)
	head := <-vendor.heads
	assert.True(t, strings.HasPrefix(head, "GET /api/"), head)
	for _, header := range []string{"Transfer-Encoding", "Content-Length", "Trailer", "Expect", "Connection", "Cookie"} {
		assert.NotContains(t, head, header+":")
	}
}

func TestTransportErrorsLoseTheirURL(t *testing.T) {
	client := New(testConfig(roundTrip(func(req *http.Request) (*http.Response, error) {
		inner := &url.Error{Op: "proxy", URL: req.URL.String(), Err: syscall.ECONNRESET}
		return nil, fmt.Errorf("outer: %w", &url.Error{Op: "Get", URL: req.URL.String(), Err: inner})
	})))
	got := refusal(t.Context(), t, client, someID)
	assert.Equal(t, "The vendor cannot be reached: connection reset by peer, after 3 attempts. Check this server's network and proxy settings, then call again.", got.Message)
}

func TestBodyThatStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		client := New(testConfig(roundTrip(func(req *http.Request) (*http.Response, error) {
			context.AfterFunc(req.Context(), func() { _ = writer.CloseWithError(req.Context().Err()) })
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: reader}, nil
		})))
		start := time.Now()
		got := refusal(t.Context(), t, client, someID)
		assert.Equal(t, schema.Timeout, got.Kind)
		assert.True(t, got.Charged)
		assert.Equal(t, time.Minute, time.Since(start))
	})
}

// The transport takes 101 for the other side's consent to speak another
// protocol, and stops minding the request's context.
func TestSwitchingProtocolsIsNoAnswer(t *testing.T) {
	var requests atomic.Int32
	over := make(chan struct{})
	defer close(over)
	vendor := wire(t, func(conn net.Conn) {
		requests.Add(1)
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n"+good)
		<-over
	})
	cfg := testConfig(nil)
	cfg.BaseURL = "http://" + vendor
	got := refusal(t.Context(), t, New(cfg), someID)
	assert.Equal(t, schema.BadResponse, got.Kind)
	assert.True(t, got.Charged)
	assert.False(t, got.Retryable)
	assert.Contains(t, got.Message, "The vendor's answer has an unexpected HTTP status (HTTP 101). The vendor may have charged this call. ")
	assert.EqualValues(t, 1, requests.Load())
}

// A body that does not mind the request's context is closed with it.
func TestBodyIsClosedWhenTheAttemptEnds(t *testing.T) {
	tests := map[string]struct {
		callers time.Duration // how long the caller waits
		kind    schema.Kind
		message string
	}{
		"the attempt's time is up": {time.Hour, schema.Timeout, "The vendor did not answer within 1m0s. "},
		"the call's time is up":    {time.Second, schema.Timeout, "The call's deadline passed before the vendor answered. "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body, _ := io.Pipe() // nobody writes
				client := New(testConfig(roundTrip(func(*http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body}, nil
				})))
				ctx, cancel := context.WithTimeout(t.Context(), test.callers)
				defer cancel()
				got := refusal(ctx, t, client, someID)
				assert.Equal(t, test.kind, got.Kind)
				assert.True(t, got.Charged)
				assert.Contains(t, got.Message, test.message)
			})
		})
	}
}

// wire is a server below HTTP: it reads a request up to its empty line and
// leaves the rest to answer. It returns the address.
func wire(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					answer(conn)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

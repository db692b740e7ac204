package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
)

const (
	someID = "5f3c1a2b0000000001009abc"
	token  = `s3cr&t/+tok=en"é` // looks different in a URL and in JSON
	good   = `{"code":0,"message":null,"data":{"gender":{"male":0.4,"female":0.6},"dateKey":"2026-03-08"},"requestId":"r-1"}`
)

// transport answers requests in one function.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) { return t(req) }

// answering answers every request alike.
func answering(status int, body string, header ...string) transport {
	return func(*http.Request) (*http.Response, error) {
		resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
		for i := 0; i+1 < len(header); i += 2 {
			resp.Header.Set(header[i], header[i+1])
		}
		return resp, nil
	}
}

func coded(code int) transport { return answering(200, fmt.Sprintf(`{"code":%d}`, code)) }

// unreachable cannot send anything.
func unreachable(*http.Request) (*http.Response, error) { return nil, io.EOF }

// inTurn answers one request after the other, and the last for good. It counts
// the requests to both endpoints.
type inTurn struct {
	mu        sync.Mutex
	v1        []transport
	successor []transport
	asked     [2]int // V1, its successor
}

func (v *inTurn) RoundTrip(req *http.Request) (*http.Response, error) {
	v.mu.Lock()
	answers, n := v.v1, &v.asked[0]
	if req.URL.Path == ProfilePath {
		answers, n = v.successor, &v.asked[1]
	}
	*n++
	answer := answers[min(*n, len(answers))-1]
	v.mu.Unlock()
	return answer(req)
}

// testClient asks V1 alone as the product would, but does not make tests wait.
func testClient(transport http.RoundTripper, change ...func(*Config)) *Client {
	cfg := Config{
		Environment: schema.EnvironmentGlobal,
		Endpoint:    schema.PolicyPortrait,
		BaseURL:     "https://vendor.invalid",
		Token:       secret.New(token),
		MaxRPS:      1e6,
		Backoff:     time.Millisecond,
		UserAgent:   "kol-portrait-mcp/test",
		Transport:   transport,
	}
	for _, c := range change {
		c(&cfg)
	}
	return New(cfg)
}

func auto(cfg *Config) { cfg.Endpoint = schema.PolicyAuto }

// ledger is an Admit that notes what each admission was settled with.
type ledger struct {
	mu      sync.Mutex
	entries [][]bool
}

func (l *ledger) admit(context.Context) (func(bool), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.entries)
	l.entries = append(l.entries, nil)
	return func(charged bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.entries[n] = append(l.entries[n], charged)
	}, nil
}

// settled is what each admission was settled with, in order.
func (l *ledger) settled(t *testing.T) []bool {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	all := []bool{}
	for _, entry := range l.entries {
		require.Len(t, entry, 1, "settled exactly once")
		all = append(all, entry[0])
	}
	return all
}

func admitAll(context.Context) (func(bool), error) { return func(bool) {}, nil }

// refusal is the error of a call that must fail. Whatever it is, the last
// admission was settled as the error tells, and the others as free.
func refusal(ctx context.Context, t *testing.T, c *Client) (*schema.Error, int) {
	t.Helper()
	book := &ledger{}
	portrait, err := c.Portrait(ctx, someID, false, book.admit)
	assert.Nil(t, portrait)
	told, ok := errors.AsType[*schema.Error](err)
	require.True(t, ok, "%v", err)
	settled := book.settled(t)
	for i, charged := range settled {
		assert.Equal(t, told.Charged && i == len(settled)-1, charged)
	}
	assert.Equal(t, told.Retryable, told.RetryAfterSeconds > 0, "an agent that may repeat is told when")
	return told, len(settled)
}

// listen is a server below HTTP: it reads a request and leaves the connection
// to answer. It returns its base URL.
func listen(t *testing.T, answer func(net.Conn, *http.Request)) string {
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
				requests := bufio.NewReader(conn)
				for req, err := http.ReadRequest(requests); err == nil; req, err = http.ReadRequest(requests) {
					answer(conn, req)
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// dialling asks the vendor at an address over the Client's own transport.
func dialling(address string) *Client {
	return testClient(nil, func(cfg *Config) { cfg.BaseURL = address })
}

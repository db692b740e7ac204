package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// newRequest is the one place where the token leaves: in the query, as the
// vendor wants it. Its errors do not hold the address, which may carry a
// password.
func (c *Client) newRequest(ctx context.Context, e endpoint, kolID string, fresh bool) (*http.Request, error) {
	address, err := url.Parse(c.baseURL)
	if err != nil || address.Host == "" || address.Scheme != "https" && address.Scheme != "http" {
		return nil, errors.New("the vendor's address is not an http or https URL")
	}
	address = address.JoinPath(e.path)
	query := e.query(kolID, fresh)
	query.Set("token", c.token.value)
	address.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), unreplayable{})
	if err != nil {
		return nil, errors.New("the request cannot be built from the vendor's address")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	return req, nil
}

// unreplayable is a request body that ends at once. Nothing of it is sent, but
// having one keeps net/http from sending a GET a second time by itself where a
// kept-alive connection breaks before the answer: the vendor may have charged
// the first.
type unreplayable struct{}

// Read is at its end at once.
func (unreplayable) Read([]byte) (int, error) { return 0, io.EOF }

// Close does nothing.
func (unreplayable) Close() error { return nil }

// newTransport keeps connections alive for a burst of calls, but less long
// than servers do, so that a request seldom meets a connection that the other
// side is closing: it could not be sent again. HTTP/2 is left out: it would
// bring rules of its own for sending again, and nothing at a few requests a
// second.
func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  proxy,
		OnProxyConnectResponse: proxyAnswered,
		Protocols:              protocols,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        20 * time.Second,
	}
}

// proxy is the environment's, with an error that does not quote it: a proxy's
// address may carry a password.
func proxy(req *http.Request) (*url.URL, error) {
	address, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil, remark("the proxy that the environment names is not usable")
	}
	return address, nil
}

// proxyAnswered refuses what the transport would as well, but does not quote
// the proxy.
func proxyAnswered(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return remark("the proxy refused the connection")
	}
	return nil
}

package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"kol-portrait-mcp/schema"
)

// The paths of the vendor's two ways to ask for a portrait, whose data has the
// same form. The userId in that of V1's successor is that very word.
const (
	portraitPath = "/api/xiaohongshu-pgy/get-kol-fans-portrait/v1"
	profilePath  = "/api/xiaohongshu-pgy/api/solar/kol/data/userId/fans_profile/v1"
)

// errAddress does not hold the address, which may carry a password.
var errAddress = errors.New("its address is not an http or https URL")

// newRequest is the one place where the token leaves: in the query, as the
// vendor wants it.
func (c *Client) newRequest(ctx context.Context, e schema.Endpoint, kolID string, fresh bool) (*http.Request, error) {
	address, err := url.Parse(c.config.BaseURL)
	if err != nil || address.Host == "" || address.Scheme != "https" && address.Scheme != "http" {
		return nil, errAddress
	}
	path, query := portraitPath, url.Values{"kolId": {kolID}, "acceptCache": {strconv.FormatBool(!fresh)}}
	if e == schema.EndpointProfile {
		path, query = profilePath, url.Values{"userId": {kolID}} // it knows no acceptCache
	}
	query.Set("token", c.config.Token.Reveal())
	address = address.JoinPath(path)
	address.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), unreplayable{})
	if err != nil {
		return nil, errAddress
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.config.UserAgent)
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
// side is closing. It leaves out HTTP/2, which has rules of its own for sending
// again.
func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		Protocols:           protocols,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     20 * time.Second,
	}
}

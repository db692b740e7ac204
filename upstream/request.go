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

// The paths of the vendor's endpoints, V1 and its successor, which holds the very
// word userId. The data of both has the same form.
const (
	PortraitPath = "/api/xiaohongshu-pgy/get-kol-fans-portrait/v1"
	ProfilePath  = "/api/xiaohongshu-pgy/api/solar/kol/data/userId/fans_profile/v1"
)

// errAddress does not hold the address, which may carry a password.
var errAddress = errors.New("its address (JUSTONEAPI_BASE_URL) is not an http or https URL")

// newRequest is the one place where the token leaves: in the query, as the
// vendor wants it.
func (c *Client) newRequest(ctx context.Context, e schema.Endpoint, kolID string, fresh bool) (*http.Request, error) {
	address, err := url.Parse(c.config.BaseURL)
	if err != nil || address.Host == "" || address.Scheme != "https" && address.Scheme != "http" {
		return nil, errAddress
	}
	path, query := PortraitPath, url.Values{"kolId": {kolID}, "acceptCache": {strconv.FormatBool(!fresh)}}
	if e == schema.EndpointProfile {
		path, query = ProfilePath, url.Values{"userId": {kolID}} // it knows no acceptCache
	}
	query.Set("token", c.config.Token.Reveal())
	address = address.JoinPath(path)
	address.RawQuery = query.Encode()
	// A body, though nothing of it is sent, keeps net/http from sending a GET a
	// second time by itself where a kept-alive connection breaks before the answer:
	// the vendor may have charged the first.
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), io.NopCloser(http.NoBody))
	if err != nil {
		return nil, errAddress
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.config.UserAgent)
	return req, nil
}

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

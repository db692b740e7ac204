package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream/sample"
)

const someID = "5f3c1a2b0000000001009abc"

// roundTrip is a transport in one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answering is a transport that answers every request alike.
func answering(status int, body string) roundTrip {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

// counted counts the requests that transport gets.
func counted(requests *int, transport http.RoundTripper) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		*requests++
		return transport.RoundTrip(req)
	}
}

// testConfig asks as the product would in the global environment, but does not
// make tests wait, and asks V1 alone.
func testConfig(transport http.RoundTripper) Config {
	return Config{
		Environment: schema.EnvironmentGlobal,
		Endpoint:    schema.PolicyPortrait,
		BaseURL:     "https://vendor.invalid",
		Token:       sample.Token,
		Timeout:     time.Minute,
		MaxAttempts: 3,
		MaxRPS:      1e6,
		Backoff:     time.Millisecond,
		UserAgent:   "kol-portrait-mcp/test",
		Transport:   transport,
	}
}

// sampleClient is a Client of a simulated vendor of its own.
func sampleClient(t *testing.T, change func(*Config)) (*Client, *sample.Vendor) {
	t.Helper()
	vendor := sample.New()
	t.Cleanup(func() { require.NoError(t, vendor.Close()) })
	cfg := testConfig(vendor.Transport())
	if change != nil {
		change(&cfg)
	}
	return New(cfg), vendor
}

// refusal is the error of a call that must fail.
func refusal(ctx context.Context, t *testing.T, c *Client, kolID string) *schema.Error {
	t.Helper()
	collected, err := c.Portrait(ctx, kolID, false, nil)
	require.Error(t, err)
	assert.Nil(t, collected)
	told := (*schema.Error)(nil)
	require.ErrorAs(t, err, &told)
	require.NoError(t, errors.Unwrap(told), "what the transport said stays here")
	return told
}

func TestAddress(t *testing.T) {
	assert.Equal(t, "https://api.justoneapi.com", Address(schema.EnvironmentGlobal))
	assert.Equal(t, "http://47.117.133.51:30015", Address(schema.EnvironmentCN))
	assert.Empty(t, Address(schema.EnvironmentSample))
	assert.Empty(t, Address("elsewhere"))
}

func TestDefaults(t *testing.T) {
	c := New(Config{Environment: schema.EnvironmentCN, MaxAttempts: -1})
	assert.Equal(t, "http://47.117.133.51:30015", c.baseURL)
	assert.Equal(t, time.Minute, c.timeout)
	assert.Equal(t, 3, c.maxAttempts)
	assert.Equal(t, 500*time.Millisecond, c.backoff)
	assert.NotNil(t, c.transport)
	assert.NotNil(t, c.logger)
}

func TestRequestAsTheVendorWantsIt(t *testing.T) {
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = io.WriteString(w, `{"code":0,"data":{"gender":{"female":0.5}}}`)
	}))
	defer server.Close()
	for fresh, acceptCache := range map[bool]string{false: "true", true: "false"} {
		cfg := testConfig(nil)
		cfg.BaseURL, cfg.Token = server.URL+"/prefix/", "s3cr&t/+tok=en"
		_, err := New(cfg).Portrait(t.Context(), someID, fresh, nil)
		require.NoError(t, err)
		assert.Equal(t, http.MethodGet, got.Method)
		assert.Equal(t, "/prefix/api/xiaohongshu-pgy/get-kol-fans-portrait/v1", got.URL.Path)
		assert.Equal(t, "acceptCache="+acceptCache+"&kolId="+someID+"&token=s3cr%26t%2F%2Btok%3Den", got.URL.RawQuery)
		assert.Equal(t, "application/json", got.Header.Get("Accept"))
		assert.Equal(t, "kol-portrait-mcp/test", got.Header.Get("User-Agent"))
		assert.Empty(t, got.Header.Get("Referer"))
	}
}

func TestDocumentedPortrait(t *testing.T) {
	recorded, err := os.ReadFile("../testdata/documented-response.json")
	require.NoError(t, err)
	var response struct{ Data json.RawMessage }
	require.NoError(t, json.Unmarshal(recorded, &response))

	client, vendor := sampleClient(t, nil)
	before := time.Now().UTC().Truncate(time.Millisecond)
	got, err := client.Portrait(t.Context(), sample.DocumentedID, false, nil)
	require.NoError(t, err)

	assert.Equal(t, sample.DocumentedID, got.KOLID)
	assert.Equal(t, "2026-03-08", got.AsOf)
	assert.Equal(t, string(response.Data), string(got.Data))
	var want schema.Distributions
	require.NoError(t, json.Unmarshal(response.Data, &want))
	assert.Equal(t, want, got.Distributions)
	assert.Len(t, got.Distributions.Provinces, 36)

	assert.Equal(t, 1, vendor.Charged())
	assert.False(t, got.Source.RetrievedAt.Before(before))
	assert.Equal(t, time.UTC, got.Source.RetrievedAt.Location())
	assert.Zero(t, got.Source.RetrievedAt.Nanosecond()%int(time.Millisecond))
	assert.Regexp(t, `^sample-[0-9a-f]{16}$`, got.Source.RequestID)
	got.Source.RetrievedAt, got.Source.RequestID = time.Time{}, ""
	assert.Equal(t, schema.Source{
		Endpoint:    schema.EndpointPortrait,
		Deprecated:  true,
		Environment: schema.EnvironmentGlobal,
		Charged:     true,
		Sample:      true, // the simulated vendor says so, whatever the environment
	}, got.Source)
}

func TestWhatAPortraitCosts(t *testing.T) {
	tests := []struct {
		environment     schema.Environment
		header          string
		charged, sample bool
	}{
		{schema.EnvironmentGlobal, "", true, false},
		{schema.EnvironmentCN, "", true, false},
		{schema.EnvironmentCN, "true", true, true},
		{schema.EnvironmentGlobal, "false", true, false},
		{schema.EnvironmentSample, "", false, true},
	}
	for _, test := range tests {
		cfg := testConfig(roundTrip(func(req *http.Request) (*http.Response, error) {
			resp, err := answering(200, `{"code":0,"data":{"gender":{"female":0.5}}}`)(req)
			resp.Header.Set("X-Sample-Data", test.header)
			return resp, err
		}))
		cfg.Environment = test.environment
		got, err := New(cfg).Portrait(t.Context(), someID, false, nil)
		require.NoError(t, err)
		assert.Equal(t, test.charged, got.Source.Charged, test)
		assert.Equal(t, test.sample, got.Source.Sample, test)
	}
}

func TestRequestIDsThatAreNone(t *testing.T) {
	tests := map[string]string{
		`"Ab9._:-x"`: "Ab9._:-x", `""`: "", `null`: "", `7`: "", `"a b"`: "", `"a\nb"`: "", `"用"`: "",
		`"` + strings.Repeat("a", 128) + `"`: strings.Repeat("a", 128), `"` + strings.Repeat("a", 129) + `"`: "",
		`"x-` + sample.Token + `"`: "", `"c2FtcGxlLXRva2Vu"`: "", `"r.73616d706c652d746f6b656e"`: "",
	}
	for raw, want := range tests {
		client := New(testConfig(answering(200, `{"code":0,"requestId":`+raw+`,"data":{"gender":{"female":0.5}}}`)))
		got, err := client.Portrait(t.Context(), someID, false, nil)
		require.NoError(t, err, raw)
		assert.Equal(t, want, got.Source.RequestID, raw)
	}
}

func TestLegalPortraits(t *testing.T) {
	tests := map[string]string{ // id: asOf
		"sample-sparse": "", "sample-old": "2024-01-15", "sample-unknown-names": "2026-10-01",
	}
	client, _ := sampleClient(t, nil)
	for id, asOf := range tests {
		got, err := client.Portrait(t.Context(), id, false, nil)
		require.NoError(t, err, id)
		assert.Equal(t, asOf, got.AsOf, id)
	}
	sparse, err := client.Portrait(t.Context(), "sample-sparse", false, nil)
	require.NoError(t, err)
	assert.Nil(t, sparse.Distributions.Cities)
	assert.Nil(t, sparse.Distributions.Devices)
	assert.Nil(t, sparse.Distributions.Gender.Male)
	assert.InDelta(t, 0.7, *sparse.Distributions.Gender.Female, 0)
	unknown, err := client.Portrait(t.Context(), "sample-unknown-names", false, nil)
	require.NoError(t, err)
	assert.Equal(t, "50+", unknown.Distributions.Ages[4].Group)
}

func TestInventedPortraitsPassTheChecks(t *testing.T) {
	client, _ := sampleClient(t, nil)
	for _, id := range []string{"a", "kol-1", "sample-no-special", someID} {
		_, err := client.Portrait(t.Context(), id, false, nil)
		require.NoError(t, err, id)
	}
}

func TestWithoutATokenNothingIsAsked(t *testing.T) {
	client, vendor := sampleClient(t, func(cfg *Config) { cfg.Token = "" })
	got := refusal(t.Context(), t, client, someID)
	assert.Equal(t, schema.MissingToken, got.Kind)
	assert.Contains(t, got.Message, "JUSTONEAPI_TOKEN")
	assert.False(t, got.Retryable)
	assert.False(t, got.Charged)
	assert.Zero(t, vendor.Requests(someID))
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, address := range []string{"nowhere", "ftp://vendor.invalid", "https://", "http://user:pass word@vendor.invalid", "http://[::1"} {
		client, vendor := sampleClient(t, func(cfg *Config) { cfg.BaseURL = address })
		got := refusal(t.Context(), t, client, someID)
		assert.Equal(t, schema.Internal, got.Kind, address)
		assert.Equal(t, "The vendor cannot be asked: the vendor's address is not an http or https URL. "+
			"Check the vendor's address that this server is configured with (JUSTONEAPI_BASE_URL).", got.Message)
		assert.Zero(t, vendor.Requests(someID))
	}
}

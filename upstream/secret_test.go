package upstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream/sample"
)

// awkward is a token that looks different in a URL, in JSON and in Go source.
const awkward = `s3cr&t/+tok=en"é`

// spellings are how a token can show up: bare, in URLs, JSON and Go source.
func spellings(token string) []string {
	inJSON, _ := json.Marshal(token)
	return []string{token, url.QueryEscape(token), url.PathEscape(token), strings.Trim(string(inJSON), `"`), strings.Trim(fmt.Sprintf("%q", token), `"`)}
}

func assertSecret(t *testing.T, token, text string) {
	t.Helper()
	for _, spelling := range spellings(token) {
		assert.NotContains(t, text, spelling)
	}
}

func TestTokenIsNeverPrinted(t *testing.T) {
	cfg := testConfig(nil)
	cfg.Token = awkward
	client := New(cfg)
	nested := struct {
		Config Config
		Client *Client
		client *Client // fmt calls no methods on it, and shows what it points to
	}{cfg, client, client}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{cfg, &cfg, client, nested, client.token, []any{cfg, client}, map[string]any{"c": client.token}} {
			text := fmt.Sprintf(verb, value)
			assertSecret(t, awkward, text)
			assert.NotContains(t, text, fmt.Sprintf("%x", awkward))
		}
	}
	for _, value := range []any{cfg, &cfg, client.token, nested} {
		encoded, err := json.Marshal(value)
		if err == nil { // a Logger or Transport has no JSON form at all
			assertSecret(t, awkward, string(encoded))
		}
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("start", "config", cfg, "client", client, "token", client.token)
	}
	assert.Contains(t, log.String(), "upstream global")
	assertSecret(t, awkward, log.String())
}

// Every way to fail, with a vendor and a network that echo the token wherever
// they can.
func TestTokenIsInNoErrorAndNoLog(t *testing.T) {
	for _, token := range []string{awkward, "plain-token-1234", "short"} {
		ways := map[string]http.RoundTripper{
			"transport error": roundTrip(func(req *http.Request) (*http.Response, error) {
				return nil, &url.Error{Op: "Get", URL: req.URL.String(), Err: errors.New("no route for " + req.URL.RawQuery + token)}
			}),
			"quoted by the transport": roundTrip(func(*http.Request) (*http.Response, error) {
				return nil, fmt.Errorf("malformed HTTP response %q", token)
			}),
			"body that fails": roundTrip(func(req *http.Request) (*http.Response, error) {
				reader, writer := io.Pipe()
				_ = writer.CloseWithError(&url.Error{Op: "read", URL: req.URL.String(), Err: errors.New("reset " + url.PathEscape(token))})
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: reader}, nil
			}),
			"redirect": roundTrip(func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {req.URL.String()}}, Body: http.NoBody}, nil
			}),
		}
		quoted, err := json.Marshal(token + " " + url.QueryEscape(token))
		require.NoError(t, err)
		for _, body := range []string{
			`{"code":400,"message":%s}`, `{"code":301,"message":%s,"requestId":%[1]s}`, `{"code":777,"message":%s}`,
			`{"code":0,"requestId":%s,"data":{}}`, `{"code":0,"data":{"ages":%s}}`, `{"code":0,"data":{"ages":[{"group":%s,"percent":7}]}}`,
			`{"code":0,"data":{"cities":[{"name":%s,"percent":0},{"name":%[1]s,"percent":0}]}}`, `%s`, `{"code":%s}`, `{%s`,
		} {
			for _, status := range []int{200, 400, 500} {
				ways[fmt.Sprintf("HTTP %d %s", status, body)] = answering(status, fmt.Sprintf(body, quoted))
			}
		}
		for _, special := range sample.IDs() {
			if strings.HasPrefix(special.ID, "sample-slow") || special.ID == "sample-stall" || special.ID == "sample-retry-after" {
				continue // they take their time, and end in a portrait or a timeout
			}
			vendor := sample.New()
			vendor.Token = token
			t.Cleanup(func() { require.NoError(t, vendor.Close()) })
			ways[special.ID] = vendor.Transport()
		}
		for name, transport := range ways {
			t.Run(name, func(t *testing.T) {
				var log bytes.Buffer
				cfg := testConfig(transport)
				cfg.Token = token
				cfg.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))
				collected, err := New(cfg).Portrait(t.Context(), name, false)
				if err != nil {
					told, encodeErr := json.Marshal(err)
					require.NoError(t, encodeErr)
					assertSecret(t, token, fmt.Sprintf("%v %+v %#v %s", err, err, err, told))
				} else {
					assertSecret(t, token, fmt.Sprintf("%+v", collected)+string(collected.Data))
				}
				assert.Contains(t, log.String(), `"kolId":`)
				assertSecret(t, token, log.String())
			})
		}
	}
}

func TestEchoedTokenIsTakenOut(t *testing.T) {
	client, _ := sampleClient(t, nil)
	got := refusal(t.Context(), t, client, "sample-echo-token")
	assert.Contains(t, got.Message, "with token *** (***)")
	assert.Equal(t, 400, got.UpstreamCode)
}

func TestStoredDataNeverHoldsTheToken(t *testing.T) {
	cfg := testConfig(answering(200, `{"code":0,"data":{"gender":{"female":0.5},"debug":"token=sample-token"}}`))
	got, err := New(cfg).Portrait(t.Context(), someID, false)
	require.NoError(t, err)
	assert.JSONEq(t, `{"gender":{"female":0.5},"debug":"token=***"}`, string(got.Data))

	for _, data := range []string{
		`{"gender":{"female":0.5},"debug":"\u0073ample-token"}`,
		`{"gender":{"female":0.5},"deep":[{"\u0073ample-token":1e999}]}`,
		`{"cities":[{"name":"\u0073ample-token","percent":0.5}]}`,
	} {
		told := refusal(t.Context(), t, New(testConfig(answering(200, `{"code":0,"data":`+data+`}`))), someID)
		assert.Equal(t, schema.BadResponse, told.Kind)
		assert.Contains(t, told.Message, "data holds the token")
		assert.True(t, told.Charged)
	}
}

// What is short occurs by chance: data is not damaged for it.
func TestShortTokensLeaveDataAlone(t *testing.T) {
	cfg := testConfig(answering(200, `{"code":0,"data":{"gender":{"female":0.5},"debug":"a name with 0.5"}}`))
	cfg.Token = "0.5"
	got, err := New(cfg).Portrait(t.Context(), someID, false)
	require.NoError(t, err)
	assert.JSONEq(t, `{"gender":{"female":0.5},"debug":"a name with 0.5"}`, string(got.Data))
}

func TestLog(t *testing.T) {
	var log bytes.Buffer
	client, _ := sampleClient(t, func(cfg *Config) {
		cfg.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	_, err := client.Portrait(t.Context(), "sample-code-301-twice", false)
	require.NoError(t, err)
	type line struct {
		Level, Msg, KOLID, Outcome, Kind string
		Attempt, Code                    int
		Duration, Delay                  int64
	}
	var lines []line
	decoder := json.NewDecoder(&log)
	for decoder.More() {
		var l line
		require.NoError(t, decoder.Decode(&l))
		assert.Equal(t, l.Level == "WARN", l.Delay > 0)
		assert.Equal(t, l.Level == "DEBUG", l.Duration > 0)
		l.Duration, l.Delay = 0, 0
		lines = append(lines, l)
	}
	const id = "sample-code-301-twice"
	assert.Equal(t, []line{
		{Level: "DEBUG", Msg: "asked the vendor", KOLID: id, Attempt: 1, Outcome: "collection_failed"},
		{Level: "WARN", Msg: "asking the vendor again", KOLID: id, Attempt: 1, Kind: "collection_failed", Code: 301},
		{Level: "DEBUG", Msg: "asked the vendor", KOLID: id, Attempt: 2, Outcome: "collection_failed"},
		{Level: "WARN", Msg: "asking the vendor again", KOLID: id, Attempt: 2, Kind: "collection_failed", Code: 301},
		{Level: "DEBUG", Msg: "asked the vendor", KOLID: id, Attempt: 3, Outcome: "success"},
	}, lines)
}

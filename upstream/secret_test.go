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
	inJSON, err := json.Marshal(token)
	if err != nil {
		panic(err)
	}
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
		ways["names of members"] = answering(200, fmt.Sprintf(`{"code":0,"data":{"ages":[{%s:1}]}}`, quoted))
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
				cfg.Token, cfg.Endpoint = token, schema.PolicyAuto
				cfg.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))
				collected, err := New(cfg).Portrait(t.Context(), name, false, nil)
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

func TestTokenInOtherSpellingsIsTakenOut(t *testing.T) {
	tests := map[string]string{
		"a " + awkward + " b":                               `a *** b`,
		`a s3cr%2526t%252F%252Btok%253Den%2522%25C3%25A9 b`: `a *** b`,
		`a s3cr&amp;t/+tok=en&quot;é b`:                     `a *** b`,
		`a czNjciZ0Lyt0b2s9ZW4iw6k= b`:                      `a *** b`,
		// Spelled as nobody does, so that only the whole can go.
		`a s3cr%26t%2f%2Btok%3Den%22%c3%A9 b`:    `***`,
		`a s3cr&#x26;t&#47;+tok=en&#34;é b`:      `***`,
		`a 7333637226742f2b746f6b3d656e22C3a9 b`: `***`,
	}
	for said, want := range tests {
		quoted, err := json.Marshal(said)
		require.NoError(t, err)
		cfg := testConfig(answering(200, fmt.Sprintf(`{"code":400,"message":%s,"requestId":%[1]s}`, quoted)))
		cfg.Token = awkward
		got := refusal(t.Context(), t, New(cfg), someID)
		assert.Contains(t, got.Message, fmt.Sprintf("(code 400): %q. ", want), said)
		assert.Empty(t, got.RequestID)
	}
}

func TestDataNeverHoldsTheToken(t *testing.T) {
	for name, data := range map[string]string{
		"unknown member":       `{"gender":{"female":0.5},"debug":"token=sample-token"}`,
		"escaped":              `{"gender":{"female":0.5},"debug":"\u0073ample-token"}`,
		"deep":                 `{"gender":{"female":0.5},"deep":[1e999,{"a":{},"b":[[],"\u0073ample-token"]}]}`,
		"after a list":         `{"gender":{"female":0.5},"deep":[{"a":[]},"sample-token"],"x":1}`,
		"given twice":          `{"gender":{"female":0.5},"x":"sample-token","x":1}`,
		"name":                 `{"cities":[{"name":"\u0073ample-token","percent":0.5}]}`,
		"desc":                 `{"devices":[{"name":"a","desc":"sample-token","percent":0.5}]}`,
		"date":                 `{"gender":{"female":0.5},"dateKey":"sample-token"}`,
		"percent-encoded":      `{"gender":{"female":0.5},"url":"https://x/?token=sample%2dtoken"}`,
		"base64":               `{"gender":{"female":0.5},"debug":"c2FtcGxlLXRva2Vu"}`,
		"as HTML":              `{"gender":{"female":0.5},"debug":"sample&#45;token"}`,
		"under the name of it": `{"gender":{"female":0.5},"sample-token":"sample-token"}`,
	} {
		t.Run(name, func(t *testing.T) {
			told := refusal(t.Context(), t, New(testConfig(answering(200, `{"code":0,"data":`+data+`}`))), someID)
			assert.Equal(t, schema.BadResponse, told.Kind)
			assert.Contains(t, told.Message, "data holds the token. The vendor charged this call. ")
			assert.True(t, told.Charged)
		})
	}
}

// A paid answer is not damaged or refused for what only looks like the token.
func TestTokensThatOccurByChance(t *testing.T) {
	tests := map[string]struct{ token, data string }{
		"short":               {"0.5", `{"gender":{"female":0.5},"debug":"a name with 0.5"}`},
		"digits in a number":  {"123456789", `{"gender":{"female":0.1234567891}}`},
		"a member's name":     {"interests", `{"interests":[{"name":"美食","percent":0.5}]}`},
		"a name, and escapes": {"interests", `{"interests":[{"name":"\u7f8e食 100%","percent":0.5}],"x":{"interests":[]}}`},
		"a part of one":       {"rovinces", `{"provinces":[{"name":"广东","percent":0.5}],"x":"a & b"}`},
		"a name after a list": {"provinces", `{"cities":[{"name":"a\/b","percent":0.5}],"provinces":[{"name":"广东","percent":0.5}]}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(answering(200, `{"code":0,"data":`+test.data+`}`))
			cfg.Token = test.token
			got, err := New(cfg).Portrait(t.Context(), someID, false, nil)
			require.NoError(t, err)
			assert.Equal(t, test.data, string(got.Data), "byte for byte")
		})
	}
}

func TestLog(t *testing.T) {
	var log bytes.Buffer
	client, _ := sampleClient(t, func(cfg *Config) {
		cfg.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	_, err := client.Portrait(t.Context(), "sample-code-301-twice", false, nil)
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

func TestTokenAsTheNameOfAMember(t *testing.T) {
	tests := map[string]struct {
		token string
		found bool
	}{
		"one that is nobody's word":    {"tok-5d1f0a9e7c3b2846", true},
		"one that could be any member": {"provinces", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(answering(200, fmt.Sprintf(`{"code":0,"data":{"gender":{"female":0.5},"extra":{%q:1}}}`, test.token)))
			cfg.Token = test.token
			_, err := New(cfg).Portrait(t.Context(), someID, false, nil)
			assert.Equal(t, test.found, err != nil)
		})
	}
}

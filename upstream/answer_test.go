package upstream

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
)

// What an answer without a portrait means: what is told, whether it may have
// been charged, and whether it is asked for again (three times in all).
func TestAnswersWithoutAPortrait(t *testing.T) {
	const (
		free    = "free"             // and final
		retried = "free, retried"    // the Client asks again, and then the caller may
		pause   = "free, not now"    // the caller may ask again
		unsure  = "charged, not now" // or may have been
		doubted = "charged"          // or may have been, and final
	)
	for _, test := range []struct {
		status  int
		body    string
		kind    schema.Kind
		outcome string
		message string // a part
	}{
		{200, `{"code":100,"message":"Invalid or inactive token"}`, schema.InvalidToken, free, `invalid or inactive (code 100): "Invalid or inactive token".`},
		{200, `{"code":101}`, schema.UpstreamRejected, free, "does not document (code 101)."},
		{200, `{"code":202}`, schema.UpstreamRejected, free, "(code 202)."},
		{200, `{"code":300}`, schema.EndpointRemoved, free, "no longer serves this endpoint (code 300)."},
		{200, `{"code":301,"message":"Collection failed. Please retry."}`, schema.CollectionFailed, retried,
			`The vendor could not collect this KOL's portrait (code 301): "Collection failed. Please retry.", after 3 attempts.`},
		{200, `{"code":302}`, schema.RateLimited, retried, "(code 302), after 3 attempts."},
		{200, `{"code":303}`, schema.DailyQuotaExceeded, pause, "its next day starts at 00:00 in Shanghai (code 303)."},
		{200, `{"code":400}`, schema.UpstreamRejected, free, "probably does not know this KOL id (code 400)."},
		{200, `{"code":404}`, schema.EndpointRemoved, free, "(code 404)"},
		{200, `{"code":500}`, schema.UpstreamError, retried, "(code 500)"},
		{200, `{"code":503}`, schema.UpstreamError, retried, "(code 503)"},
		{200, `{"code":600}`, schema.PermissionDenied, free, "(code 600)"},
		{200, `{"code":601}`, schema.InsufficientBalance, free, "(code 601)."},
		{200, `{"code":602}`, schema.InsufficientBalance, free, "(code 602)."},
		{200, `{"code":-7,"message":7}`, schema.UpstreamRejected, free, "(code -7)."},
		// The code counts more than the status.
		{400, `{"code":400}`, schema.UpstreamRejected, free, "(code 400)"},
		{429, `{"code":302}`, schema.RateLimited, retried, "(code 302)"},
		{504, `{"code":601}`, schema.InsufficientBalance, free, "(code 601)"},
		{200, "\ufeff{\"code\":600}\n", schema.PermissionDenied, free, "(code 600)"},
		// Without one the status does.
		{300, "", schema.BadResponse, doubted, "(HTTP 300)"},
		{302, "", schema.UpstreamError, free, "(JUSTONEAPI_ENV, JUSTONEAPI_BASE_URL) redirects"},
		{308, "", schema.UpstreamError, free, "(HTTP 308)"},
		{400, "Oops", schema.UpstreamRejected, free, "(HTTP 400)."},
		{401, "Oops", schema.InvalidToken, free, "(HTTP 401)"},
		{403, `{"status":403}`, schema.PermissionDenied, free, "(HTTP 403)"},
		{404, "[]", schema.EndpointRemoved, free, "The vendor's address has no such endpoint (HTTP 404)."},
		{410, "", schema.EndpointRemoved, free, "(HTTP 410)"},
		{418, `{"code":"teapot"}`, schema.UpstreamRejected, free, "(HTTP 418)"},
		{429, "Oops", schema.RateLimited, retried, "(HTTP 429), after 3 attempts"},
		{500, `{"Code":0}`, schema.UpstreamError, retried, "(HTTP 500)"},
		{503, `[{"code":0`, schema.UpstreamError, retried, "(HTTP 503)"},
		{521, "", schema.UpstreamError, retried, "(HTTP 521)"},
		{408, "", schema.Timeout, unsure, "gave up"},
		{499, "", schema.Timeout, unsure, "gave up"},
		{502, "", schema.UpstreamError, unsure, "lost its answer (HTTP 502). The vendor may still complete this call"},
		{504, "", schema.Timeout, unsure, "(HTTP 504)"},
		{524, "", schema.Timeout, unsure, "(HTTP 524)"},
		{101, good, schema.BadResponse, doubted, "(HTTP 101)"},
		{600, "", schema.BadResponse, doubted, "(HTTP 600)"},
		// Nobody knows what became of these.
		{200, "", schema.BadResponse, doubted, "it is not a JSON object. The vendor may have charged this call."},
		{200, "<!DOCTYPE html>", schema.BadResponse, doubted, "it is not a JSON object"},
		{200, `[{"code":0}]`, schema.BadResponse, doubted, "it is not a JSON object"},
		{200, `{"data":{}}`, schema.BadResponse, doubted, "it has no code"},
		{200, `{"code":"null"}`, schema.BadResponse, doubted, "it has no code"},
		{503, `{"code":503}x`, schema.BadResponse, doubted, "its JSON is damaged"},
		{401, `{Oops}`, schema.BadResponse, doubted, "its JSON is damaged"},
		{503, `{"message":tru`, schema.Network, unsure, "broke off. The vendor may still complete this call"},
		{404, `{`, schema.Network, unsure, "broke off"},
		{200, `{"code":301,"mess`, schema.Network, unsure, "broke off"},
		{200, `{"code":0,"data":"` + strings.Repeat("x", maxBody), schema.BadResponse, doubted, "it is larger than 4 MiB"},
	} {
		t.Run(fmt.Sprintf("HTTP %d %.40s", test.status, test.body), func(t *testing.T) {
			got, asked := refusal(t.Context(), t, testClient(answering(test.status, test.body)))
			assert.Equal(t, test.kind, got.Kind)
			assert.Contains(t, got.Message, test.message)
			assert.NotContains(t, got.Message, "Oops")
			assert.Equal(t, test.outcome == unsure || test.outcome == doubted, got.Charged)
			assert.Equal(t, test.outcome != free && test.outcome != doubted, got.Retryable)
			assert.Equal(t, map[bool]int{true: 3, false: 1}[test.outcome == retried], asked)
			if got.Charged && got.Retryable {
				assert.Equal(t, 180, got.RetryAfterSeconds)
			}
		})
	}
}

// Code 0 is a portrait, whatever its data is, under whatever status.
func TestPaidAnswersAreKeptAsTheyCame(t *testing.T) {
	for _, test := range []struct{ name, body, data string }{
		{"whole", good, `{"gender":{"male":0.4,"female":0.6},"dateKey":"2026-03-08"}`},
		{"behind a byte order mark and in white space", "\ufeff \r\n" + good + "\n", `{"gender":{"male":0.4,"female":0.6},"dateKey":"2026-03-08"}`},
		{"data first, white space inside", "{\"data\": {\"a\" : 1 } ,\"code\":0}", `{"a" : 1 }`},
		{"no data", `{"code":0}`, ""},
		{"data null", `{"code":0,"data":null}`, "null"},
		{"data empty", `{"code":0,"data":{}}`, "{}"},
		{"data of another type", `{"code":0,"data":"x"}`, `"x"`},
		{"text after the JSON", good + "x", `{"gender":{"male":0.4,"female":0.6},"dateKey":"2026-03-08"}`},
		{"JSON after the JSON", `{"code":0,"data":[1]}{"code":301}`, "[1]"},
		{"a repeated member inside", `{"code":0,"data":{"a":1,"a":2}}`, `{"a":1,"a":2}`},
		{"a repeated message", `{"code":0,"message":1,"message":2,"data":{"a":1}}`, `{"a":1}`},
		{"another code behind", `{"code":0,"data":{"a":1},"code":503}`, `{"a":1}`},
		{"another code in front", `{"code":503,"data":{"a":1},"code":0}`, `{"a":1}`},
		{"odd UTF-8", "{\"code\":0,\"data\":{\"a\":\"\xff\\ud800\"}}", "{\"a\":\"\xff\\ud800\"}"},
		{"not JSON inside", `{"code":0,"data":{"a":NaN},"requestId":"r"}`, `{"a":NaN},"requestId":"r"}`},
		{"not JSON in front of data", `{"code":0,"message":oops,"data":{"a":1}}`, `oops,"data":{"a":1}}`},
		{"not JSON behind data", `{"code":0,"data":{"a":1},"requestId":oops}`, `{"a":1}`},
		{"broken off behind something that can be read", `{"code":0,"data":{"gender":{"male":0.4},"ag`, `{"gender":{"male":0.4},"ag`},
		{"nested too deep", `{"code":0,"data":` + strings.Repeat("[", 20_000), strings.Repeat("[", 20_000)},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, status := range []int{200, 503, 600} {
				book := &ledger{}
				got, err := testClient(answering(status, test.body)).Portrait(t.Context(), someID, true, book.admit)
				require.NoError(t, err)
				assert.Equal(t, test.data, string(got.Data))
				assert.Equal(t, []bool{true}, book.settled(t))
				reading := Read(got.Data)
				assert.NotEqual(t, reading.Distributions.IsEmpty(), !reading.Empty && reading.Fault == "", "something, nothing, or a fault")
			}
		})
	}
}

// Nothing of these can be read, so they are no portrait to keep.
func TestPaidAnswersThatBreakOffTooEarly(t *testing.T) {
	for _, body := range []string{`{"code":0`, `{"code":0,`, `{"code":0,"data":`, `{"code":0,"data":{"ag`} {
		got, asked := refusal(t.Context(), t, testClient(answering(200, body)))
		assert.Equal(t, schema.Network, got.Kind, body)
		assert.True(t, got.Charged, body)
		assert.Equal(t, 1, asked, body)
	}
}

func TestTheLargestAnswerIsKept(t *testing.T) {
	frame := `{"code":0,"data":{"gender":{"female":0.5}},"padding":"%s"}`
	fill := strings.Repeat("x", maxBody-len(frame)+len("%s"))
	_, err := testClient(answering(200, fmt.Sprintf(frame, fill))).Portrait(t.Context(), someID, false, admitAll)
	require.NoError(t, err)
	got, _ := refusal(t.Context(), t, testClient(answering(200, fmt.Sprintf(frame, fill+"x"))))
	assert.Contains(t, got.Message, "larger than 4 MiB")
}

func TestPortraitSaysWhereItIsFrom(t *testing.T) {
	documented, err := os.ReadFile("../testdata/documented-response.json")
	require.NoError(t, err)
	for _, test := range []struct {
		name        string
		environment schema.Environment
		header      []string
		sample      bool
	}{
		{"the vendor", schema.EnvironmentCN, nil, false},
		{"a simulated vendor behind an address", schema.EnvironmentGlobal, []string{"X-Sample-Data", "true"}, true},
		{"the sample environment", schema.EnvironmentSample, nil, true},
	} {
		start := time.Now()
		c := testClient(answering(200, string(documented), test.header...), func(cfg *Config) { cfg.Environment = test.environment })
		got, err := c.Portrait(t.Context(), someID, true, admitAll)
		require.NoError(t, err)
		assert.WithinRange(t, got.RetrievedAt, start.Add(-time.Millisecond), time.Now())
		assert.Equal(t, got.RetrievedAt.UTC().Truncate(time.Millisecond), got.RetrievedAt)
		assert.True(t, strings.Contains(string(documented), string(got.Data)) && len(got.Data) > 5000)
		got.RetrievedAt, got.Data = time.Time{}, nil
		assert.Equal(t, &schema.Portrait{KOLID: someID, Fresh: true, Endpoint: schema.EndpointPortrait, Environment: test.environment, Sample: test.sample}, got, test.name)
	}
}

// Play money is charged as money is.
func TestSampleEnvironmentTellsChargesToo(t *testing.T) {
	for _, status := range []int{502, 504, 200} {
		got, _ := refusal(t.Context(), t, testClient(answering(status, ""), func(cfg *Config) { cfg.Environment = schema.EnvironmentSample }))
		assert.True(t, got.Charged)
	}
}

func TestRequestID(t *testing.T) {
	for sent, want := range map[string]string{
		`"a-B_9.:x"`: "a-B_9.:x", `7`: "", `null`: "", `"a b"`: "", `"é"`: "", `"<script>"`: "",
		`"` + strings.Repeat("a", 128) + `"`: strings.Repeat("a", 128), `"` + strings.Repeat("a", 129) + `"`: "",
	} {
		got, err := testClient(answering(200, `{"code":0,"requestId":`+sent+`}`)).Portrait(t.Context(), someID, false, admitAll)
		require.NoError(t, err)
		assert.Equal(t, want, got.RequestID)
		failed, _ := refusal(t.Context(), t, testClient(answering(200, `{"code":600,"requestId":`+sent+`}`)))
		assert.Equal(t, want, failed.RequestID)
		assert.Equal(t, 600, failed.UpstreamCode)
	}
}

func TestVendorsMessageIsQuotedShortAndSafe(t *testing.T) {
	for sent, want := range map[string]string{
		`"two\n\tlines  here"`:               `"two lines here"`,
		`"\u001b[31mred\u202e \u200bhidden"`: `"\x1b[31mred\u202e \u200bhidden"`,
		`"say \"hi\""`:                       `"say \"hi\""`,
		`"` + strings.Repeat("长", 300) + `"`: `"` + strings.Repeat("长", 200) + `..."`,
	} {
		got, _ := refusal(t.Context(), t, testClient(answering(200, `{"code":600,"message":`+sent+`}`)))
		assert.Contains(t, got.Message, "(code 600): "+want+".")
	}
}

func TestDailyQuotaEndsWithTheVendorsDay(t *testing.T) {
	got, _ := refusal(t.Context(), t, testClient(coded(303)))
	left := time.Until(schema.NextDay(time.Now())).Seconds()
	assert.InDelta(t, left, got.RetryAfterSeconds, 2)
}

func TestRequestIsAsTheVendorWantsIt(t *testing.T) {
	for _, test := range []struct {
		policy schema.EndpointPolicy
		fresh  bool
		path   string
		query  string
	}{
		{schema.PolicyPortrait, false, "/api/xiaohongshu-pgy/get-kol-fans-portrait/v1", "acceptCache=true&kolId=" + someID + "&token=sample-token"},
		{schema.PolicyPortrait, true, "/api/xiaohongshu-pgy/get-kol-fans-portrait/v1", "acceptCache=false&kolId=" + someID + "&token=sample-token"},
		{schema.PolicyProfile, true, "/api/xiaohongshu-pgy/api/solar/kol/data/userId/fans_profile/v1", "token=sample-token&userId=" + someID},
	} {
		var got *http.Request
		c := testClient(transport(func(req *http.Request) (*http.Response, error) {
			got = req
			return answering(200, good)(req)
		}), func(cfg *Config) {
			cfg.BaseURL, cfg.Endpoint, cfg.Token = "http://host:81/prefix/", test.policy, secret.New("sample-token")
		})
		_, err := c.Portrait(t.Context(), someID, test.fresh, admitAll)
		require.NoError(t, err)
		assert.Equal(t, "http://host:81/prefix"+test.path+"?"+test.query, got.URL.String())
		assert.Equal(t, http.MethodGet, got.Method)
		assert.Equal(t, http.Header{"Accept": {"application/json"}, "User-Agent": {"kol-portrait-mcp/test"}}, got.Header)
	}
}

func TestAddress(t *testing.T) {
	assert.Equal(t, "https://api.justoneapi.com", Address(schema.EnvironmentGlobal))
	assert.Equal(t, "http://47.117.133.51:30015", Address(schema.EnvironmentCN))
	assert.Empty(t, Address(schema.EnvironmentSample))
}

func TestClientThatCannotWork(t *testing.T) {
	got, asked := refusal(t.Context(), t, testClient(coded(600), func(cfg *Config) { cfg.Token = secret.Secret{} }))
	assert.Equal(t, schema.MissingToken, got.Kind)
	assert.Equal(t, "No Just One API token is configured.", got.Message)
	assert.Zero(t, asked)
	for _, address := range []string{"nowhere", "ftp://host", "http://", "http://user:pass word@host:x", "://"} {
		got, asked = refusal(t.Context(), t, testClient(coded(600), func(cfg *Config) { cfg.BaseURL = address }))
		assert.Equal(t, schema.Internal, got.Kind)
		assert.Contains(t, got.Message, "JUSTONEAPI_BASE_URL")
		assert.NotContains(t, got.Message, "pass")
		assert.Zero(t, asked)
	}
}

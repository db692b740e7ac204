package upstream

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

func TestBusinessCodes(t *testing.T) {
	tests := []struct {
		code      int
		kind      schema.Kind
		retryable bool
		attempts  int
		message   string // its beginning
	}{
		{100, schema.InvalidToken, false, 1, `The vendor does not accept the token: it is invalid or inactive (code 100): "Invalid or inactive token". Check`},
		{101, schema.UpstreamRejected, false, 1, `The vendor refused the request for a reason that it does not document (code 101). `},
		{202, schema.UpstreamRejected, false, 1, `The vendor refused the request for a reason that it does not document (code 202). `},
		{300, schema.EndpointRemoved, false, 1, `The vendor no longer serves this endpoint (code 300). `},
		{301, schema.CollectionFailed, true, 3, `The vendor could not collect this KOL's portrait (code 301): "Collection failed. Please retry.", after 3 attempts. Call again in a few minutes`},
		{302, schema.RateLimited, true, 3, `The vendor's rate limit is exceeded (code 302): "Rate limit exceeded", after 3 attempts. Call again later`},
		{303, schema.DailyQuotaExceeded, true, 1, `The vendor's daily quota for this token is used up (code 303): "Daily quota exceeded". Call again after 00:00 in Shanghai`},
		{400, schema.UpstreamRejected, false, 1, `The vendor calls the request invalid: it probably does not know this KOL id (code 400): "Invalid parameters". Check`},
		{404, schema.EndpointRemoved, false, 1, `The vendor no longer serves this endpoint (code 404). `},
		{500, schema.UpstreamError, true, 3, `The vendor failed inside (code 500): "Internal server error", after 3 attempts. `},
		{503, schema.UpstreamError, true, 3, `The vendor's service is not available (code 503): "Service unavailable", after 3 attempts. `},
		{600, schema.PermissionDenied, false, 1, `The token may not use this endpoint (code 600): "Permission denied". `},
		{601, schema.InsufficientBalance, false, 1, `The vendor account's balance is too low (code 601): "Insufficient balance". Top up`},
		{602, schema.InsufficientBalance, false, 1, `The vendor account's balance is too low (code 602): "Insufficient balance". Top up`},
		{777, schema.UpstreamRejected, false, 1, `The vendor refused the request with a code that is not known (code 777). `},
	}
	for _, test := range tests {
		t.Run(strconv.Itoa(test.code), func(t *testing.T) {
			client, vendor := sampleClient(t, nil)
			id := fmt.Sprintf("sample-code-%d", test.code)
			got := refusal(t.Context(), t, client, id)
			assert.Equal(t, test.kind, got.Kind)
			assert.Equal(t, test.retryable, got.Retryable)
			assert.Equal(t, test.code, got.UpstreamCode)
			assert.False(t, got.Charged)
			assert.NotEmpty(t, got.RequestID)
			assert.Truef(t, strings.HasPrefix(got.Message, test.message), "message: %s", got.Message)
			assert.Equal(t, test.attempts, vendor.Requests(id))
			assert.Equal(t, test.retryable, got.RetryAfterSeconds > 0, "an agent that may repeat is told when")
		})
	}
}

func TestCodeCountsMoreThanTheStatus(t *testing.T) {
	tests := map[string]struct {
		kind     schema.Kind
		attempts int
	}{
		"sample-status-400-code-400": {schema.UpstreamRejected, 1},
		"sample-status-401-code-100": {schema.InvalidToken, 1},
		"sample-status-403-code-600": {schema.PermissionDenied, 1},
		"sample-status-429-code-302": {schema.RateLimited, 3},
		"sample-status-500-code-500": {schema.UpstreamError, 3},
		"sample-status-503-code-503": {schema.UpstreamError, 3},
	}
	for id, test := range tests {
		client, vendor := sampleClient(t, nil)
		got := refusal(t.Context(), t, client, id)
		assert.Equal(t, test.kind, got.Kind, id)
		assert.NotZero(t, got.UpstreamCode, id)
		assert.Equal(t, test.attempts, vendor.Requests(id), id)
	}
	client := New(testConfig(answering(500, `{"code":0,"data":{"gender":{"female":0.5}}}`)))
	_, err := client.Portrait(t.Context(), someID, false, nil)
	require.NoError(t, err)
	client = New(testConfig(answering(500, `{"code":601}`)))
	assert.Equal(t, schema.InsufficientBalance, refusal(t.Context(), t, client, someID).Kind)
}

func TestStatusesWithoutAnEnvelope(t *testing.T) {
	tests := []struct {
		status    int
		kind      schema.Kind
		retryable bool
		charged   bool
		attempts  int
	}{
		{300, schema.BadResponse, false, true, 1},
		{301, schema.UpstreamError, false, false, 1},
		{302, schema.UpstreamError, false, false, 1},
		{303, schema.UpstreamError, false, false, 1},
		{304, schema.BadResponse, false, true, 1},
		{305, schema.BadResponse, false, true, 1},
		{307, schema.UpstreamError, false, false, 1},
		{308, schema.UpstreamError, false, false, 1},
		{400, schema.UpstreamRejected, false, false, 1},
		{401, schema.InvalidToken, false, false, 1},
		{403, schema.PermissionDenied, false, false, 1},
		{404, schema.EndpointRemoved, false, false, 1},
		{410, schema.EndpointRemoved, false, false, 1},
		{418, schema.UpstreamRejected, false, false, 1},
		{429, schema.RateLimited, true, false, 3},
		{500, schema.UpstreamError, true, false, 3},
		{501, schema.UpstreamError, true, false, 3},
		{503, schema.UpstreamError, true, false, 3},
		{505, schema.UpstreamError, true, false, 3},
		{599, schema.UpstreamError, true, false, 3},
		// A gateway's timeout is like the client's own: the vendor may go on.
		{408, schema.Timeout, true, true, 1},
		{499, schema.Timeout, true, true, 1},
		{504, schema.Timeout, true, true, 1},
		{520, schema.Timeout, true, true, 1},
		{522, schema.Timeout, true, true, 1},
		{524, schema.Timeout, true, true, 1},
		// So is one whose backend's answer went wrong: the vendor took the request.
		{502, schema.UpstreamError, true, true, 1},
		// Here the gateway did not reach the vendor.
		{521, schema.UpstreamError, true, false, 3},
		{523, schema.UpstreamError, true, false, 3},
		{525, schema.UpstreamError, true, false, 3},
		{526, schema.UpstreamError, true, false, 3},
		// Nobody knows what these mean.
		{0, schema.BadResponse, false, true, 1},
		{100, schema.BadResponse, false, true, 1},
		{101, schema.BadResponse, false, true, 1},
		{199, schema.BadResponse, false, true, 1},
		{600, schema.BadResponse, false, true, 1},
		{999, schema.BadResponse, false, true, 1},
	}
	bodies := map[string]string{
		"text": "Oops", "no body": "", "an object without code": `{"status":404}`, "a list": `[]`, "a list that breaks off": `[{"code":0`,
		"a code in the wrong case": `{"Code":0}`, "a code of words": `{"code":"ServiceUnavailable"}`,
	}
	for _, test := range tests {
		for name, body := range bodies {
			t.Run(fmt.Sprintf("%d with %s", test.status, name), func(t *testing.T) {
				attempts := 0
				client := New(testConfig(counted(&attempts, answering(test.status, body))))
				got := refusal(t.Context(), t, client, someID)
				assert.Equal(t, test.kind, got.Kind)
				assert.Equal(t, test.retryable, got.Retryable)
				assert.Equal(t, test.charged, got.Charged)
				assert.Zero(t, got.UpstreamCode)
				assert.Contains(t, got.Message, fmt.Sprintf("(HTTP %d)", test.status))
				assert.Equal(t, test.kind == schema.BadResponse,
					strings.HasPrefix(got.Message, "The vendor's answer has an unexpected HTTP status ("))
				assert.NotContains(t, got.Message, "Oops")
				assert.Equal(t, test.attempts, attempts)
			})
		}
	}
}

func TestSampleStatuses(t *testing.T) {
	for _, status := range []int{401, 403, 404, 410, 429, 500, 502, 503, 504} {
		client, _ := sampleClient(t, nil)
		got := refusal(t.Context(), t, client, fmt.Sprintf("sample-http-%d", status))
		assert.Equal(t, statusRule(status).kind, got.Kind, status)
	}
}

func TestAnswersThatCannotBeTrusted(t *testing.T) {
	tests := []struct {
		id      string
		charged bool // for sure
		message string
	}{
		{"sample-not-json", false, "it is not JSON"},
		{"sample-html", false, "it is not JSON"},
		{"sample-shape", false, "it is a list, not an object"},
		{"sample-null-data", true, "data: it is null, not an object"},
		{"sample-empty-data", true, "data has no distribution"},
		{"sample-nan", true, "it is not JSON: invalid character 'N' at start of value"},
		{"sample-negative", true, "ages[0].percent is -0.1, not a share between 0 and 1"},
		{"sample-over-one", true, "ages[0].percent is 1.2, not a share between 0 and 1"},
		{"sample-wrong-type", true, "ages[0].percent is a string, not a number"},
		{"sample-oversized", true, "it is larger than 4 MiB"},
	}
	for _, test := range tests {
		t.Run(test.id, func(t *testing.T) {
			client, vendor := sampleClient(t, nil)
			got := refusal(t.Context(), t, client, test.id)
			assert.Equal(t, schema.BadResponse, got.Kind)
			assert.True(t, got.Charged)
			assert.Equal(t, test.charged, vendor.Charged() == 1, "the vendor's own count")
			assert.Truef(t, strings.HasPrefix(got.Message, "The vendor's answer cannot be trusted: "+test.message+". "+cost(test.charged)), "message: %s", got.Message)
			assert.False(t, got.Retryable)
			assert.Equal(t, 1, vendor.Requests(test.id))
		})
	}
}

// cost is what a message says of an answer that cannot be trusted.
func cost(charged bool) string {
	if charged {
		return "The vendor charged this call. "
	}
	return "The vendor may have charged this call. "
}

func TestEnvelopesThatCannotBeJudged(t *testing.T) {
	everywhere := []int{200, 206, 302, 400, 401, 429, 500, 502, 503, 504, 520, 600}
	tests := []struct {
		name     string
		statuses []int
		body     string
		charged  bool // for sure
		message  string
	}{
		{"empty", []int{200, 204}, "", false, "it is empty, not an object"},
		{"no JSON", []int{200, 202}, "Oops", false, "it is not JSON"},
		{"no code", []int{200}, `{"data":{}}`, false, "it has no code"},
		{"code in the wrong case", []int{200}, `{"Code":0}`, false, "it has no code"},
		{"code of another type", []int{200}, `{"code":"0"}`, false, "code is a string, not an integer"},

		{"goes on", everywhere, good + "x", true, "it goes on after its end"},
		{"goes on in JSON", everywhere, good + good, true, "it goes on after its end"},
		{"not JSON inside", everywhere, `{"code":0,"data":{"a":NaN}}`, true, "it is not JSON: invalid character 'N' at start of value"},
		{"data twice", everywhere, `{"code":0,"data":{},"data":{}}`, true, "it has data twice"},
		{"data twice in front", everywhere, `{"data":{},"data":{},"code":0}`, true, "it has data twice"},
		{"code twice, 0 first", everywhere, `{"code":0,"code":503}`, false, "it has code twice"},
		{"code twice, 0 last", everywhere, `{"code":503,"code":0}`, false, "it has code twice"},
		{"no portrait", everywhere, `{"code":0,"data":{}}`, true, "data has no distribution"},
		{"another code, and goes on", everywhere, `{"code":503}x`, false, "it goes on after its end"},
		{"no JSON in braces", everywhere, `{Oops}`, false, "it is not JSON: invalid character 'O' at start of value"},
		{"too large", []int{503}, `{"code":0,"data":"` + strings.Repeat("x", maxBody), true, "it is larger than 4 MiB"},
		{"too large, code not read", []int{503}, `{"data":"` + strings.Repeat("x", maxBody), false, "it is larger than 4 MiB"},
	}
	for _, test := range tests {
		for _, status := range test.statuses {
			t.Run(fmt.Sprintf("%s, HTTP %d", test.name, status), func(t *testing.T) {
				attempts := 0
				got := refusal(t.Context(), t, New(testConfig(counted(&attempts, answering(status, test.body)))), someID)
				assert.Equal(t, schema.BadResponse, got.Kind)
				assert.True(t, got.Charged)
				assert.False(t, got.Retryable)
				assert.Truef(t, strings.HasPrefix(got.Message, "The vendor's answer cannot be trusted: "+test.message+". "+cost(test.charged)), "message: %s", got.Message)
				assert.Equal(t, 1, attempts)
			})
		}
	}
}

func TestPaidAnswersAreKept(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
	}{
		"under another status":       {503, good},
		"under no known status":      {600, good},
		"behind a byte order mark":   {200, "\ufeff" + good},
		"behind and in white space":  {200, "\ufeff \r\n" + good + "\n"},
		"with names in white space":  {200, `{"code":0,"data":{"cities":[{"name":" 北京 ","percent":0.5}]}}`},
		"with members that it lacks": {200, `{"code":0,"Code":1,"data":{"gender":{"female":0.5},"Gender":1}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := New(testConfig(answering(test.status, test.body))).Portrait(t.Context(), someID, false, nil)
			require.NoError(t, err)
			assert.True(t, got.Source.Charged)
		})
	}
}

func TestNothingIsChargedInTheSampleEnvironment(t *testing.T) {
	for _, id := range []string{"sample-negative", "sample-cut-off", "sample-http-504", "sample-not-json"} {
		client, _ := sampleClient(t, func(cfg *Config) { cfg.Environment = schema.EnvironmentSample })
		assert.False(t, refusal(t.Context(), t, client, id).Charged, id)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var followed atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer elsewhere.Close()
	var asked atomic.Int32
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, elsewhere.URL+"/secret-place", http.StatusTemporaryRedirect)
	}))
	defer vendor.Close()
	cfg := testConfig(nil)
	cfg.BaseURL = vendor.URL
	got := refusal(t.Context(), t, New(cfg), someID)
	assert.Equal(t, schema.UpstreamError, got.Kind)
	assert.False(t, got.Retryable)
	assert.NotContains(t, got.Message, "secret-place")
	assert.Contains(t, got.Message, "(HTTP 307)")
	assert.EqualValues(t, 1, asked.Load())
	assert.Zero(t, followed.Load())

	client, vendorSample := sampleClient(t, nil)
	assert.Equal(t, schema.UpstreamError, refusal(t.Context(), t, client, "sample-redirect").Kind)
	assert.Equal(t, 1, vendorSample.Requests("sample-redirect"))
}

// A few kilobytes on the wire that would fill memory.
func TestCompressedAnswersAreBoundedToo(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "gzip", r.Header.Get("Accept-Encoding"))
		w.Header().Set("Content-Encoding", "gzip")
		zipped := gzip.NewWriter(w)
		_, _ = io.WriteString(zipped, `{"code":0,"data":{"padding":"`)
		for range 64 {
			_, _ = zipped.Write([]byte(strings.Repeat("x", 1<<20)))
		}
		_, _ = io.WriteString(zipped, `"}}`)
		_ = zipped.Close()
	}))
	defer server.Close()
	cfg := testConfig(nil)
	cfg.BaseURL = server.URL
	got := refusal(t.Context(), t, New(cfg), someID)
	assert.Equal(t, schema.BadResponse, got.Kind)
	assert.Contains(t, got.Message, "it is larger than 4 MiB")
	assert.True(t, got.Charged)
}

func TestTheLargestAnswerIsRead(t *testing.T) {
	frame := `{"code":0,"data":{"gender":{"female":0.5}},"padding":"%s"}`
	fill := strings.Repeat("x", maxBody-len(frame)+len("%s"))
	_, err := New(testConfig(answering(200, fmt.Sprintf(frame, fill)))).Portrait(t.Context(), someID, false, nil)
	require.NoError(t, err)
	got := refusal(t.Context(), t, New(testConfig(answering(200, fmt.Sprintf(frame, fill+"x")))), someID)
	assert.Equal(t, schema.BadResponse, got.Kind)
}

func TestVendorTextIsQuotedSafely(t *testing.T) {
	tests := map[string]string{
		`"try\u0000 \u001b[31mred\u202e later\n\n  now"`: `"try [31mred later now"`,
		`"余额不足"`:                             `"余额不足"`,
		`"` + strings.Repeat("长", 201) + `"`: `"` + strings.Repeat("长", 200) + `..."`,
	}
	for message, want := range tests {
		got := refusal(t.Context(), t, New(testConfig(answering(200, `{"code":601,"message":`+message+`}`))), someID)
		assert.Contains(t, got.Message, "(code 601): "+want+". ")
	}
	for _, none := range []string{`""`, `null`, `7`, `" "`} {
		got := refusal(t.Context(), t, New(testConfig(answering(200, `{"code":601,"message":`+none+`}`))), someID)
		assert.Contains(t, got.Message, "(code 601). ")
	}
}

package sample

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// got is an answer, read to its end.
type got struct {
	status int
	sample string // the header that marks simulated data
	body   []byte
}

// get asks v through its own transport, as a client with the right token.
func get(t *testing.T, v *Vendor, kolID string) got {
	t.Helper()
	resp, err := v.Transport().RoundTrip(newRequest(t, t.Context(), Token, kolID))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return got{resp.StatusCode, resp.Header.Get("X-Sample-Data"), body}
}

func newRequest(t *testing.T, ctx context.Context, token, kolID string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		"https://vendor.invalid"+portraitPath+"?token="+token+"&kolId="+kolID, nil)
	require.NoError(t, err)
	return req
}

func newVendor(t *testing.T) *Vendor {
	t.Helper()
	v := New()
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v
}

// decoded is an envelope as a client sees it.
type decoded struct {
	Code      int
	Message   *string
	Data      json.RawMessage
	RequestID string
}

func decode(t *testing.T, body []byte) decoded {
	t.Helper()
	var d decoded
	require.NoError(t, json.Unmarshal(body, &d), "%s", body)
	return d
}

func TestDocumentedResponseIsTheRecordedOne(t *testing.T) {
	recorded, err := os.ReadFile("../../testdata/documented-response.json")
	require.NoError(t, err)
	assert.Equal(t, string(recorded), string(documented))
}

func TestDocumentedPortraitComesByteForByte(t *testing.T) {
	answer := get(t, newVendor(t), DocumentedID)
	assert.Equal(t, "true", answer.sample)
	got := decode(t, answer.body)
	want := decode(t, documented)
	assert.Zero(t, got.Code)
	assert.Equal(t, string(want.Data), string(got.Data))
	assert.Contains(t, string(documented), string(got.Data))
	assert.Regexp(t, `^sample-[0-9a-f]{16}$`, got.RequestID)
}

func TestRequestsThatAreNotInOrder(t *testing.T) {
	tests := map[string]struct {
		method, target string
		status, code   int // code -1: no envelope
	}{
		"another path":           {http.MethodGet, "/api/elsewhere?token=sample-token&kolId=a", 404, -1},
		"another method":         {http.MethodPost, portraitPath + "?token=sample-token&kolId=a", 405, -1},
		"no token":               {http.MethodGet, portraitPath + "?kolId=a", 200, 100},
		"a wrong token":          {http.MethodGet, portraitPath + "?token=other&kolId=a", 200, 100},
		"no id":                  {http.MethodGet, portraitPath + "?token=sample-token", 200, 400},
		"an id too long":         {http.MethodGet, portraitPath + "?token=sample-token&kolId=" + fmt.Sprintf("%065d", 0), 200, 400},
		"a space in it":          {http.MethodGet, portraitPath + "?token=sample-token&kolId=a%20b", 200, 400},
		"all in order":           {http.MethodGet, portraitPath + "?token=sample-token&kolId=a", 200, 0},
		"the longest id":         {http.MethodGet, portraitPath + "?token=sample-token&kolId=" + fmt.Sprintf("%064d", 0), 200, 0},
		"the successor":          {http.MethodGet, profilePath + "?token=sample-token&userId=a", 200, 0},
		"posted to it":           {http.MethodPost, profilePath + "?token=sample-token&userId=a", 405, -1},
		"kolId to the successor": {http.MethodGet, profilePath + "?token=sample-token&kolId=a", 200, 400},
		"userId to V1":           {http.MethodGet, portraitPath + "?token=sample-token&userId=a", 200, 400},
		"an id in the path":      {http.MethodGet, strings.Replace(profilePath, "userId", "a", 1) + "?token=sample-token&userId=a", 404, -1},
		"more parameters":        {http.MethodGet, portraitPath + "?token=sample-token&kolId=a&acceptCache=false", 200, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			New().ServeHTTP(recorder, httptest.NewRequest(test.method, test.target, nil))
			assert.Equal(t, test.status, recorder.Code)
			assert.Equal(t, "true", recorder.Header().Get("X-Sample-Data"))
			if test.code >= 0 {
				assert.Equal(t, test.code, decode(t, recorder.Body.Bytes()).Code)
			}
		})
	}
}

func TestTokenCanBeAnother(t *testing.T) {
	v := newVendor(t)
	v.Token = "another"
	resp, err := v.Transport().RoundTrip(newRequest(t, t.Context(), "another", "a"))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Zero(t, decode(t, body).Code)
}

// answered is what a Vendor answers at an endpoint, in memory.
func answered(v *Vendor, endpoint schema.Endpoint, kolID string) *httptest.ResponseRecorder {
	target := portraitPath + "?kolId=" + kolID
	if endpoint == schema.EndpointProfile {
		target = profilePath + "?userId=" + kolID
	}
	recorder := httptest.NewRecorder()
	v.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, target+"&token="+v.Token, nil))
	return recorder
}

func TestBothEndpointsAnswerAlike(t *testing.T) {
	for _, id := range []string{DocumentedID, "made-up", "sample-code-601", "sample-http-503", "sample-sparse", "sample-status-403-code-600"} {
		v := New()
		v1, successor := answered(v, schema.EndpointPortrait, id), answered(v, schema.EndpointProfile, id)
		assert.Equal(t, v1.Code, successor.Code, id)
		assert.Equal(t, v1.Body.String(), successor.Body.String(), id)
	}
	echoed := answered(New(), schema.EndpointProfile, "sample-echo-token")
	assert.Equal(t, requestID("sample-echo-token"), decode(t, echoed.Body.Bytes()).RequestID)
}

func TestRequestsAreCountedByEndpoint(t *testing.T) {
	v := New()
	answered(v, schema.EndpointPortrait, "a")
	for range 2 {
		answered(v, schema.EndpointProfile, "a")
	}
	assert.Equal(t, 1, v.RequestsTo(schema.EndpointPortrait, "a"))
	assert.Equal(t, 2, v.RequestsTo(schema.EndpointProfile, "a"))
	assert.Equal(t, 3, v.Requests("a"))
	assert.Zero(t, v.RequestsTo("elsewhere", "a"))
	assert.Equal(t, 3, v.Charged())

	v = New() // how often is counted over both
	for n, endpoint := range []schema.Endpoint{schema.EndpointPortrait, schema.EndpointProfile, schema.EndpointPortrait} {
		assert.Equal(t, n < 2, decode(t, answered(v, endpoint, "sample-code-301-twice").Body.Bytes()).Code == 301)
	}
}

func TestSpecialAtV1Alone(t *testing.T) {
	for id, want := range map[string]struct {
		status int
		body   string // its beginning
	}{
		"sample-v1-removed": {200, `{"code":300,`},
		"sample-v1-gone":    {410, "Gone"},
		"sample-v1-fails":   {200, `{"code":301,`},
	} {
		v := New()
		for range 4 {
			v1 := answered(v, schema.EndpointPortrait, id)
			assert.Equal(t, want.status, v1.Code, id)
			assert.True(t, strings.HasPrefix(v1.Body.String(), want.body), id)
		}
		successor := answered(v, schema.EndpointProfile, id)
		assert.Equal(t, 200, successor.Code, id)
		assert.Zero(t, decode(t, successor.Body.Bytes()).Code, id)
	}
}

func TestEverySpecialIDIsListedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, special := range IDs() {
		assert.Regexp(t, `^sample-[a-z0-9-]+$`, special.ID)
		assert.True(t, valid(special.ID))
		assert.NotEmpty(t, special.Does)
		assert.False(t, seen[special.ID], special.ID)
		seen[special.ID] = true
	}
	assert.Len(t, New().answers, len(seen))
}

func TestBusinessCodes(t *testing.T) {
	v := newVendor(t)
	for _, code := range []int{100, 101, 202, 300, 301, 302, 303, 400, 404, 500, 503, 600, 601, 602, 777} {
		answer := get(t, v, fmt.Sprintf("sample-code-%d", code))
		assert.Equal(t, 200, answer.status)
		assert.Equal(t, code, decode(t, answer.body).Code)
	}
	assert.Zero(t, v.Charged())
}

func TestStatuses(t *testing.T) {
	v := newVendor(t)
	tests := map[string]int{
		"sample-status-401-code-100": 401, "sample-status-503-code-503": 503, "sample-http-410": 410,
		"sample-http-502": 502, "sample-redirect": 302, "sample-retry-after": 429, "sample-html": 200,
	}
	for id, status := range tests {
		answer := get(t, v, id)
		assert.Equal(t, status, answer.status, id)
		assert.Equal(t, "true", answer.sample, id)
	}
}

func TestFailingAFewTimes(t *testing.T) {
	v := newVendor(t)
	for n, want := range []int{301, 301, 0, 0} {
		assert.Equal(t, want, decode(t, get(t, v, "sample-code-301-twice").body).Code)
		assert.Equal(t, n+1, v.Requests("sample-code-301-twice"))
	}
	assert.Equal(t, 2, v.Charged())
	assert.Zero(t, v.Requests("never-asked"))

	assert.Equal(t, 301, decode(t, get(t, newVendor(t), "sample-code-301-twice").body).Code, "each vendor counts for itself")
}

func TestSlowAnswersTakeTheirTime(t *testing.T) {
	for id, delay := range map[string]time.Duration{
		"sample-slow-1s": time.Second, "sample-slow-10s": 10 * time.Second, "sample-slow-90s": 90 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			answer := get(t, newVendor(t), id)
			assert.Equal(t, delay, time.Since(start))
			assert.Zero(t, decode(t, answer.body).Code)
		})
	}
}

func TestStallEndsWhenTheClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVendor(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		resp, err := v.Transport().RoundTrip(newRequest(t, ctx, Token, "sample-stall"))
		if resp != nil {
			require.NoError(t, resp.Body.Close())
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		synctest.Wait() // the bubble does not end while the handler hangs
		assert.Zero(t, v.Charged())
	})
}

func TestCutOffBreaksTheBody(t *testing.T) {
	v := newVendor(t)
	resp, err := v.Transport().RoundTrip(newRequest(t, t.Context(), Token, "sample-cut-off"))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NoError(t, resp.Body.Close())
	assert.NotEmpty(t, body)
	assert.False(t, json.Valid(body))
}

func TestClosedVendorAnswersNoMore(t *testing.T) {
	v := New()
	require.NoError(t, v.Close())
	require.NoError(t, v.Close())
	resp, err := v.Transport().RoundTrip(newRequest(t, t.Context(), Token, "a"))
	if resp != nil {
		require.NoError(t, resp.Body.Close())
	}
	require.True(t, errors.Is(err, net.ErrClosed) || errors.Is(err, http.ErrServerClosed), "%v", err)
}

func TestVendorServesManyAtOnce(t *testing.T) {
	v := newVendor(t)
	transport := v.Transport()
	done := make(chan error)
	const callers = 20
	for range callers {
		req := newRequest(t, t.Context(), Token, "shared")
		go func() {
			resp, err := transport.RoundTrip(req)
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				err = errors.Join(err, resp.Body.Close())
			}
			done <- err
		}()
	}
	for range callers {
		require.NoError(t, <-done)
	}
	assert.Equal(t, callers, v.Requests("shared"))
	assert.Equal(t, callers, v.Charged())
}

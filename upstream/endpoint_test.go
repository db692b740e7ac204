package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream/sample"
)

// twoEndpoints is a transport that answers V1 and its successor differently,
// and counts.
type twoEndpoints struct {
	v1, successor           http.RoundTripper
	v1Asked, successorAsked atomic.Int32
}

func (e *twoEndpoints) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Path == profileEndpoint().path {
		e.successorAsked.Add(1)
		return e.successor.RoundTrip(req)
	}
	e.v1Asked.Add(1)
	return e.v1.RoundTrip(req)
}

// asked is how often V1 and its successor were asked.
func (e *twoEndpoints) asked() [2]int {
	return [2]int{int(e.v1Asked.Load()), int(e.successorAsked.Load())}
}

// requestsTo is the same for a simulated vendor and one id.
func requestsTo(vendor *sample.Vendor, id string) [2]int {
	return [2]int{vendor.RequestsTo(schema.EndpointPortrait, id), vendor.RequestsTo(schema.EndpointProfile, id)}
}

func coded(code int) roundTrip { return answering(200, fmt.Sprintf(`{"code":%d}`, code)) }

// unreachable is a transport that cannot send anything.
func unreachable(*http.Request) (*http.Response, error) { return nil, io.EOF }

func autoConfig(transport http.RoundTripper) Config {
	cfg := testConfig(transport)
	cfg.Endpoint = schema.PolicyAuto
	return cfg
}

func TestSuccessorIsAskedAsItWantsIt(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		var got *http.Request
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r
			_, _ = io.WriteString(w, good)
		}))
		cfg := testConfig(nil)
		cfg.BaseURL, cfg.Endpoint = server.URL+"/prefix", schema.PolicyProfile
		collected, err := New(cfg).Portrait(t.Context(), someID, fresh, nil)
		server.Close()
		require.NoError(t, err)
		assert.Equal(t, http.MethodGet, got.Method)
		assert.Equal(t, "/prefix/api/xiaohongshu-pgy/api/solar/kol/data/userId/fans_profile/v1", got.URL.Path)
		assert.Equal(t, "token=sample-token&userId="+someID, got.URL.RawQuery)
		assert.Equal(t, schema.EndpointProfile, collected.Source.Endpoint)
		assert.False(t, collected.Source.Deprecated)
		assert.True(t, collected.Source.Charged)
	}
}

func TestSuccessorsDataIsReadAsStrictly(t *testing.T) {
	for id, want := range map[string]string{
		"sample-negative": "ages[0].percent is -0.1, not a share between 0 and 1", "sample-empty-data": "data has no distribution",
	} {
		client, _ := sampleClient(t, func(cfg *Config) { cfg.Endpoint = schema.PolicyProfile })
		got := refusal(t.Context(), t, client, id)
		assert.Equal(t, schema.BadResponse, got.Kind)
		assert.Contains(t, got.Message, want)
		assert.True(t, got.Charged)
	}
}

// Which endpoint answers, under each policy, with the simulated vendor.
func TestEndpointPolicies(t *testing.T) {
	const v1, successor = schema.EndpointPortrait, schema.EndpointProfile
	tests := []struct {
		policy   schema.EndpointPolicy
		id       string
		answered schema.Endpoint // empty: none
		kind     schema.Kind     // then
		asked    [2]int          // V1, its successor
	}{
		{schema.PolicyPortrait, someID, v1, "", [2]int{1, 0}},
		{schema.PolicyPortrait, "sample-v1-removed", "", schema.EndpointRemoved, [2]int{1, 0}},
		{schema.PolicyPortrait, "sample-v1-gone", "", schema.EndpointRemoved, [2]int{1, 0}},
		{schema.PolicyPortrait, "sample-v1-fails", "", schema.CollectionFailed, [2]int{3, 0}},
		{schema.PolicyProfile, someID, successor, "", [2]int{0, 1}},
		{schema.PolicyProfile, "sample-v1-removed", successor, "", [2]int{0, 1}},
		{schema.PolicyProfile, "sample-code-301", "", schema.CollectionFailed, [2]int{0, 3}},
		{schema.PolicyProfile, "sample-code-300", "", schema.EndpointRemoved, [2]int{0, 1}},
		{schema.PolicyAuto, someID, v1, "", [2]int{1, 0}},
		{schema.PolicyAuto, "sample-v1-removed", successor, "", [2]int{1, 1}},
		{schema.PolicyAuto, "sample-v1-gone", successor, "", [2]int{1, 1}},
		{schema.PolicyAuto, "sample-v1-fails", successor, "", [2]int{3, 1}},
		{schema.PolicyAuto, "sample-code-301-twice", v1, "", [2]int{3, 0}},
		{schema.PolicyAuto, "sample-code-301", "", schema.CollectionFailed, [2]int{3, 1}},
		{schema.PolicyAuto, "sample-code-300", "", schema.EndpointRemoved, [2]int{1, 1}},
		{schema.PolicyAuto, "sample-code-404", "", schema.EndpointRemoved, [2]int{1, 1}},
		{schema.PolicyAuto, "sample-http-404", "", schema.EndpointRemoved, [2]int{1, 1}},
		{schema.PolicyAuto, "sample-http-410", "", schema.EndpointRemoved, [2]int{1, 1}},
		{schema.PolicyAuto, "sample-code-601", "", schema.InsufficientBalance, [2]int{1, 0}},
		{schema.PolicyAuto, "sample-code-302", "", schema.RateLimited, [2]int{3, 0}},
		{schema.PolicyAuto, "sample-code-503", "", schema.UpstreamError, [2]int{3, 0}},
		{schema.PolicyAuto, "sample-code-400", "", schema.UpstreamRejected, [2]int{1, 0}},
		// After an unknown outcome nothing else is asked.
		{schema.PolicyAuto, "sample-cut-off", "", schema.Network, [2]int{1, 0}},
		{schema.PolicyAuto, "sample-http-504", "", schema.Timeout, [2]int{1, 0}},
		{schema.PolicyAuto, "sample-not-json", "", schema.BadResponse, [2]int{1, 0}},
		{schema.PolicyAuto, "sample-negative", "", schema.BadResponse, [2]int{1, 0}},
		{"", "sample-v1-removed", successor, "", [2]int{1, 1}},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s %s", test.policy, test.id), func(t *testing.T) {
			client, vendor := sampleClient(t, func(cfg *Config) { cfg.Endpoint = test.policy })
			got, err := client.Portrait(t.Context(), test.id, false, nil)
			if test.answered == "" {
				told := (*schema.Error)(nil)
				require.ErrorAs(t, err, &told)
				assert.Equal(t, test.kind, told.Kind)
			} else {
				require.NoError(t, err)
				assert.Equal(t, test.answered, got.Source.Endpoint)
				assert.Equal(t, test.answered == v1, got.Source.Deprecated)
				assert.Equal(t, 1, vendor.Charged())
			}
			assert.Equal(t, test.asked, requestsTo(vendor, test.id))
		})
	}
}

func TestSuccessorIsNotAskedAfterATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, vendor := sampleClient(t, func(cfg *Config) { cfg.Endpoint = schema.PolicyAuto })
		got := refusal(t.Context(), t, client, "sample-stall")
		assert.Equal(t, schema.Timeout, got.Kind)
		assert.True(t, got.Charged)
		assert.Contains(t, got.Message, adviseWait)
		assert.Equal(t, 1, vendor.RequestsTo(schema.EndpointPortrait, "sample-stall"))
		assert.Zero(t, vendor.RequestsTo(schema.EndpointProfile, "sample-stall"))
	})
}

// Once V1 is gone it stays so, for all KOLs.
func TestMovingIsForGood(t *testing.T) {
	client, vendor := sampleClient(t, func(cfg *Config) { cfg.Endpoint = schema.PolicyAuto })
	for _, id := range []string{"before", "sample-v1-gone", "after", "sample-v1-removed", "sample-v1-fails"} {
		_, err := client.Portrait(t.Context(), id, false, nil)
		require.NoError(t, err, id)
	}
	assert.Equal(t, 1, vendor.RequestsTo(schema.EndpointPortrait, "before"))
	for _, id := range []string{"after", "sample-v1-removed", "sample-v1-fails"} {
		assert.Zero(t, vendor.RequestsTo(schema.EndpointPortrait, id))
		assert.Equal(t, 1, vendor.RequestsTo(schema.EndpointProfile, id))
	}
	assert.Equal(t, 5, vendor.Charged())

	client, vendor = sampleClient(t, func(cfg *Config) { cfg.Endpoint = schema.PolicyAuto })
	for _, id := range []string{"sample-v1-fails", "after"} {
		_, err := client.Portrait(t.Context(), id, false, nil)
		require.NoError(t, err, id)
	}
	assert.Equal(t, 1, vendor.RequestsTo(schema.EndpointPortrait, "after"), "one KOL that V1 cannot collect moves nothing")
}

// Many calls find V1 gone at the same moment.
func TestManyCallsMoveTogether(t *testing.T) {
	const callers = 50
	var log safeBuffer
	var together sync.WaitGroup
	together.Add(callers)
	transport := &twoEndpoints{successor: answering(200, good), v1: roundTrip(func(req *http.Request) (*http.Response, error) {
		together.Done()
		together.Wait() // all are on their way before one has its answer
		return coded(300)(req)
	})}
	cfg := autoConfig(transport)
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	client := New(cfg)
	errs := make(chan error, callers)
	for n := range callers {
		go func() {
			got, err := client.Portrait(t.Context(), fmt.Sprintf("kol-%d", n), false, nil)
			if err == nil && got.Source.Endpoint != schema.EndpointProfile {
				err = errors.New("answered by V1")
			}
			errs <- err
		}()
	}
	for range callers {
		require.NoError(t, <-errs)
	}
	assert.Equal(t, [2]int{callers, callers}, transport.asked())
	assert.Equal(t, 1, strings.Count(log.String(), "the vendor no longer serves V1"), log.String())
	assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"))
}

// safeBuffer is a buffer for several writers.
type safeBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// V1 is gone, or cannot collect, and then this is what the successor does.
func TestWhenTheSuccessorFailsToo(t *testing.T) {
	const (
		gone      = "The vendor no longer serves this endpoint (code 300)"
		neither   = "The vendor serves neither V1 of the portrait endpoint nor its successor, fans_profile; the latest attempt: "
		checkBase = ", after 2 attempts. Check JUSTONEAPI_BASE_URL if it is set. Else: Update this server."
		failed    = "The vendor could not collect this KOL's portrait (code 301), after 3 attempts; its successor, asked once: "
		failedEnd = ". Call again in a few minutes; an id that keeps failing may not be a KOL of the vendor's marketplace."
		mayHave   = " The vendor may still complete this call, and may have charged it. "
	)
	tests := []struct {
		name          string
		v1, successor http.RoundTripper
		asked         [2]int
		kind          schema.Kind
		code          int
		charged       bool
		message       string
	}{
		{"both gone", coded(300), coded(300), [2]int{1, 1}, schema.EndpointRemoved, 300, false, neither + gone + checkBase},
		{"both gone, by status", answering(410, ""), answering(404, ""), [2]int{1, 1}, schema.EndpointRemoved, 0, false,
			neither + "The vendor's address has no such endpoint (HTTP 404)" + checkBase},
		{"gone, and failing", coded(300), coded(503), [2]int{1, 3}, schema.UpstreamError, 503, false,
			"The vendor's service is not available (code 503), after 4 attempts. " + adviseLater},
		{"gone, and failing to collect", coded(404), coded(301), [2]int{1, 3}, schema.CollectionFailed, 301, false,
			"The vendor could not collect this KOL's portrait (code 301), after 4 attempts" + failedEnd},
		{"gone, and refused", coded(300), coded(601), [2]int{1, 1}, schema.InsufficientBalance, 601, false,
			"The vendor account's balance is too low (code 601), after 2 attempts. " + adviseBalance},
		{"gone, and unknown", coded(300), answering(504, ""), [2]int{1, 1}, schema.Timeout, 0, true,
			"Something in front of the vendor gave up on the request (HTTP 504), after 2 attempts." + mayHave + adviseWait},

		{"cannot collect, both", coded(301), coded(301), [2]int{3, 1}, schema.CollectionFailed, 301, false,
			strings.TrimSuffix(failed, ": ") + ", could not either" + failedEnd},
		{"cannot collect, and failing", coded(301), coded(500), [2]int{3, 1}, schema.CollectionFailed, 301, false,
			failed + "The vendor failed inside (code 500)" + failedEnd},
		{"cannot collect, and gone", coded(301), coded(300), [2]int{3, 1}, schema.CollectionFailed, 301, false, failed + gone + failedEnd},
		{"cannot collect, and refused", coded(301), coded(600), [2]int{3, 1}, schema.CollectionFailed, 301, false,
			failed + "The token may not use this endpoint (code 600)" + failedEnd},
		{"cannot collect, and not reached", coded(301), roundTrip(unreachable), [2]int{3, 1}, schema.CollectionFailed, 301, false,
			failed + "The vendor cannot be reached: EOF" + failedEnd},
		{"cannot collect, and unknown", coded(301), answering(524, ""), [2]int{3, 1}, schema.Timeout, 0, true,
			"Something in front of the vendor gave up on the request (HTTP 524), after 4 attempts." + mayHave + adviseWait},
		{"cannot collect, and broken off", coded(301), answering(200, `{"code":0,"da`), [2]int{3, 1}, schema.Network, 0, true,
			"The vendor's answer broke off, after 4 attempts. The vendor charged this call. " + adviseWait},
		{"cannot collect, and charged for nothing", coded(301), answering(200, `{"code":0,"data":{}}`), [2]int{3, 1}, schema.BadResponse, 0, true,
			"The vendor's answer cannot be trusted: data has no distribution, after 4 attempts. The vendor charged this call. "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			transport := &twoEndpoints{v1: test.v1, successor: test.successor}
			got := refusal(t.Context(), t, New(autoConfig(transport)), someID)
			assert.Equal(t, test.asked, transport.asked())
			assert.Equal(t, test.kind, got.Kind)
			assert.Equal(t, test.code, got.UpstreamCode)
			assert.Equal(t, test.charged, got.Charged)
			assert.Truef(t, strings.HasPrefix(got.Message, test.message), "message: %s", got.Message)
		})
	}
}

// A gateway that for a moment knows neither endpoint does not leave the client
// with the wrong one.
func TestBothGoneForAMomentMovesNobody(t *testing.T) {
	moment := true
	v1 := roundTrip(func(r *http.Request) (*http.Response, error) {
		if moment {
			return answering(404, "")(r)
		}
		return answering(200, good)(r)
	})
	transport := &twoEndpoints{v1: v1, successor: answering(404, "")}
	client := New(autoConfig(transport))
	first := refusal(t.Context(), t, client, someID)
	assert.Contains(t, first.Message, "The vendor serves neither ")
	assert.False(t, first.Retryable)
	moment = false
	got, err := client.Portrait(t.Context(), someID, false, nil)
	require.NoError(t, err)
	assert.Equal(t, schema.EndpointPortrait, got.Source.Endpoint)
	assert.Equal(t, [2]int{2, 1}, transport.asked())
}

func TestWhatToDoAboutOneEndpointThatIsGone(t *testing.T) {
	tests := []struct {
		policy    schema.EndpointPolicy
		transport roundTrip
		message   string
	}{
		{schema.PolicyPortrait, coded(300), "The vendor no longer serves this endpoint (code 300). " +
			"Set JUSTONEAPI_ENDPOINT=auto or profile, so that the successor of this endpoint is asked."},
		{schema.PolicyPortrait, answering(404, ""), "The vendor's address has no such endpoint (HTTP 404). Check JUSTONEAPI_BASE_URL if it is set. Else: " +
			"Set JUSTONEAPI_ENDPOINT=auto or profile, so that the successor of this endpoint is asked."},
		{schema.PolicyProfile, coded(404), "The vendor no longer serves this endpoint (code 404). " +
			"Set JUSTONEAPI_ENDPOINT=auto or portrait, so that the other endpoint is asked; if that one is gone too, update this server."},
		{schema.PolicyProfile, answering(410, ""), "The vendor's address has no such endpoint (HTTP 410). Check JUSTONEAPI_BASE_URL if it is set. Else: " +
			"Set JUSTONEAPI_ENDPOINT=auto or portrait, so that the other endpoint is asked; if that one is gone too, update this server."},
	}
	for _, test := range tests {
		cfg := testConfig(test.transport)
		cfg.Endpoint = test.policy
		got := refusal(t.Context(), t, New(cfg), someID)
		assert.Equal(t, schema.EndpointRemoved, got.Kind)
		assert.Equal(t, test.message, got.Message)
	}
}

// The call's time is up between V1's answer and the successor's turn.
func TestContextEndsBetweenTheEndpoints(t *testing.T) {
	tests := map[string]struct {
		code    int
		kind    schema.Kind
		message string
	}{
		"V1 is gone": {300, schema.Network,
			"The call was cancelled before the vendor answered; the latest attempt: The vendor no longer serves this endpoint (code 300). Call again"},
		"V1 cannot collect": {301, schema.CollectionFailed,
			"The vendor could not collect this KOL's portrait (code 301), after 3 attempts; its successor was not asked: The call was cancelled before the vendor answered. Call again"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				transport := &twoEndpoints{v1: coded(test.code), successor: answering(200, good)}
				cfg := autoConfig(transport)
				cfg.MaxRPS = 1 // so that it takes until 3 s for the successor's turn after three attempts
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				after := 500 * time.Millisecond
				if test.code == 301 {
					after += 2 * time.Second
				}
				time.AfterFunc(after, cancel)
				got := refusal(ctx, t, New(cfg), someID)
				assert.Equal(t, test.kind, got.Kind)
				assert.False(t, got.Charged)
				assert.True(t, got.Retryable)
				assert.Truef(t, strings.HasPrefix(got.Message, test.message), "message: %s", got.Message)
				assert.Zero(t, transport.successorAsked.Load())
			})
		})
	}
}

// ... or while the successor is at work, which it may charge.
func TestContextEndsWhileTheSuccessorWorks(t *testing.T) {
	for _, id := range []string{"sample-v1-removed", "sample-v1-fails"} {
		synctest.Test(t, func(t *testing.T) {
			vendor := sample.New()
			defer func() { require.NoError(t, vendor.Close()) }()
			stalled := roundTrip(func(req *http.Request) (*http.Response, error) {
				address := *req.URL
				query := address.Query()
				query.Set("userId", "sample-stall")
				address.RawQuery = query.Encode()
				req.URL = &address
				return vendor.Transport().RoundTrip(req)
			})
			transport := &twoEndpoints{v1: vendor.Transport(), successor: stalled}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			got := refusal(ctx, t, New(autoConfig(transport)), id)
			assert.Equal(t, schema.Timeout, got.Kind)
			assert.True(t, got.Charged)
			assert.Contains(t, got.Message, "The call's deadline passed before the vendor answered")
			assert.Contains(t, got.Message, adviseWait)
		})
	}
}

func TestLogNamesTheEndpoint(t *testing.T) {
	var log bytes.Buffer
	client, _ := sampleClient(t, func(cfg *Config) {
		cfg.Endpoint = schema.PolicyAuto
		cfg.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	_, err := client.Portrait(t.Context(), "sample-v1-removed", false, nil)
	require.NoError(t, err)
	type line struct {
		Level, Msg, Endpoint, Outcome, Reason string
		Attempt                               int
	}
	var lines []line
	for decoder := json.NewDecoder(&log); decoder.More(); {
		var l line
		require.NoError(t, decoder.Decode(&l))
		lines = append(lines, l)
	}
	assert.Equal(t, []line{
		{Level: "DEBUG", Msg: "asked the vendor", Endpoint: "portrait", Outcome: "endpoint_removed", Attempt: 1},
		{Level: "DEBUG", Msg: "asked the vendor", Endpoint: "profile", Outcome: "success", Attempt: 2},
		{Level: "WARN", Msg: "the vendor no longer serves V1 of the portrait endpoint: its successor is asked from now on",
			Reason: "The vendor no longer serves this endpoint (code 300)"},
	}, lines)
}

//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// enough is how many processes try faults at the same time.
const enough = 12

// eachFault runs a test for each fault, many at a time: some take as long as
// an attempt may.
func eachFault(t *testing.T, faults []fault, test func(t *testing.T, f *fault)) {
	t.Helper()
	var all sync.WaitGroup
	places := make(chan struct{}, enough)
	for i := range faults {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			t.Run(faults[i].name, func(t *testing.T) { test(t, &faults[i]) })
		})
	}
	all.Wait()
}

// onFaultyVendor is the environment of a server that waits for the vendor as
// long as a machine that does much else may take.
func onFaultyVendor(t *testing.T, v *faultyVendor) environment {
	t.Helper()
	return against(t, &vendor{url: v.url}, sqliteFile(t)).with("JUSTONEAPI_TIMEOUT", "6s", "PORTRAIT_ANSWER_WITHIN", "50s")
}

// Whatever befalls the first request for a KOL, the call ends as README.md
// says, the charge is told, and the next call has the portrait.
func TestEachFaultOnce(t *testing.T) {
	t.Parallel()
	eachFault(t, requestFaults(), func(t *testing.T, f *fault) {
		t.Helper()
		v := startFaultyVendor(t, plan{request: func(_ string, n int) *fault {
			if n == 0 {
				return f
			}
			return nil
		}})
		s := start(t, onFaultyVendor(t, v))
		first := call(t.Context(), t, s.Client, map[string]any{"kolId": kol})
		requests := v.requestsFor(kol, 0)
		charged := 1
		switch {
		case f.right.portrait:
			requireRight(t, first)
			assert.Len(t, requests, 1, "requests")
		case f.right.again:
			requireRight(t, first)
			assert.Len(t, requests, 2, "requests")
		default:
			require.NotNil(t, first.Structured.Error)
			assert.True(t, f.right.allows(first.Structured.Error), "%+v", first.Structured.Error)
			assert.Len(t, requests, 1, "requests")
			if !f.right.charged {
				charged = 0
			}
		}
		assert.Equal(t, charged, usage(t, s).Charged)
		assert.Equal(t, !first.IsError || f.works, v.Charged() == 1, "what the vendor charges")
		requireReadable(t, first)

		next := call(t.Context(), t, s.Client, map[string]any{"kolId": kol})
		requireRight(t, next)
		assert.Equal(t, !first.IsError, next.Structured.Source.FromStore)
		s.end(t)
	})
}

// What the product asks again after may go on and on.
func TestEachFaultAgainAndAgain(t *testing.T) {
	t.Parallel()
	var lasting []fault
	for _, f := range requestFaults() {
		if f.right.again {
			lasting = append(lasting, f)
		}
	}
	eachFault(t, lasting, func(t *testing.T, f *fault) {
		t.Helper()
		v := startFaultyVendor(t, plan{request: func(string, int) *fault { return f }})
		s := start(t, onFaultyVendor(t, v))
		a := call(t.Context(), t, s.Client, map[string]any{"kolId": kol})
		require.NotNil(t, a.Structured.Error)
		assert.True(t, f.right.allows(a.Structured.Error), "%+v", a.Structured.Error)
		attempts := map[schema.Kind]int{schema.CollectionFailed: 4, schema.EndpointRemoved: 2} // the successor included
		want, special := attempts[f.right.kinds[0]]
		if !special {
			want = 3
		}
		assert.Len(t, v.requestsFor(kol, 0), want, "requests")
		assert.Zero(t, usage(t, s).Charged)
		requireReadable(t, a)
		s.end(t)
	})
}

// A connection that breaks before it is read from is not the vendor's doing.
// Whether the request had left by then decides whether it may be sent again.
func TestEachConnectionFault(t *testing.T) {
	t.Parallel()
	eachFault(t, connectionFaults(), func(t *testing.T, f *fault) {
		t.Helper()
		v := startFaultyVendor(t, plan{connection: func(n int) *fault {
			if n == 0 {
				return f
			}
			return nil
		}})
		s := start(t, onFaultyVendor(t, v))
		a := call(t.Context(), t, s.Client, map[string]any{"kolId": kol})
		if a.IsError {
			assert.True(t, f.right.allows(a.Structured.Error), "%+v", a.Structured.Error)
			assert.Zero(t, v.Charged())
		} else {
			requireRight(t, a)
			assert.Equal(t, 1, v.Charged())
		}
		assert.Equal(t, 1, usage(t, s).Charged)
		requireRight(t, call(t.Context(), t, s.Client, map[string]any{"kolId": kol}))
		s.end(t)
	})
}

// requireRight is an answer with the KOL's figures, and no others.
func requireRight(t *testing.T, a answer) {
	t.Helper()
	require.Nil(t, a.Structured.Error)
	require.Equal(t, kol, a.Structured.KOLID)
	require.NotNil(t, a.Structured.Distributions)
	require.Equal(t, newOriginals().of(t, kol).distributions, *a.Structured.Distributions)
}

// requireReadable is an answer in words of the product's own: what gateways
// show, and what garbage the network brings, is not for a model to read.
func requireReadable(t *testing.T, a answer) {
	t.Helper()
	require.Len(t, a.Content, 1)
	require.NotContains(t, strings.ToLower(a.Content[0].Text), "<title>")
	require.NotContains(t, a.Content[0].Text, "\x00")
	require.Less(t, len(a.Content[0].Text), 8<<10)
}

// usage reads the day's figures.
func usage(t *testing.T, s *server) schema.Usage {
	t.Helper()
	result, err := s.ReadResource(t.Context(), mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: "kol-portrait://usage"}})
	require.NoError(t, err)
	require.Len(t, result.Contents, 1)
	text, ok := mcp.AsTextResourceContents(result.Contents[0])
	require.True(t, ok)
	var figures schema.Usage
	require.NoError(t, json.Unmarshal([]byte(text.Text), &figures))
	return figures
}

// A vendor that fails again and again is left alone for half a minute, and
// then tried with one request. Failing nine times in a row is not enough.
func TestFlappingVendorIsLeftAloneAndTriedAgain(t *testing.T) {
	t.Parallel() // it waits most of the time
	down := fault{name: "down", send: reply(504, "", ""), right: maybeAs(schema.Timeout)}
	v := startFaultyVendor(t, plan{request: func(kolID string, _ int) *fault {
		if strings.HasPrefix(kolID, "down") {
			return &down
		}
		return nil
	}})
	s := start(t, onFaultyVendor(t, v))
	failing := func(name string, times int) {
		for i := range times {
			a := call(t.Context(), t, s.Client, map[string]any{"kolId": fmt.Sprintf("down-%s-%d", name, i)})
			require.NotNil(t, a.Structured.Error)
			require.Equal(t, schema.Timeout, a.Structured.Error.Kind)
		}
	}
	for i := range 3 {
		failing(fmt.Sprint("not-yet-", i), 9)
		s.portraitOf(t, fmt.Sprint("kol-", i))
	}
	failing("ten", 10)

	open := call(t.Context(), t, s.Client, map[string]any{"kolId": "kol-after"})
	require.NotNil(t, open.Structured.Error)
	assert.Equal(t, schema.UpstreamError, open.Structured.Error.Kind)
	assert.Contains(t, open.Structured.Error.Message, leftAlone)
	assert.False(t, open.Structured.Error.Charged)
	assert.True(t, open.Structured.Error.Retryable)
	assert.InDelta(t, 30, open.Structured.Error.RetryAfterSeconds, 29)
	assert.Empty(t, v.requestsFor("kol-after", 0))
	assert.True(t, s.portraitOf(t, "kol-0").Structured.Source.FromStore, "what is stored is served all the same")

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	told := open.Structured.Error
	for told != nil {
		wait(ctx, t, time.Duration(told.RetryAfterSeconds)*time.Second)
		told = call(ctx, t, s.Client, map[string]any{"kolId": "kol-after"}).Structured.Error
	}
	assert.Len(t, v.requestsFor("kol-after", 0), 1)
	s.log.find(t, regexp.MustCompile("the vendor works again"))
	assert.Equal(t, 1, strings.Count(s.log.String(), "the vendor keeps failing"))
	failing("after", 9)
	s.end(t)
}

// leftAlone is in the message of a call that comes while nothing is asked of
// the vendor.
const leftAlone = "is left alone"

// wait does what an error tells its caller to.
func wait(ctx context.Context, t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		require.NoError(t, ctx.Err())
	}
}

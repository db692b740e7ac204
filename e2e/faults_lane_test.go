//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

const (
	portraitTool   = "get_kol_fans_portrait"
	comparisonTool = "compare_kol_fans_portraits"
)

const (
	faultier = 0.3 // of the vendor's answers go wrong

	attempt      = 8 * time.Second  // at the vendor
	answerWithin = 5 * time.Second  // less than an attempt, so that some are waited for again
	margin       = 30 * time.Second // beyond that, on a machine that does much else
)

// stormy is the environment of a server whose traces can all be found.
func stormy(t *testing.T, v *faultyVendor, path string) environment {
	t.Helper()
	return against(t, &vendor{url: v.url}, "sqlite:"+path).with(
		"JUSTONEAPI_TIMEOUT", attempt.String(), "PORTRAIT_ANSWER_WITHIN", answerWithin.String(),
		"TMPDIR", t.TempDir(), "GODEBUG", "gctrace=1")
}

// faultsSeed decides all that is drawn. FAULTS_SEED names another.
func faultsSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(20261123)
	if given := os.Getenv("FAULTS_SEED"); given != "" {
		var err error
		seed, err = strconv.ParseUint(given, 10, 64)
		require.NoError(t, err, "FAULTS_SEED")
	}
	t.Logf("FAULTS_SEED=%d", seed)
	return seed
}

// draw returns the random numbers that belong to a seed and a name, however
// much goes on elsewhere.
func draw(seed uint64, name string) *rand.Rand {
	stream := uint64(14695981039346656037) // FNV-1a
	for _, b := range []byte(name) {
		stream = (stream ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, stream))
}

// calm is a KOL for whom the vendor does nothing wrong.
const calm = "kol-calm"

// faulty is a plan in which a share of the requests goes wrong, in the ways of
// faults as often as these come, and of the connections some.
func faulty(seed uint64, faults []fault) plan {
	var drawn []*fault
	for i := range faults {
		for range faults[i].often {
			drawn = append(drawn, &faults[i])
		}
	}
	broken := connectionFaults()
	return plan{
		request: func(kolID string, n int) *fault {
			r := draw(seed, fmt.Sprintf("request %d for %s", n, kolID))
			if kolID == calm || r.Float64() >= faultier {
				return nil
			}
			return drawn[r.IntN(len(drawn))]
		},
		connection: func(n int) *fault {
			r := draw(seed, fmt.Sprint("connection ", n))
			switch x := r.Float64(); {
			case x < 0.03:
				return &broken[0]
			case x < 0.04:
				return &broken[1]
			default:
				return nil
			}
		},
	}
}

// caller calls a tool and returns the result as JSON.
type caller func(ctx context.Context, tool string, arguments map[string]any) ([]byte, error)

// overHTTP calls over Streamable HTTP, as a client of the revisions does that
// know no sessions.
func overHTTP(client *http.Client, addr string) caller {
	return func(ctx context.Context, tool string, arguments map[string]any) ([]byte, error) {
		return post(ctx, client, addr, "tools/call", map[string]any{"name": tool, "arguments": arguments})
	}
}

// post sends one request and returns its result.
func post(ctx context.Context, client *http.Client, addr, method string, params map[string]any) ([]byte, error) {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/mcp", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var response struct{ Result, Error json.RawMessage }
	if err := json.Unmarshal(text, &response); err != nil {
		return nil, fmt.Errorf("HTTP %d, %q: %w", resp.StatusCode, text, err)
	}
	if response.Error != nil {
		return nil, errors.New(string(response.Error))
	}
	return response.Result, nil
}

// overStdio calls by a client that has a process of its own.
func overStdio(c *client.Client) caller {
	return func(ctx context.Context, tool string, arguments map[string]any) ([]byte, error) {
		result, err := c.CallTool(ctx, mcp.CallToolRequest{Params: mcp.CallToolParams{Name: tool, Arguments: arguments}})
		if err != nil {
			return nil, err
		}
		return json.Marshal(result)
	}
}

// storm is many callers at once, and what they were told.
type storm struct {
	t      *testing.T
	vendor *faultyVendor
	right  *originals
	call   caller
	shared []string // KOLs for whom all callers call
	budget int      // most charged calls; 0: no limit

	mu          sync.Mutex
	calls       int
	portraits   int // answers with the right figures
	longest     time.Duration
	errors      map[schema.Kind]int
	leftAlone   int                 // calls that the product did not ask the vendor for
	unexplained map[schema.Kind]int // failures of a caller's own KOL that no request for it explains
	told        map[string]int      // charges that callers were told of, by KOL; those of a comparison by ""
	fresh       map[string]int      // calls for a fresh portrait, by KOL
}

func newStorm(t *testing.T, v *faultyVendor, call caller) *storm {
	t.Helper()
	s := &storm{
		t: t, vendor: v, right: newOriginals(), call: call,
		errors: make(map[schema.Kind]int), unexplained: make(map[schema.Kind]int), told: make(map[string]int), fresh: make(map[string]int),
	}
	for i := range 40 {
		s.shared = append(s.shared, fmt.Sprint("kol-shared-", i))
	}
	return s
}

// result is what a client sees of either tool's answer.
type result struct {
	IsError           bool
	Content           []struct{ Text string }
	StructuredContent json.RawMessage
}

// ask calls a tool once. The call must be answered in time, and the answer
// must not hold the token. structured is what its structured half is read
// into.
func (s *storm) ask(tool string, arguments map[string]any, structured any) bool {
	ctx, cancel := context.WithTimeout(s.t.Context(), answerWithin+margin)
	defer cancel()
	began := time.Now()
	raw, err := s.call(ctx, tool, arguments)
	took := time.Since(began)
	s.mu.Lock()
	s.calls++
	s.longest = max(s.longest, took)
	s.mu.Unlock()
	if err != nil {
		s.t.Errorf("%v, after %v: %v", arguments, took, err)
		return false
	}
	var r result
	assert.NotContains(s.t, string(raw), token)
	return assert.NoError(s.t, json.Unmarshal(raw, &r)) &&
		assert.Len(s.t, r.Content, 1) && assert.NotEmpty(s.t, r.Content[0].Text) &&
		assert.NoError(s.t, json.Unmarshal(r.StructuredContent, structured))
}

// count notes under the lock.
func (s *storm) count(note func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	note()
}

// lane is one of a storm's callers. It calls for KOLs of its own, of whom it
// knows what happened to every request, and for those that it shares.
type lane struct {
	*storm
	rand     *rand.Rand
	own      []string                   // KOLs for whom it calls one by one
	compared []string                   // KOLs that it compares
	stored   map[string]bool            // KOLs whose portrait must be in the store
	owed     map[string][]*schema.Error // what repeated comparisons may yet be told of a KOL; nil in place of a portrait
}

// lanes are so many callers.
func (s *storm) lanes(seed uint64, n int) []*lane {
	all := make([]*lane, n)
	for i := range all {
		all[i] = s.lane(seed, i)
	}
	return all
}

func (s *storm) lane(seed uint64, n int) *lane {
	l := &lane{storm: s, rand: draw(seed, fmt.Sprint("lane ", n)), stored: make(map[string]bool), owed: make(map[string][]*schema.Error)}
	for i := range 12 {
		l.own = append(l.own, fmt.Sprintf("kol-%d-%d", n, i))
	}
	for i := range 6 {
		l.compared = append(l.compared, fmt.Sprintf("kol-%d-compared-%d", n, i))
	}
	return l
}

// run has all lanes make so many steps each.
func run(lanes []*lane, steps int) {
	var all sync.WaitGroup
	for _, l := range lanes {
		all.Go(func() {
			for range steps {
				l.step()
			}
		})
	}
	all.Wait()
}

// step is one call, and its repetitions while the portrait is being collected.
func (l *lane) step() {
	fresh := l.rand.Float64() < 0.4
	switch x := l.rand.Float64(); {
	case x < 0.75:
		l.portrait(pick(l.rand, l.own), fresh)
	case x < 0.9:
		l.sharedPortrait(pick(l.rand, l.shared), fresh)
	default:
		kolIDs := slices.Clone(l.compared)
		l.rand.Shuffle(len(kolIDs), func(i, j int) { kolIDs[i], kolIDs[j] = kolIDs[j], kolIDs[i] })
		l.comparison(kolIDs[:2+l.rand.IntN(2)], fresh)
	}
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// story is what became of a KOL in one step: in one call, or in a call and its
// repetitions.
type story struct {
	kolID    string
	fresh    bool
	repeated bool          // whether the call was told still_collecting first
	requests []served      // that the vendor got meanwhile
	failure  *schema.Error // how it ended; nil where the portrait arrived
	told     bool          // whether any of the calls was told of a charge
	earlier  bool          // whether any but the last was
}

// portrait calls for the portrait of a KOL of the lane's own, until it is
// there or has failed, and looks whether that is right.
func (l *lane) portrait(kolID string, fresh bool) {
	seen := len(l.vendor.requestsFor(kolID, 0))
	st := &story{kolID: kolID, fresh: fresh}
	a, ok := l.untilDone(st)
	if !ok {
		return
	}
	st.requests = l.vendor.requestsFor(kolID, seen)
	l.judgeStory(st)
	if !a.IsError {
		l.judgeSource(st, a.Structured.Source)
	}
	charges := charges(st.requests)
	switch {
	case st.repeated:
		assert.GreaterOrEqual(l.t, boolInt(st.told), charges, "%s: charges told", st)
	case l.explains(st):
		assert.Equal(l.t, charges, boolInt(st.told), "%s: charges told", st)
	}
}

// untilDone calls until the portrait is no longer being collected.
func (l *lane) untilDone(st *story) (a answer, ok bool) {
	for {
		a = answer{}
		structured := &a.Structured
		if !l.ask(portraitTool, map[string]any{"kolId": st.kolID, "acceptCache": !st.fresh}, structured) {
			return a, false
		}
		a.IsError = structured.Error != nil
		charged := structured.Source.Charged || a.IsError && structured.Error.Charged
		st.earlier, st.told = st.told, st.told || charged
		l.count(func() {
			if charged {
				l.told[st.kolID]++
			}
			if st.fresh {
				l.fresh[st.kolID]++
			}
		})
		if st.failure = structured.Error; st.failure == nil {
			l.judgeFigures(st.kolID, a)
			return a, true
		}
		l.count(func() { l.errors[st.failure.Kind]++ })
		if st.failure.Kind != schema.StillCollecting {
			return a, true
		}
		st.repeated = true
		assert.True(l.t, st.failure.Retryable)
		assert.Positive(l.t, st.failure.RetryAfterSeconds)
	}
}

// judgeFigures looks whether the portrait is that of the KOL.
func (l *lane) judgeFigures(kolID string, a answer) {
	want := l.right.of(l.t, kolID)
	right := a.Structured.KOLID == kolID && a.Structured.Distributions != nil && reflect.DeepEqual(want.distributions, *a.Structured.Distributions)
	if !assert.True(l.t, right, "the figures of %s are not its own", kolID) {
		return
	}
	l.count(func() { l.portraits++ })
}

// judgeStory looks whether a story ended as the requests in it say.
func (l *lane) judgeStory(st *story) {
	if st.failure != nil && strings.Contains(st.failure.Message, leftAlone) {
		l.count(func() { l.leftAlone++ })
		assert.Equal(l.t, schema.UpstreamError, st.failure.Kind)
		assert.False(l.t, st.failure.Charged)
		return
	}
	if st.failure != nil && st.failure.Kind == schema.BudgetExhausted && l.budget > 0 {
		assert.Zero(l.t, charges(st.requests), "%s: charges", st)
		assert.False(l.t, st.failure.Charged)
		return
	}
	for i, r := range st.requests[:max(len(st.requests)-1, 0)] {
		mayFollow := r.fault.right.again || st.repeated && !r.fault.right.portrait && !r.fault.right.charged
		assert.True(l.t, mayFollow, "%s: request %d was asked again", st, i)
	}
	assert.False(l.t, !st.fresh && l.stored[st.kolID] && len(st.requests) > 0, "%s: collected though it was stored", st)
	switch {
	case st.failure == nil && len(st.requests) > 0:
		assert.True(l.t, st.last().right.portrait, "%s: a portrait of nothing", st)
		l.stored[st.kolID] = true
	case st.failure == nil:
		assert.True(l.t, !st.fresh && l.stored[st.kolID] || l.takes(st), "%s: a portrait from nowhere", st)
	case l.explains(st):
	case len(st.requests) == 0 && l.takes(st):
	default: // then a connection failed before the vendor read the request, or for none of its doing
		l.unexplain(st)
	}
}

// unexplain notes a failure that only the network can have caused.
func (l *lane) unexplain(st *story) {
	kind := st.failure.Kind
	charged := st.failure.Charged || st.repeated // who repeats a comparison was told before
	assert.True(l.t, kind == schema.Network || kind == schema.Timeout && charged, "%s: told %+v", st, st.failure)
	l.count(func() { l.unexplained[kind]++ })
}

// explains reports whether the last request of a story is what it ended with.
// Of a charge, who repeats a comparison was told before.
func (l *lane) explains(st *story) bool {
	switch {
	case st.failure == nil:
		return true
	case len(st.requests) == 0:
		return false
	case st.repeated && !st.failure.Charged:
		told := *st.failure
		told.Charged = st.last().right.charged
		return st.last().right.allows(&told)
	default:
		return st.last().right.allows(st.failure)
	}
}

// takes reports whether a story ended with what the lane was owed.
func (l *lane) takes(st *story) bool {
	return slices.ContainsFunc(l.owed[st.kolID], func(owed *schema.Error) bool {
		if owed == nil || st.failure == nil {
			return owed == nil && st.failure == nil
		}
		return owed.Kind == st.failure.Kind && !st.failure.Charged
	})
}

// judgeSource looks whether a portrait says truly where it is from.
func (l *lane) judgeSource(st *story, source schema.Source) {
	collected := len(st.requests) > 0
	another := false // collection, after one that was told of and has cost nothing
	l.count(func() { another = st.earlier && (len(st.requests) > 1 || l.leftAlone > 0) })
	if !another {
		assert.Equal(l.t, collected && !st.earlier, source.Charged, "%s: charged", st)
	}
	if collected {
		assert.Equal(l.t, st.requests[len(st.requests)-1].endpoint, source.Endpoint, "%s: endpoint", st)
	}
	if !st.repeated {
		assert.Equal(l.t, !collected, source.FromStore, "%s: fromStore", st)
	}
}

func (st *story) last() *fault { return st.requests[len(st.requests)-1].fault }

// String tells the story.
func (st *story) String() string {
	names := make([]string, len(st.requests))
	for i, r := range st.requests {
		names[i] = fmt.Sprintf("%q", r.fault.name)
	}
	return fmt.Sprintf("%s, fresh: %v, repeated: %v, requests: %s", st.kolID, st.fresh, st.repeated, strings.Join(names, ", "))
}

// charges is how many of the requests the product must take for charged.
func charges(requests []served) int {
	n := 0
	for _, r := range requests {
		if r.fault.right.portrait || r.fault.right.charged {
			n++
		}
	}
	return n
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sharedPortrait calls for the portrait of a KOL for whom others call at the
// same time. Whose requests are whose is not known, so any fault that its
// requests had may be the answer.
func (l *lane) sharedPortrait(kolID string, fresh bool) {
	st := &story{kolID: kolID, fresh: fresh}
	if _, ok := l.untilDone(st); !ok || st.failure == nil {
		return
	}
	if strings.Contains(st.failure.Message, leftAlone) {
		l.count(func() { l.leftAlone++ })
		return
	}
	if st.failure.Kind == schema.BudgetExhausted && l.budget > 0 {
		return
	}
	explained := slices.ContainsFunc(l.vendor.requestsFor(kolID, 0), func(r served) bool { return r.fault.right.allows(st.failure) })
	network := slices.ContainsFunc(connectionFaults(), func(f fault) bool { return f.right.allows(st.failure) })
	assert.True(l.t, explained || network || st.failure.Kind == schema.Network, "%s: told %+v", st, st.failure)
}

// comparedAnswer is what a client sees of a comparison.
type comparedAnswer struct {
	schema.Comparison
	Error *schema.Error
}

// comparison compares KOLs of the lane's own, until none of them is being
// collected any more.
func (l *lane) comparison(kolIDs []string, fresh bool) {
	stories := make(map[string]*story, len(kolIDs))
	before := make(map[string]int, len(kolIDs))
	for _, kolID := range kolIDs {
		stories[kolID] = &story{kolID: kolID, fresh: fresh}
		before[kolID] = len(l.vendor.requestsFor(kolID, 0))
	}
	told, repeated := 0, false
	for again := true; again; repeated = repeated || again {
		var a comparedAnswer
		if !l.ask(comparisonTool, map[string]any{"kolIds": kolIDs, "acceptCache": !fresh}, &a) {
			return
		}
		told += toldBy(&a)
		again = l.read(&a, stories)
	}
	l.count(func() { l.told[""] += told })

	owed, explained := 0, !repeated
	for _, kolID := range kolIDs {
		st := stories[kolID]
		st.requests, st.repeated = l.vendor.requestsFor(kolID, before[kolID]), repeated
		l.judgeStory(st)
		owed += charges(st.requests)
		explained = explained && (l.explains(st) || l.takes(st))
	}
	if explained {
		assert.Equal(l.t, owed, told, "%v: charges told", stories)
	} else {
		assert.GreaterOrEqual(l.t, told, owed, "%v: charges told", stories)
	}
	l.remember(stories)
}

// toldBy is how many charges a comparison tells of.
func toldBy(a *comparedAnswer) int {
	if a.Error == nil {
		return a.Source.Charged
	}
	n := 0
	for _, f := range a.Failures {
		n += boolInt(f.Error.Charged)
	}
	return n
}

// read takes what a comparison says of each KOL into its story, and reports
// whether it is to be repeated for some that are still being collected.
func (l *lane) read(a *comparedAnswer, stories map[string]*story) (again bool) {
	assert.Len(l.t, stories, len(a.Portraits)+len(a.Failures), "portraits and failures")
	for _, p := range a.Portraits {
		want := l.right.of(l.t, p.KOLID)
		assert.Equal(l.t, want.asOf, p.AsOf, p.KOLID)
		if assert.NotNil(l.t, p.Female, p.KOLID) {
			assert.InDelta(l.t, *want.distributions.Gender.Female, float64(*p.Female), 0.0006, p.KOLID)
		}
		if st := stories[p.KOLID]; assert.NotNil(l.t, st, p.KOLID) {
			st.failure = nil
		}
	}
	for _, f := range a.Failures {
		late := f.Error.Kind == schema.StillCollecting
		if st := stories[f.KOLID]; assert.NotNil(l.t, st, f.KOLID) {
			st.failure, st.told = f.Error, st.told || f.Error.Charged && !late
		}
		again = again || late
		l.count(func() { l.errors[f.Error.Kind]++ })
	}
	l.count(func() { l.portraits += len(a.Portraits) })
	return again
}

// remember notes what a comparison that may be repeated is owed: all of it,
// without another charge.
func (l *lane) remember(stories map[string]*story) {
	repeat := false
	for _, st := range stories {
		repeat = repeat || st.failure != nil && st.failure.Retryable
	}
	for kolID, st := range stories {
		if st.failure != nil && st.told || st.failure == nil && repeat {
			l.owed[kolID] = append(l.owed[kolID], st.failure)
		}
	}
}

//go:build e2e && linux

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store/redis/redistest"
)

// The team: callers with many clients each, and KOLs of each caller's own.
const (
	members      = 200 // over all callers
	callsOf      = 50  // of a member, one after the other
	storedKOLs   = 10  // of a caller, that are stored before
	newKOLs      = 200 // of a caller
	callerBudget = storedKOLs + newKOLs + 40
	dayBudget    = 4*(storedKOLs+newKOLs) + 100
	maxRPS       = 100
	apart        = 1100 * time.Millisecond / maxRPS // from turn to turn
)

// Ten thousand calls reach three replicas behind nginx, which share a Redis. On
// the way one replica is killed, and another one told to end and started anew.
func TestReplicas(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	turns := watchTurns(t, redis)
	team := newTeam(t, redis)
	team.fill()
	ended := team.endReplicas()

	team.work()
	<-ended

	team.judgeFailures()
	charged := team.judgeCharges()
	team.spend(charged)
	team.judgeRate(turns())
	for _, replica := range team.replicas {
		replica.stop(t)
		replica.assertNoTokens(t)
	}
}

// team is what the members do and are told.
type team struct {
	t        *testing.T
	vendor   *vendor
	settings environment
	replicas map[string]*server // that run, by address
	proxy    string             // address of nginx
	http     http.Client        // of all members

	killed             string // address of the replica that was killed
	restarted          string // and of the one that was told to end
	killBegan, killEnd time.Time

	mu        sync.Mutex
	served    map[string]int    // answers, by replica
	refused   int               // answers by the second replica, since the first sent the call back untouched
	failures  []failure         // calls without an answer
	passedOn  []failure         // calls that were answered by another replica than the one that was killed
	told      map[string]int    // charges, by KOL
	portraits map[string][]byte // distributions, by KOL, as they were first seen
	tools     []byte            // the list of tools, as it was first seen
}

// failure is a call that got no answer, or not where it was sent first.
type failure struct {
	what         string
	kols         []string // that it may have had collected
	replica      string   // that nginx had given it to last
	began, ended time.Time
}

func newTeam(t *testing.T, redis *redistest.Server) *team {
	t.Helper()
	m := &team{t: t, vendor: startVendor(t), replicas: map[string]*server{}, served: map[string]int{}, told: map[string]int{}, portraits: map[string][]byte{}}
	m.settings = against(t, m.vendor, redis.URL()).ofTeam().with("JUSTONEAPI_MAX_RPS", fmt.Sprint(maxRPS), "JUSTONEAPI_TIMEOUT", "3s",
		"PORTRAIT_DAILY_BUDGET", fmt.Sprint(dayBudget), "MCP_CALLER_DAILY_BUDGET", fmt.Sprint(callerBudget))
	var addresses []string
	for range 3 {
		s, addr := serveHTTP(t, m.settings)
		m.replicas[addr] = s
		addresses = append(addresses, addr)
	}
	m.killed, m.restarted = addresses[0], addresses[1]
	m.proxy = startBalancer(t, addresses)
	m.http.Transport = &http.Transport{MaxIdleConnsPerHost: members}
	t.Cleanup(m.http.CloseIdleConnections)
	return m
}

// startBalancer starts nginx before replicas as deploy/nginx.conf has it, and
// returns its address. A call goes on to the next replica where the first takes no
// connection, or answers 503, by which it says that it has done nothing. Where
// the first breaks off, it may have taken the call, which then fails. A call that
// was told 503 is passed on in that case too: nginx cannot tell there.
func startBalancer(t *testing.T, addresses []string) string {
	t.Helper()
	upstream := "upstream replicas { server " + strings.Join(addresses, " max_fails=0; server ") + " max_fails=0; keepalive 64; }"
	return runNginx(t, upstream, `
		proxy_http_version 1.1;
		proxy_set_header Connection "";
		proxy_set_header Host $http_host;
		proxy_buffering off;
		proxy_next_upstream error timeout http_503;
		add_header X-Replica $upstream_addr always;
		location = /mcp { proxy_pass http://replicas; proxy_intercept_errors on; error_page 503 = @once_more; }
		location @once_more { proxy_pass http://replicas; proxy_next_upstream error http_503 non_idempotent; }`)
}

// member is a client of a caller.
func (m *team) member(caller string) *member {
	return &member{caller: caller, url: "http://" + m.proxy, http: &m.http}
}

// fill has each caller's first KOLs stored.
func (m *team) fill() {
	var all sync.WaitGroup
	for _, caller := range callers {
		all.Go(func() {
			for i := range storedKOLs {
				m.try(m.member(caller), task{portraitOf, []string{storedKOL(caller, i)}})
			}
		})
	}
	all.Wait()
}

func storedKOL(caller string, i int) string { return fmt.Sprintf("%s-stored-%d", caller, i) }
func newKOL(caller string, i int) string    { return fmt.Sprintf("%s-new-%d", caller, i) }

// task is one call of a member.
type task struct {
	what string
	kols []string
}

const (
	portraitOf   = "portrait"
	comparisonOf = "comparison"
	usageOf      = "usage"
	toolList     = "tools"
)

// tasks are the calls of a member, in an order of its own. Each new KOL of a
// caller is wanted by three of its members, or four.
func tasks(i int) []task {
	dice := rand.New(rand.NewPCG(uint64(i), 14))
	caller, first := callers[i%len(callers)], i/len(callers)*12
	anyStored := func() string { return storedKOL(callers[dice.IntN(len(callers))], dice.IntN(storedKOLs)) }
	var list []task
	for n := range 12 {
		list = append(list, task{portraitOf, []string{newKOL(caller, (first+n)%newKOLs)}})
	}
	for n := range 4 {
		list = append(list, task{what: usageOf}, task{what: toolList},
			task{comparisonOf, []string{storedKOL(caller, n), newKOL(caller, (first+n)%newKOLs), storedKOL(caller, n+4)}})
	}
	for len(list) < callsOf {
		list = append(list, task{portraitOf, []string{anyStored()}})
	}
	dice.Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
	return list
}

// work has all members call at the same time. A call that fails is repeated.
func (m *team) work() {
	var all sync.WaitGroup
	for i := range members {
		all.Go(func() {
			member := m.member(callers[i%len(callers)])
			assert.NoError(m.t, member.shakeHands(m.t.Context()))
			for _, task := range tasks(i) {
				for tries := 1; !m.try(member, task); tries++ {
					if tries == 10 {
						assert.Fail(m.t, "no answer", "%v", task)
						break
					}
				}
			}
		})
	}
	all.Wait()
}

// try calls once, and reports whether there was an answer.
func (m *team) try(by *member, task task) bool {
	ctx, cancel := context.WithTimeout(m.t.Context(), longest)
	defer cancel()
	began := time.Now()
	var r reply
	var err error
	switch task.what {
	case portraitOf:
		r, err = by.call(ctx, "get_kol_fans_portrait", map[string]any{"kolId": task.kols[0]})
	case comparisonOf:
		r, err = by.call(ctx, "compare_kol_fans_portraits", map[string]any{"kolIds": task.kols})
	case usageOf:
		r, err = by.ask(ctx, "resources/read", map[string]any{"uri": "kol-portrait://usage"})
	case toolList:
		r, err = by.ask(ctx, "tools/list", map[string]any{})
	}
	ended := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	passed := strings.Fields(" " + r.replica) // such as "A, B" where A took no connection, or "A : B" where it answered 503
	replica := ""
	if len(passed) > 0 {
		replica = passed[len(passed)-1]
	}
	if err != nil || r.status == http.StatusBadGateway {
		m.failures = append(m.failures, failure{fmt.Sprintf("%s: %d %v", task.what, r.status, err), task.kols, replica, began, ended})
		return false
	}
	if strings.Contains(r.replica, m.killed+",") {
		m.passedOn = append(m.passedOn, failure{task.what, task.kols, m.killed, began, ended})
	}
	m.served[replica]++
	if strings.Contains(r.replica, " : ") {
		m.refused++
	}
	assert.NoError(m.t, m.check(by, task, r), "%s of %v, by %s", task.what, task.kols, r.replica)
	return true
}

// check looks whether an answer is right.
func (m *team) check(by *member, task task, r reply) error {
	switch task.what {
	case portraitOf:
		var a answer
		if err := r.into(&a); err != nil || a.IsError {
			return fmt.Errorf("%w %s", err, r.body)
		}
		kolID := task.kols[0]
		if a.charged() {
			m.told[kolID]++
		}
		if m.portraits[kolID] == nil {
			assertOriginal(m.t, kolID, a.Structured.Distributions)
			m.portraits[kolID] = a.Structured.Distributions
		}
		assert.Equal(m.t, kolID, a.Structured.KOLID)
		assert.True(m.t, bytes.Equal(m.portraits[kolID], a.Structured.Distributions), "%s: other figures than before", kolID)
	case comparisonOf:
		var a struct{ StructuredContent schema.Comparison }
		if err := r.into(&a); err != nil {
			return err
		}
		var got []string
		for _, p := range a.StructuredContent.Portraits {
			got = append(got, p.KOLID)
		}
		assert.Equal(m.t, task.kols, got, "%s", r.body)
		m.told[task.kols[1]] += a.StructuredContent.Source.Charged
	case usageOf:
		figures, err := usageIn(r)
		if err != nil {
			return err
		}
		assert.Equal(m.t, dayBudget, figures.Budget)
		if assert.Len(m.t, figures.Callers, 1, "a caller sees its own charges") {
			own := figures.Callers[0]
			assert.Equal(m.t, by.caller, own.Name)
			assert.Equal(m.t, callerBudget, own.Budget)
			assert.LessOrEqual(m.t, own.Charged, figures.Charged)
		}
	case toolList:
		var list json.RawMessage
		if err := r.into(&list); err != nil {
			return err
		}
		if m.tools == nil {
			m.tools = list
		}
		assert.Equal(m.t, string(m.tools), string(list))
	}
	return nil
}

// endReplicas has a replica end and start anew when 150 requests have arrived at
// the vendor, and kills another one 150 later. When that is done, the channel is
// closed.
func (m *team) endReplicas() <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		m.await(150)
		m.restartOne()
		m.await(150)
		m.killOne()
		close(ended)
		for m.await(1) {
		}
	}()
	return ended
}

// await waits until n more requests have arrived, and reports whether they have
// before the test's end.
func (m *team) await(n int) bool {
	for range n {
		select {
		case <-m.vendor.arrived:
		case <-m.t.Context().Done():
			return false
		}
	}
	return true
}

// killOne kills a replica while the vendor is at work on requests of all three.
func (m *team) killOne() {
	m.vendor.holdBack()
	m.await(len(m.vendor.arrived)) // which came before, and are answered
	m.await(30)
	m.killBegan = time.Now()
	_ = m.replicas[m.killed].cmd.Process.Kill()
	assert.Error(m.t, <-m.replicas[m.killed].exited)
	m.killEnd = time.Now()
	delete(m.replicas, m.killed)
	m.vendor.release()
}

// restartOne tells a replica to end, and starts another one in its place.
func (m *team) restartOne() {
	old := m.replicas[m.restarted]
	assert.NoError(m.t, old.cmd.Process.Signal(syscall.SIGTERM))
	assert.NoError(m.t, <-old.exited, old.log)
	old.assertNoTokens(m.t)
	m.replicas[m.restarted], _ = serveAt(m.t, m.settings, m.restarted)
}

//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream/sample"
)

// faultyVendor is the simulated vendor at the end of a network, and behind
// gateways, on which everything goes wrong that can. What it answers and
// charges is sample.Vendor's; what becomes of that on the way is planned
// request by request, and written to the connection byte by byte.
type faultyVendor struct {
	*sample.Vendor
	url       string
	elsewhere *elsewhere
	listener  net.Listener
	handlers  sync.WaitGroup

	mu       sync.Mutex
	plan     plan
	accepted int
	conns    map[*net.TCPConn]struct{}
	served   map[string][]served // by KOL, in the order in which they arrived
	injected map[string]int      // faults, by name
	arrived  int                 // requests
	onServed func(n int)         // called when the n-th request arrives; nil: nothing is
}

// plan tells what goes wrong. A nil function lets everything go well.
type plan struct {
	request    func(kolID string, n int) *fault // with the n-th request for a KOL, from 0 on; nil: nothing
	connection func(n int) *fault               // with the n-th connection, before it is read from; nil: nothing
}

// served is a request that arrived, and what became of it.
type served struct {
	fault    *fault
	endpoint schema.Endpoint
}

// exchange is a request that is to be answered.
type exchange struct {
	conn      *net.TCPConn
	request   *http.Request // nil where the connection is not read from
	right     string        // the body of the right answer; empty where the vendor has not worked
	elsewhere string        // the address of another host
}

func startFaultyVendor(t *testing.T, p plan) *faultyVendor {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	v := &faultyVendor{
		Vendor:    sample.New(),
		url:       "http://" + listener.Addr().String(),
		elsewhere: startElsewhere(t),
		listener:  listener,
		plan:      p,
		conns:     make(map[*net.TCPConn]struct{}),
		served:    make(map[string][]served),
		injected:  make(map[string]int),
	}
	v.Token = token
	v.handlers.Go(v.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		v.hangUp()
		v.handlers.Wait()
	})
	return v
}

// accept serves connections until the listener closes.
func (v *faultyVendor) accept() {
	for {
		conn, err := v.listener.Accept()
		if err != nil {
			return
		}
		tcp := conn.(*net.TCPConn)
		v.mu.Lock()
		v.conns[tcp] = struct{}{}
		v.mu.Unlock()
		v.handlers.Go(func() {
			v.serve(tcp)
			v.mu.Lock()
			defer v.mu.Unlock()
			delete(v.conns, tcp)
		})
	}
}

// serve answers the requests on a connection as it is planned.
func (v *faultyVendor) serve(conn *net.TCPConn) {
	defer func() { _ = conn.Close() }()
	if f := v.onAccept(); f != nil {
		f.send(&exchange{conn: conn})
		return
	}
	requests := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		if x, f := v.take(conn, request); !f.send(x) {
			return
		}
	}
}

func (v *faultyVendor) onAccept() *fault {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.plan.connection == nil {
		return nil
	}
	f := v.plan.connection(v.accepted)
	v.accepted++
	if f != nil {
		v.injected[f.name]++
	}
	return f
}

// take notes a request and has the vendor work on it, if what is planned for
// it comes after that.
func (v *faultyVendor) take(conn *net.TCPConn, request *http.Request) (*exchange, *fault) {
	x := &exchange{conn: conn, request: request, elsewhere: v.elsewhere.url}
	f := v.note(request)
	if f.works {
		recorder := httptest.NewRecorder()
		v.ServeHTTP(recorder, request)
		x.right = recorder.Body.String()
	}
	return x, f
}

func (v *faultyVendor) note(request *http.Request) *fault {
	query := request.URL.Query()
	kolID, endpoint := query.Get("kolId"), schema.EndpointPortrait
	if kolID == "" {
		kolID, endpoint = query.Get("userId"), schema.EndpointProfile
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	f := (*fault)(nil)
	if v.plan.request != nil {
		f = v.plan.request(kolID, len(v.served[kolID]))
	}
	if f == nil {
		f = noFault()
	} else {
		v.injected[f.name]++
	}
	v.served[kolID] = append(v.served[kolID], served{f, endpoint})
	v.arrived++
	if v.onServed != nil {
		v.onServed(v.arrived)
	}
	return f
}

// whenServed has f called as each request arrives, with how many there were.
func (v *faultyVendor) whenServed(f func(n int)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.onServed = f
}

// requestsFor returns the requests for a KOL beyond the first n.
func (v *faultyVendor) requestsFor(kolID string, n int) []served {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.served[kolID][n:]
}

// all returns every request, by KOL.
func (v *faultyVendor) all() map[string][]served {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.served)
}

// faults returns how often each fault was injected, by name, and the sum.
func (v *faultyVendor) faults() (byName map[string]int, sum int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, n := range v.injected {
		sum += n
	}
	return maps.Clone(v.injected), sum
}

// count is how many requests arrived.
func (v *faultyVendor) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.arrived
}

// hangUp closes all connections, as a server does with idle ones.
func (v *faultyVendor) hangUp() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for conn := range v.conns {
		_ = conn.Close()
	}
}

// write sends text and reports whether the client took it.
func (x *exchange) write(text string) bool {
	_, err := io.WriteString(x.conn, text)
	return err == nil
}

// untilLeft waits until the client has left.
func (x *exchange) untilLeft() { _, _ = io.Copy(io.Discard, x.conn) }

// reset ends the connection in the way of a host that has failed.
func (x *exchange) reset() {
	_ = x.conn.SetLinger(0)
	_ = x.conn.Close()
}

// endless sends text again and again until the client has left.
func (x *exchange) endless(text string) {
	for x.write(text) {
	}
}

// drip sends text in parts of size bytes, with a pause before each, and reports
// whether the client took all of it.
func (x *exchange) drip(text string, size int, pause time.Duration) bool {
	beat := time.NewTicker(pause)
	defer beat.Stop()
	for len(text) > 0 {
		<-beat.C
		n := min(size, len(text))
		if !x.write(text[:n]) {
			return false
		}
		text = text[n:]
	}
	return true
}

// elsewhere is another host, to which nobody may ever go.
type elsewhere struct {
	url  string
	came atomic.Int64 // connections
}

func startElsewhere(t *testing.T) *elsewhere {
	t.Helper()
	e := &elsewhere{}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			e.came.Add(1)
		}
	}
	server.Start()
	e.url = server.URL
	t.Cleanup(func() {
		server.Close()
		assert.Zero(t, e.came.Load(), "a redirect was followed")
	})
	return e
}

// original is what the vendor has to tell of a KOL.
type original struct {
	asOf          string
	data          string // byte for byte
	distributions schema.Distributions
}

// originals asks a vendor of its own, whose charges nobody counts, for what
// the others should bring.
type originals struct {
	vendor *sample.Vendor
	known  sync.Map // original, by KOL
}

func newOriginals() *originals { return &originals{vendor: sample.New()} }

// of returns what the vendor has to tell of a KOL.
func (o *originals) of(t *testing.T, kolID string) original {
	t.Helper()
	if known, ok := o.known.Load(kolID); ok {
		return known.(original)
	}
	recorder := httptest.NewRecorder()
	o.vendor.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet,
		"/api/xiaohongshu-pgy/get-kol-fans-portrait/v1?token="+sample.Token+"&kolId="+kolID, nil))
	var envelope struct{ Data json.RawMessage }
	var dated struct {
		DateKey string
	}
	it := original{}
	assert.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &envelope))
	assert.NoError(t, json.Unmarshal(envelope.Data, &it.distributions))
	assert.NoError(t, json.Unmarshal(envelope.Data, &dated))
	it.asOf, it.data = dated.DateKey, string(envelope.Data)
	o.known.Store(kolID, it)
	return it
}

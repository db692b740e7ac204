//go:build e2e

package e2e

import (
	"bufio"
	"io"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// httpClient is a client that writes whatever it is told to over TCP. In what
// it is told, HOST stands for the server's address, LENGTH for the body's, LIVE
// for the id of an event stream that is open, and ENDED for that of one that
// was.
type httpClient struct {
	addr        string
	live, ended string
	events      chan string // the data of the live stream's events
	conn        net.Conn
	in          *bufio.Reader
}

func newHTTPClient(t *testing.T, s *server, addr string) *httpClient {
	t.Helper()
	c := &httpClient{addr: addr, ended: endedStream(t, s, addr)}
	c.live, c.events = openStream(t, addr)
	return c
}

// connection returns the open connection, or a new one.
func (c *httpClient) connection(t *testing.T) net.Conn {
	t.Helper()
	if c.conn == nil {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", c.addr)
		require.NoError(t, err)
		c.conn, c.in = conn, bufio.NewReader(conn)
	}
	require.NoError(t, c.conn.SetDeadline(time.Now().Add(patience)))
	return c.conn
}

// send returns the answer to a request, in lines.
func (c *httpClient) send(t *testing.T, request string) []string {
	t.Helper()
	head, body, whole := strings.Cut(request, "\r\n\r\n")
	if !whole {
		request += "\r\n\r\n"
	}
	request = strings.NewReplacer("HOST", c.addr, "LENGTH", strconv.Itoa(len(body)), "LIVE", c.live, "ENDED", c.ended).Replace(request)
	conn := c.connection(t)
	_, err := io.WriteString(conn, request)
	require.NoError(t, err)
	method, _, _ := strings.Cut(head, " ")
	response, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		c.conn = nil
	}
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assertFit(t, string(text))
	if response.Close {
		response.Header.Set("Connection", "close")
		c.hangUp(t)
	}
	answer := []string{response.Proto + " " + response.Status}
	for _, name := range slices.Sorted(maps.Keys(response.Header)) {
		switch name {
		case "Date", "Content-Length", "Vary", "X-Content-Type-Options":
			continue
		}
		for _, value := range response.Header[name] {
			answer = append(answer, name+": "+value)
		}
	}
	if len(text) > 0 {
		answer = append(answer, "")
		answer = append(answer, strings.Split(strings.TrimRight(string(text), "\n"), "\n")...)
	}
	for i, line := range answer {
		answer[i] = abridge(strings.ReplaceAll(line, c.addr, "HOST"))
	}
	return answer
}

// hangUp ends the connection, of whose other end there must be nothing more.
func (c *httpClient) hangUp(t *testing.T) {
	t.Helper()
	if c.conn == nil {
		return
	}
	if tcp, ok := c.conn.(*net.TCPConn); ok {
		require.NoError(t, tcp.CloseWrite())
	}
	rest, _ := io.ReadAll(c.in) // a reset is an end as well
	assert.Empty(t, string(rest), "an answer too many")
	require.NoError(t, c.conn.Close())
	c.conn = nil
}

// requireAlive sends a request that is right, over the same connection where
// that is still open.
func (c *httpClient) requireAlive(t *testing.T) {
	t.Helper()
	body := rightRequest
	answer := c.send(t, strings.Join([]string{
		"POST /mcp HTTP/1.1", "Host: HOST", "Content-Type: application/json", "Accept: application/json, text/event-stream", "Content-Length: LENGTH", "", body}, "\r\n"))
	require.Equal(t, []string{"HTTP/1.1 200 OK", "Content-Type: application/json", "", rightAnswer}, answer)
}

// answers returns the answer to a request. In it, a line with ~ is what comes
// on the event stream.
func (c *httpClient) answers(t *testing.T, w *wrongRequest) []string {
	t.Helper()
	answer := c.send(t, unescape(t, strings.Join(w.request, "\r\n")))
	answer = append(answer, c.streamed(t, w.answer)...)
	c.requireAlive(t)
	return answer
}

// streamed returns what comes on the event stream, as many as are expected.
func (c *httpClient) streamed(t *testing.T, expected []string) []string {
	t.Helper()
	var events []string
	patience := patience
	left := len(slices.DeleteFunc(slices.Clone(expected), func(line string) bool { return !strings.HasPrefix(line, "~ ") }))
	if *update {
		patience, left = 200*time.Millisecond, 1
	}
	for ; left > 0; left-- {
		select {
		case event := <-c.events:
			assertFit(t, event)
			events = append(events, "~ "+abridge(event))
		case <-time.After(patience):
			return events
		}
	}
	return events
}

// openStream opens an event stream, and returns its session and its events.
func openStream(t *testing.T, addr string) (session string, events chan string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/sse", http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	events = make(chan string, 100)
	lines := bufio.NewScanner(response.Body)
	for session == "" && lines.Scan() {
		if found := regexp.MustCompile(`sessionId=(\S+)`).FindStringSubmatch(lines.Text()); found != nil {
			session = found[1]
		}
	}
	require.NotEmpty(t, session)
	go func() {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				events <- data
			}
		}
	}()
	return session, events
}

// endedStream returns the session of an event stream that has ended.
func endedStream(t *testing.T, s *server, addr string) (session string) {
	t.Helper()
	t.Run("an event stream that ends", func(t *testing.T) {
		session, _ = openStream(t, addr)
	})
	s.log.find(t, regexp.MustCompile(`path=/sse status=(\d+)`))
	return session
}

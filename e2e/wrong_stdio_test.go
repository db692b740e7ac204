//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A request that is right, and its answer: the server must go on working.
const (
	rightRequest = `{"jsonrpc":"2.0","id":"right","method":"ping"}`
	rightAnswer  = `{"jsonrpc":"2.0","id":"right","result":{}}`
)

// patience is how long an answer is waited for that will not come any more.
const patience = 20 * time.Second

// lineClient is a client that writes and reads lines, whatever they are.
type lineClient struct {
	*server
	in    io.Writer
	lines chan string // that the server writes; closed at their end
}

func newLineClient(t *testing.T, e environment) *lineClient {
	t.Helper()
	s, in, out := spawn(t, e)
	s.stdin = in
	c := &lineClient{server: s, in: in, lines: make(chan string, 100)}
	go func() {
		defer close(c.lines)
		for reader := bufio.NewReader(out); ; {
			line, err := reader.ReadString('\n')
			if err != nil {
				return
			}
			c.lines <- strings.TrimSuffix(line, "\n")
		}
	}()
	return c
}

func (c *lineClient) send(t *testing.T, line string) {
	t.Helper()
	_, err := io.WriteString(c.in, line+"\n")
	require.NoError(t, err)
}

// next is the next line that the server writes.
func (c *lineClient) next(t *testing.T) string {
	t.Helper()
	select {
	case line, more := <-c.lines:
		require.True(t, more, "the server has ended: %s", c.log)
		return line
	case <-time.After(patience):
		require.Fail(t, "the server does not answer", c.log.String())
		return ""
	}
}

// collect reads as many lines as are expected. To write them anew, it reads all
// that come.
func (c *lineClient) collect(t *testing.T, expected int) []string {
	t.Helper()
	var lines []string
	for *update {
		select {
		case line := <-c.lines:
			lines = append(lines, line)
		case <-time.After(200 * time.Millisecond):
			return lines
		}
	}
	for len(lines) < expected {
		lines = append(lines, c.next(t))
	}
	return lines
}

// try sends what is wrong, and then what is right. It returns the answers to
// what is wrong, of which there must be as many as are expected.
func (c *lineClient) try(t *testing.T, wrong string, expected int) []string {
	t.Helper()
	c.send(t, wrong)
	answers := c.collect(t, expected)
	c.send(t, rightRequest)
	require.Equal(t, []string{rightAnswer}, []string{c.next(t)})
	for _, answer := range answers {
		assertFit(t, answer)
	}
	return answers
}

// handshake is what a client of the older revisions begins with.
func (c *lineClient) handshake(t *testing.T) {
	t.Helper()
	c.send(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"e2e","version":"1"}}}`)
	require.Contains(t, c.next(t), `"protocolVersion":"2025-11-25"`)
	c.send(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
}

// finish ends the server, which must have nothing more to say.
func (c *lineClient) finish(t *testing.T) {
	t.Helper()
	c.end(t)
	var rest []string
	for line := range c.lines {
		rest = append(rest, line)
	}
	assert.Empty(t, rest, "answers too many")
}

// answers returns the lines that answer a request, in alphabetical order: those
// to several come in any.
func (c *lineClient) answers(t *testing.T, w *wrongRequest) []string {
	t.Helper()
	answers := c.try(t, unescape(t, strings.Join(w.request, "\n")), len(w.answer))
	for i, answer := range answers {
		answers[i] = abridge(answer)
	}
	slices.Sort(answers)
	return answers
}

// refusal returns the message that answers a call of a tool, of which a table
// has the name and the arguments. From the message follows all of the answer: a
// result, not an error of the protocol, whose both halves say why, that a
// repetition is no use, and that nothing was charged.
func (c *lineClient) refusal(t *testing.T, w *wrongRequest) []string {
	t.Helper()
	tool, arguments, _ := strings.Cut(unescape(t, strings.Join(w.request, " ")), " ")
	answers := c.try(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments), 1)
	require.Len(t, answers, 1)
	var decoded struct{ Result answer }
	require.NoError(t, json.Unmarshal([]byte(answers[0]), &decoded))
	require.NotNil(t, decoded.Result.Structured.Error, answers[0])
	message := decoded.Result.Structured.Error.Message
	whole := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":%s}],"isError":true,`+
		`"structuredContent":{"error":{"kind":"invalid_argument","message":%s,"retryable":false,"charged":false}}}}`,
		quoted(t, "Error invalid_argument: "+message+"\nRetryable: no. Charged: no."), quoted(t, message))
	require.Equal(t, []string{whole}, answers)
	return []string{message}
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	raw, err := json.Marshal(text)
	require.NoError(t, err)
	return string(raw)
}

//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nodeSDK is the client of an SDK for Node, in a program that clients/drive.mjs
// makes do what it is told.
type nodeSDK struct {
	program *exec.Cmd
	stdin   io.WriteCloser
	stderr  *log // of the program, and of the server that it starts on stdio

	mu       sync.Mutex
	calls    []nodeCall // by id
	objected []string
	ended    chan struct{} // closed when the program says no more
}

// nodeCall is a command that is to be answered.
type nodeCall struct {
	hear   func(progress)
	answer chan nodeMessage
}

// nodeMessage is what the program says, which is one of these.
type nodeMessage struct {
	ID        int
	Result    json.RawMessage
	Error     *protocolError
	Progress  *progress
	Complaint string
}

// connectNode returns what connects a client of the SDK that a program of
// clients/ imports.
func connectNode(program string) connect {
	return func(t *testing.T, to endpoint) (sdk, hello, error) {
		t.Helper()
		s := &nodeSDK{stderr: newLog(), ended: make(chan struct{})}
		if to.transport == "stdio" {
			s.stderr = to.stderr
		}
		s.program = exec.CommandContext(context.WithoutCancel(t.Context()), node(t), filepath.Join("clients", program))
		s.program.Env, s.program.Stderr = []string{"HOME=" + t.TempDir()}, s.stderr
		var err error
		s.stdin, err = s.program.StdinPipe()
		require.NoError(t, err)
		stdout, err := s.program.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, s.program.Start())
		t.Cleanup(func() { _ = s.program.Process.Kill() })
		go s.listen(t, stdout)
		raw, err := s.ask(t.Context(), "connect", map[string]any{
			"transport": to.transport, "revision": to.revision, "url": to.url, "command": binary, "env": to.env, "user": to.user,
		}, nil)
		if err != nil {
			return nil, hello{}, err
		}
		var h hello
		return s, h, json.Unmarshal(raw, &h)
	}
}

// listen takes what the program says.
func (s *nodeSDK) listen(t *testing.T, stdout io.Reader) {
	t.Helper()
	defer close(s.ended)
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		assert.NotContains(t, lines.Text(), token)
		var said nodeMessage
		if assert.NoError(t, json.Unmarshal(lines.Bytes(), &said), lines.Text()) {
			s.take(said)
		}
	}
	assert.NoError(t, lines.Err())
}

func (s *nodeSDK) take(said nodeMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case said.Complaint != "":
		s.objected = append(s.objected, said.Complaint)
	case said.Progress != nil:
		s.calls[said.ID].hear(*said.Progress)
	default:
		s.calls[said.ID].answer <- said
	}
}

func (s *nodeSDK) ask(ctx context.Context, method string, params map[string]any, hear func(progress)) (json.RawMessage, error) {
	answer := make(chan nodeMessage, 1)
	s.mu.Lock()
	id := len(s.calls)
	s.calls = append(s.calls, nodeCall{hear, answer})
	s.mu.Unlock()
	if err := s.command(map[string]any{"id": id, "method": method, "params": params, "progress": hear != nil}); err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = s.command(map[string]any{"cancel": id}) })()
	select {
	case said := <-answer:
		if err := ctx.Err(); err != nil && said.Error != nil {
			return nil, err
		}
		if said.Error != nil {
			return nil, said.Error
		}
		return said.Result, nil
	case <-s.ended:
		return nil, errors.New("the program has ended: " + s.stderr.String())
	}
}

func (s *nodeSDK) command(command map[string]any) error {
	line, err := json.Marshal(command)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.stdin.Write(append(line, '\n'))
	return err
}

func (s *nodeSDK) close(t *testing.T) {
	t.Helper()
	_, err := s.ask(t.Context(), "close", nil, nil)
	require.NoError(t, err)
	require.NoError(t, s.stdin.Close())
	<-s.ended
	require.NoError(t, s.program.Wait(), s.stderr.String())
}

func (s *nodeSDK) complaints() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	logged := regexp.MustCompile(`^time=\S+ level=`)
	all := slices.Clone(s.objected)
	for _, line := range s.stderr.lines() {
		if !logged.MatchString(line) { // by the server, but printed by the SDK
			all = append(all, line)
		}
	}
	return all
}

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tiktoken-go/tokenizer"
)

// server is one that is measured.
type server struct {
	name    string
	command []string
}

// The servers by name. ours comes first in the table.
const (
	ours       = "this server"
	mcpgo      = "mcp-go"
	gosdk      = "Go SDK"
	typescript = "TypeScript SDK"
)

// bench is what a run is made with.
type bench struct {
	servers []server
	vendor  *httptest.Server
	env     []string // of every server
	address string   // where a server listens over HTTP
	codec   tokenizer.Codec
}

// vendorLatency is what the vendor of the run takes to answer, at least. The real
// one takes seconds; what is measured is what our server adds.
const vendorLatency = 5 * time.Millisecond

// setUp builds the servers in dir, starts the vendor, makes our server store a
// portrait, and hands its answer to the mcp-go peer.
func setUp(ctx context.Context, dir string) (*bench, error) {
	const documented, peers = "testdata/documented-response.json", "./bench/peers/"
	answer, err := os.ReadFile(documented)
	if err != nil {
		return nil, err
	}
	for _, build := range []*exec.Cmd{
		exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", dir, ".", peers+"mcpgo", peers+"gosdk"),
		exec.CommandContext(ctx, "npm", "ci", "--prefix", peers+"typescript", "--ignore-scripts", "--no-audit", "--no-fund"),
	} {
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", build, err, out)
		}
	}
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(vendorLatency)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}))
	free := httptest.NewServer(nil) // takes an address that is free, and leaves it
	free.Close()
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	result := filepath.Join(dir, "result.json")
	b := &bench{
		servers: []server{
			{ours, []string{filepath.Join(dir, "kol-portrait-mcp")}},
			{mcpgo, []string{filepath.Join(dir, "mcpgo"), result}},
			{gosdk, []string{filepath.Join(dir, "gosdk"), documented}},
			{typescript, []string{peers + "typescript/node_modules/.bin/node", peers + "typescript/server.mjs", documented}},
		},
		vendor: vendor,
		env: []string{"PATH=" + os.Getenv("PATH"), "LOG_LEVEL=error", "JUSTONEAPI_TOKEN=bench", "JUSTONEAPI_BASE_URL=" + vendor.URL,
			"JUSTONEAPI_MAX_RPS=1000", "PORTRAIT_DAILY_BUDGET=0", "PORTRAIT_STORE=sqlite:" + filepath.Join(dir, "portraits.db")},
		address: free.Listener.Addr().String(),
		codec:   codec,
	}
	p := b.launch(ctx, b.servers[0])
	defer p.stop()
	p.ask(hello+ready+call(storedKOL), portraitMark)
	fromStore := p.ask(call(storedKOL), `"fromStore":true`)
	return b, errors.Join(err, p.err, os.WriteFile(result, fromStore, 0o600))
}

// What clients send, and what they must find in the answer.
const (
	hello = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}` + "\n"
	ready = `{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n"
	list  = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}` + "\n"

	storedKOL    = "stored" // the KOL whose portrait our server has stored
	portraitMark = "35-44"  // an age group, in every answer with a portrait

	bearer = "bench-0123456789abcdef" // what clients over HTTP present
)

// call is the request for a portrait.
func call(kolID string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"get_kol_fans_portrait","arguments":{"kolId":%q}}}`+"\n", kolID)
}

// process is a server that runs. After its first error it does nothing more.
type process struct {
	*bench
	cmd      *exec.Cmd
	began    time.Time
	stdin    io.WriteCloser
	lines    *bufio.Reader
	measured map[string]float64 // by figure
	err      error
}

// launch starts a server with the environment of the run and env.
func (b *bench) launch(ctx context.Context, s server, env ...string) *process {
	cmd := exec.CommandContext(ctx, s.command[0], s.command[1:]...)
	cmd.Env, cmd.Stderr = slices.Concat(b.env, env), os.Stderr
	stdin, failedIn := cmd.StdinPipe()
	stdout, failedOut := cmd.StdoutPipe()
	began := time.Now()
	return &process{b, cmd, began, stdin, bufio.NewReader(stdout), map[string]float64{}, errors.Join(failedIn, failedOut, cmd.Start())}
}

func (p *process) fail(err error) { p.err = cmp.Or(p.err, err) }

// ask sends messages, a line each, and returns the line that has mark in it.
func (p *process) ask(messages, mark string) (line []byte) {
	if p.err == nil {
		_, p.err = io.WriteString(p.stdin, messages)
	}
	for p.err == nil && !bytes.Contains(line, []byte(mark)) {
		if bytes.Contains(line, []byte(`"error":`)) || bytes.Contains(line, []byte(`"isError":true`)) {
			p.err = fmt.Errorf("it answered %.300s", line)
			break
		}
		line, p.err = p.lines.ReadBytes('\n')
	}
	return line
}

func (p *process) stop() {
	if p.cmd.Process != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// memory returns how much memory a server has, in MB: with VmRSS now, with VmHWM
// at most so far.
func (p *process) memory(name string) (megabytes float64) {
	if p.err == nil {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
		_, after, _ := strings.Cut(string(status), name+":")
		_, failed := fmt.Sscan(after, &megabytes) // in kB
		p.err = errors.Join(err, failed)
	}
	return megabytes / 1024
}

// session is one client of a server over HTTP.
type session struct {
	client *http.Client
	url    string
	id     string // as the server gave it, if it did
}

// open waits until the server listens, at most ten seconds, and shakes hands.
func (s *session) open(ctx context.Context) error {
	err := s.post(ctx, hello, "serverInfo")
	for i := 0; i < 2000 && errors.Is(err, syscall.ECONNREFUSED); i++ {
		time.Sleep(5 * time.Millisecond)
		err = s.post(ctx, hello, "serverInfo")
	}
	return errors.Join(err, s.post(ctx, ready, ""))
}

// post sends one message, whose answer must have mark in it.
func (s *session) post(ctx context.Context, message, mark string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, strings.NewReader(message))
	if err != nil {
		return err
	}
	request.Header = http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "Mcp-Protocol-Version": {"2025-11-25"},
		"Authorization": {"Bearer " + bearer},
	}
	if s.id != "" {
		request.Header.Set("Mcp-Session-Id", s.id)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	s.id = cmp.Or(response.Header.Get("Mcp-Session-Id"), s.id)
	body, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode >= http.StatusMultipleChoices || !bytes.Contains(body, []byte(mark))) {
		return fmt.Errorf("%.80s was answered with %s: %.300s", message, response.Status, body)
	}
	return err
}

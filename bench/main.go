// Command bench builds this server and three peers, measures them in turns, and
// prints a table of figures, ratios and bounds. It runs in the module's root:
//
//	go run ./bench                          # in a minute and a half
//	go run ./bench -idle >bench/RESULTS.md  # on a machine that does nothing else
//
// Each peer is the least that a server of its SDK can be, and answers from memory:
// one of mcp-go with our own result, and one of the official Go SDK and one of the
// official TypeScript SDK with the vendor's JSON. The exit code is 1 where a ratio,
// or a number of tokens, is beyond its bound by more than the noise of the run. Some
// bounds are held only with -idle.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sync/errgroup"
)

// How often is called in one round.
const (
	stdioCalls  = 1000
	freshCalls  = 60
	clients     = 16 // that call over HTTP at the same time
	callsOfEach = 200
)

func main() {
	idle := flag.Bool("idle", false, "hold times by themselves to their bounds as well: the machine does nothing else")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	table, err := run(ctx, *idle)
	stop()
	_, _ = os.Stdout.WriteString(table)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run takes every figure, those of all servers in turns, and returns the table.
func run(ctx context.Context, idle bool) (table string, err error) {
	dir, err := os.MkdirTemp("", "kol-portrait-mcp-bench-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	fmt.Fprintln(os.Stderr, "bench: building")
	b, err := setUp(ctx, dir)
	if err != nil {
		return "", err
	}
	defer b.vendor.Close()
	results := make(results)
	for _, step := range []struct {
		name    string
		rounds  int
		servers []server
		env     []string
		measure func(*process, context.Context)
	}{
		{"tokens", 1, b.servers, nil, (*process).tokens}, // first, so that the binaries are in the page cache when starts are timed
		{"start", 45, b.servers, nil, (*process).start},
		{"stored calls over stdio", 9, b.servers, nil, (*process).stored},
		{"fresh calls", 9, b.servers[:1], nil, (*process).fresh},
		{"stored calls over HTTP", 9, b.servers, []string{"MCP_TRANSPORT=http", "MCP_ADDR=" + b.address, "MCP_AUTH_TOKENS=bench=" + bearer}, (*process).load},
	} {
		fmt.Fprintln(os.Stderr, "bench:", step.name)
		for i := range step.rounds * len(step.servers) {
			s := step.servers[i%len(step.servers)]
			p := b.launch(ctx, s, step.env...)
			step.measure(p, ctx)
			if p.stop(); p.err != nil {
				return "", fmt.Errorf("measure %s of %s: %w", step.name, s.name, p.err)
			}
			for figure, value := range p.measured {
				of := series{figure, s.name}
				results[of] = append(results[of], value)
			}
		}
	}
	return results.report(idle)
}

// tokens counts what a model reads of a server, in OpenAI's o200k_base.
func (p *process) tokens(_ context.Context) {
	var seen struct {
		Result struct {
			Tools []struct {
				Name        string          `json:"name"`
				Description string          `json:"description"`
				InputSchema json.RawMessage `json:"inputSchema"`
			}
			Content           [1]struct{ Text string }
			StructuredContent json.RawMessage
		}
	}
	p.fail(json.Unmarshal(p.ask(hello+ready+list, `"tools":[`), &seen))
	p.fail(json.Unmarshal(p.ask(call(storedKOL), portraitMark), &seen))
	definitions, err := json.Marshal(seen.Result.Tools)
	p.fail(err)
	for figure, text := range map[string]string{
		definitionLength: string(definitions),
		textLength:       seen.Result.Content[0].Text,
		structuredLength: string(seen.Result.StructuredContent),
	} {
		n, err := p.codec.Count(text)
		p.fail(err)
		p.measured[figure] = float64(n)
	}
}

// start times a server from the start of its process to its list of tools.
func (p *process) start(_ context.Context) {
	p.ask(hello+ready+list, `"tools":[`)
	p.measured[startTime] = since(p.began)
}

// stored times calls over stdio for a portrait that our server has stored.
func (p *process) stored(_ context.Context) {
	p.ask(hello+ready, "serverInfo")
	took := make([]float64, stdioCalls)
	for i := range took {
		began := time.Now()
		p.ask(call(storedKOL), portraitMark)
		took[i] = since(began)
	}
	p.measured[stdioTime] = quantile(took, 0.5)
}

// fresh times calls over stdio for portraits that our server must ask the vendor
// for, and takes off what the vendor takes for a client that asks it directly.
func (p *process) fresh(ctx context.Context) {
	p.ask(hello+ready, "serverInfo")
	vendor := session{client: p.vendor.Client(), url: p.vendor.URL}
	took, direct := make([]float64, freshCalls), make([]float64, freshCalls)
	for i := range took {
		began := time.Now()
		p.fail(vendor.post(ctx, "{}", portraitMark))
		direct[i] = since(began)
		request := call(rand.Text()) // a KOL that nobody has asked for
		began = time.Now()
		p.ask(request, portraitMark)
		took[i] = since(began)
	}
	p.measured[freshTime] = quantile(took, 0.5) - quantile(direct, 0.5)
}

// load measures many clients that call over Streamable HTTP for a portrait that
// our server has stored, and the memory of the server before and while they do.
// Our server checks the token of each call, and keeps its metrics.
func (p *process) load(ctx context.Context) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	sessions := make([]session, clients)
	for i := range sessions {
		sessions[i] = session{client: client, url: "http://" + p.address + "/mcp"}
		p.fail(sessions[i].open(ctx))
	}
	p.measured[idleMemory] = p.memory("VmRSS")
	calls, ctx := errgroup.WithContext(ctx)
	took := make([]float64, clients*callsOfEach)
	began := time.Now()
	for i := range sessions {
		calls.Go(func() (err error) {
			for j := range callsOfEach {
				began := time.Now()
				err = errors.Join(err, sessions[i].post(ctx, call(storedKOL), portraitMark))
				took[i*callsOfEach+j] = since(began)
			}
			return err
		})
	}
	p.fail(calls.Wait())
	p.measured[throughput] = clients * callsOfEach / since(began)
	p.measured[slowestTime] = quantile(took, 0.99)
	p.measured[peakMemory] = p.memory("VmHWM")
}

// since is the time from began to now in milliseconds.
func since(began time.Time) float64 { return float64(time.Since(began)) / float64(time.Millisecond) }

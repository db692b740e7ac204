package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/tiktoken-go/tokenizer"
	"golang.org/x/sync/errgroup"
)

// How often is called in one round.
const (
	stdioCalls  = 1000
	freshCalls  = 60
	clients     = 16 // that call over HTTP at the same time
	callsOfEach = 200
)

// measure takes every figure, those of all servers in turns.
func (b *bench) measure(ctx context.Context) error {
	for _, step := range []struct {
		name    string
		rounds  int
		servers []server
		measure func(context.Context, server) error
	}{
		{"tokens", 1, b.servers, b.tokens}, // first, so that the binaries are in the page cache when starts are timed
		{"start", 45, b.servers, b.start},
		{"stored calls over stdio", 9, b.servers, b.stored},
		{"fresh calls", 9, b.servers[:1], b.fresh},
		{"stored calls over HTTP", 9, b.servers, b.load},
	} {
		fmt.Fprintln(os.Stderr, "bench:", step.name)
		for range step.rounds {
			for _, s := range step.servers {
				if err := step.measure(ctx, s); err != nil {
					return fmt.Errorf("measure %s of %s: %w", step.name, s.name, err)
				}
			}
		}
	}
	return nil
}

// tokens counts what a model reads of a server, in OpenAI's o200k_base.
func (b *bench) tokens(ctx context.Context, s server) error {
	p := b.open(ctx, s)
	defer p.stop()
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
	for _, answer := range [][]byte{p.ask(list, `"tools":[`), p.ask(call(storedKOL), portraitMark)} {
		if err := errors.Join(p.err, json.Unmarshal(answer, &seen)); err != nil {
			return err
		}
	}
	definitions, err := json.Marshal(seen.Result.Tools)
	codec, failed := tokenizer.Get(tokenizer.O200kBase)
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	for f, text := range map[figure]string{
		definitionLength: string(definitions),
		textLength:       seen.Result.Content[0].Text,
		structuredLength: string(seen.Result.StructuredContent),
	} {
		n, err := codec.Count(text)
		if err != nil {
			return err
		}
		b.results.add(f, s, float64(n))
	}
	return nil
}

// start times a server from the start of its process to its list of tools.
func (b *bench) start(ctx context.Context, s server) error {
	began := time.Now()
	p := b.launch(ctx, s)
	defer p.stop()
	p.ask(hello+"\n"+ready+"\n"+list, `"tools":[`)
	b.results.add(startTime, s, since(began))
	return p.err
}

// stored times calls over stdio for a portrait that our server has stored.
func (b *bench) stored(ctx context.Context, s server) error {
	p := b.open(ctx, s)
	defer p.stop()
	took := make([]float64, stdioCalls)
	for i := range took {
		began := time.Now()
		p.ask(call(storedKOL), portraitMark)
		took[i] = since(began)
	}
	b.results.add(stdioTime, s, quantile(took, 0.5))
	return p.err
}

// fresh times calls over stdio for portraits that our server must ask the vendor
// for, and takes off what the vendor takes for a client that asks it directly.
func (b *bench) fresh(ctx context.Context, s server) error {
	p := b.open(ctx, s)
	defer p.stop()
	vendor := session{client: b.vendor.Client(), url: b.vendor.URL}
	took, direct := make([]float64, freshCalls), make([]float64, freshCalls)
	for i := range took {
		began := time.Now()
		if err := vendor.post(ctx, "{}", portraitMark); err != nil {
			return err
		}
		direct[i] = since(began)
		request := call(rand.Text()) // a KOL that nobody has asked for
		began = time.Now()
		p.ask(request, portraitMark)
		took[i] = since(began)
	}
	b.results.add(freshTime, s, quantile(took, 0.5)-quantile(direct, 0.5))
	return p.err
}

// load measures many clients that call over Streamable HTTP for a portrait that
// our server has stored, and the memory of the server before and while they do.
func (b *bench) load(ctx context.Context, s server) error {
	free := httptest.NewServer(nil) // takes an address that is free, and leaves it
	free.Close()
	p := b.launch(ctx, s, "MCP_TRANSPORT=http", "MCP_ADDR="+free.Listener.Addr().String())
	defer p.stop()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	sessions := make([]session, clients)
	for i := range sessions {
		sessions[i] = session{client: client, url: free.URL + "/mcp"}
		if err := errors.Join(p.err, sessions[i].open(ctx)); err != nil {
			return err
		}
	}
	b.results.add(idleMemory, s, p.memory("VmRSS"))
	calls, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for i := range sessions {
		calls.Go(func() error {
			for range callsOfEach {
				if err := sessions[i].post(ctx, call(storedKOL), portraitMark); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := calls.Wait()
	b.results.add(throughput, s, clients*callsOfEach/since(began))
	b.results.add(peakMemory, s, p.memory("VmHWM"))
	return errors.Join(err, p.err)
}

// since is the time from began to now in milliseconds.
func since(began time.Time) float64 { return float64(time.Since(began)) / float64(time.Millisecond) }

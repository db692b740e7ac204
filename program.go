package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"kol-portrait-mcp/collector"
	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/server"
	"kol-portrait-mcp/tools"
	"kol-portrait-mcp/upstream"
	"kol-portrait-mcp/upstream/sample"
)

// grace is how long calls in flight may take to finish at the end.
const grace = 10 * time.Second

// program is the parts, put together.
type program struct {
	config    *config.Config
	log       *slog.Logger
	simulated *sample.Vendor // nil unless the environment is the sample one
	collector *collector.Collector
	tools     *tools.Tools
}

// idle names the variables that are checked, but have no effect in this
// version yet.
func idle() []string {
	return []string{"MCP_ALLOW_UNAUTHENTICATED"}
}

// unsupported refuses settings that whoever made them relies on, but that this
// version does not carry out yet.
func unsupported(cfg *config.Config) error {
	if len(cfg.AuthTokens) > 0 && cfg.Transport != config.TransportStdio {
		return errors.New("MCP_AUTH_TOKENS is set, but this version checks no bearer tokens: unset it, and serve loopback only")
	}
	return nil
}

// build makes the parts that cfg asks for. Nothing is opened or dialled yet,
// but a file with the user's own baseline is read: its fault is one of usage.
// answerWithin is how long a caller waits for a portrait.
func build(cfg *config.Config, answerWithin time.Duration, stderr io.Writer) (*program, error) {
	baseline, err := readBaseline(cfg)
	if err != nil {
		return nil, usageError{err}
	}
	log := cfg.Logger(stderr)
	vendor := upstream.Config{
		Environment: cfg.Environment,
		BaseURL:     cfg.BaseURL,
		Token:       cfg.Token.Reveal(),
		Endpoint:    cfg.Endpoint,
		Timeout:     cfg.Timeout,
		MaxAttempts: cfg.MaxAttempts,
		MaxRPS:      cfg.MaxRPS,
		UserAgent:   "kol-portrait-mcp/" + version,
		Logger:      log,
	}
	prog := &program{config: cfg, log: log}
	if cfg.Environment == schema.EnvironmentSample {
		prog.simulated = sample.New()
		vendor.BaseURL, vendor.Token, vendor.Transport = sample.Address, sample.Token, prog.simulated.Transport()
	}
	prog.collector = collector.New(collector.Options{
		Upstream:     upstream.New(vendor),
		Store:        storage(cfg, log),
		Environment:  cfg.Environment,
		CacheTTL:     cfg.CacheTTL,
		AnswerWithin: answerWithin,
		Deadline:     deadline(cfg),
		DailyBudget:  cfg.DailyBudget,
		Now:          time.Now,
		Logger:       log,
	})
	prog.tools = tools.New(tools.Options{
		Collector: prog.collector,
		Baseline:  baseline,
		Language:  cfg.Language,
		Now:       time.Now,
		Logger:    log,
	})
	return prog, nil
}

// deadline is how long a collection may take: every attempt at both endpoints,
// with the waits between them that the vendor may ask for.
func deadline(cfg *config.Config) time.Duration {
	const wait = time.Minute
	return time.Duration(2*cfg.MaxAttempts) * (cfg.Timeout + wait)
}

// close waits for what has been paid for, for as long as one attempt at the
// vendor may take, and lets go of everything.
func (prog *program) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), prog.config.Timeout)
	defer cancel()
	err := prog.collector.Close(ctx)
	if prog.simulated != nil {
		err = errors.Join(err, prog.simulated.Close())
	}
	return err
}

// serve serves MCP over the configured transport until ctx is done or, on
// stdio, until the client closes its end.
func (prog *program) serve(ctx context.Context, p process) error {
	mcp := prog.tools.Server(version)
	// A client that goes away must not take a call in flight with it: without
	// this, writing to its closed pipe would end the process.
	signal.Ignore(syscall.SIGPIPE)
	slog.SetDefault(prog.log) // mcp-go logs some panics past the logger it is given
	prog.introduce()
	prog.warn()
	// Whoever tells the server to end may kill it soon: it must not spend money
	// until then whose answer nobody gets.
	defer context.AfterFunc(ctx, func() { prog.collector.Shut() })()
	if prog.config.Transport == config.TransportStdio {
		requests := &ending{Reader: p.stdin, then: func() { prog.collector.Shut() }}
		return server.ServeStdio(ctx, mcp, requests, p.stdout, grace, prog.log)
	}
	return server.ListenHTTP(ctx, mcp, server.HTTPOptions{
		Addr:           prog.config.Addr,
		Streamable:     prog.config.Transport == config.TransportHTTP,
		AllowedHosts:   prog.config.AllowedHosts,
		AllowedOrigins: prog.config.AllowedOrigins,
		Ready:          prog.ready,
		Grace:          grace,
		Logger:         prog.log,
	})
}

// lastCalls is how long calls that were read just before the end of input have
// to begin. Clients that close their end often kill the server seconds later.
const lastCalls = time.Second

// ending is an input that tells of its end, a moment after.
type ending struct {
	io.Reader
	then func()
	once sync.Once
}

// Read reads on, and notes where there is nothing more to read.
func (e *ending) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if err != nil {
		e.once.Do(func() { time.AfterFunc(lastCalls, e.then) })
	}
	return n, err
}

// introduce logs what runs, for whoever reads the log later.
func (prog *program) introduce() {
	cfg := prog.config
	prog.log.Info("kol-portrait-mcp starts", "version", version, "commit", builtFrom(), "transport", cfg.Transport,
		"environment", cfg.Environment, "endpoint", cfg.Endpoint, "store", cfg.Store.Kind, "cacheTTL", cfg.CacheTTL, "dailyBudget", cfg.DailyBudget)
}

// warn logs what whoever runs the server should know about its settings.
func (prog *program) warn() {
	if err := prog.complete(); err != nil {
		prog.log.Warn("the tools are listed, but calls will fail", "error", err)
	}
	if prog.config.Environment == schema.EnvironmentCN && prog.config.BaseURL == "" {
		prog.log.Warn("the vendor's address in mainland China is plain HTTP: the token crosses the network unencrypted")
	}
	if prog.config.DailyBudget > 0 && prog.config.Store.Kind == config.StoreMemory {
		prog.log.Warn("the budget is counted in memory: it starts anew with each process")
	}
}

// ready says why no portrait can be collected; nil where one can.
func (prog *program) ready(ctx context.Context) error {
	if err := prog.complete(); err != nil {
		return err
	}
	return prog.collector.Ready(ctx)
}

// complete says what the configuration lacks to collect portraits.
func (prog *program) complete() error {
	if prog.config.Token.Reveal() == "" && prog.config.Environment != schema.EnvironmentSample {
		return errors.New("no vendor token: set JUSTONEAPI_TOKEN or JUSTONEAPI_TOKEN_FILE")
	}
	return nil
}

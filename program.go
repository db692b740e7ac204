package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

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
	config *config.Config
	log    *slog.Logger
	tools  *tools.Tools
	close  func() error
}

// idle names the variables that are checked, but have no effect in this
// version yet.
func idle() []string {
	return []string{"PORTRAIT_ANSWER_WITHIN", "PORTRAIT_STORE", "PORTRAIT_CACHE_TTL", "MCP_ALLOW_UNAUTHENTICATED"}
}

// unsupported refuses settings that whoever made them relies on, but that this
// version does not carry out yet.
func unsupported(cfg *config.Config) error {
	switch {
	case cfg.DailyBudget > 0:
		return errors.New("PORTRAIT_DAILY_BUDGET is set, but this version keeps no budget: unset it, and watch the vendor's dashboard")
	case cfg.Endpoint == schema.PolicyProfile:
		return errors.New("JUSTONEAPI_ENDPOINT is \"profile\", but this version asks the portrait endpoint only: unset it")
	case len(cfg.AuthTokens) > 0 && cfg.Transport != config.TransportStdio:
		return errors.New("MCP_AUTH_TOKENS is set, but this version checks no bearer tokens: unset it, and serve loopback only")
	}
	return nil
}

// build makes the parts that cfg asks for. Nothing is opened or dialled yet.
func build(cfg *config.Config, stderr io.Writer) *program {
	log := cfg.Logger(stderr)
	vendor := upstream.Config{
		Environment: cfg.Environment,
		Endpoint:    cfg.Endpoint,
		BaseURL:     cfg.BaseURL,
		Token:       cfg.Token.Reveal(),
		Timeout:     cfg.Timeout,
		MaxAttempts: cfg.MaxAttempts,
		MaxRPS:      cfg.MaxRPS,
		UserAgent:   "kol-portrait-mcp/" + version,
		Logger:      log,
	}
	prog := &program{config: cfg, log: log, close: func() error { return nil }}
	if cfg.Environment == schema.EnvironmentSample {
		simulated := sample.New()
		vendor.BaseURL, vendor.Token, vendor.Transport = sample.Address, sample.Token, simulated.Transport()
		prog.close = simulated.Close
	}
	prog.tools = tools.New(tools.Options{
		Collector: collector{upstream.New(vendor)},
		Language:  cfg.Language,
		Now:       time.Now,
		Logger:    log,
	})
	return prog
}

// collector asks the vendor for every portrait.
type collector struct{ client *upstream.Client }

// Portrait collects one.
func (c collector) Portrait(ctx context.Context, kolID string, fresh bool) (*schema.Collected, error) {
	return c.client.Portrait(ctx, kolID, fresh, nil)
}

// Stored finds nothing: nothing is kept yet.
func (collector) Stored(context.Context, string) (*schema.Collected, error) { return nil, nil }

// KOLs lists nothing.
func (collector) KOLs(context.Context, string, int) ([]string, error) { return nil, nil }

// Usage says that nothing is counted yet.
func (collector) Usage(context.Context) (schema.Usage, error) {
	return schema.Usage{}, &schema.Error{Kind: schema.StoreUnavailable, Message: "This version counts no calls yet."}
}

// serve serves MCP over the configured transport until ctx is done or, on
// stdio, until the client closes its end.
func (prog *program) serve(ctx context.Context, p process) error {
	mcp, err := prog.tools.Server(version)
	if err != nil {
		return err
	}
	// A client that goes away must not take a call in flight with it: without
	// this, writing to its closed pipe would end the process.
	signal.Ignore(syscall.SIGPIPE)
	slog.SetDefault(prog.log) // mcp-go logs some panics past the logger it is given
	prog.warn(ctx)
	if prog.config.Transport == config.TransportStdio {
		return server.ServeStdio(ctx, mcp, p.stdin, p.stdout, grace, prog.log)
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

// warn logs what whoever runs the server should know about its settings.
func (prog *program) warn(ctx context.Context) {
	if err := prog.ready(ctx); err != nil {
		prog.log.Warn("the tools are listed, but calls will fail", "error", err)
	}
	if prog.config.Environment == schema.EnvironmentCN && prog.config.BaseURL == "" {
		prog.log.Warn("the vendor's address in mainland China is plain HTTP: the token crosses the network unencrypted")
	}
}

// ready says why no portrait can be collected; nil where one can.
func (prog *program) ready(context.Context) error {
	if prog.config.Token.Reveal() == "" && prog.config.Environment != schema.EnvironmentSample {
		return errors.New("no vendor token: set JUSTONEAPI_TOKEN or JUSTONEAPI_TOKEN_FILE")
	}
	return nil
}

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/collector"
	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
	"kol-portrait-mcp/server"
	"kol-portrait-mcp/tools"
	"kol-portrait-mcp/upstream"
	"kol-portrait-mcp/upstream/sample"
)

const (
	// grace is how long calls in flight have to finish when the server ends.
	grace = 10 * time.Second
	// margin is what an attempt at the vendor may need beside its timeout, to be
	// counted before and stored after it.
	margin = 10 * time.Second
	// lastCalls is how long calls that a client wrote just before it closed its end
	// have to begin. Such clients often kill the server seconds later.
	lastCalls = time.Second
	// lastLines is how long the end of the process waits for a reader of the log.
	lastLines = time.Second
)

// program is the parts, put together.
type program struct {
	config    *config.Config
	log       *config.Log
	storeName string // for the log
	collector *collector.Collector
	analyst   *audience.Analyst
	tools     *tools.Tools
}

// build makes the parts that cfg asks for. Nothing is dialled yet, but a file
// with the user's own baseline is read, and the store's address is parsed: their
// faults are errors of exitUsage. maxCharged is the most charged calls of the process,
// negative for no limit.
func build(cfg *config.Config, maxCharged int, stderr io.Writer) (*program, error) {
	baseline, err := readBaseline(cfg)
	if err != nil {
		return nil, exitError{err, exitUsage}
	}
	log := cfg.NewLog(stderr)
	open, storeName, err := storage(cfg, log.Logger)
	if err != nil {
		return nil, exitError{err, exitUsage}
	}
	vendor := upstream.Config{
		Environment: cfg.Environment,
		Endpoint:    cfg.Endpoint,
		BaseURL:     string(cfg.BaseURL),
		Token:       cfg.Token,
		Timeout:     cfg.Timeout,
		MaxAttempts: cfg.MaxAttempts,
		MaxRPS:      cfg.MaxRPS,
		UserAgent:   "kol-portrait-mcp/" + version,
		Logger:      log.Logger,
	}
	if cfg.Environment == schema.EnvironmentSample {
		vendor.BaseURL, vendor.Token, vendor.Transport = sample.Address, secret.New(sample.Token), sample.New().Transport()
	}
	portraits := collector.New(collector.Options{
		Upstream:     upstream.New(vendor),
		Store:        orMemory(open, log.Logger),
		Environment:  cfg.Environment,
		CacheTTL:     cfg.CacheTTL,
		AnswerWithin: cfg.AnswerWithin,
		Deadline:     deadline(cfg),
		LeaseLasts:   cfg.Timeout + margin,
		DailyBudget:  cfg.DailyBudget,
		MaxCharged:   maxCharged,
		Now:          time.Now,
		Logger:       log.Logger,
	})
	answers := tools.New(tools.Options{
		Collector: portraits,
		Sample:    cfg.Environment == schema.EnvironmentSample,
		AnyID:     cfg.Environment == schema.EnvironmentSample || cfg.BaseURL != "",
		Baseline:  baseline,
		Language:  cfg.Language,
		Now:       time.Now,
		Logger:    log.Logger,
	})
	return &program{config: cfg, log: log, storeName: storeName, collector: portraits, analyst: audience.New(baseline), tools: answers}, nil
}

// with makes the parts, runs something with them, and closes them.
func with(ctx context.Context, cfg *config.Config, p process, maxCharged int, run func(context.Context, *program) error) error {
	prog, err := build(cfg, maxCharged, p.stderr)
	if err != nil {
		return err
	}
	return errors.Join(run(ctx, prog), prog.close(ctx))
}

// deadline is how long a collection may take: every attempt at both endpoints,
// with the waits between them that the vendor may ask for.
func deadline(cfg *config.Config) time.Duration {
	const wait = time.Minute
	return time.Duration(2*cfg.MaxAttempts) * (cfg.Timeout + wait)
}

// readBaseline returns the user's own baseline, or nil where none is named. It has
// the shape of the vendor's data. The error is one line that names the variable, the
// file and what is wrong.
func readBaseline(cfg *config.Config) (*audience.Baseline, error) {
	if cfg.BaselineFile == "" {
		return nil, nil
	}
	raw, err := config.ReadFile(string(cfg.BaselineFile), 1<<20)
	if err == nil { // upstream.Read passes over damage, but whoever wrote this file can mend it
		err = json.Unmarshal(raw, new(any))
	}
	var baseline *audience.Baseline
	if err == nil {
		reading := upstream.Read(raw)
		baseline, err = audience.NewBaseline(&reading.Distributions)
	}
	if err != nil { // it may repeat what is in the file
		return nil, fmt.Errorf("PORTRAIT_BASELINE_FILE is %.600s", cfg.Hide(fmt.Sprintf("%q: %v", cfg.BaselineFile, err)))
	}
	return baseline, nil
}

// serve serves MCP over the configured transport until ctx is done or, on
// stdio, until the client closes its end.
func (prog *program) serve(ctx context.Context, p process) error {
	if os.Getenv("GOGC") == "" {
		// The heap is a few MB. To let it grow to five times that between two
		// collections takes some 10 MB, and a fifth off a call's processor time.
		debug.SetGCPercent(400)
	}
	mcp := prog.tools.Server(version)
	slog.SetDefault(prog.log.Logger) // mcp-go logs some panics past the logger it is given
	prog.introduce()
	shut := func() { prog.shut(func(line string) { prog.log.Warn(line) }) }
	defer context.AfterFunc(ctx, shut)()
	if prog.config.Transport == config.TransportStdio {
		return server.ServeStdio(ctx, mcp, io.MultiReader(p.stdin, atEnd(shut)), p.stdout, grace, prog.log.Logger)
	}
	return server.ListenHTTP(ctx, mcp, server.HTTPOptions{
		Addr:           string(prog.config.Addr),
		Streamable:     prog.config.Transport == config.TransportHTTP,
		AllowedHosts:   prog.config.AllowedHosts,
		AllowedOrigins: prog.config.AllowedOrigins,
		Ready:          prog.ready,
		Grace:          grace,
		Logger:         prog.log.Logger,
	})
}

// atEnd is the end of what a client writes on stdio. A moment after it has been
// read, the function is called.
type atEnd func()

// Read implements io.Reader.
func (f atEnd) Read([]byte) (int, error) {
	time.AfterFunc(lastCalls, f)
	return 0, io.EOF
}

// shut lets no call spend money any more, since the process may be killed before
// the answer comes. It says how many answers are still waited for, and how long.
func (prog *program) shut(say func(string)) {
	if n := prog.collector.Shut(); n > 0 {
		say(fmt.Sprintf("Waiting for portraits that the vendor may charge for: %d, at most %s. What arrives is stored, and the same call later gets it without another charge. "+
			"Ctrl-C once more ends this at once: what is under way is then lost, and may have to be paid for again.", n, grace+prog.patience()))
	}
}

// patience is how long the end of the process waits for answers that are paid
// for: one attempt at the vendor, and its margin.
func (prog *program) patience() time.Duration { return prog.config.Timeout + margin }

// close waits for answers that are paid for, closes the store, and writes what
// is left of the log.
func (prog *program) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	waiting, cancel := context.WithTimeout(ctx, prog.patience())
	defer cancel()
	err := prog.collector.Close(waiting)
	writing, cancel := context.WithTimeout(ctx, lastLines)
	defer cancel()
	prog.log.Close(writing)
	return err
}

// introduce logs what runs, and what its operator should know about the settings.
func (prog *program) introduce() {
	cfg := prog.config
	prog.log.Info("kol-portrait-mcp starts", "version", version, "commit", builtFrom(), "transport", cfg.Transport,
		"environment", cfg.Environment, "address", cmp.Or(string(cfg.BaseURL), upstream.Address(cfg.Environment)), "endpoint", cfg.Endpoint, "store", prog.storeName, "cacheTTL", cfg.CacheTTL, "dailyBudget", cfg.DailyBudget)
	if err := lacksToken(prog.config); err != nil {
		prog.log.Warn("the tools are listed, but calls will fail", "error", err)
	}
}

// ready says why no portrait can be collected; nil where one can.
func (prog *program) ready(ctx context.Context) error {
	if err := lacksToken(prog.config); err != nil {
		return err
	}
	return prog.collector.Ready(ctx)
}

// lacksToken is the error where a token is needed and none is set, else nil.
func lacksToken(cfg *config.Config) error {
	if cfg.Token.IsSet() || cfg.Environment == schema.EnvironmentSample {
		return nil
	}
	return errors.New("no vendor token: set JUSTONEAPI_TOKEN or JUSTONEAPI_TOKEN_FILE")
}

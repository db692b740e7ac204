package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/collector"
	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
	"kol-portrait-mcp/server"
	"kol-portrait-mcp/telemetry"
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
	// lastSpans is how long the end of the process waits for a collector of traces.
	lastSpans = 2 * time.Second
	// lastLines is how long the end of the process waits for a reader of the log.
	lastLines = time.Second
)

// purpose is what a program is put together for.
type purpose struct {
	serves     bool // MCP: metrics and traces are made where the settings ask for them
	maxCharged int  // most charged calls of the process; negative: no limit
}

// program is the parts, put together.
type program struct {
	config    *config.Config
	log       *config.Log
	storeName string // for people
	collector *collector.Collector
	analyst   *audience.Analyst
	tools     *tools.Tools
	metrics   *telemetry.Metrics // nil where nobody reads them
	traces    *telemetry.Traces  // nil where nobody collects them
	purpose   purpose
}

// build makes the parts that cfg asks for. Nothing is dialled yet, but a file
// with the user's own baseline is read, and the store's address is parsed: their
// faults are errors of exitUsage.
func build(ctx context.Context, cfg *config.Config, purpose purpose, stderr io.Writer) (*program, error) {
	baseline, err := readBaseline(cfg)
	if err != nil {
		return nil, exitError{err, exitUsage}
	}
	log := cfg.NewLog(stderr)
	open, storeName, err := storage(cfg, log.Logger)
	if err != nil {
		return nil, exitError{err, exitUsage}
	}
	var metrics *telemetry.Metrics
	var traces *telemetry.Traces
	if purpose.serves {
		built := telemetry.Build{Version: version, Commit: builtFrom()}
		if cfg.Transport != config.TransportStdio || cfg.MetricsAddr != "" {
			metrics = telemetry.NewMetrics(built)
		}
		if traces, err = telemetry.StartTraces(ctx, built, cfg.Hide, log.Logger); err != nil {
			return nil, exitError{err, exitUsage}
		}
	}
	open = orMemory(open, metrics, log.Logger)
	if metrics != nil || traces != nil {
		open = observed(open, metrics)
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
		Metrics:     metrics,
		Logger:      log.Logger,
	}
	if cfg.Environment == schema.EnvironmentSample {
		vendor.BaseURL, vendor.Token, vendor.Transport = sample.Address, secret.New(sample.Token), sample.New().Transport()
	}
	portraits := collector.New(collector.Options{
		Upstream:     upstream.New(vendor),
		Store:        open,
		Environment:  cfg.Environment,
		CacheTTL:     cfg.CacheTTL,
		AnswerWithin: cfg.AnswerWithin,
		Deadline:     deadline(cfg),
		LeaseLasts:   cfg.Timeout + margin,
		DailyBudget:  cfg.DailyBudget,
		CallerBudget: cfg.CallerDailyBudget,
		Keep:         cfg.Keep,
		MaxRPS:       cfg.MaxRPS,
		MaxCharged:   purpose.maxCharged,
		Metrics:      metrics,
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
		Metrics:   metrics,
		Logger:    log.Logger,
	})
	gauges := telemetry.Gauges{Flights: portraits.Flights}
	if cfg.DailyBudget > 0 {
		gauges.Budget = func() int { return cfg.DailyBudget }
		gauges.BudgetLeft = func(ctx context.Context) (int, bool) {
			usage, err := portraits.Usage(ctx)
			if err != nil {
				return 0, false
			}
			return *usage.Remaining, true
		}
	}
	metrics.Watch(gauges)
	return &program{cfg, log, storeName, portraits, audience.New(baseline), answers, metrics, traces, purpose}, nil
}

// with makes the parts, runs something with them, and closes them.
func with(ctx context.Context, cfg *config.Config, p process, purpose purpose, run func(context.Context, *program) error) error {
	prog, err := build(ctx, cfg, purpose, p.stderr)
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
	slog.SetDefault(prog.log.Logger) // mcp-go logs some panics past the logger it is given
	if prog.config.Transport == config.TransportStdio {
		return prog.serveStdio(ctx, p)
	}
	return prog.serveHTTP(ctx)
}

// serveStdio serves one client. Where its metrics cannot be served, as where another
// client has started the same server, it does without.
func (prog *program) serveStdio(ctx context.Context, p process) error {
	prog.introduce()
	greet(p, prog.config.Language)
	if addr := string(prog.config.MetricsAddr); addr != "" {
		stop, err := server.StartMetrics(ctx, addr, prog.metrics, prog.log.Logger)
		if err != nil {
			prog.log.WarnContext(ctx, "no metrics are served", "error", err)
		} else {
			defer stop()
		}
	}
	shut := func() { prog.shut(grace, func(line string) { prog.log.Warn(line) }) }
	defer context.AfterFunc(ctx, shut)()
	return server.ServeStdio(ctx, prog.tools.Server(version), server.StdioOptions{
		In:      io.MultiReader(p.stdin, atEnd(shut)),
		Out:     p.stdout,
		Grace:   grace,
		Metrics: prog.metrics,
		Traces:  prog.traces.Provider(),
		Logger:  prog.log.Logger,
	})
}

// serveHTTP serves many clients. Their calls in flight may still spend money while
// they have time to finish: whoever ends a server of many gives it that.
func (prog *program) serveHTTP(ctx context.Context) error {
	cfg := prog.config
	if cfg.TLSCert != "" {
		if _, err := readCertificate(cfg); err != nil {
			return exitError{err, exitUsage}
		}
	}
	prog.introduce()
	go func() { // so that an operator hears of it before the first caller does
		if err := prog.collector.Ready(ctx); err != nil && ctx.Err() == nil {
			prog.log.WarnContext(ctx, "no portrait can be collected yet", "error", err)
		}
	}()
	defer prog.shut(0, func(line string) { prog.log.Warn(line) })
	return server.ListenHTTP(ctx, prog.tools.Server(version), server.HTTPOptions{
		Addr:            string(cfg.Addr),
		Streamable:      cfg.Transport == config.TransportHTTP,
		PublicURL:       string(cfg.PublicURL),
		AllowedHosts:    cfg.AllowedHosts,
		AllowedOrigins:  cfg.AllowedOrigins,
		Auth:            authOf(cfg),
		Unauthenticated: cfg.AllowUnauthenticated,
		TLSCert:         string(cfg.TLSCert),
		TLSKey:          string(cfg.TLSKey),
		Ready:           prog.ready,
		MaxCalls:        cfg.MaxCalls,
		CallerRPS:       cfg.CallerRPS,
		MetricsAddr:     string(cfg.MetricsAddr),
		Metrics:         prog.metrics,
		Traces:          prog.traces.Provider(),
		Grace:           grace,
		Logger:          prog.log.Logger,
	})
}

// readCertificate reads the certificate to serve TLS with. The error is one line that
// names the variable; it leaves the key's path out, which may be the key itself.
func readCertificate(cfg *config.Config) (tls.Certificate, error) {
	const most = 1 << 20
	cert, err := config.ReadFile(string(cfg.TLSCert), most)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("MCP_TLS_CERT is %.100q: %w", cfg.TLSCert, err)
	}
	key, err := config.ReadFile(string(cfg.TLSKey), most)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("MCP_TLS_KEY is %s: %w", secret.Hidden, err)
	}
	certificate, err := tls.X509KeyPair(cert, key)
	if err != nil {
		err = fmt.Errorf("MCP_TLS_CERT is %q: with MCP_TLS_KEY it is no certificate to serve with: %w", cfg.TLSCert, err)
	}
	return certificate, err
}

// authOf says who may call over HTTP.
func authOf(cfg *config.Config) server.Auth {
	return server.Auth{
		Tokens:     cfg.AuthTokens,
		TokensFile: string(cfg.AuthTokensFile),
		Issuer:     string(cfg.OAuthIssuer),
		Audience:   cfg.OAuthAudience,
		Scopes:     cfg.OAuthScopes,
		JWKSURL:    string(cfg.OAuthJWKSURL),
	}
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
// the answer comes. It says how many answers are still waited for, and how long; before
// that, calls have some time to be answered.
func (prog *program) shut(before time.Duration, say func(string)) {
	if n := prog.collector.Shut(); n > 0 {
		say(fmt.Sprintf("Waiting for portraits that the vendor may charge for: %d, at most %s. What arrives is stored, and the same call later gets it without another charge. "+
			"Ctrl-C once more ends this at once: what is under way is then lost, and may have to be paid for again.", n, before+prog.patience()))
	}
}

// patience is how long the end of the process waits for answers that are paid
// for: one attempt at the vendor, and its margin.
func (prog *program) patience() time.Duration { return prog.config.Timeout + margin }

// close waits for answers that are paid for, closes the store, sends what is left of
// the traces, and writes what is left of the log.
func (prog *program) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	waiting, cancel := context.WithTimeout(ctx, prog.patience())
	defer cancel()
	err := prog.collector.Close(waiting)
	if prog.traces != nil {
		sending, cancel := context.WithTimeout(ctx, lastSpans)
		defer cancel()
		prog.traces.Close(sending)
	}
	if prog.purpose.serves {
		prog.log.InfoContext(ctx, "kol-portrait-mcp has ended", "error", err)
	}
	writing, cancel := context.WithTimeout(ctx, lastLines)
	defer cancel()
	prog.log.Close(writing)
	return err
}

// introduce logs what runs, and what its operator should know about the settings.
func (prog *program) introduce() {
	cfg := prog.config
	log := prog.log.Logger
	if cfg.Transport != config.TransportStdio {
		log = log.With("listen", cfg.Addr, "callers", callers(cfg))
	}
	log.Info("kol-portrait-mcp starts", "version", version, "commit", builtFrom(), "transport", cfg.Transport,
		"environment", cfg.Environment, "address", cmp.Or(string(cfg.BaseURL), upstream.Address(cfg.Environment)), "endpoint", cfg.Endpoint, "store", prog.storeName, "cacheTTL", cfg.CacheTTL, "dailyBudget", cfg.DailyBudget)
	if names := config.Unknown(os.Environ()); len(names) > 0 && cfg.Transport != config.TransportStdio {
		prog.log.Warn("settings of no known name have no effect", "names", names)
	}
	if err := lacksToken(cfg); err != nil {
		prog.log.Warn("the tools are listed, but calls will fail", "error", err)
	}
	if cfg.Transport == config.TransportStdio || cfg.Addr.IsLoopback() {
		return
	}
	if !cfg.Authenticates() {
		prog.log.Warn("whoever reaches this server can spend the vendor account's money: MCP_ALLOW_UNAUTHENTICATED is set, and it listens beyond loopback", "listen", cfg.Addr)
	} else if cfg.TLSCert == "" && !strings.HasPrefix(string(cfg.PublicURL), "https:") {
		prog.log.Warn("callers' tokens cross the network unencrypted: set MCP_TLS_CERT and MCP_TLS_KEY, or put a proxy with TLS in front and set MCP_PUBLIC_URL to its address", "listen", cfg.Addr)
	}
}

// callers says who may call over HTTP.
func callers(cfg *config.Config) string {
	if !cfg.Authenticates() {
		return "not authenticated"
	}
	var names, kinds []string
	for _, token := range slices.Concat(cfg.AuthTokens, cfg.FileTokens) {
		names = append(names, token.Name)
	}
	if len(names) > 0 {
		slices.Sort(names)
		kinds = append(kinds, "bearer tokens of "+strings.Join(slices.Compact(names), ", "))
	}
	if cfg.OAuthIssuer != "" {
		kinds = append(kinds, "JWTs of "+string(cfg.OAuthIssuer))
	}
	return strings.Join(kinds, "; ")
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

// Command kol-portrait-mcp gives AI agents the audience portrait of a
// Xiaohongshu creator over the Model Context Protocol.
//
// main reads flags and environment into a config, makes the parts, and hands
// them to one transport or one command.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/sethvargo/go-envconfig"

	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/server"
	"kol-portrait-mcp/tools"
	"kol-portrait-mcp/upstream"
	"kol-portrait-mcp/upstream/sample"
)

// version is the product's, as in the tags of its repository.
const version = "0.1.0"

// commit is set by the linker in a build outside the repository, such as the
// container's.
var commit string //nolint:gochecknoglobals // the linker can set nothing else

// grace is how long calls in flight may take to finish at the end.
const grace = 10 * time.Second

func main() {
	// A client that goes away must not take a call in flight with it: without
	// this, writing to its closed pipe would end the process.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, process{env: envconfig.OsLookuper(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

// process is what a run sees of the world.
type process struct {
	env            envconfig.Lookuper
	stdin          io.Reader
	stdout, stderr io.Writer
}

// house is the product, put together.
type house struct {
	config *config.Config
	log    *slog.Logger
	tools  *tools.Tools
	close  func() error
}

// build makes the parts that cfg asks for. Nothing is opened or dialled yet.
func build(cfg *config.Config, stderr io.Writer) *house {
	log := cfg.Logger(stderr)
	vendor := upstream.Config{
		Environment: cfg.Environment,
		BaseURL:     cfg.BaseURL,
		Token:       cfg.Token.Reveal(),
		Timeout:     cfg.Timeout,
		MaxAttempts: cfg.MaxAttempts,
		MaxRPS:      cfg.MaxRPS,
		UserAgent:   "kol-portrait-mcp/" + version,
		Logger:      log,
	}
	h := &house{config: cfg, log: log, close: func() error { return nil }}
	if cfg.Environment == schema.EnvironmentSample {
		simulated := sample.New()
		vendor.BaseURL, vendor.Token, vendor.Transport = "http://vendor.invalid", sample.Token, simulated.Transport()
		h.close = simulated.Close
	}
	h.tools = tools.New(tools.Options{
		Collector: upstream.New(vendor),
		Language:  cfg.Language,
		Now:       time.Now,
		Logger:    log,
	})
	return h
}

// serve serves MCP over the configured transport until ctx is done or, on
// stdio, until the client closes its end.
func (h *house) serve(ctx context.Context, p process) error {
	mcp, err := h.tools.Server(version)
	if err != nil {
		return err
	}
	slog.SetDefault(h.log) // mcp-go logs some panics past the logger it is given
	if err := h.ready(ctx); err != nil {
		h.log.Warn("the tools are listed, but calls will fail", "error", err)
	}
	if h.config.Transport == config.TransportStdio {
		return server.ServeStdio(ctx, mcp, p.stdin, p.stdout, grace, h.log)
	}
	return server.ListenHTTP(ctx, mcp, server.HTTPOptions{
		Addr:           h.config.Addr,
		Streamable:     h.config.Transport == config.TransportHTTP,
		AllowedHosts:   h.config.AllowedHosts,
		AllowedOrigins: h.config.AllowedOrigins,
		Ready:          h.ready,
		Grace:          grace,
		Logger:         h.log,
	})
}

// ready says why no portrait can be collected; nil where one can.
func (h *house) ready(context.Context) error {
	if h.config.Token.Reveal() == "" && h.config.Environment != schema.EnvironmentSample {
		return errors.New("no vendor token: set JUSTONEAPI_TOKEN or JUSTONEAPI_TOKEN_FILE")
	}
	return nil
}

// builtFrom returns the commit that the binary was built from.
func builtFrom() string {
	if commit != "" {
		return commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return setting.Value
			}
		}
	}
	return "unknown"
}

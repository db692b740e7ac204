package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/sethvargo/go-envconfig"
	"github.com/spf13/cobra"

	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

// The exit codes.
const (
	exitSuccess = 0
	exitFailure = 1
	exitUsage   = 2
	exitPartial = 3
)

// exitError is an error with an exit code other than that of a failure.
type exitError struct {
	error
	code int
}

// run carries out one command line and returns the exit code.
func run(ctx context.Context, p process, args []string) int {
	root := newRoot(p) //nolint:contextcheck // cobra hands the context to the commands
	root.SetArgs(args)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	understood := false
	root.PersistentPreRun = func(*cobra.Command, []string) { understood = true }
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitSuccess
	}
	if !understood {
		err = exitError{fmt.Errorf("%w; %s --help shows the usage", err, cmd.CommandPath()), exitUsage}
	}
	p.say(err.Error())
	if exit, ok := errors.AsType[exitError](err); ok {
		return exit.code
	}
	return exitFailure
}

// overrides are the flags that override a variable of the environment, unless
// they are empty.
var overrides = []struct{ flag, variable, usage string }{
	{"env", "JUSTONEAPI_ENV", "vendor's environment: global, cn or sample"},
	{"transport", "MCP_TRANSPORT", "stdio, sse or http"},
	{"addr", "MCP_ADDR", "listen address of sse and http"},
}

// configOf returns the configuration of a command: its flags, and below them the
// environment.
func configOf(cmd *cobra.Command, p process) (*config.Config, error) {
	values := make(map[string]string)
	for _, o := range overrides {
		if flag := cmd.Flag(o.flag); flag != nil && flag.Value.String() != "" {
			values[o.variable] = flag.Value.String()
		}
	}
	cfg, err := config.Load(cmd.Context(), envconfig.MultiLookuper(envconfig.MapLookuper(values), p.env))
	if err != nil {
		return nil, exitError{err, exitUsage}
	}
	return cfg, nil
}

// newRoot returns the command that serves MCP, with the others below it.
func newRoot(p process) *cobra.Command {
	root := &cobra.Command{
		Use:   "kol-portrait-mcp",
		Short: "Who follows a Xiaohongshu creator, for AI agents over MCP",
		Long: "kol-portrait-mcp serves MCP, on stdio unless told otherwise: the tool " + tools.PortraitToolName + "\n" +
			"tells who follows a Xiaohongshu creator, from Just One API's fans portrait, and\n" +
			tools.ComparisonToolName + " sets several side by side.\n\nEnvironment:\n" + environmentHelp(),
		Example: "  kol-portrait-mcp --env sample portrait 5d21ab6b000000001201567d\n" +
			"  JUSTONEAPI_TOKEN_FILE=token.txt kol-portrait-mcp --transport http --addr 127.0.0.1:8080",
		Args:          cobra.NoArgs,
		Version:       versionLine(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := configOf(cmd, p)
			if err != nil {
				return err
			}
			return with(cmd.Context(), cfg, p, purpose{serves: true, maxCharged: noLimit}, func(ctx context.Context, prog *program) error { return prog.serve(ctx, p) })
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.CompletionOptions.DisableDefaultCmd = true
	for _, o := range overrides {
		flags := root.Flags()
		if o.flag == "env" {
			flags = root.PersistentFlags()
		}
		flags.String(o.flag, "", o.usage+" (overrides "+o.variable+")")
	}
	root.AddCommand(newPortrait(p), newUsage(p), newDoctor(p), newHealth(p), &cobra.Command{
		Use:   "version",
		Short: "Print version, commit and Go version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(p.stdout, versionLine())
			return err
		},
	})
	return root
}

func versionLine() string {
	return fmt.Sprintf("kol-portrait-mcp %s (commit %s, %s)", version, builtFrom(), runtime.Version())
}

// environmentHelp lists the variables of the environment.
func environmentHelp() string {
	var lines []string
	for _, v := range config.Variables() {
		line := "  " + v.Name + "\n      " + v.Meaning
		if v.Default != "" {
			line += " (default " + v.Default + ")"
		}
		lines = append(lines, line)
	}
	lines = append(lines, "  OTEL_EXPORTER_OTLP_ENDPOINT\n      where traces are sent, and with it OpenTelemetry's other variables; without it there are none")
	return strings.Join(lines, "\n")
}

// newUsage returns the command that prints what the vendor's day has cost.
func newUsage(p process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "usage",
		Short: "Print the day's charged calls, the budget and the store",
		Long: "usage prints how many calls of the vendor's day were, or may have been, charged, those\n" +
			"under way included, what is left of PORTRAIT_DAILY_BUDGET, which store counts them, and\n" +
			"how many are those of each authenticated caller. It costs nothing.",
		Args: cobra.NoArgs,
	}
	format := cmd.Flags().String("format", "text", "text or json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *format != "text" && *format != "json" {
			return exitError{fmt.Errorf("--format is %q: it takes text or json", *format), exitUsage}
		}
		return command(cmd, p, noLimit, func(ctx context.Context, prog *program) error {
			usage, err := prog.collector.Usage(ctx)
			if err != nil {
				return failureError(tools.FailureOf(err, prog.config.Language))
			}
			if *format == "json" {
				return inJSON(usage)(p.stdout)
			}
			return inWords(usageText(usage, prog.storeName))(p.stdout)
		})
	}
	return cmd
}

// usageText tells a day's usage in sentences. store is the name of the store that
// is configured; the one in use may be memory all the same.
func usageText(u schema.Usage, store string) string {
	budget := "; PORTRAIT_DAILY_BUDGET sets no limit."
	if u.Remaining != nil {
		budget = fmt.Sprintf(" of %d; %d left.", u.Budget, *u.Remaining)
	}
	if u.Store == "memory" {
		store = "memory, which counts from 0 in each process"
	}
	text := fmt.Sprintf("Charged calls on %s (Shanghai): %d%s\nThe next day starts at %s.\nStore: %s.",
		u.Day, u.Charged, budget, u.ResetsAt.UTC().Format("2006-01-02 15:04 UTC"), store)
	if len(u.Callers) > 0 {
		text += "\nCallers:"
	}
	for _, caller := range u.Callers {
		text += fmt.Sprintf("\n  %s: %d", caller.Name, caller.Charged)
		if caller.Remaining != nil {
			text += fmt.Sprintf(" of %d; %d left", caller.Budget, *caller.Remaining)
		}
	}
	if u.Sample {
		text += "\nThe vendor is simulated: nothing was paid."
	}
	return text
}

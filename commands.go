package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"

	"github.com/sethvargo/go-envconfig"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
)

// The exit codes.
const (
	exitSuccess = 0
	exitFailure = 1
	exitUsage   = 2
)

// usageError is an error in how the program was called or configured.
type usageError struct{ error }

// Unwrap returns the error itself.
func (e usageError) Unwrap() error { return e.error }

// run carries out one command line and returns the exit code.
func run(ctx context.Context, p process, args []string) int {
	root := newRoot(p) //nolint:contextcheck // cobra hands the context to the commands
	root.SetArgs(args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitSuccess
	}
	_, _ = fmt.Fprintln(p.stderr, err) // there is nowhere else to say so
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailure
}

// newRoot returns the command that serves MCP, with the others below it.
func newRoot(p process) *cobra.Command {
	var flags flags
	root := &cobra.Command{
		Use:   "kol-portrait-mcp",
		Short: "Who follows a Xiaohongshu creator, for AI agents over MCP",
		Long: "kol-portrait-mcp serves MCP, on stdio unless told otherwise: the tool " + tools.PortraitToolName + "\n" +
			"tells who follows a Xiaohongshu creator, from Just One API's fans portrait, and\n" +
			tools.ComparisonToolName + " sets several side by side.\n\nEnvironment:\n" + environmentHelp(),
		Example: "  kol-portrait-mcp --env sample portrait 5d21ab6b000000001201567d\n" +
			"  JUSTONEAPI_TOKEN_FILE=token.txt kol-portrait-mcp --transport http --addr 127.0.0.1:8080",
		Args:          usageArgs(cobra.NoArgs),
		Version:       versionLine(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.config(cmd.Context(), p)
			if err != nil {
				return err
			}
			prog, err := build(cfg, cfg.AnswerWithin, p.stderr)
			if err != nil {
				return err
			}
			return errors.Join(prog.serve(cmd.Context(), p), prog.close(cmd.Context()))
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; %s --help lists the flags", err, cmd.CommandPath())}
	})
	root.PersistentFlags().StringVar(&flags.environment, "env", "", "vendor's environment: global, cn or sample (overrides JUSTONEAPI_ENV)")
	root.Flags().StringVar(&flags.transport, "transport", "", "stdio, sse or http (overrides MCP_TRANSPORT)")
	root.Flags().StringVar(&flags.addr, "addr", "", "listen address of sse and http (overrides MCP_ADDR)")
	root.AddCommand(newPortrait(p, &flags), newVersion(p))
	return root
}

// newPortrait returns the command that prints the portrait of a KOL, or the
// comparison of several.
func newPortrait(p process, flags *flags) *cobra.Command {
	var asJSON, fresh bool
	var detail, language string
	var target targetFlags
	cmd := &cobra.Command{
		Use:   "portrait KOL_ID...",
		Short: "Print the portrait of one KOL, or the comparison of several, as the tools answer it",
		Example: "  kol-portrait-mcp --env sample portrait 5d21ab6b000000001201567d --detail summary --language zh\n" +
			"  kol-portrait-mcp --env sample portrait kol-a kol-b kol-c --gender female --ages 25-34,35-44 --provinces 广东,Zhejiang",
		Args: usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			if len(ids) > 1 && detail != "" {
				return usageError{errors.New("--detail is for the portrait of one KOL; a comparison has one length")}
			}
			audience, err := target.argument(cmd.Flags())
			if err != nil {
				return err
			}
			cfg, err := flags.config(cmd.Context(), p)
			if err != nil {
				return err
			}
			quieten(cfg)
			prog, err := build(cfg, deadline(cfg), p.stderr) // whoever waits at a terminal can stop by hand
			if err != nil {
				return err
			}
			arguments := map[string]any{"acceptCache": !fresh, "targetAudience": audience, "detail": optional(detail), "language": optional(language)}
			if len(ids) == 1 {
				arguments["kolId"] = ids[0]
				err = prog.printPortrait(cmd.Context(), p, arguments, asJSON)
			} else {
				delete(arguments, "detail")
				arguments["kolIds"] = anyOf(ids)
				err = prog.printComparison(cmd.Context(), p, arguments, asJSON)
			}
			return errors.Join(err, prog.close(cmd.Context()))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the structured result, or the structured error")
	cmd.Flags().BoolVar(&fresh, "fresh", false, "collect anew, for one charged call a KOL, even where a stored portrait would do")
	cmd.Flags().StringVar(&detail, "detail", "", "of one portrait: full, or summary without the distributions (default full)")
	cmd.Flags().StringVar(&language, "language", "", "en or zh (default PORTRAIT_LANGUAGE)")
	target = addTarget(cmd)
	return cmd
}

// optional is a flag's value as an argument: none where it was not given.
func optional(value string) any {
	if value == "" {
		return nil
	}
	return value
}

func anyOf(values []string) []any {
	list := make([]any, len(values))
	for i, value := range values {
		list[i] = value
	}
	return list
}

// targetFlags are the target audience, as text by argument. Their values are
// understood as those of the tools are.
type targetFlags map[string]*targetFlag

type targetFlag struct {
	name, value string
}

// addTarget adds the flags of the target audience to a command.
func addTarget(cmd *cobra.Command) targetFlags {
	target := targetFlags{}
	for _, flag := range []struct{ argument, name, usage string }{
		{"gender", "gender", "female or male"},
		{"ageGroups", "ages", "age groups, such as 25-34,35-44"},
		{"provinces", "provinces", "provinces or regions, such as Guangdong,浙江,East"},
		{"cities", "cities", "cities, tier1 or new-tier1"},
		{"interests", "interests", "interests, such as Food,Travel"},
		{"devices", "devices", "device brands, such as Apple"},
		{"weights", "weights", "weights in the score, such as gender=2,provinces=1 (1 where not given)"},
	} {
		target[flag.argument] = &targetFlag{name: flag.name}
		cmd.Flags().StringVar(&target[flag.argument].value, flag.name, "", "target audience: "+flag.usage)
	}
	return target
}

// argument is the target audience as an argument, nil where no flag speaks of
// it. A flag with an empty value is an error: a variable of a shell may not
// have been set, and an answer without a fit costs as much.
func (target targetFlags) argument(flags *pflag.FlagSet) (any, error) {
	values := map[string]any{}
	for argument, flag := range target {
		if !flags.Changed(flag.name) {
			continue
		}
		if strings.TrimSpace(flag.value) == "" {
			return nil, usageError{fmt.Errorf("--%s is empty: leave it out, or name whom to reach", flag.name)}
		}
		values[argument] = flag.value
	}
	if len(values) == 0 {
		return nil, nil
	}
	return values, nil
}

// quieten leaves out of a command's log what its result says anyway.
func quieten(cfg *config.Config) {
	if cfg.LogLevel == slog.LevelInfo {
		cfg.LogLevel = slog.LevelWarn
	}
}

// printPortrait prints what the tool would answer to the arguments.
func (prog *program) printPortrait(ctx context.Context, p process, arguments map[string]any, asJSON bool) error {
	args, err := prog.tools.ParsePortraitArguments(arguments)
	if err != nil {
		return printFailure(p, err, asJSON)
	}
	portrait, err := prog.tools.Portrait(ctx, args)
	if err != nil {
		return printFailure(p, err, asJSON)
	}
	if asJSON {
		return printJSON(p, portrait)
	}
	_, err = fmt.Fprintln(p.stdout, prog.tools.Text(portrait))
	return err
}

// printComparison prints what the tool would answer to the arguments, and how
// the collections come along where a person is watching.
func (prog *program) printComparison(ctx context.Context, p process, arguments map[string]any, asJSON bool) error {
	args, err := prog.tools.ParseComparisonArguments(arguments)
	if err != nil {
		return printFailure(p, err, asJSON)
	}
	arrived, done := showProgress(p.stderr, len(args.KOLIDs))
	comparison, err := prog.tools.Compare(ctx, args, arrived)
	done()
	if ctx.Err() != nil { // what it then says of those under way is not true: the end of the process ends them too
		return errors.New("interrupted: what is paid for is being stored, and the same command without --fresh will have it")
	}
	if err != nil {
		return printFailure(p, err, asJSON)
	}
	if asJSON {
		return printJSON(p, comparison)
	}
	_, err = fmt.Fprintln(p.stdout, prog.tools.ComparisonText(comparison))
	return err
}

// printFailure prints the structured error where that was asked for, and
// returns the error as text, with the exit code that fits.
func printFailure(p process, err error, asJSON bool) error {
	failure := tools.FailureOf(err)
	if asJSON {
		if err := printJSON(p, failure); err != nil {
			return err
		}
	}
	text := errors.New(failure.Text())
	if failure.Error.Kind == schema.InvalidArgument {
		return usageError{text}
	}
	return text
}

func printJSON(p process, result any) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(result)
}

// newVersion returns the command that tells which build this is.
func newVersion(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version, commit and Go version",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(p.stdout, versionLine())
			return err
		},
	}
}

func versionLine() string {
	return fmt.Sprintf("kol-portrait-mcp %s (commit %s, %s)", version, builtFrom(), runtime.Version())
}

// flags are those that override the environment; empty ones do not.
type flags struct {
	environment, transport, addr string
}

// config reads the configuration, with the flags above the environment.
func (f *flags) config(ctx context.Context, p process) (*config.Config, error) {
	overrides := make(map[string]string)
	var flagNames []string // pairs for a Replacer: who set a flag looks for the flag
	for _, flag := range []struct{ name, variable, value string }{
		{"--env", "JUSTONEAPI_ENV", f.environment},
		{"--transport", "MCP_TRANSPORT", f.transport},
		{"--addr", "MCP_ADDR", f.addr},
	} {
		if flag.value != "" {
			overrides[flag.variable] = flag.value
			flagNames = append(flagNames, flag.variable+" is", flag.name+" is")
		}
	}
	cfg, err := config.Load(ctx, envconfig.MultiLookuper(envconfig.MapLookuper(overrides), p.env))
	if err != nil {
		return nil, usageError{errors.New(strings.NewReplacer(flagNames...).Replace(err.Error()))}
	}
	if err := unsupported(cfg); err != nil {
		return nil, usageError{err}
	}
	return cfg, nil
}

// usageArgs makes an error of check one of usage.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; %s --help shows the usage", err, cmd.CommandPath())}
		}
		return nil
	}
}

// environmentHelp lists the variables of the environment, and says which of
// them do nothing yet.
func environmentHelp() string {
	var b strings.Builder
	for _, v := range config.Variables() {
		fmt.Fprintf(&b, "  %s\n      %s", v.Name, v.Meaning)
		if v.Default != "" {
			fmt.Fprintf(&b, " (default %s)", v.Default)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "\nVersion %s checks no bearer tokens yet: it refuses MCP_AUTH_TOKENS over HTTP, serves HTTP\n"+
		"on loopback addresses only, and %s has no effect.", version, strings.Join(idle(), ", "))
	return b.String()
}

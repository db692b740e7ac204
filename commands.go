package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/sethvargo/go-envconfig"
	"github.com/spf13/cobra"
	"golang.org/x/term"

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

// run carries out one command line and returns the exit code.
func run(ctx context.Context, p process, args []string) int {
	root := newRoot(p) //nolint:contextcheck // cobra hands the context to the commands
	root.SetArgs(args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	understood := false
	root.PersistentPreRun = func(*cobra.Command, []string) { understood = true }
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitSuccess
	}
	if !understood {
		err = usageError{fmt.Errorf("%w; %s --help shows the usage", err, cmd.CommandPath())}
	}
	p.say(err.Error())
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
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
	var names []string // pairs of what an error begins with, and what it should
	for _, o := range overrides {
		if flag := cmd.Flag(o.flag); flag != nil && flag.Value.String() != "" {
			values[o.variable] = flag.Value.String()
			names = append(names, o.variable+" is", "--"+o.flag+" is")
		}
	}
	cfg, err := config.Load(cmd.Context(), envconfig.MultiLookuper(envconfig.MapLookuper(values), p.env))
	if err != nil {
		return nil, usageError{errors.New(strings.NewReplacer(names...).Replace(err.Error()))}
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
			prog, err := build(cfg, cfg.AnswerWithin, p.stderr)
			if err != nil {
				return err
			}
			return errors.Join(prog.serve(cmd.Context(), p), prog.close(cmd.Context()))
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
	root.AddCommand(newPortrait(p), &cobra.Command{
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

// targetFlags are the flags of the target audience. Their values are understood
// as those of the tools' arguments are.
var targetFlags = []struct{ flag, argument, usage string }{
	{"gender", "gender", "female or male"},
	{"ages", "ageGroups", "age groups, such as 25-34,35-44"},
	{"provinces", "provinces", "provinces or regions, such as Guangdong,浙江,East"},
	{"cities", "cities", "cities, tier1 or new-tier1"},
	{"interests", "interests", "interests, such as Food,Travel"},
	{"devices", "devices", "device brands, such as Apple"},
	{"weights", "weights", "weights in the score, such as gender=2,provinces=1 (1 where not given)"},
}

// newPortrait returns the command that prints the portrait of a KOL, or the
// comparison of several.
func newPortrait(p process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "portrait KOL_ID...",
		Short: "Print the portrait of one KOL, or the comparison of several, as the tools answer it",
		Example: "  kol-portrait-mcp --env sample portrait 5d21ab6b000000001201567d --detail summary --language zh\n" +
			"  kol-portrait-mcp --env sample portrait kol-a kol-b kol-c --gender female --ages 25-34,35-44 --provinces 广东,Zhejiang",
		Args: cobra.MinimumNArgs(1),
	}
	asJSON := cmd.Flags().Bool("json", false, "print the structured result, or the structured error")
	fresh := cmd.Flags().Bool("fresh", false, "want portraits that were collected fresh within the last ten minutes; each other costs one charged call")
	cmd.Flags().String("detail", "", "of one portrait: full, or summary without the distributions (default full)")
	cmd.Flags().String("language", "", "en or zh (default PORTRAIT_LANGUAGE)")
	for _, f := range targetFlags {
		cmd.Flags().String(f.flag, "", "target audience: "+f.usage)
	}
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		ctx := cmd.Context()
		cfg, err := configOf(cmd, p)
		if err != nil {
			return err
		}
		if cfg.LogLevel == slog.LevelInfo {
			cfg.LogLevel = slog.LevelWarn // the result says the rest
		}
		prog, err := build(cfg, deadline(cfg), p.stderr) // a person at a terminal can stop by hand
		if err != nil {
			return err
		}
		defer context.AfterFunc(ctx, func() { prog.shut(prog.patience(), p.say) })()
		result, text, err := prog.answer(cmd, p, ids, !*fresh)
		if ctx.Err() != nil { // what the error says of calls under way is not true: they end with the process
			err = errors.New("interrupted")
		} else {
			err = printAnswer(p, result, text, err, *asJSON)
		}
		return errors.Join(err, prog.close(ctx))
	}
	return cmd
}

// answer returns what the tool for one KOL or for several answers, as data and
// as text. The flags of cmd are its arguments.
func (prog *program) answer(cmd *cobra.Command, p process, ids []string, acceptCache bool) (any, string, error) {
	arguments, target := map[string]any{"acceptCache": acceptCache}, map[string]any{}
	set := func(arguments map[string]any, name, flag string) {
		if f := cmd.Flag(flag); f.Changed {
			arguments[name] = f.Value.String()
		}
	}
	set(arguments, "language", "language")
	for _, f := range targetFlags {
		set(target, f.argument, f.flag)
	}
	if len(target) > 0 {
		arguments["targetAudience"] = target
	}

	if len(ids) == 1 {
		arguments["kolId"] = ids[0]
		set(arguments, "detail", "detail")
		args, err := prog.tools.ParsePortraitArguments(arguments)
		if err != nil {
			return nil, "", err
		}
		portrait, err := prog.tools.Portrait(cmd.Context(), args)
		if err != nil {
			return nil, "", err
		}
		return portrait, prog.tools.Text(portrait), nil
	}
	kolIDs := make([]any, len(ids))
	for i, id := range ids {
		kolIDs[i] = id
	}
	arguments["kolIds"] = kolIDs
	args, err := prog.tools.ParseComparisonArguments(arguments)
	if err != nil {
		return nil, "", err
	}
	arrived, done := showProgress(p.stderr, len(args.KOLIDs))
	comparison, err := prog.tools.Compare(cmd.Context(), args, arrived)
	done()
	if err != nil {
		return nil, "", err
	}
	return comparison, prog.tools.ComparisonText(comparison), nil
}

// showProgress shows on a terminal how many of several portraits have arrived,
// and elsewhere nothing. Call arrived for each portrait, and done at the end,
// which takes the bar away.
func showProgress(w io.Writer, of int) (arrived, done func()) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return func() {}, func() {}
	}
	bar := progressbar.NewOptions(of,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription("Collecting portraits"),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionClearOnFinish(),
	)
	_ = bar.RenderBlank() // a bar that cannot be drawn is no reason to fail
	return func() { _ = bar.Add(1) }, func() { _ = bar.Finish() }
}

// printAnswer prints the result, or of a failure the structured error where
// JSON is asked for. It returns the failure as text, with the exit code that fits.
func printAnswer(p process, result any, text string, err error, asJSON bool) error {
	if err != nil {
		failure := tools.FailureOf(err)
		err = errors.New(failure.Text())
		if failure.Error.Kind == schema.InvalidArgument {
			err = usageError{err}
		}
		if !asJSON {
			return err
		}
		result = failure
	}
	if !asJSON {
		_, err = fmt.Fprintln(p.stdout, text)
		return err
	}
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return errors.Join(err, encoder.Encode(result))
}

func versionLine() string {
	return fmt.Sprintf("kol-portrait-mcp %s (commit %s, %s)", version, builtFrom(), runtime.Version())
}

// environmentHelp lists the variables of the environment.
func environmentHelp() string {
	var b strings.Builder
	for _, v := range config.Variables() {
		fmt.Fprintf(&b, "  %s\n      %s", v.Name, v.Meaning)
		if v.Default != "" {
			fmt.Fprintf(&b, " (default %s)", v.Default)
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

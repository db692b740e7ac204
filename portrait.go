package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// formats are the values of --format; tables are those that have a row for each
// KOL, also where there is one.
var (
	formats = []string{"text", "json", "jsonl", "csv", "csv-long", "md", "html"}
	tables  = []string{"jsonl", "csv", "csv-long"}
)

// noLimit lets a process make any number of charged calls.
const noLimit = -1

// targetFlags are the flags of the target audience. They and their values are
// understood as the tools' arguments are.
var targetFlags = [][2]string{
	{"gender", "female or male"},
	{"ages", "age groups or spans, such as 25-34,35-44 or 18-34"},
	{"places", "provinces, cities, areas or tiers, any of them, such as Guangdong,杭州,长三角,tier1"},
	{"interests", "interests, such as Food,Travel; they count in the score alone"},
	{"devices", "device brands, such as Apple"},
	{"weights", "weights in the score, such as gender=2,places=1 (1 where not given)"},
	{"soft", "dimensions that are a plus and no must, such as devices"},
}

// portraitFlags are the other flags of the command.
type portraitFlags struct {
	from, format, output, label, detail, language string
	fresh, dryRun                                 bool
	maxCharged                                    int
}

const portraitHelp = `portrait prints who follows a KOL. For several KOLs it prints the comparison, ranked
over all of them where a target audience is given. What is stored and recent costs
nothing, each other KOL one charged call. What was paid for is stored at once: a run
that was stopped goes on from there when the same command is given again.

--from reads a list of ids or addresses of profile pages, one a line, or a table (CSV
with comma, semicolon or tab; UTF-8 or GBK) whose first column they are. Blank lines
and lines with # are skipped, and so is a header: a first line that begins with a word
such as id, kolId, url or 达人, or that has one of the names that are used:
  followers, 粉丝数     goes into the output, with the followers in the target audience
  price, 报价, 价格     goes into the output, with the price per thousand of those
  name, 昵称, 达人      is shown instead of the id
Other columns are carried along. Numbers may be written 12.3万, 12w, 1,234,567, ¥8,000.

Exit code 0: all portraits; 1: none; 2: wrong usage or settings; 3: some KOLs failed.`

const portraitExamples = `  kol-portrait-mcp --env sample portrait 5d21ab6b000000001201567d --detail summary --language zh
  kol-portrait-mcp --env sample portrait kol-1 kol-2 kol-3 --gender female --ages 25-34,35-44 --places 广东,Zhejiang
  kol-portrait-mcp portrait --from kols.csv --dry-run
  kol-portrait-mcp portrait --from kols.csv --gender female --ages 25-34 --max-charged 100 --format csv --output ranked.csv
  kol-portrait-mcp portrait 5d21ab6b000000001201567d --label 小鹿 --format html --output report.html`

// newPortrait returns the command that prints the portrait of a KOL, or the
// comparison of several.
func newPortrait(p process) *cobra.Command {
	var o portraitFlags
	cmd := &cobra.Command{
		Use:     "portrait KOL...",
		Short:   "Print the portrait of one KOL, or the comparison of several",
		Long:    portraitHelp,
		Example: portraitExamples,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.from, "from", "", "file with KOLs, or - for standard input")
	flags.StringVar(&o.format, "format", "text", strings.Join(formats, ", ")+"; csv-long has a row for each KOL, dimension and name, html is a page to look at and to send")
	flags.StringVar(&o.output, "output", "", "file to write the result to, whole, at the end")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say how many KOLs are stored and how many would be charged, and ask nothing")
	flags.IntVar(&o.maxCharged, "max-charged", noLimit, "most charged calls of this run; -1 sets no limit")
	flags.BoolVar(&o.fresh, "fresh", false, "take no portrait that was not collected fresh within the last ten minutes")
	flags.StringVar(&o.label, "label", "", "of one KOL: the creator's name, shown instead of the id")
	flags.StringVar(&o.detail, "detail", "", "of one KOL: full, or summary without the distributions (default full)")
	flags.StringVar(&o.language, "language", "", "en or zh (default PORTRAIT_LANGUAGE)")
	for _, f := range targetFlags {
		flags.String(f[0], "", "target audience: "+f[1])
	}
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		kols, columns, err := o.read(p, given)
		if err != nil {
			return exitError{err, exitUsage}
		}
		return command(cmd, p, o.maxCharged, func(ctx context.Context, prog *program) error {
			r := &portraitRun{portraitFlags: o, program: prog, process: p}
			r.recognise(kols, columns)
			return r.run(ctx, o.arguments(cmd, kols))
		})
	}
	return cmd
}

// command makes the parts for a command that ends by itself, runs it, and closes
// them. A person at a terminal can stop it by hand, so nothing is waited for in vain.
func command(cmd *cobra.Command, p process, maxCharged int, run func(context.Context, *program) error) error {
	cfg, err := configOf(cmd, p)
	if err != nil {
		return err
	}
	if cfg.LogLevel == slog.LevelInfo {
		cfg.LogLevel = slog.LevelWarn // the result says the rest
	}
	cfg.AnswerWithin = deadline(cfg)
	return with(cmd.Context(), cfg, p, purpose{maxCharged: maxCharged}, run)
}

// read checks the flags, as far as they alone tell, and returns the KOLs that are
// asked for: those of the command line, and then those of the file, with the names
// of the columns that the file carries along.
func (o *portraitFlags) read(p process, given []string) (kols []kol, columns []string, err error) {
	switch {
	case !slices.Contains(formats, o.format):
		return nil, nil, fmt.Errorf("--format is %q: it takes one of %s", o.format, strings.Join(formats, ", "))
	case o.label != "" && (o.from != "" || len(given) != 1):
		return nil, nil, errors.New("--label is the name of one KOL; those of several stand in a table for --from, in a column such as name")
	case o.from == "" && len(given) == 0:
		return nil, nil, errors.New("no KOL is named: give ids or addresses of profile pages, or a file with --from; portrait --help shows the usage")
	}
	if folder, err := os.Stat(filepath.Dir(o.output)); err != nil || !folder.IsDir() { // told before anything is paid for
		return nil, nil, fmt.Errorf("--output is %q: there is no such folder", o.output)
	}
	if file, err := os.Stat(o.output); err == nil && !file.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("--output is %q: it is not a regular file", o.output)
	}
	for _, text := range given {
		kols = append(kols, kol{text: text, label: o.label})
	}
	if o.from == "" {
		return kols, nil, nil
	}
	file := io.NopCloser(p.stdin)
	if o.from != "-" {
		if file, err = os.Open(o.from); err != nil {
			return nil, nil, fmt.Errorf("--from: %w", err)
		}
	}
	defer func() { _ = file.Close() }() // it was only read
	listed, columns, err := readSheet(file)
	if err != nil {
		return nil, nil, fmt.Errorf("--from %s: %w", o.from, err)
	}
	return append(kols, listed...), columns, nil
}

// arguments returns the flags as the tools' arguments, for the first KOL. A blank
// argument counts as not given.
func (o *portraitFlags) arguments(cmd *cobra.Command, kols []kol) map[string]any {
	target := map[string]any{}
	for _, f := range targetFlags {
		target[f[0]] = cmd.Flag(f[0]).Value.String()
	}
	return map[string]any{"kolId": kols[0].text, "label": o.label, "acceptCache": !o.fresh, "language": o.language, "detail": o.detail, "targetAudience": target}
}

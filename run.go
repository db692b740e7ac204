package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"kol-portrait-mcp/report"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/tools"
	"kol-portrait-mcp/ui"
)

// portraitRun is one run of the portrait command.
type portraitRun struct {
	portraitFlags
	*program
	process
	ids, labels []string                // of the KOLs, in their order; the same one perhaps twice
	unknown     []schema.FailedPortrait // what was given and is no KOL
	sheet       *report.Sheet
	bar         *progressbar.ProgressBar
}

// recognise tells the KOLs among what was given from what is none.
func (r *portraitRun) recognise(kols []kol, columns []string) {
	r.sheet = &report.Sheet{Columns: columns, Rows: map[string]report.SheetRow{}}
	for _, k := range kols {
		label := tools.Label(k.label)
		id, err := r.tools.KOLID(k.text)
		if err == nil {
			r.ids, r.labels = append(r.ids, id), append(r.labels, label)
		} else {
			id = fmt.Sprintf("%.80s", k.text)
			r.unknown = append(r.unknown, schema.FailedPortrait{KOLID: id, Label: label, Error: tools.FailureOf(err, r.config.Language).Error})
		}
		if _, twice := r.sheet.Rows[id]; !twice {
			r.sheet.Rows[id] = k.row
		}
	}
	r.bar = newBar(r.stderr, len(r.sheet.Rows))
}

// run prints what is asked for. Where ctx ends before all of it is there, run
// prints nothing.
func (r *portraitRun) run(ctx context.Context, arguments map[string]any) error {
	defer context.AfterFunc(ctx, func() {
		_ = r.bar.Finish()
		r.shut(0, r.say)
	})()
	write, failure := r.answer(ctx, arguments)
	_ = r.bar.Finish()
	if ctx.Err() != nil {
		return errors.New("interrupted; what was paid for is stored, and the same command goes on from there at no second charge (with --fresh, within ten minutes)")
	}
	if write != nil {
		if err := write.to(r.output, r.stdout); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
	}
	return failure
}

// answer collects what is asked for. It returns what the run then prints, nil for
// nothing, and the error that the run ends with.
func (r *portraitRun) answer(ctx context.Context, arguments map[string]any) (result, error) {
	if len(r.ids) > 0 {
		arguments["kolId"] = r.ids[0]
	}
	args, err := r.tools.ParsePortraitArguments(arguments)
	single := r.from == "" && len(r.ids)+len(r.unknown) == 1
	switch {
	case err != nil:
		return r.fail(tools.FailureOf(err, args.Language))
	case r.dryRun:
		return r.forecast(ctx, args)
	case single && !slices.Contains(tables, r.format):
		portrait, err := r.tools.Portrait(ctx, args)
		if err != nil {
			return r.fail(tools.FailureOf(err, args.Language))
		}
		if r.format == "html" {
			return inHTML(portrait.Title(), page{Language: portrait.Language, Result: portraitShown(portrait)}), nil
		}
		return in(r.format, &portrait.PortraitResult, portrait.Text, portrait.Markdown), nil
	}
	return r.compare(ctx, args)
}

// fail ends a run with a failure, as text. Where JSON is asked for, the run prints
// the structured failure too, but never into a file.
func (r *portraitRun) fail(failure tools.Failure) (result, error) {
	if r.format == "json" && r.output == "" {
		return inJSON(failure), failureError(failure)
	}
	return nil, failureError(failure)
}

// failureError returns a failure as an error, with the exit code that fits.
func failureError(failure tools.Failure) error {
	err := errors.New(failure.Text())
	if failure.Error.Kind == schema.InvalidArgument {
		return exitError{err, exitUsage}
	}
	return err
}

// forecast says what a run would cost, and asks nothing.
func (r *portraitRun) forecast(ctx context.Context, args tools.PortraitArguments) (result, error) {
	different, stored := slices.Compact(slices.Sorted(slices.Values(r.ids))), 0
	for _, id := range different {
		held, err := r.collector.Held(ctx, id, r.fresh)
		if err != nil {
			return r.fail(tools.FailureOf(err, args.Language))
		}
		if held {
			stored++
		}
	}
	usage, err := r.collector.Usage(ctx)
	if err != nil {
		return r.fail(tools.FailureOf(err, args.Language))
	}
	text := fmt.Sprintf("KOLs: %d\nstored, at no charge: %d\nnot stored, at most one charged call each: %d\n", len(different), stored, len(different)-stored)
	if n := len(r.unknown); n > 0 {
		text += fmt.Sprintf("given, but no KOL: %d, the first %q\n", n, r.unknown[0].KOLID)
	}
	if usage.Remaining != nil {
		text += fmt.Sprintf("left of today's budget (PORTRAIT_DAILY_BUDGET): %d\n", *usage.Remaining)
	}
	if lacksToken(r.config) != nil {
		text += "No vendor token is set, so that none can be collected: set JUSTONEAPI_TOKEN or JUSTONEAPI_TOKEN_FILE.\n"
	}
	if usage.Sample {
		text += "The vendor is simulated: nothing would be paid.\n"
	}
	return inWords(text + "Nothing was asked."), nil
}

// compare collects the portraits of several KOLs, or of one in a table, and sets
// them side by side with what the caller's own table says.
func (r *portraitRun) compare(ctx context.Context, args tools.PortraitArguments) (result, error) {
	_ = r.bar.RenderBlank() // a bar that cannot be drawn is no reason to fail
	c, err := r.tools.Compare(ctx, tools.ComparisonArguments{
		ComparisonArguments: schema.ComparisonArguments{KOLIDs: r.ids, Labels: r.labels, AcceptCache: args.AcceptCache, Language: args.Language},
		Target:              args.Target,
	}, func(charged int) {
		r.bar.Describe(collecting(charged))
		_ = r.bar.Add(1)
	})
	if err != nil {
		failure := tools.FailureOf(err, args.Language)
		failure.Failures = append(failure.Failures, r.unknown...)
		return r.fail(failure)
	}
	c.Failures = append(c.Failures, r.unknown...)
	if r.from != "" {
		c.Sheet = r.sheet
	}
	write := in(r.format, &c.Comparison, c.Text, c.Markdown)
	switch r.format {
	case "csv":
		write = c.CSV
	case "csv-long":
		write = func(w io.Writer) error { return r.long(context.WithoutCancel(ctx), w, c) } // all is collected
	case "html":
		write = func(w io.Writer) error { return r.page(context.WithoutCancel(ctx), w, c, args) }
	case "jsonl":
		write = c.Lines
	case "json":
		write = c.JSON
	}
	if n := len(c.Failures); n > 0 {
		err = exitError{fmt.Errorf("%d of %d KOLs failed", n, n+len(c.Portraits)), exitPartial}
	}
	return func(w io.Writer) error {
		if r.output != "" || slices.Contains(tables, r.format) { // where a reader may not see all of this
			r.say(fmt.Sprintf("Portraits: %d, from the store: %d, charged calls: %d.", len(c.Portraits), c.Source.FromStore, c.Source.Charged))
			for _, warning := range c.Warnings {
				r.say(warning)
			}
		}
		return write(w)
	}, err
}

// long writes the stored portrait of each KOL of a comparison, one after the
// other, so that they are never in memory together.
func (r *portraitRun) long(ctx context.Context, w io.Writer, c *report.Comparison) error {
	if err := report.LongHeader(w); err != nil {
		return err
	}
	for _, p := range c.Portraits {
		stored, err := r.collector.Stored(ctx, p.KOLID)
		if err != nil {
			return failureError(tools.FailureOf(err, c.Language))
		}
		if stored == nil {
			return fmt.Errorf("the portrait of %s is no longer in the store", p.KOLID)
		}
		if err := report.Long(w, p.KOLID, p.Label, p.AsOf, r.analyst.Audience(&stored.Distributions), stored.Sample, c.Language); err != nil {
			return err
		}
	}
	return nil
}

// mostOpened is up to how many KOLs a comparison as a page has the portraits of, some
// 20 KB each.
const mostOpened = 20

// page writes a comparison as a page, in which the portrait of each KOL opens where
// there are few.
func (r *portraitRun) page(ctx context.Context, w io.Writer, c *report.Comparison, args tools.PortraitArguments) error {
	p := page{Language: c.Language, Result: comparisonShown(c), Portraits: map[string]shown{}}
	for _, k := range c.Portraits {
		if len(c.Portraits) > mostOpened {
			break
		}
		args.KOLID, args.Label = k.KOLID, k.Label
		portrait, err := r.tools.StoredPortrait(ctx, args)
		if err != nil {
			return failureError(tools.FailureOf(err, c.Language))
		}
		if portrait != nil {
			p.Portraits[k.KOLID] = portraitShown(portrait)
		}
	}
	return inHTML(c.Title(), p)(w)
}

// result writes what a command prints.
type result func(io.Writer) error

// in is an answer in one of the formats that each answer has.
func in(format string, data any, text, markdown func() string) result {
	switch format {
	case "json":
		return inJSON(data)
	case "md":
		return inWords(markdown())
	default:
		return inWords(text())
	}
}

func inWords(text string) result {
	return func(w io.Writer) error {
		_, err := fmt.Fprintln(w, strings.TrimRight(text, "\n"))
		return err
	}
}

func inJSON(data any) result {
	return func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(data)
	}
}

// page is what the page of a report has inside.
type page struct {
	Language  schema.Language  `json:"language"`
	TimeZone  string           `json:"timeZone"`
	Result    shown            `json:"result"`
	Portraits map[string]shown `json:"portraits,omitempty"` // of the KOLs of a comparison, by kolId
}

// shown is what the page draws of a tool's result. A report is sent to others, so it
// has no text, which tells of the caller's own table, and no id of a request.
type shown struct {
	Meta       map[string]any `json:"_meta"`
	Structured any            `json:"structuredContent"`
}

func portraitShown(p *report.Portrait) shown {
	data := p.PortraitResult
	data.Source.RequestID = ""
	return shown{map[string]any{report.ViewKey: p.View(nil)}, data}
}

func comparisonShown(c *report.Comparison) shown {
	data := c.Comparison
	data.Failures = slices.Clone(data.Failures)
	for i, failed := range data.Failures {
		cause := *failed.Error
		cause.RequestID = ""
		data.Failures[i].Error = &cause
	}
	return shown{map[string]any{report.ViewKey: c.View()}, data}
}

func inHTML(title string, data page) result {
	data.TimeZone = "Asia/Shanghai" // the vendor's, as its days are
	return func(w io.Writer) error { return ui.Report(w, title, data) }
}

// to writes a result to stdout or, where a path is given, to a file, whole: readers
// see the old one until the new one is complete.
func (write result) to(path string, stdout io.Writer) error {
	if path == "" {
		return write(stdout)
	}
	file, err := os.Create(path + ".partial") //nolint:gosec // the user says which file
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // unless it has got its name
	if err := errors.Join(write(file), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// newBar shows on a terminal how many portraits of a run have arrived and what they
// have cost. It shows nothing for one KOL, nor where w is no terminal.
func newBar(w io.Writer, kols int) *progressbar.ProgressBar {
	file, isFile := w.(*os.File)
	return progressbar.NewOptions(kols,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(kols > 1 && isFile && term.IsTerminal(int(file.Fd()))),
		progressbar.OptionSetDescription(collecting(0)),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionClearOnFinish(),
	)
}

// collecting is what the bar says beside its count.
func collecting(charged int) string { return fmt.Sprintf("Collecting portraits, %d charged", charged) }

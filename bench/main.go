// Command bench builds this server and three peers, measures them side by side
// in turns, and prints a table of figures, ratios and bounds:
//
//	go run ./bench                                # prints the table
//	go run ./bench -idle -o bench/RESULTS.md      # and keeps it, on a machine that does nothing else
//
// The peers are the least that a server can be that sells the same portrait and
// passes the vendor's JSON through: one of mcp-go, one of the official Go SDK,
// one of the official TypeScript SDK. The exit code is 1 where a ratio, or a
// number of tokens, has left its bound by more than the noise of the run. Times by
// themselves, which are the machine's as well, are held to theirs only with -idle.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	rounds := flags.Int("rounds", 9, "how often every figure is measured, in turns; starts five times as often")
	idle := flags.Bool("idle", false, "hold times by themselves to their bounds as well: the machine does nothing else")
	file := flags.String("o", "", "a file to write the table to as well")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *rounds < 1 {
		return errors.New("it takes -rounds of 1 or more, -idle and -o FILE, and no arguments")
	}
	dir, err := os.MkdirTemp("", "kol-portrait-mcp-bench-")
	if err != nil {
		return fmt.Errorf("make a folder for the builds: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	results, err := measure(ctx, dir, *rounds, stderr)
	if err != nil {
		return err
	}
	table := report(results, describeMachine(ctx, results.contestants), *idle)
	if _, err := io.WriteString(stdout, table); err != nil {
		return err
	}
	if *file != "" {
		if err := os.WriteFile(*file, []byte(table), 0o600); err != nil {
			return fmt.Errorf("keep the table: %w", err)
		}
	}
	return results.check(bounds(), *idle)
}

// measure builds the contestants and takes all figures.
func measure(ctx context.Context, dir string, rounds int, progress io.Writer) (*results, error) {
	vendor, err := startVendor(ctx)
	if err != nil {
		return nil, err
	}
	defer vendor.close()
	say := func(what string) { _, _ = fmt.Fprintln(progress, "bench:", what) }
	say("building")
	contestants, err := build(ctx, dir, vendor)
	if err != nil {
		return nil, err
	}
	r := newResults(contestants)
	for _, step := range []struct {
		what string
		take func() error
	}{
		{"tokens and size", func() error { return r.takeWeights(ctx) }},
		{"start", func() error { return r.takeStarts(ctx, 5*rounds) }},
		{"stored calls", func() error { return r.takeStored(ctx, rounds) }},
		{"fresh calls", func() error { return r.takeFresh(ctx, rounds, vendor) }},
		{"reading the store", func() error { return r.takeReading(ctx, rounds, dir) }},
		{"load over HTTP", func() error { return r.takeLoad(ctx, rounds) }},
	} {
		say(step.what)
		if err := step.take(); err != nil {
			return nil, fmt.Errorf("measure %s: %w", step.what, err)
		}
	}
	return r, nil
}

// Command bench builds this server and three peers, measures them in turns, and
// prints a table of figures, ratios and bounds. It runs in the module's root:
//
//	go run ./bench                            # in a minute and a half
//	go run ./bench -idle -o bench/RESULTS.md  # on a machine that does nothing else
//
// Each peer is the least that a server of its SDK can be, and answers from memory:
// one of mcp-go with our own result, and one of the official Go SDK and one of the
// official TypeScript SDK with the vendor's JSON. The exit code is 1 where a ratio,
// or a number of tokens, is beyond its bound by more than the noise of the run. A
// time by itself depends on the machine as well, and is held to its bound only with
// -idle.
//
// servers.go starts servers and talks to them, measure.go measures them, and
// results.go has the figures, the bounds and the table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	idle := flag.Bool("idle", false, "hold times by themselves to their bounds as well: the machine does nothing else")
	file := flag.String("o", "", "a file to write the table to as well")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	table, err := run(ctx, *idle)
	stop()
	_, _ = os.Stdout.WriteString(table)
	if *file != "" && table != "" {
		err = errors.Join(err, os.WriteFile(*file, []byte(table), 0o600))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, idle bool) (table string, err error) {
	dir, err := os.MkdirTemp("", "kol-portrait-mcp-bench-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	fmt.Fprintln(os.Stderr, "bench: building")
	b, err := setUp(ctx, dir)
	if err != nil {
		return "", err
	}
	defer b.vendor.Close()
	if err := b.measure(ctx); err != nil {
		return "", err
	}
	return b.results.report(idle)
}

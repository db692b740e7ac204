// Command kol-portrait-mcp gives AI agents the audience portrait of a
// Xiaohongshu creator over the Model Context Protocol.
//
// main reads flags and environment into a config, makes the parts, and hands
// them to one transport or one command.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/sethvargo/go-envconfig"
)

// version is the product's, as in the tags of its repository.
const version = "0.1.0"

// commit is set by the linker in a build outside the repository, such as the
// container's.
var commit string //nolint:gochecknoglobals // the linker can set nothing else

func main() {
	ctx, stop := untilSignal(context.Background())
	code := run(ctx, process{env: envconfig.OsLookuper(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

// untilSignal returns a context that ends when the process is told to end.
// Further signals change nothing, since they often come in pairs, from a
// terminal and from a client, and what is paid for is being waited for; but who
// presses Ctrl-C again after a second means it.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		cancel()
		told := time.Now()
		for s := range signals {
			if s == os.Interrupt && time.Since(told) > time.Second {
				os.Exit(exitFailure)
			}
		}
	}()
	return ctx, cancel
}

// process is what a run sees of the world.
type process struct {
	env            envconfig.Lookuper
	stdin          io.Reader
	stdout, stderr io.Writer
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

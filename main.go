// Command kol-portrait-mcp gives AI agents the audience portrait of a
// Xiaohongshu creator over the Model Context Protocol.
//
// Flags and environment become a config.Config, that becomes the parts of a
// program, and those serve one transport or carry out one command.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/sethvargo/go-envconfig"
)

// version is the product's, as in the tags of its repository. The linker sets it in
// a release.
var version = "0.1.0"

// commit is set by the linker in a build outside the repository, such as the
// container's.
var commit string

func main() {
	// Writing to a closed pipe would end the process, and with it a collection that
	// is paid for.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := untilSignal(context.Background())
	code := run(ctx, process{env: envconfig.OsLookuper(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

// untilSignal returns a context that ends when the process is told to end. A
// second signal changes nothing, since terminals and clients often send two at
// once, and answers that are paid for are being waited for. But Ctrl-C a second
// later is meant: it ends the process.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // under nohup, the server outlives its terminal
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, ends...)
	context.AfterFunc(ctx, func() {
		time.Sleep(time.Second)
		signal.Reset(os.Interrupt)
	})
	return ctx, stop
}

// process is what a run sees of the world.
type process struct {
	env            envconfig.Lookuper
	stdin          io.Reader
	stdout, stderr io.Writer
}

// say writes a line to stderr.
func (p process) say(line string) {
	_, _ = fmt.Fprintln(p.stderr, line) // there is nowhere else to say so
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

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

	"github.com/sethvargo/go-envconfig"
)

// version is the product's, as in the tags of its repository.
const version = "0.1.0"

// commit is set by the linker in a build outside the repository, such as the
// container's.
var commit string //nolint:gochecknoglobals // the linker can set nothing else

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // so that a second signal ends the process at once
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

// Command mcpb packs the product for Claude Desktop and the other clients that
// install an MCP server from one file, by a double click. It is run in the root
// of the repository:
//
//	go run ./deploy/mcpb -o kol-portrait-mcp.mcpb
//
// The file is a zip with the programs of all systems and a manifest, which is
// made from what the program itself says of its tools, prompts and settings. The
// same inputs give the same file, byte for byte. It is not signed: its SHA-256 is
// printed, and written beside it.
package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"

	"kol-portrait-mcp/clients"
)

func main() {
	out := flag.String("o", "kol-portrait-mcp.mcpb", "the `file` to write")
	version := flag.String("version", "", "the bundle's version, such as 1.2.3, which is the program's")
	binaries := flag.String("binaries", "", "a `folder` with *GOOS_GOARCH*/kol-portrait-mcp[.exe] for each system, such as GoReleaser's dist; without it, they are built")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := pack(ctx, *out, *version, *binaries)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mcpb:", err)
		os.Exit(1)
	}
}

// semver is the form of a version that clients compare.
var semver = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

// pack writes the bundle to out, and its SHA-256 to out.sha256, in the form that
// sha256sum checks. Programs come from the folder binaries, or are built.
func pack(ctx context.Context, out, version, binaries string) error {
	if binaries == "" {
		folder, err := os.MkdirTemp("", "mcpb-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(folder) }()
		if err := build(ctx, folder, version); err != nil {
			return err
		}
		binaries = folder
	}
	programs, err := find(binaries)
	if err != nil {
		return err
	}
	facts, err := ask(ctx, programs)
	if err != nil {
		return err
	}
	if version != "" && version != facts.Version {
		return fmt.Errorf("-version is %s, but the program says that it is %s", version, facts.Version)
	}
	if !semver.MatchString(facts.Version) {
		return fmt.Errorf("version %q is not of the form 1.2.3", facts.Version)
	}
	facts.Repository = clients.Repository()
	files, err := contents(programs, facts)
	if err != nil {
		return err
	}
	bundle, err := archive(files)
	if err != nil {
		return err
	}
	sum := fmt.Sprintf("%x  %s\n", sha256.Sum256(bundle), filepath.Base(out))
	if err := os.WriteFile(out, bundle, 0o644); err != nil { //nolint:gosec // everybody may read what is for download
		return err
	}
	if err := os.WriteFile(out+".sha256", []byte(sum), 0o644); err != nil { //nolint:gosec // as above
		return err
	}
	_, err = fmt.Fprint(os.Stdout, sum)
	return err
}

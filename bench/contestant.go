package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"kol-portrait-mcp/upstream/sample"
)

// The contestants by name. ours comes first in every table.
const (
	ours       = "this server"
	mcpgo      = "mcp-go"
	gosdk      = "Go SDK"
	typescript = "TypeScript SDK"
)

// contestant is a server that is measured.
type contestant struct {
	name    string
	command []string
	dir     string // where it is started; empty for here
	size    int64  // bytes of what is installed, Node itself not counted

	stored []string                   // environment in which portraits are at hand
	fresh  []string                   // environment in which every portrait is asked of the vendor
	listen func(addr string) []string // further environment in which it serves HTTP
}

// build makes the product and its peers in dir. The vendor is whom they ask.
func build(ctx context.Context, dir string, v *vendor) ([]contestant, error) {
	answer := filepath.Join(dir, "answer.json")
	if err := os.WriteFile(answer, v.answer, 0o600); err != nil {
		return nil, fmt.Errorf("put an answer at hand: %w", err)
	}
	peer := contestant{
		stored: []string{"PEER_ANSWER=" + answer},
		fresh:  []string{"PEER_UPSTREAM=" + v.url},
		listen: func(addr string) []string { return []string{"PEER_ADDR=" + addr} },
	}
	product := contestant{
		stored: []string{"JUSTONEAPI_ENV=sample", "PORTRAIT_STORE=sqlite:" + filepath.Join(dir, "stored.db")},
		fresh: []string{"JUSTONEAPI_TOKEN=bench", "JUSTONEAPI_BASE_URL=" + v.url, "JUSTONEAPI_MAX_RPS=1000",
			"PORTRAIT_STORE=sqlite:" + filepath.Join(dir, "fresh.db")},
		listen: func(addr string) []string { return []string{"MCP_TRANSPORT=http", "MCP_ADDR=" + addr} },
	}
	var all []contestant
	for _, c := range []struct {
		name, pkg string
		contestant
	}{{ours, "kol-portrait-mcp", product}, {mcpgo, "kol-portrait-mcp/bench/peers/mcpgo", peer}, {gosdk, "kol-portrait-mcp/bench/peers/gosdk", peer}} {
		binary := filepath.Join(dir, filepath.Base(c.pkg))
		if err := command(ctx, "", "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, c.pkg); err != nil {
			return nil, err
		}
		info, err := os.Stat(binary)
		if err != nil {
			return nil, err
		}
		c.contestant.name, c.command, c.size = c.name, []string{binary}, info.Size()
		all = append(all, c.contestant)
	}
	ts, err := buildTypeScript(ctx, peer)
	return append(all, ts), err
}

// buildTypeScript installs what the TypeScript peer needs, and the Node that
// it is measured with.
func buildTypeScript(ctx context.Context, peer contestant) (contestant, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "kol-portrait-mcp/bench").Output()
	if err != nil {
		return peer, fmt.Errorf("find this package: %w", err)
	}
	peer.name, peer.dir = typescript, filepath.Join(strings.TrimSpace(string(root)), "peers", "typescript")
	if err := command(ctx, peer.dir, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		return peer, err
	}
	node := filepath.Join(peer.dir, "node_modules", ".bin", "node")
	if _, err := os.Stat(node); err != nil { // no package for this system
		node = "node"
	}
	peer.command = []string{node, "server.mjs"}
	peer.size, err = installedSize(filepath.Join(peer.dir, "node_modules"))
	return peer, err
}

// installedSize is the size of the packages in a folder, Node left out.
func installedSize(folder string) (total int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), "node-linux-"):
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		total += info.Size()
		return nil
	})
	return total, err
}

func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// call is a request for a portrait.
func call(id int, kolID string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"get_kol_fans_portrait","arguments":{"kolId":%q}}}`, id, kolID)
}

// storedCall is a request for the portrait that is at hand everywhere.
func storedCall(id int) string { return call(id, sample.DocumentedID) }

const (
	hello  = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`
	ready  = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	list   = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	listed = `"tools":[`
	told   = `35-44` // an age group, in every answer with a portrait
)

//go:build e2e

package e2e

import (
	"context"
	"crypto/sha256"
	"debug/macho"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// manifest is what the tests read of a bundle's manifest.json.
type manifest struct {
	Name, Version string
	Icons         []struct{ Src string }
	Server        struct {
		EntryPoint string `json:"entry_point"`
		Config     struct {
			launched
			Overrides map[string]launched `json:"platform_overrides"`
		} `json:"mcp_config"`
	}
	Tools, Prompts []struct{ Name, Description string }
}

// launched is how a client starts the server.
type launched struct {
	Command string
	Args    []string
	Env     map[string]string
}

// TestBundle packs the product as a release does, only that the programs of other
// systems are small ones, and installs it as clients do.
func TestBundle(t *testing.T) {
	work := t.TempDir()
	programs, packer := programsOfAllSystems(t), filepath.Join(work, "packer")
	runIn(t, "..", "go", "build", "-o", packer, "./deploy/mcpb")
	one, two := filepath.Join(work, "one.mcpb"), filepath.Join(work, "two.mcpb")
	runIn(t, "..", packer, "-o", one, "-binaries", programs)
	runIn(t, "..", packer, "-o", two, "-binaries", programs)
	wrong := exec.CommandContext(t.Context(), packer, "-o", two, "-binaries", programs, "-version", "9.9.9")
	wrong.Dir = ".."
	said, err := wrong.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(said), "-version is 9.9.9, but the program says")
	folder := filepath.Join(work, "Application Support", "unpacked")
	for _, args := range [][]string{{"unpack", one, folder}, {"validate", folder}} {
		out := runNPM(t, "mcpb", args...)
		require.Zero(t, out.exit, out)
	}
	m := readManifest(t, filepath.Join(folder, "manifest.json"))

	t.Run("two packings are equal", func(t *testing.T) {
		first, err := os.ReadFile(one)
		require.NoError(t, err)
		second, err := os.ReadFile(two)
		require.NoError(t, err)
		require.True(t, string(first) == string(second))
		written, err := os.ReadFile(one + ".sha256")
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("%x  one.mcpb\n", sha256.Sum256(first)), string(written))
	})

	t.Run("what the manifest names is there", func(t *testing.T) {
		assert.Equal(t, "kol-portrait-mcp", m.Name)
		assert.Regexp(t, `^\d+\.\d+\.\d+(-[\w.-]+)?$`, m.Version)
		windows := m.Server.Config.Overrides["win32"]
		paths := []string{m.Server.EntryPoint, "LICENSE", "README.md", "skills/kol-audience-fit/SKILL.md"}
		for _, icon := range m.Icons {
			paths = append(paths, icon.Src)
		}
		for _, word := range append(m.Server.Config.Args, windows.Command) {
			path, inside := strings.CutPrefix(word, "${__dirname}/")
			require.True(t, inside, word)
			paths = append(paths, path)
		}
		for _, path := range paths {
			assert.FileExists(t, filepath.Join(folder, path))
		}
	})

	t.Run("macOS starts it on both processors", func(t *testing.T) {
		fat, err := macho.OpenFat(filepath.Join(folder, "server", "darwin", "kol-portrait-mcp"))
		require.NoError(t, err)
		defer func() { _ = fat.Close() }()
		signed := map[macho.Cpu]bool{}
		for _, part := range fat.Arches {
			assert.Zero(t, part.Offset%(1<<14), "a part begins with a page")
			signed[part.Cpu] = slices.ContainsFunc(part.Loads, func(load macho.Load) bool {
				const codeSignature = 0x1d
				return part.ByteOrder.Uint32(load.Raw()) == codeSignature
			})
		}
		assert.Contains(t, signed, macho.CpuAmd64)
		assert.True(t, signed[macho.CpuArm64], "Apple's processors start nothing unsigned")
	})

	for name, test := range map[string]struct {
		settings map[string]any
		literal  bool // the client knows of no settings, and replaces none
		fails    schema.Kind
	}{
		"sample data need no token":                       {settings: map[string]any{"environment": "示例", "language": "en-US"}},
		"without settings it asks for a token":            {settings: map[string]any{}, fails: schema.MissingToken},
		"a client that leaves ${user_config.token} there": {literal: true, fails: schema.MissingToken},
	} {
		t.Run(name, func(t *testing.T) {
			l := launchOf(t, folder, test.settings)
			if test.literal {
				l.Env = m.Server.Config.Env
				require.Equal(t, "${user_config.token}", l.Env["JUSTONEAPI_TOKEN"])
			}
			runIn(t, folder, "chmod", "-R", "a-x,a+X", "server") // as clients have unpacked it
			c := launchServer(t, l)
			m.lists(t, c)
			a := call(t.Context(), t, c, map[string]any{"kolId": kol})
			if test.fails == "" {
				assert.Nil(t, a.Structured.Error)
				assert.Contains(t, a.Content[0].Text, "KOL "+kol)
			} else if assert.NotNil(t, a.Structured.Error) {
				assert.Equal(t, test.fails, a.Structured.Error.Kind)
			}
		})
	}

	t.Run("the Chinese file names the same tools and prompts", func(t *testing.T) {
		chinese := readManifest(t, filepath.Join(folder, "locales", "zh-CN.json"))
		require.Len(t, chinese.Tools, len(m.Tools))
		require.Len(t, chinese.Prompts, len(m.Prompts))
		english := append(m.Tools, m.Prompts...)
		for i, entry := range append(chinese.Tools, chinese.Prompts...) {
			assert.Equal(t, english[i].Name, entry.Name)
			assert.Regexp(t, `\p{Han}`, entry.Description)
		}
	})
}

func readManifest(t *testing.T, path string) (m manifest) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &m))
	return m
}

// programsOfAllSystems returns a folder of programs: this machine's is the product,
// the others only say hello.
func programsOfAllSystems(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	source := filepath.Join(folder, "hello.go")
	require.NoError(t, os.WriteFile(source, []byte("package main\n\nfunc main() { println(`hello`) }\n"), 0o600))
	for _, system := range []string{"darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64", "windows_amd64"} {
		goos, goarch, _ := strings.Cut(system, "_")
		path := filepath.Join(folder, system, "kol-portrait-mcp")
		if goos == "windows" {
			path += ".exe"
		}
		if goos == runtime.GOOS && goarch == runtime.GOARCH {
			require.NoError(t, os.Mkdir(filepath.Dir(path), 0o755))
			require.NoError(t, os.Link(binary, path))
			continue
		}
		runIn(t, ".", "env", "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch, "go", "build", "-o", path, source)
	}
	return folder
}

// runIn runs a command in a folder, to its end, and returns what it wrote.
func runIn(t *testing.T, folder, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return out
}

// launchOf is how a client starts an unpacked bundle with a user's settings, by the
// code that the standard's own package has for clients.
func launchOf(t *testing.T, folder string, settings map[string]any) (l launched) {
	t.Helper()
	const script = `
		import { getMcpConfigForManifest } from '@anthropic-ai/mcpb'
		import { readFileSync } from 'node:fs'
		const [extensionPath, settings] = process.argv.slice(1)
		const manifest = JSON.parse(readFileSync(extensionPath + '/manifest.json', 'utf8'))
		console.log(JSON.stringify(await getMcpConfigForManifest({
			manifest, extensionPath, systemDirs: {}, userConfig: JSON.parse(settings), pathSeparator: '/',
		})))`
	given, err := json.Marshal(settings)
	require.NoError(t, err)
	out := runIn(t, ".", node(t), "--input-type=module", "-e", script, folder, string(given))
	require.NoError(t, json.Unmarshal(out, &l), "%s", out)
	return l
}

// launchServer starts a server as a client does, in a home of its own.
func launchServer(t *testing.T, l launched) *client.Client {
	t.Helper()
	e := environment{"HOME": t.TempDir(), "PATH": "/usr/bin:/bin"}
	maps.Copy(e, l.Env)
	start := func(ctx context.Context, command string, env, args []string) (*exec.Cmd, error) {
		cmd := exec.CommandContext(ctx, command, args...)
		cmd.Env = env
		return cmd, nil
	}
	c, err := client.NewStdioMCPClientWithOptions(l.Command, e.list(), l.Args, transport.WithCommandFunc(start))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	(&server{Client: c}).shakeHands(t)
	return c
}

// lists holds the manifest's lists against those of the server.
func (m manifest) lists(t *testing.T, c *client.Client) {
	t.Helper()
	tools, err := c.ListTools(t.Context(), mcp.ListToolsRequest{})
	require.NoError(t, err)
	require.Len(t, m.Tools, len(tools.Tools))
	for i, tool := range tools.Tools {
		assert.Equal(t, tool.Name, m.Tools[i].Name)
		assert.Regexp(t, `^[A-Z].+\.$`, m.Tools[i].Description)
		assert.True(t, strings.HasPrefix(tool.Description, m.Tools[i].Description), m.Tools[i].Description)
	}
	prompts, err := c.ListPrompts(t.Context(), mcp.ListPromptsRequest{})
	require.NoError(t, err)
	require.Len(t, m.Prompts, len(prompts.Prompts))
	for i, prompt := range prompts.Prompts {
		assert.Equal(t, prompt.Name, m.Prompts[i].Name)
		assert.Equal(t, prompt.Description, m.Prompts[i].Description)
	}
}

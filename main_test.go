package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/config"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kol-portrait-mcp": main})
}

// TestCommands runs the scripts of testdata/commands, each in a folder of its
// own, where its store is too, with none of this process's environment.
func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/commands",
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			return nil
		},
	})
}

func TestREADMEShowsAnswersAsTheyAre(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, name := range []string{"documented.en.txt", "comparison.shortlist.en.txt"} {
		answer, err := os.ReadFile("testdata/texts/" + name)
		require.NoError(t, err)
		assert.Contains(t, string(readme), "```text\n"+string(answer)+"```\n", name)
	}
}

func TestREADMENamesWhatHasNoEffectYet(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, notYet, found := strings.Cut(string(readme), "**Not in version 0.1 yet:**")
	require.True(t, found)
	for _, name := range idle() {
		assert.Contains(t, notYet, "`"+name+"`")
	}
}

func TestREADMEHasEveryVariableAndItsDefault(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, v := range config.Variables() {
		row := "| `" + v.Name + "` | "
		if v.Default != "" {
			row += "`" + v.Default + "`"
		}
		assert.Contains(t, string(readme), row)
	}
}

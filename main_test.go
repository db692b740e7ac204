package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
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
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home")) // where the store is found
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
		if !strings.Contains(string(readme), "```text\n"+string(answer)+"```\n") {
			t.Errorf("README.md does not show %s", name)
		}
	}
}

func TestREADMEHasEveryVariableAsItIsDescribed(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, v := range config.Variables() {
		value := " "
		if v.Default != "" {
			value = " `" + v.Default + "` "
		}
		if row := "| `" + v.Name + "` |" + value + "| " + v.Meaning + " |\n"; !strings.Contains(string(readme), row) {
			t.Errorf("README.md has no row %s", row)
		}
	}
}

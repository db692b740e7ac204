package main

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/config"
)

var update = flag.Bool("update", false, "write the table of docs/configuration.md anew")

func TestConfigurationPageHasEveryVariableAsItIsDescribed(t *testing.T) {
	table := "| variable | default | meaning |\n| --- | --- | --- |\n"
	for _, v := range config.Variables() {
		value := " "
		if v.Default != "" {
			value = " `" + v.Default + "` "
		}
		table += "| `" + v.Name + "` |" + value + "| " + v.Meaning + " |\n"
	}
	const page = "docs/configuration.md"
	is, err := os.ReadFile(page)
	require.NoError(t, err)
	made := regexp.MustCompile(`(?s)(<!-- made [^\n]*\n).*?(<!-- end -->)`)
	require.Len(t, made.FindAllString(string(is), -1), 1)
	want := made.ReplaceAllString(string(is), "${1}"+table+"${2}")
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o600))
		return
	}
	assert.Equal(t, want, string(is), "go test . -update writes the table anew")
}

// TestCommandsOfTheDocumentationAreUnderstood looks up each command and its flags.
func TestCommandsOfTheDocumentationAreUnderstood(t *testing.T) {
	for page, least := range map[string]int{"docs/configuration.md": 3, "skills/kol-audience-fit/SKILL.md": 2} {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		commands := regexp.MustCompile("(?m)(?:^|`)kol-portrait-mcp ([^`\n]+)").FindAllStringSubmatch(string(text), -1)
		assert.GreaterOrEqual(t, len(commands), least, page)
		for _, command := range commands {
			cmd, args, err := newRoot(process{env: envconfig.MapLookuper(nil)}).Find(strings.Fields(command[1]))
			require.NoError(t, err, command[0])
			assert.NoError(t, cmd.ParseFlags(args), "%s: %s", page, command[0])
			assert.True(t, cmd.HasParent() || strings.HasPrefix(command[1], "-"), "%s: %s", page, command[0])
		}
	}
}

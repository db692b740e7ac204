package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/config"
)

// TestSettings holds the settings that the manifest asks users for against the
// program's variables.
func TestSettings(t *testing.T) {
	files, err := fill(facts{Version: "1.2.3", Repository: "https://example.com/owner/name"})
	require.NoError(t, err)
	var manifest struct {
		Server struct {
			Config struct {
				Env map[string]string
			} `json:"mcp_config"`
		}
		UserConfig map[string]struct {
			Type, Title, Description string
			Default                  any
			Sensitive, Required      bool
		} `json:"user_config"`
	}
	require.NoError(t, json.Unmarshal(files["manifest.json"], &manifest))

	asked := regexp.MustCompile(`^\$\{user_config\.(\w+)\}$`)
	require.Len(t, manifest.Server.Config.Env, len(manifest.UserConfig), "each setting sets one variable")
	for name, value := range manifest.Server.Config.Env {
		i := slices.IndexFunc(config.Variables(), func(v config.Variable) bool { return v.Name == name })
		require.GreaterOrEqual(t, i, 0, "the program has no variable %s", name)
		variable := config.Variables()[i]
		match := asked.FindStringSubmatch(value)
		require.NotNil(t, match, value)
		setting, ok := manifest.UserConfig[match[1]]
		require.True(t, ok, value)
		assert.Equal(t, variable.Secret, setting.Sensitive, name)
		assert.False(t, setting.Required, "%s: sample data needs nothing", name)
		if setting.Type == "number" {
			setting.Default = strconv.FormatFloat(setting.Default.(float64), 'f', -1, 64)
		}
		assert.Equal(t, variable.Default, setting.Default, name)
		for _, word := range variable.OneOf {
			assert.Contains(t, setting.Description, word+":", "%s is not explained in English", word)
			assert.Regexp(t, word+` \p{Han}`, setting.Description, "%s is not explained in Chinese", word)
		}
		assert.Regexp(t, `\p{Han}`, setting.Title, "a setting's words are in both languages: locale files have none for them")
	}
}

func TestVersions(t *testing.T) {
	for version, good := range map[string]bool{
		"1.2.3": true, "0.1.0-rc.1": true, "0.1.0-SNAPSHOT-5726343": true, "1.2.3+build": true,
		"v1.2.3": false, "1.2": false, "": false, "1.2.3 ": false, "latest": false,
	} {
		assert.Equal(t, good, semver.MatchString(version), "%q", version)
	}
}

// TestCheck takes this very program for one of this machine, and for no other.
func TestCheck(t *testing.T) {
	path, err := os.Executable()
	require.NoError(t, err)
	program, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, system := range systems {
		if err := check(system, program); system == runtime.GOOS+"_"+runtime.GOARCH {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, "the program for "+system+": ")
		}
	}
}

// TestFind finds programs as GoReleaser lays them out, and refuses to guess.
func TestFind(t *testing.T) {
	folder := t.TempDir()
	for _, step := range []struct{ add, wrong string }{
		{"id_darwin_amd64_v1/kol-portrait-mcp", "0 files match"},
		{"id_darwin_arm64_v8.0/kol-portrait-mcp", "0 files match"},
		{"id_darwin_all/kol-portrait-mcp", "0 files match"},
		{"id_linux_amd64_v1/kol-portrait-mcp", "0 files match"},
		{"id_windows_amd64_v1/kol-portrait-mcp.exe", "0 files match"},
		{"id_linux_arm64_v8.0/kol-portrait-mcp", ""},
		{"id_linux_amd64_v3/kol-portrait-mcp", "2 files match"},
	} {
		path := filepath.Join(folder, step.add)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		programs, err := find(folder)
		if step.wrong != "" {
			require.ErrorContains(t, err, step.wrong, step.add)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, path, programs["linux_arm64"])
	}
}

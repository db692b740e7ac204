package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// loadCompose reads a file as docker compose does: against its schema, with
// variables filled in, and with every reference looked up.
func loadCompose(t *testing.T, file string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{file}, cli.WithEnv([]string{"DOMAIN=mcp.example.com", "COMMIT=abc"}), cli.WithDefaultProfiles())
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	return project
}

// What an operator sets in server.env reaches every server.
func TestComposeSettings(t *testing.T) {
	content, err := os.ReadFile("../compose.yaml")
	require.NoError(t, err)
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "compose.yaml"), content, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "server.env"), []byte("MCP_CALLER_DAILY_BUDGET=20\nPORTRAIT_DAILY_BUDGET=50\n"), 0o600))
	p := loadCompose(t, filepath.Join(folder, "compose.yaml"))
	for _, name := range []string{"server-1", "server-2"} {
		for variable, want := range map[string]string{"MCP_CALLER_DAILY_BUDGET": "20", "PORTRAIT_DAILY_BUDGET": "50"} {
			require.NotNil(t, p.Services[name].Environment[variable], variable)
			assert.Equal(t, want, *p.Services[name].Environment[variable])
		}
	}
}

func TestCompose(t *testing.T) {
	p := loadCompose(t, "../compose.yaml")
	one, two := p.Services["server-1"], p.Services["server-2"]
	require.Len(t, p.Services, 5, "without Grafana, which has a profile")
	two.Name = one.Name
	assert.Equal(t, one, two)
	assert.Equal(t, "kol-portrait-mcp:abc", one.Image)
	assert.Equal(t, "abc", *one.Build.Args["COMMIT"])
	assert.True(t, one.ReadOnly)
	assert.Equal(t, []string{"ALL"}, one.CapDrop)
	assert.Greater(t, time.Duration(*one.StopGracePeriod), 80*time.Second)
	for variable, want := range map[string]string{
		"MCP_PUBLIC_URL": "https://mcp.example.com", "PORTRAIT_STORE": "redis://redis:6379/0",
		"JUSTONEAPI_TOKEN_FILE": one.Volumes[0].Target + "/justoneapi_token", "MCP_AUTH_TOKENS_FILE": one.Volumes[0].Target + "/auth_tokens",
	} {
		require.NotNil(t, one.Environment[variable], variable)
		assert.Equal(t, want, *one.Environment[variable])
	}
	command := strings.Join(p.Services["redis"].Command, " ")
	assert.Contains(t, command, "--appendonly yes")
	assert.Contains(t, command, "--maxmemory-policy noeviction")
	assert.NotContains(t, p.Services["redis"].Networks, "front")
	assert.True(t, bool(p.Networks["store"].Internal))
	for name, service := range p.Services {
		assert.NotRegexp(t, `:latest$|^redis$|^caddy$`, service.Image, name)
		for _, volume := range service.Volumes {
			if volume.Type == "bind" && filepath.Base(volume.Source) != "server" { // the secrets, which the operator makes
				assert.FileExists(t, volume.Source, name)
			}
		}
		for _, port := range service.Ports {
			assert.True(t, name == "proxy" || port.HostIP == "127.0.0.1", "%s listens beyond this machine", name)
		}
	}
}

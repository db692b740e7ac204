package check

import (
	"os"
	"regexp"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// The guides' TOML and YAML say what their clients read. JSON is checked beside the
// data that they are made from.
func TestClientGuides(t *testing.T) {
	block := regexp.MustCompile("(?s)```(toml|yaml)\n(.*?)```\n")
	for _, guide := range []string{"../../docs/clients.md", "../../docs/clients.zh.md"} {
		text, err := os.ReadFile(guide)
		require.NoError(t, err)
		read := map[string]int{}
		for _, found := range block.FindAllStringSubmatch(string(text), -1) {
			kind, config, sections := found[1], map[string]any{}, map[string]string{"toml": "mcp_servers", "yaml": "extensions"}
			if kind == "toml" {
				_, err = toml.Decode(found[2], &config)
			} else {
				err = yaml.UnmarshalStrict([]byte(found[2]), &config)
			}
			require.NoError(t, err, found[2])
			server := config[sections[kind]].(map[string]any)["kol-portrait"].(map[string]any)
			here := server["command"] == "/path/to/kol-portrait-mcp" || server["cmd"] == "/path/to/kol-portrait-mcp"
			there := server["url"] == "https://mcp.example.com/mcp" || server["uri"] == "https://mcp.example.com/mcp"
			assert.True(t, here != there, found[2])
			if kind == "toml" && here {
				assert.Equal(t, []any{"JUSTONEAPI_TOKEN"}, server["env_vars"])
			} else if kind == "yaml" && here {
				assert.Equal(t, map[string]any{"JUSTONEAPI_TOKEN": "YOUR_TOKEN"}, server["envs"])
			}
			read[kind]++
		}
		assert.Equal(t, map[string]int{"toml": 2, "yaml": 2}, read, guide)
	}
}

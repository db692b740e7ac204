package clients_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/clients"
	"kol-portrait-mcp/config"
)

// odd is a path with everything that needs quotation.
const odd = `C:\Program Files\it's "mine" & $HOME\kol-portrait-mcp.exe`

func TestTheDataIsWhole(t *testing.T) {
	source, err := os.ReadFile("clients.json")
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.DisallowUnknownFields()
	var data struct {
		Repository string
		Clients    []clients.Client
	}
	require.NoError(t, decoder.Decode(&data), "no key is misspelt")
	assert.Equal(t, data.Repository, clients.Repository())
	assert.Regexp(t, `^https://github\.com/[\w-]+/kol-portrait-mcp$`, clients.Repository())
	assert.Len(t, clients.All(), len(data.Clients))
	for _, c := range clients.All() {
		found, ok := clients.Lookup(c.ID)
		assert.True(t, ok && found.Name == c.Name, "%s is twice", c.ID)
		assert.True(t, c.Here != nil || c.There != nil, c.ID)
		texts := c.Notes
		for _, s := range []*clients.Setup{c.Here, c.There} {
			if s == nil {
				continue
			}
			texts = append(texts, s.Steps)
			for _, f := range s.Files {
				assert.Contains(t, []string{"", "project", "macOS", "Windows", "Linux"}, f.For, c.ID)
			}
		}
		for _, text := range texts {
			assert.NotEmpty(t, text.EN, c.ID)
			assert.Regexp(t, `\p{Han}`, text.ZH, c.ID)
		}
		for _, text := range []string{c.Local(path, nil).Text, c.Remote(address).Text} {
			assert.NotRegexp(t, `[^$]\{(command|env|url)\}`, text, "%s: every hole is filled", c.ID)
		}
	}
	for _, name := range []string{"Claude Desktop", "claude desktop", "CLAUDE-DESKTOP", "claudedesktop"} {
		c, _ := clients.Lookup(name)
		assert.Equal(t, "claude-desktop", c.ID, name)
	}
	_, ok := clients.Lookup("netscape")
	assert.False(t, ok)
}

// serverIn returns the server's object in a client's JSON.
func serverIn(t *testing.T, text string) map[string]any {
	t.Helper()
	var sections map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &sections), text)
	for name, section := range sections {
		if name != "inputs" {
			return section.(map[string]any)[clients.Name].(map[string]any)
		}
	}
	return nil
}

func TestJSONHoldsTheCommandAndTheEnvironment(t *testing.T) {
	for _, c := range clients.All() {
		if local := c.Local(odd, map[string]string{"PORTRAIT_LANGUAGE": "zh"}); local.Format == "json" {
			server := serverIn(t, local.Text)
			assert.Equal(t, odd, server["command"], c.ID)
			assert.Equal(t, []any{}, server["args"], "%s: Trae wants them, and nobody minds", c.ID)
			env := server["env"].(map[string]any)
			assert.Equal(t, "zh", env["PORTRAIT_LANGUAGE"], c.ID)
			assert.True(t, config.IsPlaceholder(env["JUSTONEAPI_TOKEN"].(string)), "%s: left as it is, it counts as not set", c.ID)
		}
		if remote := c.Remote(address); remote.Format == "json" {
			assert.Contains(t, remote.Text, `": "`+address+`"`, c.ID)
			assert.Contains(t, remote.Text, `"Authorization": "Bearer `, c.ID)
		}
	}
}

// The words that a shell makes of the commands are those that are meant.
func TestCommandsSurviveAShell(t *testing.T) {
	commands := 0
	for _, c := range clients.All() {
		b := c.Local(odd, map[string]string{"PORTRAIT_STORE": "sqlite:/a b.db"})
		if b.Format != "command" {
			continue
		}
		commands++
		_, arguments, _ := strings.Cut(b.Text, " ") // of whatever program
		words, err := exec.Command("sh", "-c", `printf '%s\n' `+arguments).Output()
		require.NoError(t, err)
		assert.Contains(t, string(words), "\n"+odd+"\n", c.ID)
		assert.Contains(t, string(words), "\n-e\nJUSTONEAPI_TOKEN=YOUR_TOKEN\n-e\nPORTRAIT_STORE=sqlite:/a b.db\n", c.ID)
	}
	assert.NotZero(t, commands)
}

func TestTheTokenIsInNoConfiguration(t *testing.T) {
	for _, c := range clients.All() {
		env := map[string]string{"JUSTONEAPI_TOKEN": "very-secret"}
		assert.NotContains(t, c.Local(path, env).Text, "very-secret", c.ID)
		for _, link := range c.Links(path, env) {
			assert.NotContains(t, decoded(t, link.URL), "very-secret", link.Name)
		}
		for _, other := range []map[string]string{{"JUSTONEAPI_ENV": "sample"}, {"JUSTONEAPI_TOKEN_FILE": "/run/token"}} {
			assert.NotRegexp(t, `JUSTONEAPI_TOKEN"?[:=] *"?[^\]]`, strings.ReplaceAll(c.Local(path, other).Text, `env_vars = ["JUSTONEAPI_TOKEN"]`, ""), c.ID)
		}
		assert.Equal(t, "very-secret", env["JUSTONEAPI_TOKEN"], "the caller's map is let be")
	}
}

// decoded returns a link's query as text, base64 within it decoded.
func decoded(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	require.NoError(t, err)
	if !strings.Contains(u.RawQuery, "=") || strings.HasPrefix(u.RawQuery, "%7B") {
		text, err := url.PathUnescape(u.RawQuery)
		require.NoError(t, err)
		return text
	}
	for _, name := range []string{"config", "servers"} {
		value := u.Query().Get(name)
		if text, err := base64.StdEncoding.DecodeString(value); err == nil && value != "" {
			return string(text)
		}
	}
	return u.Query().Get("config") + u.Query().Get("url")
}

func TestLinksSayWhatTheConfigurationSays(t *testing.T) {
	names := map[string]string{}
	check := func(link clients.Link, config string) {
		names[link.Name] = link.URL
		text := decoded(t, link.URL)
		u, err := url.Parse(link.URL)
		require.NoError(t, err)
		switch {
		case strings.HasPrefix(link.URL, "vscode"): // one object, with name and inputs
			var all, got map[string]any
			require.NoError(t, json.Unmarshal([]byte(config), &all))
			require.NoError(t, json.Unmarshal([]byte(text), &got))
			want := serverIn(t, config)
			want["name"], want["inputs"] = clients.Name, all["inputs"]
			assert.Equal(t, want, got)
		case strings.HasPrefix(link.URL, "cherrystudio:"):
			assert.JSONEq(t, config, text)
		case strings.HasPrefix(link.URL, "goose:"): // whose configuration is YAML
			assert.Equal(t, address, text)
			assert.Equal(t, "streamable_http", u.Query().Get("type"))
		default:
			var got map[string]any
			require.NoError(t, json.Unmarshal([]byte(text), &got), link.URL)
			assert.Equal(t, serverIn(t, config), got, link.Name)
			assert.Equal(t, clients.Name, u.Query().Get("name"))
			if inputs := u.Query().Get("inputs"); inputs != "" {
				var all struct{ Inputs json.RawMessage }
				require.NoError(t, json.Unmarshal([]byte(config), &all))
				assert.JSONEq(t, string(all.Inputs), inputs)
			}
		}
	}
	env := map[string]string{"PORTRAIT_STORE": "sqlite:/a+b c.db"}
	for _, c := range clients.All() {
		for _, link := range c.Links(odd, env) {
			check(link, c.Local(odd, env).Text)
		}
		for _, link := range c.RemoteLinks(address) {
			check(link, c.Remote(address).Text)
		}
	}
	for _, name := range []string{"VS Code", "VS Code Insiders", "VS Code (web)", "Cursor", "Cursor (web)", "LM Studio", "Goose", "Cherry Studio"} {
		assert.Contains(t, names, name)
	}
}

var block = regexp.MustCompile("(?s)```(\\w+)\n(.*?)```\n")

// The parsers of TOML and YAML are in deploy/check, with a test of their own.
func TestTheGuidesCanBeParsedAndNameRealVariables(t *testing.T) {
	real := []string{}
	for _, v := range config.Variables() {
		real = append(real, v.Name)
	}
	for _, w := range pages {
		guide, err := os.ReadFile(w.file)
		require.NoError(t, err)
		kinds := map[string]int{}
		for _, found := range block.FindAllStringSubmatch(string(guide), -1) {
			kinds[found[1]]++
			if found[1] == "json" {
				assert.NotNil(t, serverIn(t, found[2]))
			}
		}
		assert.Subset(t, []string{"json", "toml", "yaml", "sh", "text"}, slices.Collect(maps.Keys(kinds)))
		for _, name := range regexp.MustCompile(`\b(JUSTONEAPI|PORTRAIT|MCP)_[A-Z_]+`).FindAllString(string(guide), -1) {
			assert.Contains(t, real, name, w.file)
		}
	}
}

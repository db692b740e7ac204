// Package clients knows the programs that this server is connected to: where each
// keeps its configuration, what is to be written there, its one-click links, and
// what people stumble over. All of it is data, in clients.json; docs/clients.md and
// docs/clients.zh.md are made from it.
package clients

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"kol-portrait-mcp/schema"
)

// Name is what configurations call this server.
const Name = "kol-portrait"

// Placeholder stands for a token that the reader is to put in its place.
const Placeholder = "YOUR_TOKEN"

// Client is a program that talks to MCP servers.
type Client struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Here  *Setup `json:"local"`  // the client starts the server; nil where it starts none
	There *Setup `json:"remote"` // the client reaches a server over HTTP; nil where it reaches none
	Notes []Text `json:"notes"`  // what to watch for
}

// Setup says how a client is told of a server. It holds one template at most; where
// it holds none, the steps say what to fill in.
type Setup struct {
	Files []File `json:"files"` // where the text goes; none for a command or a form; There's are Here's
	Steps Text   `json:"steps"` // what a person does
	// Token is what stands for the vendor's token in the environment: a name that
	// the client looks up, or asks for. Without it, Placeholder does.
	Token string `json:"token"`
	// Passed says that the template itself hands the token on from the client's own
	// environment, so that the server's environment leaves it out.
	Passed bool `json:"passed"`

	// The template is text with {command}, {env} and {url} in it. As JSON, each is a
	// whole string; the other kinds are lines.
	JSON    json.RawMessage `json:"json"`
	TOML    []string        `json:"toml"`
	YAML    []string        `json:"yaml"`
	Command []string        `json:"command"`

	Links []struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	} `json:"links"`
}

// File is the path of a configuration file.
type File struct {
	For  string `json:"for"` // macOS, Windows or Linux; project for a file in the project's folder; empty for every system
	Path string `json:"path"`
}

// Text is a text in the languages of the product.
type Text struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// In returns the text in a language.
func (t Text) In(language schema.Language) string {
	if language == schema.Chinese {
		return t.ZH
	}
	return t.EN
}

// Block is a piece of configuration.
type Block struct {
	Format string // json, toml, yaml or command; empty: there is none, and the client's steps say what to do
	Text   string // ends in a line break
}

// Link opens a client and adds the server. It holds no token.
type Link struct {
	Name, URL string
}

//go:embed clients.json
var source []byte

type file struct {
	Repository string   `json:"repository"`
	Clients    []Client `json:"clients"`
}

// read decodes the data when it is first asked for: a server that starts needs
// none of it.
var read = sync.OnceValue(func() file {
	var f file
	if err := json.Unmarshal(source, &f); err != nil {
		panic("clients.json: " + err.Error()) // a test has read it
	}
	return f
})

// Repository returns the web address of the project's repository, such as
// https://github.com/owner/name.
func Repository() string { return read().Repository }

// All returns every client, in the order in which a reader wants them.
func All() []Client { return slices.Clone(read().Clients) }

// Lookup returns the client with an id or a name, such as claude-desktop, whatever its
// case, spaces and hyphens: people write it as they see it.
func Lookup(id string) (Client, bool) {
	all, bare := read().Clients, strings.NewReplacer(" ", "", "-", "")
	same := func(name string) bool { return strings.EqualFold(bare.Replace(name), bare.Replace(id)) }
	i := slices.IndexFunc(all, func(c Client) bool { return same(c.ID) || same(c.Name) })
	if i < 0 {
		return Client{}, false
	}
	return all[i], true
}

// Local returns the configuration with which the client starts command, the path of
// a binary, with the variables of env. The vendor's token is never in it, even where
// env has it: what the client looks up or asks for stands in its place, or
// Placeholder. It is left out where env names a file with it, or the sample.
func (c Client) Local(command string, env map[string]string) Block {
	return c.Here.block(filling{command: command, env: env})
}

// Remote returns the configuration with which the client reaches the server at url.
// What stands for the caller's token is looked up, asked for, or Placeholder.
func (c Client) Remote(url string) Block {
	return c.There.block(filling{url: url})
}

// Links returns the links that add the server as Local does. Who clicks one still has
// to give the token.
func (c Client) Links(command string, env map[string]string) []Link {
	return c.Here.links(filling{command: command, env: env})
}

// RemoteLinks returns the links that add the server as Remote does.
func (c Client) RemoteLinks(url string) []Link {
	return c.There.links(filling{url: url})
}

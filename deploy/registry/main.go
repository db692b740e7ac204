// Command registry writes server.json, by which the MCP registry lists a release: the
// bundle with its hash, the image, and a server of one's own.
//
//	go run ./deploy/registry -version 0.1.0 -bundle dist/kol-portrait-mcp.mcpb -o server.json
package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"text/template"

	"kol-portrait-mcp/clients"
	"kol-portrait-mcp/config"
)

//go:embed server.json.tmpl
var listing string

func main() {
	version := flag.String("version", "", "the release's version, without v")
	bundle := flag.String("bundle", "", "the release's bundle")
	output := flag.String("o", "server.json", "the file to write")
	flag.Parse()
	if err := write(*output, *version, *bundle); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write writes server.json of a version whose bundle is the given file.
func write(output, version, bundle string) error {
	if version == "" || strings.HasPrefix(version, "v") {
		return fmt.Errorf("-version is %q: it takes a version without v, such as 0.1.0", version)
	}
	packed, err := os.ReadFile(bundle) //nolint:gosec // the caller names the file
	if err != nil {
		return fmt.Errorf("read the bundle: %w", err)
	}
	variables, err := json.Marshal(variables())
	if err != nil {
		return err
	}
	form, err := template.New("server.json").Parse(listing)
	if err != nil {
		return err
	}
	var text, content bytes.Buffer
	if err := form.Execute(&text, map[string]string{
		"Version":   version,
		"Address":   strings.TrimPrefix(clients.Repository(), "https://github.com/"), // owner and name
		"SHA256":    fmt.Sprintf("%x", sha256.Sum256(packed)),
		"Variables": string(variables),
	}); err != nil {
		return err
	}
	if err := json.Indent(&content, text.Bytes(), "", "  "); err != nil {
		return fmt.Errorf("server.json: %w", err)
	}
	if err := os.WriteFile(output, content.Bytes(), 0o644); err != nil { //nolint:gosec // it is published
		return fmt.Errorf("write server.json: %w", err)
	}
	return nil
}

// asked are the variables that a user is asked for, each with the registry's word for
// its format. A client asks for each that is listed, so those are left out that few
// users ever set.
var asked = map[string]string{
	"JUSTONEAPI_TOKEN":      "string",
	"JUSTONEAPI_ENV":        "string",
	"PORTRAIT_LANGUAGE":     "string",
	"PORTRAIT_DAILY_BUDGET": "number",
}

// variable is a variable of the environment, as the registry describes it.
type variable struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Format      string   `json:"format"`
	Secret      bool     `json:"isSecret,omitempty"`
	Default     string   `json:"default,omitempty"`
	Choices     []string `json:"choices,omitempty"`
}

// variables returns the variables that a user is asked for. None is required: without a
// token the server tells how to get one, and simulated data need none.
func variables() []variable {
	var variables []variable
	for _, v := range config.Variables() {
		if format := asked[v.Name]; format != "" {
			variables = append(variables, variable{v.Name, v.Meaning, format, v.Secret, v.Default, v.OneOf})
		}
	}
	return variables
}

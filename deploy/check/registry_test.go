package check

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	apiv0 "github.com/modelcontextprotocol/registry/pkg/api/v0"
	"github.com/modelcontextprotocol/registry/pkg/model"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// output runs a command in a folder and returns what it prints.
func output(t *testing.T, folder string, command ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir = folder
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	printed, err := cmd.Output()
	require.NoError(t, err, "%s: %s", strings.Join(command, " "), stderr.String())
	return strings.TrimSpace(string(printed))
}

// registrySchema is the registry's schema of server.json, from its own module.
func registrySchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	folder := output(t, ".", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/modelcontextprotocol/registry")
	file, err := os.Open(filepath.Join(folder, "internal", "validators", "schemas", model.CurrentSchemaVersion+".json"))
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	document, err := jsonschema.UnmarshalJSON(file)
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	require.NoError(t, compiler.AddResource(model.CurrentSchemaURL, document))
	schema, err := compiler.Compile(model.CurrentSchemaURL)
	require.NoError(t, err)
	return schema
}

// What a release tells the registry is written by its own command, holds against the
// schema that the registry checks it with, and against what the registry asks beyond it.
func TestServerJSON(t *testing.T) {
	folder := t.TempDir()
	bundle, written := filepath.Join(folder, "kol-portrait-mcp.mcpb"), filepath.Join(folder, "server.json")
	require.NoError(t, os.WriteFile(bundle, []byte("a bundle"), 0o600))
	output(t, "../..", "go", "run", "./deploy/registry", "-version", "1.2.3", "-bundle", bundle, "-o", written)
	content, err := os.ReadFile(written)
	require.NoError(t, err)

	schema := registrySchema(t)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(document))
	document.(map[string]any)["description"] = strings.Repeat("too long ", 12)
	require.Error(t, schema.Validate(document), "the schema checks nothing")

	var server apiv0.ServerJSON
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&server), "the registry drops what it does not know")
	assert.Equal(t, model.CurrentSchemaURL, server.Schema)
	require.Len(t, server.Packages, 2)
	mcpb, oci := server.Packages[0], server.Packages[1]
	hash := sha256.Sum256([]byte("a bundle"))
	assert.Equal(t, hex.EncodeToString(hash[:]), mcpb.FileSHA256)
	assert.Equal(t, server.Repository.URL+"/releases/download/v1.2.3/kol-portrait-mcp.mcpb", mcpb.Identifier)
	assert.Empty(t, oci.Version, "an image's version stands in its identifier")
	assert.Equal(t, mcpb.EnvironmentVariables, oci.EnvironmentVariables)
	manifest, err := os.ReadFile("../mcpb/bundle/manifest.json")
	require.NoError(t, err)
	var form, asked []string
	for _, setting := range regexp.MustCompile(`"(\w+)": "\$\{user_config\.\w+\}"`).FindAllStringSubmatch(string(manifest), -1) {
		form = append(form, setting[1])
	}
	for _, variable := range mcpb.EnvironmentVariables {
		asked = append(asked, variable.Name)
		assert.Equal(t, variable.Name == "JUSTONEAPI_TOKEN", variable.IsSecret, variable.Name)
	}
	assert.ElementsMatch(t, form, asked, "the registry's clients and the bundle's ask for the same")

	// The repository's address stands in files that cannot ask for it.
	address := strings.TrimPrefix(server.Repository.URL, "https://github.com/")
	image, tag, _ := strings.Cut(oci.Identifier, ":")
	assert.Equal(t, "ghcr.io/"+address, image)
	assert.Equal(t, "1.2.3", tag)
	assert.Equal(t, "io.github."+address, server.Name)
	label := regexp.MustCompile(`io\.modelcontextprotocol\.server\.name="(.*)"`)
	dockerfile, err := os.ReadFile("../../Dockerfile")
	require.NoError(t, err)
	match := label.FindSubmatch(dockerfile)
	require.NotNil(t, match, "the registry takes no image without its label")
	assert.Equal(t, server.Name, string(match[1]))
	owner, name, _ := strings.Cut(address, "/")
	goreleaser, err := os.ReadFile("../../.goreleaser.yaml")
	require.NoError(t, err)
	for _, held := range []string{image, server.Repository.URL, "owner: " + owner, "name: " + name} {
		assert.Contains(t, string(goreleaser), held)
	}
}

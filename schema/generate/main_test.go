package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

func TestTheGeneratedSchemasAreThoseOfTheTypes(t *testing.T) {
	schemas, err := generate()
	require.NoError(t, err)
	files, err := filepath.Glob("../generated/*")
	require.NoError(t, err)
	assert.Len(t, files, len(schemas))
	for name, want := range schemas {
		got, err := os.ReadFile(filepath.Join("../generated", name))
		require.NoError(t, err)
		assert.JSONEq(t, string(want), string(got), "%s is out of date: go generate ./schema", name)
		assert.Equal(t, want, got, "%s is out of date: go generate ./schema", name)
	}
}

func TestInputSchemaIsClosedAndInlined(t *testing.T) {
	raw, err := input[schema.PortraitArguments]()
	require.NoError(t, err)
	var s struct {
		Schema               string `json:"$schema"`
		Required             []string
		AdditionalProperties *bool
		Properties           map[string]struct {
			Description string
			Default     any
			Pattern     string
			Enum        []string
			Examples    []any
		}
	}
	require.NoError(t, json.Unmarshal(raw, &s))

	assert.Equal(t, "https://json-schema.org/draft/2020-12/schema", s.Schema)
	assert.Equal(t, []string{"kolId"}, s.Required)
	require.NotNil(t, s.AdditionalProperties)
	assert.False(t, *s.AdditionalProperties)
	assert.NotContains(t, string(raw), "$ref")
	assert.Equal(t, true, s.Properties["acceptCache"].Default)
	assert.Equal(t, "full", s.Properties["detail"].Default)
	assert.Equal(t, []string{"en", "zh"}, s.Properties["language"].Enum)
	assert.NotEmpty(t, s.Properties["kolId"].Examples)
	for name, property := range s.Properties {
		assert.NotEmpty(t, property.Description, name)
		assert.False(t, strings.HasSuffix(property.Description, "."), "%s: descriptions are phrases", name)
	}
}

func TestOutputSchemaIsOpenAndInlined(t *testing.T) {
	raw, err := output[schema.Portrait]()
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "$ref")
	assert.NotContains(t, string(raw), "additionalProperties")
}

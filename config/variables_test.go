package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/config"
)

func TestVariablesAreThoseOfTheStruct(t *testing.T) {
	variables := config.Variables()
	fields := reflect.VisibleFields(reflect.TypeFor[config.Config]())
	require.Len(t, variables, len(fields))
	for i, field := range fields {
		name, options, _ := strings.Cut(field.Tag.Get("env"), ",")
		assert.Equal(t, name, variables[i].Name, "the order of %s", field.Name)
		if value, ok := strings.CutPrefix(options, "default="); ok {
			assert.Equal(t, value, variables[i].Default, name)
		} else {
			assert.Empty(t, variables[i].Default, name)
		}
	}
}

func TestEveryVariableHasAMeaning(t *testing.T) {
	seen := make(map[string]bool)
	for _, v := range config.Variables() {
		assert.False(t, seen[v.Name], "%s is listed twice", v.Name)
		seen[v.Name] = true
		assert.NotEmpty(t, v.Meaning, v.Name)
		assert.NotContains(t, v.Meaning, "\n", v.Name)
		assert.False(t, strings.HasSuffix(v.Meaning, "."), "%s: a meaning is no sentence", v.Name)
	}
}

// A default that its own rule refuses would be the one wrong value that goes
// unnoticed.
func TestEveryDefaultIsTaken(t *testing.T) {
	unset := load(t, env{})
	for _, v := range config.Variables() {
		c, err := config.Load(t.Context(), envconfig.MapLookuper(env{v.Name: v.Default}))
		require.NoError(t, err, v.Name)
		assert.Equal(t, unset, c, v.Name)
	}
}

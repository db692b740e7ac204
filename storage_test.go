package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
)

func TestScope(t *testing.T) {
	tests := []struct {
		environment schema.Environment
		baseURL     config.Address
		want        string
	}{
		{schema.EnvironmentGlobal, "", "vendor"},
		{schema.EnvironmentCN, "", "vendor"},
		{schema.EnvironmentGlobal, "https://API.justoneapi.com", "vendor"},
		{schema.EnvironmentGlobal, "http://47.117.133.51:30015/", "vendor"},
		{schema.EnvironmentSample, "", "sample"},
		{schema.EnvironmentGlobal, "http://Proxy.example/vendor", "proxy.example"},
		{schema.EnvironmentCN, "http://proxy.example:80", "proxy.example:80"},
		{schema.EnvironmentGlobal, "http://[::1]:8080", "[::1]:8080"},
	}
	for _, test := range tests {
		assert.Equal(t, test.want, scope(&config.Config{Environment: test.environment, BaseURL: test.baseURL}), test.baseURL)
	}
}

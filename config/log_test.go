package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/config"
)

func TestLoggerWritesAtTheConfiguredLevelAndForm(t *testing.T) {
	var out bytes.Buffer
	c, err := config.Load(t.Context(), envconfig.MapLookuper(map[string]string{"LOG_LEVEL": "warn", "LOG_FORMAT": "json"}))
	require.NoError(t, err)
	log := c.Logger(&out)
	log.Info("quiet")
	log.Warn("loud", "n", 1)

	var record map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &record))
	assert.Equal(t, "loud", record[slog.MessageKey])
	assert.InDelta(t, 1, record["n"], 0)
}

func TestLoggerHidesSecretsThatOthersRepeat(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			c, err := config.Load(t.Context(), envconfig.MapLookuper(map[string]string{
				"JUSTONEAPI_TOKEN": `s3cr&t/+tok=en\1`,
				"MCP_AUTH_TOKENS":  "bearer-two,bearer-two-1234567890",
				"PORTRAIT_STORE":   "redis://user:pass-word@localhost:6379/0",
				"LOG_FORMAT":       format,
			}))
			require.NoError(t, err)
			log := c.Logger(&out)
			log.Info(`calling s3cr&t/+tok=en\1`, "url", "https://x/?token=s3cr%26t%2F%2Btok%3Den%5C1")
			log.Info("failed", "error", errors.New("bearer-two-1234567890 and redis://user:pass-word@localhost:6379/0"))

			for _, secret := range []string{"s3cr", "tok=en", "tok%3Den", "bearer-two", "1234567890", "pass-word"} {
				assert.NotContains(t, out.String(), secret)
			}
			assert.Contains(t, out.String(), "calling ***")
		})
	}
}

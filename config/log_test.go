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

func TestHideTakesEverySecretOut(t *testing.T) {
	c := load(t, env{"JUSTONEAPI_TOKEN": "vendor-secret", "PORTRAIT_STORE": "redis://:store-secret@localhost/0", "MCP_AUTH_TOKENS": "bearer-secret"})
	assert.Equal(t, "a *** b *** c *** d", c.Hide("a vendor-secret b redis://:store-secret@localhost/0 c bearer-secret d"))
}

func TestLoggerHidesOtherSpellings(t *testing.T) {
	const secret = `s3cr&t/+tok=en`
	tests := []struct{ name, spelling, message string }{
		{"query in lower case", `s3cr%26t%2f%2btok%3den`, "calling *** now"},
		{"slash kept", `s3cr%26t/%2Btok%3Den`, "calling *** now"},
		{"encoded twice", `s3cr%2526t%252F%252Btok%253Den`, "calling *** now"},
		{"HTML", `s3cr&amp;t/+tok=en`, "calling *** now"},
		{"base64", `czNjciZ0Lyt0b2s9ZW4=`, "calling *** now"},
		{"hex", `7333637226742f2b746f6b3d656e`, "calling *** now"},
		{"JSON that slog quotes", `s3cr\u0026t/+tok=en`, "a log record was left out because it held a secret"},
		{"percent escapes in both cases", `s3cr%26t%2f%2Btok%3den`, "a log record was left out because it held a secret"},
		{"entities", `s3cr&amp;t&sol;+tok=en`, "a log record was left out because it held a secret"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			c, err := config.Load(t.Context(), envconfig.MapLookuper(map[string]string{"JUSTONEAPI_TOKEN": secret, "LOG_FORMAT": "json", "LOG_LEVEL": "error"}))
			require.NoError(t, err)
			log := c.Logger(&out)
			log.Error("calling " + test.spelling + " now")
			log.Error("next")

			decoder := json.NewDecoder(&out)
			for _, want := range []string{test.message, "next"} {
				var record struct{ Msg string }
				require.NoError(t, decoder.Decode(&record))
				assert.Equal(t, want, record.Msg)
			}
			assert.False(t, decoder.More())
		})
	}
}

func TestLoggerTellsOfARecordThatIsLeftOut(t *testing.T) {
	var out bytes.Buffer
	c, err := config.Load(t.Context(), envconfig.MapLookuper(map[string]string{"JUSTONEAPI_TOKEN": "plain-token-1234"}))
	require.NoError(t, err)
	c.Logger(&out).Info("calling", "token", "%70lain-token-1234", "more", "about it")
	assert.Regexp(t, `^time=\S+ level=WARN msg="a log record was left out because it held a secret"\n$`, out.String())
}

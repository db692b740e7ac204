package config_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// logged returns what is written to the log of a configuration.
func logged(t *testing.T, e env, write func(info, warn func(string, ...any))) string {
	t.Helper()
	var out bytes.Buffer
	log := load(t, e).NewLog(&out)
	write(log.Info, log.Warn)
	log.Close(t.Context())
	return out.String()
}

func TestLogHasTheConfiguredLevelAndForm(t *testing.T) {
	line := logged(t, env{"LOG_LEVEL": "warn", "LOG_FORMAT": "json"}, func(info, warn func(string, ...any)) {
		info("quiet")
		warn("loud", "n", 1)
	})
	var record struct {
		Msg string
		N   int
	}
	require.NoError(t, json.Unmarshal([]byte(line), &record))
	assert.Equal(t, "loud", record.Msg)
	assert.Equal(t, 1, record.N)
}

func TestDurationsAreWordsInBothForms(t *testing.T) {
	for format, want := range map[string]string{"text": " took=4ms\n", "json": `,"took":"4ms"}`} {
		assert.Contains(t, logged(t, env{"LOG_FORMAT": format}, func(info, _ func(string, ...any)) {
			info("done", "took", 4*time.Millisecond)
		}), want)
	}
}

func TestLogHidesSecretsThatOthersRepeat(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		log := logged(t, env{
			"JUSTONEAPI_TOKEN": `s3cr&t/+tok=en\1`,
			"MCP_AUTH_TOKENS":  "bearer-two-1234567890",
			"PORTRAIT_STORE":   "redis://user:pass-word@localhost:6379/0",
			"LOG_FORMAT":       format,
		}, func(info, _ func(string, ...any)) {
			info(`calling s3cr&t/+tok=en\1`, "url", "https://x/?token=s3cr%26t%2F%2Btok%3Den%5C1")
			info("failed", "error", errors.New("bearer-two-1234567890 and redis://user:pass-word@localhost:6379/0"))
		})
		for _, secret := range []string{"s3cr", "tok=en", "tok%3Den", "bearer-two", "1234567890", "pass-word"} {
			assert.NotContains(t, log, secret, format)
		}
		assert.Contains(t, log, "calling ***", format)
	}
}

// stuck is a pipe that nobody reads until it is opened.
type stuck struct {
	opened chan struct{}
	text   bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.opened
	return s.text.Write(p)
}

func TestALogThatNobodyReadsHoldsUpNoCall(t *testing.T) {
	out := &stuck{opened: make(chan struct{})}
	log := load(t, nil).NewLog(out)
	for range 5000 { // returns at once each time, or the test never ends
		log.Info("a call")
	}

	// Nor does it hold up the end.
	limit, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	log.Close(limit)
	log.Info("after the end")

	// When it is read again, it says how much is missing.
	close(out.opened)
	log.Close(t.Context())
	lines := strings.Split(strings.TrimSpace(out.text.String()), "\n")
	written := len(lines) - 1
	assert.InDelta(t, 1000, written, 1)
	assert.Regexp(t, `level=WARN msg="lines of the log were dropped: nobody read them in time" lines=(4000|4001)$`, lines[1])
	assert.NotContains(t, out.text.String(), "after the end")
}

func TestALogWithoutReaderIsLost(t *testing.T) {
	read, write := io.Pipe()
	require.NoError(t, read.Close())
	log := load(t, nil).NewLog(write)
	log.Info("nobody is there")
	log.Close(t.Context())
}

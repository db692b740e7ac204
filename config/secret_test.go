package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/config"
)

func TestSecretReveals(t *testing.T) {
	assert.Equal(t, "abc", config.NewSecret("abc").Reveal())
	assert.Empty(t, config.NewSecret("").Reveal())
	assert.Empty(t, config.Secret{}.Reveal())
}

func TestSecretPrintsInOneForm(t *testing.T) {
	for secret, want := range map[*config.Secret]string{
		new(config.NewSecret("abc")): "***",
		new(config.NewSecret("")):    "",
		{}:                           "",
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%20s", "%.1s", "%z"} {
			assert.Equal(t, want, fmt.Sprintf(verb, *secret), verb)
			assert.Equal(t, want, fmt.Sprintf(verb, secret), verb+" of the pointer")
		}
		assert.Equal(t, want, secret.String())
		text, err := json.Marshal(secret)
		require.NoError(t, err)
		assert.Equal(t, `"`+want+`"`, string(text))
	}
}

// outer holds the configuration where fmt may not call methods.
type outer struct {
	config config.Config
	secret config.Secret
	nested map[string][]config.Secret
}

func TestNothingPrintsASecret(t *testing.T) {
	const token, bearer, password = "vendor-token", "bearer-token", "redis-password"
	c := load(t, env{
		"JUSTONEAPI_TOKEN": token,
		"MCP_AUTH_TOKENS":  bearer + "," + bearer,
		"PORTRAIT_STORE":   "redis://user:" + password + "@cache:6379/0",
	})
	require.Equal(t, token, c.Token.Reveal())
	require.Equal(t, bearer, c.AuthTokens[1].Reveal())
	require.Equal(t, "redis://user:"+password+"@cache:6379/0", c.Store.URL.Reveal())

	hides := func(t *testing.T, text string) {
		t.Helper()
		for _, secret := range []string{token, bearer, password} {
			assert.NotContains(t, text, secret)
			assert.NotContains(t, text, fmt.Sprintf("%x", secret))
			assert.NotContains(t, text, fmt.Sprintf("%X", secret))
		}
	}
	unexported := outer{*c, c.Token, map[string][]config.Secret{"bearer": c.AuthTokens}}
	values := map[string]any{
		"configuration":          *c,
		"its pointer":            c,
		"pointer to that":        &c,
		"slice":                  []config.Config{*c},
		"map":                    map[string]*config.Config{"c": c},
		"store":                  c.Store,
		"tokens":                 c.AuthTokens,
		"secret":                 c.Token,
		"pointer to secret":      &c.Token,
		"nested":                 struct{ Inner struct{ C *config.Config } }{struct{ C *config.Config }{c}},
		"unexported":             unexported,
		"unexported, by pointer": &unexported,
	}
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "% x", "%#x", "%X", "%d", "%t", "%p", "%U", "%z", "%20v"} {
				hides(t, fmt.Sprintf(verb, value))
			}
			hides(t, fmt.Sprint(value))
			hides(t, fmt.Errorf("load %v", value).Error())
			text, err := json.Marshal(value)
			require.NoError(t, err)
			hides(t, string(text))

			var log bytes.Buffer
			for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
				slog.New(handler).With("bound", value).Info("loaded", "value", value, slog.Group("group", "value", value))
			}
			hides(t, log.String())

			// What a failed comparison of another package's test would show.
			var shown recorder
			assert.Equal(&shown, "something else", value)
			require.NotEmpty(t, shown.text)
			hides(t, shown.text)
		})
	}
}

func TestSlogTellsASetSecretFromAnEmptyOne(t *testing.T) {
	var log bytes.Buffer
	handler := slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	slog.New(handler).Info("loaded", "set", config.NewSecret("abc"), "empty", config.Secret{})
	assert.Equal(t, "level=INFO msg=loaded set=*** empty=\"\"\n", log.String())
}

// recorder keeps what an assertion says.
type recorder struct{ text string }

func (r *recorder) Errorf(format string, args ...any) {
	r.text += fmt.Sprintf(format, args...)
}

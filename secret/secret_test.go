package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/secret"
)

const value = `s3cret/with "quotes" & <signs>`

func TestSecretIsPrintedNowhere(t *testing.T) {
	type holder struct {
		Exported   secret.Secret
		unexported secret.Secret
	}
	s := secret.New(value)
	h := holder{s, s}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p"} {
		for _, printed := range []any{s, &s, h, &h, []secret.Secret{s}, map[string]secret.Secret{"token": s}} {
			assert.NotContains(t, fmt.Sprintf(verb, printed), "s3cret", verb)
			assert.NotContains(t, fmt.Sprintf(verb, printed), fmt.Sprintf("%x", "s3cret"), verb)
		}
	}
	assert.Equal(t, "***", s.String())

	encoded, err := json.Marshal(h)
	require.NoError(t, err)
	assert.JSONEq(t, `{"Exported":"***"}`, string(encoded))

	for _, handler := range []func(*bytes.Buffer) slog.Handler{
		func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var log bytes.Buffer
		slog.New(handler(&log)).Info("starts", "token", s, "holder", h, "tokens", []secret.Secret{s})
		assert.Contains(t, log.String(), "***")
		assert.NotContains(t, log.String(), "s3cret")
	}
}

func TestHideTakesTheSecretOutOfText(t *testing.T) {
	inJSON, err := json.Marshal(value)
	require.NoError(t, err)
	s := secret.New(value)
	for _, test := range []struct{ name, text, want string }{
		{"as it is", "before " + value + " after", "before *** after"},
		{"twice", value + value, "******"},
		{"in a query", "https://example.com/?token=" + url.QueryEscape(value) + "&x=1", "https://example.com/?token=***&x=1"},
		{"in a path", "/keys/" + url.PathEscape(value) + "/end", "/keys/***/end"},
		{"in JSON", `{"token":` + string(inJSON) + `}`, `{"token":"***"}`},
		{"in JSON that leaves HTML alone", `{"token":"s3cret/with \"quotes\" & <signs>"}`, `{"token":"***"}`},
		{"a part of it is no secret", "s3cret", "s3cret"},
	} {
		assert.Equal(t, test.want, s.Hide(test.text), test.name)
	}
}

func TestZeroSecretHoldsAndHidesNothing(t *testing.T) {
	for _, s := range []secret.Secret{{}, secret.New("")} {
		assert.False(t, s.IsSet())
		assert.Empty(t, s.Reveal())
		assert.Empty(t, s.String())
		assert.Equal(t, "a text", s.Hide("a text"))
	}
	assert.True(t, secret.New(value).IsSet())
	assert.Equal(t, value, secret.New(value).Reveal())
}

func TestSecretIsReadFromTheEnvironment(t *testing.T) {
	var s secret.Secret
	require.NoError(t, s.EnvDecode(" "+value+"\n"))
	assert.Equal(t, value, s.Reveal())
}

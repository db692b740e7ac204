package audience_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

// documentedDay is a day on which the vendor's documented response is old.
var documentedDay = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// documented returns the data of the vendor's documented response, and its day.
func documented(tb testing.TB) (*schema.Distributions, string) {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "documented-response.json"))
	require.NoError(tb, err)
	var response struct {
		Data struct {
			schema.Distributions
			DateKey string `json:"dateKey"`
		} `json:"data"`
	}
	require.NoError(tb, json.Unmarshal(raw, &response))
	return &response.Data.Distributions, response.Data.DateKey
}

// golden compares a value with a file of testdata, as indented JSON.
func golden(t *testing.T, name string, got any) {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(got))

	path := filepath.Join("testdata", name+".golden.json")
	if *update {
		require.NoError(t, os.WriteFile(path, text.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), text.String())
}

func TestDocumentedResponse(t *testing.T) {
	d, asOf := documented(t)
	for _, lang := range []schema.Language{schema.English, schema.Chinese} {
		t.Run(string(lang), func(t *testing.T) {
			analyst := audience.New(nil)
			golden(t, "documented-"+string(lang), struct {
				Summary  schema.Summary `json:"summary"`
				Warnings []string       `json:"warnings"`
			}{
				analyst.Summarize(d, lang),
				analyst.Warnings(d, asOf, documentedDay, lang),
			})
		})
	}
}

//go:build e2e

package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tables of wrong requests. Each of these requests is wrong, and gets
// exactly the answer that its table says. None of them may reach the vendor,
// and after each of them the server must answer one that is right.
func messageTables() []string  { return []string{"jsonrpc", "methods", "stateless"} }
func lifeTables() []string     { return []string{"lifecycle"} }
func argumentTables() []string { return []string{"portrait", "comparison", "target"} }
func httpTables() []string     { return []string{"http", "sse"} }

func TestThereAreManyWrongRequests(t *testing.T) {
	files, err := filepath.Glob("testdata/wrong/*.txt")
	require.NoError(t, err)
	var names []string
	count := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		entries := len(readWrongTable(t, name).entries)
		assert.GreaterOrEqual(t, entries, 20, name)
		names = append(names, name)
		count += entries
	}
	assert.GreaterOrEqual(t, count, 500)
	assert.ElementsMatch(t, slices.Concat(messageTables(), lifeTables(), argumentTables(), httpTables()), names, "a table that nobody reads")
}

func TestWrongMessages(t *testing.T) {
	v := startVendor(t)
	e := against(t, v, "memory:")
	for _, name := range messageTables() {
		t.Run(name, func(t *testing.T) {
			c := newLineClient(t, e)
			if name != "stateless" {
				c.handshake(t)
			}
			readWrongTable(t, name).run(t, c.answers)
			c.finish(t)
			assert.Empty(t, v.arrived, "the vendor was asked")
		})
	}
}

func TestWrongBeginnings(t *testing.T) {
	v := startVendor(t)
	e := against(t, v, "memory:")
	for _, name := range lifeTables() {
		t.Run(name, func(t *testing.T) {
			readWrongTable(t, name).run(t, func(t *testing.T, w *wrongRequest) []string {
				t.Helper()
				c := newLineClient(t, e)
				defer c.finish(t)
				return c.answers(t, w)
			})
			assert.Empty(t, v.arrived, "the vendor was asked")
		})
	}
}

func TestWrongArguments(t *testing.T) {
	v := startVendor(t)
	e := against(t, v, "memory:")
	for _, name := range argumentTables() {
		t.Run(name, func(t *testing.T) {
			c := newLineClient(t, e)
			c.handshake(t)
			readWrongTable(t, name).run(t, c.refusal)
			c.finish(t)
			assert.Empty(t, v.arrived, "the vendor was asked")
		})
	}
}

func TestWrongHTTP(t *testing.T) {
	v := startVendor(t)
	s, addr := serveHTTP(t, against(t, v, "memory:"))
	c := newHTTPClient(t, s, addr)
	for _, name := range httpTables() {
		t.Run(name, func(t *testing.T) {
			readWrongTable(t, name).run(t, c.answers)
			assert.Empty(t, v.arrived, "the vendor was asked")
		})
	}
	c.hangUp(t)
	assert.Empty(t, c.events, "an answer too many")
}

package redis

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Stores that were written yesterday are read by these names.
func TestKeys(t *testing.T) {
	k := keysOf("vendor")
	assert.Equal(t, "kol-portrait:{vendor}:portraits:abc", k.portraits("abc"))
	assert.Equal(t, "kol-portrait:{vendor}:days:abc", k.days("abc"))
	assert.Equal(t, "kol-portrait:{vendor}:saved", k.saved())
	assert.Equal(t, "kol-portrait:{vendor}:kols", k.kols())
	assert.Equal(t, "kol-portrait:{vendor}:lease:abc", k.lease("abc"))
	assert.Equal(t, "kol-portrait:{vendor}:charges:2026-11-23", k.charges("2026-11-23"))
	assert.Equal(t, "kol-portrait:{vendor}:hits:2026-11-23", k.hits("2026-11-23"))
}

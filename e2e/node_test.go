//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// node is the Node that e2e/package.json pins: the official clients need a newer
// one than a machine may have.
func node(t *testing.T) string {
	t.Helper()
	return npmBinary(t, "node")
}

// npmBinary is the command of that name which e2e's npm packages install, as an
// absolute path. But for node itself these are scripts, and node runs them.
func npmBinary(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("node_modules", ".bin", name))
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoError(t, err, "the npm packages of the end-to-end tests are not installed: npm ci --prefix e2e --ignore-scripts")
	return path
}

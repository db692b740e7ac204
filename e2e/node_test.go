//go:build e2e

package e2e

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// node is the Node that e2e/package.json pins, where it has one for this system:
// the official clients need a newer one than a machine may have.
func node(t *testing.T) string {
	t.Helper()
	npmBinary(t, "mcp-inspector") // is there, unless nothing was installed
	path, err := filepath.Abs(filepath.Join("node_modules", ".bin", "node"))
	require.NoError(t, err)
	if _, err = os.Stat(path); err == nil {
		return path
	}
	path, err = exec.LookPath("node")
	require.NoError(t, err)
	return path
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

// output is what a command wrote, and its exit status.
type output struct {
	stdout, stderr string
	exit           int
}

// runNPM runs a command of e2e's npm packages to its end, in a home of its own.
// It may reach nobody but this machine.
func runNPM(t *testing.T, name string, args ...string) output {
	t.Helper()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s leaves this machine: %s %s", name, r.Method, r.Host)
		w.Header().Set("Connection", "close") // or Node waits for more
		http.Error(w, "no way out", http.StatusForbidden)
	}))
	defer elsewhere.Close()
	cmd := exec.CommandContext(t.Context(), node(t), append([]string{npmBinary(t, name)}, args...)...)
	cmd.Env = []string{
		"HOME=" + t.TempDir(),
		"NODE_USE_ENV_PROXY=1", "HTTP_PROXY=" + elsewhere.URL, "HTTPS_PROXY=" + elsewhere.URL, "NO_PROXY=127.0.0.1",
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	assert.NotContains(t, stdout.String()+stderr.String(), token)
	return output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the product, built by TestMain.
var binary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	folder, err := os.MkdirTemp("", "kol-portrait-mcp-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	binary = filepath.Join(folder, "kol-portrait-mcp")
	if out, err := exec.Command("go", "build", "-o", binary, "kol-portrait-mcp").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the product: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"flag"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var pictures = flag.Bool("pictures", false, "make the pictures of docs/images anew")

// The page in the chat and the report, in a real browser. Each file of page/ is a run
// of Node's own tests, with the built binary.
func TestPage(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("page", "*.test.mjs"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	t.Cleanup(func() { smallPictures(t) })
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".test.mjs"), func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), node(t), "--test", "--test-reporter=spec", "--test-timeout=120000", file)
			cmd.Env = append(cmd.Environ(), "HOME="+t.TempDir(), "KOL_PORTRAIT="+binary)
			if *pictures {
				cmd.Env = append(cmd.Env, "PICTURES=make")
			}
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			require.NoError(t, err)
			assert.Contains(t, string(out), "skipped 0")
		})
	}
}

// smallPictures checks that the pictures of docs/images are small enough to be in the
// repository.
func smallPictures(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "docs", "images", "*.png"))
	require.NoError(t, err)
	require.Len(t, files, 5)
	total := 0
	for _, file := range files {
		if *pictures {
			require.NoError(t, shrink(file))
		}
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		total += len(data)
	}
	assert.Less(t, total, 1_500_000)
}

// shrink leaves a picture the 256 colours that it has most of: what is drawn has few,
// and the edges of letters shades of them.
func shrink(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	from, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return err
	}
	count := map[color.Color]int{}
	bounds := from.Bounds()
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			count[from.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(count), func(a, b color.Color) int { return cmp.Compare(count[b], count[a]) })
	to := image.NewPaletted(bounds, colours[:min(256, len(colours))])
	nearest := map[color.Color]uint8{}
	for colour := range count {
		nearest[colour] = uint8(to.Palette.Index(colour))
	}
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			to.SetColorIndex(x, y, nearest[from.At(x, y)])
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, to); err != nil {
		return err
	}
	return os.WriteFile(file, out.Bytes(), 0o644)
}

// The Inspector finds the page on both tools.
func TestPageInInspector(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"get_kol_fans_portrait", "compare_kol_fans_portraits"} {
		inspection{
			name:  tool,
			args:  []string{"--method", "tools/call", "--tool-name", tool, "--app-info"},
			shows: []string{`"hasApp":true`, `"resourceUri":"ui://`},
		}.run(t, launch(environment{}))
	}
}

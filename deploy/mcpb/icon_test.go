package main

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "draw the icons anew")

// TestIcons holds the icons against the drawing they are made from.
func TestIcons(t *testing.T) {
	for name, size := range map[string]int{"bundle/icon.png": 512, "bundle/icon-128.png": 128} {
		drawn := icon(size)
		if *update {
			var file bytes.Buffer
			require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&file, drawn))
			require.NoError(t, os.WriteFile(name, file.Bytes(), 0o644))
		}
		file, err := os.ReadFile(name)
		require.NoError(t, err)
		kept, err := png.Decode(bytes.NewReader(file))
		require.NoError(t, err)
		assert.Equal(t, drawn, kept, "%s: go test ./deploy/mcpb -run Icons -update", name)
	}
}

// shape is a rectangle with round corners, in a square of 512.
type shape struct {
	left, top, right, bottom, radius float64
	color                            color.NRGBA
}

// shapes are the icon's, from the back to the front: the ages of an audience, each
// with the mark of what is usual.
func shapes() []shape {
	edge, ink := color.NRGBA{0xc9, 0xd8, 0xdb, 255}, color.NRGBA{0x12, 0x2b, 0x33, 255}
	accent, pale := color.NRGBA{0x0b, 0x6a, 0x7e, 255}, color.NRGBA{0x8f, 0xc0, 0xca, 255}
	list := []shape{
		{8, 8, 504, 504, 112, edge},
		{14, 14, 498, 498, 106, color.NRGBA{255, 255, 255, 255}},
	}
	for i, bar := range []struct {
		height, usual float64
		color         color.NRGBA
	}{{84, 116, pale}, {214, 168, accent}, {286, 206, accent}, {150, 184, pale}, {66, 104, pale}} {
		left := 83 + 72*float64(i)
		list = append(list,
			shape{left, 402 - bar.height, left + 58, 402, 14, bar.color},
			shape{left - 5, 402 - bar.usual - 6, left + 63, 402 - bar.usual + 6, 6, ink})
	}
	return list
}

// covers says whether a point lies in the shape.
func (s shape) covers(x, y float64) bool {
	dx := max(s.left+s.radius-x, x-s.right+s.radius, 0)
	dy := max(s.top+s.radius-y, y-s.bottom+s.radius, 0)
	return math.Hypot(dx, dy) <= s.radius
}

// icon draws the shapes. Each pixel is the mean of 8 x 8 points.
func icon(size int) *image.NRGBA {
	const points = 8
	list, picture := shapes(), image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			var r, g, b, n int
			for i := range points * points {
				px := (float64(x) + (float64(i%points)+0.5)/points) * 512 / float64(size)
				py := (float64(y) + (float64(i/points)+0.5)/points) * 512 / float64(size)
				for j := len(list) - 1; j >= 0; j-- {
					if s := list[j]; s.covers(px, py) {
						r, g, b, n = r+int(s.color.R), g+int(s.color.G), b+int(s.color.B), n+1
						break
					}
				}
			}
			if n > 0 {
				picture.SetNRGBA(x, y, color.NRGBA{uint8(r / n), uint8(g / n), uint8(b / n), uint8(n * 255 / points / points)})
			}
		}
	}
	return picture
}

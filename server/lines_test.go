package server

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readLines returns all lines of in; those too long as "(long)".
func readLines(t *testing.T, in io.Reader, limit int) ([]string, error) {
	t.Helper()
	var all []string
	for l := newLines(in, limit); ; {
		line, err := l.next()
		switch {
		case errors.Is(err, errLineTooLong):
			all = append(all, "(long)")
		case err != nil:
			return all, err
		default:
			all = append(all, string(line))
		}
	}
}

func TestLines(t *testing.T) {
	tests := map[string]struct {
		in   string
		want []string
	}{
		"empty":            {"", nil},
		"one":              {"a\n", []string{"a"}},
		"no line end":      {"a\nb", []string{"a", "b"}},
		"CRLF":             {"a\r\nb\r\n", []string{"a", "b"}},
		"blank":            {"\n \t\r\na\n\n", []string{"a"}},
		"mark":             {"\uFEFFa\n", []string{"a"}},
		"mark only first":  {"a\n\uFEFFb\n", []string{"a", "\uFEFFb"}},
		"half a mark":      {"\xEF\xBB", []string{"\xEF\xBB"}},
		"as long as may":   {"123456789\n", []string{"123456789"}},
		"too long":         {"12345678901\na\n", []string{"(long)", "a"}},
		"too long at last": {"a\n12345678901", []string{"a", "(long)"}},
		"very long":        {strings.Repeat("x", 1<<20) + "\na\n", []string{"(long)", "a"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(test.in), iotest.OneByteReader(strings.NewReader(test.in))} {
				got, err := readLines(t, in, 10)
				require.ErrorIs(t, err, io.EOF)
				assert.Equal(t, test.want, got)
			}
		})
	}
}

func TestLinesEndWithTheErrorOfTheInput(t *testing.T) {
	broken := errors.New("broken")
	got, err := readLines(t, io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), 10)
	require.ErrorIs(t, err, broken)
	assert.Equal(t, []string{"a", "b"}, got)
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\r\n\n\uFEFFc"), 3)
	f.Add([]byte(strings.Repeat("x", 20)+"\ny"), 10)
	f.Fuzz(func(t *testing.T, in []byte, limit int) {
		lines := newLines(bytes.NewReader(in), limit)
		for {
			line, err := lines.next()
			if err != nil && !errors.Is(err, errLineTooLong) {
				require.ErrorIs(t, err, io.EOF)
				return
			}
			assert.LessOrEqual(t, len(line), max(limit, 0))
			assert.NotContains(t, string(line), "\n")
		}
	})
}

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

// FuzzLines splits what comes in as strings does, however it comes.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\r\n\n\uFEFFc"), uint16(3), false)
	f.Add([]byte(strings.Repeat("x", 20)+"\ny"), uint16(10), true)
	f.Add([]byte("\uFEFF \t\n{}"), uint16(4), true)
	f.Add([]byte(strings.Repeat(" ", 5000)+"\n"+strings.Repeat("y", 5000)), uint16(5000), false)
	f.Fuzz(func(t *testing.T, in []byte, limit uint16, slow bool) {
		source := io.Reader(bytes.NewReader(in))
		if slow {
			source = iotest.OneByteReader(source)
		}
		lines := newLines(source, int(limit))
		for want := range strings.SplitAfterSeq(strings.TrimPrefix(string(in), "\uFEFF"), "\n") {
			tooLong := len(want) > int(limit)
			want = strings.Trim(want, " \t\r\n")
			if want == "" && !tooLong {
				continue
			}
			line, err := lines.next()
			if tooLong {
				require.ErrorIs(t, err, errLineTooLong)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, want, string(line))
		}
		_, err := lines.next()
		require.Equal(t, io.EOF, err)
	})
}

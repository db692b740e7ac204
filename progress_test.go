//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestATerminalShowsHowManyPortraitsHaveArrivedAndWhatTheyCost(t *testing.T) {
	master, terminal, err := pty.Open()
	require.NoError(t, err)
	var shown bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&shown, master) // ends with an error once the terminal is closed
	}()

	bar := newBar(terminal, 3)
	require.NoError(t, bar.RenderBlank())
	for charged := range 2 {
		bar.Describe(collecting(charged))
		require.NoError(t, bar.Add(1))
	}
	require.NoError(t, bar.Finish())
	require.NoError(t, terminal.Close())
	<-read
	require.NoError(t, master.Close())
	assert.Contains(t, shown.String(), "Collecting portraits, 0 charged")
	assert.Contains(t, shown.String(), "(1/3)")
	assert.Regexp(t, `1 charged.*\(2/3\)`, shown.String())
	assert.True(t, bytes.HasSuffix(bytes.TrimRight(shown.Bytes(), " "), []byte("\r")), "the bar is taken away: %q", shown.String())
}

func TestAFileShowsNoProgress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(path)
	require.NoError(t, err)
	bar := newBar(file, 2)
	bar.Describe(collecting(1))
	require.NoError(t, bar.Add(1))
	require.NoError(t, bar.Finish())
	require.NoError(t, file.Close())
	log, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Empty(t, log)
}

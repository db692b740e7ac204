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

func TestATerminalShowsHowManyPortraitsHaveArrived(t *testing.T) {
	master, terminal, err := pty.Open()
	require.NoError(t, err)
	var shown bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&shown, master) // ends with an error once the terminal is closed
	}()

	arrived, done := showProgress(terminal, 2)
	arrived()
	arrived()
	done()
	require.NoError(t, terminal.Close())
	<-read
	require.NoError(t, master.Close())
	assert.Contains(t, shown.String(), "Collecting portraits")
	assert.Contains(t, shown.String(), "(0/2)")
	assert.Contains(t, shown.String(), "(1/2)")
	assert.True(t, bytes.HasSuffix(bytes.TrimRight(shown.Bytes(), " "), []byte("\r")), "the bar is taken away: %q", shown.String())
}

func TestAFileShowsNoProgress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(path)
	require.NoError(t, err)
	arrived, done := showProgress(file, 2)
	arrived()
	done()
	require.NoError(t, file.Close())
	log, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Empty(t, log)
}

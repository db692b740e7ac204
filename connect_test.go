//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A person who starts the server by hand reads what it waits for; a client does not.
func TestATerminalIsGreetedAndAPipeIsNot(t *testing.T) {
	master, terminal, err := pty.Open()
	require.NoError(t, err)
	defer func() { require.NoError(t, master.Close()) }()
	defer func() { require.NoError(t, terminal.Close()) }()
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	for _, test := range []struct {
		name           string
		stdin          *os.File
		language, says string
	}{
		{"terminal", terminal, "en", "It waits for an MCP client on its standard input, and is no chat.\n"},
		{"terminal, in Chinese", terminal, "zh", "正在标准输入上等待 MCP 客户端连接"},
		{"pipe", reader, "en", ""},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // the server ends as soon as it serves
		var stdout, stderr bytes.Buffer
		env := envconfig.MapLookuper(map[string]string{"PORTRAIT_STORE": "memory:", "LOG_LEVEL": "error", "PORTRAIT_LANGUAGE": test.language})
		code := run(ctx, process{env: env, stdin: test.stdin, stdout: &stdout, stderr: &stderr}, []string{"--env", "sample"})
		assert.Equal(t, exitSuccess, code, test.name)
		assert.Empty(t, stdout.String(), test.name)
		if test.says == "" {
			assert.Empty(t, stderr.String(), test.name)
			continue
		}
		assert.Contains(t, stderr.String(), test.says, test.name)
		assert.Equal(t, 4, strings.Count(stderr.String(), "\n"), test.name)
		for _, command := range []string{" doctor --client claude-desktop\n", " --env sample portrait 5d21ab6b000000001201567d\n", "Ctrl-C\n"} {
			assert.Contains(t, stderr.String(), command, test.name)
		}
	}
}

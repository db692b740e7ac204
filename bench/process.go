package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// maxLine is the longest answer that is read, in bytes.
const maxLine = 1 << 20

// process is a contestant that runs.
type process struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

// start starts a contestant with environment env, and nothing else but PATH.
func (c contestant) start(ctx context.Context, env []string) (*process, error) {
	cmd := exec.CommandContext(ctx, c.command[0], c.command[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, maxLine)
	return &process{name: c.name, cmd: cmd, stdin: stdin, lines: lines}, nil
}

// send writes messages to the process, a line each.
func (p *process) send(messages ...string) error {
	_, err := io.WriteString(p.stdin, strings.Join(messages, "\n")+"\n")
	return err
}

// expect reads lines until one has text in it, and returns it. One that tells
// an error is not waited past.
func (p *process) expect(text string) (string, error) {
	for p.lines.Scan() {
		line := p.lines.Text()
		if strings.Contains(line, text) {
			return line, nil
		}
		if strings.Contains(line, `"error"`) || strings.Contains(line, `"isError":true`) {
			return "", fmt.Errorf("%s answered %.300s", p.name, line)
		}
	}
	return "", fmt.Errorf("%s ended without %q: %w", p.name, text, errors.Join(p.lines.Err(), io.ErrUnexpectedEOF))
}

// end closes the process's standard input, waits until it is gone, and returns
// the processor time that it has used.
func (p *process) end() (time.Duration, error) {
	if err := p.stdin.Close(); err != nil {
		return 0, err
	}
	for p.lines.Scan() { // whatever is left, so that Wait finds the pipe empty
	}
	if err := p.cmd.Wait(); err != nil {
		return 0, fmt.Errorf("%s ended with %w", p.name, err)
	}
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime(), nil
}

// kill ends a process that serves HTTP.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// memory returns the resident memory of the process now, and at most so far,
// in bytes.
func (p *process) memory() (now, peak float64, err error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0, 0, fmt.Errorf("read the memory of %s: %w", p.name, err)
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kilobytes, _ := strconv.ParseFloat(fields[1], 64)
		switch fields[0] {
		case "VmRSS:":
			now = kilobytes * 1024
		case "VmHWM:":
			peak = kilobytes * 1024
		}
	}
	return now, peak, nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/config"
)

// readBaseline returns the user's own baseline, or nil where none is named. Its
// error is one line that names the variable, the file and what is wrong.
func readBaseline(cfg *config.Config) (*audience.Baseline, error) {
	if cfg.BaselineFile == "" {
		return nil, nil //nolint:nilnil // no baseline is no fault, and audience takes nil for it
	}
	baseline, err := baselineFrom(cfg.BaselineFile)
	if err != nil {
		return nil, errors.New(shortened(cfg.Hide(fmt.Sprintf("PORTRAIT_BASELINE_FILE is %q: %v", cfg.BaselineFile, err))))
	}
	return baseline, nil
}

func baselineFrom(path string) (*audience.Baseline, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read it: %w", withoutPath(err))
	}
	if !info.Mode().IsRegular() { // a pipe might never say anything, or be the client's
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path) //nolint:gosec // the operator says which file
	if err != nil {
		return nil, fmt.Errorf("cannot read it: %w", withoutPath(err))
	}
	defer func() { _ = f.Close() }() // it was only read
	raw, err := io.ReadAll(io.LimitReader(f, audience.MaxBaseline+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read it: %w", withoutPath(err))
	}
	return audience.ParseBaseline(raw)
}

// shortened cuts a line that repeats what a file says. It comes after secrets are
// hidden: half a secret would not be found.
func shortened(line string) string {
	const most = 600
	runes := []rune(line)
	if len(runes) <= most {
		return line
	}
	return string(runes[:most]) + "…"
}

// withoutPath leaves out of an error the path that its reader is told anyway.
func withoutPath(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}

package main

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// showProgress shows on a terminal how many of several portraits have arrived.
// The first function that it returns tells of one more, the second takes the
// bar away. On all but a terminal, such as a log, it shows nothing.
func showProgress(w io.Writer, of int) (arrived, done func()) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return func() {}, func() {}
	}
	bar := progressbar.NewOptions(of,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription("Collecting portraits"),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionClearOnFinish(),
	)
	_ = bar.RenderBlank() // a bar that cannot be drawn is no reason to fail
	return func() { _ = bar.Add(1) }, func() { _ = bar.Finish() }
}

package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// report is the table, in Markdown.
func report(r *results, machine string, idle bool) string {
	var b strings.Builder
	b.WriteString("# This server beside its peers\n\n")
	b.WriteString("Written by `go run ./bench -idle -o bench/RESULTS.md`. Each peer is the least that a server can be that sells the same\n" +
		"portrait and passes the vendor's JSON through; all were measured in turns within one run. `÷` is this server's figure by\n" +
		"the peer's: the median over the rounds, ± half the distance between their quartiles.\n\n")
	b.WriteString(machine + "\n\n")
	b.WriteString("| | " + ours)
	for _, peer := range peers() {
		b.WriteString(" | " + peer + " | ÷")
	}
	b.WriteString(" |\n| --- | ---:" + strings.Repeat(" | ---: | ---:", len(peers())) + " |\n")
	for _, d := range descriptions() {
		row(&b, r, d)
	}
	b.WriteString("\nInstalled size is that of the binary, and of the packages without Node itself (TypeScript SDK). Reading the stored\n" +
		"portrait is a part of the stored call that only this server has. The vendor of the run takes " + vendorLatency.String() + "; above its\n" +
		"latency is what a call takes beyond what a plain HTTP client takes that asks the vendor directly, in the same round;\n" +
		"JUSTONEAPI_MAX_RPS, 5 unless told otherwise, is 1,000 there. Memory when idle is that after " + strconv.Itoa(loadClients) + " clients have shaken hands.\n\n## Bounds\n\n")
	for _, bound := range bounds() {
		verdict := "holds"
		switch err := bound.check(r); {
		case !idle && bound.machines():
			verdict = "not held, a time on a machine that may do other things"
		case err != nil:
			verdict = "BROKEN"
		}
		e, _ := bound.estimate(r)
		fmt.Fprintf(&b, "- %s: %s, %s.\n", bound, e, verdict)
	}
	return b.String()
}

func peers() []string { return []string{mcpgo, gosdk, typescript} }

func row(b *strings.Builder, r *results, d description) {
	fmt.Fprintf(b, "| %s, %s | %s", d.title, d.unit, cell(r.value(d.figure, ours)))
	for _, peer := range peers() {
		ratio := "|"
		if e, known := r.ratio(d.figure, peer); known {
			ratio = "| " + e.String()
		}
		fmt.Fprintf(b, " | %s %s", cell(r.value(d.figure, peer)), ratio)
	}
	b.WriteString(" |\n")
}

func cell(e estimate, known bool) string {
	if !known {
		return "none"
	}
	return short(e.median)
}

// short prints three digits, or all of a larger whole number.
func short(value float64) string {
	if math.Abs(value) >= 100 {
		return strconv.FormatFloat(value, 'f', 0, 64)
	}
	return strconv.FormatFloat(value, 'g', 3, 64)
}

// describeMachine says on what and with which versions a run took place.
func describeMachine(ctx context.Context, contestants []contestant) string {
	node := "unknown"
	for _, c := range contestants {
		if c.name == typescript {
			if out, err := exec.CommandContext(ctx, c.command[0], "--version").Output(); err == nil {
				node = strings.TrimSpace(string(out))
			}
		}
	}
	processor := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, found := strings.Cut(string(info), "model name"); found {
			name, _, _ := strings.Cut(strings.TrimLeft(rest, "\t :"), "\n")
			processor = name
		}
	}
	return fmt.Sprintf("%s, %d cores, %s; %s, Node %s.", processor, runtime.NumCPU(), runtime.GOOS+"/"+runtime.GOARCH, runtime.Version(), node)
}

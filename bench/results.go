package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// figure is something that is measured of every contestant.
type figure int

const (
	startTime figure = iota
	storedTime
	storedProcessor
	readingProcessor
	freshTime
	freshProcessor
	throughput
	tailTime
	idleMemory
	loadMemory
	installedMegabytes
	definitionTokens
	textTokens
	structuredTokens
)

// description says what a figure is, in the order of the table.
type description struct {
	figure figure
	title  string
	unit   string
}

func descriptions() []description {
	return []description{
		{startTime, "Process start to answered `tools/list`", "ms"},
		{storedTime, "Stored call over stdio, median", "ms"},
		{storedProcessor, "Stored call, the server's CPU", "µs"},
		{readingProcessor, "Reading the stored portrait, CPU", "µs"},
		{freshTime, "Fresh call above the vendor's latency, median", "ms"},
		{freshProcessor, "Fresh call, the server's CPU", "µs"},
		{throughput, fmt.Sprintf("Stored calls over HTTP, %d clients (more is better)", loadClients), "calls/s"},
		{tailTime, "99th percentile of these calls", "ms"},
		{idleMemory, "Memory when idle", "MB"},
		{loadMemory, "Peak memory under that load", "MB"},
		{installedMegabytes, "Installed size", "MB"},
		{definitionTokens, "Tool definitions", "tokens"},
		{textTokens, "A portrait, text half", "tokens"},
		{structuredTokens, "A portrait, structured half", "tokens"},
	}
}

// results are the figures of all contestants, one for each round.
type results struct {
	contestants []contestant
	rounds      map[figure]map[string][]float64
}

func newResults(contestants []contestant) *results {
	return &results{contestants: contestants, rounds: make(map[figure]map[string][]float64)}
}

func (r *results) add(f figure, c contestant, value float64) { r.addTo(f, c.name, value) }

func (r *results) addTo(f figure, contestant string, value float64) {
	if r.rounds[f] == nil {
		r.rounds[f] = make(map[string][]float64)
	}
	r.rounds[f][contestant] = append(r.rounds[f][contestant], value)
}

// dropFirst forgets the first round.
func (r *results) dropFirst(f figure) {
	for contestant, values := range r.rounds[f] {
		r.rounds[f][contestant] = values[1:]
	}
}

// estimate is a figure or a ratio over all rounds.
type estimate struct {
	median float64
	noise  float64 // half the distance between the quartiles of the rounds
	rounds int
}

// String is the median and the noise, which too few rounds do not tell.
func (e estimate) String() string {
	if e.rounds < 3 {
		return short(e.median) + " ± ?"
	}
	return short(e.median) + " ± " + short(e.noise)
}

func estimateOf(values []float64) estimate {
	sorted := slices.Sorted(slices.Values(values))
	return estimate{
		median: quantile(sorted, 0.5),
		noise:  (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2,
		rounds: len(sorted),
	}
}

// quantile interpolates between the two nearest of sorted values.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// value is a contestant's figure; known is false where it has none.
func (r *results) value(f figure, contestant string) (e estimate, known bool) {
	values := r.rounds[f][contestant]
	if len(values) == 0 {
		return estimate{}, false
	}
	return estimateOf(values), true
}

// ratio is our figure by a peer's: of what was measured in the same round, so
// that what slows the machine down for a while slows both.
func (r *results) ratio(f figure, peer string) (e estimate, known bool) {
	return ratioOf(r.rounds[f][ours], r.rounds[f][peer])
}

func ratioOf(mine, theirs []float64) (e estimate, known bool) {
	if len(mine) == 0 || len(mine) != len(theirs) {
		return estimate{}, false
	}
	ratios := make([]float64, len(mine))
	for i := range mine {
		ratios[i] = mine[i] / theirs[i]
	}
	return estimateOf(ratios), true
}

// check holds the results to bounds, and says what has left them. Times by
// themselves are held only where the machine is known to be idle.
func (r *results) check(bounds []bound, idle bool) error {
	var broken []error
	for _, b := range bounds {
		if idle || !b.machines() {
			broken = append(broken, b.check(r))
		}
	}
	return errors.Join(broken...)
}

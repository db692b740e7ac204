package main

import (
	"fmt"
	"slices"
)

// bound is what one of our figures is held to.
type bound struct {
	figure  figure
	of      figure  // where a figure is held against another one of a peer; else as figure
	against string  // the peer; empty where the figure itself is bound
	limit   float64 // a ratio, or in the figure's unit
	atLeast bool    // whether the limit is the least; else it is the most
}

// bounds are what must hold. Those of start, fresh call, stored call, reading and
// tokens are promises; the others keep what has been reached, with room for the
// next machine.
func bounds() []bound {
	return []bound{
		{figure: startTime, against: mcpgo, limit: 2},
		{figure: startTime, against: typescript, limit: 0.1},
		{figure: storedTime, limit: 2},
		{figure: storedTime, against: mcpgo, limit: 3},
		{figure: storedTime, against: gosdk, limit: 1.5},
		{figure: storedProcessor, against: mcpgo, limit: 4},
		{figure: readingProcessor, of: storedProcessor, against: mcpgo, limit: 0.1},
		{figure: freshTime, limit: 1},
		{figure: freshTime, against: typescript, limit: 1.5},
		{figure: freshProcessor, against: typescript, limit: 1.2},
		{figure: throughput, against: mcpgo, limit: 0.3, atLeast: true},
		{figure: throughput, against: gosdk, limit: 0.9, atLeast: true},
		{figure: throughput, against: typescript, limit: 1.5, atLeast: true},
		{figure: tailTime, against: typescript, limit: 1.5},
		{figure: idleMemory, against: mcpgo, limit: 2},
		{figure: idleMemory, against: typescript, limit: 0.5},
		{figure: loadMemory, against: typescript, limit: 0.5},
		{figure: installedMegabytes, against: mcpgo, limit: 3.5},
		{figure: definitionTokens, limit: 1100},
		{figure: textTokens, limit: 900},
		{figure: textTokens, against: mcpgo, limit: 0.45},
		{figure: structuredTokens, limit: 2000},
	}
}

// machines tells whether the bound is on a time by itself, which is the
// machine's as well as the server's.
func (b bound) machines() bool { return b.against == "" && b.description().unit == "ms" }

// estimate is what the bound is about.
func (b bound) estimate(r *results) (estimate, bool) {
	if b.against == "" {
		return r.value(b.figure, ours)
	}
	of := b.figure
	if b.of != 0 {
		of = b.of
	}
	return ratioOf(r.rounds[b.figure][ours], r.rounds[of][b.against])
}

// check returns an error where the estimate has left the bound by more than its
// noise, or was not taken.
func (b bound) check(r *results) error {
	e, known := b.estimate(r)
	switch {
	case !known:
		return fmt.Errorf("%s was not measured", b)
	case b.atLeast && e.median+e.noise < b.limit, !b.atLeast && e.median-e.noise > b.limit:
		return fmt.Errorf("%s, but is %s", b, e)
	}
	return nil
}

// String says what must hold.
func (b bound) String() string {
	d := b.description()
	word := "at most"
	if b.atLeast {
		word = "at least"
	}
	if b.against == "" {
		return fmt.Sprintf("%s must be %s %s %s", d.title, word, short(b.limit), d.unit)
	}
	return fmt.Sprintf("%s must be %s %s times that of %s", d.title, word, short(b.limit), b.against)
}

func (b bound) description() description {
	all := descriptions()
	return all[slices.IndexFunc(all, func(d description) bool { return d.figure == b.figure })]
}

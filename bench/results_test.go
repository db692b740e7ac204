package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnEstimateIsTheMedianAndHalfTheDistanceOfTheQuartiles(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   estimate
		text   string
	}{
		{nil, estimate{}, "none"},
		{[]float64{1362}, estimate{1362, 0, 1}, "1362"},
		{[]float64{5, 1, 3, 2, 4}, estimate{3, 1, 5}, "3 ± 1"},
		{[]float64{1, 1, 1, 1, 100}, estimate{1, 0, 5}, "1 ± 0"},
	} {
		assert.Equal(t, test.want, estimateOf(test.values), "%v", test.values)
		assert.Equal(t, test.text, test.want.String())
	}
}

func TestARatioIsTakenRoundByRound(t *testing.T) {
	r := results{ // the machine was twice as slow in the second round, for both
		{startTime, ours}: {2, 4, 2}, {startTime, mcpgo}: {1, 2, 1},
	}
	assert.Equal(t, estimate{2, 0, 3}, r.estimate(startTime, mcpgo))
	assert.Equal(t, estimate{2, 1, 3}, r.estimate(startTime, ""))
	assert.Zero(t, r.estimate(startTime, gosdk), "a peer that was not measured")
}

func TestABoundIsBrokenBeyondTheNoise(t *testing.T) {
	for _, test := range []struct {
		word   string
		values []float64
		broken bool
	}{
		{atMost, []float64{2, 2, 2}, false},
		{atMost, []float64{1.9, 2.1, 2.3}, false},
		{atMost, []float64{2.1, 2.1, 2.1}, true},
		{atMostIdle, []float64{2.1, 2.1, 2.1}, true},
		{atLeast, []float64{2, 2, 2}, false},
		{atLeast, []float64{1.7, 1.9, 2.1}, false},
		{atLeast, []float64{1.9, 1.9, 1.9}, true},
		{atLeastIdle, []float64{2, 2, 2}, false},
		{atLeastIdle, []float64{1.9, 1.9, 1.9}, true},
		{atMost, nil, true}, // what is not measured does not hold
		{atLeast, nil, true},
	} {
		assert.Equal(t, test.broken, bound{word: test.word, limit: 2}.broken(estimateOf(test.values)), "%s 2: %v", test.word, test.values)
	}
}

func TestTheReportNamesWhatIsBroken(t *testing.T) {
	r := make(results)
	for _, b := range bounds { // each figure is at its bound, and 1 for the peer
		r[series{b.figure, ours}], r[series{b.figure, b.peer}] = []float64{b.limit}, []float64{1}
	}
	r[series{startTime, typescript}] = []float64{15}
	r[series{throughput, mcpgo}] = []float64{3}
	r[series{startTime, ours}], r[series{throughput, ours}] = []float64{1.5}, []float64{1.5}
	table, err := r.report(true)
	require.NoError(t, err)
	assert.Contains(t, table, "| "+startTime+" | 1.5 | 1 | 1.5 | none | none | 15 | 0.1 |\n")
	assert.Contains(t, table, "- "+throughput+": at least 0.4 times that of mcp-go: 0.5, holds.\n")

	r[series{freshTime, ours}] = []float64{1.51}
	_, err = r.report(true)
	require.EqualError(t, err, freshTime+": on an idle machine at most 1.5, but it is 1.51")
	table, err = r.report(false)
	require.NoError(t, err, "a time by itself")
	assert.Contains(t, table, "on an idle machine at most 1.5: 1.51, not checked.\n")

	r[series{idleMemory, ours}] = []float64{3}
	table, err = r.report(false)
	require.EqualError(t, err, idleMemory+": at most 2.25 times that of mcp-go, but it is 3")
	assert.Contains(t, table, "at most 2.25 times that of mcp-go: 3, BROKEN.\n")
}

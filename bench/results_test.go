package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnEstimateIsTheMedianAndHalfTheDistanceOfTheQuartiles(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   estimate
	}{
		{[]float64{7}, estimate{7, 0, 1}},
		{[]float64{2, 1}, estimate{1.5, 0.25, 2}},
		{[]float64{5, 1, 3, 2, 4}, estimate{3, 1, 5}},
		{[]float64{1, 1, 1, 1, 100}, estimate{1, 0, 5}},
	} {
		assert.Equal(t, test.want, estimateOf(test.values), "%v", test.values)
	}
}

func TestARatioIsTakenRoundByRound(t *testing.T) {
	// The machine was twice as slow in the second round, for both.
	e, known := ratioOf([]float64{2, 4, 2}, []float64{1, 2, 1})
	assert.True(t, known)
	assert.Equal(t, estimate{2, 0, 3}, e)

	_, known = ratioOf([]float64{1}, nil)
	assert.False(t, known, "a peer that has no such figure")
}

func TestABoundIsLeftByMoreThanTheNoise(t *testing.T) {
	most := bound{figure: startTime, against: mcpgo, limit: 2}
	least := bound{figure: throughput, against: mcpgo, limit: 1, atLeast: true}
	own := bound{figure: textTokens, limit: 900}
	reading := bound{figure: readingProcessor, of: storedProcessor, against: mcpgo, limit: 0.1}
	for _, test := range []struct {
		name         string
		bound        bound
		mine, theirs []float64
		want         string // empty where the bound holds
	}{
		{"below the most", most, []float64{15, 15, 15}, []float64{10, 10, 10}, ""},
		{"at the most", most, []float64{20, 20, 20}, []float64{10, 10, 10}, ""},
		{"above the most, within the noise", most, []float64{19, 21, 23}, []float64{10, 10, 10}, ""},
		{"above the most", most, []float64{21, 21, 21}, []float64{10, 10, 10}, "at most 2 times that of mcp-go, but is 2.1 ± 0"},
		{"above the least", least, []float64{11}, []float64{10}, ""},
		{"below the least, within the noise", least, []float64{6, 9, 12}, []float64{10, 10, 10}, ""},
		{"below the least", least, []float64{9}, []float64{10}, "at least 1 times that of mcp-go, but is 0.9 ± ?"},
		{"without a peer", own, []float64{900}, nil, ""},
		{"without a peer, above", own, []float64{901}, nil, "at most 900 tokens, but is 901 ± ?"},
		{"by another figure", reading, []float64{11}, []float64{100}, "at most 0.1 times that of mcp-go, but is 0.11 ± ?"},
		{"not measured", most, nil, []float64{10}, "was not measured"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newResults(nil)
			of := test.bound.figure
			if test.bound.of != 0 {
				of = test.bound.of
			}
			for _, value := range test.mine {
				r.addTo(test.bound.figure, ours, value)
			}
			for _, value := range test.theirs {
				r.addTo(of, mcpgo, value)
			}
			err := r.check([]bound{test.bound}, false)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestATimeByItselfIsHeldOnlyOnAnIdleMachine(t *testing.T) {
	r := newResults(nil)
	r.addTo(freshTime, ours, 1.5)
	slow := []bound{{figure: freshTime, limit: 1}}
	require.NoError(t, r.check(slow, false))
	require.ErrorContains(t, r.check(slow, true), "at most 1 ms, but is 1.5 ± ?")
}

func TestTheReportHasARowForEveryFigureAndALineForEveryBound(t *testing.T) {
	r := newResults(nil)
	for _, d := range descriptions() {
		r.addTo(d.figure, ours, 3)
		r.addTo(d.figure, typescript, 2)
	}
	text := report(r, "A machine.", false)
	for _, d := range descriptions() {
		assert.Contains(t, text, "| "+d.title+", "+d.unit+" | 3 | none | | none | | 2 | 1.5 ± ? |\n")
	}
	for _, b := range bounds() {
		assert.Equal(t, 1, strings.Count(text, "- "+b.String()+": "), b.String())
	}
	assert.Contains(t, text, "A machine.")
	assert.Contains(t, text, "must be at most 900 tokens: 3 ± ?, holds.")
	assert.Contains(t, text, "must be at most 0.1 times that of TypeScript SDK: 1.5 ± ?, BROKEN.")
	assert.Contains(t, text, "must be at most 1 ms: 3 ± ?, not held,")
	assert.Contains(t, report(r, "A machine.", true), "must be at most 1 ms: 3 ± ?, BROKEN.")
}

func TestWhatAModelSees(t *testing.T) {
	got, err := decodeSeen(
		`{"result":{"tools":[{"name":"a","description":"b","inputSchema":{"type":"object"},"outputSchema":{}}]}}`,
		`{"result":{"content":[{"type":"text","text":"c"},{"type":"text","text":"d"}],"structuredContent":{"e":1}}}`)
	require.NoError(t, err)
	assert.Equal(t, seen{definitions: `{"name":"a","description":"b","inputSchema":{"type":"object"}}`, text: "cd", structured: `{"e":1}`}, got)
}

//go:build e2e

// Package reference holds audience's figures against a second reading of the
// contract, reference.mjs, which is written in another language and by somebody
// who did not look at the Go code. It needs Node, and nothing else of e2e.
package reference

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/upstream"
)

// How many cases are made up, and from which seed.
const (
	madeUp = 3000
	seed   = 13
)

// testCase is what reference.mjs takes as a line.
type testCase struct {
	Portraits []portrait             `json:"portraits"`
	Older     data                   `json:"older,omitempty"` // of the first portrait's KOL
	Target    *schema.TargetAudience `json:"target,omitempty"`
	Language  schema.Language        `json:"language"`
}

type portrait struct {
	KOLID string `json:"kolId"`
	Data  data   `json:"data"`
}

// answer is what reference.mjs gives as a line.
type answer struct {
	Portraits  []kol          `json:"portraits"`
	Change     *schema.Change `json:"change,omitempty"`
	Comparison struct {
		Portraits  []schema.ComparedPortrait `json:"portraits"`
		Similarity schema.LowerTriangle      `json:"similarity,omitempty"`
		Ties       [][]int                   `json:"ties"`
	} `json:"comparison"`
}

type kol struct {
	KOLID   string         `json:"kolId"`
	Summary schema.Summary `json:"summary"`
	Fit     *schema.Fit    `json:"fit,omitempty"`
}

// audienceAnswers is what package audience says of a testCase, as it goes out.
func audienceAnswers(text []byte) (any, error) {
	var c testCase
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, err
	}
	analyst := audience.New(nil)
	target, err := analyst.Target(c.Target)
	if err != nil {
		return nil, err
	}
	read := func(d data) *audience.Audience {
		raw, err := json.Marshal(d)
		if err != nil {
			panic(err) // it was JSON before
		}
		distributions := upstream.Read(raw).Distributions
		return analyst.Audience(&distributions)
	}
	var all answer
	var compared []*audience.Compared
	for i, p := range c.Portraits {
		x := read(p.Data)
		all.Portraits = append(all.Portraits, kol{p.KOLID, x.Summary(c.Language), x.Fit(target, c.Language)})
		compared = append(compared, x.Compared(p.KOLID, "", "", target, c.Language))
		if i == 0 && c.Older != nil {
			all.Change = x.Change(read(c.Older), "", c.Language)
		}
	}
	all.Comparison.Similarity = audience.Rank(compared, target != nil)
	if target != nil {
		all.Comparison.Ties = audience.Ties(compared)
	}
	for _, k := range compared {
		all.Comparison.Portraits = append(all.Comparison.Portraits, k.Portrait)
	}
	if text, err = json.Marshal(all); err != nil {
		return nil, err
	}
	var tree any
	return tree, json.Unmarshal(text, &tree)
}

// reference is reference.mjs, running.
type reference struct {
	in  io.Writer
	out *bufio.Reader
}

func startReference(t *testing.T) *reference {
	t.Helper()
	node, err := exec.LookPath("../node_modules/.bin/node") // the pinned one, where it is installed
	if err != nil {
		node, err = exec.LookPath("node")
	}
	require.NoError(t, err)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), node, "reference.mjs")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			t.Errorf("reference.mjs: %v\n%s", err, stderr.String())
		}
	})
	return &reference{in, bufio.NewReaderSize(out, 1<<20)}
}

// answers is what the reference says of a case.
func (r *reference) answers(text []byte) (tree any, err error) {
	if _, err = r.in.Write(append(slices.Clip(text), '\n')); err != nil {
		return nil, err
	}
	line, err := r.out.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	return tree, json.Unmarshal(line, &tree)
}

// differences tells where audience and the reference differ over a case.
func (r *reference) differences(c any) ([]string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	got, err := audienceAnswers(text)
	if err != nil {
		return nil, err
	}
	want, err := r.answers(text)
	return differences("", want, got), err
}

// notFigures are the fields that the reference does without: sentences, and what
// was asked, in the caller's own words.
var notFigures = []string{"headline", "insights", "target", "asOf"}

func differences(path string, want, got any) (found []string) {
	switch w := want.(type) {
	case map[string]any:
		g, _ := got.(map[string]any)
		both := maps.Clone(w)
		maps.Copy(both, g)
		for _, key := range slices.Sorted(maps.Keys(both)) {
			if !slices.Contains(notFigures, key) {
				found = append(found, differences(path+"."+key, w[key], g[key])...)
			}
		}
		if g != nil {
			return found
		}
	case []any:
		g, _ := got.([]any)
		if strings.HasPrefix(path, ".change") {
			w, g = byName(w), byName(g) // what one gender gains, the other loses: either may come first
		}
		for i := range max(len(w), len(g)) {
			found = append(found, differences(fmt.Sprintf("%s.%d", path, i), element(w, i), element(g, i))...)
		}
		return found
	case float64:
		if g, ok := got.(float64); ok && math.Abs(g-w) <= unit(path)*0.5001 {
			return nil
		}
	default:
		if want == got {
			return nil
		}
	}
	return append(found, fmt.Sprintf("%s is %v, by the reference %v", path, got, want))
}

func byName(moves []any) []any {
	return slices.SortedFunc(slices.Values(moves), func(a, b any) int {
		return strings.Compare(fmt.Sprint(a.(map[string]any)["name"]), fmt.Sprint(b.(map[string]any)["name"]))
	})
}

func element(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// unit is what the figure in a field is rounded to as JSON.
func unit(path string) float64 {
	field := path[strings.LastIndex(path, ".")+1:]
	switch {
	case field == "tgi", field == "medianYears", field == "points":
		return 0.1
	case field == "score", field == "scoreAtMost", strings.Contains(path, "imilar"):
		return 0.01
	case strings.HasPrefix(path, ".comparison"):
		return 0.001 // ranks are whole numbers
	default:
		return 0.0001
	}
}

func TestFiguresAreThoseOfTheReference(t *testing.T) {
	r, g := startReference(t), newGenerator(t, seed)
	failures := 0
	for i := range madeUp {
		c := g.next()
		found, err := r.differences(c)
		require.NoError(t, err, "%+v", c.Target)
		if found == nil {
			continue
		}
		small := r.smaller(t, c)
		text, err := json.Marshal(small)
		require.NoError(t, err)
		found, err = r.differences(small)
		require.NoError(t, err)
		t.Errorf("case %d:\n%s\n%s", i, strings.Join(found, "\n"), text)
		if failures++; failures == 5 {
			t.Fatal("and so on")
		}
	}
}

// smaller leaves out of a case all that it fails without.
func (r *reference) smaller(t *testing.T, c testCase) (tree any) {
	t.Helper()
	text, err := json.Marshal(c)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &tree))
	leaveOut(tree, func(any) {}, func() bool {
		c := tree.(map[string]any)
		target, asked := c["target"].(map[string]any)
		if len(c["portraits"].([]any)) == 0 || asked && len(target) == 0 {
			return false
		}
		found, err := r.differences(tree)
		return err == nil && found != nil
	})
	return tree
}

// leaveOut removes from a tree what it fails without; set puts another one in its
// place.
func leaveOut(tree any, set func(any), fails func() bool) {
	switch tree := tree.(type) {
	case map[string]any:
		for key, child := range tree {
			if slices.Contains([]string{"kolId", "name", "percent", "language"}, key) {
				continue
			}
			if delete(tree, key); key != "portraits" && key != "data" && fails() {
				continue
			}
			tree[key] = child
			leaveOut(child, func(less any) { tree[key] = less }, fails)
		}
	case []any:
		for i := len(tree) - 1; i >= 0; i-- {
			less := slices.Delete(slices.Clone(tree), i, i+1)
			if set(less); fails() {
				tree = less
				continue
			}
			set(tree)
			leaveOut(tree[i], func(less any) { tree[i] = less }, fails)
		}
	}
}

package audience

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"kol-portrait-mcp/schema"
)

func TestDistance(t *testing.T) {
	share := func(name string, percent float64) schema.NameShare {
		return schema.NameShare{Name: name, Percent: percent}
	}
	for _, tt := range []struct {
		name string
		p, q []schema.NameShare
		want float64
	}{
		// P = (1, 0), Q = (1/2, 1/2), so M = (3/4, 1/4).
		// KL(P|M) = log2(4/3) = 0.4150375; KL(Q|M) = 1/2 log2(2/3) + 1/2 log2(2) = 0.2075187.
		// Their mean is 0.3112781, and its root 0.5579230.
		{"one against half of it", []schema.NameShare{share("female", 1), share("male", 0)},
			[]schema.NameShare{share("female", 0.5), share("male", 0.5)}, 0.5579230},
		{"the other half not listed", []schema.NameShare{share("female", 1)}, []schema.NameShare{share("female", 0.5)}, 0.5579230},
		// P = (1/2, 0, 1/2), Q = (0, 1/2, 1/2), the last being what is not listed: M = (1/4, 1/4, 1/2).
		// KL(P|M) = 1/2 log2(2) + 1/2 log2(1) = 1/2 = KL(Q|M). The root of 1/2 is 0.7071068.
		{"half of each is not listed", []schema.NameShare{share("a", 0.5)}, []schema.NameShare{share("b", 0.5)}, 0.7071068},
		{"nothing in common", []schema.NameShare{share("a", 1)}, []schema.NameShare{share("b", 1)}, 1},
		{"the same", []schema.NameShare{share("a", 0.3), share("b", 0.2)}, []schema.NameShare{share("b", 0.2), share("a", 0.3)}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, q := mixtureOf(tt.p), mixtureOf(tt.q)
			assert.InDelta(t, tt.want, p.distance(q), 5e-8)
			assert.InDelta(t, p.distance(q), q.distance(p), 0)
		})
	}
}

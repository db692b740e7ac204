package audience

import "sync"

// Analyst turns distributions into what they amount to. It is safe for
// concurrent use. Make one with New.
type Analyst struct {
	facts func() *facts
}

// New returns an Analyst whose indexes are against China's 2020 census, with
// the dimensions of own, which may be nil, in place of the census's. It costs
// nothing: the name tables are read at the first question that needs them,
// since a server has to start fast.
func New(own *Baseline) *Analyst {
	return &Analyst{facts: sync.OnceValue(func() *facts {
		f := readFacts()
		f.baseline = f.baseline.under(own)
		return f
	})}
}

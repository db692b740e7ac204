package audience

import "sync"

// Analyst turns distributions into what they amount to. It is safe for
// concurrent use. Make one with New.
type Analyst struct {
	facts func() *facts
}

// New returns an Analyst. It costs nothing: the name tables are read at the
// first question that needs them, since a server has to start fast.
func New() *Analyst {
	return &Analyst{facts: sync.OnceValue(readFacts)}
}

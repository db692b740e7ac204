package collector

import (
	"context"
	"time"

	"kol-portrait-mcp/schema"
)

// wait waits for the flight as long as a caller is willing to. started tells
// whether this caller's call started it.
func (f *flight) wait(ctx context.Context, started bool) (*schema.Collected, error) {
	patience := time.NewTimer(f.AnswerWithin)
	defer patience.Stop()
	select {
	case <-f.done:
	case <-patience.C:
	case <-ctx.Done():
	}
	if err := f.leave(started); err != nil {
		return nil, err
	}
	if f.err != nil {
		return nil, f.err
	}
	answer := *f.answer
	answer.Source.Charged = answer.Source.Charged && started
	if answer.Source.FromStore {
		f.countHit(ctx)
	}
	return &answer, nil
}

// leave is the end of a caller's wait: with nil where the flight has landed,
// and else with what a caller is told who leaves before.
func (f *flight) leave(started bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.landed {
		return nil
	}
	f.left++
	f.untold = f.untold || started && f.elsewhere
	return f.stillCollecting(started && !f.elsewhere && f.Environment != schema.EnvironmentSample)
}

// takesOver reports whether who joins the flight is to be told of the charge in
// place of who started it: another process was to pay when that caller left,
// and may have died since. The caller holds mu.
func (f *flight) takesOver() bool {
	untold := f.untold
	f.untold = false
	return untold
}

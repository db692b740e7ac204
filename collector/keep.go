package collector

import (
	"context"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
)

const (
	// saveWithin is how long callers wait for the store to take their answer.
	// After it they have the answer, and the store is asked again behind them.
	saveWithin  = 3 * time.Second
	firstResave = time.Second
	lastResave  = 30 * time.Second
)

// keep saves a portrait that was paid for and lands with it. Where the store
// does not take it, the flight lands all the same, and stays until the store
// does: meanwhile it is the answer to further calls. With a KOL's first portrait
// the store need not be asked for an older one.
func (f *flight) keep(ctx context.Context, s store.Store, collected *schema.Collected, first bool) {
	p := &store.Portrait{
		ID:          f.id,
		KOLID:       collected.KOLID,
		AsOf:        collected.AsOf,
		RetrievedAt: collected.Source.RetrievedAt,
		Endpoint:    collected.Source.Endpoint,
		Environment: collected.Source.Environment,
		Sample:      collected.Source.Sample,
		RequestID:   collected.Source.RequestID,
		Data:        collected.Data,
	}
	err := f.save(ctx, s, p)
	if err == nil {
		f.remember(p, collected.Distributions)
		if first {
			f.recent.earlier.Add(day{p.KOLID, p.AsOf}, earlier{checked: f.Now(), saves: f.recent.saves.Load()})
		}
	} else {
		f.setUnsaved(true)
	}
	f.land(collected, nil)
	f.logOutcome(ctx, collected, nil) // callers need not wait for it
	if err == nil {
		return
	}
	f.log.WarnContext(ctx, "the store did not take an answer that was paid for; this process keeps it and tries again", "error", err)
	if err := f.resave(ctx, s, p); err != nil {
		f.log.ErrorContext(ctx, "an answer that was paid for could not be stored before the end", "error", err)
		f.setLost()
	} else {
		f.log.InfoContext(ctx, "the store has the answer now")
	}
	f.setUnsaved(false)
}

// save asks the store once. It does not end with ctx: the answer is paid for.
func (f *flight) save(ctx context.Context, s store.Store, p *store.Portrait) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveWithin)
	defer cancel()
	err := s.Save(ctx, *p)
	f.recent.saves.Add(1) // after an error as well: the store may have it all the same
	return err
}

// resave asks the store until it takes the portrait, or until the end of the
// process cannot wait longer.
func (f *flight) resave(ctx context.Context, s store.Store, p *store.Portrait) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	go func() {
		select {
		case <-f.giveUp:
			cancel()
		case <-ctx.Done():
		}
	}()
	again := retrypolicy.NewBuilder[any]().WithMaxRetries(-1).WithBackoff(firstResave, lastResave).Build()
	return failsafe.With(again).WithContext(ctx).Run(func() error { return f.save(ctx, s, p) })
}

// setLost counts an answer that nobody will find any more.
func (f *flight) setLost() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lost++
}

func (f *flight) setUnsaved(unsaved bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unsaved = unsaved; unsaved {
		f.Collector.unsaved++
	} else {
		f.Collector.unsaved--
	}
}

// unsavedOf returns the young portrait of a KOL that the store does not have
// yet, nil where there is none.
func (c *Collector) unsavedOf(kolID string) *schema.Collected {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unsaved == 0 {
		return nil
	}
	for f := range c.flights {
		if f.kolID == kolID && f.unsaved && f.landed && c.young(f.answer) {
			return late(f.answer)
		}
	}
	return nil
}

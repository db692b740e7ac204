package collector

import (
	"context"
	"time"

	"kol-portrait-mcp/schema"
)

// day is a day (YYYY-MM-DD) of a KOL, before which a portrait is looked for.
type day struct{ kolID, asOf string }

// earlier is what the store has from before a day.
type earlier struct {
	id        string            // empty where there is nothing
	collected *schema.Collected // nil where there is nothing, or nothing that can be read; does not change
	checked   time.Time         // when that was last so
	saves     int64             // of this process, until then
}

// Older returns what a portrait of the day asOf is measured against: of the
// KOL's stored portraits of an earlier day the one of the latest, and of several
// of that day the one retrieved last. It returns nil where there is none that
// can be read, or asOf is empty. It collects nothing and counts no hit. It may
// be a moment behind other processes. The error is a *schema.Error.
func (c *Collector) Older(ctx context.Context, kolID, asOf string) (*schema.Collected, error) {
	if asOf == "" {
		return nil, nil
	}
	found, err := c.before(ctx, day{kolID, asOf})
	if err != nil || found.collected == nil {
		return nil, err
	}
	return new(*found.collected), nil
}

// before returns what the store has from before a day. What is known of it
// stands for as long as the newest does, or until this process saves a portrait,
// whoever's: that may be the one that is looked for.
func (c *Collector) before(ctx context.Context, d day) (earlier, error) {
	now, saves := c.Now(), c.recent.saves.Load()
	found, known := c.recent.earlier.Get(d)
	if known && found.saves == saves && now.Sub(found.checked) < recheck {
		return found, nil
	}
	s, err := c.storage(ctx)
	if err != nil {
		return earlier{}, err
	}
	p, err := s.Older(ctx, d.kolID, d.asOf)
	if err != nil {
		return earlier{}, c.unavailable(ctx, "read an older portrait", err)
	}
	switch {
	case p == nil:
		found = earlier{}
	case p.ID != found.id:
		found = earlier{id: p.ID}
		if distributions, ok := c.decode(ctx, p); ok {
			found.collected = new(collected(p, distributions))
		}
	}
	found.checked, found.saves = now, saves
	c.recent.earlier.Add(d, found)
	return found, nil
}

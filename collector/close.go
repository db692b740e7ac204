package collector

import (
	"context"
	"errors"
	"fmt"
)

// Close does what Shut does, waits for the collections that are paid for until
// their answers are stored, and closes the store. When ctx ends before that, it
// gives them up. The error says how many answers that were paid for are lost.
func (c *Collector) Close(ctx context.Context) error {
	if n := c.Shut(); n > 0 {
		c.Logger.WarnContext(ctx, "waiting for collections under way, so that what they cost is not lost", "collections", n)
	}
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		c.running.Wait()
	}()
	select {
	case <-idle:
	case <-ctx.Done():
		c.Logger.WarnContext(ctx, "collections under way are given up: they outlast the shutdown")
		c.abandon()
		<-idle
	}
	return errors.Join(c.losses(), c.closeStore(context.WithoutCancel(ctx)))
}

// losses is an error where answers that were paid for could not be stored.
func (c *Collector) losses() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost == 0 {
		return nil
	}
	return fmt.Errorf("answers that were paid for could not be stored: %d", c.lost)
}

// Shut lets no further collection begin, and drops those for which nothing has
// been asked yet: their callers are told to call again. It returns how many go
// on because they are, or may be, paid for. Stored portraits are still served.
func (c *Collector) Shut() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	n := 0
	for f := range c.flights {
		switch {
		case f.paying && !f.landed || f.unsaved: // what has landed and is saved only has to let go of its lease
			n++
		default:
			f.cancel()
		}
	}
	return n
}

// abandon ends what is under way.
func (c *Collector) abandon() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for f := range c.flights {
		f.cancel()
	}
	close(c.giveUp)
}

func (c *Collector) closeStore(ctx context.Context) error {
	s := c.opened.Load()
	if s == nil {
		return nil
	}
	c.bringHits(ctx)
	return (*s).Close()
}

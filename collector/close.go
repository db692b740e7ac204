package collector

import "context"

// Close lets no further collection begin, drops those for which nothing has
// been asked yet, and waits for the others until their answers are stored. When
// ctx ends before that, it gives them up. It then closes the store.
func (c *Collector) Close(ctx context.Context) error {
	if n := c.shut(); n > 0 {
		c.Logger.InfoContext(ctx, "waiting for collections under way, so that what they cost is not lost", "collections", n)
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
	return c.closeStore(context.WithoutCancel(ctx))
}

// shut lets nothing begin, and returns how many flights have to be waited for.
func (c *Collector) shut() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	n := 0
	for f := range c.flights {
		switch {
		case f.paying || f.unsaved:
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
	c.opening.Lock()
	s := c.opened
	c.opening.Unlock()
	if s == nil {
		return nil
	}
	c.bringHits(ctx)
	return s.Close()
}

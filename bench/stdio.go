package main

import (
	"context"
	"fmt"
	"time"
)

const (
	storedCalls = 1000 // in one round, so that what a process uses to start does not count
	freshCalls  = 200
)

// takeStarts measures the time from starting a process to its answer to
// tools/list over stdio.
func (r *results) takeStarts(ctx context.Context, rounds int) error {
	for range rounds + 1 { // the first brings the binaries into the page cache
		for _, c := range r.contestants {
			took, err := timeToList(ctx, c)
			if err != nil {
				return err
			}
			r.add(startTime, c, milliseconds(took))
		}
	}
	r.dropFirst(startTime)
	return nil
}

func timeToList(ctx context.Context, c contestant) (time.Duration, error) {
	began := time.Now()
	p, err := c.start(ctx, c.stored)
	if err != nil {
		return 0, err
	}
	if err := p.send(hello, ready, list); err != nil {
		return 0, err
	}
	if _, err := p.expect(listed); err != nil {
		return 0, err
	}
	took := time.Since(began)
	_, err = p.end()
	return took, err
}

// takeStored measures calls for a portrait that is at hand, one after the
// other, over stdio.
func (r *results) takeStored(ctx context.Context, rounds int) error {
	for range rounds {
		for _, c := range r.contestants {
			latencies, busy, err := converse(ctx, c, c.stored, storedCalls, storedCall)
			if err != nil {
				return err
			}
			_, idle, err := converse(ctx, c, c.stored, 0, storedCall)
			if err != nil {
				return err
			}
			r.add(storedTime, c, milliseconds(median(latencies)))
			r.add(storedProcessor, c, microseconds((busy-idle)/storedCalls))
		}
	}
	return nil
}

// takeFresh measures calls for portraits that must be asked of the vendor, and
// takes off what the vendor takes for a plain client that asks it directly.
func (r *results) takeFresh(ctx context.Context, rounds int, v *vendor) error {
	next := 0
	fresh := func(id int) string {
		next++
		return call(id, fmt.Sprintf("kol-%d", next))
	}
	for range rounds {
		direct, err := v.latency(ctx, freshCalls)
		if err != nil {
			return err
		}
		for _, c := range r.contestants {
			before := v.requests.Load()
			latencies, busy, err := converse(ctx, c, c.fresh, freshCalls, fresh)
			if err != nil {
				return err
			}
			if asked := v.requests.Load() - before; asked != freshCalls {
				return fmt.Errorf("%s asked the vendor %d times in %d calls", c.name, asked, freshCalls)
			}
			_, idle, err := converse(ctx, c, c.fresh, 0, fresh)
			if err != nil {
				return err
			}
			r.add(freshTime, c, milliseconds(median(latencies)-direct))
			r.add(freshProcessor, c, microseconds((busy-idle)/freshCalls))
		}
	}
	return nil
}

// converse starts a contestant, makes calls one after the other, and ends it.
// It returns how long each call took, and the processor time of it all.
func converse(ctx context.Context, c contestant, env []string, calls int, request func(id int) string) ([]time.Duration, time.Duration, error) {
	p, err := c.start(ctx, env)
	if err != nil {
		return nil, 0, err
	}
	if err := p.send(hello); err != nil {
		return nil, 0, err
	}
	if _, err := p.expect(`"serverInfo"`); err != nil {
		return nil, 0, err
	}
	if err := p.send(ready); err != nil {
		return nil, 0, err
	}
	latencies := make([]time.Duration, 0, calls)
	for i := range calls {
		line := request(i + 1)
		began := time.Now()
		if err := p.send(line); err != nil {
			return nil, 0, err
		}
		if _, err := p.expect(told); err != nil {
			return nil, 0, err
		}
		latencies = append(latencies, time.Since(began))
	}
	processor, err := p.end()
	return latencies, processor, err
}

func median(times []time.Duration) time.Duration {
	values := make([]float64, len(times))
	for i, t := range times {
		values[i] = float64(t)
	}
	return time.Duration(estimateOf(values).median)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

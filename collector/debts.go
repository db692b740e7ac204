package collector

import (
	"context"
	"errors"
	"slices"
	"time"

	"kol-portrait-mcp/schema"
)

const (
	// debt is how long a caller that has not got an answer can come back for it
	// without starting another collection.
	debt = 10 * time.Minute

	// oldest is how old an answer may get by being owed again and again. Whoever
	// asks for a fresh one must not get one of this morning.
	oldest = time.Hour

	// sweepEvery is how often debts that have ended are looked for.
	sweepEvery = time.Minute
)

// call is what a caller asks for.
type call struct {
	kolID string
	fresh bool
}

// owed is an answer that a caller is yet to get, once.
type owed struct {
	*flight // that has landed with it

	left  <-chan struct{} // closed when the caller has left, or is to call again
	until time.Time
}

// Owe notes that whoever called for a portrait, fresh or not, is yet to get the
// answer. Where ctx ends before paid is called, because the client has left or
// is to repeat a call of which this answer is only a part, the next such call
// for the KOL has it, from the store and at no charge, instead of collecting
// anew: once, and until ten minutes after the latest time at which the first
// could have ended. Until ctx ends or paid is called, such calls share the
// answer: the first is still going on, or its client has left and that is not
// known yet.
func (c *Collector) Owe(ctx context.Context, answer *schema.Collected, fresh bool) (paid func()) {
	until := c.Now().Add(c.AnswerWithin + debt)
	if !fresh && c.youngAt(until, answer) {
		return func() {} // the store answers such calls for longer than that
	}
	if fresh {
		until = sooner(until, answer.Source.RetrievedAt.Add(oldest))
	}
	return c.write(call{answer.KOLID, fresh}, &owed{flight: c.landedWith(answer, nil), left: ctx.Done(), until: until})
}

// OweFailure is Owe for a call that failed after the vendor had, or may have,
// charged it: its repetition as a part of another call is told the same, at no
// further charge, until the time from which trying again makes sense, however
// often it is repeated. It does nothing for any other failure. err is what
// Portrait returned.
func (c *Collector) OweFailure(ctx context.Context, kolID string, err error, fresh bool) (paid func()) {
	again := c.again(err)
	if again == nil {
		return func() {}
	}
	return c.write(call{kolID, fresh}, &owed{flight: c.landedWith(nil, again), left: ctx.Done(), until: again.until})
}

// retold is a failure as those are told who are owed it.
type retold struct {
	failure *schema.Error
	until   time.Time
}

// Error is the failure's.
func (r *retold) Error() string { return r.failure.Error() }

// Unwrap returns the failure.
func (r *retold) Unwrap() error { return r.failure }

// again returns a failure as it is told again, nil where it is not to be: one
// that has been owed before as it is, and for no longer.
func (c *Collector) again(err error) *retold {
	if again, ok := errors.AsType[*retold](err); ok {
		return again
	}
	failure, ok := errors.AsType[*schema.Error](err)
	if !ok || !failure.Charged || failure.Kind == schema.StillCollecting {
		return nil
	}
	until := c.Now().Add(debt)
	if failure.Retryable {
		until = c.Now().Add(time.Duration(failure.RetryAfterSeconds) * time.Second)
	}
	told := *failure
	told.Charged = false // that was the call before
	return &retold{&told, until}
}

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// write writes down a debt. The function that it returns strikes it off.
func (c *Collector) write(to call, o *owed) (paid func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep()
	c.debts[to] = append(c.debts[to], o)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.strike(to, func(other *owed) bool { return other == o })
	}
}

// owe writes down what those are owed who left a flight before it landed. The
// caller holds mu.
func (c *Collector) owe(f *flight) {
	to := call{f.kolID, f.fresh}
	for range f.left {
		landed := c.landedWith(f.answer, f.err)
		if f.err == nil && f.answer.Source.Charged && f.takesOver() {
			landed.answer, landed.untold = f.answer, true
		}
		c.debts[to] = append(c.debts[to], &owed{flight: landed, left: f.done, until: c.Now().Add(debt)})
	}
}

// landedWith returns a flight as those find it who come when it has landed.
func (c *Collector) landedWith(answer *schema.Collected, err error) *flight {
	f := &flight{Collector: c, landed: true, err: err, done: make(chan struct{})}
	if err == nil {
		f.answer = late(answer)
	}
	close(f.done)
	return f
}

// late returns an answer as those get it who come when it is there already.
func late(answer *schema.Collected) *schema.Collected {
	again := *answer
	again.Source.FromStore, again.Source.Charged = true, false
	return &again
}

// owedTo takes what is owed to a call, nil where nothing is. What is owed to a
// fresh call will do for any other, unless all there is to tell is that it
// failed. The caller holds mu.
func (c *Collector) owedTo(to call) *flight {
	f := c.take(to, func(*owed) bool { return true })
	if f == nil && !to.fresh {
		f = c.take(call{to.kolID, true}, func(o *owed) bool { return o.err == nil })
	}
	return f
}

// settle strikes off what is owed to a call that has its answer from elsewhere,
// and reports whether the call is still to be told what that was charged.
func (c *Collector) settle(to call) (untold bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.take(to, func(*owed) bool { return true })
	return f != nil && f.takesOver()
}

// take pays the latest of the debts that will do. Where none is due, it returns
// what somebody else is still to get. The caller holds mu.
func (c *Collector) take(to call, willDo func(*owed) bool) *flight {
	var shared *flight
	for _, o := range slices.Backward(c.debts[to]) {
		switch {
		case c.over(o) || !willDo(o):
		case o.due():
			c.strike(to, func(other *owed) bool { return other == o })
			return o.flight
		case shared == nil:
			shared = o.flight
		}
	}
	return shared
}

// due reports whether the caller will not get the answer but by calling again.
func (o *owed) due() bool {
	select {
	case <-o.left:
		return true
	default:
		return false
	}
}

// over reports whether a debt has ended.
func (c *Collector) over(o *owed) bool { return !c.Now().Before(o.until) }

// sweep strikes off the debts that have ended, now and then. The caller holds
// mu.
func (c *Collector) sweep() {
	if c.Now().Sub(c.swept) < sweepEvery {
		return
	}
	c.swept = c.Now()
	for to := range c.debts {
		c.strike(to, c.over)
	}
}

// strike takes debts off the books. The caller holds mu.
func (c *Collector) strike(to call, gone func(*owed) bool) {
	if left := slices.DeleteFunc(c.debts[to], gone); len(left) > 0 {
		c.debts[to] = left
	} else {
		delete(c.debts, to)
	}
}

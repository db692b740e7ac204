package server

import (
	"slices"
	"sync"
)

// pending knows the calls of one client that have not been answered yet.
//
// mcp-go has no such thing: it cancels what is in flight as soon as its input
// ends, and closes event streams whose answers are still being made. To wait
// for them, ids are counted as requests go in and as answers come out.
type pending struct {
	mu        sync.Mutex
	calls     map[callID]int  // how often an id is in use; careless clients repeat them
	count     int             // of calls
	cancelled map[callID]bool // those of calls, where nobody waits for the answer
	draining  bool
	idle      chan struct{} // closed once draining and nothing is pending
}

func newPending() *pending {
	return &pending{calls: make(map[callID]int), cancelled: make(map[callID]bool), idle: make(chan struct{})}
}

// begin notes a call that goes in; id is empty for a message that will not be
// answered. It reports false once drain has been called: the message must then
// not be passed on.
func (p *pending) begin(id callID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining {
		return false
	}
	if id != "" {
		delete(p.cancelled, id)
		p.calls[id]++
		p.count++
	}
	return true
}

// end notes that a call was answered. Ids that are not pending are ignored.
func (p *pending) end(id callID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.calls[id] {
	case 0:
		return
	case 1:
		delete(p.calls, id)
		delete(p.cancelled, id)
	default:
		p.calls[id]--
	}
	p.count--
	if p.draining && p.count == 0 {
		close(p.idle)
	}
}

// cancel notes that the client has cancelled a call. Ids that are not pending are
// ignored, and so are those that are in use more than once, before or after: it is
// not known which of the answers is meant.
func (p *pending) cancel(id callID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls[id] == 1 {
		p.cancelled[id] = true
	}
}

// isCancelled reports whether the client has cancelled a call that is pending.
func (p *pending) isCancelled(id callID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cancelled[id]
}

// anyCancelled reports whether isCancelled would of any call.
func (p *pending) anyCancelled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.cancelled) > 0
}

// size returns how many calls have not been answered.
func (p *pending) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// unanswered returns the ids of those calls, in no order, and each as often as
// it is in use.
func (p *pending) unanswered() []callID {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := make([]callID, 0, p.count)
	for id, uses := range p.calls {
		ids = append(ids, slices.Repeat([]callID{id}, uses)...)
	}
	return ids
}

// drain lets no further call begin, and returns a channel that is closed once
// all that began have been answered.
func (p *pending) drain() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.draining {
		p.draining = true
		if p.count == 0 {
			close(p.idle)
		}
	}
	return p.idle
}

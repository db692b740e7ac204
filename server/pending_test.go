package server

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func isIdle(p *pending) bool {
	select {
	case <-p.drain():
		return true
	default:
		return false
	}
}

func TestPending(t *testing.T) {
	tests := map[string]struct {
		begin, end []callID
		idle       bool
	}{
		"nothing began":       {idle: true},
		"unanswered":          {begin: []callID{"1"}},
		"answered":            {begin: []callID{"1"}, end: []callID{"1"}, idle: true},
		"another answered":    {begin: []callID{"1"}, end: []callID{`"1"`}},
		"repeated id":         {begin: []callID{"1", "1"}, end: []callID{"1"}},
		"both answered":       {begin: []callID{"1", "1"}, end: []callID{"1", "1"}, idle: true},
		"answered too often":  {begin: []callID{"1", "2"}, end: []callID{"1", "1"}},
		"needs no answer":     {begin: []callID{""}, idle: true},
		"answers to no call":  {end: []callID{"", "7"}, idle: true},
		"only one unanswered": {begin: []callID{"1", "2"}, end: []callID{"2"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, drainFirst := range []bool{false, true} {
				p := newPending()
				for _, id := range test.begin {
					assert.True(t, p.begin(id))
				}
				if drainFirst {
					p.drain()
				}
				for _, id := range test.end {
					p.end(id)
				}
				assert.Equal(t, test.idle, isIdle(p))
			}
		})
	}
}

func TestPendingKnowsWhatIsUnanswered(t *testing.T) {
	p := newPending()
	for _, id := range []callID{"1", `"1"`, "", "2", "1", "1", "3"} {
		p.begin(id)
	}
	for _, id := range []callID{"2", "1", "7"} {
		p.end(id)
	}
	assert.Equal(t, 4, p.size())
	assert.ElementsMatch(t, []callID{"1", "1", `"1"`, "3"}, p.unanswered())
}

func TestPendingLetsNothingBeginOnceDrained(t *testing.T) {
	p := newPending()
	p.drain()
	assert.False(t, p.begin("1"))
	assert.False(t, p.begin(""))
	assert.True(t, isIdle(p))
}

func TestAnswersAreSeenHoweverTheyAreCut(t *testing.T) {
	for _, stream := range []string{
		`{"jsonrpc":"2.0","id":1,"result":{}}` + "\n",
		"event: message\ndata: " + `{"jsonrpc":"2.0","id":1,"result":{}}` + "\n\n",
		"event: message\r\ndata:" + `{"jsonrpc":"2.0","id":1,"error":{}}` + "\r\n\r\n",
	} {
		for cut := range len(stream) {
			p := newPending()
			p.begin("1")
			a := answers{calls: p}
			a.see([]byte(stream[:cut]))
			a.see([]byte(stream[cut:]))
			assert.True(t, isIdle(p), "%q | %q", stream[:cut], stream[cut:])
		}
	}
}

func TestPendingKnowsWhatIsCancelled(t *testing.T) {
	for name, test := range map[string]struct {
		do        func(p *pending)
		cancelled bool
	}{
		"not cancelled":          {func(*pending) {}, false},
		"cancelled":              {func(p *pending) { p.cancel("1") }, true},
		"another is":             {func(p *pending) { p.cancel(`"1"`) }, false},
		"answered since":         {func(p *pending) { p.cancel("1"); p.end("1") }, false},
		"answered before":        {func(p *pending) { p.end("1"); p.cancel("1") }, false},
		"one of two, then":       {func(p *pending) { p.begin("1"); p.cancel("1") }, false},
		"one of two, the second": {func(p *pending) { p.cancel("1"); p.begin("1") }, false},
		"another call meanwhile": {func(p *pending) { p.cancel("1"); p.begin("2"); p.end("2") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPending()
			p.begin("1")
			test.do(p)
			assert.Equal(t, test.cancelled, p.isCancelled("1"))
			assert.Equal(t, test.cancelled, p.anyCancelled())
		})
	}
}

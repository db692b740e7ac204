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

package server

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInputReadsNothingOnceDrained(t *testing.T) {
	calls := newPending()
	calls.drain()
	in := newInput(strings.NewReader(call(1, "echo")+"\n"), calls, nil, quiet())
	in.close()
	for range 2 {
		got, err := io.ReadAll(in)
		require.NoError(t, err)
		assert.Empty(t, got)
	}
}

func TestInputHasNoEndBeforeItIsClosed(t *testing.T) {
	in := newInput(strings.NewReader("a\nb"), newPending(), nil, quiet())
	read := make(chan string)
	go func() {
		all, _ := io.ReadAll(in)
		read <- string(all)
	}()
	<-in.ended
	select {
	case all := <-read:
		t.Fatalf("read to the end: %q", all)
	default:
	}
	in.close()
	assert.Equal(t, "a\nb\n", <-read)
}

func TestInputCountsTheCallsItPassesOn(t *testing.T) {
	calls := newPending()
	in := newInput(strings.NewReader(call(1, "echo")), calls, nil, quiet())
	go func() { _, _ = io.Copy(io.Discard, in) }()
	<-in.ended
	assert.False(t, isIdle(calls))
	calls.end("1")
	assert.True(t, isIdle(calls))
	in.close()
}

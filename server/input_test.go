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
	in := newInput(strings.NewReader(request(1, "a")+"\n"+request(2, "b")), newPending(), nil, quiet())
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
	assert.Equal(t, request(1, "a")+"\n"+request(2, "b")+"\n", <-read)
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

func TestInputAnswersWhatCannotBeServed(t *testing.T) {
	calls := newPending()
	calls.begin("1")
	var out strings.Builder
	o := newOutput(&out, calls, quiet())
	in := newInput(strings.NewReader("hello\n"+`{"jsonrpc":"2.0","id":1}`+"\n"+call(2, "echo")), calls, o.refuse, quiet())
	defer in.close()
	line := make([]byte, 1000)
	n, err := in.Read(line)
	require.NoError(t, err)
	assert.Equal(t, call(2, "echo")+"\n", string(line[:n]), "nothing else is passed on")
	assert.Equal(t, 2, strings.Count(out.String(), "\n"))
	assert.Equal(t, 2, calls.size(), "the answer to what has the id of a call does not end the call")
}

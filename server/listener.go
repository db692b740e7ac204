package server

import (
	"context"
	"net"
	"sync"
)

// queue is a listener that hands over every connection that was made before it is
// closed. net's own listener drops those that the kernel has taken and nobody has
// accepted yet; a proxy has sent calls on them by then, and may not send them twice.
type queue struct {
	net.Listener

	mu   sync.Mutex
	last net.Addr // from where the listener has called itself; nil before
}

// Accept implements net.Listener. Behind the last connection comes net.ErrClosed.
func (q *queue) Accept() (net.Conn, error) {
	conn, err := q.Listener.Accept()
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.last == nil || conn.RemoteAddr().String() != q.last.String() {
		return conn, nil
	}
	_ = q.Close()
	_ = conn.Close()
	return nil, net.ErrClosed
}

// end has the listener close when all that are waiting have been accepted: it calls
// itself, since whoever comes last is accepted last. It reports false where it cannot.
func (q *queue) end(ctx context.Context) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	conn, err := new(net.Dialer).DialContext(ctx, q.Addr().Network(), q.Addr().String())
	if err != nil {
		return false
	}
	q.last = conn.LocalAddr()
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	return true
}

package sample

import (
	"context"
	"net"
	"sync"
)

// listener hands one end of a pipe to the server for every dial.
type listener struct {
	conns  chan net.Conn
	closed chan struct{}
	close  sync.Once
}

func (l *listener) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept waits for the next dial.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and dial. It may be called more than once.
func (l *listener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

// Addr is a name, since memory has no address.
func (*listener) Addr() net.Addr { return addr{} }

type addr struct{}

// Network names what the connections go over.
func (addr) Network() string { return "memory" }

// String names the one who listens.
func (addr) String() string { return "sample" }

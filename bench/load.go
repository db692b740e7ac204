package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	loadClients = 16  // sessions that call at the same time
	loadCalls   = 250 // of each, in one round
)

// takeLoad measures many clients that call for a portrait that is at hand over
// Streamable HTTP, and the memory of the server before and while they do.
func (r *results) takeLoad(ctx context.Context, rounds int) error {
	for range rounds {
		for _, c := range r.contestants {
			if err := r.takeLoadOf(ctx, c); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return nil
}

func (r *results) takeLoadOf(ctx context.Context, c contestant) error {
	addr, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	p, err := c.start(ctx, slices.Concat(c.stored, c.listen(addr)))
	if err != nil {
		return err
	}
	defer p.kill()
	sessions, err := openSessions(ctx, addr)
	if err != nil {
		return err
	}
	idle, _, err := p.memory()
	if err != nil {
		return err
	}
	began := time.Now()
	latencies, err := press(ctx, sessions)
	if err != nil {
		return err
	}
	took := time.Since(began)
	_, peak, err := p.memory()
	if err != nil {
		return err
	}
	r.add(throughput, c, float64(len(latencies))/took.Seconds())
	r.add(tailTime, c, milliseconds(latencies[len(latencies)*99/100]))
	r.add(idleMemory, c, megabytes(idle))
	r.add(loadMemory, c, megabytes(peak))
	return nil
}

// press makes all calls of all sessions, and returns how long each took, the
// shortest first.
func press(ctx context.Context, sessions []*session) ([]time.Duration, error) {
	all, ctx := errgroup.WithContext(ctx)
	latencies := make([][]time.Duration, len(sessions))
	for i, s := range sessions {
		all.Go(func() error {
			for id := range loadCalls {
				began := time.Now()
				if err := s.post(ctx, storedCall(id+2), told); err != nil {
					return err
				}
				latencies[i] = append(latencies[i], time.Since(began))
			}
			return nil
		})
	}
	err := all.Wait()
	return slices.Sorted(slices.Values(slices.Concat(latencies...))), err
}

// freeAddress is a loopback address that nobody listened on just now.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// session is one client of a server.
type session struct {
	client *http.Client
	url    string
	id     string // as the server gave it, if it did
}

// openSessions waits until a server listens, and shakes hands as often as there
// are clients.
func openSessions(ctx context.Context, addr string) ([]*session, error) {
	if err := awaitListener(ctx, addr); err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: loadClients}}
	sessions := make([]*session, loadClients)
	for i := range sessions {
		s := &session{client: client, url: "http://" + addr + "/mcp"}
		for _, step := range []struct{ message, answer string }{{hello, `"serverInfo"`}, {ready, ""}, {list, listed}} {
			if err := s.post(ctx, step.message, step.answer); err != nil {
				return nil, err
			}
		}
		sessions[i] = s
	}
	return sessions, nil
}

func awaitListener(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// post sends one message, whose answer must have text in it.
func (s *session) post(ctx context.Context, message, text string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader([]byte(message)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	if s.id != "" {
		request.Header.Set("Mcp-Session-Id", s.id)
	}
	if message != hello {
		request.Header.Set("Mcp-Protocol-Version", "2025-11-25")
	}
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices || !bytes.Contains(body, []byte(text)) {
		return fmt.Errorf("%s to %.80s: %.300s", response.Status, message, body)
	}
	if id := response.Header.Get("Mcp-Session-Id"); id != "" {
		s.id = id
	}
	return nil
}

func megabytes(bytes float64) float64 { return bytes / (1 << 20) }

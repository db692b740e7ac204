package collector

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/memory"
)

// Whoever ends the process reads in its log why it does not end at once, and
// what is given up. Where there is nothing to wait for there is nothing to say.
func TestWhatCloseLogs(t *testing.T) {
	const (
		waiting   = `level=WARN msg="waiting for collections under way, so that what they cost is not lost" collections=%d`
		givenUp   = `level=WARN msg="collections under way are given up: they outlast the shutdown"`
		failed    = `level=WARN msg="a collection failed" kolId=%s took=%s kind=timeout code=0 charged=true requestId=""`
		collected = `level=INFO msg="collected a portrait" kolId=%s took=%s asOf=2026-01-0%d endpoint=portrait charged=true requestId=r-1`
	)
	tests := map[string]struct {
		kols   int
		queued bool          // none of them is let through to the vendor
		takes  time.Duration // from one second before Close on
		ends   time.Duration // what Close may take
		want   []string      // in any order
	}{
		"nothing under way": {ends: time.Minute},
		"one that comes in time": {kols: 1, takes: 5 * time.Second, ends: time.Minute, want: []string{
			fmt.Sprintf(waiting, 1), fmt.Sprintf(collected, "kol-0", "5s", 1)}},
		"two that come too late": {kols: 2, takes: time.Hour, ends: 4 * time.Second, want: []string{
			fmt.Sprintf(waiting, 2), givenUp, fmt.Sprintf(failed, "kol-0", "5s"), fmt.Sprintf(failed, "kol-1", "5s")}},
		"one that nothing has been paid for": {kols: 1, queued: true, ends: time.Minute, want: []string{
			`level=INFO msg="a collection failed" kolId=kol-0 took=1s kind=internal code=0 charged=false requestId=""`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				c := setup{vendor: &vendor{takes: test.takes}, log: slog.New(slog.NewTextHandler(&log, nil)), change: func(o *Options) {
					if test.queued {
						o.Upstream = &queue{}
					}
				}}.collector()
				portraits := func(i int) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
					defer cancel()
					_, err := c.Portrait(ctx, fmt.Sprint("kol-", i), false)
					require.Error(t, err)
				}
				for i := range test.kols {
					go portraits(i)
				}
				time.Sleep(time.Second)

				ctx, cancel := context.WithTimeout(t.Context(), test.ends)
				defer cancel()
				require.NoError(t, c.Close(ctx))

				var got []string
				for line := range strings.Lines(log.String()) {
					_, line, _ = strings.Cut(strings.TrimSpace(line), " ") // without the time
					got = append(got, line)
				}
				assert.ElementsMatch(t, test.want, got)
			})
		})
	}
}

// slow is a store that takes its time to let go of leases.
type slow struct{ faulty }

func (s *slow) Release(ctx context.Context, claim store.Claim, failure *schema.Error) error {
	time.Sleep(time.Second)
	return s.faulty.Release(ctx, claim, failure)
}

// Shut tells how many collections have something to lose.
func TestWhatShutWaitsFor(t *testing.T) {
	tests := map[string]struct {
		after time.Duration // the vendor takes two seconds
		down  bool          // the store, from the first second to the fifth
		want  int
	}{
		"a request under way":             {after: time.Second, want: 1},
		"a lease that is being let go of": {after: 2500 * time.Millisecond, want: 0},
		"nothing any more":                {after: 4 * time.Second, want: 0},
		"an answer that is not saved":     {after: 4 * time.Second, down: true, want: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kept := memory.New()
				shelf := &slow{faulty{Store: kept}}
				c := setup{vendor: &vendor{takes: 2 * time.Second}, store: shelf}.collector()
				go func() { _, _ = c.Portrait(t.Context(), kol, false) }()
				time.AfterFunc(time.Second, func() { shelf.down.Store(test.down) })
				time.AfterFunc(5*time.Second, func() { shelf.down.Store(false) })
				time.Sleep(test.after)
				synctest.Wait()

				assert.Equal(t, test.want, c.Shut())

				require.NoError(t, c.Close(t.Context()))
				p, err := kept.Newest(t.Context(), kol)
				require.NoError(t, err)
				assert.NotNil(t, p, "whatever it waits for")
				lease, err := kept.Lease(t.Context(), kol)
				require.NoError(t, err)
				assert.True(t, lease.Released)
			})
		})
	}
}

// closed is a store that tells that it was closed, and in what state.
type closed struct {
	store.Store

	times int
	hits  int
}

func (s *closed) Close() error {
	s.times++
	counts, err := s.Counts(context.Background(), schema.DayOf(time.Now()))
	s.hits = counts.Hits
	if err != nil {
		return err
	}
	return errDown
}

// The store is closed last, with all that is to be in it; one that was never
// needed is not opened for it.
func TestCloseClosesTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := &closed{Store: memory.New()}
		require.NoError(t, shelf.Save(t.Context(), stored("a", "1999-12-31", time.Minute)))
		c := setup{vendor: &vendor{}, store: shelf}.collector()
		hit(t, c, 2)
		require.ErrorIs(t, c.Close(t.Context()), errDown)
		assert.Equal(t, 1, shelf.times)
		assert.Equal(t, 2, shelf.hits)

		unused := setup{vendor: &vendor{}, change: func(o *Options) {
			o.Store = func(context.Context) (store.Store, error) {
				t.Error("opened")
				return memory.New(), nil
			}
		}}.collector()
		require.NoError(t, unused.Close(t.Context()))
	})
}

package collector

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/memory"
)

// tally is a store that tells which hits it was brought.
type tally struct {
	store.Store

	mu      sync.Mutex
	brought []bringing
	refuses bool
}

// bringing is one call of AddHits, at a time since the test began.
type bringing struct {
	after time.Duration
	day   schema.Day
	hits  int
}

func (s *tally) AddHits(ctx context.Context, day schema.Day, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.brought = append(s.brought, bringing{time.Since(bubbleStart()), day, n})
	if s.refuses {
		return errors.New("not now")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Store.AddHits(ctx, day, n)
}

// sinceLast returns what the store was brought since it was last called.
func (s *tally) sinceLast() []bringing {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	brought := s.brought
	s.brought = nil
	return brought
}

// bubbleStart is when every bubble of synctest begins: 08:00 in Shanghai.
func bubbleStart() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// hit is n answers from the store.
func hit(t *testing.T, c *Collector, n int) {
	t.Helper()
	for range n {
		require.True(t, portrait(t, c, kol, false).Source.FromStore)
	}
}

// tallied is a Collector whose store has a portrait.
func tallied(t *testing.T) (*Collector, *tally) {
	t.Helper()
	shelf := &tally{Store: memory.New()}
	require.NoError(t, shelf.Save(t.Context(), stored("a", "1999-12-31", time.Minute)))
	return setup{vendor: &vendor{}, store: shelf}.collector(), shelf
}

// However many answers there are, the store is told of them once a minute, by
// the first after it, and each of them counts once.
func TestHitsAreBroughtOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, shelf := tallied(t)
		hit(t, c, 3)
		time.Sleep(hitsEvery - time.Nanosecond)
		hit(t, c, 1)
		assert.Empty(t, shelf.sinceLast(), "within the first minute")

		time.Sleep(time.Nanosecond)
		hit(t, c, 1)
		assert.Equal(t, []bringing{{hitsEvery, "2000-01-01", 5}}, shelf.sinceLast())
		hit(t, c, 2)
		time.Sleep(hitsEvery - time.Nanosecond)
		hit(t, c, 2)
		assert.Empty(t, shelf.sinceLast(), "within the next")

		time.Sleep(16 * time.Hour) // past midnight in Shanghai
		hit(t, c, 1)
		assert.Equal(t, []bringing{{16*time.Hour + 2*hitsEvery - time.Nanosecond, "2000-01-02", 5}}, shelf.sinceLast())

		time.Sleep(24 * time.Hour)
		assert.Empty(t, shelf.sinceLast(), "an idle process brings nothing")
	})
}

func TestHitsThatTheStoreRefusesAreBroughtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, shelf := tallied(t)
		shelf.refuses = true
		hit(t, c, 2)
		time.Sleep(hitsEvery)
		hit(t, c, 1)
		assert.Equal(t, []bringing{{hitsEvery, "2000-01-01", 3}}, shelf.sinceLast())
		hit(t, c, 1)
		assert.Empty(t, shelf.sinceLast(), "not before the next minute")

		shelf.refuses = false
		time.Sleep(hitsEvery)
		hit(t, c, 1)
		assert.Equal(t, []bringing{{2 * hitsEvery, "2000-01-01", 5}}, shelf.sinceLast())
		counts, err := shelf.Counts(t.Context(), "2000-01-01")
		require.NoError(t, err)
		assert.Equal(t, 5, counts.Hits)
	})
}

// A hit counts, also of a caller who has left.
func TestHitsOutliveTheirCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, shelf := tallied(t)
		hit(t, c, 1)
		time.Sleep(hitsEvery)
		left, leave := context.WithCancel(t.Context())
		leave()
		_, err := c.Portrait(left, kol, false)
		require.NoError(t, err)
		assert.Len(t, shelf.sinceLast(), 1)
		counts, err := shelf.Counts(t.Context(), "2000-01-01")
		require.NoError(t, err)
		assert.Equal(t, 2, counts.Hits)
	})
}

// Whoever asks for the figures, and the end, get what has gathered; where that
// is nothing, the store is not troubled.
func TestHitsAreBroughtForUsageAndAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, shelf := tallied(t)
		for _, step := range []struct {
			hits    int
			brought []bringing
			total   int
		}{
			{0, nil, 0},
			{2, []bringing{{0, "2000-01-01", 2}}, 2},
			{0, nil, 2},
			{1, []bringing{{0, "2000-01-01", 1}}, 3},
		} {
			hit(t, c, step.hits)
			usage, err := c.Usage(t.Context())
			require.NoError(t, err)
			assert.Equal(t, step.brought, shelf.sinceLast())
			assert.Equal(t, step.total, usage.Hits)
		}

		hit(t, c, 1)
		assert.Zero(t, c.Shut())
		time.Sleep(hitsEvery)
		hit(t, c, 3)
		assert.Empty(t, shelf.sinceLast(), "after Shut nothing begins behind the callers")
		require.NoError(t, c.Close(t.Context()))
		assert.Equal(t, []bringing{{hitsEvery, "2000-01-01", 4}}, shelf.sinceLast())

		idle, shelf := tallied(t)
		hit(t, idle, 1)
		_, err := idle.Usage(t.Context())
		require.NoError(t, err)
		shelf.sinceLast()
		require.NoError(t, idle.Close(t.Context()))
		assert.Empty(t, shelf.sinceLast())
	})
}

// What was collected for the call is no hit, for whoever waited for it; what a
// flight found in the store is one, for everybody.
func TestWhatIsAHit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := &tally{Store: memory.New()}
		c := setup{vendor: &vendor{takes: 3 * time.Second}, store: shelf}.collector()
		hits := func() int {
			usage, err := c.Usage(t.Context())
			require.NoError(t, err)
			return usage.Hits
		}
		var calls sync.WaitGroup
		for range 3 {
			calls.Go(func() { portrait(t, c, kol, false) })
		}
		calls.Wait()
		assert.Zero(t, hits(), "collected")

		hit(t, c, 1)
		assert.Equal(t, 1, hits(), "stored")

		c.AnswerWithin = time.Second
		require.Equal(t, schema.StillCollecting, failure(t, c, kol, true).Kind)
		assert.Equal(t, 1, hits(), "no answer yet")
		time.Sleep(time.Minute)
		portrait(t, c, kol, true)
		assert.Equal(t, 2, hits(), "what was owed")

		_, err := c.Stored(t.Context(), kol)
		require.NoError(t, err)
		assert.Equal(t, 2, hits(), "a look at the store")
	})
}

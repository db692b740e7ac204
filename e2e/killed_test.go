//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A server is killed again and again while 200 calls write to its store: what
// it has answered is there, and what it has asked is counted.
func TestKilledServerHasStoredWhatItAnswered(t *testing.T) {
	t.Parallel()
	const rounds, calls = 10, 20
	for name, open := range stores() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startVendor(t)
			e := against(t, v, open(t))
			var mu sync.Mutex
			var answered []string
			for round := range rounds {
				s := start(t, e)
				var calling sync.WaitGroup
				for i := range calls {
					calling.Go(func() {
						kolID := fmt.Sprintf("kol-%d-%d", round, i)
						a, _, err := ask(t.Context(), s.Client, map[string]any{"kolId": kolID})
						if err == nil && assert.False(t, a.IsError, a.Content) {
							mu.Lock()
							defer mu.Unlock()
							answered = append(answered, kolID)
						}
					})
				}
				for range 1 + rand.IntN(calls) {
					<-v.arrived
				}
				time.Sleep(rand.N(20 * time.Millisecond))
				s.kill(t)
				calling.Wait()
			}
			t.Logf("%d of %d calls were answered", len(answered), rounds*calls)
			assert.NotEmpty(t, answered)

			s := start(t, e)
			asked := v.total.Load()
			for _, kolID := range answered {
				assert.True(t, s.portraitOf(t, kolID).Structured.Source.FromStore, kolID)
			}
			assert.Equal(t, asked, v.total.Load())
			assert.GreaterOrEqual(t, usage(t, s.Client).Charged, v.Charged())
			s.end(t)
		})
	}
}

package memory_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/memory"
	"kol-portrait-mcp/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, "memory", func(*testing.T) func(string) store.Store {
		scopes := map[string]store.Store{}
		return func(scope string) store.Store {
			if scopes[scope] == nil {
				scopes[scope] = memory.New()
			}
			return scopes[scope]
		}
	})
}

func TestLeaseEndsToTheInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New()
		_, err := s.Acquire(t.Context(), "kol", "A", time.Minute)
		require.NoError(t, err)

		time.Sleep(time.Minute - time.Nanosecond)
		lease, err := s.Acquire(t.Context(), "kol", "B", time.Minute)
		require.NoError(t, err)
		assert.Equal(t, store.Lease{Holder: "A", Left: time.Nanosecond}, lease)

		time.Sleep(time.Nanosecond)
		lease, err = s.Acquire(t.Context(), "kol", "B", time.Minute)
		require.NoError(t, err)
		assert.Equal(t, store.Lease{Holder: "B", Left: time.Minute}, lease)
	})
}

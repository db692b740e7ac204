package memory_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/memory"
)

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

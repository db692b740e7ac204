package memory_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/memory"
	"kol-portrait-mcp/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) func() store.Store {
		s := memory.New()
		return func() store.Store { return s }
	})
}

func TestKindIsMemory(t *testing.T) {
	assert.Equal(t, "memory", memory.New().Kind())
}

func TestLeaseEndsToTheInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New()
		c := store.Claim{KOLID: "kol", Holder: "A"}
		_, err := s.Acquire(t.Context(), c, time.Minute)
		require.NoError(t, err)

		time.Sleep(time.Minute - time.Nanosecond)
		got, err := s.Lease(t.Context(), "kol")
		require.NoError(t, err)
		assert.Equal(t, store.Lease{Holder: "A"}, got)

		time.Sleep(time.Nanosecond)
		got, err = s.Lease(t.Context(), "kol")
		require.NoError(t, err)
		assert.Equal(t, store.Lease{}, got)
	})
}

func TestReleasedLeaseIsToldForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New()
		c := store.Claim{KOLID: "kol", Holder: "A"}
		_, err := s.Acquire(t.Context(), c, time.Second)
		require.NoError(t, err)
		require.NoError(t, s.Release(t.Context(), c, nil))

		time.Sleep(time.Minute)
		got, err := s.Lease(t.Context(), "kol")
		require.NoError(t, err)
		assert.Equal(t, store.Lease{Holder: "A", Released: true}, got)
	})
}

func TestFailureIsNotShared(t *testing.T) {
	s := memory.New()
	c := store.Claim{KOLID: "kol", Holder: "A"}
	_, err := s.Acquire(t.Context(), c, time.Minute)
	require.NoError(t, err)
	told := &schema.Error{Kind: schema.Network, Message: "No."}
	require.NoError(t, s.Release(t.Context(), c, told))
	told.Message = "changed by who told it"

	got, err := s.Lease(t.Context(), "kol")
	require.NoError(t, err)
	got.Failure.Message = "changed by who asked"

	got, err = s.Lease(t.Context(), "kol")
	require.NoError(t, err)
	assert.Equal(t, "No.", got.Failure.Message)
}

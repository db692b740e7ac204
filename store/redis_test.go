//go:build e2e

package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/redis"
	"kol-portrait-mcp/store/redis/redistest"
)

// Every test has scopes of its own on one server.
func TestRedis(t *testing.T) {
	server := redistest.Start(t)
	testStore(t, "redis", func(t *testing.T) opener {
		return func(scope string) store.Store {
			s, err := redis.New(server.URL(), t.Name()+scope)
			require.NoError(t, err)
			return s
		}
	})
}

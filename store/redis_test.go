//go:build e2e

package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/redis"
	"kol-portrait-mcp/store/redis/redistest"
)

// Every test has scopes of its own on the same servers.
func TestRedis(t *testing.T) {
	for name, address := range map[string]string{
		"one server":                     redistest.Start(t).URL(),
		"a Cluster":                      redistest.StartCluster(t),
		"a server that a Sentinel names": redistest.StartSentinel(t, redistest.Start(t), 0),
	} {
		t.Run(name, func(t *testing.T) {
			testStore(t, "redis", func(t *testing.T) opener {
				return func(scope string) store.Store {
					s, err := redis.New(address, t.Name()+scope)
					require.NoError(t, err)
					return s
				}
			})
		})
	}
}

package redis

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOptions(t *testing.T) {
	options, err := parse("redis://127.0.0.1")
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:6379", options.Addr)
	assert.Nil(t, options.TLSConfig)
	assert.Equal(t, 2*time.Second, options.DialTimeout)
	assert.Equal(t, 3*time.Second, options.ReadTimeout)
	assert.Equal(t, 3*time.Second, options.WriteTimeout)
	assert.Equal(t, 1, options.MaxRetries)
}

func TestOptionsOfTheAddress(t *testing.T) {
	options, err := parse("rediss://user:pass%2Fword@redis.example:6380/3?dial_timeout=1s&read_timeout=4&max_retries=-1")
	require.NoError(t, err)
	assert.Equal(t, "redis.example:6380", options.Addr)
	assert.Equal(t, "redis.example", options.TLSConfig.ServerName)
	assert.False(t, options.TLSConfig.InsecureSkipVerify)
	assert.Equal(t, "user", options.Username)
	assert.Equal(t, "pass/word", options.Password)
	assert.Equal(t, 3, options.DB)
	assert.Equal(t, time.Second, options.DialTimeout)
	assert.Equal(t, 4*time.Second, options.ReadTimeout)
	assert.Equal(t, 3*time.Second, options.WriteTimeout)
	assert.Equal(t, -1, options.MaxRetries)
}

func TestOptionsThatNoAddressChanges(t *testing.T) {
	options, err := parse("redis://127.0.0.1?min_idle_conns=3&protocol=3&pipeline_pool_size=7")
	require.NoError(t, err)
	assert.Zero(t, options.MinIdleConns, "dials at once")
	assert.Equal(t, 2, options.Protocol)
	assert.Negative(t, options.PipelinePoolSize)
}

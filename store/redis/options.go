package redis

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	dialTimeout = 2 * time.Second
	ioTimeout   = 3 * time.Second // of one read or write
	retries     = 1               // every call but AddHits may be made twice
)

var errURL = errors.New("redis: the address is not redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]; " +
	"characters of a password that mean something in an address are written as %XX")

// The bounds of the options that go-redis does not bound itself: it panics
// where a pool is too large or less than empty, and with fewer retries than none
// it sends nothing, and says that it has.
const (
	mostConnections = 10_000 // in a pool
	mostRetries     = 10
)

var errOptions = fmt.Errorf("redis: the address, redis://..., has an option that is out of bounds: pool_size, max_idle_conns and "+
	"max_active_conns are 0 (the default) to %d, max_retries is -1 (none) to %d", mostConnections, mostRetries)

// parse reads an address. Its own options win over the ones here, but for
// those that would connect before there is need, or leave a context unheeded.
func parse(url string) (*goredis.Options, error) {
	options, err := goredis.ParseURL(url)
	if err != nil || strings.Contains(url, "#") {
		return nil, errURL // the cause would quote the address
	}
	if !bounded(options) {
		return nil, errOptions
	}
	options.DialTimeout = cmp.Or(options.DialTimeout, dialTimeout)
	options.ReadTimeout = cmp.Or(options.ReadTimeout, ioTimeout)
	options.WriteTimeout = cmp.Or(options.WriteTimeout, ioTimeout)
	options.MaxRetries = cmp.Or(options.MaxRetries, retries)
	options.ContextTimeoutEnabled = true
	options.DialerRetries = 1 // on top of which come the retries of the command
	options.MinIdleConns = 0  // they would be dialled at once

	// One connection pool and the plain protocol: nothing is pipelined in bulk,
	// and nothing pushed, so a new connection costs two round trips at most.
	options.PipelinePoolSize = -1
	options.Protocol = 2
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return options, nil
}

func bounded(options *goredis.Options) bool {
	for _, connections := range []int{options.PoolSize, options.MaxIdleConns, options.MaxActiveConns} {
		if connections < 0 || connections > mostConnections {
			return false
		}
	}
	return options.MaxRetries >= -1 && options.MaxRetries <= mostRetries
}

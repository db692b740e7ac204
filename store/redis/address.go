package redis

import (
	"errors"
	"net/url"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

var (
	errAddress = errors.New("the address of Redis is not redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS. " +
		"In the password, all but letters and digits is written as %XX")
	errEscape  = errors.New("the address of Redis has a character that means something there: write / as %2F, # as %23, ? as %3F, % as %25 in the password")
	errHosts   = errors.New("the address of Redis names several hosts: it takes one host")
	errOptions = errors.New("the address of Redis has options behind a ?: it takes none, use rediss:// for TLS")
)

// parse reads an address. Its errors say what is wrong in the ways that people
// get it wrong, and quote nothing. The host is looked for behind the last @,
// since a password may hold anything in front of it.
func parse(address string) (*goredis.Options, error) {
	scheme, rest, _ := strings.Cut(address, "://")
	if scheme != "redis" && scheme != "rediss" {
		return nil, errAddress
	}
	at := strings.LastIndex(rest, "@")
	user, host := rest[:max(at, 0)], rest[at+1:]
	if _, err := url.PathUnescape(user); err != nil || strings.ContainsAny(user, "/?") || strings.Contains(rest, "#") {
		return nil, errEscape
	}
	if strings.Contains(host, "?") {
		return nil, errOptions
	}
	if strings.Contains(host, ",") {
		return nil, errHosts
	}
	options, err := goredis.ParseURL(address)
	if err != nil {
		return nil, errAddress // the cause would quote the address
	}
	options.DialTimeout = 2 * time.Second
	options.ReadTimeout = 3 * time.Second
	options.WriteTimeout = 3 * time.Second
	options.MaxRetries = 1 // every call may be made twice
	options.DialerRetries = 1
	options.ContextTimeoutEnabled = true

	// One connection pool and the plain protocol: nothing is pipelined in bulk,
	// and nothing pushed, so a new connection costs few round trips.
	options.PipelinePoolSize = -1
	options.Protocol = 2
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return options, nil
}

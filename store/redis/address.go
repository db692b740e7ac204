package redis

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

var (
	errAddress = errors.New("the address of Redis is not redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS. " +
		"In the password, all but letters and digits is written as %XX")
	errEscape = errors.New("the address of Redis has a character that means something there: write / as %2F, # as %23, ? as %3F, % as %25, @ as %40, & as %26 in the password")
	errHosts  = errors.New("the address of Redis names several hosts: write the others as ?addr=HOST:PORT&addr=HOST:PORT for a Cluster, " +
		"and ?master_name=NAME&addr=HOST:PORT for Sentinels")
	errOptions = errors.New("the address of Redis has something behind the ? that is not taken there: it takes addr=HOST:PORT, master_name=NAME, " +
		"with that also username= and password= of the server, and pool_size=N; use rediss:// for TLS")
)

// parse reads an address. Its errors say what is wrong in the ways that people
// get it wrong, and quote nothing. The host is looked for behind the last @,
// since a password may hold anything in front of it.
func parse(address string) (*goredis.UniversalOptions, error) {
	scheme, rest, _ := strings.Cut(address, "://")
	if scheme != "redis" && scheme != "rediss" {
		return nil, errAddress
	}
	at := strings.LastIndex(rest, "@")
	user, behind := rest[:max(at, 0)], rest[at+1:]
	if _, err := url.PathUnescape(user); err != nil || strings.ContainsAny(user, "/?") || strings.Contains(rest, "#") {
		return nil, errEscape
	}
	host, query, _ := strings.Cut(behind, "?")
	if strings.Contains(host, ",") {
		return nil, errHosts
	}
	given, err := url.ParseQuery(query)
	if err != nil {
		return nil, errOptions
	}
	for name := range given {
		if !slices.Contains([]string{"addr", "master_name", "username", "password", "pool_size"}, name) {
			return nil, errOptions // such as those that end certificates' checks
		}
	}
	options, err := universal(address, given)
	switch {
	case err != nil && query != "":
		return nil, errOptions
	case err != nil:
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

// universal has go-redis read an address, in the form that its query asks for.
func universal(address string, query url.Values) (*goredis.UniversalOptions, error) {
	switch {
	case query.Has("master_name"):
		o, err := goredis.ParseFailoverURL(address)
		if err != nil || o.MasterName == "" {
			return nil, errOptions
		}
		return &goredis.UniversalOptions{
			Addrs: o.SentinelAddrs, MasterName: o.MasterName, DB: o.DB, Username: o.Username, Password: o.Password,
			SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword, TLSConfig: o.TLSConfig, PoolSize: o.PoolSize,
		}, nil
	case query.Has("addr"):
		o, err := goredis.ParseClusterURL(address)
		if err != nil {
			return nil, err
		}
		return &goredis.UniversalOptions{
			Addrs: o.Addrs, IsClusterMode: true, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig, PoolSize: o.PoolSize,
		}, nil
	default:
		o, err := goredis.ParseURL(address)
		if err != nil {
			return nil, err
		}
		return &goredis.UniversalOptions{
			Addrs: []string{o.Addr}, DB: o.DB, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig, PoolSize: o.PoolSize,
		}, nil
	}
}

package config

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// Store says where portraits are kept.
type Store struct {
	// Kind is the kind of the store.
	Kind StoreKind
	// Path is the file of a SQLite store; empty for the server's own file in
	// the user's cache folder, and for the other kinds.
	Path string
	// URL is the address of a Redis store, redis://... or rediss://..., a
	// secret since it may hold a password; empty for the other kinds.
	URL Secret
}

// StoreKind is a kind of store.
type StoreKind string

// The kinds of store.
const (
	StoreSQLite StoreKind = "sqlite" // a file, for the processes of one machine
	StoreMemory StoreKind = "memory" // gone when the process ends
	StoreRedis  StoreKind = "redis"  // shared by many replicas
)

// EnvDecode implements envconfig.Decoder.
func (s *Store) EnvDecode(value string) error {
	store, ok := parseStore(value)
	if !ok {
		return errors.New("not a store")
	}
	*s = store
	return nil
}

func parseStore(value string) (Store, bool) {
	if value == "" {
		return Store{Kind: StoreSQLite}, true
	}
	kind, rest, ok := strings.Cut(value, ":")
	if !ok {
		return Store{}, false
	}
	switch strings.ToLower(kind) {
	case "sqlite":
		return Store{Kind: StoreSQLite, Path: rest}, isStorePath(rest)
	case "memory":
		return Store{Kind: StoreMemory}, rest == ""
	case "redis", "rediss":
		return Store{Kind: StoreRedis, URL: NewSecret(value)}, isRedisURL(value)
	default:
		return Store{}, false
	}
}

// isStorePath refuses what is no path although it reads like one: //, for
// sqlite://name would name a file in the root folder, and SQLite's own word
// for a database without a file.
func isStorePath(path string) bool {
	return path != "" && path != ":memory:" && !strings.HasPrefix(path, "//")
}

// isRedisURL reports whether value has a host and at most a database's number
// behind it.
func isRedisURL(value string) bool {
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || !isPort(u.Port(), true) {
		return false
	}
	db := strings.Trim(u.Path, "/")
	_, err = strconv.ParseUint(db, 10, 31)
	return db == "" || err == nil
}

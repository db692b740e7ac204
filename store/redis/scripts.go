package redis

import (
	"context"

	goredis "github.com/redis/go-redis/v9"
)

// scripts are what must happen as one step. Each may run twice with the same
// arguments, since go-redis asks again when an answer did not arrive.
type scripts struct {
	older, save, acquire, release, charge *goredis.Script
}

func newScripts() scripts {
	return scripts{
		older:   goredis.NewScript(olderScript),
		save:    goredis.NewScript(saveScript),
		acquire: goredis.NewScript(acquireScript),
		release: goredis.NewScript(releaseScript),
		charge:  goredis.NewScript(chargeScript),
	}
}

// run runs a script by its digest, and where the server does not know it, for
// the first time or after a restart, by its text.
func (s *Store) run(ctx context.Context, attempted string, script *goredis.Script, keys []string, args ...any) (any, error) {
	return ask(ctx, s, attempted, func(ctx context.Context) (any, error) {
		return script.Run(ctx, s.client, keys, args...).Result()
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"

	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/memory"
	"kol-portrait-mcp/store/redis"
	"kol-portrait-mcp/store/sqlite"
	"kol-portrait-mcp/upstream"
)

// storage returns how the store that cfg asks for is opened.
func storage(cfg *config.Config, log *slog.Logger) store.Opener {
	switch cfg.Store.Kind {
	case config.StoreMemory:
		return func(context.Context) (store.Store, error) { return memory.New(), nil }
	case config.StoreRedis:
		return func(context.Context) (store.Store, error) { return redis.New(cfg.Store.URL.Reveal(), scope(cfg)) }
	default:
		return (&file{config: cfg, log: log}).open
	}
}

// scope names the upstream that a store's figures and portraits are of, so
// that simulated ones are never taken for the vendor's. The vendor's two
// addresses sell the same portraits from the same account.
func scope(cfg *config.Config) string {
	if cfg.Environment == schema.EnvironmentSample {
		return "sample"
	}
	host := hostOf(cfg.BaseURL)
	for _, own := range []schema.Environment{schema.EnvironmentGlobal, schema.EnvironmentCN} {
		if host == "" || host == hostOf(upstream.Address(own)) {
			return "vendor"
		}
	}
	return host
}

// hostOf returns the host and port of an address in one spelling, or nothing.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// file opens the SQLite store.
type file struct {
	config *config.Config
	log    *slog.Logger
	warn   sync.Once
}

// open opens the file. Where that cannot be, it says so and returns a store in
// memory, so that the server does its work; but not where there is a budget,
// which nobody could keep then.
func (f *file) open(ctx context.Context) (store.Store, error) {
	path, err := f.path()
	if err != nil {
		return f.instead(err)
	}
	s, err := sqlite.Open(ctx, sqlite.Options{Path: path, Scope: scope(f.config), Logger: f.log})
	if errors.Is(err, sqlite.ErrUnusable) {
		return f.instead(err)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (f *file) path() (string, error) {
	if f.config.Store.Path != "" {
		return f.config.Store.Path, nil
	}
	return sqlite.DefaultPath()
}

// instead is what there is without the file.
func (f *file) instead(cause error) (store.Store, error) {
	if f.config.DailyBudget > 0 {
		return nil, &schema.Error{
			Kind: schema.StoreUnavailable,
			Message: fmt.Sprintf("The file of the portrait store cannot be used, so the budget (PORTRAIT_DAILY_BUDGET is %d) cannot be counted, and the vendor was not asked. "+
				"Whoever runs the server finds the cause in its log: mend the file, or name another in PORTRAIT_STORE.", f.config.DailyBudget),
			Retryable:         true,
			RetryAfterSeconds: 60,
		}
	}
	f.warn.Do(func() {
		f.log.Warn("the portrait store cannot be used: portraits are kept in memory, and are gone when this process ends; set PORTRAIT_STORE to another file", "error", cause)
	})
	return memory.New(), nil
}

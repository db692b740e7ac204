package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/secret"
	"kol-portrait-mcp/store"
	"kol-portrait-mcp/store/memory"
	"kol-portrait-mcp/store/redis"
	"kol-portrait-mcp/store/sqlite"
	"kol-portrait-mcp/telemetry"
	"kol-portrait-mcp/upstream"
)

// storage returns how the store that cfg asks for is opened, and its name for
// the log. The error names PORTRAIT_STORE and no part of the address. A file that
// cannot be used is an error that is sqlite.ErrUnusable when it is opened.
func storage(cfg *config.Config, log *slog.Logger) (open store.Opener, name string, err error) {
	if cfg.Store.Kind == config.StoreMemory {
		return func(context.Context) (store.Store, error) { return memory.New(), nil }, "memory", nil
	}
	if cfg.Store.Kind == config.StoreRedis {
		s, err := redis.New(cfg.Store.URL.Reveal(), scope(cfg))
		if err != nil {
			return nil, "", fmt.Errorf("PORTRAIT_STORE is %s: %w", secret.Hidden, err)
		}
		return func(context.Context) (store.Store, error) { return s, nil }, "redis", nil
	}
	path := cfg.Store.Path
	if path == "" {
		if path, err = sqlite.DefaultPath(); err != nil {
			cause := fmt.Errorf("%w: %w", sqlite.ErrUnusable, err)
			return func(context.Context) (store.Store, error) { return nil, cause }, "sqlite", nil
		}
	}
	return func(ctx context.Context) (store.Store, error) {
		s, err := sqlite.Open(ctx, sqlite.Options{Path: path, Scope: scope(cfg), Logger: log})
		if err != nil {
			return nil, err // and no interface that holds a nil pointer
		}
		return s, nil
	}, "sqlite:" + path, nil
}

// orMemory opens a store in memory where the file cannot be used, so that the
// server does its work. Its answers then carry a warning.
func orMemory(open store.Opener, metrics *telemetry.Metrics, log *slog.Logger) store.Opener {
	return func(ctx context.Context) (store.Store, error) {
		s, err := open(ctx)
		if err != nil {
			metrics.StoreError("Open")
		}
		if errors.Is(err, sqlite.ErrUnusable) {
			log.Warn("the portrait store cannot be used: portraits are kept in memory, and are gone when this process ends, as is its count of charged calls; set PORTRAIT_STORE to another file", "error", err)
			return memory.New(), nil
		}
		return s, err
	}
}

// observed opens a store whose calls are counted and traced.
func observed(open store.Opener, metrics *telemetry.Metrics) store.Opener {
	return func(ctx context.Context) (store.Store, error) {
		s, err := open(ctx)
		if err != nil {
			return nil, err
		}
		return store.Observe(s, metrics), nil
	}
}

// scope names the upstream that a store's figures and portraits are of, so
// that simulated ones are never taken for the vendor's. The vendor's two
// addresses sell the same portraits from the same account.
func scope(cfg *config.Config) string {
	if cfg.Environment == schema.EnvironmentSample {
		return "sample"
	}
	host := hostOf(string(cfg.BaseURL))
	if host == "" || host == hostOf(upstream.Address(schema.EnvironmentGlobal)) || host == hostOf(upstream.Address(schema.EnvironmentCN)) {
		return "vendor"
	}
	return host
}

// hostOf returns the host of an address, with its port where it has one.
func hostOf(address string) string {
	u, _ := url.Parse(address) // the settings have been checked
	return strings.ToLower(u.Host)
}

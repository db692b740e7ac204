package config

import (
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Logger returns a logger that writes to w at c's level and in c's form. As a
// last line of defence behind the types that do not print, it puts *** in
// place of every secret of c, so that one that another library repeats, in an
// error or a panic, still does not reach the log.
func (c *Config) Logger(w io.Writer) *slog.Logger {
	out := redactor{w: w, hide: c.hider()}
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == LogJSON {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}

// hider replaces the secrets as they are, as part of a URL, and as quoted.
func (c *Config) hider() *strings.Replacer {
	var forms []string
	for _, secret := range append([]Secret{c.Token, c.Store.URL}, c.AuthTokens...) {
		if text := secret.Reveal(); text != "" {
			quoted := strings.Trim(strconv.Quote(text), `"`)
			forms = append(forms, text, url.QueryEscape(text), url.PathEscape(text), quoted)
		}
	}
	// Longest first: a secret that begins with another must go whole.
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, hidden)
	}
	return strings.NewReplacer(pairs...)
}

// redactor writes each record, which slog hands over whole, without secrets.
type redactor struct {
	w    io.Writer
	hide *strings.Replacer
}

// Write writes the record and reports it as written whole.
func (r redactor) Write(record []byte) (int, error) {
	if _, err := r.hide.WriteString(r.w, string(record)); err != nil {
		return 0, err
	}
	return len(record), nil
}

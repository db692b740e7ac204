package config

import (
	"io"
	"log/slog"
	"net/url"
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
	var pairs []string
	for _, secret := range append([]Secret{c.Token, c.Store.URL}, c.AuthTokens...) {
		text := secret.Reveal()
		if text == "" {
			continue
		}
		quoted := strings.Trim(strconv.Quote(text), `"`)
		for _, form := range []string{text, url.QueryEscape(text), url.PathEscape(text), quoted} {
			pairs = append(pairs, form, hidden)
		}
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

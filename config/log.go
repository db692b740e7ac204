package config

import (
	"io"
	"log/slog"

	"kol-portrait-mcp/redact"
)

// Logger returns a logger that writes to w at c's level and in c's form. As a
// last line of defence behind the types that do not print, it puts *** in
// place of every secret of c, so that one that another library repeats, in an
// error or a panic, still does not reach the log. A record with a secret that
// cannot be replaced is left out, and a line says so.
func (c *Config) Logger(w io.Writer) *slog.Logger {
	out := redactor{w: w, hider: c.hider(), bare: slog.New(c.handler(w, slog.LevelDebug))}
	return slog.New(c.handler(out, c.LogLevel))
}

func (c *Config) handler(w io.Writer, level slog.Level) slog.Handler {
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == LogJSON {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}

// Hide returns text with *** in place of every secret of c.
func (c *Config) Hide(text string) string { return c.hider().Hide(text) }

// hider hides the secrets of c.
func (c *Config) hider() *redact.Hider {
	secrets := []string{c.Token.Reveal(), c.Store.URL.Reveal()}
	for _, token := range c.AuthTokens {
		secrets = append(secrets, token.Reveal())
	}
	return redact.New(secrets...)
}

// redactor writes each record, which slog hands over whole, without secrets.
type redactor struct {
	w     io.Writer
	hider *redact.Hider
	bare  *slog.Logger // writes to w as it is, whatever the level
}

// Write writes the record and reports it as written whole.
func (r redactor) Write(record []byte) (int, error) {
	shown := r.hider.Hide(string(record))
	if shown == redact.Hidden {
		r.bare.Warn("a log record was left out because it held a secret")
		return len(record), nil
	}
	if _, err := io.WriteString(r.w, shown); err != nil {
		return 0, err
	}
	return len(record), nil
}

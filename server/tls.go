package server

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is the server's certificate. It is read again when one of its files
// changes, as a renewal does; open connections go on with the one they began with.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	text    string    // of both files
	looked  time.Time // when they were read last
	failed  string    // why they could not be taken then
}

func newCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log, looked: time.Now()}
	return c, c.read()
}

// get is for tls.Config.GetCertificate. It reads the files once a second at most. Where
// they are no good, or do not belong together yet, the old certificate stays.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < time.Second {
		return c.current, nil
	}
	c.looked = time.Now()
	before, failed := c.current, c.failed
	c.failed = ""
	if err := c.read(); err != nil {
		c.failed = err.Error()
		if c.failed != failed { // else it is in the log already
			c.log.Warn("the new TLS certificate cannot be used; the old one stays", "error", err)
		}
	} else if c.current != before {
		c.log.Info("the TLS certificate was read again")
	}
	return c.current, nil
}

// read compares the text of the files, since their times may stay the same.
func (c *certificate) read() error {
	cert, certErr := os.ReadFile(c.certFile)
	key, keyErr := os.ReadFile(c.keyFile)
	err := cmp.Or(certErr, keyErr)
	if text := string(cert) + string(key); err == nil && text != c.text {
		var read tls.Certificate
		if read, err = tls.X509KeyPair(cert, key); err == nil {
			c.text, c.current = text, &read
		}
	}
	if err != nil {
		return fmt.Errorf("MCP_TLS_CERT %q with MCP_TLS_KEY %q: %w", c.certFile, c.keyFile, err)
	}
	return nil
}

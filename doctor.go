package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/server"
	"kol-portrait-mcp/store/sqlite"
	"kol-portrait-mcp/tools"
	"kol-portrait-mcp/upstream"
	"kol-portrait-mcp/upstream/sample"
)

// checkWithin is how long the store and the address have to answer.
const checkWithin = 10 * time.Second

// newDoctor returns the command that checks whether the program can do its work.
func newDoctor(p process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check settings, token, store and address, and say what to do",
		Long: "doctor checks the settings, whether there is a token, whether the store can be opened and\n" +
			"written, and whether the vendor's address can be reached; where HTTP is to be served, also\n" +
			"who may call, the OAuth issuer's keys, and the certificate. The token is not sent, and\n" +
			"nothing is charged, unless --upstream is given. Exit code 0 where all is well, else 1.",
		Args: cobra.NoArgs,
	}
	ask := cmd.Flags().Bool("upstream", false, "also ask the vendor once, with the token, for the KOL of its documentation; this may be charged")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, problems := cmd.Context(), 0
		report := func(thing, found string, err error) {
			outcome := "ok"
			if err != nil {
				outcome, found = "problem", strings.ReplaceAll(err.Error(), "\n", "; ")
				problems++
			}
			_, _ = fmt.Fprintf(p.stdout, "%-9s %-8s %s\n", thing, outcome, found) // where nobody reads, the exit code tells
		}
		cfg, err := configOf(cmd, p)
		if err == nil {
			_, err = readBaseline(cfg)
		}
		settings := "can be used"
		if names := config.Unknown(os.Environ()); len(names) > 0 {
			settings += "; of no known name, without effect: " + strings.Join(names, ", ")
		}
		report("settings", settings, err)
		if err == nil {
			token := "set"
			if cfg.Environment == schema.EnvironmentSample {
				token = notNeeded
			}
			report("token", token, lacksToken(cfg))
			found, err := checkStore(ctx, cfg)
			report("store", found, err)
			found, err = checkAddress(ctx, cfg)
			report("address", found, err)
			if cfg.Transport != config.TransportStdio {
				report("callers", callers(cfg), nil)
				if cfg.OAuthIssuer != "" {
					found, err = checkIssuer(ctx, cfg)
					report("issuer", found, err)
				}
				if cfg.TLSCert != "" {
					found, err = checkCertificate(cfg)
					report("TLS", found, err)
				}
			}
		}
		if *ask && problems == 0 {
			p.say("Asking the vendor once, for KOL " + sample.DocumentedID + ". This may be charged.")
			found, err := askOnce(ctx, cfg, p)
			report("vendor", found, err)
		}
		if problems > 0 {
			return fmt.Errorf("problems found: %d", problems)
		}
		return nil
	}
	return cmd
}

const notNeeded = "not needed: the vendor is simulated"

// checkStore opens the store, writes a lease that nobody waits for, and takes it
// back.
func checkStore(ctx context.Context, cfg *config.Config) (found string, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	open, name, err := storage(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	s, err := open(ctx)
	if err == nil {
		const nobody = "doctor"
		holder := rand.Text()
		if _, err = s.Acquire(ctx, nobody, holder, time.Second); err == nil {
			err = s.Release(ctx, nobody, holder)
		}
		err = errors.Join(err, s.Close())
	}
	switch {
	case errors.Is(err, sqlite.ErrUnusable):
		return "", fmt.Errorf("%w; portraits would be kept in memory, and paid for again after a restart: make the file and its folder writable, or set PORTRAIT_STORE to another file", err)
	case err != nil:
		return "", fmt.Errorf("%s cannot be used: %w; calls would fail: start it, or set PORTRAIT_STORE to another store", name, err)
	case name == "memory":
		return "memory: portraits are gone when the process ends, and are paid for again", nil
	}
	return "opened and written: " + name, nil
}

// checkAddress asks the vendor's address for its front page, without the token.
// Any answer shows that the name resolves and that a connection can be made,
// through a proxy where one is set.
func checkAddress(ctx context.Context, cfg *config.Config) (found string, err error) {
	address := cmp.Or(string(cfg.BaseURL), upstream.Address(cfg.Environment))
	if address == "" {
		return notNeeded, nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, address+"/", nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultTransport.RoundTrip(request) // which follows no redirect
	if err != nil {
		return "", fmt.Errorf("%s cannot be reached: %w; check the network, a firewall, HTTPS_PROXY, JUSTONEAPI_ENV and JUSTONEAPI_BASE_URL", address, err)
	}
	found = address + " can be reached"
	if cfg.Environment == schema.EnvironmentCN && cfg.BaseURL == "" {
		found += "; it is plain HTTP: the token crosses the network unencrypted"
	}
	return found, response.Body.Close()
}

// checkIssuer fetches the keys that callers' JWTs are checked with. The server starts
// without them, and tries again.
func checkIssuer(ctx context.Context, cfg *config.Config) (found string, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	keys, err := server.CheckIssuer(ctx, authOf(cfg))
	if err != nil {
		return "", fmt.Errorf("the keys of %s cannot be fetched: %w; callers with its JWTs would be refused: check MCP_OAUTH_ISSUER and MCP_OAUTH_JWKS_URL", cfg.OAuthIssuer, err)
	}
	return fmt.Sprintf("%s has keys: %d", cfg.OAuthIssuer, keys), nil
}

// checkCertificate says until when the certificate is valid.
func checkCertificate(cfg *config.Config) (found string, err error) {
	certificate, err := readCertificate(cfg)
	if err != nil {
		return "", err
	}
	until := certificate.Leaf.NotAfter
	if time.Now().After(until) {
		return "", fmt.Errorf("the certificate in %s has expired: it was valid until %s", cfg.TLSCert, until.UTC().Format(time.DateTime+" UTC"))
	}
	return "the certificate is valid until " + until.UTC().Format(time.DateTime+" UTC"), nil
}

// askOnce asks the vendor with one request, and says what came.
func askOnce(ctx context.Context, cfg *config.Config, p process) (found string, err error) {
	cfg.MaxAttempts, cfg.LogLevel, cfg.AnswerWithin = 1, max(cfg.LogLevel, slog.LevelWarn), deadline(cfg)
	err = with(ctx, cfg, p, purpose{maxCharged: 1}, func(ctx context.Context, prog *program) error {
		defer context.AfterFunc(ctx, func() { prog.shut(0, p.say) })()
		portrait, err := prog.collector.Portrait(ctx, sample.DocumentedID, true)
		switch {
		case err != nil:
			return failureError(tools.FailureOf(err, cfg.Language))
		case portrait.FromStore:
			found = "not asked: it answered less than ten minutes ago, and that answer is stored"
		default:
			found = fmt.Sprintf("answered, charged one call; the portrait is of %s", cmp.Or(portrait.AsOf, "no day"))
		}
		return nil
	})
	return found, err
}

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kol-portrait-mcp/clients"
	"kol-portrait-mcp/config"
	"kol-portrait-mcp/schema"
	"kol-portrait-mcp/server"
	"kol-portrait-mcp/store/redis"
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
			"nothing is charged, unless --upstream is given. Exit code 0 where all is well, else 1.\n\n" +
			"With --client it checks nothing: it prints how that client is connected to this binary.",
		Args: cobra.NoArgs,
	}
	ask := cmd.Flags().Bool("upstream", false, "also ask the vendor once, with the token, for the KOL of its documentation; this may be charged")
	client := cmd.Flags().String("client", "", "print the configuration of a client for this binary: claude-desktop, vscode, cursor, codex, cherry-studio, ... (a wrong one lists them all)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.Flags().Changed("client") {
			cfg, err := configOf(cmd, p)
			if err != nil {
				return err
			}
			return connect(cfg, p, *client)
		}
		const line = "%-9s %-8s %s\n"
		ctx, problems := cmd.Context(), 0
		report := func(thing, found string, err error) {
			outcome := "ok"
			if err != nil {
				outcome, found = "problem", strings.ReplaceAll(err.Error(), "\n", "; ")
				problems++
			}
			_, _ = fmt.Fprintf(p.stdout, line, thing, outcome, found) // where nobody reads, the exit code tells
		}
		cfg, err := configOf(cmd, p)
		if err == nil {
			_, err = readBaseline(cfg)
		}
		settings := "can be used"
		for _, v := range config.Variables() {
			if hint := unfilled(v, p); hint != "" && v.Name != "JUSTONEAPI_TOKEN" {
				settings += "; " + hint
			}
		}
		if names := config.Unknown(os.Environ()); len(names) > 0 {
			settings += "; of no known name, without effect: " + strings.Join(names, ", ")
		}
		report("settings", settings, err)
		if err == nil {
			token := "set"
			if cfg.Environment == schema.EnvironmentSample {
				token = notNeeded
			}
			report("token", token, explainToken(cfg, p))
			found, risks, err := checkStore(ctx, cfg)
			report("store", found, err)
			for _, risk := range risks {
				_, _ = fmt.Fprintf(p.stdout, line, "store", "warning", risk)
			}
			found, err = checkAddress(ctx, cfg, p)
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

// explainToken is the error where a token is needed and none is set. It says where to
// get one.
func explainToken(cfg *config.Config, p process) error {
	err := lacksToken(cfg)
	if err == nil {
		return nil
	}
	if hint := unfilled(config.Variable{Name: "JUSTONEAPI_TOKEN", Secret: true}, p); hint != "" {
		err = fmt.Errorf("no vendor token: %s", hint)
	}
	return fmt.Errorf("%w; the vendor, Just One API, gives a token to each account: see https://docs.justoneapi.com; JUSTONEAPI_ENV=sample needs none, and answers with made-up data", err)
}

// unfilled says which placeholder was left in a variable and who should have filled it
// in; empty where there is none. Of a secret variable it shows no part that could be the
// secret, written between the braces by mistake.
func unfilled(v config.Variable, p process) string {
	value, _ := p.env.Lookup(v.Name)
	value = strings.TrimSpace(value)
	if !config.IsPlaceholder(value) {
		return ""
	}
	kind, field := "", strings.TrimRight(strings.TrimLeft(value, "$%{"), "%}")
	for _, prefix := range []string{"user_config.", "input:", "env:"} {
		if rest, ok := strings.CutPrefix(field, prefix); ok {
			kind, field = prefix, rest
		}
	}
	name := " " + field
	if v.Secret && !strings.EqualFold(field, v.Name) && field != "token" {
		name = ""
	}
	text := v.Name + " holds a placeholder and counts as not set: "
	switch {
	case value == clients.Placeholder:
		return text + "write your token in the place of " + value + ", in the client's configuration"
	case kind == "user_config.":
		return text + "fill in the field" + name + " in the client's settings of this extension (Claude Desktop: Settings → Extensions)"
	case kind == "input:":
		return text + "the client has not asked for its input" + name + ": start the server from the client's list of MCP servers"
	}
	return text + "the client that started this program has no variable" + name + ": set it where the client is started, or write the value into the client's configuration"
}

// checkStore opens the store, writes a lease that nobody waits for, and takes it
// back. The risks are what may lose portraits although the store works.
func checkStore(ctx context.Context, cfg *config.Config) (found string, risks []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	open, name, err := storage(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", nil, err
	}
	s, err := open(ctx)
	if err == nil {
		const nobody = "doctor"
		holder := rand.Text()
		if _, err = s.Acquire(ctx, nobody, holder, time.Second); err == nil {
			err = s.Release(ctx, nobody, holder)
		}
		if server, ok := s.(*redis.Store); ok && err == nil {
			risks = server.Risks(ctx)
		}
		err = errors.Join(err, s.Close())
	}
	switch {
	case errors.Is(err, sqlite.ErrUnusable):
		return "", nil, fmt.Errorf("%w; %sportraits would be kept in memory, and paid for again after a restart: make the file and its folder writable, or set PORTRAIT_STORE to another file", err, ownerOf(strings.TrimPrefix(name, "sqlite:")))
	case err != nil:
		return "", nil, fmt.Errorf("%s cannot be used: %w; calls would fail: start it, or set PORTRAIT_STORE to another store", name, err)
	case name == "memory":
		return "memory: portraits are gone when the process ends, and are paid for again", nil, nil
	}
	return "opened and written: " + name, risks, nil
}

// ownerOf says to whom the folder of a file belongs, or the nearest one above it that
// exists, and who this process is. Where the system knows no such numbers it says
// nothing.
func ownerOf(path string) string {
	folder := filepath.Dir(path)
	info, err := os.Stat(folder)
	for err != nil && folder != filepath.Dir(folder) {
		folder = filepath.Dir(folder)
		info, err = os.Stat(folder)
	}
	if err != nil {
		return ""
	}
	owner := reflect.Indirect(reflect.ValueOf(info.Sys())).FieldByName("Uid") // of Unix alone
	if !owner.IsValid() {
		return ""
	}
	return fmt.Sprintf("%s (%s) belongs to user %d, and this process runs as user %d; ", folder, info.Mode(), owner.Uint(), os.Getuid())
}

// checkAddress asks the vendor's address for its front page, without the token.
// Any answer shows that the name resolves and that a connection can be made,
// through a proxy where one is set.
func checkAddress(ctx context.Context, cfg *config.Config, p process) (found string, err error) {
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
	variable := strings.ToUpper(request.URL.Scheme) + "_PROXY"
	if value, _ := p.env.Lookup(variable); value == "" {
		variable = strings.ToLower(variable)
	}
	proxy, err := http.ProxyFromEnvironment(request)
	if err != nil { // which may quote a password
		return "", fmt.Errorf("%s is no address of a proxy: it takes http://HOST:PORT", variable)
	}
	response, err := http.DefaultTransport.RoundTrip(request) // which follows no redirect
	switch {
	case err != nil && proxy != nil:
		return "", explainProxy(ctx, address, variable, proxy, err)
	case err != nil:
		return "", fmt.Errorf("%s cannot be reached: %w; check the network, a firewall, HTTPS_PROXY, JUSTONEAPI_ENV and JUSTONEAPI_BASE_URL", address, err)
	}
	found = address + " can be reached"
	if proxy != nil {
		found += ", through the proxy " + proxy.Host + " (" + variable + ")"
	}
	if cfg.Environment == schema.EnvironmentCN && cfg.BaseURL == "" {
		found += "; it is plain HTTP: the token crosses the network unencrypted"
	}
	return found, response.Body.Close()
}

// explainProxy says whether it is the proxy that cannot be reached, or what is behind it.
func explainProxy(ctx context.Context, address, variable string, proxy *url.URL, failure error) error {
	port := cmp.Or(proxy.Port(), map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[proxy.Scheme], "80")
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(proxy.Hostname(), port))
	if err != nil {
		return fmt.Errorf("%s cannot be reached: the proxy %s (%s) does not answer: %w; correct %s, or name the address in NO_PROXY", address, proxy.Host, variable, err, variable)
	}
	_ = connection.Close()
	return fmt.Errorf("%s cannot be reached: the proxy %s (%s) answers, but the request through it failed: %w; ask whoever runs the proxy, or name the address in NO_PROXY", address, proxy.Host, variable, failure)
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

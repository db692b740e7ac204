package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"kol-portrait-mcp/config"
)

// healthWithin is how long the server has to answer. It is less than the timeout of
// the image's HEALTHCHECK, so that the command says itself what was wrong.
const healthWithin = 3 * time.Second

// newHealth returns the command that a container asks itself with whether its server
// is up: the image holds no other program that could ask.
func newHealth(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "health",
		Short: "Ask the server at MCP_ADDR whether it is up",
		Long: "health asks /healthz of the server that the environment describes, at MCP_ADDR on this\n" +
			"machine. Exit code 0 where it is up, else 1. A server on stdio is up while its process\n" +
			"runs: with MCP_TRANSPORT=stdio health asks nothing, and says so. The image's HEALTHCHECK runs it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := configOf(cmd, p)
			if err != nil {
				return err
			}
			if cfg.Transport == config.TransportStdio {
				_, err := fmt.Fprintln(p.stdout, "stdio: nothing was asked")
				return err
			}
			return askHealth(cmd.Context(), cfg)
		},
	}
}

// askHealth asks the server of this machine directly, whatever proxy is set. Its
// certificate names the address that clients use, so it is not checked.
func askHealth(ctx context.Context, cfg *config.Config) error {
	scheme := "http"
	if cfg.TLSCert != "" {
		scheme = "https"
	}
	ctx, cancel := context.WithTimeout(ctx, healthWithin)
	defer cancel()
	// An address of every interface, such as 0.0.0.0 or none, is dialled as this machine's.
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+string(cfg.Addr)+"/healthz", nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // see above; nothing secret is sent
	response, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("the server does not answer at MCP_ADDR: %w", err)
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server at MCP_ADDR answers /healthz with %s", response.Status)
	}
	return nil
}

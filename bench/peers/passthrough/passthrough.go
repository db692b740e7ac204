// Package passthrough is what the Go peers of the benchmarks have in common:
// a portrait as the vendor prints it, without a store, checks or a summary.
package passthrough

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
)

// Vendor sells portraits.
type Vendor struct {
	address string
	answer  string // given to every call without asking, where it is not empty
}

// FromEnvironment returns the vendor at the address in PEER_UPSTREAM, or one
// that has the content of the file that PEER_ANSWER names at hand.
func FromEnvironment() (*Vendor, error) {
	v := &Vendor{address: os.Getenv("PEER_UPSTREAM")}
	if file := os.Getenv("PEER_ANSWER"); file != "" {
		answer, err := os.ReadFile(file) //nolint:gosec // the benchmarks name the file
		if err != nil {
			return nil, fmt.Errorf("read PEER_ANSWER: %w", err)
		}
		v.answer = string(answer)
	}
	return v, nil
}

// Portrait returns the vendor's answer for a KOL, unread.
func (v *Vendor) Portrait(ctx context.Context, kolID string) (string, error) {
	if v.answer != "" {
		return v.answer, nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.address+"?kolId="+url.QueryEscape(kolID), http.NoBody)
	if err != nil {
		return "", fmt.Errorf("ask the vendor: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("ask the vendor: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("read the vendor's answer: %w", err)
	}
	return string(answer), nil
}

package tools

import (
	"fmt"
	"slices"
	"strings"

	"kol-portrait-mcp/schema"
)

// comparisonFailure is a comparison that has no portrait at all.
type comparisonFailure struct {
	together *schema.Error
	failures []schema.FailedPortrait
}

// Error is that of all together.
func (f *comparisonFailure) Error() string { return f.together.Error() }

// Unwrap returns the failure of all together.
func (f *comparisonFailure) Unwrap() error { return f.together }

// allFailed is the error of a comparison all of whose KOLs failed. Its kind is
// that of the failure that is worth repeating the soonest.
func allFailed(failures []schema.FailedPortrait) error {
	best := failures[0].Error
	for _, f := range failures {
		if f.Error.Retryable && (!best.Retryable || f.Error.RetryAfterSeconds < best.RetryAfterSeconds) {
			best = f.Error
		}
	}
	return &comparisonFailure{failures: failures, together: &schema.Error{
		Kind:              best.Kind,
		Message:           fmt.Sprintf("None of the %d portraits could be had. %s", len(failures), strings.Join(reasons(failures), " ")),
		Retryable:         best.Retryable,
		RetryAfterSeconds: best.RetryAfterSeconds,
		Charged:           mayBeCharged(failures) > 0,
	}}
}

// mayBeCharged counts the failures that cost a charged call, or may have.
func mayBeCharged(failures []schema.FailedPortrait) int {
	n := 0
	for _, f := range failures {
		if f.Error.Charged {
			n++
		}
	}
	return n
}

// reasons says why KOLs failed, those of one reason together.
func reasons(failures []schema.FailedPortrait) []string {
	var said []string
	var kols [][]string
	for _, f := range failures {
		reason := fmt.Sprintf("%s: %s Retryable: %s. Charged: %s.", f.Error.Kind, f.Error.Message, retryable(f.Error), charged(f.Error, "each at most once"))
		i := slices.Index(said, reason)
		if i < 0 {
			i = len(said)
			said, kols = append(said, reason), append(kols, nil)
		}
		kols[i] = append(kols[i], f.KOLID)
	}
	for i := range said {
		said[i] = strings.Join(kols[i], ", ") + ": " + said[i]
	}
	return said
}

package schema

import "fmt"

// Kind names what went wrong, in terms that an agent can branch on.
type Kind string

// The kinds of failure.
const (
	InvalidArgument     Kind = "invalid_argument"     // the call itself is wrong; nothing was asked of the vendor
	MissingToken        Kind = "missing_token"        // no vendor token is configured
	InvalidToken        Kind = "invalid_token"        // the vendor does not accept the token
	PermissionDenied    Kind = "permission_denied"    // the token may not use this endpoint
	InsufficientBalance Kind = "insufficient_balance" // the vendor account has no money left
	DailyQuotaExceeded  Kind = "daily_quota_exceeded" // the vendor's own daily limit
	BudgetExhausted     Kind = "budget_exhausted"     // this server's daily budget
	RateLimited         Kind = "rate_limited"         // too many requests for the vendor
	CollectionFailed    Kind = "collection_failed"    // the vendor could not collect this KOL
	NoPortrait          Kind = "no_portrait"          // the vendor has no portrait of this KOL
	UpstreamRejected    Kind = "upstream_rejected"    // the vendor refused the request as such
	UpstreamError       Kind = "upstream_error"       // the vendor failed
	EndpointRemoved     Kind = "endpoint_removed"     // the vendor no longer serves the endpoint
	BadResponse         Kind = "bad_response"         // the vendor's answer cannot be trusted
	Timeout             Kind = "timeout"              // no answer in time
	Network             Kind = "network"              // the vendor could not be reached
	StillCollecting     Kind = "still_collecting"     // the answer is on its way
	StoreUnavailable    Kind = "store_unavailable"    // the portrait store does not answer
	Internal            Kind = "internal"             // a fault of this server
)

// Error is a failure as every layer and every client understands it. Message
// says what happened, and never holds the token; what to do about it is added
// where the failure is told to a caller, in the caller's language.
type Error struct {
	Kind              Kind   `json:"kind"`
	Message           string `json:"message" jsonschema_description:"What was wrong and what to do about it"`
	Retryable         bool   `json:"retryable" jsonschema_description:"Whether the same call may succeed later"`
	RetryAfterSeconds int    `json:"retryAfterSeconds,omitempty" jsonschema_description:"How long to wait first"` // 0 where not known
	UpstreamCode      int    `json:"upstreamCode,omitempty" jsonschema_description:"The vendor's business code"`  // 0 where it gave none
	RequestID         string `json:"requestId,omitempty" jsonschema_description:"The vendor's id of the request, for its support"`
	Charged           bool   `json:"charged" jsonschema_description:"Whether a vendor call was, or may have been, charged"`
}

// Error returns the kind and the message.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s", e.Kind, e.Message)
}

package upstream

import (
	"net/http"

	"kol-portrait-mcp/schema"
)

// rule is what an answer without a portrait means.
type rule struct {
	kind      schema.Kind
	what      string // happened, a sentence without its full stop
	advice    string
	retryable bool // whether the same call may succeed later
	retry     bool // whether the Client itself asks again
}

// Advice that several rules share.
const (
	adviseToken     = "Check the value of JUSTONEAPI_TOKEN against the token in the vendor's dashboard."
	adviseSlower    = "Call again later, with fewer calls at a time."
	adviseLater     = "Call again in a few minutes."
	adviseSuccessor = "The vendor names a successor for this endpoint, fans_profile: update this server."
	adviseReport    = "Ask the vendor's support what it means."
	adviseBalance   = "Top up the vendor account first."
	adviseAccess    = "Enable this endpoint for the token in the vendor's dashboard first."
)

// codeRule gives the meaning of a business code other than 0. The codes are
// those of the vendor's page and of its OpenAPI document; 602 and what 303
// means by a day come from people who use the API. Only code 0 is charged.
func codeRule(code int) rule {
	switch code {
	case 100:
		return rule{schema.InvalidToken, "The vendor does not accept the token: it is invalid or inactive", adviseToken, false, false}
	case 300, 404:
		return rule{schema.EndpointRemoved, "The vendor no longer serves this endpoint", adviseSuccessor, false, false}
	case 301:
		return rule{schema.CollectionFailed, "The vendor could not collect this KOL's portrait",
			"Call again in a few minutes; an id that keeps failing may not be a KOL of the vendor's marketplace.", true, true}
	case 302:
		return rule{schema.RateLimited, "The vendor's rate limit is exceeded", adviseSlower, true, true}
	case 303:
		return rule{schema.DailyQuotaExceeded, "The vendor's daily quota for this token is used up",
			"Call again after 00:00 in Shanghai (UTC+8), when the vendor's next day starts.", true, false}
	case 400:
		return rule{schema.UpstreamRejected, "The vendor calls the request invalid: it probably does not know this KOL id",
			"Check the id: it is the last part of the KOL's profile address.", false, false}
	case 500:
		return rule{schema.UpstreamError, "The vendor failed inside", adviseLater, true, true}
	case 503:
		return rule{schema.UpstreamError, "The vendor's service is not available", adviseLater, true, true}
	case 600:
		return rule{schema.PermissionDenied, "The token may not use this endpoint", adviseAccess, false, false}
	case 601, 602:
		return rule{schema.InsufficientBalance, "The vendor account's balance is too low", adviseBalance, false, false}
	case 101, 202:
		return rule{schema.UpstreamRejected, "The vendor refused the request for a reason that it does not document", adviseReport, false, false}
	default:
		return rule{schema.UpstreamRejected, "The vendor refused the request with a code that is not known", adviseReport, false, false}
	}
}

// statusRule gives the meaning of an HTTP status from 300 on that came without
// an envelope, so from something in front of the vendor's own code. A
// gateway's timeout (504, and Cloudflare's 524) is like the Client's own: the
// vendor may still complete the request behind it, so it is not sent again.
func statusRule(status int) rule {
	switch {
	case status == http.StatusTooManyRequests:
		return rule{schema.RateLimited, "Too many requests for the vendor", adviseSlower, true, true}
	case status == http.StatusUnauthorized:
		return rule{schema.InvalidToken, "The vendor does not accept the token", adviseToken, false, false}
	case status == http.StatusForbidden:
		return rule{schema.PermissionDenied, "The vendor denies access", adviseAccess, false, false}
	case status == http.StatusNotFound, status == http.StatusGone:
		return rule{schema.EndpointRemoved, "The vendor's address has no such endpoint", "Check JUSTONEAPI_BASE_URL if it is set. Else: " + adviseSuccessor, false, false}
	case status == http.StatusGatewayTimeout, status == 524:
		return rule{schema.Timeout, "The vendor's gateway gave up waiting for the answer", adviseWait, true, false}
	case status >= 500:
		return rule{schema.UpstreamError, "The vendor failed", adviseLater, true, true}
	case status >= 400:
		return rule{schema.UpstreamRejected, "The vendor refused the request", adviseReport, false, false}
	default:
		return rule{schema.UpstreamError, "The vendor redirects to another address, which is not followed since that would hand it the token",
			"Check the vendor's address that this server is configured with (JUSTONEAPI_ENV, JUSTONEAPI_BASE_URL).", false, false}
	}
}

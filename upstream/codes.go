package upstream

import (
	"net/http"

	"kol-portrait-mcp/schema"
)

// outcome is whether a request was charged, and whether to send it again.
type outcome int

const (
	refused   outcome = iota // not charged, and the same call would be refused again
	later                    // not charged; the caller may call again, but not soon
	again                    // not charged; the Client itself asks again
	unsettled                // may have been charged, or may yet; the caller may call again
	doubtful                 // may have been charged, and the same call would bring the same
)

// Advice that several rules share.
const (
	adviseToken   = "Check the value of JUSTONEAPI_TOKEN against the token in the vendor's dashboard."
	adviseSlower  = "Call again later, with fewer calls at a time."
	adviseLater   = "Call again in a few minutes."
	adviseReport  = "Ask the vendor's support what it means."
	adviseBalance = "Top up the vendor account first."
	adviseAccess  = "Enable this endpoint for the token in the vendor's dashboard first."
	adviseAddress = "Check the vendor's address that this server is configured with (JUSTONEAPI_ENV, JUSTONEAPI_BASE_URL)."
	adviseGone    = "Check JUSTONEAPI_BASE_URL if it is set. Else set JUSTONEAPI_ENDPOINT=auto, which asks the other endpoint where one is gone, or update this server."
	adviseWait    = "The vendor may still complete this call, and may have charged it. Wait some minutes before calling again: that may be charged a second time."
	adviseDoubt   = "The vendor may have charged this call. The same call may bring the same answer, and be charged; tell the vendor's support."
)

// codes are the meanings of the business codes other than 0, which alone is
// charged. They are those of the vendor's page and of its OpenAPI document; 602
// and what 303 means by a day come from people who use the API.
var codes = map[int]rule{
	100: {schema.InvalidToken, "The vendor does not accept the token: it is invalid or inactive", adviseToken, refused},
	300: {schema.EndpointRemoved, "The vendor no longer serves this endpoint", adviseGone, refused},
	301: {schema.CollectionFailed, "The vendor could not collect this KOL's portrait", "Call again in a few minutes; an id that keeps failing may not be a KOL of the vendor's marketplace.", again},
	302: {schema.RateLimited, "The vendor's rate limit is exceeded", adviseSlower, again},
	303: {schema.DailyQuotaExceeded, "The vendor's daily quota for this token is used up", "Call again after 00:00 in Shanghai (UTC+8), when the vendor's next day starts.", later},
	400: {schema.UpstreamRejected, "The vendor calls the request invalid: it probably does not know this KOL id", "Check the id: it is the last part of the KOL's profile address.", refused},
	404: {schema.EndpointRemoved, "The vendor no longer serves this endpoint", adviseGone, refused},
	500: {schema.UpstreamError, "The vendor failed inside", adviseLater, again},
	503: {schema.UpstreamError, "The vendor's service is not available", adviseLater, again},
	600: {schema.PermissionDenied, "The token may not use this endpoint", adviseAccess, refused},
	601: {schema.InsufficientBalance, "The vendor account's balance is too low", adviseBalance, refused},
	602: {schema.InsufficientBalance, "The vendor account's balance is too low", adviseBalance, refused},
}

// unknownCode is the meaning of all other codes, of which the vendor lists 101
// and 202 without a word.
var unknownCode = rule{schema.UpstreamRejected, "The vendor refused the request for a reason that it does not document", adviseReport, refused}

// statusRule gives the meaning of an HTTP status other than 2xx that came
// without an envelope, so from something in front of the vendor's own code. A
// gateway that took the request and does not know what became of it is like
// the Client's own timeout: the vendor may still complete the request behind
// it, so it is not sent again.
func statusRule(status int) rule {
	switch status {
	case 301, 302, 303, 307, 308:
		return rule{schema.UpstreamError, "The vendor redirects to another address, which is not followed since that would hand it the token", adviseAddress, refused}
	case http.StatusUnauthorized:
		return rule{schema.InvalidToken, "The vendor does not accept the token", adviseToken, refused}
	case http.StatusForbidden:
		return rule{schema.PermissionDenied, "The vendor denies access", adviseAccess, refused}
	case http.StatusNotFound, http.StatusGone:
		return rule{schema.EndpointRemoved, "The vendor's address has no such endpoint", adviseGone, refused}
	case http.StatusTooManyRequests:
		return rule{schema.RateLimited, "Too many requests for the vendor", adviseSlower, again}
	case http.StatusRequestTimeout, 499, http.StatusGatewayTimeout, 520, 522, 524: // 499 is nginx's, those from 520 on are Cloudflare's
		return rule{schema.Timeout, "Something in front of the vendor gave up on the request", adviseWait, unsettled}
	case http.StatusBadGateway: // the vendor took the request, and its answer went wrong on the way
		return rule{schema.UpstreamError, "Something in front of the vendor lost its answer", adviseWait, unsettled}
	}
	switch status / 100 {
	case 4:
		return rule{schema.UpstreamRejected, "The vendor refused the request", adviseReport, refused}
	case 5: // Cloudflare's 521, 523, 525 and 526 too: it did not reach the vendor
		return rule{schema.UpstreamError, "The vendor failed", adviseLater, again}
	default:
		return rule{schema.BadResponse, "The vendor's answer has an unexpected HTTP status", adviseDoubt, doubtful}
	}
}

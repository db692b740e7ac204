package upstream

import (
	"net/http"

	"kol-portrait-mcp/schema"
)

// rule is what an answer without a portrait means.
type rule struct {
	kind    schema.Kind
	what    string // happened, a sentence without its full stop
	advice  string
	outcome outcome
}

// outcome is whether a request was charged, and whether to send it again.
type outcome int

const (
	refused   outcome = iota // not charged, and the same call would be refused again
	later                    // not charged; the caller may call again, but not soon
	again                    // not charged; the Client itself asks again
	unsettled                // may have been charged, or may yet; the caller may call again
	doubtful                 // may have been charged, and the same call would bring the same
)

// retryable tells whether the same call may succeed later.
func (o outcome) retryable() bool { return o == later || o == again || o == unsettled }

// charged tells whether the vendor may have charged the request, or may yet.
func (o outcome) charged() bool { return o == unsettled || o == doubtful }

// Advice that several rules share.
const (
	adviseToken   = "Check the value of JUSTONEAPI_TOKEN against the token in the vendor's dashboard."
	adviseSlower  = "Call again later, with fewer calls at a time."
	adviseLater   = "Call again in a few minutes."
	adviseReport  = "Ask the vendor's support what it means."
	adviseBalance = "Top up the vendor account first."
	adviseAccess  = "Enable this endpoint for the token in the vendor's dashboard first."
)

// codeRule gives the meaning of a business code other than 0. The codes are
// those of the vendor's page and of its OpenAPI document; 602 and what 303
// means by a day come from people who use the API. Only code 0 is charged.
func codeRule(code int) rule {
	switch code {
	case 100:
		return rule{schema.InvalidToken, "The vendor does not accept the token: it is invalid or inactive", adviseToken, refused}
	case 300, 404:
		return rule{schema.EndpointRemoved, "The vendor no longer serves this endpoint", "", refused} // see collection.removed
	case 301:
		return rule{schema.CollectionFailed, "The vendor could not collect this KOL's portrait",
			"Call again in a few minutes; an id that keeps failing may not be a KOL of the vendor's marketplace.", again}
	case 302:
		return rule{schema.RateLimited, "The vendor's rate limit is exceeded", adviseSlower, again}
	case 303:
		return rule{schema.DailyQuotaExceeded, "The vendor's daily quota for this token is used up",
			"Call again after 00:00 in Shanghai (UTC+8), when the vendor's next day starts.", later}
	case 400:
		return rule{schema.UpstreamRejected, "The vendor calls the request invalid: it probably does not know this KOL id",
			"Check the id: it is the last part of the KOL's profile address.", refused}
	case 500:
		return rule{schema.UpstreamError, "The vendor failed inside", adviseLater, again}
	case 503:
		return rule{schema.UpstreamError, "The vendor's service is not available", adviseLater, again}
	case 600:
		return rule{schema.PermissionDenied, "The token may not use this endpoint", adviseAccess, refused}
	case 601, 602:
		return rule{schema.InsufficientBalance, "The vendor account's balance is too low", adviseBalance, refused}
	case 101, 202:
		return rule{schema.UpstreamRejected, "The vendor refused the request for a reason that it does not document", adviseReport, refused}
	default:
		return rule{schema.UpstreamRejected, "The vendor refused the request with a code that is not known", adviseReport, refused}
	}
}

// statusRule gives the meaning of an HTTP status other than 2xx that came
// without an envelope, so from something in front of the vendor's own code. A
// gateway that took the request and does not know what became of it is like
// the Client's own timeout: the vendor may still complete the request behind
// it, so it is not sent again.
func statusRule(status int) rule {
	switch status {
	case 301, 302, 303, 307, 308:
		return rule{schema.UpstreamError, "The vendor redirects to another address, which is not followed since that would hand it the token",
			"Check the vendor's address that this server is configured with (JUSTONEAPI_ENV, JUSTONEAPI_BASE_URL).", refused}
	case http.StatusUnauthorized:
		return rule{schema.InvalidToken, "The vendor does not accept the token", adviseToken, refused}
	case http.StatusForbidden:
		return rule{schema.PermissionDenied, "The vendor denies access", adviseAccess, refused}
	case http.StatusNotFound, http.StatusGone:
		return rule{schema.EndpointRemoved, "The vendor's address has no such endpoint", "", refused} // see collection.removed
	case http.StatusTooManyRequests:
		return rule{schema.RateLimited, "Too many requests for the vendor", adviseSlower, again}
	case http.StatusRequestTimeout, 499, http.StatusGatewayTimeout, 520, 522, 524: // 499 is nginx's, those from 520 on are Cloudflare's
		return rule{schema.Timeout, "Something in front of the vendor gave up on the request", adviseWait, unsettled}
	case http.StatusBadGateway: // the vendor took the request, and its answer went wrong on the way
		return rule{schema.UpstreamError, "Something in front of the vendor lost its answer", adviseWait, unsettled}
	}
	switch {
	case status >= 400 && status < 500:
		return rule{schema.UpstreamRejected, "The vendor refused the request", adviseReport, refused}
	case status >= 500 && status < 600: // Cloudflare's 521, 523, 525 and 526 too: it did not reach the vendor
		return rule{schema.UpstreamError, "The vendor failed", adviseLater, again}
	default:
		return rule{schema.BadResponse, "The vendor's answer has an unexpected HTTP status",
			"Check JUSTONEAPI_BASE_URL if it is set. Else: " + adviseReport, doubtful}
	}
}

// codeHealth is what a business code other than 0 says of the vendor.
func codeHealth(code int) health {
	if code == 500 || code == 503 {
		return down
	}
	return alive
}

// statusHealth is the same for an HTTP status that came without an envelope. A
// redirect, or what no vendor sends, only shows that something is amiss with
// the address.
func statusHealth(status int) health {
	switch {
	case statusRule(status).kind == schema.Timeout, status >= 500 && status < 600:
		return down
	case status >= 400 && status < 500:
		return alive
	default:
		return unclear
	}
}

package upstream

import (
	"net/http"

	"kol-portrait-mcp/schema"
)

// rule is what to make of a request that brought no portrait.
type rule struct {
	kind    schema.Kind
	outcome outcome
	what    string // happened, a sentence without its full stop
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

// costs are sentences on what a request may have cost where it may have been
// charged.
var costs = map[outcome]string{
	unsettled: " The vendor may still complete this call, and may have charged it.",
	doubtful:  " The vendor may have charged this call.",
}

func (o outcome) charged() bool { return costs[o] != "" }

// codes are the meanings of the business codes other than 0, which alone is
// charged. They are those of the vendor's page and of its OpenAPI document; 602
// and what 303 means by a day come from people who use the API.
var codes = map[int]rule{
	100: {schema.InvalidToken, refused, "The vendor does not accept the token: it is invalid or inactive"},
	300: {schema.EndpointRemoved, refused, "The vendor no longer serves this endpoint"},
	301: {schema.CollectionFailed, again, "The vendor could not collect this KOL's portrait"},
	302: {schema.RateLimited, again, "The vendor's rate limit is exceeded"},
	303: {schema.DailyQuotaExceeded, later, "The vendor's daily quota for this token is used up; its next day starts at 00:00 in Shanghai"},
	400: {schema.UpstreamRejected, refused, "The vendor calls the request invalid: it probably does not know this KOL id"},
	404: {schema.EndpointRemoved, refused, "The vendor no longer serves this endpoint"},
	500: {schema.UpstreamError, again, "The vendor failed inside"},
	503: {schema.UpstreamError, again, "The vendor's service is not available"},
	600: {schema.PermissionDenied, refused, "The token may not use this endpoint"},
	601: {schema.InsufficientBalance, refused, "The vendor account's balance is too low"},
	602: {schema.InsufficientBalance, refused, "The vendor account's balance is too low"},
}

// unknownCode is the meaning of all other codes, of which the vendor lists 101
// and 202 without a word.
var unknownCode = rule{schema.UpstreamRejected, refused, "The vendor refused the request for a reason that it does not document"}

// notSent is the meaning of a request that was still waiting when the time of the
// call was up.
var notSent = rule{schema.Timeout, later, "The call ended before the vendor answered"}

// statusRule gives the meaning of an HTTP status other than 2xx that came
// without an envelope, so from something in front of the vendor's own code. A
// gateway that took the request and does not know what became of it is like
// the Client's own timeout: the vendor may still complete the request behind
// it, so it is not sent again.
func statusRule(status int) rule {
	switch status {
	case 301, 302, 303, 307, 308:
		return rule{schema.UpstreamError, refused, "The vendor's address (JUSTONEAPI_ENV, JUSTONEAPI_BASE_URL) redirects to another, which is not followed since that would hand it the token"}
	case http.StatusUnauthorized:
		return rule{schema.InvalidToken, refused, "The vendor does not accept the token"}
	case http.StatusForbidden:
		return rule{schema.PermissionDenied, refused, "The vendor denies access"}
	case http.StatusNotFound, http.StatusGone:
		return rule{schema.EndpointRemoved, refused, "The vendor's address has no such endpoint"}
	case http.StatusTooManyRequests:
		return rule{schema.RateLimited, again, "Too many requests for the vendor"}
	case http.StatusRequestTimeout, 499, http.StatusGatewayTimeout, 520, 522, 524: // 499 is nginx's, those from 520 on are Cloudflare's
		return rule{schema.Timeout, unsettled, "Something in front of the vendor gave up on the request"}
	case http.StatusBadGateway: // the vendor took the request, and its answer went wrong on the way
		return rule{schema.UpstreamError, unsettled, "Something in front of the vendor lost its answer"}
	}
	switch status / 100 {
	case 4:
		return rule{schema.UpstreamRejected, refused, "The vendor refused the request"}
	case 5: // Cloudflare's 521, 523, 525 and 526 too: it did not reach the vendor
		return rule{schema.UpstreamError, again, "The vendor failed"}
	default:
		return rule{schema.BadResponse, doubtful, "The vendor's answer has an unexpected HTTP status"}
	}
}
